/* SPDX-License-Identifier: MIT */
/* The semaphore, bounded and not, in every mode. */
#include <errno.h>
#include <hocket/sem.h>

#include "support/modes.h"

#define TASKS 6
#define TURNS 1000

struct shared {
    hocket_sem sem;
    int inside, most, step, order[TASKS], places, got;
    hocket_sem *at;
};

static int step_of(struct shared *s)
{
    return __atomic_load_n(&s->step, __ATOMIC_ACQUIRE);
}

static void step_to(struct shared *s, int step)
{
    __atomic_store_n(&s->step, step, __ATOMIC_RELEASE);
}

static int limit_body(int index, void *arg)
{
    struct shared *s = arg;
    for (int i = 0; i < TURNS; i++) {
        if ((i + index) % 4 == 0)
            while (hocket_sem_try(&s->sem) != 0)
                mode_yield();
        else
            HK_EXPECT_OK(hocket_sem_acquire(&s->sem, HOCKET_FOREVER));
        int n = __atomic_add_fetch(&s->inside, 1, __ATOMIC_ACQ_REL);
        HK_EXPECT(n <= 3);
        if (n == 3)
            __atomic_store_n(&s->most, n, __ATOMIC_RELEASE);
        if (i == 0 && index < 3) /* three do get in together */
            MODE_WAIT_UNTIL(__atomic_load_n(&s->most, __ATOMIC_ACQUIRE) == 3);
        if (i % 16 == 0)
            mode_yield();
        __atomic_sub_fetch(&s->inside, 1, __ATOMIC_ACQ_REL);
        HK_EXPECT_OK(hocket_sem_release(&s->sem));
    }
    return 0;
}

START_TEST(limits)
{
    for (int bounded = 0; bounded < 2; bounded++) {
        struct shared s = { .sem = HOCKET_SEM_INIT(3) };
        if (bounded)
            s.sem = (hocket_sem)HOCKET_SEM_INIT_BOUNDED(3);
        mode_run(_i, TASKS, limit_body, &s);
        ck_assert_int_eq(hocket_sem_value(&s.sem), 3);
        ck_assert_int_eq(s.most, 3);
        hocket_sem_destroy(&s.sem);
    }
}
END_TEST

static int order_body(int index, void *arg)
{
    struct shared *s = arg;
    if (index > 0) {
        MODE_WAIT_UNTIL(step_of(s) == index);
        HK_EXPECT_OK(hocket_sem_acquire(&s->sem, HOCKET_FOREVER));
        s->order[__atomic_fetch_add(&s->got, 1, __ATOMIC_ACQ_REL)] = index;
        __atomic_add_fetch(&s->places, 1, __ATOMIC_ACQ_REL);
        return 0;
    }
    for (int i = 1; i < TASKS; i++) {
        step_to(s, i);
        MODE_WAIT_UNTIL(mode_parked(i));
    }
    for (int i = 1; i < 4; i++) {
        HK_EXPECT_OK(hocket_sem_release(&s->sem));
        MODE_WAIT_UNTIL(__atomic_load_n(&s->places, __ATOMIC_ACQUIRE) == i);
        HK_EXPECT_EQ(s->order[i - 1], i);
        HK_EXPECT_EQ(hocket_sem_value(&s->sem), 0);
        HK_EXPECT_EQ(hocket_sem_try(&s->sem), -EAGAIN);
        HK_EXPECT_EQ(hocket_sem_acquire(&s->sem, HOCKET_NOW), -ETIMEDOUT);
    }
    HK_EXPECT_OK(hocket_sem_release_many(&s->sem, 5)); /* two waiters, three left */
    MODE_WAIT_UNTIL(__atomic_load_n(&s->places, __ATOMIC_ACQUIRE) == TASKS - 1);
    HK_EXPECT_EQ(hocket_sem_value(&s->sem), 3);
    HK_EXPECT_OK(hocket_sem_try(&s->sem));
    HK_EXPECT_OK(hocket_sem_acquire(&s->sem, HOCKET_NOW));
    return 0;
}

START_TEST(first_come_first_served)
{
    struct shared s = { .sem = HOCKET_SEM_INIT(0) };
    mode_run(_i, TASKS, order_body, &s);
    ck_assert_int_eq(hocket_sem_value(&s.sem), 1);
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
    hocket_time soon = hocket_after(3 * HOCKET_MS);
    HK_EXPECT_EQ(hocket_sem_acquire(&s->sem, soon), -ETIMEDOUT);
    HK_EXPECT(hocket_now() >= soon);
    HK_EXPECT_EQ(hocket_sem_acquire(&s->sem, soon), -ETIMEDOUT);
    step_to(s, 1);
    HK_EXPECT_EQ(hocket_sem_acquire(&s->sem, HOCKET_FOREVER), -ECANCELED);
    HK_EXPECT_OK(hocket_sem_release(&s->sem));
    HK_EXPECT_EQ(hocket_sem_acquire(&s->sem, HOCKET_FOREVER), -ECANCELED);
    HK_EXPECT_EQ(hocket_sem_value(&s->sem), 1);
    HK_EXPECT_OK(hocket_sem_try(&s->sem));
    return 0;
}

