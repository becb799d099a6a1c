/* SPDX-License-Identifier: MIT */
/* The condition, with a mutex, an rmutex and an unowned mutex, in every mode. */
#include <errno.h>
#include <hocket/cond.h>

#include "support/modes.h"

#define ITEMS 2000
#define ROOM  3

struct shared {
    hocket_mutex m;
    hocket_rmutex r;
    hocket_cond c, full;
    int use_rmutex, queued, put, got, woken, step, order[8], places;
};

static int step_of(struct shared *s)
{
    return __atomic_load_n(&s->step, __ATOMIC_ACQUIRE);
}

static void step_to(struct shared *s, int step)
{
    __atomic_store_n(&s->step, step, __ATOMIC_RELEASE);
}

static void lock(struct shared *s)
{
    if (!s->use_rmutex) {
        hocket_mutex_lock(&s->m);
        return;
    }
    hocket_rmutex_lock(&s->r);
    hocket_rmutex_lock(&s->r);
}

static void unlock(struct shared *s)
{
    if (!s->use_rmutex) {
        hocket_mutex_unlock(&s->m);
        return;
    }
    HK_EXPECT_EQ(hocket_rmutex_depth(&s->r), 2); /* the wait restored it */
    hocket_rmutex_unlock(&s->r);
    hocket_rmutex_unlock(&s->r);
}

static int wait(struct shared *s, hocket_cond *c, hocket_time deadline)
{
    return s->use_rmutex ? hocket_cond_wait_rmutex(c, &s->r, deadline)
                         : hocket_cond_wait(c, &s->m, deadline);
}

static int pass_items(int index, void *arg)
{
    struct shared *s = arg;
    for (int i = 0; i < ITEMS; i++) {
        lock(s);
        if (index % 2) {
            while (s->queued == ROOM)
                HK_EXPECT_OK(wait(s, &s->full, HOCKET_FOREVER));
            s->queued++;
            s->put++;
            hocket_cond_signal(&s->c);
            unlock(s);
        } else {
            while (s->queued == 0)
                HK_EXPECT_OK(wait(s, &s->c, HOCKET_FOREVER));
            s->queued--;
            s->got++;
            unlock(s);
            hocket_cond_signal(&s->full); /* without the mutex */
        }
    }
    return 0;
}

START_TEST(passes_items)
{
    for (int kind = 0; kind < 3; kind++) {
        struct shared s = { .use_rmutex = kind == 1 };
        if (kind == 2)
            hocket_mutex_init(&s.m, HOCKET_MUTEX_UNOWNED, NULL);
        mode_run(_i, 4, pass_items, &s);
        ck_assert_int_eq(s.put, 2 * ITEMS);
        ck_assert_int_eq(s.got, 2 * ITEMS);
        ck_assert_int_eq(hocket_cond_waiting(&s.c), 0);
        hocket_cond_destroy(&s.c);
        hocket_cond_destroy(&s.full);
    }
}
END_TEST

static int order_body(int index, void *arg)
{
    struct shared *s = arg;
    if (index > 0) {
        MODE_WAIT_UNTIL(step_of(s) == index);
        lock(s);
        HK_EXPECT_OK(wait(s, &s->c, HOCKET_FOREVER));
        s->order[__atomic_fetch_add(&s->places, 1, __ATOMIC_RELAXED)] = index;
        unlock(s);
        return 0;
    }
    for (int i = 1; i < 6; i++) {
        step_to(s, i);
        MODE_WAIT_UNTIL(mode_parked(i));
    }
    HK_EXPECT_EQ(hocket_cond_waiting(&s->c), 5);
    hocket_cond_signal(&s->c);
    MODE_WAIT_UNTIL(__atomic_load_n(&s->places, __ATOMIC_RELAXED) == 1);
    HK_EXPECT_EQ(hocket_cond_signal_many(&s->c, 2), 2);
    MODE_WAIT_UNTIL(__atomic_load_n(&s->places, __ATOMIC_RELAXED) == 3);
    HK_EXPECT_EQ(hocket_cond_waiting(&s->c), 2);
    hocket_cond_broadcast(&s->c);
    MODE_WAIT_UNTIL(__atomic_load_n(&s->places, __ATOMIC_RELAXED) == 5);
    HK_EXPECT_EQ(hocket_cond_signal_many(&s->c, 2), 0);
    HK_EXPECT_EQ(hocket_cond_signal_many(&s->c, 0), 0);
    return 0;
}

START_TEST(wakes_in_order)
{
    struct shared s = { .use_rmutex = _i & 1 };
    mode_run(_i, 6, order_body, &s);
    ck_assert_int_eq(s.order[0], 1);
    ck_assert(s.order[1] + s.order[2] == 5); /* 2 and 3, whoever got the mutex first */
}
END_TEST

