/* SPDX-License-Identifier: MIT */
/*
 * What the tests of Python's concurrent.futures ask of an executor, on every scheme in every set-up,
 * where other files of ours do not: wait with some done already, duplicates, errors of all kinds,
 * callbacks in each state, saturation, shutdown at awkward moments, jobs that wait for jobs.
 */
#include "support/suite.h"

#include <hocket/hooks.h>
#include <hocket/mutex.h>
#include <hocket/promise.h>
#include <hocket/rmutex.h>
#include <hocket/sem.h>

#include "support/executors.h"

static int multiply(void *arg)
{
    const int *ab = arg;
    return ab[0] * ab[1];
}

static int fail_domain(void *arg)
{
    (void)arg;
    return hocket_fail(-EDOM, "mul");
}

static int two_by_twentyone[] = { 2, 21 };

static hocket_future *submit(hocket_executor *ex, hocket_task_fn *fn, void *arg)
{
    hocket_future *f;
    HK_EXPECT_EQ(hocket_submit_fn(ex, &f, fn, arg), 0);
    return f;
}

static void free_all(hocket_future **f, int n)
{
    for (int i = 0; i < n; i++) {
        (void)hocket_future_result(f[i]);
        hocket_future_free(f[i]);
    }
}

/* ---- wait ---- */

