/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TEST_EXECUTORS_H
#define HOCKET_TEST_EXECUTORS_H
/*
 * executors - what tests of executors, futures and maps share
 *
 *     FOR_SCHEMES(ex, 2, 0) { ...; hocket_executor_free(ex); }   // each scheme in turn
 *
 * A gate holds up the jobs that run pass() until it is opened or they are cancelled.
 */
#include <errno.h>
#include <hocket/executor.h>
#include <hocket/map.h>
#include <hocket/park.h>
#include <limits.h>
#include <string.h>

#include "support/run.h"

static const char *const executor_schemes[] = { "inline", "fibers", "threads" };
#define SCHEMES 3

/* NULL where the set-up has no threads to give. */
static inline hocket_executor *executor_make(const char *scheme, int workers, size_t queue)
{
    hocket_executor_options o = HOCKET_EXECUTOR_OPTIONS_DEFAULT;
    hocket_executor *ex = NULL;
    o.workers = workers;
    o.queue = queue;
    int err = hocket_executor_new(&ex, scheme, &o);
    if (err == -EAGAIN && strcmp(scheme, "threads") == 0 && hocket_workers() == 0)
        return NULL;
    HK_EXPECT_EQ(err, 0);
    return ex;
}

#define FOR_SCHEMES(ex, workers, queue)                                                 \
    for (int s_ = 0; s_ < SCHEMES; s_++)                                                \
        for (hocket_executor *ex = executor_make(executor_schemes[s_], workers, queue); \
             ex != NULL; ex = NULL)
#define FOR_POOLS(ex, workers, queue)                                                   \
    for (int s_ = 1; s_ < SCHEMES; s_++)                                                \
        for (hocket_executor *ex = executor_make(executor_schemes[s_], workers, queue); \
             ex != NULL; ex = NULL)

static inline int result_of(hocket_future *f)
{
    int result = INT_MIN;
    HK_EXPECT_EQ(hocket_future_get(f, &result, HOCKET_FOREVER), 0);
    return result;
}

/* A gate that jobs wait at, and that counts them. */
struct gate {
    hocket_word open;
    _Atomic int inside, ended, cancelled;
};

static inline int pass(void *arg)
{
    struct gate *g = arg;
    int err = 0;
    (void)hk_add(&g->inside, 1);
    while (err == 0 && hk_load_acq(&g->open) == 0)
        err = hocket_wait_on(&g->open, 0, HOCKET_FOREVER);
    (void)hk_add(err != 0 ? &g->cancelled : &g->ended, 1);
    return err;
}

static inline void gate_open(struct gate *g)
{
    hk_store_rel(&g->open, 1);
    (void)hocket_wake(&g->open, INT_MAX);
}

#endif
