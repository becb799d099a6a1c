/* SPDX-License-Identifier: MIT */
/* Tasks, scopes, futures, executors, timers and branches under many seeds. */
#include "support/world.h"

static int total, inside, order[8], calls;
static hocket_executor *executor;
static hocket_event event;

static int result_of(void *arg)
{
    hocket_sim_point();
    return (int)(intptr_t)arg;
}

/* ---- tasks ---- */

WORLD(join_gives_the_result)
{
    hocket_task *t[4];
    for (intptr_t i = 0; i < 4; i++)
        t[i] = world_spawn(result_of, (void *)(10 + i));
    for (int i = 3; i >= 0; i--)
        HK_EXPECT_EQ(world_join(t[i]), 10 + i);
    return 0;
}

static hocket_task *shared;

static int joiner(void *arg)
{
    int result = 0;
    int err = hocket_join(shared, &result,
                          (intptr_t)arg ? hocket_after(HOCKET_MS) : HOCKET_FOREVER);
    HK_EXPECT(err == 0 || ((intptr_t)arg && err == -ETIMEDOUT));
    if (err == 0)
        HK_EXPECT_EQ(result, 5);
    return 0;
}

static int sleeps_and_returns(void *arg)
{
    HK_EXPECT_OK(hocket_sleep(HOCKET_MS));
    return (int)(intptr_t)arg;
}

WORLD(several_join_one)
{
    shared = world_spawn(sleeps_and_returns, (void *)5);
    world_tasks(joiner, 3);
    HK_EXPECT_EQ(world_join(shared), 5);
    return 0;
}

static int sleeper(void *arg)
{
    (void)arg;
    int err = hocket_sleep(HOCKET_SEC);
    HK_EXPECT(err == 0 || err == -ECANCELED);
    total += err == 0;
    return err;
}

WORLD(cancel_meets_the_end_of_a_sleep)
{
    hocket_task *t = world_spawn(sleeper, NULL);
    int result = 0;
    HK_EXPECT_OK(hocket_sleep(HOCKET_SEC));
    hocket_cancel(t);
    HK_EXPECT_OK(hocket_join(t, &result, HOCKET_FOREVER));
    HK_EXPECT(result == 0 || result == -ECANCELED);
    HK_EXPECT_EQ(result == 0, total);
    hocket_task_release(t);
    return 0;
}

WORLD(held_tasks_begin_when_told)
{
    hocket_task *t;
    HK_EXPECT_OK(
        hocket_spawn_task(&t, NULL, result_of, (void *)3, HOCKET_SPAWN_OPTIONS(.held = true)));
    HK_EXPECT_OK(hocket_yield());
    HK_EXPECT_OK(hocket_task_start(t));
    HK_EXPECT_EQ(world_join(t), 3);
    return 0;
}

static int releases(void *arg)
{
    hocket_task_release(arg);
    return 0;
}

WORLD(a_handle_is_released_while_its_task_ends)
{
    hocket_task *t = world_spawn(result_of, NULL);
    hocket_task *r = world_spawn(releases, t);
    (void)world_join(r);
    return 0;
}

/* ---- scopes ---- */

static int counts(void *arg)
{
    HK_EXPECT_OK(hocket_sleep((hocket_time)(intptr_t)arg * HOCKET_MS));
    total++;
    return 0;
}

WORLD(scope_waits_for_all)
{
    world_tasks(counts, 5);
    HK_EXPECT_EQ(total, 5);
    return 0;
}

static int spawns_more(void *arg)
{
    hocket_scope *scope = arg;
    HK_EXPECT_OK(hocket_spawn(scope, counts, (void *)1));
    HK_EXPECT_OK(hocket_spawn(scope, counts, NULL));
    return 0;
}

WORLD(tasks_of_a_scope_spawn_into_it)
{
    hocket_scope scope;
    hocket_scope_open(&scope, NULL);
    HK_EXPECT_OK(hocket_spawn(&scope, spawns_more, &scope));
    HK_EXPECT_OK(hocket_spawn(&scope, spawns_more, &scope));
    HK_EXPECT_OK(hocket_scope_close(&scope));
    HK_EXPECT_EQ(total, 4);
    return 0;
}

static int fails(void *arg)
{
    (void)arg;
    (void)!hocket_yield();
    return -EIO;
}

static int waits_for_ever(void *arg)
{
    (void)arg;
    int err = hocket_event_wait(&event, HOCKET_FOREVER);
    HK_EXPECT_EQ(err, -ECANCELED);
    total++;
    return err;
}

