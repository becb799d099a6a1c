/* SPDX-License-Identifier: MIT */
/* Once, guarded values, scoped locking, in every mode. */
#include <errno.h>
#include <hocket/guarded.h>
#include <hocket/once.h>
#include <hocket/rwlock.h>

#include "support/modes.h"

#define TASKS 5

struct shared {
    hocket_once once;
    int ran, fails, step, done;
};

static int slow(void *arg)
{
    struct shared *s = arg;
    for (int i = 0; i < 10; i++)
        mode_yield();
    s->ran++;
    return s->ran <= s->fails ? -ENOENT : 5;
}

static int once_body(int index, void *arg)
{
    struct shared *s = arg;
    (void)index;
    int rc;
    while ((rc = hocket_once_do(&s->once, slow, s, HOCKET_FOREVER)) == -ENOENT)
        __atomic_add_fetch(&s->step, 1, __ATOMIC_RELAXED);
    HK_EXPECT_EQ(rc, 0);
    HK_EXPECT(hocket_once_done(&s->once));
    HK_EXPECT_EQ(s->ran, s->fails + 1);
    return 0;
}

START_TEST(runs_once)
{
    for (int fails = 0; fails < 4; fails++) {
        struct shared s = { .fails = fails };
        ck_assert(!hocket_once_done(&s.once));
        mode_run(_i, TASKS, once_body, &s);
        ck_assert_int_eq(s.ran, fails + 1);
        ck_assert_int_eq(s.step, fails); /* each failure went to one caller */
    }
}
END_TEST

static int hold(void *arg)
{
    struct shared *s = arg;
    __atomic_store_n(&s->step, 1, __ATOMIC_RELEASE);
    MODE_WAIT_UNTIL(__atomic_load_n(&s->step, __ATOMIC_ACQUIRE) == 2);
    return 0;
}

static int end_body(int index, void *arg)
{
    struct shared *s = arg;
    if (index == 0) {
        HK_EXPECT_OK(hocket_once_do(&s->once, hold, s, HOCKET_NOW));
        return 0;
    }
    if (index == 1) {
        MODE_WAIT_UNTIL(mode_parked(2));
        hocket_cancel(mode_task(2));
        return 0;
    }
    MODE_WAIT_UNTIL(__atomic_load_n(&s->step, __ATOMIC_ACQUIRE) == 1);
    HK_EXPECT_EQ(hocket_once_do(&s->once, hold, s, HOCKET_NOW), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_once_do(&s->once, hold, s, HOCKET_FOREVER), -ECANCELED);
    __atomic_store_n(&s->step, 2, __ATOMIC_RELEASE);
    MODE_WAIT_UNTIL(hocket_once_done(&s->once));
    HK_EXPECT_EQ(hocket_once_do(&s->once, hold, s, HOCKET_FOREVER), -ECANCELED);
    return 0;
}

START_TEST(once_ends_by_time_and_cancel)
{
    struct shared s = { .ran = 0 };
    mode_run(_i, 3, end_body, &s);
}
END_TEST

static int deadline_body(int index, void *arg)
{
    struct shared *s = arg;
    if (index == 0) {
        HK_EXPECT_OK(hocket_once_do(&s->once, hold, s, HOCKET_FOREVER));
        return 0;
    }
    MODE_WAIT_UNTIL(__atomic_load_n(&s->step, __ATOMIC_ACQUIRE) == 1);
    hocket_time soon = hocket_after(3 * HOCKET_MS);
    HK_EXPECT_EQ(hocket_once_do(&s->once, hold, s, soon), -ETIMEDOUT);
    HK_EXPECT(hocket_now() >= soon);
    __atomic_store_n(&s->step, 2, __ATOMIC_RELEASE);
    return 0;
}

START_TEST(once_deadline)
{
    struct shared s = { .ran = 0 };
    mode_run(_i, 2, deadline_body, &s);
    ck_assert(hocket_once_done(&s.once));
}
END_TEST

static int itself(void *arg)
{
    HK_EXPECT_EQ(hocket_once_do(arg, itself, arg, HOCKET_FOREVER), -EDEADLK);
    return -EIO;
}

START_TEST(once_in_once)
{
    hocket_once once = HOCKET_ONCE_INIT;
    ck_assert_int_eq(hocket_once_do(&once, itself, &once, HOCKET_FOREVER), -EIO);
    ck_assert(!hocket_once_done(&once));
}
END_TEST

/* ---- guarded ---- */

struct account {
    int balance, calls, depth;
};

static void before(void *value, void *context)
{
    struct account *a = value;
    HK_EXPECT(context != NULL);
    a->depth++;
}

static void after(void *value, void *context)
{
    struct account *a = value;
    (void)context;
    a->depth--;
    a->calls++;
}

static int add_to(void *value, void *arg)
{
    struct account *a = value;
    a->balance += *(int *)arg;
    return a->balance;
}

static int twice(void *value, void *arg)
{
    (void)value;
    hocket_guarded *g = arg;
    int one = 1;
    HK_EXPECT(hocket_guarded_call(g, add_to, &one) > 0);
    return hocket_guarded_call_until(g, add_to, &one, HOCKET_NOW); /* locked again */
}

static int guarded_body(int index, void *arg)
{
    hocket_guarded *g = arg;
    (void)index;
    for (int i = 0; i < 300; i++) {
        HK_EXPECT(hocket_guarded_call(g, twice, g) > 0);
        HOCKET_WITH_VALUE(struct account, a, g) {
            a->balance++;
            if (i % 16)
                continue; /* leaves the block, not the loop around */
            mode_yield();
        }
        struct account *a = hocket_guarded_lock(g);
        a->balance++;
        hocket_guarded_unlock(g);
    }
    return 0;
}

