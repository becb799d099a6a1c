/* SPDX-License-Identifier: MIT */
/* Executors: every scheme in every set-up; submit, order, bounds, shutdown, free. */
#include "support/suite.h"

#include <errno.h>
#include <hocket/executor.h>
#include <string.h>

#include "park/graph.h"
#include "support/death.h"

static const char *const schemes[] = { "inline", "fibers", "threads" };
#define SCHEMES 3

/* NULL where the set-up has no threads to give. */
static hocket_executor *make(const char *scheme, int workers, size_t queue)
{
    hocket_executor_options o = HOCKET_EXECUTOR_OPTIONS_DEFAULT;
    hocket_executor *ex = NULL;
    o.workers = workers;
    o.queue = queue;
    int err = hocket_executor_new(&ex, scheme, &o);
    if (err == -EAGAIN && strcmp(scheme, "threads") == 0 && hocket_workers() == 0)
        return NULL;
    HK_EXPECT_EQ(err, 0);
    return ex;
}

#define FOR_SCHEMES(ex, workers, queue)  \
    for (int s_ = 0; s_ < SCHEMES; s_++) \
        for (hocket_executor *ex = make(schemes[s_], workers, queue); ex != NULL; ex = NULL)
#define FOR_POOLS(ex, workers, queue)    \
    for (int s_ = 1; s_ < SCHEMES; s_++) \
        for (hocket_executor *ex = make(schemes[s_], workers, queue); ex != NULL; ex = NULL)

static int reverse(const void *input, size_t size, hocket_buffer *output)
{
    const char *text = input;
    HK_EXPECT_EQ(output->size, 0);
    for (size_t i = size; i-- > 0;)
        HK_EXPECT_OK(hocket_buffer_append(output, text + i, 1));
    return (int)size;
}

static int result_of(hocket_future *f)
{
    int result = INT32_MIN;
    HK_EXPECT_EQ(hocket_future_get(f, &result, HOCKET_FOREVER), 0);
    return result;
}

static int add_one(void *arg)
{
    (void)hk_add((_Atomic int *)arg, 1);
    return 7;
}

/* A gate that jobs wait at, and that counts them. */
struct gate {
    hocket_word open;
    _Atomic int inside, ended, cancelled;
};

static int pass(void *arg)
{
    struct gate *g = arg;
    int err = 0;
    (void)hk_add(&g->inside, 1);
    while (err == 0 && hk_load_acq(&g->open) == 0)
        err = hocket_wait_on(&g->open, 0, HOCKET_FOREVER);
    (void)hk_add(err != 0 ? &g->cancelled : &g->ended, 1);
    return err;
}

static void gate_open(struct gate *g)
{
    hk_store_rel(&g->open, 1);
    (void)hocket_wake(&g->open, INT32_MAX);
}

/* ---- what it does ---- */

