/* SPDX-License-Identifier: MIT */
#ifndef BENCH_H
#define BENCH_H

/*
 * bench - what every C and C++ contender shares: the clock, the batch loop, the way results are
 * printed
 *
 * A contender is started as `contender CASE MILLISECONDS`. It prints lines of `name value unit`,
 * the first of which is the figure that is compared, and exits 0. For a case that it has no answer
 * to it exits 77, which the runner shows as '-'.
 *
 * The batch loop runs one batch of operations again and again: first unmeasured for a fifth of the
 * time, then measured until the time is over. The figure is the median of the batches divided by
 * the operations in one, so that one interruption by the system does not count; `best` is the
 * fastest batch.
 *
 * `20x` in place of MILLISECONDS runs exactly 20 batches without looking at the clock and prints how
 * many operations those were: bench/instructions counts what they execute.
 *
 * The samples live in static storage: a contender may call this from a small fiber stack. One loop
 * at a time.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BENCH_SKIP        77
#define BENCH_MAX_SAMPLES 65536
#define BENCH_UNUSED      __attribute__((unused))

/* Steps of a chain of x = x * a + 1 that take about 5 us: a small task that is none too small. */
#define BENCH_GRAIN 4000

/* Keep the compiler from removing or merging what computes `value`. */
#define BENCH_KEEP(value) __asm__ volatile("" : : "r"(value) : "memory")

static const char *bench_case = "";
static int64_t bench_ns = 100 * 1000000LL;
static long bench_rounds; /* > 0: so many batches, and no figure */
static double bench_samples[BENCH_MAX_SAMPLES];

BENCH_UNUSED static int64_t bench_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

BENCH_UNUSED static void bench_sleep(int64_t ns)
{
    struct timespec ts = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };
    while (nanosleep(&ts, &ts) != 0)
        continue;
}

BENCH_UNUSED static void bench_start(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s CASE MILLISECONDS\n", argv[0]);
        exit(2);
    }
    bench_case = argv[1];
    bench_ns = atoll(argv[2]) * 1000000;
    if (argv[2][0] != '\0' && argv[2][strlen(argv[2]) - 1] == 'x')
        bench_rounds = atol(argv[2]);
}

BENCH_UNUSED static int bench_is(const char *name)
{
    return strcmp(bench_case, name) == 0;
}

/* A contender that finds its own result wrong must not print a figure. */
BENCH_UNUSED static void bench_check(int good, const char *what)
{
    if (!good) {
        fprintf(stderr, "%s: %s\n", bench_case, what);
        exit(1);
    }
}

BENCH_UNUSED static int bench_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Print `name median unit` and the fastest of the first `count` samples. */
BENCH_UNUSED static void bench_print(const char *name, size_t count, const char *unit)
{
    bench_check(count > 0, "no sample");
    qsort(bench_samples, count, sizeof(double), bench_compare);
    printf("%s %.3f %s\n", name, bench_samples[count / 2], unit);
    if (strcmp(name, "time") == 0)
        printf("best %.3f %s\n", bench_samples[0], unit);
    fflush(stdout);
}

/* Run batches of `operations` operations each and print the time of one operation under `name`. */
BENCH_UNUSED static void bench_named(const char *name, void (*batch)(void *), void *arg,
                                     double operations)
{
    int64_t start = bench_now(), now = start;
    size_t count = 0;
    for (long i = 0; i < bench_rounds; i++)
        batch(arg);
    if (bench_rounds > 0) {
        printf("operations %.0f\n", (double)bench_rounds * operations);
        return;
    }
    while (now - start < bench_ns / 5) {
        batch(arg);
        now = bench_now();
    }
    start = now;
    while (count < BENCH_MAX_SAMPLES && (now - start < bench_ns || count < 3)) {
        int64_t before = now;
        batch(arg);
        now = bench_now();
        bench_samples[count++] = (double)(now - before) / operations;
    }
    bench_print(name, count, "ns");
}

BENCH_UNUSED static void bench_batches(void (*batch)(void *), void *arg, double operations)
{
    bench_named("time", batch, arg, operations);
}

#endif
