/* SPDX-License-Identifier: MIT */
/* The end of executors: shutdown in both ways, free, the end of the runtime, misuse. */
#include "support/suite.h"

#include "support/death.h"
#include "support/executors.h"

static int add_one(void *arg)
{
    (void)hk_add((_Atomic int *)arg, 1);
    return 7;
}

struct waiting_submit {
    hocket_executor *ex;
    struct gate *gate;
    int result;
    _Atomic int done;
};

static int submit_when_full(void *arg)
{
    struct waiting_submit *w = arg;
    w->result = hocket_submit_fn(w->ex, NULL, pass, w->gate);
    hk_store_rel(&w->done, 1);
    return 0;
}

static int shutdown_turns_away(void *arg)
{
    (void)arg;
    FOR_POOLS(ex, 1, 1)
    {
        struct gate g = { 0 };
        HK_EXPECT_EQ(hocket_submit_fn(ex, NULL, pass, &g), 0);
        RUN_UNTIL(hk_load(&g.inside) == 1);
        HK_EXPECT_EQ(hocket_submit_fn(ex, NULL, pass, &g), 0);
        struct waiting_submit w = { ex, &g, -1, 0 };
        hocket_task *t = run_spawn(submit_when_full, &w);
        RUN_UNTIL(run_parked(t));
        HK_EXPECT_EQ(hocket_executor_shutdown(ex, HOCKET_SHUTDOWN_DRAIN, HOCKET_NOW), -ETIMEDOUT);
        run_finish(t, 0);
        HK_EXPECT_EQ(w.result, -EPIPE);
        HK_EXPECT(hocket_executor_closed(ex));
        HK_EXPECT_EQ(hocket_submit_fn(ex, NULL, pass, &g), -EPIPE);
        gate_open(&g);
        HK_EXPECT_EQ(hocket_executor_shutdown(ex, HOCKET_SHUTDOWN_DRAIN, HOCKET_FOREVER), 0);
        HK_EXPECT_EQ(hk_load(&g.ended), 2);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(shutdown_turns_submitters_away)
{
    run_in(_i, shutdown_turns_away, NULL);
}
END_TEST

/* ---- shutdown ---- */

static int shutdown_drains(void *arg)
{
    (void)arg;
    FOR_SCHEMES(ex, 2, 0)
    {
        _Atomic int count = 0;
        for (int i = 0; i < 50; i++)
            HK_EXPECT_EQ(hocket_submit_fn(ex, NULL, add_one, &count), 0);
        HK_EXPECT(!hocket_executor_closed(ex));
        HK_EXPECT_EQ(hocket_executor_shutdown(ex, 2, HOCKET_FOREVER), -EINVAL);
        HK_EXPECT(!hocket_executor_closed(ex));
        HK_EXPECT_EQ(hocket_executor_shutdown(ex, HOCKET_SHUTDOWN_DRAIN, HOCKET_FOREVER), 0);
        HK_EXPECT_EQ(hk_load(&count), 50);
        HK_EXPECT_EQ(hocket_executor_queued(ex), 0);
        HK_EXPECT_EQ(hocket_executor_running(ex), 0);
        HK_EXPECT_EQ(hocket_submit_fn(ex, NULL, add_one, &count), -EPIPE);
        HK_EXPECT_EQ(hocket_executor_shutdown(ex, HOCKET_SHUTDOWN_DRAIN, HOCKET_NOW), 0);
        HK_EXPECT_EQ(hocket_executor_shutdown(ex, HOCKET_SHUTDOWN_CANCEL, HOCKET_NOW), 0);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(drain)
{
    run_in(_i, shutdown_drains, NULL);
}
END_TEST

static int shutdown_cancels(void *arg)
{
    (void)arg;
    FOR_POOLS(ex, 2, 0)
    {
        struct gate g = { 0 };
        hocket_future *f[6];
        for (int i = 0; i < 6; i++)
            HK_EXPECT_EQ(hocket_submit_fn(ex, &f[i], pass, &g), 0);
        RUN_UNTIL(hk_load(&g.inside) == 2);
        HK_EXPECT_EQ(hocket_executor_shutdown(ex, HOCKET_SHUTDOWN_DRAIN, HOCKET_NOW), -ETIMEDOUT);
        HK_EXPECT_EQ(hocket_executor_shutdown(ex, HOCKET_SHUTDOWN_CANCEL, HOCKET_FOREVER), 0);
        HK_EXPECT_EQ(hk_load(&g.inside), 2);
        HK_EXPECT_EQ(hk_load(&g.cancelled), 2);
        for (int i = 0; i < 6; i++) {
            HK_EXPECT_EQ(result_of(f[i]), -ECANCELED);
            HK_EXPECT_EQ(hocket_future_cancelled(f[i]), i >= 2);
            hocket_future_free(f[i]);
        }
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(cancel_all)
{
    run_in(_i, shutdown_cancels, NULL);
}
END_TEST

struct shutting {
    hocket_executor *ex;
    int result;
};

static int shut_from_task(void *arg)
{
    struct shutting *s = arg;
    s->result = hocket_executor_shutdown(s->ex, HOCKET_SHUTDOWN_DRAIN, HOCKET_FOREVER);
    return 0;
}

static int shutdown_by_several(void *arg)
{
    (void)arg;
    FOR_POOLS(ex, 2, 0)
    {
        struct gate g = { 0 };
        struct shutting s[3] = { { ex, 1 }, { ex, 1 }, { ex, 1 } };
        hocket_task *t[3];
        HK_EXPECT_EQ(hocket_submit_fn(ex, NULL, pass, &g), 0);
        RUN_UNTIL(hk_load(&g.inside) == 1);
        for (int i = 0; i < 3; i++) {
            t[i] = run_spawn(shut_from_task, &s[i]);
            RUN_UNTIL(run_parked(t[i]));
        }
        HK_EXPECT_EQ(hocket_executor_shutdown(ex, HOCKET_SHUTDOWN_DRAIN, hocket_after(HOCKET_MS)),
                     -ETIMEDOUT);
        hocket_cancel(t[1]);
        run_finish(t[1], 0);
        HK_EXPECT_EQ(s[1].result, -ECANCELED);
        gate_open(&g);
        run_finish(t[0], 0);
        run_finish(t[2], 0);
        HK_EXPECT(s[0].result == 0 && s[2].result == 0);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(several_shut_down)
{
    run_in(_i, shutdown_by_several, NULL);
}
END_TEST

static int shut_own(void *arg)
{
    hocket_executor *ex = arg;
    HK_EXPECT_EQ(hocket_executor_shutdown(ex, HOCKET_SHUTDOWN_DRAIN, HOCKET_FOREVER), -EDEADLK);
    HK_EXPECT(hocket_executor_closed(ex));
    return 5;
}

static int shutdown_by_job(void *arg)
{
    (void)arg;
    FOR_SCHEMES(ex, 2, 0)
    {
        hocket_future *f;
        HK_EXPECT_EQ(hocket_submit_fn(ex, &f, shut_own, ex), 0);
        HK_EXPECT_EQ(result_of(f), 5);
        hocket_future_free(f);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(job_shuts_down_its_executor)
{
    run_in(_i, shutdown_by_job, NULL);
}
END_TEST

struct freeing {
    hocket_executor *ex;
    _Atomic int freed;
};

static int free_it(void *arg)
{
    struct freeing *f = arg;
    hocket_executor_free(f->ex);
    hk_store_rel(&f->freed, 1);
    return 0;
}

/* free drains; once its caller is cancelled, it cancels. */
static int free_when_cancelled(void *arg)
{
    (void)arg;
    FOR_POOLS(ex, 1, 0)
    {
        struct gate g = { 0 };
        for (int i = 0; i < 4; i++)
            HK_EXPECT_EQ(hocket_submit_fn(ex, NULL, pass, &g), 0);
        RUN_UNTIL(hk_load(&g.inside) == 1);
        struct freeing f = { ex, 0 };
        hocket_task *t = run_spawn(free_it, &f);
        RUN_UNTIL(run_parked(t));
        HK_EXPECT(!hk_load(&f.freed));
        hocket_cancel(t);
        run_finish(t, 0);
        HK_EXPECT(hk_load(&f.freed));
        HK_EXPECT_EQ(hk_load(&g.inside), 1);
        HK_EXPECT_EQ(hk_load(&g.cancelled), 1);
    }
    return 0;
}
START_TEST(free_cancels_when_cancelled)
{
    run_in(_i, free_when_cancelled, NULL);
}
END_TEST

static int cancelled_submit(void *arg)
{
    hocket_executor *ex = arg;
    _Atomic int count = 0;
    hocket_cancel(hocket_self());
    HK_EXPECT_EQ(hocket_submit_fn(ex, NULL, add_one, &count), -ECANCELED);
    HK_EXPECT_EQ(hocket_executor_shutdown(ex, HOCKET_SHUTDOWN_DRAIN, HOCKET_FOREVER), -ECANCELED);
    HK_EXPECT_EQ(hk_load(&count), 0);
    return 0;
}

static int cancel_points(void *arg)
{
    (void)arg;
    FOR_SCHEMES(ex, 1, 0)
    {
        run_finish(run_spawn(cancelled_submit, ex), 0);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(every_call_is_a_cancel_point)
{
    run_in(_i, cancel_points, NULL);
}
END_TEST

/* An executor left open: its jobs are cancelled when the runtime ends. */
static struct gate left_gate;
static hocket_executor *left_open;
static hocket_future *left_future[3];

static int leave_open(void *arg)
{
    left_open = executor_make(arg, 1, 0);
    if (left_open == NULL)
        return 0;
    for (int i = 0; i < 3; i++)
        HK_EXPECT_EQ(hocket_submit_fn(left_open, &left_future[i], pass, &left_gate), 0);
    RUN_UNTIL(hk_load(&left_gate.inside) == 1);
    return 0;
}

static int never_called(const void *input, size_t size, hocket_buffer *output)
{
    (void)input;
    (void)size;
    (void)output;
    hk__expect_failed(__FILE__, __LINE__, "no job after the end");
}

START_TEST(runtime_ends_first)
{
    for (int s = 1; s < SCHEMES; s++) {
        memset(&left_gate, 0, sizeof left_gate);
        run_in(_i, leave_open, (void *)(uintptr_t)executor_schemes[s]);
        if (left_open == NULL)
            continue;
        HK_EXPECT_EQ(hk_load(&left_gate.cancelled), 1);
        for (int i = 0; i < 3; i++) {
            HK_EXPECT_EQ(result_of(left_future[i]), -ECANCELED);
            hocket_future_free(left_future[i]);
        }
        HK_EXPECT_EQ(hocket_submit_fn(left_open, NULL, pass, &left_gate), -ENOSYS);
        HK_EXPECT_EQ(hocket_submit(left_open, NULL, never_called, NULL, 0), -ENOSYS);
        hocket_executor_free(left_open);
    }
}
END_TEST

/* ---- misuse ---- */

static int free_own(void *arg)
{
    hocket_executor_free(arg);
    return 0;
}

static void free_in_job(void *arg)
{
    hocket_executor *ex;
    (void)arg;
    HK_EXPECT_EQ(hocket_executor_new(&ex, "inline", NULL), 0);
    HK_EXPECT_EQ(hocket_submit_fn(ex, NULL, free_own, ex), 0);
}

static int open_scope(void *arg)
{
    hocket_scope_open(arg, NULL);
    return 0;
}

static void scope_left_open(void *arg)
{
    hocket_executor *ex;
    hocket_scope scope;
    (void)arg;
    HK_EXPECT_EQ(hocket_executor_new(&ex, "inline", NULL), 0);
    HK_EXPECT_EQ(hocket_submit_fn(ex, NULL, open_scope, &scope), 0);
}

START_TEST(misuse_panics)
{
    death_by_signal(free_in_job, NULL, SIGABRT, "hocket_executor_free: executor 'inline'");
    death_by_signal(scope_left_open, NULL, SIGABRT, "ended with an open scope");
}
END_TEST

SUITE("executor_end", 30)
{
    suite_each(shutdown_turns_submitters_away);
    suite_each(drain);
    suite_each(cancel_all);
    suite_each(several_shut_down);
    suite_each(job_shuts_down_its_executor);
    suite_each(free_cancels_when_cancelled);
    suite_each(every_call_is_a_cancel_point);
    suite_each(runtime_ends_first);
    suite_once(misuse_panics);
}
