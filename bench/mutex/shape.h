/* SPDX-License-Identifier: MIT */
#ifndef MUTEX_SHAPE_H
#define MUTEX_SHAPE_H

/*
 * shape - the contended loop, the same for all C contenders; shape.rs and go.go have the same shape
 *
 * The contender defines lock() and unlock() before this file is included. It calls shape_worker()
 * from each of its tasks and shape_time() from an OS thread of its own, so that stopping does not
 * depend on how fair the lock is. Both passes count under the lock: a lock that lets two in at once
 * fails the check, it does not win the race.
 */

#include <stdatomic.h>

#include "../common/bench.h"

#define SHAPE_MAX     16
#define SHAPE_SHARED  2
#define SHAPE_PRIVATE 10

struct shape_count {
    int64_t pairs, longest;
    char pad[112]; /* a task's figures share no cache line with another's */
};

static struct {
    int tasks, work;
    atomic_int ready;
    atomic_bool go, stop;
    _Bool timed;
    struct shape_count counts[SHAPE_MAX] __attribute__((aligned(128)));
    uint64_t guarded __attribute__((aligned(128)));
    int64_t total;
} shape;

/* Dependent steps that no compiler folds into fewer; about 6 cycles each. */
static inline uint64_t shape_steps(uint64_t x, int steps)
{
    for (int i = 0; i < steps; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    }
    return x;
}

static void shape_worker(int index)
{
    struct shape_count *count = &shape.counts[index];
    int64_t pairs = 0, longest = 0;
    uint64_t own = (uint64_t)index + 1;
    int private_steps = shape.work ? SHAPE_PRIVATE : 0;
    _Bool timed = shape.timed;

    while (!atomic_load_explicit(&shape.stop, memory_order_relaxed)) {
        int64_t before = timed ? bench_now() : 0;
        lock();
        if (timed) {
            int64_t waited = bench_now() - before;
            if (waited > longest)
                longest = waited;
        }
        shape.guarded = shape_steps(shape.guarded, SHAPE_SHARED);
        shape.total++;
        unlock();
        pairs++;
        own = shape_steps(own, private_steps);
    }
    BENCH_KEEP(own);
    count->pairs = pairs;
    count->longest = longest;
}

/* Parse the case. 0 if it is none of the contended ones. */
static int shape_parse(void)
{
    char kind[8] = "";
    if (sscanf(bench_case, "%d-%7s", &shape.tasks, kind) != 2 || shape.tasks < 1 ||
        shape.tasks > SHAPE_MAX)
        return 0;
    shape.work = strcmp(kind, "work") == 0;
    return shape.work || strcmp(kind, "bare") == 0;
}

static void shape_reset(_Bool timed)
{
    memset(shape.counts, 0, sizeof shape.counts);
    shape.timed = timed;
    shape.guarded = 1;
    shape.total = 0;
    atomic_store(&shape.stop, 0);
}

/* Let the tasks run, for the figure longer than for the waits, and stop them. The time that passed. */
BENCH_UNUSED static int64_t shape_time(void)
{
    int64_t start = bench_now();
    bench_sleep(shape.timed ? bench_ns : 2 * bench_ns);
    atomic_store(&shape.stop, 1);
    return bench_now() - start;
}

/* The figures of one pass, once every task has ended. */
static void shape_report(int64_t elapsed)
{
    int64_t sum = 0, least = INT64_MAX, most = 0, longest = 0;
    for (int i = 0; i < shape.tasks; i++) {
        int64_t pairs = shape.counts[i].pairs;
        sum += pairs;
        least = pairs < least ? pairs : least;
        most = pairs > most ? pairs : most;
        longest = shape.counts[i].longest > longest ? shape.counts[i].longest : longest;
    }
    bench_check(sum == shape.total, "the lock let two in at once");
    bench_check(sum > 0, "nobody got the lock");
    if (shape.timed) {
        printf("longest %.1f us\n", (double)longest / 1000);
    } else {
        printf("time %.3f ns\n", (double)elapsed / (double)sum);
        printf("fair %.3f ratio\n", (double)least / (double)most);
    }
    fflush(stdout);
}

#define SHAPE_UNCONTENDED 10000

BENCH_UNUSED static void shape_uncontended(void *arg)
{
    (void)arg;
    for (int i = 0; i < SHAPE_UNCONTENDED; i++) {
        lock();
        BENCH_KEEP(i);
        unlock();
    }
}

#endif
