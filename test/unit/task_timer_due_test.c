/* SPDX-License-Identifier: MIT */
/* Timers that are all due without end, as callbacks cost more than the period: few tasks run them. */
#include "support/suite.h"

#include <hocket/event.h>
#include <hocket/timer.h>

#define TIMERS 64
#define WAITS  4 /* callbacks of these wait, the first time */
#define COST   (20 * HOCKET_US)
#define EXTRA  16 /* members besides those that wait, at most: without a bound there are hundreds */

static hocket_timer *timers[TIMERS];
static hocket_event gate;
static _Atomic int total, waiting;
static _Atomic size_t most;
static _Atomic bool stopped[TIMERS];

static int costly(hocket_timer *t, void *arg)
{
    int i = (int)(intptr_t)arg;
    HK_EXPECT(!hk_load_acq(&stopped[i]));
    if (i < WAITS && hocket_timer_calls(t) == 1) {
        (void)hk_add(&waiting, 1);
        HK_EXPECT_EQ(hocket_event_wait(&gate, HOCKET_FOREVER), 0);
    }
    for (hocket_time end = hocket_after(COST); hocket_now() < end;)
        ;
    size_t n = hocket_task_count(), seen = hk_load(&most);
    if (n > seen)
        hk_store(&most, n);
    (void)hk_add(&total, 1);
    return 0;
}

static bool all_called(uint64_t times)
{
    for (int i = WAITS; i < TIMERS; i++)
        if (hocket_timer_calls(timers[i]) < times)
            return false;
    return true;
}

static int due_body(void *arg)
{
    int how = *(int *)arg;
    size_t before = hocket_task_count();
    hocket_event_clear(&gate);
    hk_store(&most, (size_t)0);
    hk_store(&total, 0);
    hk_store(&waiting, 0);
    for (int i = 0; i < TIMERS; i++) {
        hk_store(&stopped[i], false);
        HK_EXPECT_EQ(hocket_timer_new(&timers[i], costly, (void *)(intptr_t)i), 0);
        HK_EXPECT_EQ(hocket_timer_start_every(timers[i], HOCKET_NOW, 1, how), 0);
    }
    RUN_UNTIL(hk_load_acq(&waiting) == WAITS && all_called(40)); /* those hold up nobody */
    hocket_event_set(&gate);
    int then = hk_load(&total);
    RUN_UNTIL(hk_load_acq(&total) > then + 40 * TIMERS && all_called(60));
    for (int i = 0; i < TIMERS; i++) {
        HK_EXPECT(hocket_timer_stop(timers[i], HOCKET_FOREVER) >= 0);
        hk_store_rel(&stopped[i], true);
    }
    hocket_stats_info s = { .size = sizeof s };
    hocket_stats(&s); /* on a busy machine each worker lent may have one more in a callback */
    HK_EXPECT(hk_load(&most) <= before + WAITS + EXTRA + s.lent);
    RUN_UNTIL(hocket_task_count() <= before + 1); /* one leads */
    for (int i = 0; i < TIMERS; i++)
        hocket_timer_free(timers[i]);
    return 0;
}

static void with_workers(int workers)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = workers;
    o.no_signals = true;
    o.quiet_watchdog = true;
    for (int how = HOCKET_FIXED_RATE; how <= HOCKET_FIXED_DELAY; how++)
        HK_EXPECT_EQ(hocket_run_with(due_body, &how, &o), 0);
}

START_TEST(one_worker)
{
    with_workers(1);
}
END_TEST

START_TEST(two_workers)
{
    with_workers(2);
}
END_TEST

SUITE("timer_due", 30)
{
    suite_once(one_worker);
    suite_once(two_workers);
}
