/* SPDX-License-Identifier: MIT */
/*
 * handler_counter - two handlers of events add to one counter, and each may be interrupted by
 * the other
 *
 * Right: one place that adds, here under a lock.
 */
#include "catalogue.h"

static int hits;
static hocket_mutex lock;

static int job(void *arg)
{
    (void)arg;
    return 0;
}

static int handler(hocket_future *future, void *arg)
{
    (void)future;
    (void)arg;
    int seen = hits;
    hocket_sim_point();
    hits = seen + 1;
    return 0;
}

static int handler_locked(hocket_future *future, void *arg)
{
    hocket_mutex_lock(&lock);
    (void)handler(future, arg);
    hocket_mutex_unlock(&lock);
    return 0;
}

static int run(hocket_future_fn *fn)
{
    hocket_executor *pool;
    hocket_future *futures[2];
    OK(hocket_executor_new(&pool, "fibers", HOCKET_EXECUTOR_OPTIONS(.workers = 2)));
    for (int i = 0; i < 2; i++) {
        OK(hocket_submit_fn(pool, &futures[i], job, NULL));
        OK(hocket_future_on_done(futures[i], fn, NULL));
    }
    for (int i = 0; i < 2; i++) {
        OK(hocket_future_wait(futures[i], HOCKET_FOREVER));
        hocket_future_free(futures[i]);
    }
    hocket_executor_free(pool);
    return hits == 2 ? 0 : 1;
}

static int wrong(void *arg)
{
    (void)arg;
    return run(handler);
}

static int right(void *arg)
{
    (void)arg;
    return run(handler_locked);
}

const struct bug bug_handler_counter = { "handler_counter", wrong, right };
