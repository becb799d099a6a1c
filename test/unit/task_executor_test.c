/* SPDX-License-Identifier: MIT */
/* Executors: every scheme in every set-up; submit, order, bounds, errors. */
#include "support/suite.h"

#include "support/executors.h"

static int reverse(const void *input, size_t size, hocket_buffer *output)
{
    const char *text = input;
    HK_EXPECT_EQ(output->size, 0);
    for (size_t i = size; i-- > 0;)
        HK_EXPECT_OK(hocket_buffer_append(output, text + i, 1));
    return (int)size;
}

static int add_one(void *arg)
{
    (void)hk_add((_Atomic int *)arg, 1);
    return 7;
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
        HK_EXPECT_EQ(hocket_executor_new(&ex, executor_schemes[s], NULL), 0);
        HK_EXPECT_EQ(
            hocket_submit_fn(ex, NULL, worker_names, (void *)(uintptr_t)executor_schemes[s]), 0);
        HK_EXPECT_STR(hocket_executor_scheme(ex), executor_schemes[s]);
        hocket_executor_free(ex);
        hocket_executor_options o = HOCKET_EXECUTOR_OPTIONS_DEFAULT;
        o.name = "crawl";
        HK_EXPECT_EQ(hocket_executor_new(&ex, executor_schemes[s], &o), 0);
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
}