static int bytes_in_and_out(void *arg)
{
    (void)arg;
    FOR_SCHEMES(ex, 2, 0)
    {
        char word[] = "hocket";
        hocket_future *f, *empty;
        HK_EXPECT_EQ(hocket_submit(ex, &f, reverse, word, 6), 0);
        HK_EXPECT_EQ(hocket_submit(ex, &empty, reverse, NULL, 0), 0);
        memset(word, 'x', 6); /* the job has a copy */
        HK_EXPECT_EQ(result_of(f), 6);
        size_t size;
        HK_EXPECT(memcmp(hocket_future_output(f, &size), "tekcoh", 6) == 0);
        HK_EXPECT_EQ(size, 6);
        HK_EXPECT_EQ(result_of(empty), 0);
        HK_EXPECT(hocket_future_output(empty, &size) == NULL && size == 0);
        hocket_future_free(f);
        hocket_future_free(empty);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(bytes)
{
    run_in(_i, bytes_in_and_out, NULL);
}
END_TEST

static int many_jobs(void *arg)
{
    (void)arg;
    enum { N = 500 };
    FOR_SCHEMES(ex, 4, 16)
    {
        static hocket_future *f[N];
        _Atomic int count = 0;
        for (int i = 0; i < N; i++)
            HK_EXPECT_EQ(hocket_submit_fn(ex, &f[i], add_one, &count), 0);
        for (int i = 0; i < N; i++) {
            HK_EXPECT_EQ(result_of(f[i]), 7);
            hocket_future_free(f[i]);
        }
        HK_EXPECT_EQ(hk_load(&count), N);
        for (int i = 0; i < N; i++) /* without futures: free waits for them */
            HK_EXPECT_EQ(hocket_submit_fn(ex, NULL, add_one, &count), 0);
        hocket_executor_free(ex);
        HK_EXPECT_EQ(hk_load(&count), 2 * N);
    }
    return 0;
}
START_TEST(many)
{
    run_in(_i, many_jobs, NULL);
}
END_TEST

static _Atomic int at_once, most;

static int count_at_once(void *arg)
{
    int now = hk_add(&at_once, 1) + 1, before = hk_load(&most);
    while (now > before && !hk_cas(&most, &before, now))
        ;
    run_turn();
    (void)hk_sub(&at_once, 1);
    (void)arg;
    return 0;
}

static int workers_are_a_bound(void *arg)
{
    (void)arg;
    FOR_POOLS(ex, 3, 0)
    {
        hk_store(&most, 0);
        HK_EXPECT_EQ(hocket_executor_workers(ex), 3);
        for (int i = 0; i < 100; i++)
            HK_EXPECT_EQ(hocket_submit_fn(ex, NULL, count_at_once, NULL), 0);
        hocket_executor_free(ex);
        HK_EXPECT(hk_load(&most) >= 1 && hk_load(&most) <= 3);
    }
    return 0;
}
START_TEST(workers)
{
    run_in(_i, workers_are_a_bound, NULL);
}
END_TEST

static int all_run_at_once(void *arg)
{
    (void)arg;
    FOR_POOLS(ex, 3, 0)
    {
        struct gate g = { 0 };
        for (int i = 0; i < 5; i++)
            HK_EXPECT_EQ(hocket_submit_fn(ex, NULL, pass, &g), 0);
        RUN_UNTIL(hk_load(&g.inside) == 3);
        HK_EXPECT_EQ(hocket_executor_running(ex), 3);
        HK_EXPECT_EQ(hocket_executor_queued(ex), 2);
        gate_open(&g);
        hocket_executor_free(ex);
        HK_EXPECT_EQ(hk_load(&g.ended), 5);
    }
    return 0;
}
START_TEST(at_once_as_many_as_workers)
{
    run_in(_i, all_run_at_once, NULL);
}
END_TEST

static _Atomic int order_next;

static int in_order(void *arg)
{
    HK_EXPECT_EQ(hk_add(&order_next, 1), (int)(intptr_t)arg);
    return 0;
}

static int first_in_first_out(void *arg)
{
    (void)arg;
    FOR_SCHEMES(ex, 1, 8)
    {
        hk_store(&order_next, 0);
        for (int i = 0; i < 50; i++)
            HK_EXPECT_EQ(hocket_submit_fn(ex, NULL, in_order, (void *)(intptr_t)i), 0);
        hocket_executor_free(ex);
        HK_EXPECT_EQ(hk_load(&order_next), 50);
    }
    return 0;
}
START_TEST(order)
{
    run_in(_i, first_in_first_out, NULL);
}
END_TEST

static int worker_names(void *arg)
{
    char name[HOCKET_NAME_MAX];
    hocket_task_name(hocket_self(), name, sizeof name);
    HK_EXPECT(strncmp(name, arg, strlen(arg)) == 0 && name[strlen(arg)] == '-');
    HK_EXPECT(hocket_task_daemon(hocket_self()));
    return 0;
}

static int names_of_workers(void *arg)
{
    (void)arg;
    for (int s = 1; s < SCHEMES; s++) {
        hocket_executor *ex;
        if (hocket_workers() == 0 && s == 2)
            continue;
        HK_EXPECT_EQ(hocket_executor_new(&ex, schemes[s], NULL), 0);
        HK_EXPECT_EQ(hocket_submit_fn(ex, NULL, worker_names, (void *)(uintptr_t)schemes[s]), 0);
        HK_EXPECT_STR(hocket_executor_scheme(ex), schemes[s]);
        hocket_executor_free(ex);
        hocket_executor_options o = HOCKET_EXECUTOR_OPTIONS_DEFAULT;
        o.name = "crawl";
        HK_EXPECT_EQ(hocket_executor_new(&ex, schemes[s], &o), 0);
        HK_EXPECT_EQ(hocket_submit_fn(ex, NULL, worker_names, (void *)(uintptr_t) "crawl"), 0);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(names)
{
    run_in(_i, names_of_workers, NULL);
}
END_TEST

/* ---- errors of new and submit ---- */

START_TEST(new_refuses_nonsense)
{
    hocket_executor *ex = NULL;
    hocket_executor_options o = HOCKET_EXECUTOR_OPTIONS_DEFAULT;
    HK_EXPECT_EQ(hocket_executor_new(&ex, "carrier-pigeon", NULL), -EINVAL);
    HK_EXPECT_EQ(hocket_executor_new(&ex, "", NULL), -EINVAL);
    HK_EXPECT_EQ(hocket_executor_new(&ex, NULL, NULL), -EINVAL);
    o.workers = -1;
    HK_EXPECT_EQ(hocket_executor_new(&ex, "inline", &o), -EINVAL);
    o.workers = 1;
    o.size = 4;
    HK_EXPECT_EQ(hocket_executor_new(&ex, "inline", &o), -EINVAL);
    HK_EXPECT_EQ(hocket_executor_new(&ex, "fibers", NULL), -ENOSYS);
    HK_EXPECT_EQ(hocket_executor_new(&ex, "threads", NULL), -ENOSYS);
    HK_EXPECT(ex == NULL);
    hocket_executor_free(NULL);
}
END_TEST

static int new_refuses_stacks(void *arg)
{
    (void)arg;
    hocket_executor *ex = NULL;
    hocket_executor_options o = HOCKET_EXECUTOR_OPTIONS_DEFAULT;
    o.stack_size = SIZE_MAX;
    HK_EXPECT_EQ(hocket_executor_new(&ex, "fibers", &o), -EINVAL);
    HK_EXPECT_EQ(hocket_executor_new(&ex, "threads", &o), -EINVAL);
    HK_EXPECT(ex == NULL);
    return 0;
}
START_TEST(new_refuses_absurd_stacks)
{
    run_in(_i, new_refuses_stacks, NULL);
}
END_TEST

START_TEST(inline_needs_no_runtime)
{
    hocket_executor *ex;
    hocket_future *f;
    _Atomic int count = 0;
    HK_EXPECT_EQ(hocket_executor_new(&ex, "inline", NULL), 0);
    HK_EXPECT_EQ(hocket_executor_workers(ex), 1);
    HK_EXPECT_EQ(hocket_submit_fn(ex, &f, add_one, &count), 0);
    HK_EXPECT_EQ(hk_load(&count), 1); /* done already */
    HK_EXPECT(hocket_future_done(f));
    HK_EXPECT_EQ(result_of(f), 7);
    hocket_future_free(f);
    hocket_executor_free(ex);
}
END_TEST

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

/* One runs, one is queued, the queue is full: the third waits for room. */
static int queue_is_bounded(void *arg)
{
    (void)arg;
    FOR_POOLS(ex, 1, 1)
    {
        struct gate g = { 0 };
        hocket_future *queued;
        HK_EXPECT_EQ(hocket_submit_fn(ex, NULL, pass, &g), 0);
        RUN_UNTIL(hk_load(&g.inside) == 1);
        HK_EXPECT_EQ(hocket_submit_fn(ex, &queued, pass, &g), 0);
        HK_EXPECT_EQ(hocket_submit_fn_until(ex, NULL, pass, &g, HOCKET_NOW), -ETIMEDOUT);
        HK_EXPECT_EQ(hocket_submit_fn_until(ex, NULL, pass, &g, hocket_after(HOCKET_MS)),
                     -ETIMEDOUT);
        HK_EXPECT_EQ(hocket_submit_until(ex, NULL, reverse, "a", 1, HOCKET_NOW), -ETIMEDOUT);

        struct waiting_submit w = { ex, &g, -1, 0 };
        hocket_task *t = run_spawn(submit_when_full, &w);
        RUN_UNTIL(run_parked(t));
        HK_EXPECT_EQ(hocket_executor_queued(ex), 1);
        HK_EXPECT(hocket_future_cancel(queued)); /* makes room: the waiting one goes in */
        run_finish(t, 0);
        HK_EXPECT_EQ(w.result, 0);
        HK_EXPECT_EQ(hocket_executor_queued(ex), 1);

        t = run_spawn(submit_when_full, &w);
        RUN_UNTIL(run_parked(t));
        hocket_cancel(t);
        run_finish(t, 0);
        HK_EXPECT_EQ(w.result, -ECANCELED);

        t = run_spawn(submit_when_full, &w);
        RUN_UNTIL(run_parked(t));
        gate_open(&g); /* the worker makes room */
        run_finish(t, 0);
        HK_EXPECT_EQ(w.result, 0);
        hocket_future_free(queued);
        hocket_executor_free(ex);
        HK_EXPECT_EQ(hk_load(&g.ended), 3);
    }
    return 0;
}
START_TEST(bounded)
{
    run_in(_i, queue_is_bounded, NULL);
}
END_TEST

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
    left_open = make(arg, 1, 0);
    if (left_open == NULL)
        return 0;
    for (int i = 0; i < 3; i++)
        HK_EXPECT_EQ(hocket_submit_fn(left_open, &left_future[i], pass, &left_gate), 0);
    RUN_UNTIL(hk_load(&left_gate.inside) == 1);
    return 0;
}

START_TEST(runtime_ends_first)
{
    for (int s = 1; s < SCHEMES; s++) {
        memset(&left_gate, 0, sizeof left_gate);
        run_in(_i, leave_open, (void *)(uintptr_t)schemes[s]);
        if (left_open == NULL)
            continue;
        HK_EXPECT_EQ(hk_load(&left_gate.cancelled), 1);
        for (int i = 0; i < 3; i++) {
            HK_EXPECT_EQ(result_of(left_future[i]), -ECANCELED);
            hocket_future_free(left_future[i]);
        }
        HK_EXPECT_EQ(hocket_submit_fn(left_open, NULL, pass, &left_gate), -ENOSYS);
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

SUITE("executor", 30)
{
    suite_each(bytes);
    suite_each(many);
    suite_each(workers);
    suite_each(at_once_as_many_as_workers);
    suite_each(order);
    suite_each(names);
    suite_once(new_refuses_nonsense);
    suite_each(new_refuses_absurd_stacks);
    suite_once(inline_needs_no_runtime);
    suite_each(bounded);
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
