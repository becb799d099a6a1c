/* SPDX-License-Identifier: MIT */
#ifndef LIMITS_H
#define LIMITS_H

/* limits - helpers of the programs in this folder; each prints several figures of its own name. */

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../common/bench.h"

#define LIMITS_LOOP 10000

/* Define batch function `name` that runs `statement` LIMITS_LOOP times. */
#define LIMITS_BATCH(name, statement)           \
    static void name(void *arg)                 \
    {                                           \
        (void)arg;                              \
        for (int i = 0; i < LIMITS_LOOP; i++) { \
            statement;                          \
        }                                       \
    }

#define LIMITS_ROW(text, batch) bench_named(text, batch, NULL, LIMITS_LOOP)

/* Bind the calling thread to the `index`-th of the processors that the program may use. -1 if there
 * are not so many. The first call must come before a second thread exists. */
BENCH_UNUSED static int limits_pin(int index)
{
    static cpu_set_t usable;
    cpu_set_t one;
    if (CPU_COUNT(&usable) == 0)
        sched_getaffinity(0, sizeof usable, &usable);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &usable) || index-- > 0)
            continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        return sched_setaffinity(0, sizeof one, &one);
    }
    return -1;
}

static inline long limits_futex(atomic_int *word, int op, int value)
{
    return syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

#endif
