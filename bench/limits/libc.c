/* SPDX-License-Identifier: MIT */
/* bench-flags: -pthread */

/* The C library: mutex, malloc, the clock, making a thread. */

#include "limits.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *empty(void *arg)
{
    return arg;
}

LIMITS_BATCH(lock, pthread_mutex_lock(&mutex); pthread_mutex_unlock(&mutex))
LIMITS_BATCH(allocate, void *p = malloc(64); BENCH_KEEP(p); free(p))
LIMITS_BATCH(clock_read, BENCH_KEEP(bench_now()))

static void thread(void *arg)
{
    pthread_t id;
    bench_check(pthread_create(&id, NULL, empty, arg) == 0, "pthread_create failed");
    pthread_join(id, NULL);
}

int main(int argc, char **argv)
{
    bench_start(argc, argv);
    bench_named("thread-create-join", thread, NULL,
                1); /* first: glibc's mutex is cheaper until there was a thread */
    LIMITS_ROW("pthread-mutex", lock);
    LIMITS_ROW("malloc", allocate);
    LIMITS_ROW("clock", clock_read);
    return 0;
}
