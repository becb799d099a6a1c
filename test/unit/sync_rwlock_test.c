/* SPDX-License-Identifier: MIT */
/* The rwlock, in every mode. */
#include <errno.h>
#include <hocket/rwlock.h>

#include "support/modes.h"

#define TASKS 6
#define TURNS 600

struct shared {
    hocket_rwlock lock;
    int readers, writers, value, step, order[TASKS], places;
};

static int step_of(struct shared *s)
{
    return __atomic_load_n(&s->step, __ATOMIC_ACQUIRE);
}

static void step_to(struct shared *s, int step)
{
    __atomic_store_n(&s->step, step, __ATOMIC_RELEASE);
}

static int add(int *p, int n)
{
    return __atomic_add_fetch(p, n, __ATOMIC_RELAXED);
}

static int get(int *p)
{
    return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static int mixed_body(int index, void *arg)
{
    struct shared *s = arg;
    hocket_rwlock *l = &s->lock;
    for (int i = 0; i < TURNS; i++) {
        if ((i + index) % 4 == 0) {
            if (i % 2)
                hocket_rwlock_wrlock(l);
            else
                HK_EXPECT_OK(hocket_rwlock_wrlock_until(l, HOCKET_FOREVER));
            HK_EXPECT(add(&s->writers, 1) == 1 && get(&s->readers) == 0);
            HK_EXPECT(hocket_rwlock_owner(l) == hocket_task_id(hocket_self()));
            HK_EXPECT(hocket_rwlock_write_locked(l) && hocket_rwlock_readers(l) == 0);
            s->value++;
            if (i % 16 == 0)
                mode_yield();
            add(&s->writers, -1);
        } else {
            if (i % 2)
                hocket_rwlock_rdlock(l);
            else
                HK_EXPECT_OK(hocket_rwlock_rdlock_until(l, HOCKET_FOREVER));
            add(&s->readers, 1);
            HK_EXPECT(get(&s->writers) == 0);
            HK_EXPECT(hocket_rwlock_readers(l) > 0 && hocket_rwlock_owner(l) == 0);
            if (i % 16 == 1)
                mode_yield();
            HK_EXPECT(get(&s->writers) == 0);
            add(&s->readers, -1);
        }
        HK_EXPECT(hocket_rwlock_locked(l));
        hocket_rwlock_unlock(l);
    }
    return 0;
}

START_TEST(excludes)
{
    struct shared s = { .lock = HOCKET_RWLOCK_INIT };
    mode_run(_i, TASKS, mixed_body, &s);
    ck_assert(!hocket_rwlock_locked(&s.lock));
    ck_assert_int_eq(s.value, TASKS * TURNS / 4);
    hocket_rwlock_destroy(&s.lock);
}
END_TEST

static int together_body(int index, void *arg)
{
    struct shared *s = arg;
    (void)index;
    hocket_rwlock_rdlock(&s->lock);
    add(&s->readers, 1);
    MODE_WAIT_UNTIL(get(&s->readers) == TASKS);
    hocket_rwlock_unlock(&s->lock);
    return 0;
}

START_TEST(readers_read_together)
{
    struct shared s = { .lock = HOCKET_RWLOCK_INIT };
    mode_run(_i, TASKS, together_body, &s);
}
END_TEST

/* 0 reads; 1 waits to write; 2 comes to read after it; 0 may read again all the same. */
static int queue_body(int index, void *arg)
{
    struct shared *s = arg;
    hocket_rwlock *l = &s->lock;
    if (index == 0) {
        hocket_rwlock_rdlock(l);
        step_to(s, 1);
        MODE_WAIT_UNTIL(mode_parked(1));
        step_to(s, 2);
        MODE_WAIT_UNTIL(mode_parked(2));
        HK_EXPECT_OK(hocket_rwlock_rdlock_until(l, HOCKET_NOW));
        HK_EXPECT_OK(hocket_rwlock_tryrdlock(l));
        HK_EXPECT_EQ(hocket_rwlock_readers(l), 3);
        hocket_rwlock_unlock(l);
        hocket_rwlock_unlock(l);
        hocket_rwlock_unlock(l);
        return 0;
    }
    MODE_WAIT_UNTIL(step_of(s) == index);
    if (index == 1) {
        hocket_rwlock_wrlock(l);
    } else {
        HK_EXPECT_EQ(hocket_rwlock_tryrdlock(l), -EAGAIN);
        HK_EXPECT_EQ(hocket_rwlock_rdlock_until(l, HOCKET_NOW), -ETIMEDOUT);
        hocket_rwlock_rdlock(l);
    }
    s->order[s->places++] = index;
    hocket_rwlock_unlock(l);
    return 0;
}

START_TEST(first_come_first_served)
{
    struct shared s = { .lock = HOCKET_RWLOCK_INIT };
    mode_run(_i, 3, queue_body, &s);
    ck_assert_int_eq(s.order[0], 1);
    ck_assert_int_eq(s.order[1], 2);
}
END_TEST

/* A writer that gives up lets the readers behind it in, while the lock is still read. */
static int give_up_body(int index, void *arg)
{
    struct shared *s = arg;
    hocket_rwlock *l = &s->lock;
    if (index == 0) {
        hocket_rwlock_rdlock(l);
        step_to(s, 1);
        MODE_WAIT_UNTIL(mode_parked(1));
        step_to(s, 2);
        MODE_WAIT_UNTIL(mode_parked(2) && mode_parked(3));
        hocket_cancel(mode_task(1));
        MODE_WAIT_UNTIL(step_of(s) == 4);
        hocket_rwlock_unlock(l);
        return 0;
    }
    MODE_WAIT_UNTIL(step_of(s) == (index == 1 ? 1 : 2));
    if (index == 1) {
        HK_EXPECT_EQ(hocket_rwlock_wrlock_until(l, HOCKET_FOREVER), -ECANCELED);
        return 0;
    }
    hocket_rwlock_rdlock(l);
    HK_EXPECT(!hocket_rwlock_write_locked(l));
    __atomic_add_fetch(&s->step, 1, __ATOMIC_RELEASE);
    MODE_WAIT_UNTIL(step_of(s) == 4);
    hocket_rwlock_unlock(l);
    return 0;
}

START_TEST(a_leaving_writer_lets_readers_in)
{
    struct shared s = { .lock = HOCKET_RWLOCK_INIT };
    mode_run(_i, 4, give_up_body, &s);
    ck_assert(!hocket_rwlock_locked(&s.lock));
}
END_TEST

static int timeout_body(int index, void *arg)
{
    struct shared *s = arg;
    hocket_rwlock *l = &s->lock;
    if (index == 0) {
        hocket_rwlock_wrlock(l);
        step_to(s, 1);
        MODE_WAIT_UNTIL(step_of(s) == 2);
        hocket_rwlock_unlock(l);
        hocket_rwlock_rdlock(l);
        step_to(s, 3);
        MODE_WAIT_UNTIL(step_of(s) == 4);
        hocket_rwlock_unlock(l);
        return 0;
    }
    MODE_WAIT_UNTIL(step_of(s) == 1);
    hocket_time soon = hocket_after(3 * HOCKET_MS);
    HK_EXPECT_EQ(hocket_rwlock_rdlock_until(l, soon), -ETIMEDOUT);
    HK_EXPECT(hocket_now() >= soon);
    soon = hocket_after(3 * HOCKET_MS);
    HK_EXPECT_EQ(hocket_rwlock_wrlock_until(l, soon), -ETIMEDOUT);
    HK_EXPECT(hocket_now() >= soon);
    HK_EXPECT_EQ(hocket_rwlock_trywrlock(l), -EAGAIN);
    HK_EXPECT_EQ(hocket_rwlock_tryrdlock(l), -EAGAIN);
    HK_EXPECT_EQ(hocket_rwlock_unlock_checked(l), -EPERM);
    step_to(s, 2);
    MODE_WAIT_UNTIL(step_of(s) == 3);
    HK_EXPECT_EQ(hocket_rwlock_unlock_checked(l), -EPERM); /* read, but not by us */
    HK_EXPECT_EQ(hocket_rwlock_wrlock_until(l, HOCKET_NOW), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_rwlock_wrlock_until(l, hocket_after(HOCKET_MS)), -ETIMEDOUT);
    HK_EXPECT_OK(hocket_rwlock_tryrdlock(l));
    hocket_rwlock_unlock(l);
    step_to(s, 4);
    HK_EXPECT_OK(hocket_rwlock_wrlock_until(l, hocket_after(10 * HOCKET_SEC)));
    hocket_rwlock_unlock(l);
    HK_EXPECT_OK(hocket_rwlock_trywrlock(l));
    hocket_rwlock_unlock(l);
    HK_EXPECT_EQ(hocket_rwlock_unlock_checked(l), -EPERM);
    return 0;
}

START_TEST(times_out)
{
    struct shared s = { .lock = HOCKET_RWLOCK_INIT };
    mode_run(_i, 2, timeout_body, &s);
}
END_TEST

static int cancel_body(int index, void *arg)
{
    struct shared *s = arg;
    hocket_rwlock *l = &s->lock;
    if (index == 0) {
        hocket_rwlock_wrlock(l);
        step_to(s, 1);
        MODE_WAIT_UNTIL(mode_parked(1) && mode_parked(2));
        hocket_cancel(mode_task(1));
        hocket_cancel(mode_task(2));
        MODE_WAIT_UNTIL(step_of(s) == 3);
        MODE_WAIT_UNTIL(mode_parked(1) && mode_parked(2));
        hocket_rwlock_unlock(l);
        return 0;
    }
    MODE_WAIT_UNTIL(step_of(s) > 0);
    int err = index == 1 ? hocket_rwlock_rdlock_until(l, HOCKET_FOREVER)
                         : hocket_rwlock_wrlock_until(l, HOCKET_FOREVER);
    HK_EXPECT_EQ(err, -ECANCELED);
    __atomic_add_fetch(&s->step, 1, __ATOMIC_RELEASE);
    if (index == 1)
        hocket_rwlock_rdlock(l);
    else
        hocket_rwlock_wrlock(l);
    hocket_rwlock_unlock(l);
    HK_EXPECT_EQ(hocket_rwlock_rdlock_until(l, HOCKET_NOW), -ECANCELED);
    return 0;
}

START_TEST(cancelled)
{
    struct shared s = { .lock = HOCKET_RWLOCK_INIT };
    mode_run(_i, 3, cancel_body, &s);
}
END_TEST

START_TEST(oneself)
{
    hocket_rwlock l = HOCKET_RWLOCK_INIT;
    hocket_rwlock_wrlock(&l);
    ck_assert_int_eq(hocket_rwlock_wrlock_until(&l, HOCKET_FOREVER), -EDEADLK);
    ck_assert_int_eq(hocket_rwlock_rdlock_until(&l, HOCKET_FOREVER), -EDEADLK);
    ck_assert_int_eq(hocket_rwlock_rdlock_until(&l, HOCKET_NOW), -ETIMEDOUT);
    ck_assert_int_eq(hocket_rwlock_tryrdlock(&l), -EAGAIN);
    hocket_rwlock_unlock(&l);
    hocket_rwlock_rdlock(&l);
    ck_assert_int_eq(hocket_rwlock_wrlock_until(&l, HOCKET_FOREVER), -EDEADLK);
    ck_assert_int_eq(hocket_rwlock_trywrlock(&l), -EAGAIN);
    hocket_rwlock_unlock(&l);
    ck_assert_int_eq(hocket_rwlock_unlock_checked(&l), -EPERM);
    hocket_rwlock_init(&l, NULL);
    hocket_rwlock_destroy(&l);
}
END_TEST

/* More read locks than the task's record remembers: less is known, nothing breaks. */
START_TEST(many_read_locks)
{
    hocket_rwlock l[12] = { HOCKET_RWLOCK_INIT };
    for (int i = 0; i < 12; i++)
        hocket_rwlock_rdlock(&l[i]);
    for (int i = 0; i < 12; i++)
        ck_assert_int_eq(hocket_rwlock_readers(&l[i]), 1);
    for (int i = 0; i < 12; i += 2)
        hocket_rwlock_unlock(&l[i]);
    for (int i = 11; i > 0; i -= 2)
        ck_assert_int_eq(hocket_rwlock_unlock_checked(&l[i]), 0);
    for (int i = 0; i < 12; i++) {
        ck_assert_int_eq(hocket_rwlock_unlock_checked(&l[i]), -EPERM);
        hocket_rwlock_destroy(&l[i]);
    }
}
END_TEST

START_TEST(readers_overflow)
{
    hocket_rwlock l = HOCKET_RWLOCK_INIT;
    l.hocket__word = 0x0fffffffu;
    ck_assert_int_eq(hocket_rwlock_tryrdlock(&l), -EOVERFLOW);
    ck_assert_int_eq(hocket_rwlock_rdlock_until(&l, HOCKET_FOREVER), -EOVERFLOW);
    l.hocket__word = 0;
}
END_TEST

static void add_tests(TCase *tc)
{
    MODE_TESTS(tc, excludes);
    MODE_TESTS(tc, readers_read_together);
    MODE_TESTS(tc, first_come_first_served);
    MODE_TESTS(tc, a_leaving_writer_lets_readers_in);
    MODE_TESTS(tc, times_out);
    MODE_TESTS(tc, cancelled);
    tcase_add_test(tc, oneself);
    tcase_add_test(tc, many_read_locks);
    tcase_add_test(tc, readers_overflow);
}

int main(void)
{
    return mode_main("rwlock", add_tests);
}
