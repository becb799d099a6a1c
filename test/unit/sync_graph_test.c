/* SPDX-License-Identifier: MIT */
/* Certain cycles give -EDEADLK, uncertain ones nothing.  In every mode.  (Panics: test/misuse.) */
#include <errno.h>
#include <hocket/cond.h>
#include <hocket/mutex.h>
#include <hocket/once.h>
#include <hocket/rwlock.h>

#include "park/report.h"
#include "support/modes.h"

#define RING 6

struct shared {
    hocket_mutex m[RING];
    hocket_rwlock w;
    hocket_once once;
    hocket_cond c;
    int n, have, deadlocks, step, timed;
};

static int step_of(struct shared *s)
{
    return __atomic_load_n(&s->step, __ATOMIC_ACQUIRE);
}

static void step_to(struct shared *s, int step)
{
    __atomic_store_n(&s->step, step, __ATOMIC_RELEASE);
}

static int add(int *p)
{
    return __atomic_add_fetch(p, 1, __ATOMIC_ACQ_REL);
}

static int get(int *p)
{
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

/* A ring of tasks: each holds one lock and wants the next.  One of them is told. */
static int ring_body(int index, void *arg)
{
    struct shared *s = arg;
    hocket_mutex *mine = &s->m[index], *next = &s->m[(index + 1) % s->n];
    for (int i = 0; i < 50; i++) {
        hocket_mutex_lock(mine);
        add(&s->have);
        MODE_WAIT_UNTIL(get(&s->have) >= (i + 1) * s->n);
        int err = hocket_mutex_lock_until(next, HOCKET_FOREVER);
        if (err == 0)
            hocket_mutex_unlock(next);
        else
            HK_EXPECT_EQ(err, -EDEADLK);
        if (err)
            add(&s->deadlocks);
        hocket_mutex_unlock(mine);
        add(&s->step);
        MODE_WAIT_UNTIL(get(&s->step) >= (i + 1) * s->n);
    }
    return 0;
}

START_TEST(rings)
{
    for (int n = 2; n <= RING; n += 2) {
        struct shared s = { .n = n };
        mode_run(_i, n, ring_body, &s);
        ck_assert_int_eq(s.deadlocks, 50); /* exactly one a round */
    }
}
END_TEST

/* Others wait by plain lock, or the closing one has a deadline: it is told all the same. */
static int mixed_body(int index, void *arg)
{
    struct shared *s = arg;
    if (index == 0) {
        hocket_mutex_lock(&s->m[0]);
        MODE_WAIT_UNTIL(mode_parked(1));
        HK_EXPECT_EQ(hocket_mutex_lock_until(&s->m[1], hocket_after(30 * HOCKET_SEC)), -EDEADLK);
        HK_EXPECT_EQ(hocket_mutex_trylock(&s->m[1]), -EAGAIN);
        HK_EXPECT_EQ(hocket_mutex_lock_until(&s->m[1], HOCKET_NOW), -ETIMEDOUT);
        hocket_mutex_unlock(&s->m[0]);
        return 0;
    }
    hocket_mutex_lock(&s->m[1]);
    MODE_WAIT_UNTIL(hocket_mutex_locked(&s->m[0]));
    hocket_mutex_lock(&s->m[0]);
    hocket_mutex_unlock(&s->m[0]);
    hocket_mutex_unlock(&s->m[1]);
    return 0;
}

START_TEST(plain_and_until)
{
    struct shared s = { .n = 2 };
    mode_run(_i, 2, mixed_body, &s);
}
END_TEST

/* A timed wait in the cycle ends by itself: nobody is told. */
static int timed_body(int index, void *arg)
{
    struct shared *s = arg;
    if (index == 0) {
        hocket_mutex_lock(&s->m[0]);
        MODE_WAIT_UNTIL(mode_parked(1) || get(&s->timed)); /* or it was too late for the cycle */
        HK_EXPECT_OK(hocket_mutex_lock_until(&s->m[1], HOCKET_FOREVER));
        hocket_mutex_unlock(&s->m[1]);
        hocket_mutex_unlock(&s->m[0]);
        return 0;
    }
    hocket_mutex_lock(&s->m[1]);
    MODE_WAIT_UNTIL(hocket_mutex_locked(&s->m[0]));
    HK_EXPECT_EQ(hocket_mutex_lock_until(&s->m[0], hocket_after(20 * HOCKET_MS)), -ETIMEDOUT);
    add(&s->timed);
    hocket_mutex_unlock(&s->m[1]);
    return 0;
}

START_TEST(timed)
{
    struct shared s = { .n = 2 };
    mode_run(_i, 2, timed_body, &s);
}
END_TEST

/* A plain lock that closes a cycle with a cancellable wait: one line, and it goes on. */
static char report[600];

static void keep_report(const char *line)
{
    snprintf(report, sizeof report, "%s", line);
}

static int report_body(int index, void *arg)
{
    struct shared *s = arg;
    if (index == 0) {
        hocket_task_set_name(hocket_self(), "closing");
        hocket_mutex_lock(&s->m[0]);
        MODE_WAIT_UNTIL(mode_parked(1));
        hocket_mutex_lock(&s->m[1]);
        hocket_mutex_unlock(&s->m[1]);
        hocket_mutex_unlock(&s->m[0]);
        return 0;
    }
    if (index == 1) {
        hocket_task_set_name(hocket_self(), "waiting");
        hocket_mutex_lock(&s->m[1]);
        MODE_WAIT_UNTIL(hocket_mutex_locked(&s->m[0]));
        HK_EXPECT_EQ(hocket_mutex_lock_until(&s->m[0], HOCKET_FOREVER), -ECANCELED);
        hocket_mutex_unlock(&s->m[1]);
        return 0;
    }
    MODE_WAIT_UNTIL(mode_parked(0) && mode_parked(1));
    hocket_cancel(mode_task(1));
    return 0;
}

START_TEST(reports)
{
    struct shared s = { .n = 2 };
    hocket__report_hook = keep_report;
    mode_run(_i, 3, report_body, &s);
    ck_assert(strstr(report, "closing waits for mutex"));
    ck_assert(strstr(report, "waiting waits for mutex"));
}
END_TEST

/* A cycle through a reader, and through the runner of a once. */
static int through_reader(int index, void *arg)
{
    struct shared *s = arg;
    if (index == 0) {
        hocket_rwlock_rdlock(&s->w);
        step_to(s, 1);
        MODE_WAIT_UNTIL(mode_parked(1));
        HK_EXPECT_EQ(hocket_mutex_lock_until(&s->m[0], HOCKET_FOREVER), -EDEADLK);
        hocket_rwlock_unlock(&s->w);
        return 0;
    }
    hocket_mutex_lock(&s->m[0]);
    MODE_WAIT_UNTIL(step_of(s) == 1);
    HK_EXPECT_OK(hocket_rwlock_wrlock_until(&s->w, HOCKET_FOREVER));
    hocket_rwlock_unlock(&s->w);
    hocket_mutex_unlock(&s->m[0]);
    return 0;
}

START_TEST(readers)
{
    struct shared s = { .n = 1 };
    mode_run(_i, 2, through_reader, &s);
}
END_TEST

/* 0 reads and wants the mutex; 1 waits to write; 2 holds the mutex and wants to read behind 1. */
static int behind_writer(int index, void *arg)
{
    struct shared *s = arg;
    if (index == 0) {
        hocket_rwlock_rdlock(&s->w);
        step_to(s, 1);
        MODE_WAIT_UNTIL(mode_parked(2));
        HK_EXPECT_EQ(hocket_mutex_lock_until(&s->m[0], HOCKET_FOREVER), -EDEADLK);
        hocket_rwlock_unlock(&s->w);
        return 0;
    }
    MODE_WAIT_UNTIL(step_of(s) == 1);
    if (index == 1) {
        hocket_rwlock_wrlock(&s->w);
    } else {
        MODE_WAIT_UNTIL(mode_parked(1));
        hocket_mutex_lock(&s->m[0]);
        hocket_rwlock_rdlock(&s->w);
        hocket_mutex_unlock(&s->m[0]);
    }
    hocket_rwlock_unlock(&s->w);
    return 0;
}

START_TEST(reader_behind_writer)
{
    struct shared s = { .n = 1 };
    mode_run(_i, 3, behind_writer, &s);
}
END_TEST

static int run_once(void *arg)
{
    struct shared *s = arg;
    step_to(s, 1);
    MODE_WAIT_UNTIL(mode_parked(1));
    HK_EXPECT_EQ(hocket_mutex_lock_until(&s->m[0], HOCKET_FOREVER), -EDEADLK);
    return 0;
}

static int through_once(int index, void *arg)
{
    struct shared *s = arg;
    if (index == 0) {
        HK_EXPECT_OK(hocket_once_do(&s->once, run_once, s, HOCKET_FOREVER));
        return 0;
    }
    hocket_mutex_lock(&s->m[0]);
    MODE_WAIT_UNTIL(step_of(s) == 1);
    HK_EXPECT_OK(hocket_once_do(&s->once, run_once, s, HOCKET_FOREVER));
    hocket_mutex_unlock(&s->m[0]);
    return 0;
}

START_TEST(once)
{
    struct shared s = { .n = 1 };
    mode_run(_i, 2, through_once, &s);
}
END_TEST

/* The holder waits for a signal: anybody may give it, so there is no claim. */
static int through_cond(int index, void *arg)
{
    struct shared *s = arg;
    if (index == 0) {
        hocket_mutex_lock(&s->m[0]);
        hocket_mutex_lock(&s->m[1]);
        HK_EXPECT_OK(hocket_cond_wait(&s->c, &s->m[1], HOCKET_FOREVER));
        hocket_mutex_unlock(&s->m[1]);
        hocket_mutex_unlock(&s->m[0]);
    } else if (index == 1) {
        MODE_WAIT_UNTIL(mode_parked(0));
        HK_EXPECT_OK(hocket_mutex_lock_until(&s->m[0], HOCKET_FOREVER));
        hocket_mutex_unlock(&s->m[0]);
    } else {
        MODE_WAIT_UNTIL(mode_parked(1));
        hocket_cond_signal(&s->c);
    }
    return 0;
}

START_TEST(cond_is_no_edge)
{
    struct shared s = { .n = 2 };
    mode_run(_i, 3, through_cond, &s);
}
END_TEST

static void add_tests(TCase *tc)
{
    MODE_TESTS(tc, rings);
    MODE_TESTS(tc, plain_and_until);
    MODE_TESTS(tc, timed);
    MODE_TESTS(tc, reports);
    MODE_TESTS(tc, readers);
    MODE_TESTS(tc, reader_behind_writer);
    MODE_TESTS(tc, once);
    MODE_TESTS(tc, cond_is_no_edge);
}

int main(void)
{
    return mode_main("cycles", add_tests);
}
