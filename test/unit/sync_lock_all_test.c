/* SPDX-License-Identifier: MIT */
/*
 * lock_all, and the order of lock classes, in every mode.
 *
 * gets: hocket_lock_all_refs -ETIMEDOUT -ECANCELED (of which hocket_lock_all is a macro)
 */
#include <errno.h>
#include <hocket/lock_all.h>

#include "park/report.h"
#include "support/modes.h"

#define TASKS 4
#define TURNS 500

struct shared {
    hocket_mutex a;
    hocket_rmutex b;
    hocket_rwlock c;
    int value, step;
};

static int step_of(struct shared *s)
{
    return __atomic_load_n(&s->step, __ATOMIC_ACQUIRE);
}

static void step_to(struct shared *s, int step)
{
    __atomic_store_n(&s->step, step, __ATOMIC_RELEASE);
}

static int any_order(int index, void *arg)
{
    struct shared *s = arg;
    for (int i = 0; i < TURNS; i++) {
        int err = index % 3 == 0   ? hocket_lock_all(&s->a, &s->b, &s->c)
                  : index % 3 == 1 ? hocket_lock_all(&s->c, &s->a, &s->b)
                                   : hocket_lock_all_until(HOCKET_FOREVER, &s->b, &s->c, &s->a);
        HK_EXPECT_OK(err);
        HK_EXPECT(hocket_mutex_held(&s->a) && hocket_rmutex_depth(&s->b) == 1 &&
                  hocket_rwlock_write_locked(&s->c));
        s->value++;
        if (i % 32 == 0)
            mode_yield();
        hocket_unlock_all(&s->a, &s->b, &s->c);
    }
    return 0;
}

START_TEST(no_deadlock)
{
    struct shared s = { .value = 0 };
    mode_run(_i, TASKS, any_order, &s);
    ck_assert_int_eq(s.value, TASKS * TURNS);
}
END_TEST

static int all_or_nothing(int index, void *arg)
{
    struct shared *s = arg;
    if (index == 0) {
        hocket_rwlock_rdlock(&s->c);
        step_to(s, 1);
        MODE_WAIT_UNTIL(step_of(s) == 2);
        MODE_WAIT_UNTIL(mode_parked(1));
        HK_EXPECT(!hocket_mutex_locked(&s->a) && !hocket_rmutex_locked(&s->b));
        hocket_cancel(mode_task(1));
        MODE_WAIT_UNTIL(step_of(s) == 3);
        hocket_rwlock_unlock(&s->c);
        return 0;
    }
    MODE_WAIT_UNTIL(step_of(s) == 1);
    HK_EXPECT_EQ(hocket_lock_all_until(HOCKET_NOW, &s->a, &s->b, &s->c), -ETIMEDOUT);
    HK_EXPECT(!hocket_mutex_locked(&s->a) && !hocket_rmutex_locked(&s->b));
    hocket_time soon = hocket_after(3 * HOCKET_MS);
    HK_EXPECT_EQ(hocket_lock_all_until(soon, &s->a, &s->b, &s->c), -ETIMEDOUT);
    HK_EXPECT(hocket_now() >= soon);
    HK_EXPECT(!hocket_mutex_locked(&s->a) && !hocket_rmutex_locked(&s->b));
    step_to(s, 2);
    HK_EXPECT_EQ(hocket_lock_all(&s->a, &s->b, &s->c), -ECANCELED);
    HK_EXPECT(!hocket_mutex_locked(&s->a) && !hocket_rmutex_locked(&s->b));
    HK_EXPECT_EQ(hocket_lock_all(&s->a), -ECANCELED);
    step_to(s, 3);
    return 0;
}

START_TEST(takes_all_or_nothing)
{
    struct shared s = { .value = 0 };
    mode_run(_i, 2, all_or_nothing, &s);
}
END_TEST