WORLD(a_failure_cancels_the_others)
{
    hocket_scope scope;
    hocket_scope_open(&scope, NULL);
    HK_EXPECT_OK(hocket_spawn(&scope, waits_for_ever, NULL));
    HK_EXPECT_OK(hocket_spawn(&scope, fails, NULL));
    HK_EXPECT_OK(hocket_spawn(&scope, waits_for_ever, NULL));
    HK_EXPECT_EQ(hocket_scope_close(&scope), -EIO);
    HK_EXPECT_EQ(total, 2);
    return 0;
}

WORLD(a_scope_has_a_deadline)
{
    hocket_scope scope;
    hocket_scope_open(&scope, HOCKET_SCOPE_OPTIONS(.deadline = hocket_after(HOCKET_MS)));
    HK_EXPECT_OK(hocket_spawn(&scope, waits_for_ever, NULL));
    HK_EXPECT_OK(hocket_spawn(&scope, waits_for_ever, NULL));
    (void)!hocket_scope_close(&scope);
    HK_EXPECT_EQ(total, 2);
    return 0;
}

/* ---- executors and futures ---- */

static void open_executor(const char *scheme, int workers)
{
    HK_EXPECT_OK(
        hocket_executor_new(&executor, scheme, HOCKET_EXECUTOR_OPTIONS(.workers = workers)));
}

static int jobs_on(const char *scheme)
{
    hocket_future *f[5];
    int result;
    open_executor(scheme, 2);
    for (intptr_t i = 0; i < 5; i++)
        HK_EXPECT_OK(hocket_submit_fn(executor, &f[i], sleeps_and_returns, (void *)i));
    for (int i = 0; i < 5; i++) {
        HK_EXPECT_OK(hocket_future_get(f[i], &result, HOCKET_FOREVER));
        HK_EXPECT_EQ(result, i);
        hocket_future_free(f[i]);
    }
    HK_EXPECT_OK(hocket_executor_shutdown(executor, HOCKET_SHUTDOWN_DRAIN, HOCKET_FOREVER));
    hocket_executor_free(executor);
    return 0;
}

WORLD(jobs_on_fibers)
{
    return jobs_on("fibers");
}

WORLD(jobs_on_threads)
{
    return jobs_on("threads");
}

static int submits(void *arg)
{
    hocket_future *f;
    int result;
    HK_EXPECT_OK(hocket_submit_fn(executor, &f, result_of, arg));
    HK_EXPECT_OK(hocket_future_get(f, &result, HOCKET_FOREVER));
    HK_EXPECT_EQ(result, (int)(intptr_t)arg);
    hocket_future_free(f);
    total++;
    return 0;
}

WORLD(several_submit)
{
    open_executor("fibers", 1);
    world_tasks(submits, 4);
    HK_EXPECT_EQ(total, 4);
    hocket_executor_free(executor);
    return 0;
}

static int counted_job(void *arg)
{
    (void)arg;
    calls++;
    return hocket_yield();
}

WORLD(shutdown_drains)
{
    open_executor("fibers", 2);
    for (int i = 0; i < 4; i++)
        HK_EXPECT_OK(hocket_submit_fn(executor, NULL, counted_job, NULL));
    HK_EXPECT_OK(hocket_executor_shutdown(executor, HOCKET_SHUTDOWN_DRAIN, HOCKET_FOREVER));
    HK_EXPECT_EQ(calls, 4);
    hocket_executor_free(executor);
    return 0;
}

WORLD(shutdown_cancels)
{
    hocket_future *f[4];
    int done = 0;
    open_executor("fibers", 1);
    for (int i = 0; i < 4; i++)
        HK_EXPECT_OK(hocket_submit_fn(executor, &f[i], counted_job, NULL));
    HK_EXPECT_OK(hocket_executor_shutdown(executor, HOCKET_SHUTDOWN_CANCEL, HOCKET_FOREVER));
    for (int i = 0; i < 4; i++) {
        HK_EXPECT(hocket_future_done(f[i]));
        done += hocket_future_result(f[i]) == 0;
        hocket_future_free(f[i]);
    }
    HK_EXPECT(done <= calls);
    hocket_executor_free(executor);
    return 0;
}

static int cancels_future(void *arg)
{
    order[0] = hocket_future_cancel(arg);
    return 0;
}