START_TEST(guards)
{
    for (int kind = 0; kind < 2; kind++) {
        struct account account = { 0, 0, 0 };
        hocket_guarded g = HOCKET_GUARDED_INIT(&account);
        hocket_guarded_options o = HOCKET_GUARDED_OPTIONS_DEFAULT;
        hocket_rmutex mine = HOCKET_RMUTEX_INIT;
        if (kind) {
            o.before = before;
            o.after = after;
            o.context = &g;
            o.lock = HOCKET_LOCK_REF(&mine);
            hocket_guarded_init(&g, &account, &o);
        }
        mode_run(_i, TASKS, guarded_body, &g);
        ck_assert_int_eq(account.balance, TASKS * 300 * 4);
        ck_assert_int_eq(account.depth, 0);
        ck_assert_int_eq(account.calls, kind ? TASKS * 300 * 5 : 0);
        ck_assert_ptr_eq(hocket_guarded_peek(&g), &account);
        hocket_guarded_destroy(&g);
    }
}
END_TEST

static int until_body(int index, void *arg)
{
    hocket_guarded *g = arg;
    static int step;
    int one = 1;
    if (index == 0) {
        (void)hocket_guarded_lock(g);
        __atomic_store_n(&step, 1, __ATOMIC_RELEASE);
        MODE_WAIT_UNTIL(__atomic_load_n(&step, __ATOMIC_ACQUIRE) == 2);
        hocket_guarded_unlock(g);
        return 0;
    }
    MODE_WAIT_UNTIL(__atomic_load_n(&step, __ATOMIC_ACQUIRE) == 1);
    HK_EXPECT_EQ(hocket_guarded_call_until(g, add_to, &one, HOCKET_NOW), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_guarded_call_until(g, add_to, &one, hocket_after(HOCKET_MS)), -ETIMEDOUT);
    hocket_cancel(hocket_self());
    HK_EXPECT_EQ(hocket_guarded_call_until(g, add_to, &one, HOCKET_FOREVER), -ECANCELED);
    __atomic_store_n(&step, 2, __ATOMIC_RELEASE);
    return 0;
}

START_TEST(guarded_until)
{
    hocket_rwlock l = HOCKET_RWLOCK_INIT;
    struct account account = { 0, 0, 0 };
    hocket_guarded g;
    hocket_guarded_options o = HOCKET_GUARDED_OPTIONS_DEFAULT;
    o.lock = HOCKET_LOCK_REF(&l);
    hocket_guarded_init(&g, &account, &o);
    mode_run(_i, 2, until_body, &g);
    ck_assert_int_eq(account.balance, 0);
    ck_assert(!hocket_rwlock_locked(&l));
}
END_TEST

/* The lock's own limits are told as they are. */
START_TEST(guarded_too_deep)
{
    struct account account = { 0, 0, 0 };
    hocket_rmutex deep = HOCKET_RMUTEX_INIT;
    hocket_guarded g;
    hocket_guarded_options o = HOCKET_GUARDED_OPTIONS_DEFAULT;
    int one = 1;
    o.lock = HOCKET_LOCK_REF(&deep);
    o.size = 0;
    hocket_guarded_init(&g, &account, &o);
    hocket_rmutex_lock(&deep);
    deep.hocket__depth = UINT32_MAX;
    ck_assert_int_eq(hocket_guarded_call_until(&g, add_to, &one, HOCKET_FOREVER), -EOVERFLOW);
    deep.hocket__depth = 0;
    hocket_rmutex_unlock(&deep);
    ck_assert_int_eq(account.balance, 0);
    ck_assert_int_gt(hocket_guarded_call(&g, add_to, &one), 0);
    hocket_guarded_destroy(&g);
}
END_TEST

/* ---- HOCKET_WITH ---- */

static hocket_mutex m;
static hocket_rmutex r;
static hocket_rwlock w;

static int leave(int how)
{
    for (int i = 0; i < 2; i++) {
        HOCKET_WITH(&m) {
            ck_assert(hocket_mutex_held(&m));
            HOCKET_WITH(&r) {
                HOCKET_WITH(&w) {
                    ck_assert(hocket_rwlock_write_locked(&w));
                    if (how == 0)
                        return 10;
                    if (how == 1)
                        break;
                    if (how == 2)
                        continue;
                    if (how == 3)
                        goto out;
                }
                ck_assert(!hocket_rwlock_locked(&w));
                HOCKET_WITH_READ(&w) {
                    ck_assert_int_eq(hocket_rwlock_readers(&w), 1);
                }
            }
            ck_assert(!hocket_rmutex_locked(&r));
        }
        ck_assert(!hocket_mutex_locked(&m));
    }
    return 20;
out:
    return 30;
}

START_TEST(scoped)
{
    static const int expected[] = { 10, 20, 20, 30, 20 };
    for (int how = 0; how < 5; how++) {
        ck_assert_int_eq(leave(how), expected[how]);
        ck_assert(!hocket_mutex_locked(&m));
        ck_assert(!hocket_rmutex_locked(&r));
        ck_assert(!hocket_rwlock_locked(&w));
    }
}
END_TEST

static void add(TCase *tc)
{
    MODE_TESTS(tc, runs_once);
    MODE_TESTS(tc, once_ends_by_time_and_cancel);
    MODE_TESTS(tc, once_deadline);
    tcase_add_test(tc, once_in_once);
    MODE_TESTS(tc, guards);
    MODE_TESTS(tc, guarded_until);
    tcase_add_test(tc, guarded_too_deep);
    tcase_add_test(tc, scoped);
}

int main(void)
{
    return mode_main("once, guarded and scoped", add);
}
