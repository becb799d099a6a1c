/* SPDX-License-Identifier: MIT */
/* parallel_for and parallel_reduce: every index once, order of combination, failures, cancels. */
#include <errno.h>
#include <hocket/local.h>
#include <hocket/parallel.h>

#include "support/suite.h"

#define COUNT 5000

static _Atomic int done[COUNT];
static _Atomic int calls;

static void clear(void)
{
    for (int i = 0; i < COUNT; i++)
        hk_store(&done[i], 0);
    hk_store(&calls, 0);
}

/* ---- every index once ---- */

struct shape {
    size_t grain, begin;
};

static int mark(size_t begin, size_t end, void *arg)
{
    const struct shape *s = arg;
    HK_EXPECT(begin < end);
    if (s->grain) {
        HK_EXPECT(end - begin <= s->grain);
        HK_EXPECT_EQ((begin - s->begin) % s->grain, 0);
    }
    for (size_t i = begin; i < end; i++)
        (void)hk_add(&done[i], 1);
    if (hk_add(&calls, 1) % 7 == 0)
        HK_EXPECT_OK(hocket_yield());
    return 5; /* is no failure */
}

static int every_index(void *arg)
{
    static const size_t ends[] = { 0, 1, 2, 3, 17, 100, 1000, COUNT };
    static const size_t grains[] = { 0, 1, 3, 64, 10000 };
    (void)arg;
    for (size_t e = 0; e < sizeof ends / sizeof ends[0]; e++)
        for (size_t g = 0; g < sizeof grains / sizeof grains[0]; g++) {
            struct shape s = { grains[g], ends[e] / 5 };
            clear();
            HK_EXPECT_EQ(hocket_parallel_for(s.begin, ends[e], s.grain, mark, &s), 0);
            for (size_t i = 0; i < COUNT; i++)
                HK_EXPECT_EQ(done[i], i >= s.begin && i < ends[e]);
        }
    struct shape s = { 1, 0 };
    HK_EXPECT_EQ(hocket_parallel_for(7, 3, 1, mark, &s), 0);
    HK_EXPECT_EQ(hocket_parallel_for(SIZE_MAX, SIZE_MAX, 0, mark, &s), 0);
    return 0;
}

START_TEST(each_index_once)
{
    run_in(_i, every_index, NULL);
}
END_TEST

/* ---- loops in loops, with waits ---- */

static int inner(size_t begin, size_t end, void *arg)
{
    (void)arg;
    for (size_t i = begin; i < end; i++)
        (void)hk_add(&done[i], 1);
    return hocket_yield();
}

static int outer(size_t begin, size_t end, void *arg)
{
    for (size_t i = begin; i < end; i++)
        HK_EXPECT_EQ(hocket_parallel_for(i * 50, (i + 1) * 50, 0, inner, arg), 0);
    return 0;
}

static int nested(void *arg)
{
    clear();
    HK_EXPECT_EQ(hocket_parallel_for(0, COUNT / 50, 1, outer, arg), 0);
    for (int i = 0; i < COUNT; i++)
        HK_EXPECT_EQ(done[i], 1);
    return 0;
}

START_TEST(loops_in_loops)
{
    run_in(_i, nested, NULL);
}
END_TEST

static hocket_local inherited = HOCKET_LOCAL_INIT_INHERIT(NULL, NULL);

static int with_local(size_t begin, size_t end, void *arg)
{
    HK_EXPECT(hocket_local_get(&inherited) == (void *)&inherited);
    return inner(begin, end, arg);
}

static int with_locals(void *arg)
{
    clear();
    HK_EXPECT_OK(hocket_local_set(&inherited, &inherited));
    HK_EXPECT_EQ(hocket_parallel_for(0, COUNT, 0, with_local, arg), 0);
    HK_EXPECT_EQ(hocket_parallel_for(0, COUNT, 10, with_local, arg), 0);
    for (int i = 0; i < COUNT; i++)
        HK_EXPECT_EQ(done[i], 2);
    HK_EXPECT_OK(hocket_local_set(&inherited, NULL));
    return 0;
}

START_TEST(chunks_see_inherited_locals)
{
    run_in(_i, with_locals, NULL);
}
END_TEST

/* ---- failures ---- */

static int fails_at(size_t begin, size_t end, void *arg)
{
    size_t at = *(size_t *)arg;
    (void)hk_add(&calls, 1);
    for (size_t i = begin; i < end; i++)
        if (i % 1000 == at)
            return hocket_fail(-EDOM, "index %zu", i % 1000);
    return 0;
}

static int failures(void *arg)
{
    (void)arg;
    for (size_t at = 0; at < 1000; at += 333) {
        clear();
        HK_EXPECT_EQ(hocket_parallel_for(0, 1000000, 10, fails_at, &at), -EDOM);
        const hocket_error *e = hocket_fail_words();
        char wanted[30];
        HK_EXPECT(e != NULL);
        snprintf(wanted, sizeof wanted, "index %zu", at);
        HK_EXPECT_EQ(e->code, -EDOM);
        HK_EXPECT_STR(e->message, wanted);
        HK_EXPECT(e->cause == NULL);
        HK_EXPECT(calls < 100000); /* the rest was left out */
        hocket_fail_clear();
    }
    HK_EXPECT_EQ(hocket_check(), 0);
    return 0;
}

START_TEST(the_first_failure_ends_it)
{
    run_in(_i, failures, NULL);
}
END_TEST