START_TEST(refuses)
{
    struct shared s = { .value = 0 };
    hocket_lock_ref none = { NULL, HOCKET_LOCK_MUTEX }, odd = { &s.a, 9 };
    ck_assert_int_eq(hocket_lock_all(&s.a, &s.b, &s.a), -EINVAL);
    ck_assert_int_eq(hocket_lock_all_refs(&none, 1, HOCKET_FOREVER), -EINVAL);
    ck_assert_int_eq(hocket_lock_all_refs(&odd, 1, HOCKET_FOREVER), -EINVAL);
    ck_assert_int_eq(hocket_lock_all_refs(&odd, 0, HOCKET_FOREVER), 0);
    hocket_mutex_lock(&s.a);
    ck_assert_int_eq(hocket_lock_all(&s.b, &s.a), -EDEADLK);
    hocket_mutex_unlock(&s.a);
    hocket_rwlock_rdlock(&s.c);
    ck_assert_int_eq(hocket_lock_all(&s.b, &s.c), -EDEADLK);
    hocket_lock_ref again[] = { HOCKET_LOCK_REF_READ(&s.c), HOCKET_LOCK_REF(&s.a) };
    ck_assert_int_eq(hocket_lock_all_refs(again, 2, HOCKET_FOREVER), 0);
    hocket_unlock_all_refs(again, 2);
    hocket_rwlock_unlock(&s.c);
    hocket_rmutex_lock(&s.b);
    ck_assert_int_eq(hocket_lock_all(&s.b, &s.c), 0); /* re-entrant */
    ck_assert_int_eq(hocket_rmutex_depth(&s.b), 2);
    hocket_unlock_all(&s.b, &s.c);
    hocket_rmutex_unlock(&s.b);
    ck_assert(!hocket_mutex_locked(&s.a) && !hocket_rmutex_locked(&s.b));
    ck_assert(!hocket_rwlock_locked(&s.c));
}
END_TEST

START_TEST(sixteen)
{
    hocket_mutex l[16] = { HOCKET_MUTEX_INIT };
    ck_assert_int_eq(hocket_lock_all(&l[0], &l[1], &l[2], &l[3], &l[4], &l[5], &l[6], &l[7], &l[8],
                                     &l[9], &l[10], &l[11], &l[12], &l[13], &l[14], &l[15]),
                     0);
    for (int i = 0; i < 16; i++)
        ck_assert(hocket_mutex_held(&l[i]));
    hocket_unlock_all(&l[0], &l[1], &l[2], &l[3], &l[4], &l[5], &l[6], &l[7], &l[8], &l[9], &l[10],
                      &l[11], &l[12], &l[13], &l[14], &l[15]);
    for (int i = 0; i < 16; i++)
        ck_assert(!hocket_mutex_locked(&l[i]));
}
END_TEST

/* ---- the order ---- */

static char last_report[600];
static int reports;

static void keep_report(const char *line)
{
    snprintf(last_report, sizeof last_report, "%s", line);
    reports++;
}

static hocket_lock_class first = HOCKET_LOCK_CLASS_INIT("first");
static hocket_lock_class second = HOCKET_LOCK_CLASS_INIT("second");
static hocket_lock_class third = HOCKET_LOCK_CLASS_INIT("third");

struct ordered {
    hocket_mutex a, a2;
    hocket_rmutex b;
    hocket_rwlock c;
};

#define ORDERED                                                                 \
    {                                                                           \
        HOCKET_MUTEX_INIT_CLASS(&first), HOCKET_MUTEX_INIT_CLASS(&first),       \
            HOCKET_RMUTEX_INIT_CLASS(&second), HOCKET_RWLOCK_INIT_CLASS(&third) \
    }

START_TEST(learns_the_order)
{
    struct ordered o = ORDERED;
    hocket__report_hook = keep_report;
    /* first before second, second before third. */
    hocket_mutex_lock(&o.a);
    hocket_rmutex_lock(&o.b);
    hocket_rmutex_unlock(&o.b);
    hocket_mutex_unlock(&o.a);
    hocket_rmutex_lock(&o.b);
    hocket_rwlock_wrlock(&o.c);
    hocket_rwlock_unlock(&o.c);
    hocket_rmutex_unlock(&o.b);
    ck_assert_int_eq(reports, 0);

    /* Trying never waits: it teaches nothing and breaks nothing. */
    hocket_rwlock_rdlock(&o.c);
    ck_assert_int_eq(hocket_mutex_trylock(&o.a), 0);
    hocket_mutex_unlock(&o.a);
    ck_assert_int_eq(hocket_mutex_lock_until(&o.a, HOCKET_NOW), 0);
    hocket_mutex_unlock(&o.a);
    ck_assert_int_eq(reports, 0);

    /* third is held: first comes before it, over second. */
    ck_assert_int_eq(hocket_lock_all(&o.a, &o.b), -EDEADLK);
    ck_assert_int_eq(reports, 0);
    hocket_mutex_lock(&o.a);
    ck_assert_int_eq(reports, 1);
    ck_assert(strstr(last_report, "hocket_mutex_lock"));
    ck_assert(strstr(last_report, "\"first\"") && strstr(last_report, "\"third\""));
    hocket_mutex_unlock(&o.a);
    ck_assert_int_eq(hocket_mutex_lock_until(&o.a, HOCKET_FOREVER), 0); /* said once */
    hocket_mutex_unlock(&o.a);
    hocket_rwlock_unlock(&o.c);
    ck_assert_int_eq(reports, 1);

    /* In the right order, and within one class, there is nothing to say. */
    hocket_mutex_lock(&o.a);
    hocket_mutex_lock(&o.a2);
    ck_assert_int_eq(hocket_lock_all(&o.b, &o.c), 0);
    hocket_unlock_all(&o.b, &o.c);
    hocket_mutex_unlock(&o.a2);
    hocket_mutex_unlock(&o.a);
    ck_assert_int_eq(hocket_lock_all(&o.c, &o.a2, &o.b, &o.a), 0);
    hocket_unlock_all(&o.c, &o.a2, &o.b, &o.a);
    ck_assert_int_eq(reports, 1);

    /* second again after first is released: nothing is held. */
    hocket_rmutex_lock(&o.b);
    ck_assert_int_eq(hocket_lock_all(&o.a), -EDEADLK);
    hocket_rmutex_unlock(&o.b);
    ck_assert_int_eq(hocket_lock_all(&o.a), 0);
    hocket_unlock_all(&o.a);
}
END_TEST