static int end_body(int index, void *arg)
{
    struct shared *s = arg;
    if (index == 0) {
        MODE_WAIT_UNTIL(step_of(s) == 1);
        MODE_WAIT_UNTIL(mode_parked(1));
        hocket_cancel(mode_task(1));
        return 0;
    }
    lock(s);
    hocket_time soon = hocket_after(3 * HOCKET_MS);
    HK_EXPECT_EQ(wait(s, &s->c, soon), -ETIMEDOUT);
    HK_EXPECT(hocket_now() >= soon);
    HK_EXPECT_EQ(wait(s, &s->c, HOCKET_NOW), -ETIMEDOUT);
    HK_EXPECT(s->use_rmutex ? hocket_rmutex_locked(&s->r) : hocket_mutex_held(&s->m));
    step_to(s, 1);
    HK_EXPECT_EQ(wait(s, &s->c, HOCKET_FOREVER), -ECANCELED);
    HK_EXPECT(s->use_rmutex ? hocket_rmutex_locked(&s->r) : hocket_mutex_held(&s->m));
    HK_EXPECT_EQ(wait(s, &s->c, HOCKET_NOW), -ECANCELED);
    HK_EXPECT_EQ(hocket_cond_waiting(&s->c), 0);
    unlock(s);
    return 0;
}

START_TEST(ends_by_time_and_cancel)
{
    for (int kind = 0; kind < 2; kind++) {
        struct shared s = { .use_rmutex = kind };
        mode_run(_i, 2, end_body, &s);
    }
}
END_TEST

/* Taking the mutex again waits for it, past deadline and cancel. */
static int again_body(int index, void *arg)
{
    struct shared *s = arg;
    if (index == 0) {
        MODE_WAIT_UNTIL(mode_parked(1));
        lock(s);
        hocket_cancel(mode_task(1));
        step_to(s, 1);
        /* Now it waits for the mutex; the state says so by the object. */
        MODE_WAIT_UNTIL(mode_parked(1));
        HK_EXPECT_EQ(s->woken, 0);
        s->woken = 1;
        unlock(s);
        return 0;
    }
    lock(s);
    HK_EXPECT_EQ(wait(s, &s->c, HOCKET_FOREVER), -ECANCELED);
    HK_EXPECT_EQ(s->woken, 1);
    HK_EXPECT_EQ(step_of(s), 1);
    unlock(s);
    return 0;
}

START_TEST(locks_again)
{
    struct shared s = { .use_rmutex = _i & 1 };
    mode_run(_i, 2, again_body, &s);
}
END_TEST

static bool at_least_three(void *arg)
{
    struct shared *s = arg;
    return s->put >= 3;
}

static int wait_for(struct shared *s, hocket_time deadline)
{
    return s->use_rmutex ? hocket_cond_wait_for_rmutex(&s->c, &s->r, at_least_three, s, deadline)
                         : hocket_cond_wait_for(&s->c, &s->m, at_least_three, s, deadline);
}

static int predicate_body(int index, void *arg)
{
    struct shared *s = arg;
    if (index == 0) {
        for (int i = 0; i < 4; i++) {
            MODE_WAIT_UNTIL(mode_parked(1) || __atomic_load_n(&s->got, __ATOMIC_RELAXED));
            lock(s);
            s->put++;
            hocket_cond_broadcast(&s->c);
            unlock(s);
            mode_yield();
        }
        return 0;
    }
    lock(s);
    HK_EXPECT_OK(wait_for(s, HOCKET_FOREVER));
    HK_EXPECT_OK(wait_for(s, HOCKET_FOREVER)); /* true already */
    HK_EXPECT(s->put >= 3);
    __atomic_store_n(&s->got, 1, __ATOMIC_RELAXED);
    s->put = 0;
    hocket_time soon = hocket_after(HOCKET_MS);
    HK_EXPECT_EQ(wait_for(s, soon), -ETIMEDOUT);
    hocket_cancel(hocket_self());
    s->put = 3;
    HK_EXPECT_EQ(wait_for(s, HOCKET_FOREVER), -ECANCELED);
    unlock(s);
    return 0;
}

START_TEST(predicate)
{
    for (int kind = 0; kind < 2; kind++) {
        struct shared s = { .use_rmutex = kind };
        mode_run(_i, 2, predicate_body, &s);
    }
}
END_TEST

static void add(TCase *tc)
{
    MODE_TESTS(tc, passes_items);
    MODE_TESTS(tc, wakes_in_order);
    MODE_TESTS(tc, ends_by_time_and_cancel);
    MODE_TESTS(tc, locks_again);
    MODE_TESTS(tc, predicate);
}

int main(void)
{
    return mode_main("cond", add);
}
