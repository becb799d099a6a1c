/* SPDX-License-Identifier: MIT */
/*
 * Worker 0 as a seat that waiting threads take in turn: nobody sleeps while it is empty,
 * who sits on it is woken like anybody else, and it is empty when the runtime ends.
 */
#include "support/explored.h"

static hocket_word word;

static void set_word(uint32_t value)
{
    atomic_store((_Atomic uint32_t *)&word, value);
    (void)hocket_wake(&word, INT32_MAX);
}

static void wait_for_word(uint32_t value)
{
    uint32_t now;
    while ((now = atomic_load((_Atomic uint32_t *)&word)) < value)
        HK_EXPECT_OK(hocket_wait_on(&word, now, HOCKET_FOREVER));
}

static void *waker(void *arg)
{
    set_word((uint32_t)(uintptr_t)arg);
    return NULL;
}

static void *sleeper(void *arg)
{
    wait_for_word((uint32_t)(uintptr_t)arg);
    return NULL;
}

/* Woken by another thread while it takes the seat, or sits on it. */
EXPLORED(woken_from_outside, NULL)
{
    set_word(0);
    explored_runtime(HOCKET_NO_WORKERS);
    int a = explore_start(waker, (void *)1), b = explore_start(sleeper, (void *)1);
    wait_for_word(1);
    explore_join(a);
    explore_join(b);
    explored_runtime_end();
}

static void *timed_sleeper(void *arg)
{
    int err = hocket_wait_on(&word, 0, hocket_after((hocket_time)(uintptr_t)arg));
    HK_EXPECT(err == 0 || err == -ETIMEDOUT);
    return NULL;
}

/* Time-outs of who sits and of who does not; one of them may be woken meanwhile. */
EXPLORED(timed, NULL)
{
    set_word(0);
    explored_runtime(HOCKET_NO_WORKERS);
    int a = explore_start(timed_sleeper, (void *)(uintptr_t)(5 * HOCKET_US));
    int b = explore_start(timed_sleeper, (void *)(uintptr_t)(8 * HOCKET_US));
    if (explore_choice(2))
        (void)hocket_wake(&word, 1);
    explore_join(a);
    explore_join(b);
    explored_runtime_end();
}

static void *cancelled(void *arg)
{
    atomic_store((_Atomic(hocket_task *) *)arg, hocket_self());
    HK_EXPECT_EQ(hocket_sleep_until(HOCKET_FOREVER), -ECANCELED);
    explore_until(atomic_load((_Atomic uint32_t *)&word) == 1); /* the handle is ours to keep */
    return NULL;
}

/* A foreign thread that drives is cancelled. */
EXPLORED(cancelled_from_outside, NULL)
{
    _Atomic(hocket_task *) task = NULL;
    set_word(0);
    explored_runtime(HOCKET_NO_WORKERS);
    int a = explore_start(cancelled, &task);
    explore_until(atomic_load(&task));
    hocket_cancel(atomic_load(&task));
    set_word(1);
    explore_join(a);
    explored_runtime_end();
}

static int wait_task(void *arg)
{
    wait_for_word((uint32_t)(uintptr_t)arg);
    return 0;
}

static int set_task(void *arg)
{
    set_word((uint32_t)(uintptr_t)arg);
    return 0;
}

/* Who sits goes; tasks are left, and somebody else waits for them. */
static void *finisher(void *arg)
{
    explored_finish(arg, 0);
    return NULL;
}

EXPLORED(handed_on, NULL)
{
    set_word(0);
    explored_runtime(HOCKET_NO_WORKERS);
    hocket_task *w = explored_spawn(wait_task, (void *)2), *s = explored_spawn(set_task, (void *)1);
    int a = explore_start(finisher, w), b = explore_start(finisher, s);
    wait_for_word(1);
    set_word(2);
    explore_join(a);
    explore_join(b);
    explored_runtime_end();
}

/* hocket_run with one worker: its tasks need the seat, a thread task may sit on it, too. */
static int thread_task(void *arg)
{
    hocket_task *t = explored_spawn(set_task, arg);
    explored_finish(t, 0);
    return 0;
}

static int root(void *arg)
{
    hocket_task *t = NULL;
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    (void)arg;
    o.placement = HOCKET_ON_THREAD;
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, thread_task, (void *)1, &o));
    wait_for_word(1);
    explored_finish(t, 0);
    return 0;
}

EXPLORED(thread_task_in_run, &explored_held)
{
    set_word(0);
    explored_run(1, root, NULL);
}

/*
 * A thread that has nothing to do with it sits on the seat first, and leaves it while tasks are
 * left in its queue: then the thread in hocket_run must take it, or the other worker the tasks.
 */
static int leaves_work(void *arg)
{
    hocket_task *t = NULL;
    (void)arg;
    set_word(1);
    for (uint32_t i = 0; i < 2; i++)
        HK_EXPECT_OK(hocket_yield());
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, set_task, (void *)2, NULL));
    wait_for_word(2);
    explored_finish(t, 0);
    return 0;
}

EXPLORED(stranger_first, &explored_held)
{
    set_word(0);
    int a = explore_start(sleeper, (void *)1);
    explored_run(explore_choice(2) ? 1 : 2, leaves_work, NULL);
    explore_join(a);
}

/* The runtime ends while a thread that has nothing to do with it sits on the seat. */
EXPLORED(stop_under_a_driver, NULL)
{
    set_word(0);
    explored_runtime(HOCKET_NO_WORKERS);
    int a = explore_start(sleeper, (void *)1);
    hocket_task *t = explored_spawn(set_task, (void *)0);
    explored_finish(t, 0);
    explored_runtime_end();
    set_word(1);
    explore_join(a);
}

/* Whoever wakes the last waiter is not done when the runtime ends. */
EXPLORED(stop_under_a_waker, NULL)
{
    set_word(0);
    explored_runtime(explore_choice(2) ? HOCKET_NO_WORKERS : 1);
    int a = explore_start(waker, (void *)1);
    if (explore_choice(2))
        explored_finish(explored_spawn(wait_task, (void *)1), 0);
    else
        wait_for_word(1);
    explored_runtime_end();
    if (explore_choice(2)) {
        explored_runtime(1);
        explored_finish(explored_spawn(set_task, (void *)2), 0);
        explored_finish(explored_spawn(set_task, (void *)3), 0);
        explored_runtime_end();
    }
    explore_join(a);
}

/* The same with a runtime that has workers of its own. */
EXPLORED(stop_under_a_spawner, &explored_held)
{
    set_word(0);
    explored_runtime(2);
    int a = explore_start(waker, (void *)1), b = explore_start(waker, (void *)1);
    explored_finish(explored_spawn(wait_task, (void *)1), 0);
    explored_finish(explored_spawn(wait_task, (void *)1), 0);
    explored_runtime_end();
    explored_runtime(1);
    explored_finish(explored_spawn(set_task, (void *)1), 0);
    explored_finish(explored_spawn(set_task, (void *)1), 0);
    explored_runtime_end();
    explore_join(a);
    explore_join(b);
}

SUITE("sched_seat", explored_limit())
{
    suite_once(woken_from_outside);
    suite_once(timed);
    suite_once(cancelled_from_outside);
    suite_once(handed_on);
    suite_once(thread_task_in_run);
    suite_once(stranger_first);
    suite_once(stop_under_a_driver);
    suite_once(stop_under_a_waker);
    suite_once(stop_under_a_spawner);
}
