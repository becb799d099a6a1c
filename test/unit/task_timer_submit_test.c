/* SPDX-License-Identifier: MIT */
/* Jobs submitted at a time, or again and again: what becomes of them, and of their timers. */
#include "support/suite.h"

#include <hocket/hooks.h>
#include <hocket/timer.h>

#include "support/executors.h"

struct job {
    hocket_time when;
    hocket_timer *timer;
    int calls, frees_at, stops_at;
    _Atomic int ended, overlap;
};

static int at_its_time(void *arg)
{
    struct job *j = arg;
    HK_EXPECT(hocket_now() >= j->when);
    (void)hk_add(&j->ended, 1);
    return 7;
}

static hocket_future *at(hocket_executor *ex, struct job *j, hocket_time after)
{
    hocket_future *f = NULL;
    j->when = hocket_after(after);
    HK_EXPECT_EQ(hocket_submit_at(ex, &f, j->when, at_its_time, j), 0);
    return f;
}

static int at_body(void *arg)
{
    (void)arg;
    FOR_SCHEMES(ex, 2, 0)
    {
        struct job j = { .when = 0 };
        hocket_future *f = at(ex, &j, HOCKET_MS);
        HK_EXPECT_EQ(result_of(f), 7);
        HK_EXPECT(!hocket_future_cancel(f));
        hocket_future_free(f);
        j.when = HOCKET_NOW;
        HK_EXPECT_EQ(hocket_submit_at(ex, NULL, HOCKET_NOW, at_its_time, &j), 0);
        RUN_UNTIL(hk_load_acq(&j.ended) == 2);
        f = at(ex, &j, 3600 * HOCKET_SEC); /* withdrawn */
        HK_EXPECT_EQ(hocket_future_wait(f, HOCKET_NOW), -ETIMEDOUT);
        HK_EXPECT(hocket_future_cancel(f));
        HK_EXPECT_EQ(result_of(f), -ECANCELED);
        hocket_future_free(f);
        HK_EXPECT_EQ(hocket_executor_shutdown(ex, HOCKET_SHUTDOWN_DRAIN, HOCKET_FOREVER), 0);
        f = at(ex, &j, HOCKET_MS); /* the executor takes no more jobs by then */
        HK_EXPECT_EQ(result_of(f), -EPIPE);
        hocket_future_free(f);
        HK_EXPECT_EQ(hk_load(&j.ended), 2);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(at_a_time)
{
    run_in(_i, at_body, NULL);
}
END_TEST

/* The runtime ends before the time: nobody waits for ever. */
static hocket_executor *kept;
static hocket_future *left[2];
static struct job left_job;

static int leave(void *arg)
{
    (void)arg;
    left[0] = at(kept, &left_job, 3600 * HOCKET_SEC);
    left[1] = at(kept, &left_job, 3600 * HOCKET_SEC);
    return 0;
}

START_TEST(the_runtime_ends)
{
    HK_EXPECT_EQ(hocket_executor_new(&kept, "inline", NULL), 0);
    hocket_future *none = NULL;
    HK_EXPECT_EQ(hocket_submit_at(kept, &none, HOCKET_NOW, at_its_time, &left_job), -ENOSYS);
    HK_EXPECT(none == NULL);
    run_in(_i, leave, NULL);
    for (int i = 0; i < 2; i++) {
        HK_EXPECT_EQ(result_of(left[i]), -ECANCELED);
        hocket_future_free(left[i]);
    }
    HK_EXPECT_EQ(hk_load(&left_job.ended), 0);
    hocket_executor_free(kept);
}
END_TEST

/* ---- again and again ---- */

static int repeats(void *arg)
{
    struct job *j = arg;
    HK_EXPECT_EQ(hk_add(&j->overlap, 1), 0);
    HK_EXPECT_EQ(hocket_sleep(j->calls % 2 * 100 * HOCKET_US), 0);
    j->calls++;
    (void)hk_sub(&j->overlap, 1);
    if (j->calls == j->stops_at)
        HK_EXPECT_EQ(hocket_timer_stop(j->timer, HOCKET_FOREVER), 1);
    if (j->calls == j->frees_at)
        hocket_timer_free(j->timer);
    (void)hk_add(&j->ended, 1);
    return 0;
}

static int every_body(void *arg)
{
    (void)arg;
    FOR_SCHEMES(ex, 2, 0)
    {
        for (int how = 0; how < 2; how++) {
            struct job stopped = { .stops_at = 5 }, freed = { .frees_at = 4 }, plain = { 0 };
            HK_EXPECT_EQ(hocket_submit_every(ex, &stopped.timer, HOCKET_NOW, 200 * HOCKET_US, how,
                                             repeats, &stopped),
                         0);
            HK_EXPECT_EQ(hocket_submit_every(ex, &freed.timer, hocket_after(HOCKET_MS), HOCKET_US,
                                             how, repeats, &freed),
                         0);
            HK_EXPECT_EQ(
                hocket_submit_every(ex, &plain.timer, HOCKET_NOW, HOCKET_US, how, repeats, &plain),
                0);
            RUN_UNTIL(hk_load_acq(&stopped.ended) == 5 && hk_load_acq(&freed.ended) == 4);
            HK_EXPECT_EQ(hocket_timer_stop(stopped.timer, HOCKET_FOREVER), 0);
            HK_EXPECT_EQ(stopped.calls, 5);
            hocket_timer_free(stopped.timer);
            RUN_UNTIL(hk_load_acq(&plain.ended) > 3);
            int rc = hocket_timer_stop(plain.timer, HOCKET_FOREVER);
            HK_EXPECT_EQ(rc, 1); /* and the job has ended */
            HK_EXPECT_EQ(hk_load(&plain.overlap), 0);
            hocket_timer_free(plain.timer);
        }
        struct job last = { .stops_at = -1 };
        HK_EXPECT_EQ(hocket_submit_every(ex, &last.timer, HOCKET_NOW, HOCKET_US, HOCKET_FIXED_RATE,
                                         repeats, &last),
                     0);
        RUN_UNTIL(hk_load_acq(&last.ended) > 1);
        HK_EXPECT_EQ(hocket_executor_shutdown(ex, HOCKET_SHUTDOWN_DRAIN, HOCKET_FOREVER), 0);
        RUN_UNTIL(!hocket_timer_pending(last.timer)); /* it sees the end of its executor */
        hocket_timer_free(last.timer);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(again_and_again)
{
    run_in(_i, every_body, NULL);
}
END_TEST

static _Atomic int reported;

static void on_error(const hocket_error *e, void *context)
{
    (void)context;
    HK_EXPECT_EQ(e->code, -EIO);
    (void)hk_add(&reported, 1);
}

static int fails(void *arg)
{
    (void)arg;
    return -EIO;
}

static int failing_body(void *arg)
{
    (void)arg;
    FOR_SCHEMES(ex, 1, 0)
    {
        hocket_timer *t;
        hk_store(&reported, 0);
        HK_EXPECT_EQ(
            hocket_submit_every(ex, &t, HOCKET_NOW, HOCKET_US, HOCKET_FIXED_RATE, fails, NULL), 0);
        RUN_UNTIL(hk_load_acq(&reported) >= 3);
        hocket_timer_free(t);
        HK_EXPECT_EQ(hocket_submit_every(ex, &t, HOCKET_NOW, 0, HOCKET_FIXED_RATE, fails, NULL),
                     -EINVAL);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(failures_are_told)
{
    hocket_hooks h = HOCKET_HOOKS_DEFAULT;
    h.error = on_error;
    HK_EXPECT_EQ(hocket_hooks_set(&h, NULL), 0);
    run_in(_i, failing_body, NULL);
}
END_TEST

/* The runtime ends while a job of a timer runs, and while one is queued. */
static struct gate gate;
static hocket_timer *running, *queued;

static int leave_running(void *arg)
{
    (void)arg;
    FOR_POOLS(ex, 1, 0)
    {
        memset(&gate, 0, sizeof gate);
        HK_EXPECT_EQ(
            hocket_submit_every(ex, &running, HOCKET_NOW, 1, HOCKET_FIXED_DELAY, pass, &gate), 0);
        RUN_UNTIL(hk_load_acq(&gate.inside) == 1);
        HK_EXPECT_EQ(
            hocket_submit_every(ex, &queued, HOCKET_NOW, 1, HOCKET_FIXED_RATE, pass, &gate), 0);
        RUN_UNTIL(hocket_executor_queued(ex) == 1);
        if (s_ == 1) { /* once by a shutdown, once by the end of all */
            hocket_hooks h = HOCKET_HOOKS_DEFAULT;
            HK_EXPECT_EQ(hocket_hooks_set(&h, NULL), 0);
            HK_EXPECT_EQ(hocket_executor_shutdown(ex, HOCKET_SHUTDOWN_CANCEL, HOCKET_FOREVER), 0);
            HK_EXPECT_EQ(hk_load(&gate.cancelled), 1);
            hocket_timer_free(running);
            hocket_timer_free(queued);
            running = queued = NULL;
            hocket_executor_free(ex);
        } else {
            kept = ex;
        }
    }
    return 0;
}

START_TEST(ends_while_it_runs)
{
    kept = NULL;
    run_in(_i, leave_running, NULL);
    if (kept != NULL)
        HK_EXPECT_EQ(hk_load(&gate.cancelled), 1);
    hocket_timer_free(running);
    hocket_timer_free(queued);
    if (kept != NULL)
        hocket_executor_free(kept);
}
END_TEST

SUITE("timer_submit", 30)
{
    suite_each(at_a_time);
    suite_each(the_runtime_ends);
    suite_each(again_and_again);
    suite_each(failures_are_told);
    suite_each(ends_while_it_runs);
}
