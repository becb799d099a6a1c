/* SPDX-License-Identifier: MIT */
/* bench-flags: -pthread */

/* Two OS threads bound to one core that call sched_yield. */

#include <pthread.h>
#include <sched.h>

#include "../common/bench.h"

static volatile int stop;

static void *other(void *arg)
{
    while (!stop)
        sched_yield();
    return arg;
}

static void batch(void *arg)
{
    (void)arg;
    for (int i = 0; i < 500; i++)
        sched_yield();
}

int main(int argc, char **argv)
{
    pthread_t thread;
    cpu_set_t first;
    bench_start(argc, argv);
    if (!bench_is("fibers-2"))
        return BENCH_SKIP;
    CPU_ZERO(&first);
    CPU_SET(sched_getcpu(), &first);
    sched_setaffinity(0, sizeof first, &first);
    bench_check(pthread_create(&thread, NULL, other, NULL) == 0, "pthread_create failed");
    bench_batches(batch, NULL, 1000); /* each of ours is answered by one of the other's */
    stop = 1;
    pthread_join(thread, NULL);
    return 0;
}
