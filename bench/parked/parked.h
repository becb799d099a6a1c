/* SPDX-License-Identifier: MIT */
#ifndef BENCH_PARKED_H
#define BENCH_PARKED_H

/* parked - what the C and C++ contenders of this question share: counts, and resident memory */

#include "../common/bench.h"

#include <unistd.h>

#define ROUND 20000 /* fibers of one round of fresh and recycled */

static double parked_resident(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    bench_check(f != NULL && fscanf(f, "%*s %ld", &pages) == 1, "no /proc/self/statm");
    fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* park(n) starts n fibers and returns once all wait; release() ends them and waits for that. */
static void parked_run(void (*park)(long n), void (*release)(void))
{
    long n = bench_is("bytes-1m") ? 1000000 : bench_is("bytes-100k") ? 100000 : ROUND;
    double before = parked_resident();
    int64_t start = bench_now();
    if (bench_is("recycled")) {
        park(n);
        release();
        start = bench_now();
    }
    park(n);
    double took = (double)(bench_now() - start), took_bytes = parked_resident() - before;
    if (n == ROUND)
        printf("time %.3f ns\n", took / (double)n);
    else
        printf("time %.1f B\n", took_bytes / (double)n);
    fflush(stdout);
    release();
}

#endif
