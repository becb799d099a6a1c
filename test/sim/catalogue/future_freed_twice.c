/* SPDX-License-Identifier: MIT */
/*
 * future_freed_twice - two holders of a future count it down without a lock: freed twice, or
 * never
 *
 * Right: the count under a lock.
 */
#include "catalogue.h"

static hocket_executor *pool;
static hocket_future *future;
static hocket_mutex lock;
static int holders = 2, freed;

static int job(void *arg)
{
    (void)arg;
    return 0;
}

static void drop(void)
{
    int left = holders - 1;
    hocket_sim_point();
    holders = left;
    if (left == 0)
        freed++;
}

static int release(void *arg)
{
    (void)arg;
    OK(hocket_future_wait(future, HOCKET_FOREVER));
    drop();
    return 0;
}

static int release_locked(void *arg)
{
    (void)arg;
    OK(hocket_future_wait(future, HOCKET_FOREVER));
    hocket_mutex_lock(&lock);
    drop();
    hocket_mutex_unlock(&lock);
    return 0;
}

static int run(hocket_task_fn *release_fn)
{
    OK(hocket_executor_new(&pool, "fibers", HOCKET_EXECUTOR_OPTIONS(.workers = 1)));
    OK(hocket_submit_fn(pool, &future, job, NULL));
    OK(TOGETHER(release_fn, release_fn));
    hocket_future_free(future); /* really, and once */
    hocket_executor_free(pool);
    return freed == 1 ? 0 : 1;
}

static int wrong(void *arg)
{
    (void)arg;
    return run(release);
}

static int right(void *arg)
{
    (void)arg;
    return run(release_locked);
}

const struct bug bug_future_freed_twice = { "future_freed_twice", wrong, right };
