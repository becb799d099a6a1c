/* SPDX-License-Identifier: MIT */
/*
 * executor_inline - jobs run in submit, one after the other in each caller
 *
 * Nothing is ever queued.  Callers count as workers while they run a job, so that a shutdown by
 * another task finds and waits for them.
 */
#include <errno.h>

#include "base/alloc.h"
#include "task/executor.h"

struct inline_executor {
    hocket_executor base;
    struct hocket__link running; /* jobs; under the guard; may hold some that are just DONE */
};

static struct inline_executor *inline_of(hocket_executor *ex)
{
    return (struct inline_executor *)(void *)ex;
}

static int inline_open(hocket_executor **ret_executor, const hocket_executor_options *o)
{
    if (o->serial || o->rate != 0 || o->worker_start != NULL || o->worker_end != NULL)
        return -EINVAL; /* its callers are the workers */
    struct inline_executor *ie = hocket__calloc(1, sizeof *ie);
    if (ie == NULL)
        return -ENOMEM;
    int err = hocket__executor_init(&ie->base, &hocket__executor_inline, o);
    if (err != 0) {
        hocket__free(ie);
        return err;
    }
    hocket__list_init(&ie->running);
    *ret_executor = &ie->base;
    return 0;
}

/* With the guard, which is released.  The job is in nobody's hands, and the executor open. */
static void run_here(struct inline_executor *ie, hocket_future *job, hocket_task *self,
                     struct hocket__cancel_scope *scope)
{
    struct hocket__wakes wakes = { NULL, NULL };
    _Atomic bool busy;
    (void)hocket__future_ref_locked(job); /* while it is in the list */
    void *arg = hocket__job_take(job, self, scope, NULL);
    hocket__list_push_back(&ie->running, &job->link);
    ie->base.active++;
    ie->base.submitted++;
    ie->base.started++;
    hocket__executor_unlock(&ie->base);
    hocket__job_run(job, self, arg, &busy);
    hocket__cancel_scope_leave(scope, self);
    hocket__executor_lock(&ie->base);
    hocket__list_remove(&job->link);
    hocket__executor_left(&ie->base, &wakes);
    hocket__executor_unlock(&ie->base);
    hocket__wakes_run(&wakes);
    hocket__future_unref(job);
}

static int inline_submit(hocket_executor *ex, const struct hocket__request *rq,
                         hocket_future **ret_job)
{
    struct hocket__cancel_scope scope;
    hocket__cancel_scope_enter(&scope, rq->self, HOCKET_FOREVER, false);
    hocket_future *job = hocket__executor_job(ex, rq);
    if (job != NULL && !hk_load(&ex->closing)) {
        *ret_job = job;
        run_here(inline_of(ex), job, rq->self, &scope);
        return 0;
    }
    if (job != NULL) {
        hocket__executor_unlock(ex);
        hocket__job_free(job);
    }
    hocket__cancel_scope_leave(&scope, rq->self);
    return job != NULL ? -EPIPE : -ENOMEM;
}

static int inline_admit(hocket_executor *ex, hocket_future *job, hocket_task *self)
{
    struct hocket__cancel_scope scope;
    hocket__cancel_scope_enter(&scope, self, HOCKET_FOREVER, false);
    hocket__executor_lock(ex);
    bool cancelled = job->taken, closing = hk_load(&ex->closing);
    if (!cancelled && !closing) {
        run_here(inline_of(ex), job, self, &scope);
        return 0;
    }
    job->taken = true;
    hocket__executor_unlock(ex);
    hocket__cancel_scope_leave(&scope, self);
    return cancelled ? 0 : -EPIPE;
}

static void inline_withdraw(hocket_executor *ex, hocket_future *job, struct hocket__wakes *wakes)
{
    (void)ex;
    (void)job;
    (void)wakes;
}

static void inline_close(hocket_executor *ex, struct hocket__wakes *wakes)
{
    (void)ex;
    (void)wakes;
}

/* A running job that was not cancelled so, with a reference, or NULL. */
static hocket_future *next_running(struct inline_executor *ie)
{
    hocket_future *f = NULL;
    hocket__executor_lock(&ie->base);
    hocket__list_each(link, &ie->running)
        if (f == NULL && !hk_container_of(link, hocket_future, link)->in_shutdown)
            f = hocket__future_ref_locked(hk_container_of(link, hocket_future, link));
    if (f != NULL)
        f->in_shutdown = true;
    hocket__executor_unlock(&ie->base);
    return f;
}

static void inline_cancel_running(hocket_executor *ex)
{
    hocket_future *f;
    while ((f = next_running(inline_of(ex))) != NULL) {
        (void)hocket_future_cancel(f);
        hocket__future_unref(f);
    }
}

static size_t inline_running(hocket_executor *ex)
{
    size_t n = 0;
    hocket__list_each(link, &inline_of(ex)->running)
        n += !hocket__future_done(hk_container_of(link, hocket_future, link));
    return n;
}

static bool inline_runs_in(hocket_executor *ex, const hocket_task *task)
{
    bool in = false;
    hocket__executor_lock(ex);
    hocket__list_each(link, &inline_of(ex)->running)
        in = in || hk_load(&hk_container_of(link, hocket_future, link)->runner) == task->slot;
    hocket__executor_unlock(ex);
    return in;
}

static void inline_free(hocket_executor *ex)
{
    hocket__free(inline_of(ex));
}

const struct hocket__executor_class hocket__executor_inline = {
    .scheme = "inline",
    .open = inline_open,
    .submit = inline_submit,
    .admit = inline_admit,
    .withdraw = inline_withdraw,
    .interrupt = hocket__job_interrupt,
    .close = inline_close,
    .cancel_running = inline_cancel_running,
    .running = inline_running,
    .runs_in = inline_runs_in,
    .free = inline_free,
};