/* Locks without class, unowned ones, and more than are remembered: no judgement, no harm. */
START_TEST(judges_nothing_else)
{
    struct ordered o = ORDERED;
    hocket_mutex plain = HOCKET_MUTEX_INIT, unowned, many[8];
    hocket_mutex_init(&unowned, HOCKET_MUTEX_UNOWNED, &third);
    hocket__report_hook = keep_report;
    hocket_mutex_lock(&unowned);
    hocket_mutex_lock(&o.a);
    hocket_mutex_lock(&plain);
    hocket_mutex_unlock(&plain);
    hocket_mutex_unlock(&o.a);
    hocket_mutex_lock(&o.a);
    hocket_mutex_unlock(&o.a);
    hocket_mutex_unlock(&unowned);
    for (int i = 0; i < 8; i++) {
        hocket_mutex_init(&many[i], 0, &second);
        hocket_mutex_lock(&many[i]);
    }
    for (int i = 0; i < 8; i++)
        hocket_mutex_unlock(&many[i]);
    ck_assert_int_eq(reports, 0);
}
END_TEST

START_TEST(many_classes)
{
    static hocket_lock_class classes[300];
    static hocket_mutex l[300];
    hocket__report_hook = keep_report;
    for (int i = 0; i < 300; i++) {
        classes[i].name = "one of many";
        hocket_mutex_init(&l[i], 0, &classes[i]);
    }
    for (int i = 0; i + 1 < 300; i++) {
        hocket_mutex_lock(&l[i]);
        hocket_mutex_lock(&l[i + 1]);
        hocket_mutex_unlock(&l[i + 1]);
        hocket_mutex_unlock(&l[i]);
    }
    ck_assert_int_eq(reports, 0);
    hocket_mutex_lock(&l[200]);
    ck_assert_int_eq(hocket_lock_all(&l[0]), -EDEADLK);
    hocket_mutex_unlock(&l[200]);
    hocket_mutex_lock(&l[290]); /* beyond the limit nothing is known */
    ck_assert_int_eq(hocket_lock_all(&l[0]), 0);
    hocket_unlock_all(&l[0]);
    hocket_mutex_unlock(&l[290]);
}
END_TEST

static int ordered_body(int index, void *arg)
{
    struct ordered *o = arg;
    for (int i = 0; i < 300; i++) {
        hocket_mutex_lock(index % 2 ? &o->a : &o->a2);
        hocket_rmutex_lock(&o->b);
        hocket_rwlock_rdlock(&o->c);
        if (i % 16 == 0)
            mode_yield();
        hocket_rwlock_unlock(&o->c);
        hocket_rmutex_unlock(&o->b);
        hocket_mutex_unlock(index % 2 ? &o->a : &o->a2);
    }
    return 0;
}

START_TEST(order_in_every_mode)
{
    struct ordered o = ORDERED;
    hocket__report_hook = keep_report;
    mode_run(_i, TASKS, ordered_body, &o);
    ck_assert_int_eq(reports, 0);
}
END_TEST

static void add(TCase *tc)
{
    MODE_TESTS(tc, no_deadlock);
    MODE_TESTS(tc, takes_all_or_nothing);
    tcase_add_test(tc, refuses);
    tcase_add_test(tc, sixteen);
    tcase_add_test(tc, learns_the_order);
    tcase_add_test(tc, judges_nothing_else);
    tcase_add_test(tc, many_classes);
    MODE_TESTS(tc, order_in_every_mode);
}

int main(void)
{
    return mode_main("lock_all", add);
}
