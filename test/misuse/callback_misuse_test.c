/* SPDX-License-Identifier: MIT */
/*
 * Callbacks that leave something open, and objects that are freed while somebody waits in them: a
 * panic that names them.
 */
#include <hocket/broadcast.h>
#include <hocket/delay_queue.h>
#include <hocket/guarded.h>
#include <hocket/mutex.h>
#include <hocket/promise.h>
#include <hocket/timer.h>
#include <pthread.h>

#include "support/death.h"
#include "support/suite.h"

static hocket_mutex mutex;
static hocket_scope scope; /* outlives the callback, so that only the rule is broken */

static int on_time_opens(hocket_timer *timer, void *arg)
{
    (void)timer;
    (void)arg;
    hocket_scope_open(&scope, NULL);
    return 0;
}

static int on_time_locks(hocket_timer *timer, void *arg)
{
    (void)timer;
    (void)arg;
    hocket_mutex_lock(&mutex);
    return 0;
}

static int due_now(hocket_timer_fn *fn)
{
    hocket_timer *t;
    HK_EXPECT_OK(hocket_timer_new(&t, fn, NULL));
    HK_EXPECT_OK(hocket_timer_start(t, hocket_now()));
    return hocket_sleep_until(HOCKET_FOREVER);
}

static int timer_opens(void *arg)
{
    (void)arg;
    return due_now(on_time_opens);
}

static int timer_locks(void *arg)
{
    (void)arg;
    return due_now(on_time_locks);
}

static int on_done_opens(hocket_future *future, void *arg)
{
    (void)future;
    (void)arg;
    hocket_scope_open(&scope, NULL);
    return 0;
}

static int on_done_locks(hocket_future *future, void *arg)
{
    (void)future;
    (void)arg;
    hocket_mutex_lock(&mutex);
    return 0;
}

static int done_now(hocket_future_fn *fn)
{
    hocket_promise *p;
    hocket_future *f;
    HK_EXPECT_OK(hocket_promise_new(&p, &f));
    HK_EXPECT_OK(hocket_future_on_done(f, fn, NULL));
    return hocket_promise_set(p, 0, NULL, 0);
}

static int future_opens(void *arg)
{
    (void)arg;
    return done_now(on_done_opens);
}

static int future_locks(void *arg)
{
    (void)arg;
    return done_now(on_done_locks);
}

/* ---- freed under somebody ---- */

static hocket_broadcast *broadcast;
static hocket_delay_queue *delays;
static hocket_timer *timer;
static _Atomic bool inside;

static int puts_two(void *arg)
{
    int value = 1;
    (void)arg;
    HK_EXPECT_OK(hocket_broadcast_put(broadcast, &value, HOCKET_FOREVER));
    return hocket_broadcast_put(broadcast, &value, HOCKET_FOREVER);
}

static int free_broadcast(void *arg)
{
    hocket_broadcast_options o = HOCKET_BROADCAST_OPTIONS_DEFAULT;
    hocket_reader *reader;
    o.capacity = 1;
    HK_EXPECT_OK(hocket_broadcast_new(&broadcast, sizeof(int), &o));
    HK_EXPECT_OK(hocket_broadcast_subscribe(broadcast, &reader));
    hocket_task *t = run_spawn(puts_two, arg);
    RUN_UNTIL(run_parked(t));
    hocket_broadcast_free(broadcast);
    return 0;
}

static int puts_late(void *arg)
{
    int value = 1;
    (void)arg;
    HK_EXPECT_OK(hocket_delay_queue_put(delays, &value, HOCKET_FOREVER, HOCKET_FOREVER));
    return hocket_delay_queue_put(delays, &value, HOCKET_FOREVER, HOCKET_FOREVER);
}

static int gets_late(void *arg)
{
    int value;
    (void)arg;
    return hocket_delay_queue_get(delays, &value, HOCKET_FOREVER);
}

static int free_delays_of(hocket_task_fn *fn)
{
    hocket_delay_queue_options o = HOCKET_DELAY_QUEUE_OPTIONS_DEFAULT;
    o.capacity = 1;
    HK_EXPECT_OK(hocket_delay_queue_new(&delays, sizeof(int), &o));
    hocket_task *t = run_spawn(fn, NULL);
    RUN_UNTIL(run_parked(t));
    hocket_delay_queue_free(delays);
    return 0;
}

static int free_delays_of_a_putter(void *arg)
{
    (void)arg;
    return free_delays_of(puts_late);
}

static int free_delays_of_a_getter(void *arg)
{
    (void)arg;
    return free_delays_of(gets_late);
}

static int on_time_stays(hocket_timer *t, void *arg)
{
    (void)t;
    (void)arg;
    hk_store_rel(&inside, true);
    return hocket_sleep_until(HOCKET_FOREVER);
}

static int stops(void *arg)
{
    (void)arg;
    return hocket_timer_stop(timer, HOCKET_FOREVER);
}

static int free_timer(void *arg)
{
    HK_EXPECT_OK(hocket_timer_new(&timer, on_time_stays, NULL));
    HK_EXPECT_OK(hocket_timer_start(timer, hocket_now()));
    RUN_UNTIL(hk_load_acq(&inside));
    hocket_task *t = run_spawn(stops, arg);
    RUN_UNTIL(run_parked(t));
    hocket_timer_free(timer);
    return 0;
}

static const struct misuse {
    hocket_task_fn *fn;
    const char *says;
} misuses[] = {
    { timer_opens, "the callback of timer 0x" },
    { timer_locks, "ended while holding 1 lock(s)" },
    { future_opens, "a callback of a future ended with an open scope" },
    { future_locks, "a callback of a future ended while holding 1 lock(s)" },
    { free_broadcast, "hocket_broadcast_free: tasks wait for broadcast 0x" },
    { free_delays_of_a_putter, "hocket_delay_queue_free: tasks wait for delay queue 0x" },
    { free_delays_of_a_getter, "hocket_delay_queue_free: tasks wait for delay queue 0x" },
    { free_timer, "hocket_timer_free: somebody waits in hocket_timer_stop for timer 0x" },
};

struct attempt {
    hocket_task_fn *fn;
    int mode;
};

static void attempt(void *arg)
{
    struct attempt *a = arg;
    run_in(a->mode, a->fn, NULL);
}

START_TEST(panics)
{
    for (int mode = 0; mode < RUN_MODES; mode++) {
        struct attempt a = { misuses[_i].fn, mode };
        death_by_signal(attempt, &a, SIGABRT, misuses[_i].says);
    }
}
END_TEST

/* ---- not a task, and none of its words ---- */

static void *bad_lock(void *arg)
{
    hocket_guarded g;
    hocket_guarded_options o = HOCKET_GUARDED_OPTIONS_DEFAULT;
    o.lock.lock = arg;
    o.lock.kind = 77;
    hocket_guarded_init(&g, arg, &o);
    return NULL;
}

static void in_a_plain_thread(void *arg)
{
    pthread_t t;
    HK_EXPECT(hocket_self() != NULL);
    HK_EXPECT_EQ(pthread_create(&t, NULL, bad_lock, arg), 0);
    HK_EXPECT_EQ(pthread_join(t, NULL), 0);
}

START_TEST(a_thread_without_a_name)
{
    death_by_signal(in_a_plain_thread, &mutex, SIGABRT,
                    "hocket: panic: hocket_guarded_init: 77 is no kind of lock\n");
}
END_TEST

SUITE("callback_misuse", 60)
{
    tcase_add_loop_test(suite__case, panics, 0, (int)(sizeof misuses / sizeof *misuses));
    suite_once(a_thread_without_a_name);
}
