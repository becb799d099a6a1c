/* SPDX-License-Identifier: MIT */
/* Timers: never early, in order, one call at a time, what start, stop and free mean at any moment. */
#include "support/suite.h"

#include <errno.h>
#include <hocket/event.h>
#include <hocket/hooks.h>
#include <hocket/mutex.h>
#include <hocket/timer.h>

static hocket_timer *make(hocket_timer_fn *fn, void *arg)
{
    hocket_timer *t = NULL;
    HK_EXPECT_EQ(hocket_timer_new(&t, fn, arg), 0);
    return t;
}

static void start(hocket_timer *t, hocket_time when)
{
    HK_EXPECT_EQ(hocket_timer_start(t, when), 0);
}

/* ---- once ---- */

#define MANY 8
static _Atomic int count;
static int order[MANY];

static int note(hocket_timer *t, void *arg)
{
    hocket_time *when = arg;
    HK_EXPECT(hocket_now() >= *when);
    HK_EXPECT(!hocket_timer_pending(t));
    HK_EXPECT(hocket_timer_stop(t, HOCKET_NOW) == 0);
    (void)hk_add(&count, 1);
    return 0;
}

static int once_body(void *arg)
{
    (void)arg;
    hocket_time when = hocket_after(2 * HOCKET_MS);
    hocket_timer *t = make(note, &when);
    hk_store(&count, 0);
    HK_EXPECT(!hocket_timer_pending(t) && hocket_timer_next(t) == HOCKET_FOREVER);
    HK_EXPECT_EQ(hocket_timer_stop(t, HOCKET_FOREVER), 0);
    start(t, when);
    RUN_UNTIL(hocket_timer_calls(t) == 1 && !hocket_timer_pending(t));
    HK_EXPECT_EQ(hocket_timer_stop(t, HOCKET_FOREVER), 0); /* it has returned */
    HK_EXPECT_EQ(hk_load(&count), 1);
    when = HOCKET_NOW;
    start(t, HOCKET_NOW);
    RUN_UNTIL(hk_load_acq(&count) == 2);
    when = hocket_after(3600 * HOCKET_SEC); /* it is put off, moved up, and stopped */
    start(t, when);
    HK_EXPECT(hocket_timer_pending(t));
    HK_EXPECT_EQ(hocket_timer_next(t), when);
    when = hocket_after(HOCKET_MS);
    start(t, when);
    RUN_UNTIL(hk_load_acq(&count) == 3);
    start(t, HOCKET_FOREVER);
    HK_EXPECT(hocket_timer_pending(t));
    HK_EXPECT_EQ(hocket_timer_stop(t, HOCKET_FOREVER), 1);
    HK_EXPECT_EQ(hocket_timer_stop(t, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(hk_load(&count), 3);
    HK_EXPECT_EQ(hocket_timer_calls(t), 3);
    start(t, HOCKET_FOREVER);
    hocket_timer_free(t);
    hocket_timer_free(NULL);
    return 0;
}
START_TEST(once)
{
    run_in(_i, once_body, NULL);
}
END_TEST

static int ordered(hocket_timer *t, void *arg)
{
    (void)t;
    order[hk_add(&count, 1)] = (int)(intptr_t)arg;
    return 0;
}

static int order_body(void *arg)
{
    static const int after_ms[MANY] = { 5, 1, 4, 1, 3, 1, 2, 9 };
    static const int wanted[MANY] = { 1, 3, 5, 6, 4, 2, 0, 7 };
    hocket_timer *t[MANY];
    (void)arg;
    hk_store(&count, 0);
    hocket_time now = hocket_now();
    for (intptr_t i = 0; i < MANY; i++) {
        t[i] = make(ordered, (void *)i);
        start(t[i], now + after_ms[i] * HOCKET_MS);
    }
    RUN_UNTIL(hk_load_acq(&count) == MANY);
    for (int i = 0; i < MANY; i++)
        hocket_timer_free(t[i]);
    /* With several workers calls may overtake each other: then only that each came. */
    for (int i = 0; i < MANY && run_mode->workers <= 1; i++)
        HK_EXPECT_EQ(order[i], wanted[i]);
    return 0;
}
START_TEST(in_order)
{
    run_in(_i, order_body, NULL);
}
END_TEST

/* ---- callbacks that wait ---- */

struct held {
    hocket_event inside, go;
    hocket_mutex mutex;
    _Atomic(hocket_task *) joined;
    _Atomic int ended;
};

static int hold(hocket_timer *t, void *arg)
{
    struct held *h = arg;
    (void)t;
    hocket_event_set(&h->inside);
    int err = hocket_event_wait(&h->go, HOCKET_FOREVER);
    (void)hk_add(&h->ended, 1);
    return err;
}

static int let_go(hocket_timer *t, void *arg)
{
    struct held *h = arg;
    (void)t;
    hocket_event_set(&h->go);
    return 0;
}

static int stop_it(void *arg)
{
    int rc = hocket_timer_stop(arg, HOCKET_FOREVER);
    return rc;
}

static int waiting_body(void *arg)
{
    struct held h = { .ended = 0 };
    hocket_timer *t = make(hold, &h), *other = make(let_go, &h);
    (void)arg;
    start(t, HOCKET_NOW);
    HK_EXPECT_EQ(hocket_event_wait(&h.inside, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(hocket_timer_stop(t, HOCKET_NOW), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_timer_stop(t, hocket_after(HOCKET_MS)), -ETIMEDOUT);
    HK_EXPECT_EQ(hk_load(&h.ended), 0);
    hocket_task *stopper = run_spawn(stop_it, t);
    RUN_UNTIL(run_parked(stopper));
    hocket_task *cancelled = run_spawn(stop_it, t);
    RUN_UNTIL(run_parked(cancelled));
    hocket_cancel(cancelled);
    run_finish(cancelled, -ECANCELED);
    start(other, HOCKET_NOW); /* one callback that waits does not keep the others */
    run_finish(stopper, 0);
    HK_EXPECT_EQ(hk_load(&h.ended), 1);
    /* Freed while it runs: free waits. */
    hocket_event_clear(&h.go);
    hocket_event_clear(&h.inside);
    start(t, HOCKET_NOW);
    HK_EXPECT_EQ(hocket_event_wait(&h.inside, HOCKET_FOREVER), 0);
    start(other, hocket_after(HOCKET_MS));
    hocket_timer_free(t);
    HK_EXPECT_EQ(hk_load(&h.ended), 2);
    hocket_timer_free(other);
    return 0;
}
START_TEST(callbacks_wait)
{
    run_in(_i, waiting_body, NULL);
}
END_TEST

/* Started again while the callback runs, by another: it comes once more, after it. */
static int again_body(void *arg)
{
    struct held h = { .ended = 0 };
    hocket_timer *t = make(hold, &h);
    (void)arg;
    start(t, HOCKET_NOW);
    HK_EXPECT_EQ(hocket_event_wait(&h.inside, HOCKET_FOREVER), 0);
    start(t, HOCKET_NOW);
    hocket_time turns = hocket_after(HOCKET_MS);
    RUN_UNTIL(hocket_now() > turns);
    HK_EXPECT(hocket_timer_pending(t));
    HK_EXPECT_EQ(hocket_timer_calls(t), 1);
    hocket_event_set(&h.go);
    RUN_UNTIL(hk_load_acq(&h.ended) == 2);
    /* The same, but taken back. */
    HK_EXPECT_EQ(hocket_timer_stop(t, HOCKET_FOREVER), 0);
    hocket_event_clear(&h.go);
    hocket_event_clear(&h.inside);
    start(t, HOCKET_NOW);
    HK_EXPECT_EQ(hocket_event_wait(&h.inside, HOCKET_FOREVER), 0);
    start(t, HOCKET_NOW);
    turns = hocket_after(HOCKET_MS);
    RUN_UNTIL(hocket_now() > turns);
    HK_EXPECT_EQ(hocket_timer_stop(t, HOCKET_NOW), -ETIMEDOUT);
    HK_EXPECT(!hocket_timer_pending(t));
    hocket_event_set(&h.go);
    HK_EXPECT_EQ(hocket_timer_stop(t, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(hk_load(&h.ended), 3);
    hocket_timer_free(t);
    return 0;
}
START_TEST(once_more)
{
    run_in(_i, again_body, NULL);
}
END_TEST

static int holds_and_restarts(hocket_timer *t, void *arg)
{
    int err = hold(t, arg);
    start(t, HOCKET_NOW);
    return err;
}

/* Who stops it has the last word over a callback that starts its own timer again. */
static int last_word_body(void *arg)
{
    struct held h = { .ended = 0 };
    hocket_timer *t = make(holds_and_restarts, &h), *other = make(let_go, &h);
    (void)arg;
    for (int round = 0; round < 3; round++) {
        hocket_event_clear(&h.go);
        hocket_event_clear(&h.inside);
        start(t, HOCKET_NOW);
        HK_EXPECT_EQ(hocket_event_wait(&h.inside, HOCKET_FOREVER), 0);
        if (round == 0)
            HK_EXPECT_EQ(hocket_timer_stop(t, HOCKET_NOW), -ETIMEDOUT);
        start(other, hocket_after(HOCKET_MS));
        int was = round < 2 ? hocket_timer_stop(t, HOCKET_FOREVER) : 0;
        if (round == 2)
            hocket_timer_free(t);
        /* If `other` was before us it was started again; not where a stop had overruled that. */
        HK_EXPECT(was == 0 || (was == 1 && round == 1));
        int ended = hk_load(&h.ended); /* then more than once */
        HK_EXPECT(ended > round);
        hocket_time turns = hocket_after(HOCKET_MS);
        RUN_UNTIL(hocket_now() > turns);
        HK_EXPECT_EQ(hk_load(&h.ended), ended);
    }
    hocket_timer_free(other);
    return 0;
}
START_TEST(the_last_word)
{
    run_in(_i, last_word_body, NULL);
}
END_TEST

static int locks(hocket_timer *t, void *arg)
{
    struct held *h = arg;
    (void)t;
    hk_store_rel(&h->joined, hocket_self());
    hocket_mutex_lock(&h->mutex);
    hocket_mutex_unlock(&h->mutex);
    return 0;
}

/* The callback waits for a lock of ours: to wait for it would be for ever. */
static int cycle_body(void *arg)
{
    struct held h = { .ended = 0 };
    hocket_timer *t = make(locks, &h);
    (void)arg;
    hocket_mutex_lock(&h.mutex);
    start(t, HOCKET_NOW);
    hocket_task *caller;
    RUN_UNTIL((caller = hk_load_acq(&h.joined)) != NULL && run_parked(caller));
    HK_EXPECT_EQ(hocket_timer_stop(t, HOCKET_FOREVER), -EDEADLK);
    hocket_mutex_unlock(&h.mutex);
    HK_EXPECT_EQ(hocket_timer_stop(t, HOCKET_FOREVER), 0);
    hocket_timer_free(t);
    return 0;
}
START_TEST(waits_in_a_circle)
{
    run_in(_i, cycle_body, NULL);
}
END_TEST

/* ---- repeated ---- */

struct grid {
    hocket_time first, period;
    uint64_t last;
    int calls;
    _Atomic bool done;
};

/* Never before its point; each call belongs to another one. */
static int on_grid(hocket_timer *t, void *arg)
{
    struct grid *g = arg;
    uint64_t passed = hocket_timer_calls(t) + hocket_timer_missed(t);
    hocket_time now = hocket_now(); /* more may be missed from here on */
    uint64_t point = (uint64_t)((now - g->first) / g->period) + 1;
    HK_EXPECT(now >= g->first);
    HK_EXPECT(point > g->last);
    HK_EXPECT(passed <= point && passed > g->last);
    g->last = passed;
    if (++g->calls == 2) /* hold up three of them */
        HK_EXPECT_EQ(hocket_sleep(3 * g->period), 0);
    if (g->calls == 5) {
        HK_EXPECT_EQ(hocket_timer_stop(t, HOCKET_FOREVER), 1);
        hk_store_rel(&g->done, true);
    }
    return 0;
}

static int rate_body(void *arg)
{
    struct grid g = { .period = HOCKET_MS };
    hocket_timer *t = make(on_grid, &g);
    (void)arg;
    g.first = hocket_after(HOCKET_MS);
    HK_EXPECT_EQ(hocket_timer_start_every(t, g.first, g.period, HOCKET_FIXED_RATE), 0);
    RUN_UNTIL(hk_load_acq(&g.done));
    HK_EXPECT_EQ(hocket_timer_stop(t, HOCKET_FOREVER), 0);
    HK_EXPECT(g.calls == 5 && hocket_timer_calls(t) == 5);
    HK_EXPECT(hocket_timer_missed(t) >= 2);
    HK_EXPECT(!hocket_timer_pending(t));
    hocket_timer_free(t);
    return 0;
}
START_TEST(fixed_rate)
{
    run_in(_i, rate_body, NULL);
}
END_TEST

static int after_end(hocket_timer *t, void *arg)
{
    struct grid *g = arg;
    HK_EXPECT(hocket_now() >= g->first);
    HK_EXPECT(hocket_timer_pending(t) && hocket_timer_next(t) == HOCKET_FOREVER);
    HK_EXPECT_EQ(hocket_sleep(g->period), 0);
    g->first = hocket_after(g->period);
    if (++g->calls == 3) {
        HK_EXPECT_EQ(hocket_timer_stop(t, HOCKET_FOREVER), 1);
        hk_store_rel(&g->done, true);
    }
    return 0;
}

static int delay_body(void *arg)
{
    struct grid g = { .period = HOCKET_MS };
    hocket_timer *t = make(after_end, &g);
    (void)arg;
    HK_EXPECT_EQ(hocket_timer_start_every(t, HOCKET_NOW, g.period, HOCKET_FIXED_DELAY), 0);
    RUN_UNTIL(hk_load_acq(&g.done));
    HK_EXPECT_EQ(hocket_timer_stop(t, HOCKET_FOREVER), 0);
    HK_EXPECT(g.calls == 3 && hocket_timer_missed(t) == 0);
    hocket_timer_free(t);
    return 0;
}
START_TEST(fixed_delay)
{
    run_in(_i, delay_body, NULL);
}
END_TEST

/* ---- from its own callback ---- */

struct own {
    int left;
    _Atomic int ended;
};

static int restarts_then_frees(hocket_timer *t, void *arg)
{
    struct own *o = arg;
    if (o->left-- > 0) {
        start(t, hocket_after(o->left % 3 * 50 * HOCKET_US));
        if (o->left % 5 == 0) { /* takes it back, and starts it again */
            HK_EXPECT_EQ(hocket_timer_stop(t, HOCKET_FOREVER), 1);
            start(t, HOCKET_NOW);
        }
        return 0;
    }
    start(t, HOCKET_NOW);
    hocket_timer_free(t);
    (void)hk_add(&o->ended, 1);
    return 0;
}

static int own_body(void *arg)
{
    (void)arg;
    struct own o[MANY] = { { 0, 0 } };
    for (int i = 0; i < MANY; i++) {
        o[i].left = 10 + i;
        start(make(restarts_then_frees, &o[i]), HOCKET_NOW);
    }
    for (int i = 0; i < MANY; i++)
        RUN_UNTIL(hk_load_acq(&o[i].ended) == 1);
    return 0;
}
START_TEST(its_own_callback)
{
    run_in(_i, own_body, NULL);
}
END_TEST

/* A callback that has its task cancelled cancels no other. */
static int cancels_itself(hocket_timer *t, void *arg)
{
    (void)t;
    HK_EXPECT(!hocket_cancelled());
    hocket_cancel(hocket_self());
    HK_EXPECT_EQ(hocket_check(), -ECANCELED);
    (void)hk_add((_Atomic int *)arg, 1);
    return -ECANCELED;
}

static int cancelled_body(void *arg)
{
    hocket_timer *t[MANY];
    (void)arg;
    hk_store(&count, 0);
    for (int i = 0; i < MANY; i++)
        start(t[i] = make(cancels_itself, &count), HOCKET_NOW);
    RUN_UNTIL(hk_load_acq(&count) == MANY);
    for (int i = 0; i < MANY; i++)
        hocket_timer_free(t[i]);
    return 0;
}
START_TEST(its_own_task)
{
    run_in(_i, cancelled_body, NULL);
}
END_TEST

/* Timers that are always due leave time for other tasks. */
static int forever(hocket_timer *t, void *arg)
{
    (void)arg;
    start(t, HOCKET_NOW);
    return 0;
}

static int greedy_body(void *arg)
{
    hocket_timer *t = make(forever, NULL);
    (void)arg;
    start(t, HOCKET_NOW);
    for (int i = 0; i < 3; i++)
        HK_EXPECT_EQ(hocket_sleep(100 * HOCKET_US), 0);
    RUN_UNTIL(hocket_timer_calls(t) > 100);
    hocket_timer_free(t);
    return 0;
}
START_TEST(always_due)
{
    run_in(_i, greedy_body, NULL);
}
END_TEST

/* ---- errors and ends ---- */

static _Atomic int reported;

static void on_error(const hocket_error *e, void *context)
{
    (void)context;
    HK_EXPECT_EQ(e->code, -EIO);
    HK_EXPECT_STR(e->message, "no answer");
    (void)hk_add(&reported, 1);
}

static int fails(hocket_timer *t, void *arg)
{
    (void)t;
    (void)arg;
    return hocket_fail(-EIO, "no answer");
}

static int failing_body(void *arg)
{
    hocket_timer *t = make(fails, NULL);
    (void)arg;
    HK_EXPECT_EQ(hocket_timer_start_every(t, HOCKET_NOW, HOCKET_MS, HOCKET_FIXED_DELAY), 0);
    RUN_UNTIL(hk_load_acq(&reported) >= 3);
    hocket_timer_free(t);
    return 0;
}
START_TEST(failures_are_told)
{
    hocket_hooks h = HOCKET_HOOKS_DEFAULT;
    h.error = on_error;
    hk_store(&reported, 0);
    HK_EXPECT_EQ(hocket_hooks_set(&h, NULL), 0);
    run_in(_i, failing_body, NULL);
}
END_TEST

static hocket_timer *kept[3];
static struct held kept_held;

static int leave_pending(void *arg)
{
    (void)arg;
    hk_store(&count, 0);
    start(kept[0], hocket_after(3600 * HOCKET_SEC));
    start(kept[1], HOCKET_NOW); /* its callback is cancelled */
    HK_EXPECT_EQ(hocket_timer_start_every(kept[2], HOCKET_NOW, HOCKET_MS, HOCKET_FIXED_RATE), 0);
    HK_EXPECT_EQ(hocket_event_wait(&kept_held.inside, HOCKET_FOREVER), 0);
    RUN_UNTIL(hk_load_acq(&count) > 0);
    return 0;
}

static int counts(hocket_timer *t, void *arg)
{
    (void)t;
    (void)hk_add((_Atomic int *)arg, 1);
    return 0;
}

START_TEST(the_runtime_ends)
{
    kept[0] = make(counts, &count);
    kept[1] = make(hold, &kept_held);
    kept[2] = make(counts, &count);
    HK_EXPECT_EQ(hocket_timer_start(kept[0], HOCKET_NOW), -ENOSYS);
    HK_EXPECT_EQ(hocket_timer_start_every(kept[0], HOCKET_NOW, 0, HOCKET_FIXED_RATE), -EINVAL);
    HK_EXPECT_EQ(hocket_timer_start_every(kept[0], HOCKET_NOW, 1, 2), -EINVAL);
    for (int round = 1; round <= 3; round++) {
        hocket_event_clear(&kept_held.inside);
        run_in(_i, leave_pending, NULL);
        HK_EXPECT_EQ(hk_load(&kept_held.ended), round);
        for (int i = 0; i < 3; i++) {
            HK_EXPECT(!hocket_timer_pending(kept[i]));
            HK_EXPECT_EQ(hocket_timer_stop(kept[i], HOCKET_FOREVER), 0);
        }
        HK_EXPECT_EQ(hocket_timer_start(kept[0], HOCKET_NOW), -ENOSYS);
    }
    for (int i = 0; i < 3; i++)
        hocket_timer_free(kept[i]);
}
END_TEST

SUITE("timer", 30)
{
    suite_each(once);
    suite_each(in_order);
    suite_each(callbacks_wait);
    suite_each(once_more);
    suite_each(the_last_word);
    suite_each(waits_in_a_circle);
    suite_each(fixed_rate);
    suite_each(fixed_delay);
    suite_each(its_own_callback);
    suite_each(its_own_task);
    suite_each(always_due);
    suite_each(failures_are_told);
    suite_each(the_runtime_ends);
}
