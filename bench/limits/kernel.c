/* SPDX-License-Identifier: MIT */
/* bench-flags: -pthread */

/* System calls that a scheduler makes: the cheapest one, yield, a futex wake with nobody there,
 * membarrier. */

#include "limits.h"

#include <linux/membarrier.h>

static atomic_int word;
static volatile int stop;

LIMITS_BATCH(call, syscall(SYS_getppid))
LIMITS_BATCH(yield, sched_yield())
LIMITS_BATCH(wake, limits_futex(&word, FUTEX_WAKE, 1))
LIMITS_BATCH(barrier, syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0))

static void *spin(void *arg)
{
    limits_pin(1);
    while (!stop)
        continue;
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    bench_start(argc, argv);
    limits_pin(0);
    LIMITS_ROW("syscall", call);
    LIMITS_ROW("sched-yield", yield);
    LIMITS_ROW("futex-wake-nobody", wake);
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) != 0)
        return 0;
    LIMITS_ROW("membarrier-alone", barrier);
    bench_check(pthread_create(&thread, NULL, spin, NULL) == 0, "pthread_create failed");
    LIMITS_ROW("membarrier-2",
               barrier); /* the other processor runs a thread of ours and is interrupted */
    stop = 1;
    pthread_join(thread, NULL);
    return 0;
}
