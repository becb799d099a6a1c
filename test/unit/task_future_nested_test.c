/* SPDX-License-Identifier: MIT */
/* Jobs that wait for jobs: a pool never starves on its own, and nobody waits for himself. */
#include "support/suite.h"

#include "support/executors.h"

static int seven(void *arg)
{
    (void)arg;
    return 7;
}

struct tree {
    hocket_executor *ex;
    int depth;
};

/* 2^depth leaves; each node submits two jobs to its own executor and waits for them. */
static int grow(void *arg)
{
    struct tree *node = arg;
    if (node->depth == 0)
        return 1;
    struct tree child = { node->ex, node->depth - 1 };
    hocket_future *f[2];
    int sum = 0;
    for (int i = 0; i < 2; i++)
        HK_EXPECT_EQ(hocket_submit_fn(node->ex, &f[i], grow, &child), 0);
    for (int i = 0; i < 2; i++) {
        sum += result_of(f[i]);
        hocket_future_free(f[i]);
    }
    return sum;
}

/* The places that were lent are given back. */
static void no_more_than(hocket_executor *ex, int workers)
{
    struct gate g = { 0 };
    hocket_future *f[4];
    for (int i = 0; i < 4; i++)
        HK_EXPECT_EQ(hocket_submit_fn_until(ex, &f[i], pass, &g, HOCKET_FOREVER), 0);
    RUN_UNTIL(hk_load(&g.inside) >= workers);
    for (int i = 0; i < 50; i++)
        run_turn();
    HK_EXPECT_EQ(hk_load(&g.inside), workers);
    gate_open(&g);
    for (int i = 0; i < 4; i++) {
        HK_EXPECT_EQ(result_of(f[i]), 0);
        hocket_future_free(f[i]);
    }
}

static int never_starves(void *arg)
{
    (void)arg;
    for (int workers = 1; workers <= 2; workers++)
        FOR_SCHEMES(ex, workers, 8)
        {
            struct tree root = { ex, 5 };
            hocket_future *f;
            HK_EXPECT_EQ(hocket_submit_fn(ex, &f, grow, &root), 0);
            HK_EXPECT_EQ(result_of(f), 32);
            hocket_future_free(f);
            if (s_ > 0)
                no_more_than(ex, workers);
            hocket_executor_free(ex);
        }
    return 0;
}
START_TEST(a_pool_never_starves_on_its_own_jobs)
{
    run_in(_i, never_starves, NULL);
}
END_TEST

struct pair {
    hocket_executor *here, *there;
    int depth;
};

static int ping(void *arg)
{
    struct pair *p = arg;
    if (p->depth == 0)
        return 0;
    struct pair back = { p->there, p->here, p->depth - 1 };
    hocket_future *f;
    HK_EXPECT_EQ(hocket_submit_fn(p->there, &f, ping, &back), 0);
    int result = result_of(f) + 1;
    hocket_future_free(f);
    return result;
}

static int two_pools(void *arg)
{
    (void)arg;
    FOR_POOLS(a, 1, 0)
    {
        hocket_executor *b = executor_make("fibers", 1, 0);
        struct pair p = { a, b, 9 };
        hocket_future *f;
        HK_EXPECT_EQ(hocket_submit_fn(a, &f, ping, &p), 0);
        HK_EXPECT_EQ(result_of(f), 9);
        hocket_future_free(f);
        hocket_executor_free(a);
        hocket_executor_free(b);
    }
    return 0;
}
START_TEST(crosswise)
{
    run_in(_i, two_pools, NULL);
}
END_TEST

/* A task inside of a job waits for the job's own executor: the place is lent all the same. */
struct nested {
    hocket_executor *ex;
    int result;
};

static int child_of_job(void *arg)
{
    struct nested *n = arg;
    hocket_future *f;
    HK_EXPECT_EQ(hocket_submit_fn(n->ex, &f, seven, NULL), 0);
    n->result = result_of(f);
    hocket_future_free(f);
    return 0;
}

static int job_with_child(void *arg)
{
    hocket_scope s;
    hocket_scope_open(&s, NULL);
    HK_EXPECT_EQ(hocket_spawn(&s, child_of_job, arg), 0);
    return hocket_scope_close(&s);
}

