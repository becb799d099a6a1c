/* SPDX-License-Identifier: MIT */
/*
 * Random trees of branches that compute, wait, lock, open scopes, fail and are cancelled: each runs
 * once, results and words arrive, nothing is left.
 */
#include <errno.h>
#include <hocket/fork.h>
#include <hocket/mutex.h>
#include <hocket/parallel.h>

#include "support/seeded.h"
#include "support/suite.h"

static uint64_t seed;
static _Atomic int streams;

struct node {
    int depth;
    bool may_fail; /* and be cancelled */
    int ran;       /* by the branch alone: twice would be seen */
    hocket_mutex *mutex;
    long *sum;
};

static int node_run(void *arg);

static void compute(struct seeded *r)
{
    volatile uint32_t x = 1;
    for (uint32_t i = seeded_below(r, 2000); i > 0; i--)
        x = x * 3 + 1;
}

/* What a branch does beside forking. */
static void act(struct node *n, struct seeded *r)
{
    switch (seeded_below(r, 12)) {
    case 0: (void)hocket_yield(); break;
    case 1: (void)hocket_sleep(seeded_below(r, 50) * HOCKET_US); break;
    case 2:
    case 3:
        hocket_mutex_lock(n->mutex);
        *n->sum += 1;
        if (seeded_below(r, 4) == 0)
            compute(r);
        *n->sum -= 1;
        hocket_mutex_unlock(n->mutex);
        break;
    case 4:
        hocket_blocking_begin();
        compute(r);
        hocket_blocking_end();
        break;
    case 5:
    case 6: compute(r); break;
    default: break;
    }
}

static int count_one(void *arg)
{
    (void)hk_add((_Atomic int *)arg, 1);
    return 0;
}

static void in_a_scope(struct node *n, struct seeded *r)
{
    hocket_scope s;
    _Atomic int count = 0;
    struct node below = { n->depth - 1, false, 0, n->mutex, n->sum };
    hocket_branch b;
    hocket_scope_open(&s, HOCKET_SCOPE_OPTIONS(.shield = true));
    hocket_fork(&b, node_run, &below);
    if (seeded_below(r, 2))
        HK_EXPECT_OK(hocket_spawn(&s, count_one, &count));
    else
        (void)hk_add(&count, 1);
    act(n, r);
    HK_EXPECT(hocket_sync(&b) > 0);
    HK_EXPECT_EQ(below.ran, 1);
    HK_EXPECT_EQ(hocket_scope_close(&s), 0);
    HK_EXPECT_EQ(count, 1);
}

/* The number of nodes of its tree, or a failure with words. */
static int node_run(void *arg)
{
    struct node *n = arg;
    struct seeded r = seeded_of(seed, hk_add(&streams, 1));
    struct node below[3];
    hocket_branch branches[3];
    int sum = 1, failed = 0, forks = n->depth > 0 ? (int)seeded_below(&r, 4) : 0;
    n->ran++;
    for (int i = 0; i < forks; i++) {
        below[i] = (struct node){ n->depth - 1, n->may_fail, 0, n->mutex, n->sum };
        hocket_fork(&branches[i], node_run, &below[i]);
        act(n, &r);
    }
    if (n->depth > 0 && seeded_below(&r, 6) == 0)
        in_a_scope(n, &r);
    for (int i = forks; i-- > 0;) {
        int got = hocket_sync(&branches[i]);
        HK_EXPECT_EQ(below[i].ran, 1);
        if (got < 0) {
            HK_EXPECT(n->may_fail);
            HK_EXPECT(hocket_fail_words() != NULL);
            HK_EXPECT_EQ(hocket_fail_words()->code, -EDOM);
            failed = got;
        } else {
            sum += got;
        }
    }
    if (failed)
        return failed;
    if (n->may_fail && seeded_below(&r, 40) == 0)
        return hocket_fail(-EDOM, "unlucky at depth %d", n->depth);
    return sum;
}

static int tree(void *arg)
{
    hocket_mutex mutex = HOCKET_MUTEX_INIT;
    long sum = 0;
    struct node root = { 6, arg != NULL, 0, &mutex, &sum };
    int got = node_run(&root);
    HK_EXPECT_EQ(root.ran, 1);
    if (arg == NULL)
        HK_EXPECT(got > 0);
    HK_EXPECT_EQ(sum, 0);
    hocket_fail_clear();
    return 0;
}

static int trees(void *arg)
{
    int rounds = run_scaled(40, 6);
    (void)arg;
    for (int i = 0; i < rounds; i++) {
        hocket_task *t[4];
        for (int k = 0; k < 4; k++)
            t[k] = run_spawn(tree, k % 2 ? (void *)1 : NULL);
        hocket_cancel(t[1]);
        for (int k = 0; k < 4; k++)
            run_finish(t[k], 0);
    }
    return 0;
}

START_TEST(random_trees)
{
    seed = seeded_begin("task_fork_join");
    hk_store(&streams, 0);
    run_in(_i, trees, NULL);
}
END_TEST

/* ---- tiny branches while thieves are hungry all the time ---- */

static int give(void *arg)
{
    return (int)(intptr_t)arg;
}

static int tiny(void *arg)
{
    struct seeded r = seeded_of(seed, (int)(intptr_t)arg);
    int rounds = run_scaled(200000, 5000);
    for (int i = 0; i < rounds; i++) {
        hocket_branch a, b;
        hocket_fork(&a, give, (void *)(intptr_t)i);
        if (seeded_below(&r, 64) == 0)
            compute(&r);
        hocket_fork(&b, give, (void *)(intptr_t)-i);
        HK_EXPECT_EQ(hocket_sync(&b), -i);
        HK_EXPECT_EQ(hocket_sync(&a), i);
    }
    return 0;
}

static int tinies(void *arg)
{
    hocket_task *t[2];
    (void)arg;
    for (int k = 0; k < 2; k++)
        t[k] = run_spawn(tiny, (void *)(intptr_t)k);
    for (int k = 0; k < 2; k++)
        run_finish(t[k], 0);
    return 0;
}

START_TEST(tiny_branches)
{
    seed = seeded_begin("task_fork_join_tiny");
    run_in(_i, tinies, NULL);
}
END_TEST

/* ---- loops whose chunks differ ---- */

static _Atomic uint32_t turns;

static int uneven(size_t begin, size_t end, void *arg)
{
    struct seeded r = seeded_of(seed, (int)begin);
    (void)arg;
    for (size_t i = begin; i < end; i++)
        if (i % 500 == 0)
            for (int k = 0; k < 20; k++)
                compute(&r);
    (void)hk_add(&turns, (uint32_t)(end - begin));
    return 0;
}

static int loops(void *arg)
{
    (void)arg;
    for (int i = 0; i < run_scaled(50, 5); i++) {
        hk_store(&turns, 0);
        HK_EXPECT_EQ(hocket_parallel_for(0, 20000, 0, uneven, NULL), 0);
        HK_EXPECT_EQ(turns, 20000);
    }
    return 0;
}

START_TEST(uneven_loops)
{
    seed = seeded_begin("task_fork_join_loops");
    run_in(_i, loops, NULL);
}
END_TEST

SUITE("fork and join, stress", 60)
{
    suite_each(random_trees);
    tcase_add_loop_test(suite__case, tiny_branches, 0, 5);
    tcase_add_loop_test(suite__case, uneven_loops, 0, 5);
}
