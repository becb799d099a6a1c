/* SPDX-License-Identifier: MIT */
/* hocket_wait_on and hocket_wake, in every mode. */
#include <errno.h>
#include <hocket/park.h>
#include <limits.h>

#include "support/modes.h"

#define TASKS 5
#define WORDS 1000

struct shared {
    hocket_word word, words[WORDS];
    int step, woken;
};

static int get(int *p)
{
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

/* A lock of one's own: 0 free, 1 held, 2 held and waited for. */
static void own_lock(hocket_word *w)
{
    uint32_t old = 0;
    if (atomic_compare_exchange_strong(w, &old, 1))
        return;
    while (atomic_exchange(w, 2) != 0)
        HK_EXPECT_OK(hocket_wait_on(w, 2, HOCKET_FOREVER));
}

static void own_unlock(hocket_word *w)
{
    if (atomic_exchange(w, 0) == 2)
        (void)hocket_wake(w, 1);
}

static int lock_body(int index, void *arg)
{
    struct shared *s = arg;
    for (int i = 0; i < 2000; i++) {
        own_lock(&s->word);
        s->woken++;
        if ((i + index) % 32 == 0)
            mode_yield();
        own_unlock(&s->word);
    }
    return 0;
}

START_TEST(a_lock_of_ones_own)
{
    struct shared s = { .word = 0 };
    mode_run(_i, TASKS, lock_body, &s);
    ck_assert_int_eq(s.woken, TASKS * 2000);
}
END_TEST

static int basic_body(int index, void *arg)
{
    struct shared *s = arg;
    if (index > 0) {
        HK_EXPECT_OK(hocket_wait_on(&s->word, 1, HOCKET_FOREVER)); /* another value */
        MODE_WAIT_UNTIL(get(&s->step) == index);
        HK_EXPECT_OK(hocket_wait_on(&s->word, 0, HOCKET_FOREVER));
        __atomic_add_fetch(&s->woken, index < 3 ? 1 : 100, __ATOMIC_ACQ_REL);
        return 0;
    }
    for (int i = 1; i < TASKS; i++) {
        __atomic_store_n(&s->step, i, __ATOMIC_RELEASE);
        MODE_WAIT_UNTIL(mode_parked(i));
    }
    for (int i = 0; i < WORDS; i++) /* others, some of them in the same bucket */
        HK_EXPECT_EQ(hocket_wake(&s->words[i], INT_MAX), 0);
    HK_EXPECT_EQ(hocket_wake(&s->word, 0), 0);
    HK_EXPECT_EQ(hocket_wake(&s->word, 2), 2); /* the first two */
    MODE_WAIT_UNTIL(get(&s->woken) == 2);
    HK_EXPECT(mode_parked(3) && mode_parked(4));
    HK_EXPECT_EQ(hocket_wake(&s->word, INT_MAX), 2);
    HK_EXPECT_EQ(hocket_wake(&s->word, INT_MAX), 0);
    return 0;
}

START_TEST(wakes_in_order)
{
    static struct shared s;
    mode_run(_i, TASKS, basic_body, &s);
    ck_assert_int_eq(s.woken, 202);
}
END_TEST

static int end_body(int index, void *arg)
{
    struct shared *s = arg;
    if (index == 0) {
        MODE_WAIT_UNTIL(get(&s->step) == 1 && mode_parked(1));
        hocket_cancel(mode_task(1));
        return 0;
    }
    hocket_time soon = hocket_after(3 * HOCKET_MS);
    HK_EXPECT_EQ(hocket_wait_on(&s->word, 0, HOCKET_NOW), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_wait_on(&s->word, 0, soon), -ETIMEDOUT);
    HK_EXPECT(hocket_now() >= soon);
    __atomic_store_n(&s->step, 1, __ATOMIC_RELEASE);
    HK_EXPECT_EQ(hocket_wait_on(&s->word, 0, HOCKET_FOREVER), -ECANCELED);
    HK_EXPECT_EQ(hocket_wait_on(&s->word, 1, HOCKET_FOREVER), -ECANCELED);
    HK_EXPECT_EQ(hocket_wake(&s->word, INT_MAX), 0); /* nothing of it is left */
    return 0;
}

START_TEST(ends_by_time_and_cancel)
{
    static struct shared s;
    mode_run(_i, 2, end_body, &s);
}
END_TEST

static void add(TCase *tc)
{
    MODE_TESTS(tc, a_lock_of_ones_own);
    MODE_TESTS(tc, wakes_in_order);
    MODE_TESTS(tc, ends_by_time_and_cancel);
}

int main(void)
{
    return mode_main("wait_on", add);
}