WORLD(a_future_is_cancelled_or_done)
{
    hocket_future *f;
    open_executor("fibers", 1);
    HK_EXPECT_OK(hocket_submit_fn(executor, &f, counted_job, NULL));
    hocket_task *t = world_spawn(cancels_future, f);
    int result = 0, err = hocket_future_get(f, &result, HOCKET_FOREVER);
    HK_EXPECT_OK(err);
    HK_EXPECT(result == 0 || result == -ECANCELED);
    (void)world_join(t);
    if (calls == 0)
        HK_EXPECT_EQ(result, -ECANCELED);
    hocket_future_free(f);
    hocket_executor_free(executor);
    return 0;
}

static int follow(hocket_future *f, void *arg)
{
    (void)arg;
    total++;
    return hocket_future_result(f) + 1;
}

WORLD(follow_ups)
{
    hocket_future *f, *next;
    int result;
    open_executor("fibers", 2);
    HK_EXPECT_OK(hocket_submit_fn(executor, &f, result_of, (void *)4));
    HK_EXPECT_OK(hocket_future_then(f, &next, executor, follow, NULL));
    hocket_future_free(f);
    HK_EXPECT_OK(hocket_future_get(next, &result, HOCKET_FOREVER));
    HK_EXPECT_EQ(result, 5);
    hocket_future_free(next);
    hocket_executor_free(executor);
    return 0;
}

WORLD(wait_for_many_futures)
{
    hocket_future *f[3];
    size_t index;
    open_executor("fibers", 2);
    for (intptr_t i = 0; i < 3; i++)
        HK_EXPECT_OK(hocket_submit_fn(executor, &f[i], sleeps_and_returns, (void *)i));
    HK_EXPECT_OK(hocket_future_wait_many(f, 3, HOCKET_WAIT_FIRST, &index, HOCKET_FOREVER));
    HK_EXPECT(hocket_future_done(f[index]));
    HK_EXPECT_OK(hocket_future_wait_many(f, 3, HOCKET_WAIT_ALL, NULL, HOCKET_FOREVER));
    for (int i = 0; i < 3; i++) {
        HK_EXPECT(hocket_future_done(f[i]));
        hocket_future_free(f[i]);
    }
    hocket_executor_free(executor);
    return 0;
}

static int keeps_promise(void *arg)
{
    HK_EXPECT_OK(hocket_yield());
    int err = hocket_promise_set(arg, 9, NULL, 0);
    HK_EXPECT(err == 0 || err == -ECANCELED || err == -EALREADY);
    total += err == 0;
    return 0;
}

WORLD(a_promise_is_set_once)
{
    hocket_promise *p;
    hocket_future *f;
    int result;
    HK_EXPECT_OK(hocket_promise_new(&p, &f));
    hocket_task *a = world_spawn(keeps_promise, p), *b = world_spawn(keeps_promise, p);
    HK_EXPECT_OK(hocket_future_get(f, &result, HOCKET_FOREVER));
    HK_EXPECT_EQ(result, 9);
    (void)world_join(a);
    (void)world_join(b);
    HK_EXPECT_EQ(total, 1);
    hocket_promise_free(p);
    hocket_future_free(f);
    return 0;
}

/* ---- timers ---- */

static int tick(hocket_timer *timer, void *arg)
{
    (void)timer;
    HK_EXPECT_EQ(inside++, 0);
    HK_EXPECT_OK(hocket_yield());
    inside--;
    calls++;
    if (arg && calls == 3)
        hocket_event_set(&event);
    return 0;
}

WORLD(a_stopped_timer_never_fires)
{
    hocket_timer *t;
    HK_EXPECT_OK(hocket_timer_new(&t, tick, NULL));
    HK_EXPECT_OK(hocket_timer_start(t, hocket_after(HOCKET_MS)));
    HK_EXPECT_OK(hocket_sleep(HOCKET_MS));
    int stopped = hocket_timer_stop(t, HOCKET_FOREVER), before = calls;
    HK_EXPECT(stopped >= 0);
    HK_EXPECT_EQ(inside, 0);
    HK_EXPECT_OK(hocket_sleep(HOCKET_SEC));
    HK_EXPECT_EQ(calls, before);
    hocket_timer_free(t);
    return 0;
}

WORLD(a_timer_that_repeats)
{
    hocket_timer *t;
    HK_EXPECT_OK(hocket_timer_new(&t, tick, &event));
    HK_EXPECT_OK(
        hocket_timer_start_every(t, hocket_after(HOCKET_MS), HOCKET_MS, HOCKET_FIXED_DELAY));
    HK_EXPECT_OK(hocket_event_wait(&event, HOCKET_FOREVER));
    hocket_timer_free(t);
    HK_EXPECT(calls >= 3);
    return 0;
}

