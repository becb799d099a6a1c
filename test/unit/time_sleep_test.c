/* SPDX-License-Identifier: MIT */
/* time: the clock, deadlines that saturate, sleeping, yielding. */
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "support/suite.h"

START_TEST(the_clock)
{
    struct timespec ts;
    hocket_time a = hocket_now();
    HK_EXPECT_EQ(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
    hocket_time b = ts.tv_sec * HOCKET_SEC + ts.tv_nsec;
    hocket_time c = hocket_now();
    HK_EXPECT(0 < a && a <= b && b <= c);
    HK_EXPECT_EQ(HOCKET_NOW, 0);
    HK_EXPECT_EQ(HOCKET_FOREVER, INT64_MAX);
    HK_EXPECT_EQ(HOCKET_SEC, 1000000000);
}
END_TEST

START_TEST(after_saturates)
{
    HK_EXPECT_EQ(hocket_after(0), HOCKET_NOW);
    HK_EXPECT_EQ(hocket_after(-1), HOCKET_NOW);
    HK_EXPECT_EQ(hocket_after(INT64_MIN), HOCKET_NOW);
    HK_EXPECT_EQ(hocket_after(HOCKET_FOREVER), HOCKET_FOREVER);
    HK_EXPECT_EQ(hocket_after(HOCKET_FOREVER - 1), HOCKET_FOREVER);
    HK_EXPECT_EQ(hocket_after(HOCKET_FOREVER - hocket_now()), HOCKET_FOREVER);
    hocket_time a = hocket_now(), b = hocket_after(HOCKET_SEC), c = hocket_now();
    HK_EXPECT(a + HOCKET_SEC <= b && b <= c + HOCKET_SEC);
    HK_EXPECT(hocket_after(1) > a);
}
END_TEST

/* Without any runtime, in a plain thread. */
START_TEST(a_thread_sleeps)
{
    hocket_time until = hocket_after(2 * HOCKET_MS);
    HK_EXPECT_EQ(hocket_sleep_until(until), 0);
    HK_EXPECT(hocket_now() >= until);
    HK_EXPECT_EQ(hocket_sleep(0), 0);
    HK_EXPECT_EQ(hocket_sleep(-5), 0);
    HK_EXPECT_EQ(hocket_sleep_until(1), 0);
    HK_EXPECT_EQ(hocket_yield(), 0);
}
END_TEST

static int sleep_for(void *arg)
{
    hocket_time duration = *(hocket_time *)arg;
    for (int i = 0; i < 5; i++) {
        hocket_time start = hocket_now();
        HK_EXPECT_EQ(hocket_sleep(duration), 0);
        HK_EXPECT(hocket_now() - start >= duration);
        start = hocket_now();
        HK_EXPECT_EQ(hocket_sleep_until(start + duration), 0);
        HK_EXPECT(hocket_now() >= start + duration);
    }
    return 0;
}

static int never_early(void *arg)
{
    static hocket_time durations[8] = {
        1,         500,           10 * HOCKET_US, 70 * HOCKET_US, 300 * HOCKET_US,
        HOCKET_MS, 3 * HOCKET_MS, 7 * HOCKET_MS
    };
    hocket_task *t[24];
    (void)arg;
    for (int i = 0; i < 24; i++)
        t[i] = run_spawn(sleep_for, &durations[i % 8]);
    for (int i = 0; i < 24; i++)
        run_finish(t[i], 0);
    return 0;
}

START_TEST(sleep_is_never_early)
{
    run_in(_i, never_early, NULL);
}
END_TEST

static int past(void *arg)
{
    (void)arg;
    HK_EXPECT_EQ(hocket_sleep(0), 0);
    HK_EXPECT_EQ(hocket_sleep(-HOCKET_SEC), 0);
    HK_EXPECT_EQ(hocket_sleep_until(HOCKET_NOW), 0);
    HK_EXPECT_EQ(hocket_sleep_until(1), 0);
    HK_EXPECT_EQ(hocket_sleep_until(hocket_now() - 1), 0);
    return 0;
}

START_TEST(sleep_in_the_past)
{
    run_in(_i, past, NULL);
}
END_TEST

static int for_ever(void *arg)
{
    (void)arg;
    return hocket_sleep_until(HOCKET_FOREVER);
}

static int sleep_long(void *arg)
{
    (void)arg;
    return hocket_sleep(100 * HOCKET_SEC);
}

/*
 * A short sleep ends in time however long others sleep: also when every worker has gone to
 * sleep and woken in between, so that whoever kept the time has changed.
 */
static int short_beside_long(void *arg)
{
    hocket_task *others[3];
    (void)arg;
    for (int i = 0; i < 3; i++)
        others[i] = run_spawn(sleep_long, NULL);
    for (int i = 0; i < 3; i++)
        RUN_UNTIL(run_parked(others[i]));
    for (int i = 0; i < 4; i++) {
        hocket_time start = hocket_now();
        HK_EXPECT_EQ(hocket_sleep(60 * HOCKET_MS), 0);
        HK_EXPECT(hocket_now() - start < 5 * HOCKET_SEC);
    }
    for (int i = 0; i < 3; i++) {
        hocket_cancel(others[i]);
        run_finish(others[i], -ECANCELED);
    }
    return 0;
}

START_TEST(a_short_sleep_beside_long_ones)
{
    run_in(_i, short_beside_long, NULL);
}
END_TEST

static int cancelled_sleep(void *arg)
{
    hocket_task *t = run_spawn(for_ever, NULL);
    (void)arg;
    RUN_UNTIL(run_parked(t));
    hocket_cancel(t);
    run_finish(t, -ECANCELED);
    t = run_spawn(sleep_long, NULL);
    RUN_UNTIL(run_parked(t));
    hocket_cancel(t);
    run_finish(t, -ECANCELED);
    return 0;
}

START_TEST(sleep_is_a_cancel_point)
{
    run_in(_i, cancelled_sleep, NULL);
}
END_TEST

/* Also with nothing to sleep for, and yield; again and again. */
static int points(void *arg)
{
    hocket_time a_second = HOCKET_SEC;
    (void)arg;
    hocket_cancel(hocket_self());
    for (int i = 0; i < 3; i++) {
        HK_EXPECT_EQ(hocket_sleep(0), -ECANCELED);
        HK_EXPECT_EQ(hocket_sleep(a_second), -ECANCELED);
        HK_EXPECT_EQ(hocket_sleep_until(1), -ECANCELED);
        HK_EXPECT_EQ(hocket_sleep_until(HOCKET_FOREVER), -ECANCELED);
        HK_EXPECT_EQ(hocket_yield(), -ECANCELED);
    }
    return 0;
}

static int points_of(void *arg)
{
    (void)arg;
    run_finish(run_spawn(points, NULL), 0);
    return 0;
}

START_TEST(cancelled_before_the_sleep)
{
    run_in(_i, points_of, NULL);
}
END_TEST

struct ring {
    _Atomic int rounds;
    _Atomic int turns[4];
    _Atomic bool stop;
};

struct member {
    struct ring *ring;
    int index;
};

static int take_turns(void *arg)
{
    struct member *m = arg;
    for (int i = 0; i < 500; i++) {
        (void)hk_add(&m->ring->turns[m->index], 1);
        HK_EXPECT_EQ(hocket_yield(), 0);
        /* First in, first out; while the last ones start, fresh and resumed ones alternate. */
        for (int k = 0; k < 4; k++) {
            int other = hk_load(&m->ring->turns[k]), mine = hk_load(&m->ring->turns[m->index]);
            HK_EXPECT(other >= mine - 4 && other <= mine + 4);
        }
    }
    return 0;
}

static int ring_of_four(void *arg)
{
    struct ring ring = { .rounds = 0 };
    struct member m[4];
    hocket_task *t[4];
    (void)arg;
    for (int i = 0; i < 4; i++) {
        m[i] = (struct member){ &ring, i };
        t[i] = run_spawn(take_turns, &m[i]);
    }
    for (int i = 0; i < 4; i++)
        run_finish(t[i], 0);
    return 0;
}

/* Without threads of the library: nobody runs one of them elsewhere while this one is preempted. */
START_TEST(yield_is_fair)
{
    run_in(4, ring_of_four, NULL);
}
END_TEST

static int spin_by_yield(void *arg)
{
    struct ring *r = arg;
    while (!hk_load_acq(&r->stop)) {
        (void)hk_add(&r->rounds, 1);
        HK_EXPECT_EQ(hocket_yield(), 0);
    }
    return 0;
}

static int stop_ring(void *arg)
{
    hk_store_rel(&((struct ring *)arg)->stop, true);
    return 0;
}

static int sleep_then_stop(void *arg)
{
    HK_EXPECT_EQ(hocket_sleep(2 * HOCKET_MS), 0);
    return stop_ring(arg);
}

/* Tasks that only ever yield to each other keep out neither timers nor new tasks. */
static int yielders(void *arg)
{
    int busy = (int)(intptr_t)arg;
    for (int round = 0; round < 4; round++) {
        struct ring r = { .stop = false };
        hocket_task *t[4];
        for (int i = 0; i < busy; i++)
            t[i] = run_spawn(spin_by_yield, &r);
        HK_EXPECT_EQ(hocket_sleep(HOCKET_MS), 0);
        run_finish(run_spawn(round % 2 ? stop_ring : sleep_then_stop, &r), 0);
        for (int i = 0; i < busy; i++)
            run_finish(t[i], 0);
    }
    return 0;
}

START_TEST(yielding_starves_nobody)
{
    for (intptr_t busy = 1; busy <= 4; busy++)
        run_in(_i, yielders, (void *)busy);
}
END_TEST

static void *stop_from_outside(void *arg)
{
    struct ring *r = arg;
    HK_WAIT_UNTIL(hk_load(&r->rounds) > 1000);
    HK_EXPECT_OK(hocket_spawn(NULL, stop_ring, r));
    return NULL;
}

/* Nor what comes from other threads. */
static int outside(void *arg)
{
    struct ring r = { .stop = false };
    pthread_t thread;
    hocket_task *t[2];
    (void)arg;
    HK_EXPECT_EQ(pthread_create(&thread, NULL, stop_from_outside, &r), 0);
    for (int i = 0; i < 2; i++)
        t[i] = run_spawn(spin_by_yield, &r);
    for (int i = 0; i < 2; i++)
        run_finish(t[i], 0);
    pthread_join(thread, NULL);
    return 0;
}

START_TEST(yielding_hears_other_threads)
{
    run_in(_i, outside, NULL);
}
END_TEST

SUITE("time_sleep", 20)
{
    suite_once(the_clock);
    suite_once(after_saturates);
    suite_once(a_thread_sleeps);
    suite_each(sleep_is_never_early);
    suite_each(sleep_in_the_past);
    suite_each(a_short_sleep_beside_long_ones);
    suite_each(sleep_is_a_cancel_point);
    suite_each(cancelled_before_the_sleep);
    suite_once(yield_is_fair);
    suite_each(yielding_starves_nobody);
    suite_each(yielding_hears_other_threads);
}
