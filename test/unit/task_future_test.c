/* SPDX-License-Identifier: MIT */
/* Futures: states, waiting, cancel; jobs that wait for jobs. */
#include "support/suite.h"

#include <hocket/mutex.h>

#include "support/death.h"
#include "support/executors.h"

static int seven(void *arg)
{
    (void)arg;
    return 7;
}

/* ---- states ---- */

static int states_of_a_job(void *arg)
{
    (void)arg;
    FOR_POOLS(ex, 1, 0)
    {
        struct gate g = { 0 };
        hocket_future *running, *queued;
        int result = 1;
        size_t size = 1;
        HK_EXPECT_EQ(hocket_submit_fn(ex, &running, pass, &g), 0);
        HK_EXPECT_EQ(hocket_submit_fn(ex, &queued, seven, NULL), 0);
        RUN_UNTIL(hk_load(&g.inside) == 1);
        HK_EXPECT(hocket_future_running(running) && !hocket_future_running(queued));
        HK_EXPECT(!hocket_future_done(running) && !hocket_future_done(queued));
        HK_EXPECT_EQ(hocket_future_get(running, &result, HOCKET_NOW), -ETIMEDOUT);
        HK_EXPECT_EQ(hocket_future_get(queued, &result, hocket_after(HOCKET_MS)), -ETIMEDOUT);
        HK_EXPECT_EQ(hocket_future_wait(queued, HOCKET_NOW), -ETIMEDOUT);
        HK_EXPECT_EQ(result, 1);
        HK_EXPECT(hocket_future_output(queued, &size) == NULL && size == 0);
        HK_EXPECT(hocket_future_output(queued, NULL) == NULL);
        HK_EXPECT(hocket_future_error(queued) == NULL);
        gate_open(&g);
        HK_EXPECT_EQ(hocket_future_wait(queued, HOCKET_FOREVER), 0);
        HK_EXPECT(hocket_future_done(running) && hocket_future_done(queued));
        HK_EXPECT(!hocket_future_running(queued) && !hocket_future_cancelled(queued));
        HK_EXPECT_EQ(hocket_future_get(queued, NULL, HOCKET_NOW), 0);
        HK_EXPECT_EQ(hocket_future_get(queued, &result, HOCKET_NOW), 0);
        HK_EXPECT_EQ(result, 7);
        HK_EXPECT(!hocket_future_cancel(queued)); /* too late */
        HK_EXPECT_EQ(result_of(queued), 7);
        hocket_executor_free(ex);
        HK_EXPECT_EQ(result_of(queued), 7); /* outlives its executor */
        hocket_future_free(running);
        hocket_future_free(queued);
        hocket_future_free(NULL);
    }
    return 0;
}
START_TEST(states)
{
    run_in(_i, states_of_a_job, NULL);
}
END_TEST

struct asker {
    hocket_future *f;
    hocket_time deadline;
    int rc, result;
};

static int ask(void *arg)
{
    struct asker *a = arg;
    a->rc = hocket_future_get(a->f, &a->result, a->deadline);
    return 0;
}

