/* SPDX-License-Identifier: MIT */
/* Event and latch: gates that are open or not.  In every mode. */
#include <errno.h>
#include <hocket/event.h>
#include <hocket/latch.h>

#include "support/modes.h"

#define TASKS  5
#define ROUNDS 500

/* One table for both: opening is setting the one, counting the other down to zero. */
union gate {
    hocket_event e;
    hocket_latch l;
};

struct shared {
    union gate gate;
    bool latch;
    int passed, step, round;
};

static void open_gate(struct shared *s)
{
    if (s->latch)
        hocket_latch_done(&s->gate.l);
    else
        hocket_event_set(&s->gate.e);
}

static void close_gate(struct shared *s)
{
    if (s->latch)
        HK_EXPECT_OK(hocket_latch_add(&s->gate.l, 1));
    else
        hocket_event_clear(&s->gate.e);
}

static bool is_open(struct shared *s)
{
    return s->latch ? hocket_latch_count(&s->gate.l) == 0 : hocket_event_is_set(&s->gate.e);
}

static int wait(struct shared *s, hocket_time deadline)
{
    return s->latch ? hocket_latch_wait(&s->gate.l, deadline)
                    : hocket_event_wait(&s->gate.e, deadline);
}

static struct shared make(bool latch)
{
    struct shared s = { .latch = latch };
    if (latch)
        s.gate.l = (hocket_latch)HOCKET_LATCH_INIT(1);
    return s;
}

static void destroy(struct shared *s)
{
    if (s->latch)
        hocket_latch_destroy(&s->gate.l);
    else
        hocket_event_destroy(&s->gate.e);
}

#define FOR_KINDS(s)                        \
    for (int kind_ = 0; kind_ < 2; kind_++) \
        for (struct shared s = make(kind_), *once_ = &s; once_; destroy(&s), once_ = NULL)

static int step_of(struct shared *s)
{
    return __atomic_load_n(&s->step, __ATOMIC_ACQUIRE);
}

static void step_to(struct shared *s, int step)
{
    __atomic_store_n(&s->step, step, __ATOMIC_RELEASE);
}

static int basic_body(int index, void *arg)
{
    struct shared *s = arg;
    if (index == 0) {
        HK_EXPECT(!is_open(s));
        for (int i = 1; i < TASKS; i++)
            MODE_WAIT_UNTIL(mode_parked(i));
        s->round = 7;
        open_gate(s);
        return 0;
    }
    HK_EXPECT_EQ(wait(s, HOCKET_NOW), -ETIMEDOUT);
    HK_EXPECT_OK(wait(s, HOCKET_FOREVER));
    HK_EXPECT_EQ(s->round, 7);
    HK_EXPECT(is_open(s));
    HK_EXPECT_OK(wait(s, HOCKET_NOW));
    return 0;
}

START_TEST(lets_all_through)
{
    FOR_KINDS(s)
    mode_run(_i, TASKS, basic_body, &s);
}
END_TEST

/* Opened and closed at once: whoever waited passes, whoever comes later waits. */
static int pulse_body(int index, void *arg)
{
    struct shared *s = arg;
    if (index > 0) {
        for (int i = 0; i < 50; i++) {
            HK_EXPECT_OK(wait(s, HOCKET_FOREVER));
            __atomic_add_fetch(&s->passed, 1, __ATOMIC_RELEASE);
            MODE_WAIT_UNTIL(step_of(s) > i);
        }
        return 0;
    }
    for (int i = 0; i < 50; i++) {
        for (int k = 1; k < TASKS; k++)
            MODE_WAIT_UNTIL(mode_parked(k));
        open_gate(s);
        close_gate(s);
        MODE_WAIT_UNTIL(__atomic_load_n(&s->passed, __ATOMIC_ACQUIRE) == (i + 1) * (TASKS - 1));
        HK_EXPECT(!is_open(s));
        step_to(s, i + 1);
    }
    return 0;
}

START_TEST(pulse)
{
    FOR_KINDS(s)
    mode_run(_i, TASKS, pulse_body, &s);
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
    HK_EXPECT_EQ(wait(s, soon), -ETIMEDOUT);
    HK_EXPECT(hocket_now() >= soon);
    HK_EXPECT_EQ(wait(s, soon), -ETIMEDOUT);
    step_to(s, 1);
    HK_EXPECT_EQ(wait(s, HOCKET_FOREVER), -ECANCELED);
    open_gate(s);
    HK_EXPECT_EQ(wait(s, HOCKET_FOREVER), -ECANCELED); /* also if it is open */
    HK_EXPECT_EQ(wait(s, HOCKET_NOW), -ECANCELED);
    return 0;
}

