/* SPDX-License-Identifier: MIT */
/* A pool of threads made by hand: what doc/from-pthreads.md begins with.  Nothing of Hocket in it. */
#include <pthread.h>
#include <stdio.h>

struct job {
    int (*fn)(void *arg);
    void *arg;
};

enum { THREADS = 4, ROOM = 16 };

static struct job ring[ROOM];
static size_t head, count;
static int closed;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER, not_full = PTHREAD_COND_INITIALIZER;
static pthread_t threads[THREADS];

static void *worker(void *arg)
{
    for (;;) {
        pthread_mutex_lock(&mutex);
        while (count == 0 && !closed)
            pthread_cond_wait(&not_empty, &mutex);
        if (count == 0) {
            pthread_mutex_unlock(&mutex);
            return arg;
        }
        struct job job = ring[head];
        head = (head + 1) % ROOM;
        count--;
        pthread_cond_signal(&not_full);
        pthread_mutex_unlock(&mutex);
        (void)job.fn(job.arg); /* whether it failed nobody will know */
    }
}

static int pool_start(void)
{
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, worker, NULL) != 0)
            return -1; /* and those that run already? */
    return 0;
}

static void pool_submit(int (*fn)(void *arg), void *arg)
{
    pthread_mutex_lock(&mutex);
    while (count == ROOM)
        pthread_cond_wait(&not_full, &mutex); /* in a job: perhaps for ever */
    ring[(head + count++) % ROOM] = (struct job){ fn, arg };
    pthread_cond_signal(&not_empty);
    pthread_mutex_unlock(&mutex);
}

static void pool_stop(void)
{
    pthread_mutex_lock(&mutex);
    closed = 1;
    pthread_cond_broadcast(&not_empty);
    pthread_mutex_unlock(&mutex);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

struct range {
    int begin, end, primes;
};

static int count_primes(void *arg)
{
    struct range *r = arg;
    for (int n = r->begin; n < r->end; n++) {
        int d = 2;
        while (d * d <= n && n % d != 0)
            d++;
        r->primes += n > 1 && d * d > n;
    }
    return 0;
}

int main(void)
{
    static struct range ranges[100];
    int sum = 0;
    if (pool_start() != 0)
        return 1;
    for (int i = 0; i < 100; i++) {
        ranges[i] = (struct range){ i * 1000, (i + 1) * 1000, 0 };
        pool_submit(count_primes, &ranges[i]);
    }
    pool_stop();
    for (int i = 0; i < 100; i++)
        sum += ranges[i].primes;
    printf("%d primes below 100000\n", sum);
    return 0;
}