static int waiting(void *arg)
{
    (void)arg;
    FOR_POOLS(ex, 2, 0)
    {
        struct gate g = { 0 };
        size_t i;
        hocket_future *f[4];
        hocket_promise *p;
        f[0] = submit(ex, pass, &g); /* will be late */
        f[1] = submit(ex, multiply, two_by_twentyone);
        HK_EXPECT_EQ(hocket_future_wait_many(f, 2, HOCKET_WAIT_FIRST, &i, HOCKET_FOREVER), 0);
        HK_EXPECT_EQ(i, 1);
        HK_EXPECT(!hocket_future_done(f[0]));
        HK_EXPECT_EQ(hocket_future_wait_many(f, 2, HOCKET_WAIT_ALL, &i, hocket_after(HOCKET_MS)),
                     -ETIMEDOUT);
        f[2] = submit(ex, fail_domain, NULL); /* first failure, one late, one good */
        HK_EXPECT_EQ(hocket_future_wait_many(f, 3, HOCKET_WAIT_FAILURE, &i, HOCKET_FOREVER), 0);
        HK_EXPECT_EQ(i, 2);
        HK_EXPECT_EQ(hocket_promise_new(&p, &f[3]), 0); /* cancelled counts as failed and as done */
        HK_EXPECT(hocket_future_cancel(f[3]));
        hocket_future *two[2] = { f[0], f[3] };
        HK_EXPECT_EQ(hocket_future_wait_many(two, 2, HOCKET_WAIT_FAILURE, &i, HOCKET_FOREVER), 0);
        HK_EXPECT_EQ(i, 1);
        HK_EXPECT_EQ(hocket_future_wait_many(two, 2, HOCKET_WAIT_FIRST, &i, HOCKET_NOW), 0);
        gate_open(&g);
        HK_EXPECT_EQ(hocket_future_wait_many(f, 4, HOCKET_WAIT_ALL, &i, HOCKET_FOREVER), 0);
        free_all(f, 4);
        hocket_promise_free(p);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(wait_with_some_done)
{
    run_in(_i, waiting, NULL);
}
END_TEST

static int pending_calls(void *arg) /* bpo-20297: a future given often is told once each time */
{
    (void)arg;
    FOR_POOLS(ex, 2, 0)
    {
        struct gate g = { 0 };
        hocket_completed *c;
        size_t i;
        hocket_future *f = submit(ex, pass, &g), *thrice[3] = { f, f, f };
        int seen = 0;
        HK_EXPECT_EQ(hocket_completed_open(&c, thrice, 3), 0);
        HK_EXPECT_EQ(hocket_completed_next(c, &i, HOCKET_NOW), -ETIMEDOUT);
        gate_open(&g);
        while (hocket_completed_next(c, &i, HOCKET_FOREVER) == 0)
            seen++;
        HK_EXPECT_EQ(seen, 3);
        hocket_completed_close(c);
        hocket_future_free(f);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(duplicate_futures)
{
    run_in(_i, pending_calls, NULL);
}
END_TEST

/* ---- futures ---- */

static _Atomic int called;

static int count_call(hocket_future *f, void *arg)
{
    HK_EXPECT(hocket_future_done(f) && !hocket_future_running(f));
    (void)hk_add(&called, arg != NULL ? *(int *)arg : 1);
    return 0;
}

static int cancel_itself(hocket_future *f, void *arg)
{
    HK_EXPECT(!hocket_future_cancel(f)); /* too late, and no deadlock */
    (void)hk_add(&called, 1);
    return arg == NULL ? 0 : hocket_fail(-EIO, "a callback that fails");
}

static void count_report(const hocket_error *error, void *context)
{
    HK_EXPECT_STR(error->message, "a callback that fails");
    (void)hk_add((_Atomic int *)context, 1);
}

static int callbacks_in_each_state(void *arg)
{
    _Atomic int reports = 0;
    hocket_hooks h = HOCKET_HOOKS_DEFAULT;
    (void)arg;
    h.error = count_report;
    h.context = &reports;
    HK_EXPECT_EQ(hocket_hooks_set(&h, NULL), 0);
    for (int state = 0; state < 3; state++)    /* result, failure, cancelled */
        for (int late = 0; late < 2; late++) { /* added before, after it is done */
            hocket_promise *p;
            hocket_future *f;
            hk_store(&called, 0);
            hk_store(&reports, 0);
            HK_EXPECT_EQ(hocket_promise_new(&p, &f), 0);
            for (int turn = 0; turn < 2; turn++) {
                if (turn == late) {
                    HK_EXPECT_EQ(hocket_future_on_done(f, cancel_itself, f), 0); /* fails */
                    HK_EXPECT_EQ(hocket_future_on_done(f, cancel_itself, NULL), 0);
                    HK_EXPECT_EQ(hocket_future_on_done(f, count_call, NULL), 0);
                } else if (state == 2) {
                    HK_EXPECT(hocket_future_cancel(f));
                } else {
                    HK_EXPECT_EQ(hocket_promise_set(p, state == 0 ? 5 : -EDOM, NULL, 0), 0);
                }
            }
            HK_EXPECT_EQ(hk_load(&called), 3); /* the others are called all the same */
            HK_EXPECT_EQ(hk_load(&reports), 1);
            (void)hocket_future_result(f);
            hocket_promise_free(p);
            hocket_future_free(f);
        }
    return hocket_hooks_set(NULL, NULL);
}
START_TEST(callbacks_of_all_states)
{
    run_in(_i, callbacks_in_each_state, NULL);
}
END_TEST

struct asker {
    hocket_future *f;
    int rc, result;
};

static int ask(void *arg)
{
    struct asker *a = arg;
    a->rc = hocket_future_get(a->f, &a->result, HOCKET_FOREVER);
    return 0;
}

/* result() in another thread, ended by a result, a failure, a cancel. */
static int asked_from_elsewhere(void *arg)
{
    (void)arg;
    static const int ends[] = { 42, -EIO, -ECANCELED };
    for (int i = 0; i < 3; i++) {
        hocket_promise *p;
        struct asker a = { NULL, 1, 1 };
        HK_EXPECT_EQ(hocket_promise_new(&p, &a.f), 0);
        hocket_task *t = run_spawn(ask, &a);
        RUN_UNTIL(run_parked(t));
        if (i == 2)
            HK_EXPECT(hocket_future_cancel(a.f));
        else
            HK_EXPECT_EQ(hocket_promise_set(p, ends[i], NULL, 0), 0);
        run_finish(t, 0);
        HK_EXPECT(a.rc == 0 && a.result == ends[i]);
        hocket_promise_free(p);
        hocket_future_free(a.f);
    }
    return 0;
}
START_TEST(result_from_elsewhere)
{
    run_in(_i, asked_from_elsewhere, NULL);
}
END_TEST

/* ---- executors ---- */

static int take_permit(void *arg)
{
    return hocket_sem_acquire(arg, HOCKET_FOREVER);
}

/* Many more jobs than workers, all of which wait. */
static int saturated(void *arg)
{
    enum { WORKERS = 4, JOBS = 15 * WORKERS };
    (void)arg;
    FOR_POOLS(ex, WORKERS, 0)
    {
        hocket_sem sem = HOCKET_SEM_INIT(0);
        hocket_future *f[JOBS];
        for (int i = 0; i < JOBS; i++)
            f[i] = submit(ex, take_permit, &sem);
        hocket_executor_stats s;
        hocket_executor_stats_get(ex, &s);
        HK_EXPECT(s.workers <= WORKERS + 1 && s.submitted == JOBS);
        for (int i = 0; i < JOBS; i++)
            HK_EXPECT_EQ(hocket_sem_release(&sem), 0);
        for (int i = 0; i < JOBS; i++)
            HK_EXPECT_EQ(result_of(f[i]), 0);
        free_all(f, JOBS);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(saturation)
{
    run_in(_i, saturated, NULL);
}
END_TEST

/* A worker takes the next job although the one before has failed. */
static int goes_on_after_failures(void *arg)
{
    (void)arg;
    FOR_SCHEMES(ex, 1, 0)
    {
        hocket_future *f[20];
        for (int i = 0; i < 20; i++)
            f[i] = i % 2 ? submit(ex, multiply, two_by_twentyone) : submit(ex, fail_domain, NULL);
        for (int i = 0; i < 20; i++) {
            HK_EXPECT_EQ(result_of(f[i]), i % 2 ? 42 : -EDOM);
            HK_EXPECT(i % 2 ? hocket_future_error(f[i]) == NULL
                            : strcmp(hocket_future_error(f[i])->message, "mul") == 0);
        }
        free_all(f, 20);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(failures_do_not_stop_workers)
{
    run_in(_i, goes_on_after_failures, NULL);
}
END_TEST

/* Shut down by the last job's callback, while others still submit. */
static int shut(hocket_future *f, void *arg)
{
    (void)f;
    HK_EXPECT_EQ(hocket_executor_shutdown(arg, HOCKET_SHUTDOWN_DRAIN, HOCKET_NOW), -EDEADLK);
    return 0;
}

static int shut_by_callback(void *arg)
{
    (void)arg;
    FOR_POOLS(ex, 1, 0)
    {
        struct gate g = { 0 };
        hocket_future *f = submit(ex, pass, &g), *queued = submit(ex, multiply, two_by_twentyone);
        HK_EXPECT_EQ(hocket_future_on_done(f, shut, ex), 0);
        gate_open(&g);
        HK_EXPECT_EQ(result_of(queued), 42); /* drained */
        HK_EXPECT_EQ(hocket_submit_fn(ex, NULL, multiply, two_by_twentyone), -EPIPE);
        hocket_future_free(f);
        hocket_future_free(queued);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(shutdown_in_a_callback)
{
    run_in(_i, shut_by_callback, NULL);
}
END_TEST

/* ---- a pool and its own jobs ---- */

static hocket_executor *own;
static hocket_mutex held;
static hocket_rmutex reentrant;

/* What the waiting job below holds is not ours, though we run in its place. */
static int try_both(void *arg)
{
    (void)arg;
    HK_EXPECT_EQ(hocket_mutex_lock_until(&held, HOCKET_NOW), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_rmutex_lock_until(&reentrant, HOCKET_NOW), -ETIMEDOUT);
    return 1;
}

static int hold_and_wait(void *arg)
{
    hocket_mutex_lock(&held);
    hocket_rmutex_lock(&reentrant);
    hocket_future *f[4];
    int sum = 0;
    for (int i = 0; i < 4; i++)
        f[i] = submit(own, try_both, arg);
    for (int i = 3; i >= 0; i--) /* the last one first: the others are strangers then */
        sum += result_of(f[i]);
    free_all(f, 4);
    hocket_rmutex_unlock(&reentrant);
    hocket_mutex_unlock(&held);
    return sum;
}

static int locks_are_not_reentered(void *arg)
{
    (void)arg;
    FOR_POOLS(ex, 1, 1)
    {
        own = ex;
        for (int round = 0; round < 10; round++) {
            hocket_future *f = submit(ex, hold_and_wait, NULL);
            HK_EXPECT_EQ(result_of(f), 4);
            hocket_future_free(f);
        }
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(waiting_jobs_keep_their_locks)
{
    run_in(_i, locks_are_not_reentered, NULL);
}
END_TEST

/* As deep as it goes, with one worker: by get, by wait_many, by as-completed in turn. */
static int deep(void *arg)
{
    int depth = (int)(intptr_t)arg;
    if (depth == 0)
        return 0;
    hocket_future *f = submit(own, deep, (void *)(intptr_t)(depth - 1));
    hocket_completed *c;
    size_t i;
    if (depth % 3 == 1) {
        HK_EXPECT_EQ(hocket_future_wait_many(&f, 1, HOCKET_WAIT_FIRST, &i, HOCKET_FOREVER), 0);
    } else if (depth % 3 == 2) {
        HK_EXPECT_EQ(hocket_completed_open(&c, &f, 1), 0);
        HK_EXPECT_EQ(hocket_completed_next(c, &i, HOCKET_FOREVER), 0);
        hocket_completed_close(c);
    }
    int result = result_of(f);
    hocket_future_free(f);
    return result + 1;
}

static int never_starves(void *arg)
{
    (void)arg;
    for (int s = 1; s < SCHEMES; s++) {
        int depth = s == 1 ? run_scaled(500, 50) : 30;
        own = executor_make(executor_schemes[s], 1, 1);
        if (own == NULL)
            continue;
        hocket_future *f = submit(own, deep, (void *)(intptr_t)depth);
        HK_EXPECT_EQ(result_of(f), depth);
        hocket_future_free(f);
        hocket_executor_free(own);
    }
    return 0;
}
START_TEST(never_starves_at_any_depth)
{
    run_in(_i, never_starves, NULL);
}
END_TEST

SUITE("executor_python", 30)
{
    suite_each(wait_with_some_done);
    suite_each(duplicate_futures);
    suite_each(callbacks_of_all_states);
    suite_each(result_from_elsewhere);
    suite_each(saturation);
    suite_each(failures_do_not_stop_workers);
    suite_each(shutdown_in_a_callback);
    suite_each(waiting_jobs_keep_their_locks);
    suite_each(never_starves_at_any_depth);
}
