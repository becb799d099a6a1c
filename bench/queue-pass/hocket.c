/* SPDX-License-Identifier: MIT */
/* bench-hocket: library */

/* Fibers of one worker, or threads of the program's own. */

#include <hocket/queue.h>
#include <hocket/runtime.h>
#include <hocket/scope.h>
#include <hocket/task.h>
#include <pthread.h>

#include "../common/bench.h"

static hocket_queue *there, *back;
static int count;

static int ping(void *arg)
{
    uint64_t n = 0;
    (void)arg;
    for (int i = 0; i < count; i++)
        if (hocket_queue_put(there, &n, HOCKET_FOREVER) != 0 ||
            hocket_queue_get(back, &n, HOCKET_FOREVER) != 0)
            return 1;
    bench_check(n == (uint64_t)count, "wrong sum");
    return 0;
}

static int pong(void *arg)
{
    uint64_t n;
    (void)arg;
    for (int i = 0; i < count; i++) {
        if (hocket_queue_get(there, &n, HOCKET_FOREVER) != 0)
            return 1;
        n++;
        if (hocket_queue_put(back, &n, HOCKET_FOREVER) != 0)
            return 1;
    }
    return 0;
}

static int produce(void *arg)
{
    (void)arg;
    for (uint64_t n = 0; n < (uint64_t)count; n++)
        if (hocket_queue_put(there, &n, HOCKET_FOREVER) != 0)
            return 1;
    return 0;
}

static int consume(void *arg)
{
    uint64_t n, sum = 0;
    (void)arg;
    for (int i = 0; i < count; i++) {
        if (hocket_queue_get(there, &n, HOCKET_FOREVER) != 0)
            return 1;
        sum += n;
    }
    bench_check(sum == (uint64_t)count * (uint64_t)(count - 1) / 2, "wrong sum");
    return 0;
}

static void fibers(void *arg)
{
    hocket_scope scope;
    (void)arg;
    hocket_scope_open(&scope, NULL);
    int err = hocket_spawn(&scope, back ? ping : produce, NULL);
    err = err ? err : hocket_spawn(&scope, back ? pong : consume, NULL);
    bench_check(err == 0 && hocket_scope_close(&scope) == 0, "a task failed");
}

static void *produce_thread(void *arg)
{
    bench_check(produce(arg) == 0, "put failed");
    return arg;
}

static void threads(void *arg)
{
    pthread_t thread;
    bench_check(pthread_create(&thread, NULL, produce_thread, arg) == 0, "pthread_create failed");
    bench_check(consume(arg) == 0, "get failed");
    pthread_join(thread, NULL);
}

static int root(void *arg)
{
    (void)arg;
    bench_batches(fibers, NULL, count);
    return 0;
}

static void make(hocket_queue **ret_queue, size_t capacity)
{
    bench_check(hocket_queue_new(ret_queue, sizeof(uint64_t),
                                 HOCKET_QUEUE_OPTIONS(.capacity = capacity)) == 0,
                "no queue");
}

int main(int argc, char **argv)
{
    bench_start(argc, argv);
    if (bench_is("unbuffered")) {
        make(&there, HOCKET_RENDEZVOUS);
        make(&back, HOCKET_RENDEZVOUS);
        count = 10000;
    } else if (bench_is("cap128-fibers")) {
        make(&there, 128);
        count = 50000;
    } else if (bench_is("cap128-threads")) {
        make(&there, 128);
        count = 200000;
        bench_batches(threads, NULL, count);
        return 0;
    } else {
        return BENCH_SKIP;
    }
    return hocket_run_with(root, NULL, HOCKET_RUNTIME_OPTIONS(.workers = 1));
}