static int from_inside_a_job(void *arg)
{
    (void)arg;
    FOR_POOLS(ex, 1, 0)
    {
        struct nested n = { ex, 0 };
        hocket_future *f;
        HK_EXPECT_EQ(hocket_submit_fn(ex, &f, job_with_child, &n), 0);
        HK_EXPECT_EQ(result_of(f), 0);
        HK_EXPECT_EQ(n.result, 7);
        hocket_future_free(f);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(tasks_inside_jobs)
{
    run_in(_i, from_inside_a_job, NULL);
}
END_TEST

/* ---- deadlock ---- */

struct knot {
    hocket_future *mine, *other;
    hocket_word tied;
    _Atomic int rc;
};

static int get_own(void *arg)
{
    struct knot *k = arg;
    while (hk_load_acq(&k->tied) == 0)
        HK_EXPECT_EQ(hocket_wait_on(&k->tied, 0, HOCKET_FOREVER), 0);
    return hocket_future_get(k->mine, NULL, hocket_after(HOCKET_SEC)) == -EDEADLK ? 1 : 2;
}

static int get_around(void *arg)
{
    struct knot *k = arg;
    HK_EXPECT_EQ(hocket_future_get(k->mine, NULL, HOCKET_FOREVER), -EDEADLK);
    return 0;
}

static int get_own_in_child(void *arg)
{
    struct knot *k = arg;
    hocket_scope s;
    while (hk_load_acq(&k->tied) == 0)
        HK_EXPECT_EQ(hocket_wait_on(&k->tied, 0, HOCKET_FOREVER), 0);
    hocket_scope_open(&s, NULL);
    HK_EXPECT_EQ(hocket_spawn(&s, get_around, k), 0);
    return hocket_scope_close(&s) == 0 ? 1 : 2;
}

static int waits_for_itself(void *arg)
{
    (void)arg;
    hocket_task_fn *jobs[] = { get_own, get_own_in_child };
    for (int j = 0; j < 2; j++)
        FOR_POOLS(ex, 2, 0)
        {
            struct knot k = { 0 };
            HK_EXPECT_EQ(hocket_submit_fn(ex, &k.mine, jobs[j], &k), 0);
            hk_store_rel(&k.tied, 1);
            (void)hocket_wake(&k.tied, 1);
            HK_EXPECT_EQ(result_of(k.mine), 1);
            hocket_future_free(k.mine);
            hocket_executor_free(ex);
        }
    return 0;
}
START_TEST(deadlock_with_itself)
{
    run_in(_i, waits_for_itself, NULL);
}
END_TEST

static int get_other(void *arg)
{
    struct knot *k = arg;
    while (hk_load_acq(&k->tied) == 0)
        HK_EXPECT_EQ(hocket_wait_on(&k->tied, 0, HOCKET_FOREVER), 0);
    int rc = hocket_future_get(k->other, NULL, HOCKET_FOREVER);
    HK_EXPECT(rc == 0 || rc == -EDEADLK);
    return rc == -EDEADLK;
}

/* Two jobs wait for each other: the one that closes the cycle is told, the other one goes on. */
static int waits_in_a_circle(void *arg)
{
    (void)arg;
    FOR_POOLS(ex, 2, 0)
    {
        struct knot k[2] = { { 0 }, { 0 } };
        for (int i = 0; i < 2; i++)
            HK_EXPECT_EQ(hocket_submit_fn(ex, &k[i].mine, get_other, &k[i]), 0);
        for (int i = 0; i < 2; i++)
            RUN_UNTIL(hocket_future_running(k[i].mine));
        for (int i = 0; i < 2; i++) {
            k[i].other = k[1 - i].mine;
            hk_store_rel(&k[i].tied, 1);
            (void)hocket_wake(&k[i].tied, 1);
        }
        HK_EXPECT_EQ(result_of(k[0].mine) + result_of(k[1].mine), 1);
        hocket_future_free(k[0].mine);
        hocket_future_free(k[1].mine);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(deadlock_of_two)
{
    run_in(_i, waits_in_a_circle, NULL);
}
END_TEST

SUITE("future_nested", 30)
{
    suite_each(a_pool_never_starves_on_its_own_jobs);
    suite_each(crosswise);
    suite_each(tasks_inside_jobs);
    suite_each(deadlock_with_itself);
    suite_each(deadlock_of_two);
}
