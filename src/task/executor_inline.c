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

static int inline_open(hocket_executor **ret_executor, const hocket_executor_options *o)
{
    hocket_executor *ex = hocket__alloc(sizeof *ex);
    if (ex == NULL)
        return -ENOMEM;
    hocket__executor_init(ex, &hocket__executor_inline, o);
    *ret_executor = ex;
    return 0;
}

static int inline_submit(hocket_executor *ex, hocket_future *job, hocket_task *self,
                         hocket_time deadline)
{
    (void)deadline; /* there is always room */
    struct hocket__wakes wakes = { NULL, NULL };
    hocket__guard_lock(&ex->guard);
    bool closing = hk_load(&ex->closing);
    if (!closing) {
        hocket__executor_running_add(ex, job);
        ex->active++;
    }
    (void)hocket__guard_unlock(&ex->guard);
    if (closing)
        return -EPIPE;
    hocket__job_run(job, self);
    hocket__guard_lock(&ex->guard);
    hocket__list_remove(&job->link);
    hocket__executor_left(ex, &wakes);
    (void)hocket__guard_unlock(&ex->guard);
    hocket__wakes_run(&wakes);
    hocket__future_unref(job);
    return 0;
}

static void inline_withdrawn(hocket_executor *ex, struct hocket__wakes *wakes)
{
    (void)ex;
    (void)wakes;
}

static void inline_close(hocket_executor *ex, struct hocket__wakes *wakes)
{
    (void)ex;
    (void)wakes;
}

static void inline_free(hocket_executor *ex)
{
    hocket__free(ex);
}

const struct hocket__executor_class hocket__executor_inline = {
    .scheme = "inline",
    .open = inline_open,
    .submit = inline_submit,
    .withdrawn = inline_withdrawn,
    .interrupt = hocket__job_interrupt,
    .close = inline_close,
    .free = inline_free,
};
