/* SPDX-License-Identifier: MIT */
/* bench-flags: -pthread */

/* OS threads: what a task costs without a library. Batches are of 64 threads, more would measure
 * the memory. */

#include <pthread.h>

#include "../common/bench.h"

static void *empty(void *arg)
{
    return arg;
}

static void batch(void *arg)
{
    pthread_t threads[64];
    int count = *(int *)arg;
    for (int i = 0; i < count; i++)
        bench_check(pthread_create(&threads[i], NULL, empty, NULL) == 0, "pthread_create failed");
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
    int count = 1;
    bench_start(argc, argv);
    if (bench_is("batch-2"))
        count = 64;
    else if (!bench_is("one-1"))
        return BENCH_SKIP;
    bench_batches(batch, &count, count);
    return 0;
}
