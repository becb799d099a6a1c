/* SPDX-License-Identifier: MIT */
/* Several futures at once: all, first, first failure, as they are done. */
#include "support/suite.h"

#include <hocket/promise.h>

#include "support/executors.h"

#define N 6

static struct {
    hocket_promise *p[N];
    hocket_future *f[N];
} s;

static void make(void)
{
    for (int i = 0; i < N; i++)
        HK_EXPECT_EQ(hocket_promise_new(&s.p[i], &s.f[i]), 0);
}

static void set(int i, int result)
{
    HK_EXPECT_EQ(hocket_promise_set(s.p[i], result, NULL, 0), 0);
}

static void end(void)
{
    for (int i = 0; i < N; i++) {
        (void)hocket_promise_set(s.p[i], 0, NULL, 0);
        (void)result_of(s.f[i]);
        hocket_promise_free(s.p[i]);
        hocket_future_free(s.f[i]);
    }
}

static int wait_for(int how, size_t *index, hocket_time deadline)
{
    return hocket_future_wait_many(s.f, N, how, index, deadline);
}

/* ---- without waiting ---- */

static int decided_already(void *arg)
{
    (void)arg;
    size_t i = 99;
    make();
    HK_EXPECT_EQ(wait_for(HOCKET_WAIT_ALL, &i, HOCKET_NOW), -ETIMEDOUT);
    HK_EXPECT_EQ(wait_for(HOCKET_WAIT_FIRST, &i, HOCKET_NOW), -ETIMEDOUT);
    HK_EXPECT_EQ(wait_for(HOCKET_WAIT_FAILURE, &i, hocket_after(HOCKET_MS)), -ETIMEDOUT);
    HK_EXPECT_EQ(wait_for(3, &i, HOCKET_NOW), -EINVAL);
    HK_EXPECT_EQ(i, 99);
    HK_EXPECT_EQ(hocket_future_wait_many(NULL, 0, HOCKET_WAIT_ALL, &i, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(i, 0);
    hocket_future *none[2] = { NULL, NULL };
    HK_EXPECT_EQ(hocket_future_wait_many(none, 2, HOCKET_WAIT_FIRST, &i, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(i, 2);
    set(3, 1);
    HK_EXPECT_EQ(wait_for(HOCKET_WAIT_FIRST, &i, HOCKET_NOW), 0);
    HK_EXPECT_EQ(i, 3);
    HK_EXPECT_EQ(wait_for(HOCKET_WAIT_FAILURE, &i, HOCKET_NOW), -ETIMEDOUT);
    set(5, -EIO);
    HK_EXPECT_EQ(wait_for(HOCKET_WAIT_FAILURE, &i, HOCKET_NOW), 0);
    HK_EXPECT_EQ(i, 5);
    HK_EXPECT_EQ(wait_for(HOCKET_WAIT_ALL, NULL, HOCKET_NOW), -ETIMEDOUT);
    for (int k = 0; k < N; k++)
        (void)hocket_promise_set(s.p[k], 0, NULL, 0);
    HK_EXPECT_EQ(wait_for(HOCKET_WAIT_ALL, &i, HOCKET_NOW), 0);
    HK_EXPECT_EQ(i, N);
    end();
    return 0;
}
START_TEST(decided)
{
    run_in(_i, decided_already, NULL);
}
END_TEST

/* ---- waiting ---- */

struct waiting {
    int how, rc;
    hocket_time deadline;
    size_t index;
};

static int wait_task(void *arg)
{
    struct waiting *w = arg;
    w->rc = wait_for(w->how, &w->index, w->deadline);
    return 0;
}

static hocket_task *parked(struct waiting *w, int how)
{
    *w = (struct waiting){ .how = how, .rc = 1, .deadline = HOCKET_FOREVER, .index = 99 };
    hocket_task *t = run_spawn(wait_task, w);
    RUN_UNTIL(run_parked(t));
    return t;
}

static int all_kinds_wait(void *arg)
{
    (void)arg;
    struct waiting all, first, failure, cancelled;
    make();
    hocket_task *t[4] = { parked(&all, HOCKET_WAIT_ALL), parked(&first, HOCKET_WAIT_FIRST),
                          parked(&failure, HOCKET_WAIT_FAILURE),
                          parked(&cancelled, HOCKET_WAIT_ALL) };
    hocket_cancel(t[3]);
    run_finish(t[3], 0);
    HK_EXPECT(cancelled.rc == -ECANCELED && cancelled.index == 99);
    set(4, 2);
    run_finish(t[1], 0);
    HK_EXPECT(first.rc == 0 && first.index == 4);
    set(1, 0);
    set(2, -EIO);
    run_finish(t[2], 0);
    HK_EXPECT(failure.rc == 0 && failure.index == 2);
    set(0, 0);
    set(5, -EDOM);
    HK_EXPECT_EQ(all.rc, 1);
    set(3, 0);
    run_finish(t[0], 0);
    HK_EXPECT(all.rc == 0 && all.index == N);
    end();

    make(); /* no failure at all */
    t[0] = parked(&failure, HOCKET_WAIT_FAILURE);
    for (int i = 0; i < N; i++)
        set(i, i);
    run_finish(t[0], 0);
    HK_EXPECT(failure.rc == 0 && failure.index == N);
    end();
    return 0;
}
START_TEST(waits)
{
    run_in(_i, all_kinds_wait, NULL);
}
END_TEST

/* ---- as completed ---- */

static int in_order_of_completion(void *arg)
{
    (void)arg;
    static const int order[N] = { 3, 0, 5, 1, 4, 2 };
    hocket_completed *c;
    size_t i;
    make();
    set(3, 0);
    hocket_future *list[N + 2];
    memcpy(list, s.f, sizeof s.f);
    list[N] = NULL;
    list[N + 1] = s.f[0]; /* twice */
    HK_EXPECT_EQ(hocket_completed_open(&c, list, N + 2), 0);
    HK_EXPECT_EQ(hocket_completed_next(c, &i, HOCKET_NOW), 0);
    HK_EXPECT_EQ(i, 3);
    HK_EXPECT_EQ(hocket_completed_next(c, &i, HOCKET_NOW), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_completed_next(c, &i, hocket_after(HOCKET_MS)), -ETIMEDOUT);
    set(0, 0);
    HK_EXPECT_EQ(hocket_completed_next(c, &i, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(i, 0);
    HK_EXPECT_EQ(hocket_completed_next(c, &i, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(i, N + 1);
    for (int k = 2; k < N; k++)
        set(order[k], 0);
    for (int k = 2; k < N; k++) {
        HK_EXPECT_EQ(hocket_completed_next(c, &i, HOCKET_FOREVER), 0);
        HK_EXPECT_EQ(i, (size_t)order[k]);
    }
    HK_EXPECT_EQ(hocket_completed_next(c, &i, HOCKET_FOREVER), -ENOENT);
    hocket_completed_close(c);
    hocket_completed_close(NULL);
    end();
    return 0;
}
START_TEST(as_completed)
{
    run_in(_i, in_order_of_completion, NULL);
}
END_TEST

/* Closed in the middle, while the rest becomes done. */
static int setter(void *arg)
{
    (void)arg;
    for (int i = 0; i < N; i++)
        set(i, 0);
    return 0;
}

static int closed_early(void *arg)
{
    (void)arg;
    for (int round = 0; round < 40; round++) {
        hocket_completed *c;
        size_t i;
        make();
        HK_EXPECT_EQ(hocket_completed_open(&c, s.f, N), 0);
        hocket_task *t = run_spawn(setter, NULL);
        for (int k = 0; k < round % N; k++)
            HK_EXPECT_EQ(hocket_completed_next(c, &i, HOCKET_FOREVER), 0);
        hocket_completed_close(c);
        run_finish(t, 0);
        end();
    }
    return 0;
}
START_TEST(close_early)
{
    run_in(_i, closed_early, NULL);
}
END_TEST

static int square(void *arg)
{
    int n = (int)(intptr_t)arg;
    return n * n;
}

static int jobs_of_all_schemes(void *arg)
{
    (void)arg;
    enum { JOBS = 100 };
    FOR_SCHEMES(ex, 3, 0)
    {
        hocket_future *f[JOBS];
        hocket_completed *c;
        size_t i;
        int sum = 0, seen = 0, err;
        for (int k = 0; k < JOBS; k++)
            HK_EXPECT_EQ(hocket_submit_fn(ex, &f[k], square, (void *)(intptr_t)k), 0);
        HK_EXPECT_EQ(hocket_completed_open(&c, f, JOBS), 0);
        while ((err = hocket_completed_next(c, &i, HOCKET_FOREVER)) == 0) {
            sum += result_of(f[i]);
            seen++;
        }
        HK_EXPECT_EQ(err, -ENOENT);
        HK_EXPECT_EQ(seen, JOBS);
        HK_EXPECT_EQ(sum, 328350);
        hocket_completed_close(c);
        HK_EXPECT_EQ(hocket_future_wait_many(f, JOBS, HOCKET_WAIT_ALL, &i, HOCKET_NOW), 0);
        for (int k = 0; k < JOBS; k++)
            hocket_future_free(f[k]);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(jobs)
{
    run_in(_i, jobs_of_all_schemes, NULL);
}
END_TEST

/* A job that waits for many jobs of its own pool with one worker. */
static int spread(void *arg)
{
    hocket_executor *ex = arg;
    hocket_future *f[4];
    size_t i;
    for (int k = 0; k < 4; k++)
        HK_EXPECT_EQ(hocket_submit_fn(ex, &f[k], square, (void *)(intptr_t)k), 0);
    HK_EXPECT_EQ(hocket_future_wait_many(f, 4, HOCKET_WAIT_ALL, &i, HOCKET_FOREVER), 0);
    for (int k = 0; k < 4; k++)
        hocket_future_free(f[k]);
    return 1;
}

static int waits_inside(void *arg)
{
    (void)arg;
    FOR_SCHEMES(ex, 1, 1)
    {
        hocket_future *f;
        HK_EXPECT_EQ(hocket_submit_fn(ex, &f, spread, ex), 0);
        HK_EXPECT_EQ(result_of(f), 1);
        hocket_future_free(f);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(inside_of_a_job)
{
    run_in(_i, waits_inside, NULL);
}
END_TEST

static int cancelled_caller(void *arg)
{
    hocket_completed *c;
    size_t i;
    HK_EXPECT_EQ(hocket_completed_open(&c, s.f, N), 0);
    hocket_cancel(hocket_self());
    HK_EXPECT_EQ(hocket_completed_next(c, &i, HOCKET_FOREVER), -ECANCELED);
    HK_EXPECT_EQ(wait_for(HOCKET_WAIT_FIRST, &i, HOCKET_FOREVER), -ECANCELED);
    hocket_completed_close(c);
    (void)arg;
    return 0;
}

static int cancel_points(void *arg)
{
    (void)arg;
    make();
    set(0, 0);
    run_finish(run_spawn(cancelled_caller, NULL), 0);
    end();
    return 0;
}
START_TEST(cancel_point)
{
    run_in(_i, cancel_points, NULL);
}
END_TEST

SUITE("future_many", 30)
{
    suite_each(decided);
    suite_each(waits);
    suite_each(as_completed);
    suite_each(close_early);
    suite_each(jobs);
    suite_each(inside_of_a_job);
    suite_each(cancel_point);
}
