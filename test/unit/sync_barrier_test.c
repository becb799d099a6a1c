/* SPDX-License-Identifier: MIT */
/* The barrier, in every mode. */
#include <errno.h>
#include <hocket/barrier.h>

#include "support/modes.h"

#define PARTIES 5
#define ROUNDS  200

struct shared {
    hocket_barrier b;
    int arrived, acted, step, results[PARTIES + 1], fail_at;
    unsigned seen[ROUNDS];
};

static int get(int *p)
{
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static int add(int *p, int n)
{
    return __atomic_add_fetch(p, n, __ATOMIC_ACQ_REL);
}

static int rounds_body(int index, void *arg)
{
    struct shared *s = arg;
    for (int i = 0; i < ROUNDS; i++) {
        if ((i + index) % 7 == 0)
            mode_yield();
        add(&s->arrived, 1);
        int place = hocket_barrier_wait(&s->b,
                                        i % 2 ? HOCKET_FOREVER : hocket_after(HOCKET_SEC * 30));
        HK_EXPECT(place >= 0 && place < PARTIES);
        HK_EXPECT(get(&s->arrived) >= (i + 1) * PARTIES);
        HK_EXPECT(get(&s->acted) >= (s->b.hocket__action ? i + 1 : 0));
        unsigned bit = 1u << place;
        HK_EXPECT(!(__atomic_fetch_or(&s->seen[i], bit, __ATOMIC_RELAXED) & bit));
    }
    return 0;
}

/* Runs alone: everybody has come, nobody has left. */
static int act(void *arg)
{
    struct shared *s = arg;
    HK_EXPECT_EQ(get(&s->arrived), (s->acted + 1) * PARTIES);
    if (s->acted % 3 == 0)
        mode_yield();
    s->acted++;
    return 0;
}

START_TEST(rounds)
{
    for (int kind = 0; kind < 2; kind++) {
        struct shared s = { .b = HOCKET_BARRIER_INIT(PARTIES) };
        if (kind)
            s.b = (hocket_barrier)HOCKET_BARRIER_INIT_ACTION(PARTIES, act, &s);
        mode_run(_i, PARTIES, rounds_body, &s);
        for (int i = 0; i < ROUNDS; i++)
            ck_assert_uint_eq(s.seen[i], (1u << PARTIES) - 1);
        ck_assert_int_eq(s.acted, kind ? ROUNDS : 0);
        ck_assert_int_eq(hocket_barrier_waiting(&s.b), 0);
        ck_assert(!hocket_barrier_broken(&s.b));
        hocket_barrier_destroy(&s.b);
    }
}
END_TEST

static int wait_body(int index, void *arg)
{
    struct shared *s = arg;
    if (index == PARTIES - 1) { /* does not come */
        for (int i = 0; i < PARTIES - 1; i++)
            MODE_WAIT_UNTIL(mode_parked(i));
        HK_EXPECT_EQ(hocket_barrier_waiting(&s->b), PARTIES - 1);
        if (s->step == 1)
            hocket_barrier_abort(&s->b);
        else if (s->step == 2)
            hocket_barrier_reset(&s->b);
        else if (s->step == 3)
            hocket_cancel(mode_task(1));
        else if (s->step == 4)
            s->results[index] = hocket_barrier_wait(&s->b, HOCKET_NOW);
        return 0;
    }
    s->results[index] = hocket_barrier_wait(&s->b, HOCKET_FOREVER);
    return 0;
}

static struct shared broken_by(int mode, int how)
{
    struct shared s = { .b = HOCKET_BARRIER_INIT(PARTIES), .step = how };
    if (how == 4) /* the last one comes, but is not enough */
        HK_EXPECT_OK(hocket_barrier_init(&s.b, PARTIES + 1, NULL, NULL));
    mode_run(mode, PARTIES, wait_body, &s);
    return s;
}

START_TEST(abort_breaks)
{
    struct shared s = broken_by(_i, 1);
    for (int i = 0; i < PARTIES - 1; i++)
        ck_assert_int_eq(s.results[i], -EPIPE);
    ck_assert(hocket_barrier_broken(&s.b));
    ck_assert_int_eq(hocket_barrier_wait(&s.b, HOCKET_FOREVER), -EPIPE);
    hocket_barrier_reset(&s.b);
    ck_assert(!hocket_barrier_broken(&s.b));
    ck_assert_int_eq(hocket_barrier_waiting(&s.b), 0);
}
END_TEST

START_TEST(reset_ends_waits)
{
    struct shared s = broken_by(_i, 2);
    for (int i = 0; i < PARTIES - 1; i++)
        ck_assert_int_eq(s.results[i], -EPIPE);
    ck_assert(!hocket_barrier_broken(&s.b));
}
END_TEST

START_TEST(cancel_breaks)
{
    struct shared s = broken_by(_i, 3);
    for (int i = 0; i < PARTIES - 1; i++)
        ck_assert_int_eq(s.results[i], i == 1 ? -ECANCELED : -EPIPE);
    ck_assert(hocket_barrier_broken(&s.b));
}
END_TEST

START_TEST(timeout_breaks)
{
    struct shared s = broken_by(_i, 4);
    for (int i = 0; i < PARTIES; i++)
        ck_assert_int_eq(s.results[i], i == PARTIES - 1 ? -ETIMEDOUT : -EPIPE);
    ck_assert(hocket_barrier_broken(&s.b));
}
END_TEST

static int late_body(int index, void *arg)
{
    struct shared *s = arg;
    hocket_time deadline = index == 2 ? hocket_after(3 * HOCKET_MS) : HOCKET_FOREVER;
    int rc = hocket_barrier_wait(&s->b, deadline);
    HK_EXPECT_EQ(rc, index == 2 ? -ETIMEDOUT : -EPIPE);
    return 0;
}

START_TEST(deadline_breaks)
{
    struct shared s = { .b = HOCKET_BARRIER_INIT(PARTIES + 1) };
    mode_run(_i, PARTIES, late_body, &s);
    ck_assert(hocket_barrier_broken(&s.b));
}
END_TEST

static int fail_once(void *arg)
{
    struct shared *s = arg;
    return ++s->acted == s->fail_at ? -ENOSPC : 0;
}

static int failing_body(int index, void *arg)
{
    struct shared *s = arg;
    (void)index;
    HK_EXPECT(hocket_barrier_wait(&s->b, HOCKET_FOREVER) >= 0);
    int rc = hocket_barrier_wait(&s->b, HOCKET_FOREVER);
    HK_EXPECT(rc == -ENOSPC || rc == -EPIPE);
    if (rc == -ENOSPC)
        add(&s->step, 1);
    return 0;
}

START_TEST(failing_action_breaks)
{
    struct shared s = { .fail_at = 2 };
    ck_assert_int_eq(hocket_barrier_init(&s.b, PARTIES, fail_once, &s), 0);
    mode_run(_i, PARTIES, failing_body, &s);
    ck_assert_int_eq(s.step, 1);
    ck_assert(hocket_barrier_broken(&s.b));
}
END_TEST

/* More tasks than parties, a slow action: who comes during it makes the next round. */
static int slow(void *arg)
{
    struct shared *s = arg;
    for (int i = 0; i < 20; i++)
        mode_yield();
    s->acted++;
    return 0;
}

static int crowd_body(int index, void *arg)
{
    struct shared *s = arg;
    (void)index;
    while (add(&s->arrived, 1) <= 120) /* an even number of waits in all */
        HK_EXPECT(hocket_barrier_wait(&s->b, HOCKET_FOREVER) >= 0);
    return 0;
}

START_TEST(crowd)
{
    struct shared s = { .acted = 0 };
    ck_assert_int_eq(hocket_barrier_init(&s.b, 2, slow, &s), 0);
    mode_run(_i, 6, crowd_body, &s);
    ck_assert_int_eq(s.acted, 60);
    ck_assert(!hocket_barrier_broken(&s.b));
}
END_TEST

START_TEST(alone)
{
    hocket_barrier zero = { 0 };
    ck_assert_int_eq(hocket_barrier_parties(&zero), 1);
    ck_assert_int_eq(hocket_barrier_wait(&zero, HOCKET_NOW), 0);
    ck_assert_int_eq(hocket_barrier_init(&zero, 0, NULL, NULL), -EINVAL);
    ck_assert_int_eq(hocket_barrier_init(&zero, 1u << 31, NULL, NULL), -EINVAL);
    hocket_barrier two = HOCKET_BARRIER_INIT(2);
    ck_assert_int_eq(hocket_barrier_parties(&two), 2);
    hocket_cancel(hocket_self());
    ck_assert_int_eq(hocket_barrier_wait(&two, HOCKET_FOREVER), -ECANCELED);
    ck_assert(hocket_barrier_broken(&two));
    ck_assert_int_eq(hocket_barrier_wait(&zero, HOCKET_FOREVER), -ECANCELED);
}
END_TEST

static void add_tests(TCase *tc)
{
    MODE_TESTS(tc, rounds);
    MODE_TESTS(tc, abort_breaks);
    MODE_TESTS(tc, reset_ends_waits);
    MODE_TESTS(tc, cancel_breaks);
    MODE_TESTS(tc, timeout_breaks);
    MODE_TESTS(tc, deadline_breaks);
    MODE_TESTS(tc, failing_action_breaks);
    MODE_TESTS(tc, crowd);
    tcase_add_test(tc, alone);
}

int main(void)
{
    return mode_main("barrier", add_tests);
}
