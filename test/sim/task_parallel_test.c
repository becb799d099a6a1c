/* SPDX-License-Identifier: MIT */
/* Loops that split while others take, fail and are cancelled: each index at most once, no chunk left. */
#include "support/explored.h"

#include <hocket/parallel.h>

#define COUNT 6

static _Atomic int done[COUNT];
static _Atomic int inside;

static void clear(void)
{
    for (int i = 0; i < COUNT; i++)
        atomic_store(&done[i], 0);
    atomic_store(&inside, 0);
}

static int mark(size_t begin, size_t end, void *arg)
{
    const size_t *fails_at = arg;
    int err = 0;
    atomic_fetch_add(&inside, 1);
    for (size_t i = begin; i < end; i++) {
        HK_EXPECT_EQ(atomic_fetch_add(&done[i], 1), 0);
        if (fails_at != NULL && i % 3 == *fails_at)
            err = hocket_fail(-EDOM, "index %d", (int)(i % 3));
    }
    if (explore_choice(4) == 0)
        explore_pause();
    atomic_fetch_sub(&inside, 1);
    return err;
}

/* ---- each index once ---- */

static int loops(void *arg)
{
    (void)arg;
    HK_EXPECT_EQ(hocket_parallel_for(0, COUNT, explore_choice(3), mark, NULL), 0);
    HK_EXPECT_EQ(atomic_load(&inside), 0);
    for (int i = 0; i < COUNT; i++)
        HK_EXPECT_EQ(atomic_load(&done[i]), 1);
    return 0;
}

EXPLORED(each_index_once, NULL)
{
    clear();
    explored_run(2, loops, NULL);
}

/* ---- two chunks fail: one of them is told, with its words ---- */

static int fails(void *arg)
{
    size_t at = 1;
    (void)arg;
    HK_EXPECT_EQ(hocket_parallel_for(0, COUNT, 1, mark, &at), -EDOM);
    HK_EXPECT_EQ(atomic_load(&inside), 0);
    HK_EXPECT(hocket_fail_words() != NULL);
    HK_EXPECT_STR(hocket_fail_words()->message, "index 1");
    HK_EXPECT(hocket_fail_words()->cause == NULL);
    hocket_fail_clear();
    return 0;
}

EXPLORED(the_first_failure, NULL)
{
    clear();
    explored_run(2, fails, NULL);
}

/* ---- a cancel at any time ---- */

static int cancelled(void *arg)
{
    (void)arg;
    int err = hocket_parallel_for(0, COUNT, 1, mark, NULL);
    HK_EXPECT_EQ(atomic_load(&inside), 0);
    HK_EXPECT(err == 0 || err == -ECANCELED);
    return 0;
}

EXPLORED(a_cancel, NULL)
{
    clear();
    explored_runtime(2);
    hocket_task *t = explored_spawn(cancelled, NULL);
    for (uint32_t i = explore_choice(6); i > 0; i--)
        explore_pause();
    hocket_cancel(t);
    explored_finish(t, 0);
    explored_runtime_end();
}

/* ---- values in order ---- */

static int append(size_t begin, size_t end, void *value, void *arg)
{
    unsigned *digits = value;
    (void)arg;
    for (size_t i = begin; i < end; i++) {
        digits[0] = digits[0] * 10 + (unsigned)i;
        digits[1] *= 10;
    }
    if (explore_choice(4) == 0)
        explore_pause();
    return 0;
}

static void join(void *value, const void *right, void *arg)
{
    unsigned *a = value;
    const unsigned *b = right;
    (void)arg;
    a[0] = a[0] * b[1] + b[0];
    a[1] *= b[1];
}

static int reduces(void *arg)
{
    static const unsigned none[2] = { 0, 1 };
    const hocket_reduction r = { none, sizeof none, append, join, NULL };
    unsigned got[2];
    (void)arg;
    HK_EXPECT_EQ(hocket_parallel_reduce(&r, 1, 8, explore_choice(4), got), 0);
    HK_EXPECT_EQ(got[0], 1234567);
    return 0;
}

EXPLORED(values_in_order, NULL)
{
    explored_run(2, reduces, NULL);
}

SUITE("parallel loops, explored", explored_limit())
{
    suite_once(each_index_once);
    suite_once(the_first_failure);
    suite_once(a_cancel);
    suite_once(values_in_order);
}
