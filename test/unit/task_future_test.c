/* SPDX-License-Identifier: MIT */
/* Futures: states, waiting, cancel, life. */
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
    suite_each(free_lets_the_job_go_on);
    suite_once(misuse_panics);
}
