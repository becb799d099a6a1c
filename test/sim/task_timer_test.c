/* SPDX-License-Identifier: MIT */
/*
 * Timers under every schedule: a timer that was stopped does not fire and its callback has returned, each
 * start that nobody takes back leads to one call, calls of one timer never overlap, and a
 * timer can be freed from anywhere.
 */
#include "support/explored.h"

static hocket_timer *timer;
static hocket_time when;
static _Atomic int inside, calls, allowed;

static void reset(void)
{
    atomic_store(&inside, 0);
    atomic_store(&calls, 0);
    atomic_store(&allowed, 1);
}

static int counted(hocket_timer *t, void *arg)
{
    (void)arg;
    HK_EXPECT_EQ(atomic_fetch_add(&inside, 1), 0);
    HK_EXPECT(atomic_load(&allowed));
    HK_EXPECT(hocket_now() >= when);
    HK_EXPECT(t == timer);
    if (explore_choice(2))
        (void)hocket_sleep(HOCKET_US); /* the follower leads meanwhile */
    HK_EXPECT(atomic_load(&allowed));
    atomic_fetch_add(&calls, 1);
    atomic_fetch_sub(&inside, 1);
    return 0;
}

static void make(hocket_timer_fn *fn)
{
    reset();
    HK_EXPECT_OK(hocket_timer_new(&timer, fn, NULL));
}

static void *starts(void *arg)
{
    hocket_time at = explore_choice(2) ? HOCKET_NOW : hocket_after(HOCKET_US);
    (void)arg;
    HK_EXPECT_OK(hocket_timer_start(timer, at));
    return NULL;
}

static void *stops(void *arg)
{
    int rc = hocket_timer_stop(timer, explore_choice(2) ? HOCKET_FOREVER : hocket_after(HOCKET_US));
    (void)arg;
    HK_EXPECT(rc == 0 || rc == 1 || rc == -ETIMEDOUT);
    return (void *)(intptr_t)(rc == 1);
}

/* After stop has returned there is no call, whatever it said. */
EXPLORED(stopped, &explored_held)
{
    explored_runtime(explore_choice(2) ? 1 : 2);
    make(counted);
    when = hocket_after((hocket_time)explore_choice(3) * HOCKET_US);
    HK_EXPECT_OK(hocket_timer_start(timer, when));
    int a = explore_start(stops, NULL);
    if (explore_choice(2))
        (void)hocket_sleep(HOCKET_US);
    int rc = hocket_timer_stop(timer, HOCKET_FOREVER);
    atomic_store(&allowed, 0);
    HK_EXPECT(rc == 0 || rc == 1);
    HK_EXPECT(rc == 0 || atomic_load(&calls) == 0);
    HK_EXPECT_EQ(atomic_load(&inside), 0);
    explore_join(a);
    hocket_timer_free(timer);
    explored_runtime_end();
}

/* Freed while it may be firing; the leader must also see a timer that comes before the one it waits for. */
EXPLORED(freed, &explored_held)
{
    explored_runtime(1);
    make(counted);
    when = HOCKET_NOW;
    HK_EXPECT_OK(hocket_timer_start(timer, hocket_after(3600 * HOCKET_SEC)));
    int a = explore_start(starts, NULL);
    explore_join(a);
    if (explore_choice(2))
        explore_until(atomic_load(&calls) > 0); /* nobody else looks at the clock */
    hocket_timer_free(timer);
    HK_EXPECT_EQ(atomic_load(&inside), 0);
    explored_runtime_end();
}

/* Two who start it, one who stops it: as many calls as starts allow, and none at once. */
EXPLORED(started_by_two, &explored_held)
{
    explored_runtime(2);
    make(counted);
    when = HOCKET_NOW;
    int a = explore_start(starts, NULL), b = explore_start(starts, NULL);
    int c = explore_choice(2) ? explore_start(stops, NULL) : -1;
    explore_join(a);
    explore_join(b);
    if (c >= 0)
        explore_join(c);
    else
        explore_until(!hocket_timer_pending(timer));
    HK_EXPECT(hocket_timer_stop(timer, HOCKET_FOREVER) >= 0);
    HK_EXPECT(atomic_load(&calls) <= 2);
    HK_EXPECT(c >= 0 || atomic_load(&calls) >= 1);
    hocket_timer_free(timer);
    explored_runtime_end();
}

