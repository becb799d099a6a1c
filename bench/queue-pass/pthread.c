/* SPDX-License-Identifier: MIT */
/* bench-flags: -pthread */

/* A mutex and two conditions. */

#include "../common/bench.h"
#include "../common/ring.h"

#define COUNT 200000

static struct ring ring = RING_INIT;

static void *produce(void *arg)
{
    for (uint64_t n = 0; n < COUNT; n++)
        ring_put(&ring, n);
    return arg;
}

static void batch(void *arg)
{
    pthread_t thread;
    uint64_t sum = 0;
    bench_check(pthread_create(&thread, NULL, produce, arg) == 0, "pthread_create failed");
    for (int i = 0; i < COUNT; i++)
        sum += ring_get(&ring);
    pthread_join(thread, NULL);
    bench_check(sum == (uint64_t)COUNT * (COUNT - 1) / 2, "wrong sum");
}

int main(int argc, char **argv)
{
    bench_start(argc, argv);
    if (!bench_is("cap128-threads"))
        return BENCH_SKIP;
    bench_batches(batch, NULL, COUNT);
    return 0;
}
