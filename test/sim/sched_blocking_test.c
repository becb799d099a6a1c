/* SPDX-License-Identifier: MIT */
/*
 * Blocking calls: each is made once, whatever threads come and go, and calls that wait for
 * each other find a thread each.  Timers: armed, disarmed and fired.
 */
#include "support/explored.h"

static _Atomic int calls, waiting;

static int call(void *arg)
{
    atomic_fetch_add(&calls, 1);
    return (int)(intptr_t)arg;
}

static int caller(void *arg)
{
    HK_EXPECT_EQ(hocket_blocking(call, arg), (int)(intptr_t)arg);
    return 0;
}

EXPLORED(calls_at_once, &explored_held)
{
    atomic_store(&calls, 0);
    explored_runtime(2);
    hocket_task *a = explored_spawn(caller, (void *)1), *b = explored_spawn(caller, (void *)2);
    explored_finish(a, 0);
    explored_finish(b, 0);
    HK_EXPECT_EQ(atomic_load(&calls), 2);
    explored_runtime_end();
}

/* The pool's idle threads end after five seconds: a call that comes just then is made, too. */
static int late_callers(void *arg)
{
    HK_EXPECT_EQ(hocket_blocking(call, arg), (int)(intptr_t)arg);
    HK_EXPECT_OK(hocket_sleep(5 * HOCKET_SEC));
    HK_EXPECT_EQ(hocket_blocking(call, arg), (int)(intptr_t)arg);
    return 0;
}

EXPLORED(call_when_helpers_end, &explored_held)
{
    atomic_store(&calls, 0);
    explored_runtime(1);
    explored_finish(explored_spawn(late_callers, (void *)3), 0);
    HK_EXPECT_EQ(atomic_load(&calls), 2);
    explored_runtime_end();
}

/* Two calls that wait for each other, with a thread that is idle when both begin. */
static int meet(void *arg)
{
    (void)arg;
    atomic_fetch_add(&waiting, 1);
    explore_until(atomic_load(&waiting) == 2);
    return 0;
}

static int meets(void *arg)
{
    return hocket_blocking(meet, arg);
}

EXPLORED(calls_that_meet, &explored_held)
{
    atomic_store(&calls, 0);
    atomic_store(&waiting, 0);
    explored_runtime(2);
    explored_finish(explored_spawn(caller, (void *)1), 0);
    hocket_task *a = explored_spawn(meets, NULL), *b = explored_spawn(meets, NULL);
    explored_finish(a, 0);
    explored_finish(b, 0);
    explored_runtime_end();
}

/* A worker in a blocking section: its tasks go on elsewhere. */
static int sets(void *arg)
{
    (void)arg;
    atomic_store(&waiting, 1);
    return 0;
}

static int section(void *arg)
{
    hocket_scope scope;
    (void)arg;
    hocket_scope_open(&scope, NULL);
    HK_EXPECT_OK(hocket_spawn(&scope, sets, NULL));
    hocket_blocking_begin();
    explore_until(atomic_load(&waiting) == 1);
    hocket_blocking_end();
    return hocket_scope_close(&scope);
}

EXPLORED(section_lends, &explored_held)
{
    atomic_store(&waiting, 0);
    explored_runtime(explore_choice(2) ? 1 : 2);
    explored_finish(explored_spawn(section, NULL), 0);
    if (explore_choice(4) == 0) { /* the lent worker steps aside, and ends later */
        (void)hocket_sleep(explore_choice(2) ? HOCKET_MS : 6 * HOCKET_SEC);
        atomic_store(&waiting, 0);
        explored_finish(explored_spawn(section, NULL), 0);
    }
    explored_runtime_end();
}

/* ---- timers ---- */

static hocket_word word;

static int timed(void *arg)
{
    int err = hocket_wait_on(&word, 0, hocket_after((hocket_time)(intptr_t)arg));
    HK_EXPECT(err == 0 || err == -ETIMEDOUT);
    return 0;
}

static int twice_timed(void *arg)
{
    (void)timed(arg);
    return timed(arg);
}

/* Woken or timed out, on workers that sleep or not; the deadlines are kept without the monitor. */
EXPLORED(timers, &explored_held)
{
    explored_runtime(2);
    hocket_task *a = explored_spawn(twice_timed, (void *)(intptr_t)(5 * HOCKET_US));
    hocket_task *b = explored_spawn(timed, (void *)(intptr_t)(8 * HOCKET_US));
    hocket_task *c = explored_spawn(timed, (void *)(intptr_t)HOCKET_SEC);
    (void)hocket_wake(&word, 1);
    explored_finish(a, 0);
    explored_finish(b, 0);
    explored_finish(c, 0);
    explored_runtime_end();
}

SUITE("sched_blocking", explored_limit())
{
    suite_once(calls_at_once);
    suite_once(call_when_helpers_end);
    suite_once(calls_that_meet);
    suite_once(section_lends);
    suite_once(timers);
}
