/* SPDX-License-Identifier: MIT */
/* Very many tasks: tiny ones, sleeping ones, threads; nothing is lost, nothing stays. */
#include <errno.h>
#include <hocket/event.h>

#include "support/process.h"
#include "support/suite.h"

static int add_one(void *arg)
{
    (void)hk_add((_Atomic int *)arg, 1);
    return 0;
}

/* ---- a million that never wait ---- */

static int million(void *arg)
{
    _Atomic int n = 0;
    int batches = run_scaled(1000, 40);
    (void)arg;
    for (int i = 0; i < batches; i++) {
        hocket_scope s;
        hocket_scope_open(&s, NULL);
        for (int k = 0; k < 1000; k++)
            HK_EXPECT_OK(hocket_spawn(&s, add_one, &n));
        HK_EXPECT_EQ(hocket_scope_close(&s), 0);
    }
    HK_EXPECT_EQ(n, batches * 1000);
    return 0;
}

START_TEST(a_million_tiny_tasks)
{
    static const int modes[] = { 0, 1, 4, 6 };
    run_in(modes[_i], million, NULL);
}
END_TEST

/* All of them at once, before the first has run. */
static int at_once(void *arg)
{
    _Atomic int n = 0;
    int count = run_scaled(1000000, 20000);
    (void)arg;
    for (int i = 0; i < count; i++)
        HK_EXPECT_OK(hocket_spawn(NULL, add_one, &n));
    RUN_UNTIL(hk_load_acq(&n) == count);
    return 0;
}

START_TEST(a_million_at_once)
{
    run_in(_i ? 1 : 0, at_once, NULL);
}
END_TEST

static int fib(void *arg)
{
    intptr_t n = (intptr_t)arg;
    if (n < 2)
        return (int)n;
    hocket_task *t;
    int left, right;
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, fib, (void *)(n - 1), NULL));
    right = fib((void *)(n - 2));
    HK_EXPECT_EQ(hocket_join(t, &left, HOCKET_FOREVER), 0);
    hocket_task_release(t);
    return left + right;
}

static int fork_join(void *arg)
{
    intptr_t n = run_scaled(24, 14);
    int a = 0, b = 1;
    (void)arg;
    for (intptr_t i = 0; i < n; i++) {
        int c = a + b;
        a = b;
        b = c;
    }
    HK_EXPECT_EQ(fib((void *)n), a);
    return 0;
}

START_TEST(fork_and_join)
{
    static const int modes[] = { 0, 1, 4 };
    run_in(modes[_i], fork_join, NULL);
}
END_TEST

/* ---- a hundred thousand that sleep ---- */

static _Atomic int asleep, awake;

static int sleep_until_told(void *arg)
{
    hocket_event *event = arg;
    (void)hk_add(&asleep, 1);
    int err = hocket_event_wait(event, HOCKET_FOREVER);
    (void)hk_add(&awake, 1);
    return err;
}

static int sleepers(void *arg)
{
    hocket_event event = HOCKET_EVENT_INIT;
    int count = run_scaled(100000, 3000);
    (void)arg;
    hk_store(&asleep, 0);
    hk_store(&awake, 0);
    for (int i = 0; i < count; i++)
        HK_EXPECT_OK(hocket_spawn(NULL, sleep_until_told, &event));
    RUN_UNTIL(hk_load_acq(&asleep) == count);
    hocket_runtime_stats stats;
    hocket_runtime_stats_get(&stats);
    HK_EXPECT(stats.tasks >= (size_t)count);
    hocket_event_set(&event);
    RUN_UNTIL(hk_load_acq(&awake) == count);
    return 0;
}

START_TEST(a_hundred_thousand_waiting)
{
    run_in(_i ? 1 : 0, sleepers, NULL);
}
END_TEST

static int nap(void *arg)
{
    hocket_time until = hocket_after((hocket_time)(intptr_t)arg);
    int err = hocket_sleep_until(until);
    HK_EXPECT(err || hocket_now() >= until);
    (void)hk_add(&awake, 1);
    return err;
}

/* Each with a timer of its own; half of them are cancelled. */
static int timers(void *arg)
{
    int count = run_scaled(100000, 3000);
    hocket_scope s;
    (void)arg;
    hk_store(&awake, 0);
    hocket_scope_open(&s, NULL);
    for (int i = 0; i < count; i++) {
        hocket_time duration = i % 2 ? 1000 * HOCKET_SEC - i : 1 + (i * 7919) % (20 * HOCKET_MS);
        HK_EXPECT_OK(hocket_spawn(&s, nap, (void *)(intptr_t)duration));
    }
    RUN_UNTIL(hk_load_acq(&awake) == count / 2);
    hocket_scope_cancel(&s);
    HK_EXPECT_EQ(hocket_scope_close(&s), 0);
    HK_EXPECT_EQ(awake, count);
    return 0;
}

START_TEST(a_hundred_thousand_sleeping)
{
    run_in(_i ? 1 : 0, timers, NULL);
}
END_TEST

/* ---- ten thousand threads ---- */

static int threads(void *arg)
{
    static hocket_task *t[10000];
    hocket_event event = HOCKET_EVENT_INIT;
    int count = run_scaled(10000, 300), n = 0, err = 0;
    (void)arg;
    hk_store(&asleep, 0);
    hk_store(&awake, 0);
    while (n < count && err == 0) {
        err = hocket_spawn_task(
            &t[n], NULL, sleep_until_told, &event,
            HOCKET_SPAWN_OPTIONS(.placement = HOCKET_ON_THREAD, .stack_size = 64 << 10));
        n += err == 0;
    }
    HK_EXPECT(err == 0 || err == -EAGAIN || err == -ENOMEM); /* the system may allow fewer */
    HK_EXPECT(n > 100);
    RUN_UNTIL(hk_load_acq(&asleep) == n);
    hocket_event_set(&event);
    for (int i = 0; i < n; i++)
        run_finish(t[i], 0);
    HK_EXPECT_EQ(awake, n);
    return 0;
}

START_TEST(ten_thousand_threads)
{
    int before = process_threads();
    run_in(1, threads, NULL);
    process_threads_become(before);
}
END_TEST

SUITE("task_many", 60)
{
    tcase_add_loop_test(suite__case, a_million_tiny_tasks, 0, 4);
    tcase_add_loop_test(suite__case, a_million_at_once, 0, 2);
    tcase_add_loop_test(suite__case, fork_and_join, 0, 3);
    tcase_add_loop_test(suite__case, a_hundred_thousand_waiting, 0, 2);
    tcase_add_loop_test(suite__case, a_hundred_thousand_sleeping, 0, 2);
    suite_once(ten_thousand_threads);
}