START_TEST(ends_by_time_and_cancel)
{
    FOR_KINDS(s)
    mode_run(_i, 2, end_body, &s);
}
END_TEST

/* The object lives on the waiter's stack and dies as soon as the wait has returned. */
static int short_life_body(int index, void *arg)
{
    struct shared **at = arg;
    for (int i = 0; i < ROUNDS; i++) {
        if (index == 0) {
            struct shared s = make(i & 1);
            __atomic_store_n(at, &s, __ATOMIC_RELEASE);
            if (i % 3 == 0)
                while (wait(&s, hocket_after(20 * HOCKET_US)) == -ETIMEDOUT)
                    continue;
            else if (i % 3 == 1)
                HK_EXPECT_OK(wait(&s, HOCKET_FOREVER));
            else
                while (wait(&s, HOCKET_NOW) == -ETIMEDOUT)
                    mode_yield();
            memset(&s, 0xff, sizeof s);
        } else {
            struct shared *s;
            MODE_WAIT_UNTIL((s = __atomic_exchange_n(at, NULL, __ATOMIC_ACQUIRE)) != NULL);
            if (i % 5 == 0)
                mode_yield();
            open_gate(s);
        }
    }
    return 0;
}

START_TEST(short_life)
{
    struct shared *at = NULL;
    mode_run(_i, 2, short_life_body, &at);
}
END_TEST

/* ---- what only a latch does ---- */

static int group_body(int index, void *arg)
{
    struct shared *s = arg;
    hocket_latch *l = &s->gate.l;
    if (index == 0) {
        for (int i = 0; i < 50; i++) {
            HK_EXPECT_OK(hocket_latch_wait(l, HOCKET_FOREVER));
            HK_EXPECT_EQ(__atomic_load_n(&s->passed, __ATOMIC_RELAXED), (i + 1) * (TASKS - 1));
            HK_EXPECT_OK(hocket_latch_add(l, TASKS - 1));
            step_to(s, i + 1);
        }
        hocket_latch_count_down(l, TASKS - 1);
        return 0;
    }
    for (int i = 0; i < 50; i++) {
        MODE_WAIT_UNTIL(step_of(s) == i);
        __atomic_add_fetch(&s->passed, 1, __ATOMIC_RELAXED);
        hocket_latch_done(l);
        MODE_WAIT_UNTIL(step_of(s) == i + 1);
    }
    return 0;
}

START_TEST(wait_group)
{
    struct shared s = { .gate.l = HOCKET_LATCH_INIT(TASKS - 1), .latch = true };
    mode_run(_i, TASKS, group_body, &s);
    ck_assert_int_eq(hocket_latch_count(&s.gate.l), 0);
}
END_TEST

START_TEST(latch_counts)
{
    hocket_latch l = HOCKET_LATCH_INIT(3);
    ck_assert_int_eq(hocket_latch_count(&l), 3);
    ck_assert_int_eq(hocket_latch_add(&l, HOCKET_LATCH_MAX - 3), 0);
    ck_assert_int_eq(hocket_latch_add(&l, 1), -EOVERFLOW);
    ck_assert_int_eq(hocket_latch_count(&l), HOCKET_LATCH_MAX);
    ck_assert_int_eq(hocket_latch_wait(&l, HOCKET_NOW), -ETIMEDOUT);
    hocket_latch_count_down(&l, HOCKET_LATCH_MAX);
    hocket_latch_count_down(&l, 0);
    ck_assert_int_eq(hocket_latch_wait(&l, HOCKET_NOW), 0);
    hocket_latch_destroy(&l);
}
END_TEST

static void add(TCase *tc)
{
    MODE_TESTS(tc, lets_all_through);
    MODE_TESTS(tc, pulse);
    MODE_TESTS(tc, ends_by_time_and_cancel);
    MODE_TESTS(tc, short_life);
    MODE_TESTS(tc, wait_group);
    tcase_add_test(tc, latch_counts);
}

int main(void)
{
    return mode_main("event and latch", add);
}