static int own_end(hocket_timer *t, void *arg)
{
    (void)arg;
    int n = atomic_fetch_add(&calls, 1);
    if (n == 0) {
        HK_EXPECT_OK(hocket_timer_start(t, explore_choice(2) ? HOCKET_NOW : hocket_after(1)));
        return 0;
    }
    hocket_timer_free(t);
    atomic_fetch_add(&calls, 1);
    return 0;
}

static void *starts_another(void *arg)
{
    HK_EXPECT_OK(hocket_timer_start(arg, HOCKET_NOW));
    hocket_timer_free(arg);
    return NULL;
}

/* Started again and freed by its own callback, with another one beside it. */
EXPLORED(its_own, &explored_held)
{
    hocket_timer *other;
    explored_runtime(explore_choice(2) ? 1 : 2);
    make(own_end);
    when = HOCKET_NOW;
    HK_EXPECT_OK(hocket_timer_new(&other, counted, NULL));
    hocket_timer *mine = timer;
    timer = other;
    int a = explore_start(starts_another, other);
    HK_EXPECT_OK(hocket_timer_start(mine, HOCKET_NOW));
    explore_until(atomic_load(&calls) >= 3);
    explore_join(a);
    explored_runtime_end();
}

/* The runtime ends while timers are started: nothing hangs, nothing fires later. */
EXPLORED(runtime_ends, &explored_held)
{
    explored_runtime(1);
    make(counted);
    when = HOCKET_NOW;
    HK_EXPECT_OK(hocket_timer_start_every(
        timer, HOCKET_NOW, HOCKET_SEC, explore_choice(2) ? HOCKET_FIXED_RATE : HOCKET_FIXED_DELAY));
    (void)hocket_sleep((hocket_time)explore_choice(3) * HOCKET_SEC);
    explored_runtime_end();
    atomic_store(&allowed, 0);
    HK_EXPECT(!hocket_timer_pending(timer));
    explored_runtime(1);
    explored_runtime_end();
    hocket_timer_free(timer);
}

/* ---- jobs ---- */

static int job(void *arg)
{
    (void)arg;
    HK_EXPECT(hocket_now() >= when);
    atomic_fetch_add(&calls, 1);
    return 3;
}

static void *cancels(void *arg)
{
    (void)hocket_future_cancel(arg);
    return NULL;
}

/* At its time or withdrawn, and the runtime may end before. */
EXPLORED(scheduled, &explored_held)
{
    hocket_executor *ex;
    hocket_future *f;
    int result = INT32_MIN;
    reset();
    explored_runtime(1);
    HK_EXPECT_OK(hocket_executor_new(&ex, explore_choice(2) ? "fibers" : "inline", NULL));
    bool late = explore_choice(3) == 0;
    when = hocket_after(late ? 3600 * HOCKET_SEC : (hocket_time)explore_choice(3) * HOCKET_US);
    HK_EXPECT_OK(hocket_submit_at(ex, &f, when, job, NULL));
    int a = explore_choice(2) || late ? explore_start(cancels, f) : -1;
    HK_EXPECT_OK(hocket_future_get(f, &result, HOCKET_FOREVER));
    HK_EXPECT(result == 3 || (a >= 0 && result == -ECANCELED));
    HK_EXPECT_EQ(atomic_load(&calls), result == 3);
    if (a >= 0)
        explore_join(a);
    hocket_future_free(f);
    hocket_executor_free(ex);
    explored_runtime_end();
}

SUITE("task_timer", explored_limit())
{
    suite_once(stopped);
    suite_once(freed);
    suite_once(started_by_two);
    suite_once(its_own);
    suite_once(runtime_ends);
    suite_once(scheduled);
}
