/* SPDX-License-Identifier: MIT */
/* bench-hocket: library */

/* Threads of the program's own, no runtime. */

#include <hocket/queue.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

static hocket_queue *queue;

static inline void put(uint64_t n)
{
    if (hocket_queue_put(queue, &n, HOCKET_FOREVER) != 0)
        abort();
}

static inline uint64_t get(void)
{
    uint64_t n = 0;
    if (hocket_queue_get(queue, &n, HOCKET_FOREVER) != 0)
        abort();
    return n;
}

static inline bool try_put(uint64_t n)
{
    return hocket_queue_put(queue, &n, HOCKET_NOW) == 0;
}

static inline bool try_get(uint64_t *ret_n)
{
    return hocket_queue_get(queue, ret_n, HOCKET_NOW) == 0;
}

#include "shape.h"

#define BATCH   64
#define BATCHES 3000

static void *put_batches(void *arg)
{
    uint64_t values[BATCH];
    for (uint64_t n = 0; n < (uint64_t)BATCH * BATCHES; n += BATCH) {
        for (uint64_t i = 0; i < BATCH; i++)
            values[i] = n + i;
        bench_check(hocket_queue_put_many(queue, values, BATCH, HOCKET_FOREVER) == BATCH,
                    "put failed");
    }
    return arg;
}

static void batches(void *arg)
{
    pthread_t thread;
    uint64_t values[BATCH], sum = 0, all = (uint64_t)BATCH * BATCHES;
    bench_check(pthread_create(&thread, NULL, put_batches, arg) == 0, "pthread_create failed");
    for (uint64_t got = 0; got < all;) {
        ptrdiff_t n = hocket_queue_get_many(queue, values, BATCH, HOCKET_FOREVER);
        bench_check(n > 0, "get failed");
        for (ptrdiff_t i = 0; i < n; i++)
            sum += values[i];
        got += (uint64_t)n;
    }
    pthread_join(thread, NULL);
    bench_check(sum == all * (all - 1) / 2, "wrong sum");
}

int main(int argc, char **argv)
{
    bench_start(argc, argv);
    size_t room = bench_is("batch-64") ? (size_t)BATCH * BATCHES : 128;
    bench_check(
        hocket_queue_new(&queue, sizeof(uint64_t), HOCKET_QUEUE_OPTIONS(.capacity = room)) == 0,
        "no queue");
    if (bench_is("batch-64") || bench_is("batch-64-of-128")) {
        bench_batches(batches, NULL, (double)BATCH * BATCHES);
        return 0;
    }
    return shape_run(true) ? 0 : BENCH_SKIP;
}
