/* SPDX-License-Identifier: MIT */
/*
 * Promises, follow-ups, callbacks and sets of futures under every schedule: one end wins, each
 * callback is called once, a follow-up runs once or is withdrawn, and nothing is used after its end.
 */
#include "support/explored.h"

#include <hocket/executor.h>
#include <hocket/promise.h>

static _Atomic int ran;

static int result_of(hocket_future *f)
{
    int result = INT32_MIN;
    HK_EXPECT_OK(hocket_future_get(f, &result, HOCKET_FOREVER));
    return result;
}

static hocket_executor *make(void)
{
    hocket_executor *ex;
    hocket_executor_options o = HOCKET_EXECUTOR_OPTIONS_DEFAULT;
    o.workers = 1;
    atomic_store(&ran, 0);
    HK_EXPECT_OK(hocket_executor_new(&ex, explore_choice(2) ? "fibers" : "threads", &o));
    return ex;
}

static void *cancel(void *arg)
{
    (void)hocket_future_cancel(arg);
    return NULL;
}

static void *set_three(void *arg)
{
    int err = hocket_promise_set(arg, 3, "abc", 3);
    HK_EXPECT(err == 0 || err == -ECANCELED || err == -EALREADY);
    if (explore_choice(2))
        hocket_promise_free(arg);
    else
        atomic_fetch_add(&ran, 1);
    return NULL;
}

/* Set, cancel and wait at once; the promise may go before the future, or the other way round. */
EXPLORED(promised, &explored_held)
{
    hocket_promise *p;
    hocket_future *f;
    explored_runtime(1);
    atomic_store(&ran, 0);
    HK_EXPECT_OK(hocket_promise_new(&p, &f));
    int a = explore_start(set_three, p), b = explore_start(cancel, f);
    int result = result_of(f);
    HK_EXPECT_EQ(result, hocket_future_cancelled(f) ? -ECANCELED : 3);
    explore_join(b);
    hocket_future_free(f);
    explore_join(a);
    if (atomic_load(&ran) > 0)
        hocket_promise_free(p);
    explored_runtime_end();
}

static int follow(hocket_future *before, void *arg)
{
    atomic_fetch_add(&ran, 1);
    return hocket_future_result(before) + (int)(intptr_t)arg;
}

static void *set_and_free(void *arg)
{
    HK_EXPECT_OK(hocket_promise_set(arg, 3, NULL, 0));
    hocket_promise_free(arg);
    return NULL;
}

/* A follow-up is withdrawn while what it follows ends. */
EXPLORED(followed, &explored_held)
{
    hocket_promise *p;
    hocket_future *f, *next;
    explored_runtime(1);
    hocket_executor *ex = make();
    HK_EXPECT_OK(hocket_promise_new(&p, &f));
    HK_EXPECT_OK(hocket_future_then(f, &next, ex, follow, (void *)4));
    int a = explore_start(set_and_free, p);
    bool cancels = explore_choice(2);
    int b = cancels ? explore_start(cancel, next) : -1;
    hocket_future_free(f);
    int result = result_of(next);
    bool never = hocket_future_cancelled(next);
    HK_EXPECT_EQ(result, never ? -ECANCELED : 7);
    HK_EXPECT(cancels || !never);
    explore_join(a);
    if (cancels)
        explore_join(b);
    hocket_future_free(next);
    hocket_executor_free(ex);
    HK_EXPECT_EQ(atomic_load(&ran), !never);
    explored_runtime_end();
}

static void *follow_now(void *arg)
{
    hocket_future **f = arg;
    HK_EXPECT_OK(hocket_future_on_done(f[0], follow, NULL));
    return NULL;
}

/* A callback added while the future becomes done is called once. */
EXPLORED(called_back, &explored_held)
{
    hocket_promise *p;
    hocket_future *f;
    explored_runtime(1);
    atomic_store(&ran, 0);
    HK_EXPECT_OK(hocket_promise_new(&p, &f));
    int a = explore_start(set_and_free, p), b = explore_start(follow_now, &f);
    explore_join(b);
    explore_join(a);
    HK_EXPECT_EQ(atomic_load(&ran), 1);
    hocket_future_free(f);
    explored_runtime_end();
}

/* A set that is closed while its futures become done. */
EXPLORED(completed, &explored_held)
{
    hocket_promise *p[2];
    hocket_future *f[2];
    hocket_completed *c;
    size_t index, seen = explore_choice(3);
    explored_runtime(1);
    for (int i = 0; i < 2; i++)
        HK_EXPECT_OK(hocket_promise_new(&p[i], &f[i]));
    int a = explore_start(set_and_free, p[0]), b = explore_start(set_and_free, p[1]);
    HK_EXPECT_OK(hocket_completed_open(&c, f, 2));
    for (size_t i = 0; i < seen; i++) {
        HK_EXPECT_OK(hocket_completed_next(c, &index, HOCKET_FOREVER));
        HK_EXPECT(hocket_future_done(f[index]));
    }
    hocket_completed_close(c);
    HK_EXPECT_OK(hocket_future_wait_many(f, 2, HOCKET_WAIT_ALL, NULL, HOCKET_FOREVER));
    explore_join(a);
    explore_join(b);
    hocket_future_free(f[0]);
    hocket_future_free(f[1]);
    explored_runtime_end();
}

/* The executor goes while futures of it are freed. */
static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static void *free_two(void *arg)
{
    hocket_future **f = arg;
    HK_EXPECT_OK(hocket_future_wait(f[0], HOCKET_FOREVER));
    hocket_future_free(f[0]);
    hocket_future_free(f[1]);
    return NULL;
}

EXPLORED(outlived, &explored_held)
{
    hocket_future *f[2];
    explored_runtime(1);
    hocket_executor *ex = make();
    for (int i = 0; i < 2; i++)
        HK_EXPECT_OK(hocket_submit_fn(ex, &f[i], nothing, NULL));
    int a = explore_start(free_two, f);
    hocket_executor_free(ex);
    explore_join(a);
    explored_runtime_end();
}

SUITE("future", explored_limit())
{
    suite_once(promised);
    suite_once(followed);
    suite_once(called_back);
    suite_once(completed);
    suite_once(outlived);
}
