/* SPDX-License-Identifier: MIT */
/* Callbacks and follow-ups of futures. */
#include "support/suite.h"

#include <hocket/hooks.h>
#include <hocket/mutex.h>
#include <hocket/promise.h>

#include "support/death.h"
#include "support/executors.h"

/* ---- callbacks ---- */

static char order[16];
static _Atomic int calls, failures;
static hocket_task *called_in;

static int note(hocket_future *f, void *arg)
{
    HK_EXPECT(hocket_future_done(f));
    order[hk_add(&calls, 1)] = *(const char *)arg;
    called_in = hocket_self();
    return 0;
}

static int note_and_fail(hocket_future *f, void *arg)
{
    (void)note(f, arg);
    return hocket_fail(-EIO, "callback %s", (const char *)arg);
}

static void on_error(const hocket_error *error, void *context)
{
    (void)context;
    HK_EXPECT_STR(error->message, "callback b");
    (void)hk_add(&failures, 1);
}

static int seven(void *arg)
{
    (void)arg;
    return 7;
}

static int called_in_order(void *arg)
{
    (void)arg;
    hocket_hooks h = HOCKET_HOOKS_DEFAULT;
    h.error = on_error;
    HK_EXPECT_EQ(hocket_hooks_set(&h, NULL), 0);
    FOR_POOLS(ex, 1, 0)
    {
        struct gate g = { 0 };
        hocket_future *f, *next;
        memset(order, 0, sizeof order);
        hk_store(&calls, 0);
        hk_store(&failures, 0);
        HK_EXPECT_EQ(hocket_submit_fn(ex, &f, pass, &g), 0);
        HK_EXPECT_EQ(hocket_submit_fn(ex, &next, seven, NULL), 0);
        HK_EXPECT_EQ(hocket_future_on_done(f, note, (void *)(uintptr_t) "a"), 0);
        HK_EXPECT_EQ(hocket_future_on_done(f, note_and_fail, (void *)(uintptr_t) "b"), 0);
        HK_EXPECT_EQ(hocket_future_on_done(f, note, (void *)(uintptr_t) "c"), 0);
        RUN_UNTIL(hk_load(&g.inside) == 1);
        HK_EXPECT_EQ(hk_load(&calls), 0);
        gate_open(&g);
        HK_EXPECT_EQ(result_of(next), 7); /* of the same worker, so after them */
        HK_EXPECT_STR(order, "abc");
        HK_EXPECT(called_in != hocket_self());
        HK_EXPECT_EQ(hk_load(&failures), 1);
        HK_EXPECT_EQ(hocket_future_on_done(f, note, (void *)(uintptr_t) "d"), 0); /* at once */
        HK_EXPECT_STR(order, "abcd");
        HK_EXPECT(called_in == hocket_self());
        hocket_future_free(f);
        hocket_future_free(next);
        hocket_executor_free(ex);
    }
    return hocket_hooks_set(NULL, NULL);
}
START_TEST(callbacks)
{
    run_in(_i, called_in_order, NULL);
}
END_TEST