static int endless(size_t begin, size_t end, void *arg)
{
    (void)begin;
    (void)end;
    (void)hk_add(&calls, 1);
    HK_EXPECT(arg == NULL);
    (void)hocket_yield();
    return 0;
}

static int loops(void *arg)
{
    (void)arg;
    HK_EXPECT_EQ(hocket_parallel_for(0, SIZE_MAX, 1, endless, NULL), -ECANCELED);
    return 0;
}

static int cancels(void *arg)
{
    (void)arg;
    hk_store(&calls, 0);
    hocket_task *t = run_spawn(loops, NULL);
    RUN_UNTIL(hk_load_acq(&calls) > 20);
    hocket_cancel(t);
    run_finish(t, 0);
    return 0;
}

START_TEST(a_cancel_ends_it)
{
    run_in(_i, cancels, NULL);
}
END_TEST

/* ---- reduce ---- */

/* Not commutative: the indices in order, as a hash of their sequence. */
struct sequence {
    uint64_t hash, power;
};

static int append(size_t begin, size_t end, void *value, void *arg)
{
    struct sequence *s = value;
    (void)arg;
    for (size_t i = begin; i < end; i++) {
        s->hash = s->hash * 1000003 + i;
        s->power *= 1000003;
    }
    if (begin % 3 == 0)
        (void)hocket_yield();
    return 0;
}

static void concatenate(void *value, const void *right, void *arg)
{
    struct sequence *a = value;
    const struct sequence *b = right;
    (void)arg;
    a->hash = a->hash * b->power + b->hash;
    a->power *= b->power;
}

static int sequences(void *arg)
{
    static const struct sequence none = { 0, 1 };
    static const size_t grains[] = { 0, 1, 7, 1000000 };
    const hocket_reduction r = { &none, sizeof none, append, concatenate, NULL };
    (void)arg;
    for (size_t n = 0; n < 3000; n = n * 2 + 1)
        for (size_t g = 0; g < sizeof grains / sizeof grains[0]; g++) {
            struct sequence wanted = none, got;
            (void)append(5, 5 + n, &wanted, NULL);
            HK_EXPECT_EQ(hocket_parallel_reduce(&r, 5, 5 + n, grains[g], &got), 0);
            HK_EXPECT_EQ(got.hash, wanted.hash);
            HK_EXPECT_EQ(got.power, wanted.power);
        }
    return 0;
}

START_TEST(values_are_combined_in_order)
{
    run_in(_i, sequences, NULL);
}
END_TEST

static int add_float(size_t begin, size_t end, void *value, void *arg)
{
    (void)arg;
    for (size_t i = begin; i < end; i++)
        *(float *)value += 1.0f / (float)(i + 1);
    return hocket_yield();
}

static void add_floats(void *value, const void *right, void *arg)
{
    (void)arg;
    *(float *)value += *(const float *)right;
}

static float first_sum;

static int floats(void *arg)
{
    const float zero = 0;
    const hocket_reduction r = { &zero, sizeof zero, add_float, add_floats, NULL };
    (void)arg;
    for (int i = 0; i < 10; i++) {
        float sum = 0;
        HK_EXPECT_EQ(hocket_parallel_reduce(&r, 0, 20000, 0, &sum), 0);
        if (first_sum == 0)
            first_sum = sum;
        HK_EXPECT(memcmp(&sum, &first_sum, sizeof sum) == 0); /* to the bit */
    }
    return 0;
}

START_TEST(floats_add_up_the_same)
{
    first_sum = 0;
    for (int mode = 0; mode < RUN_MODES; mode++)
        run_in(mode, floats, NULL);
}
END_TEST

static int add_or_fail(size_t begin, size_t end, void *value, void *arg)
{
    *(size_t *)value += end - begin;
    return fails_at(begin, end, arg);
}

static void add(void *value, const void *right, void *arg)
{
    (void)arg;
    *(size_t *)value += *(const size_t *)right;
}

static int reduce_failures(void *arg)
{
    size_t zero = 0, at = 500, got = 77;
    hocket_reduction r = { &zero, sizeof zero, add_or_fail, add, &at };
    (void)arg;
    HK_EXPECT_EQ(hocket_parallel_reduce(&r, 0, 100000, 10, &got), -EDOM);
    HK_EXPECT_STR(hocket_fail_words()->message, "index 500");
    HK_EXPECT_EQ(got, 77);
    hocket_fail_clear();
    at = 2000;
    HK_EXPECT_EQ(hocket_parallel_reduce(&r, 0, 100000, 0, &got), 0);
    HK_EXPECT_EQ(got, 100000);
    r.size = HOCKET_REDUCTION_MAX + 1;
    HK_EXPECT_EQ(hocket_parallel_reduce(&r, 0, 100000, 0, &got), -EINVAL);
    r.size = 0;
    HK_EXPECT_EQ(hocket_parallel_reduce(&r, 0, 100000, 0, &got), -EINVAL);
    return 0;
}

START_TEST(reductions_fail)
{
    run_in(_i, reduce_failures, NULL);
}
END_TEST

SUITE("parallel loops", 60)
{
    suite_each(each_index_once);
    suite_each(loops_in_loops);
    tcase_add_loop_test(suite__case, chunks_see_inherited_locals, 0, 5);
    suite_each(the_first_failure_ends_it);
    suite_each(a_cancel_ends_it);
    suite_each(values_are_combined_in_order);
    suite_once(floats_add_up_the_same);
    suite_each(reductions_fail);
}
