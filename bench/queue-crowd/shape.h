/* SPDX-License-Identifier: MIT */
#ifndef CROWD_SHAPE_H
#define CROWD_SHAPE_H

/*
 * shape - the same crowd for all C contenders, which define put() and get(), and try_put() and
 * try_get() if they have them, before this file is included
 */

#include <pthread.h>
#include <sched.h>

#include "../common/bench.h"

#define SHAPE_MAX 16

static struct {
    int pairs, each;
    _Bool tries;
    _Atomic uint64_t sum;
} shape;

/* Tries before others are let run: a thread whose turn it is may have lost its processor. */
#define SHAPE_TRIES 64

static void *shape_produce(void *arg)
{
    for (uint64_t n = 0; n < (uint64_t)shape.each; n++) {
        if (!shape.tries) {
            put(n);
            continue;
        }
        for (int i = 1; !try_put(n); i++)
            if (i % SHAPE_TRIES == 0)
                sched_yield();
    }
    return arg;
}

static void *shape_consume(void *arg)
{
    uint64_t sum = 0;
    for (int k = 0; k < shape.each; k++) {
        uint64_t n;
        if (!shape.tries) {
            n = get();
        } else {
            for (int i = 1; !try_get(&n); i++)
                if (i % SHAPE_TRIES == 0)
                    sched_yield();
        }
        sum += n;
    }
    shape.sum += sum;
    return arg;
}

static void shape_batch(void *arg)
{
    pthread_t threads[2 * SHAPE_MAX];
    uint64_t each = (uint64_t)shape.each;
    (void)arg;
    shape.sum = 0;
    for (int i = 0; i < 2 * shape.pairs; i++)
        bench_check(
            pthread_create(&threads[i], NULL, i % 2 ? shape_consume : shape_produce, NULL) == 0,
            "pthread_create failed");
    for (int i = 0; i < 2 * shape.pairs; i++)
        pthread_join(threads[i], NULL);
    bench_check(shape.sum == (uint64_t)shape.pairs * (each * (each - 1) / 2), "wrong sum");
}

/* Run the case if it is one of a crowd. */
static int shape_run(_Bool can_try)
{
    int consumers = 0;
    const char *name = bench_case;
    shape.tries = strncmp(name, "try-", 4) == 0;
    if (shape.tries)
        name += 4;
    if (sscanf(name, "%dp%dc", &shape.pairs, &consumers) != 2 || shape.pairs != consumers ||
        shape.pairs < 1 || shape.pairs > SHAPE_MAX || (shape.tries && !can_try))
        return 0;
    shape.each = 200000 / shape.pairs;
    bench_batches(shape_batch, NULL, (double)shape.each * shape.pairs);
    return 1;
}

#endif