static int called_by_canceller(void *arg)
{
    (void)arg;
    FOR_POOLS(ex, 1, 0)
    {
        struct gate g = { 0 };
        hocket_future *f, *queued;
        hk_store(&calls, 0);
        HK_EXPECT_EQ(hocket_submit_fn(ex, &f, pass, &g), 0);
        HK_EXPECT_EQ(hocket_submit_fn(ex, &queued, seven, NULL), 0);
        HK_EXPECT_EQ(hocket_future_on_done(queued, note, (void *)(uintptr_t) "x"), 0);
        RUN_UNTIL(hk_load(&g.inside) == 1);
        HK_EXPECT(hocket_future_cancel(queued));
        HK_EXPECT_EQ(hk_load(&calls), 1);
        HK_EXPECT(called_in == hocket_self());
        gate_open(&g);
        hocket_future_free(f);
        hocket_future_free(queued);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(callback_of_cancelled)
{
    run_in(_i, called_by_canceller, NULL);
}
END_TEST

/* A callback may free its own future and submit more. */
static hocket_executor *again_in;
static _Atomic int rounds;

static int resubmit(hocket_future *f, void *arg)
{
    hocket_future *next;
    hocket_future_free(f);
    if (hk_add(&rounds, 1) == 50)
        return 0;
    HK_EXPECT_EQ(hocket_submit_fn(again_in, &next, seven, NULL), 0);
    HK_EXPECT_EQ(hocket_future_on_done(next, resubmit, arg), 0);
    return 0;
}

static int callbacks_go_on(void *arg)
{
    (void)arg;
    FOR_SCHEMES(ex, 2, 0)
    {
        hocket_future *f;
        again_in = ex;
        hk_store(&rounds, 0);
        HK_EXPECT_EQ(hocket_submit_fn(ex, &f, seven, NULL), 0);
        HK_EXPECT_EQ(hocket_future_on_done(f, resubmit, NULL), 0);
        RUN_UNTIL(hk_load(&rounds) == 51);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(callback_submits)
{
    run_in(_i, callbacks_go_on, NULL);
}
END_TEST

static hocket_mutex kept;

static int keep_lock(hocket_future *f, void *arg)
{
    (void)f;
    (void)arg;
    hocket_mutex_lock(&kept);
    return 0;
}

static void callback_keeps_lock(void *arg)
{
    hocket_promise *p;
    hocket_future *f;
    (void)arg;
    HK_EXPECT_EQ(hocket_promise_new(&p, &f), 0);
    HK_EXPECT_EQ(hocket_future_on_done(f, keep_lock, NULL), 0);
    HK_EXPECT_EQ(hocket_promise_set(p, 0, NULL, 0), 0);
}

START_TEST(misuse_panics)
{
    death_by_signal(callback_keeps_lock, NULL, SIGABRT, "callback of a future ended while holding");
}
END_TEST

/* ---- follow-ups ---- */

static int plus_one(hocket_future *f, void *arg)
{
    int result = hocket_future_result(f);
    (void)arg;
    return result < 0 ? result : result + 1;
}

static int chain_of_jobs(void *arg)
{
    (void)arg;
    FOR_SCHEMES(ex, 1, 2)
    {
        hocket_future *f, *next;
        HK_EXPECT_EQ(hocket_submit_fn(ex, &f, seven, NULL), 0);
        for (int i = 0; i < 100; i++) {
            HK_EXPECT_EQ(hocket_future_then(f, &next, ex, plus_one, NULL), 0);
            hocket_future_free(f); /* the follow-up keeps it */
            f = next;
        }
        HK_EXPECT_EQ(result_of(f), 107);
        hocket_future_free(f);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(chain)
{
    run_in(_i, chain_of_jobs, NULL);
}
END_TEST

static int long_chain_of_promises(void *arg)
{
    (void)arg;
    FOR_POOLS(ex, 2, 0)
    {
        hocket_promise *p;
        hocket_future *f, *next;
        HK_EXPECT_EQ(hocket_promise_new(&p, &f), 0);
        for (int i = 0; i < 3000; i++) {
            HK_EXPECT_EQ(hocket_future_then(f, &next, ex, plus_one, NULL), 0);
            hocket_future_free(f);
            f = next;
        }
        HK_EXPECT_EQ(hocket_promise_set(p, 0, NULL, 0), 0);
        hocket_promise_free(p);
        HK_EXPECT_EQ(result_of(f), 3000);
        hocket_future_free(f);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(long_chain)
{
    run_in(_i, long_chain_of_promises, NULL);
}
END_TEST

static int wait_to_be_cancelled(hocket_future *f, void *arg)
{
    (void)f;
    return pass(arg);
}

static int cancel_at_each_stage(void *arg)
{
    (void)arg;
    FOR_POOLS(ex, 1, 0)
    {
        struct gate g = { 0 };
        hocket_promise *p;
        hocket_future *f, *early, *running, *closed;
        HK_EXPECT_EQ(hocket_promise_new(&p, &f), 0);
        HK_EXPECT_EQ(hocket_future_then(f, &early, ex, plus_one, NULL), 0);
        HK_EXPECT_EQ(hocket_future_result(f), -EAGAIN);
        HK_EXPECT_EQ(hocket_future_then(f, &running, ex, wait_to_be_cancelled, &g), 0);
        HK_EXPECT(hocket_future_cancel(early)); /* nobody has submitted it yet */
        HK_EXPECT(hocket_future_cancelled(early) && !hocket_future_done(running));
        HK_EXPECT_EQ(hocket_promise_set(p, 0, NULL, 0), 0);
        RUN_UNTIL(hk_load(&g.inside) == 1);
        HK_EXPECT(hocket_future_running(running));
        HK_EXPECT(!hocket_future_cancel(running));
        HK_EXPECT_EQ(result_of(running), -ECANCELED);
        hocket_promise_free(p);
        hocket_future_free(f);
        HK_EXPECT_EQ(hocket_promise_new(&p, &f), 0);
        HK_EXPECT_EQ(hocket_future_then(f, &closed, ex, plus_one, NULL), 0);
        HK_EXPECT_EQ(hocket_executor_shutdown(ex, HOCKET_SHUTDOWN_DRAIN, HOCKET_FOREVER), 0);
        HK_EXPECT_EQ(hocket_promise_set(p, 0, NULL, 0), 0);
        HK_EXPECT_EQ(result_of(closed), -EPIPE);
        HK_EXPECT(hocket_future_error(closed) != NULL);
        hocket_promise_free(p);
        hocket_future_free(f);
        hocket_future_free(early);
        hocket_future_free(running);
        hocket_future_free(closed);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(cancel_follow_ups)
{
    run_in(_i, cancel_at_each_stage, NULL);
}
END_TEST

static int count_call(hocket_future *f, void *arg)
{
    HK_EXPECT_EQ(hocket_future_error(f)->code, -EPIPE);
    (void)hk_add((_Atomic int *)arg, 1);
    return 0;
}

static int forget_all(void *arg)
{
    (void)arg;
    FOR_SCHEMES(ex, 1, 0)
    {
        _Atomic int count = 0;
        hocket_future *f;
        hocket_promise *p;
        HK_EXPECT_EQ(hocket_promise_new(&p, &f), 0);
        for (int i = 0; i < 10; i++)
            HK_EXPECT_EQ(hocket_future_then(f, NULL, ex, count_call, &count), 0);
        hocket_future_free(f);
        hocket_promise_free(p); /* broken: done all the same */
        hocket_executor_free(ex);
        HK_EXPECT_EQ(hk_load(&count), 10);
    }
    return 0;
}
START_TEST(fire_and_forget)
{
    run_in(_i, forget_all, NULL);
}
END_TEST

SUITE("future_then", 30)
{
    suite_each(callbacks);
    suite_each(callback_of_cancelled);
    suite_each(callback_submits);
    suite_once(misuse_panics);
    suite_each(chain);
    suite_each(long_chain);
    suite_each(cancel_follow_ups);
    suite_each(fire_and_forget);
}
