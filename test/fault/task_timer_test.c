/* SPDX-License-Identifier: MIT */
/*
 * Timers and jobs by the clock when the n-th allocation or mapping fails: an error that says so or a timer
 * that works, and nothing left behind.  And what needs no memory: starting and stopping.
 */
#include "support/suite.h"

#include <errno.h>

#include <hocket/event.h>
#include <hocket/hooks.h>
#include <hocket/ticker.h>
#include <hocket/timer.h>

#include "support/inject.h"

static void on_error(const hocket_error *error, void *context)
{
    (void)context;
    if (error->code != -ENOMEM && error->code != -EAGAIN)
        hk__expect_failed(__FILE__, __LINE__, "only failures that were asked for");
}

static void setup(void)
{
    hocket_hooks hooks = HOCKET_HOOKS_DEFAULT;
    inject_install();
    hooks.error = on_error;
    HK_EXPECT_OK(hocket_hooks_set(&hooks, NULL));
}

static int sets(hocket_timer *t, void *arg)
{
    (void)t;
    hocket_event_set(arg);
    return 0;
}

static int sets_and_frees(hocket_timer *t, void *arg)
{
    hocket_timer_free(t);
    hocket_event_set(arg);
    return 0;
}

static int three(void *arg)
{
    (void)arg;
    return 3;
}

/* A member that gets no stack does not start; whoever starts a timer later brings another one. */
static void nudge_it(hocket_timer *nudge)
{
    int err = hocket_timer_start(nudge, HOCKET_FOREVER);
    HK_EXPECT(err == 0 || err == -ENOMEM);
}

static void await(hocket_event *e, hocket_timer *nudge)
{
    while (hocket_event_wait(e, hocket_after(20 * HOCKET_MS)) == -ETIMEDOUT)
        nudge_it(nudge);
}

static int timers(hocket_timer *nudge)
{
    hocket_event once = HOCKET_EVENT_INIT, own = HOCKET_EVENT_INIT;
    hocket_timer *t, *o;
    int err = hocket_timer_new(&t, sets, &once);
    if (err != 0)
        return err;
    if ((err = hocket_timer_start(t, hocket_after(50 * HOCKET_US))) == 0)
        await(&once, nudge);
    HK_EXPECT_EQ(hocket_timer_stop(t, HOCKET_FOREVER), 0);
    hocket_timer_free(t);
    if (err != 0 || (err = hocket_timer_new(&o, sets_and_frees, &own)) != 0)
        return err;
    if ((err = hocket_timer_start(o, HOCKET_NOW)) == 0)
        await(&own, nudge);
    else
        hocket_timer_free(o);
    return err;
}

static int jobs(hocket_timer *nudge)
{
    hocket_executor *ex;
    hocket_future *f;
    hocket_timer *t;
    int result = 0, err = hocket_executor_new(&ex, "inline", NULL);
    if (err != 0)
        return err;
    if ((err = hocket_submit_at(ex, &f, HOCKET_NOW, three, NULL)) == 0) {
        while (hocket_future_get(f, &result, hocket_after(20 * HOCKET_MS)) == -ETIMEDOUT)
            nudge_it(nudge);
        HK_EXPECT(result == 3 || result == -ENOMEM);
        hocket_future_free(f);
    }
    if (err == 0)
        err = hocket_submit_every(ex, &t, HOCKET_NOW, HOCKET_US, HOCKET_FIXED_RATE, three, NULL);
    if (err == 0) {
        double start = 0;
        while (hocket_timer_calls(t) < 2) {
            hk__expect_turn(__FILE__, __LINE__, "two calls", &start);
            nudge_it(nudge);
            HK_EXPECT_EQ(hocket_sleep(50 * HOCKET_US), 0);
        }
        hocket_timer_free(t);
    }
    hocket_executor_free(ex);
    return err != 0 ? err : result < 0 ? result : 0;
}

static int root(void *arg)
{
    int (*part)(hocket_timer *) = *(int (**)(hocket_timer *))arg;
    hocket_timer *nudge;
    int err = hocket_timer_new(&nudge, sets, NULL);
    if (err == 0) {
        err = part(nudge);
        hocket_timer_free(nudge);
    }
    return err;
}

static int workers;
static int (*part)(hocket_timer *);

static int program(void *arg)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    (void)arg;
    o.workers = workers;
    o.no_signals = true;
    o.quiet_watchdog = true;
    return hocket_run_with(root, &part, &o);
}

static void sweep(enum inject_kind kind, int which)
{
    static const int worker_counts[] = { HOCKET_NO_WORKERS, 1, 2 };
    workers = worker_counts[which % 3];
    part = which / 3 ? jobs : timers;
    setup();
    HK_EXPECT(inject_sweep(kind, program, NULL) > 0);
}

START_TEST(allocations)
{
    sweep(INJECT_ALLOC, _i);
}
END_TEST

START_TEST(mappings)
{
    sweep(INJECT_MAP, _i);
}
END_TEST

/* 1,000 timers, started and stopped in any order; true if nobody allocated meanwhile. */
static bool start_and_stop(hocket_timer *t[1000])
{
    inject_fail(INJECT_ALLOC, 1, true);
    for (int i = 0; i < 1000; i++)
        HK_EXPECT_OK(hocket_timer_start(
            t[i], hocket_after((hocket_time)(i * 7 % 10) * HOCKET_SEC + 3600 * HOCKET_SEC)));
    for (int i = 0; i < 1000; i++)
        HK_EXPECT_EQ(hocket_timer_stop(t[i * 7 % 1000], HOCKET_FOREVER), 1);
    return !inject_off();
}

/* Not one allocation; but on a busy machine the monitor may have tried to start a worker. */
static int no_memory(void *arg)
{
    static hocket_timer *t[1000];
    hocket_event none = HOCKET_EVENT_INIT;
    int tries = 1;
    (void)arg;
    for (int i = 0; i < 1000; i++)
        HK_EXPECT_OK(hocket_timer_new(&t[i], sets, &none));
    HK_EXPECT_OK(hocket_timer_start(t[0], HOCKET_FOREVER));
    while (!start_and_stop(t)) {
        HK_EXPECT(tries++ < 20);
        HK_EXPECT_OK(hocket_sleep(10 * HOCKET_MS)); /* nobody is in its way then */
    }
    for (int i = 0; i < 1000; i++)
        hocket_timer_free(t[i]);
    return 0;
}
START_TEST(none_without_memory)
{
    hocket_timer *timer = NULL;
    hocket_ticker *ticker = NULL;
    setup();
    inject_fail(INJECT_ALLOC, 1, true);
    HK_EXPECT_EQ(hocket_timer_new(&timer, sets, NULL), -ENOMEM);
    HK_EXPECT_EQ(hocket_ticker_new(&ticker, HOCKET_SEC), -ENOMEM);
    HK_EXPECT(inject_off() && timer == NULL && ticker == NULL);
}
END_TEST

START_TEST(without_memory)
{
    setup();
    long before = inject_counts().blocks;
    run_in(_i, no_memory, NULL);
    HK_EXPECT_EQ(inject_counts().blocks, before);
}
END_TEST

SUITE("timer_faults", 60)
{
    suite_once(none_without_memory);
    tcase_add_loop_test(suite__case, allocations, 0, 6);
    tcase_add_loop_test(suite__case, mappings, 0, 6);
    suite_each(without_memory);
}
