/* SPDX-License-Identifier: MIT */
/*
 * timer_submit - jobs that are submitted at a time, or again and again
 *
 * Again and again: the timer's callback submits the job and waits for its end, so what holds for callbacks
 * (one at a time, missed points, fixed delay, stop) holds for jobs.
 *
 * At a time: a promise that the timer sets, and the job follows it.  So before the time the job is a
 * follow-up like any other, to be waited for, cancelled or dropped.  What belongs to it is given
 * back when the job is done, however; the promise, by whoever takes it out first.
 */
#include <errno.h>
#include <hocket/promise.h>
#include <hocket/scope.h>

#include "base/alloc.h"
#include "task/timer.h"

/* ---- again and again ---- */

struct repeated {
    hocket_executor *executor;
    hocket_timer *timer;
    hocket_task_fn *fn;
    void *arg;
};

static int repeated_job(void *arg)
{
    const struct repeated *r = arg;
    hocket__timer_inner(r->timer, hocket__self_or_null());
    int result = r->fn(r->arg);
    hocket__timer_inner(r->timer, NULL);
    return result;
}

static int repeated_due(hocket_timer *timer, void *arg)
{
    struct repeated *r = arg;
    hocket_future *job;
    int err = hocket_submit_fn(r->executor, &job, repeated_job, r);
    if (err == -EPIPE) {
        (void)hocket_timer_stop(timer, HOCKET_NOW);
        return 0;
    }
    if (err != 0)
        return err;
    err = hocket_future_wait(job, HOCKET_FOREVER);
    if (err != 0) { /* cancelled, but the job uses what is ours */
        hocket_scope shield;
        hocket_scope_options o = HOCKET_SCOPE_OPTIONS_DEFAULT;
        o.shield = true;
        (void)hocket_future_cancel(job);
        hocket_scope_open(&shield, &o);
        while (err != 0 && !hocket_future_done(job))
            err = hocket_future_wait(job, HOCKET_FOREVER);
        err = hocket_scope_close(&shield); /* it has no tasks */
    }
    hocket_future_free(job); /* tells the error hook if it has failed */
    return 0;
}

int hocket_submit_every(hocket_executor *executor, hocket_timer **ret_timer, hocket_time first,
                        hocket_time period, int how, hocket_task_fn *fn, void *arg)
{
    hocket_timer *t;
    struct repeated *r = hocket__alloc(sizeof *r);
    int err = r != NULL ? hocket_timer_new(&t, repeated_due, r) : -ENOMEM;
    if (err != 0) {
        hocket__free(r);
        return err;
    }
    *r = (struct repeated){ executor, t, fn, arg };
    t->owned = r;
    hocket_timer *before = *ret_timer;
    *ret_timer = t; /* the job may ask for it at once */
    err = hocket_timer_start_every(t, first, period, how);
    if (err != 0) {
        *ret_timer = before;
        hocket_timer_free(t);
    }
    return err;
}

/* ---- at a time ---- */

struct scheduled {
    _Atomic(hocket_promise *) promise;
    hocket_timer *timer;
    hocket_task_fn *fn;
    void *arg;
};

static void let_go(struct scheduled *s, int result)
{
    hocket_promise *p = hk_xchg(&s->promise, NULL);
    if (p != NULL) {
        (void)hocket_promise_set(p, result, NULL, 0);
        hocket_promise_free(p);
    }
}

static int scheduled_due(hocket_timer *timer, void *arg)
{
    (void)timer;
    let_go(arg, 0);
    return 0;
}

static void scheduled_dropped(void *arg)
{
    let_go(arg, -ECANCELED);
}

static int scheduled_job(hocket_future *time, void *arg)
{
    const struct scheduled *s = arg;
    return hocket_future_result(time) < 0 ? -ECANCELED : s->fn(s->arg);
}

/* Nothing of it is used any more but, perhaps, by the callback that we are in. */
static int scheduled_done(hocket_future *job, void *arg)
{
    struct scheduled *s = arg;
    (void)job;
    let_go(s, 0);
    hocket_timer_free(s->timer); /* and `s` with it */
    return 0;
}

static int scheduled_new(hocket_executor *executor, struct scheduled *s, hocket_future **ret_job)
{
    hocket_promise *p;
    hocket_future *time;
    int err = hocket_promise_new(&p, &time);
    if (err != 0)
        return err;
    hk_store(&s->promise, p);
    err = hocket_future_then(time, ret_job, executor, scheduled_job, s);
    if (err == 0 && (err = hocket_future_on_done(*ret_job, scheduled_done, s)) != 0) {
        (void)hocket_future_cancel(*ret_job);
        hocket_future_free(*ret_job);
    }
    hocket_future_free(time);
    if (err != 0)
        let_go(s, 0);
    return err;
}

int hocket_submit_at(hocket_executor *executor, hocket_future **ret_future, hocket_time when,
                     hocket_task_fn *fn, void *arg)
{
    hocket_future *job;
    struct scheduled *s = hocket__alloc(sizeof *s);
    int err = s != NULL ? hocket_timer_new(&s->timer, scheduled_due, s) : -ENOMEM;
    if (err != 0) {
        hocket__free(s);
        return err;
    }
    s->fn = fn;
    s->arg = arg;
    hocket_timer *t = s->timer;
    t->owned = s;
    t->dropped = scheduled_dropped;
    err = scheduled_new(executor, s, &job);
    if (err != 0) {
        hocket_timer_free(t);
        return err;
    }
    err = hocket_timer_start(t, when);
    if (err != 0) {
        (void)hocket_future_cancel(job); /* which ends it all */
        hocket_future_free(job);
        return err;
    }
    if (ret_future != NULL)
        *ret_future = job;
    else
        hocket_future_free(job);
    return 0;
}