static int fires_in_order(hocket_timer *timer, void *arg)
{
    (void)timer;
    order[calls++] = (int)(intptr_t)arg;
    return 0;
}

WORLD(timers_fire_in_order)
{
    hocket_timer *t[3];
    for (intptr_t i = 0; i < 3; i++) {
        HK_EXPECT_OK(hocket_timer_new(&t[i], fires_in_order, (void *)i));
        HK_EXPECT_OK(hocket_timer_start(t[i], hocket_after((3 - i) * HOCKET_SEC)));
    }
    HK_EXPECT_OK(hocket_sleep(10 * HOCKET_SEC));
    HK_EXPECT_EQ(calls, 3);
    for (int i = 0; i < 3; i++) {
        HK_EXPECT_EQ(order[i], 2 - i);
        hocket_timer_free(t[i]);
    }
    return 0;
}

/* ---- branches and maps ---- */

static int fib(void *arg)
{
    int n = (int)(intptr_t)arg;
    hocket_branch b;
    if (n < 2)
        return n;
    hocket_fork(&b, fib, (void *)(intptr_t)(n - 1));
    int right = fib((void *)(intptr_t)(n - 2));
    return hocket_sync(&b) + right;
}

WORLD(branches)
{
    HK_EXPECT_EQ(fib((void *)6), 8);
    return 0;
}

static int marks(size_t begin, size_t end, void *arg)
{
    int *mark = arg;
    for (size_t i = begin; i < end; i++) {
        HK_EXPECT_EQ(mark[i]++, 0);
        hocket_sim_point();
    }
    return 0;
}

WORLD(parallel_for_does_each_once)
{
    int mark[20] = { 0 };
    HK_EXPECT_OK(hocket_parallel_for(0, 20, 3, marks, mark));
    for (int i = 0; i < 20; i++)
        HK_EXPECT_EQ(mark[i], 1);
    return 0;
}

static int next_number(void *context, const void **ret_input, size_t *ret_size)
{
    int *n = context;
    if (*n == 6)
        return 0;
    ++*n;
    *ret_input = n;
    *ret_size = sizeof *n;
    return 1;
}

static int doubles(const void *input, size_t size, hocket_buffer *output)
{
    int n = 2 * *(const int *)input;
    (void)size;
    hocket_sim_point();
    return hocket_buffer_append(output, &n, sizeof n);
}

static int takes(void *context, const hocket_map_result *r)
{
    (void)context;
    HK_EXPECT_OK(r->result);
    total += *(const int *)r->output;
    return 0;
}

WORLD(maps)
{
    int n = 0;
    open_executor("fibers", 2);
    HK_EXPECT_OK(hocket_map(executor, doubles, next_number, takes, &n,
                            HOCKET_MAP_OPTIONS(.window = 2), HOCKET_FOREVER));
    HK_EXPECT_EQ(total, 42);
    hocket_executor_free(executor);
    return 0;
}

static int blocks(void *arg)
{
    total++;
    hocket_blocking_begin();
    hocket_blocking_end();
    return (int)(intptr_t)arg;
}

WORLD(blocking_calls)
{
    HK_EXPECT_EQ(hocket_blocking(blocks, (void *)4), 4);
    world_tasks(counts, 2);
    HK_EXPECT_EQ(total, 3);
    return 0;
}

SUITE("world_task", world_limit())
{
    suite_once(join_gives_the_result);
    suite_once(several_join_one);
    suite_once(cancel_meets_the_end_of_a_sleep);
    suite_once(held_tasks_begin_when_told);
    suite_once(a_handle_is_released_while_its_task_ends);
    suite_once(scope_waits_for_all);
    suite_once(tasks_of_a_scope_spawn_into_it);
    suite_once(a_failure_cancels_the_others);
    suite_once(a_scope_has_a_deadline);
    suite_once(jobs_on_fibers);
    suite_once(jobs_on_threads);
    suite_once(several_submit);
    suite_once(shutdown_drains);
    suite_once(shutdown_cancels);
    suite_once(a_future_is_cancelled_or_done);
    suite_once(follow_ups);
    suite_once(wait_for_many_futures);
    suite_once(a_promise_is_set_once);
    suite_once(a_stopped_timer_never_fires);
    suite_once(a_timer_that_repeats);
    suite_once(timers_fire_in_order);
    suite_once(branches);
    suite_once(parallel_for_does_each_once);
    suite_once(maps);
    suite_once(blocking_calls);
}