static int many_wait_for_one(void *arg)
{
    (void)arg;
    enum { N = 6 };
    FOR_POOLS(ex, 1, 0)
    {
        struct gate g = { 0 };
        struct asker a[N];
        hocket_task *t[N];
        hocket_future *f;
        HK_EXPECT_EQ(hocket_submit_fn(ex, &f, pass, &g), 0);
        RUN_UNTIL(hk_load(&g.inside) == 1);
        for (int i = 0; i < N; i++) {
            a[i] = (struct asker){ f, HOCKET_FOREVER, 1, 1 };
            if (i == 2)
                a[i].deadline = hocket_after(5 * HOCKET_MS);
            t[i] = run_spawn(ask, &a[i]);
            RUN_UNTIL(run_parked(t[i]) || (i == 2 && run_ended(t[i])));
        }
        hocket_cancel(t[1]);
        run_finish(t[1], 0);
        run_finish(t[2], 0);
        HK_EXPECT_EQ(a[1].rc, -ECANCELED);
        HK_EXPECT_EQ(a[2].rc, -ETIMEDOUT);
        HK_EXPECT(!hocket_future_done(f)); /* the job goes on */
        gate_open(&g);
        for (int i = 0; i < N; i++)
            if (i != 1 && i != 2) {
                run_finish(t[i], 0);
                HK_EXPECT(a[i].rc == 0 && a[i].result == 0);
            } else {
                HK_EXPECT_EQ(a[i].result, 1);
            }
        hocket_future_free(f);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(many_waiters)
{
    run_in(_i, many_wait_for_one, NULL);
}
END_TEST

/* ---- cancel ---- */

static int cancel_queued_job(void *arg)
{
    (void)arg;
    FOR_POOLS(ex, 1, 0)
    {
        struct gate g = { 0 };
        hocket_future *running, *queued, *after;
        HK_EXPECT_EQ(hocket_submit_fn(ex, &running, pass, &g), 0);
        HK_EXPECT_EQ(hocket_submit_fn(ex, &queued, pass, &g), 0);
        HK_EXPECT_EQ(hocket_submit_fn(ex, &after, seven, NULL), 0);
        RUN_UNTIL(hk_load(&g.inside) == 1);
        struct asker a = { queued, HOCKET_FOREVER, 1, 1 };
        hocket_task *t = run_spawn(ask, &a);
        RUN_UNTIL(run_parked(t));
        HK_EXPECT(hocket_future_cancel(queued));
        run_finish(t, 0);
        HK_EXPECT(a.rc == 0 && a.result == -ECANCELED);
        HK_EXPECT(hocket_future_cancelled(queued) && hocket_future_done(queued));
        HK_EXPECT_STR(hocket_future_error(queued)->message, hocket_error_text(-ECANCELED));
        HK_EXPECT_EQ(hocket_executor_queued(ex), 1);
        HK_EXPECT(!hocket_future_cancel(queued));
        gate_open(&g);
        HK_EXPECT_EQ(result_of(after), 7);
        HK_EXPECT_EQ(hk_load(&g.inside), 1);
        hocket_future_free(running);
        hocket_future_free(queued);
        hocket_future_free(after);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(cancel_queued)
{
    run_in(_i, cancel_queued_job, NULL);
}
END_TEST

static int cancel_running_job(void *arg)
{
    (void)arg;
    FOR_POOLS(ex, 1, 0)
    {
        struct gate g = { 0 };
        hocket_future *f, *next;
        HK_EXPECT_EQ(hocket_submit_fn(ex, &f, pass, &g), 0);
        HK_EXPECT_EQ(hocket_submit_fn(ex, &next, seven, NULL), 0);
        RUN_UNTIL(hk_load(&g.inside) == 1);
        HK_EXPECT(!hocket_future_cancel(f));
        HK_EXPECT(!hocket_future_cancel(f));
        HK_EXPECT_EQ(result_of(f), -ECANCELED);
        HK_EXPECT(!hocket_future_cancelled(f)); /* it did run */
        HK_EXPECT_EQ(hk_load(&g.cancelled), 1);
        HK_EXPECT_EQ(result_of(next), 7); /* the cancel did not stick to the worker */
        hocket_future_free(f);
        hocket_future_free(next);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(cancel_running)
{
    run_in(_i, cancel_running_job, NULL);
}
END_TEST

static int heedless(void *arg)
{
    struct gate *g = arg;
    (void)hk_add(&g->inside, 1);
    while (!hocket_cancelled())
        run_turn();
    return 3; /* was asked to end, and ended well */
}

static int computing_job(void *arg)
{
    (void)arg;
    FOR_POOLS(ex, 2, 0)
    {
        struct gate g = { 0 };
        hocket_future *f;
        HK_EXPECT_EQ(hocket_submit_fn(ex, &f, heedless, &g), 0);
        RUN_UNTIL(hk_load(&g.inside) == 1);
        HK_EXPECT(!hocket_future_cancel(f));
        HK_EXPECT_EQ(result_of(f), 3);
        HK_EXPECT(hocket_future_error(f) == NULL);
        hocket_future_free(f);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(cancel_is_seen_by_computing_jobs)
{
    run_in(_i, computing_job, NULL);
}
END_TEST

static int cancelled_getter(void *arg)
{
    hocket_cancel(hocket_self());
    HK_EXPECT_EQ(hocket_future_get(arg, NULL, HOCKET_FOREVER), -ECANCELED);
    HK_EXPECT_EQ(hocket_future_wait(arg, HOCKET_NOW), -ECANCELED);
    return 0;
}

static int get_is_a_cancel_point(void *arg)
{
    (void)arg;
    FOR_SCHEMES(ex, 1, 0)
    {
        hocket_future *f;
        HK_EXPECT_EQ(hocket_submit_fn(ex, &f, seven, NULL), 0);
        HK_EXPECT_EQ(result_of(f), 7);
        run_finish(run_spawn(cancelled_getter, f), 0); /* although it is done */
        hocket_future_free(f);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(cancel_point)
{
    run_in(_i, get_is_a_cancel_point, NULL);
}
END_TEST

/* ---- jobs that wait for jobs ---- */

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

static int never_starves(void *arg)
{
    (void)arg;
    for (int workers = 1; workers <= 2; workers++)
        FOR_SCHEMES(ex, workers, 1)
        {
            struct tree root = { ex, 5 };
            hocket_future *f;
            HK_EXPECT_EQ(hocket_submit_fn(ex, &f, grow, &root), 0);
            HK_EXPECT_EQ(result_of(f), 32);
            hocket_future_free(f);
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

/* ---- life ---- */

static int freed_before_done(void *arg)
{
    (void)arg;
    FOR_POOLS(ex, 1, 0)
    {
        struct gate g = { 0 };
        hocket_future *f[2];
        for (int i = 0; i < 2; i++)
            HK_EXPECT_EQ(hocket_submit_fn(ex, &f[i], pass, &g), 0);
        RUN_UNTIL(hk_load(&g.inside) == 1);
        hocket_future_free(f[0]);
        hocket_future_free(f[1]);
        gate_open(&g);
        hocket_executor_free(ex);
        HK_EXPECT_EQ(hk_load(&g.ended), 2);
    }
    return 0;
}
START_TEST(free_lets_the_job_go_on)
{
    run_in(_i, freed_before_done, NULL);
}
END_TEST

static int free_with_waiter(void *arg)
{
    (void)arg;
    hocket_executor *ex = executor_make("fibers", 1, 0);
    struct gate g = { 0 };
    struct asker a = { NULL, HOCKET_FOREVER, 0, 0 };
    HK_EXPECT_EQ(hocket_submit_fn(ex, &a.f, pass, &g), 0);
    hocket_task *t = run_spawn(ask, &a);
    RUN_UNTIL(run_parked(t) && hk_load(&g.inside) == 1);
    hocket_future_free(a.f);
    return 0;
}

static hocket_mutex kept;

static int keep_lock(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&kept);
    return 0;
}

static int job_keeps_lock(void *arg)
{
    (void)arg;
    hocket_executor *ex = executor_make("fibers", 1, 0);
    HK_EXPECT_EQ(hocket_submit_fn(ex, NULL, keep_lock, NULL), 0);
    hocket_executor_free(ex);
    return 0;
}

static void in_runtime(void *fn)
{
    run_in(0, *(hocket_task_fn **)fn, NULL);
}

START_TEST(misuse_panics)
{
    hocket_task_fn *fn = free_with_waiter;
    death_by_signal(in_runtime, &fn, SIGABRT, "hocket_future_free: task task-");
    fn = job_keeps_lock;
    death_by_signal(in_runtime, &fn, SIGABRT, "job ended while holding 1 lock(s)");
}
END_TEST

SUITE("future", 30)
{
    suite_each(states);
    suite_each(many_waiters);
    suite_each(cancel_queued);
    suite_each(cancel_running);
    suite_each(cancel_is_seen_by_computing_jobs);
    suite_each(cancel_point);
    suite_each(a_pool_never_starves_on_its_own_jobs);
    suite_each(crosswise);
    suite_each(tasks_inside_jobs);
    suite_each(deadlock_with_itself);
    suite_each(deadlock_of_two);
    suite_each(free_lets_the_job_go_on);
    suite_once(misuse_panics);
}
