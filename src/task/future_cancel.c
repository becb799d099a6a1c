/* SPDX-License-Identifier: MIT */
/*
 * future_cancel - cancelling a job
 *
 * A running job has a cancel scope, on the stack of the task that runs it.  Who cancels
 * it must be sure that the scope is still open, but cannot hold a guard while it wakes what may be
 * a large tree of tasks.  So it pins the job: it is not DONE before the pin is off, and
 * until then neither the scope nor the executor go away.
 */
#include <errno.h>

#include "task/executor.h"

void hocket__job_interrupt(hocket_executor *ex, hocket_future *f)
{
    (void)ex;
    hocket__cancel_scope(f->scope);
}

/* The first to ask: the job is not DONE before unpin. */
static bool pin(hocket_future *f)
{
    struct hocket__job_memory *m = hocket__job_hold(f);
    uint32_t s = hk_load_acq(&f->state);
    bool first;
    do
        first = !(s & (HOCKET__JOB_DONE | HOCKET__JOB_ASKED));
    while (first && !hk_cas(&f->state, &s, s | HOCKET__JOB_ASKED | HOCKET__JOB_PINNED));
    hocket__job_let_go(m);
    return first;
}

static void unpin(hocket_future *f)
{
    hocket__guard_lock(&f->more->guard);
    (void)hk_and(&f->state, ~(uint32_t)HOCKET__JOB_PINNED);
    hocket_task *runner = f->more->unpinned;
    f->more->unpinned = NULL;
    if (runner != NULL && !hocket__claim(runner))
        hocket__panic("hocket_future_cancel: internal error: the runner is gone");
    (void)hocket__guard_unlock(&f->more->guard);
    if (runner != NULL)
        hocket__complete(runner);
}

static bool withdraw_promise(hocket_future *f)
{
    hocket__guard_lock(&f->more->guard);
    bool ours = !f->taken && !f->more->started;
    if (ours)
        f->taken = f->more->withdrawn = true;
    (void)hocket__guard_unlock(&f->more->guard);
    if (ours)
        (void)hocket__future_ref(f); /* to publish with: the promise keeps its own */
    return ours;
}

/* Take a pinned job that nobody has away from its executor: it will not run. */
static bool withdraw(hocket_future *f, struct hocket__wakes *wakes)
{
    hocket_executor *ex = f->more->executor;
    if (ex == NULL)
        return withdraw_promise(f);
    hocket__executor_lock(ex);
    bool ours = !f->taken;
    if (ours) {
        f->taken = true;
        f->scope = NULL;
        (void)hk_add(&ex->cancelled, (uint64_t)1);
    }
    if (ours && !hocket__list_empty(&f->link))
        ex->class->withdraw(ex, f, wakes);
    hocket__executor_unlock(ex);
    if (ours && f->kind == HOCKET__JOB_THEN &&
        hocket__future_unwatch(hocket__then_of(f)->before, &hocket__then_of(f)->watch))
        hocket__future_unref(f); /* the watch's */
    return ours;
}

bool hocket_future_cancel(hocket_future *f)
{
    hocket__touch("cancel", f);
    struct hocket__wakes wakes = { NULL, NULL };
    if (!pin(f))
        return false;
    if (!withdraw(f, &wakes)) {
        if (f->more->executor != NULL)
            f->more->executor->class->interrupt(f->more->executor, f);
        unpin(f);
        return false;
    }
    f->result = -ECANCELED;
    f->never_ran = true;
    f->as_told = true;
    hocket__future_publish(f, NULL, HOCKET__PIN_GOES); /* with the executor's reference */
    hocket__wakes_run(&wakes);
    return true;
}
