/* SPDX-License-Identifier: MIT */
#ifndef SHAPE_H
#define SHAPE_H

/* What the contenders in C share: the moments, and what they make of how late callbacks were. */

#include "../common/bench.h"

#define PENDING 1000000
#define LATE    100000
#define BATCH   1000
#define SECOND  1000000000LL
#define HOUR    (3600 * SECOND)

static int64_t due[LATE], ran[LATE];

/* xorshift: the same moments for all. */
BENCH_UNUSED static int64_t moment(int64_t below)
{
    static uint64_t x = 88172645463325252u;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return (int64_t)((x >> 1) % (uint64_t)below);
}

/* All callbacks have run.  `never_early`: fail if one ran before its time. */
BENCH_UNUSED static void print_lateness(int never_early)
{
    static double late[LATE];
    for (int i = 0; i < LATE; i++) {
        bench_check(!never_early || ran[i] >= due[i], "a callback came early");
        late[i] = (double)(ran[i] - due[i]) / 1000;
    }
    qsort(late, LATE, sizeof *late, bench_compare);
    printf("time %.3f us\n", late[bench_is("late-p50") ? LATE / 2 : LATE / 100 * 99]);
    printf("worst %.3f us\n", late[LATE - 1]);
}

BENCH_UNUSED static int wants_lateness(void)
{
    return bench_is("late-p50") || bench_is("late-p99");
}

/* How many timers are pending while they are cancelled and armed again in turn; 0: not this case. */
BENCH_UNUSED static int pending(void)
{
    return bench_is("armed-1m") ? PENDING : bench_is("at-once") ? 1 : 0;
}

#endif