START_TEST(ends_by_time_and_cancel)
{
    struct shared s = { .sem = HOCKET_SEM_INIT(0) };
    mode_run(_i, 2, end_body, &s);
}
END_TEST

/* Whoever has acquired the permits of all releases may free the semaphore. */
static int short_life_body(int index, void *arg)
{
    struct shared *s = arg;
    for (int i = 0; i < 500; i++) {
        if (index == 0) {
            hocket_sem sem = HOCKET_SEM_INIT(0);
            __atomic_store_n(&s->got, 0, __ATOMIC_RELAXED);
            __atomic_store_n(&s->at, &sem, __ATOMIC_RELEASE);
            step_to(s, i + 1);
            for (int k = 0; k < 2; k++) {
                hocket_time deadline = i % 2 ? hocket_after(10 * HOCKET_US) : HOCKET_FOREVER;
                while (hocket_sem_acquire(&sem, deadline) == -ETIMEDOUT)
                    deadline = hocket_after(10 * HOCKET_US);
            }
            memset(&sem, 0xff, sizeof sem);
            /* Both have left it; they say so themselves. */
            MODE_WAIT_UNTIL(__atomic_load_n(&s->got, __ATOMIC_ACQUIRE) == 2);
        } else {
            MODE_WAIT_UNTIL(step_of(s) == i + 1);
            HK_EXPECT_OK(hocket_sem_release(__atomic_load_n(&s->at, __ATOMIC_ACQUIRE)));
            __atomic_add_fetch(&s->got, 1, __ATOMIC_RELEASE);
            MODE_WAIT_UNTIL(step_of(s) == i + 2 || i == 499);
        }
    }
    return 0;
}

START_TEST(short_life)
{
    struct shared s = { .got = 0 };
    mode_run(_i, 3, short_life_body, &s);
}
END_TEST

START_TEST(bounds)
{
    hocket_sem s = HOCKET_SEM_INIT_BOUNDED(2);
    ck_assert_int_eq(hocket_sem_bound(&s), 2);
    ck_assert_int_eq(hocket_sem_release(&s), -EOVERFLOW);
    ck_assert_int_eq(hocket_sem_acquire(&s, HOCKET_NOW), 0);
    ck_assert_int_eq(hocket_sem_release_many(&s, 2), -EOVERFLOW);
    ck_assert_int_eq(hocket_sem_value(&s), 1);
    ck_assert_int_eq(hocket_sem_release(&s), 0);
    ck_assert_int_eq(hocket_sem_release_many(&s, 0), 0);

    hocket_sem u = HOCKET_SEM_INIT(HOCKET_SEM_MAX - 1);
    ck_assert_int_eq(hocket_sem_bound(&u), 0);
    ck_assert_int_eq(hocket_sem_release(&u), 0);
    ck_assert_int_eq(hocket_sem_release(&u), -EOVERFLOW);
    ck_assert_int_eq(hocket_sem_release_many(&u, UINT32_MAX), -EOVERFLOW);

    ck_assert_int_eq(hocket_sem_init(&s, 3, 2), -EINVAL);
    ck_assert_int_eq(hocket_sem_init(&s, HOCKET_SEM_MAX + 1, 0), -EINVAL);
    ck_assert_int_eq(hocket_sem_init(&s, 0, HOCKET_SEM_MAX + 1), -EINVAL);
    ck_assert_int_eq(hocket_sem_value(&s), 2);
    ck_assert_int_eq(hocket_sem_init(&s, 0, 1), 0);
    ck_assert_int_eq(hocket_sem_try(&s), -EAGAIN);
    ck_assert_int_eq(hocket_sem_release(&s), 0);
    ck_assert_int_eq(hocket_sem_release(&s), -EOVERFLOW);
    hocket_sem_destroy(&s);
}
END_TEST

static void add(TCase *tc)
{
    MODE_TESTS(tc, limits);
    MODE_TESTS(tc, first_come_first_served);
    MODE_TESTS(tc, ends_by_time_and_cancel);
    MODE_TESTS(tc, short_life);
    tcase_add_test(tc, bounds);
}

int main(void)
{
    return mode_main("sem", add);
}
