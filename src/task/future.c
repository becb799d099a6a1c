/* SPDX-License-Identifier: MIT */
/*
 * future - the life of a job, and waiting for its end
 *
 * States and lock order are in task/executor.h.
 *
 * A running job has a cancel scope of its own, on the stack of the task that runs it.
 * Who cancels it must be sure that the scope is still open, but cannot hold a guard
 * while it wakes what may be a large tree of tasks.  So it pins the job: the runner
 * leaves the scope only when that is over.
 *
 * Memory order: result and output are written before the release store of DONE;
 * readers load the state with acquire.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "task/executor.h"
#include "task/fail.h"

static uint32_t future_holder(const void *object, unsigned i)
{
    const hocket_future *f = object;
    if (i > 0)
        return 0;
    uint32_t slot = hk_load(&f->runner);
    return slot != 0 ? slot : HOCKET__HOLDER_UNKNOWN;
}

static const struct hocket__wait_class future_class = { "future", future_holder };
static const struct hocket__wait_class unpin_class = { "future", NULL };

static bool done(const hocket_future *f)
{
    return hk_load_acq(&f->state) == HOCKET__JOB_DONE; /* pairs with finish() */
}

/* ---- references ---- */

hocket_future *hocket__future_ref(hocket_future *f)
{
    (void)hk_add(&f->refs, 1);
    return f;
}

static const hocket_error *error_of(const hocket_future *f)
{
    return f->words != NULL ? hocket__words_error(f->words) : &f->plain;
}

void hocket__future_unref(hocket_future *f)
{
    if (hk_sub(&f->refs, 1) != 1)
        return;
    if (done(f) && f->result < 0 && !f->as_told && !hk_load(&f->seen))
        hocket__error_report(error_of(f));
    hocket__words_unref(f->words);
    hocket_buffer_free(&f->output);
    hocket__free(f);
}

void hocket_future_free(hocket_future *f)
{
    if (f == NULL)
        return;
    hocket__destroy_check("hocket_future_free", "future", f, &f->guard, &f->waiters);
    hocket__future_unref(f);
}

/* ---- the end of a job ---- */

/* The guard is held and is released.  Watches and waiters learn of it after that. */
static void finish(hocket_future *f, int result)
{
    struct hocket__wakes wakes = { NULL, NULL };
    f->result = result;
    f->plain.code = result;
    f->plain.message = hocket_error_text(result);
    f->plain.task = "";
    hk_store(&f->runner, 0);
    hk_store_rel(&f->state, (uint32_t)HOCKET__JOB_DONE); /* pairs with done() */
    struct hocket__waiter *node;
    while ((node = hocket__queue_claim(&f->waiters)) != NULL)
        hocket__wakes_add(&wakes, node->task);
    struct hocket__watch *watch = f->watches;
    f->watches = NULL;
    (void)hocket__guard_unlock(&f->guard);
    hocket__wakes_run(&wakes);
    while (watch != NULL) {
        struct hocket__watch *next = watch->next;
        watch->done(watch, f);
        watch = next;
    }
}

void hocket__future_watch(hocket_future *f, struct hocket__watch *watch)
{
    hocket__guard_lock(&f->guard);
    bool late = done(f);
    if (!late) {
        watch->next = f->watches;
        f->watches = watch;
    }
    (void)hocket__guard_unlock(&f->guard);
    if (late)
        watch->done(watch, f);
}

bool hocket__job_drop(hocket_future *f)
{
    hocket__guard_lock(&f->guard);
    if (hk_load(&f->state) != HOCKET__JOB_QUEUED) {
        (void)hocket__guard_unlock(&f->guard);
        return false;
    }
    f->never_ran = true;
    f->as_told = true;
    finish(f, -ECANCELED);
    return true;
}

/* ---- running ---- */

/* Take the scope away from cancellers; the guard is held, and held again at the end. */
static void unpin(hocket_future *f, hocket_task *self)
{
    while (f->pinned) {
        struct hocket__waiter node;
        hocket__sync_begin(&node, self, &unpin_class, f, false);
        f->unpinned = self;
        (void)hocket__guard_unlock(&f->guard);
        (void)hocket__wait_park(self, HOCKET_FOREVER);
        hocket__wait_end(self);
        hocket__guard_lock(&f->guard);
    }
    f->scope = NULL;
}

/* The function has returned: what it must not leave behind. */
static void check_leftovers(const hocket_future *f, const hocket_task *self,
                            const struct hocket__cancel_scope *scope, uint32_t held)
{
    if (hk_unlikely(self->scopes != scope))
        hocket__panic("executor '%s': a job ended with an open scope", f->executor->name);
    if (hk_unlikely(hocket__self_held() != held))
        hocket__panic("executor '%s': a job ended while holding %d lock(s)", f->executor->name,
                      (int)(hocket__self_held() - held));
}

void hocket__job_run(hocket_future *f, hocket_task *self)
{
    struct hocket__cancel_scope scope;
    hocket__cancel_scope_enter(&scope, self, HOCKET_FOREVER, false);
    hocket__guard_lock(&f->guard);
    bool ours = hk_load(&f->state) == HOCKET__JOB_QUEUED;
    if (ours) {
        hk_store(&f->state, (uint32_t)HOCKET__JOB_RUNNING);
        hk_store(&f->runner, self->slot);
        f->scope = &scope;
    }
    (void)hocket__guard_unlock(&f->guard);
    if (ours) {
        struct hocket__words *words_before = self->words;
        uint32_t held = hocket__self_held();
        self->words = NULL;
        int result = f->call != NULL ? f->call(f->input, f->input_size, &f->output) : f->fn(f->arg);
        check_leftovers(f, self, &scope, held);
        f->as_told = result == -ECANCELED && hocket__cancelled(self);
        f->words = result < 0 ? hocket__words_for(self, result) : NULL;
        hocket__words_unref(self->words);
        self->words = words_before;
        (void)hk_sub(&f->executor->running_count, (size_t)1);
        hocket__guard_lock(&f->guard);
        unpin(f, self);
        finish(f, result);
    }
    hocket__cancel_scope_leave(&scope, self);
}

/* ---- cancel ---- */

void hocket__job_interrupt(hocket_executor *ex, hocket_future *f)
{
    (void)ex;
    hocket__cancel_scope(f->scope);
}

/* The guard is held and is released. */
static void interrupt(hocket_future *f)
{
    if (f->scope == NULL || f->cancel_asked) {
        (void)hocket__guard_unlock(&f->guard);
        return;
    }
    f->cancel_asked = true;
    f->pinned = true;
    (void)hocket__guard_unlock(&f->guard);
    f->executor->class->interrupt(f->executor, f);
    hocket__guard_lock(&f->guard);
    hocket_task *runner = f->unpinned;
    f->pinned = false;
    f->unpinned = NULL;
    if (runner != NULL && !hocket__claim(runner))
        hocket__panic("hocket_future_cancel: internal error: the runner is gone");
    (void)hocket__guard_unlock(&f->guard);
    if (runner != NULL)
        hocket__complete(runner);
}

bool hocket_future_cancel(hocket_future *f)
{
    struct hocket__wakes wakes = { NULL, NULL };
    hocket__guard_lock(&f->guard);
    if (hk_load(&f->state) != HOCKET__JOB_QUEUED) {
        if (hk_load(&f->state) == HOCKET__JOB_RUNNING)
            interrupt(f);
        else
            (void)hocket__guard_unlock(&f->guard);
        return false;
    }
    hocket_executor *ex = f->executor;
    hocket__guard_lock(&ex->guard);
    bool unlinked = f->in_queue; /* else a worker has just taken it, and will find it DONE */
    if (unlinked) {
        hocket__list_remove(&f->link);
        f->in_queue = false;
        hk_store(&ex->queued_count, hk_load(&ex->queued_count) - 1);
        ex->class->withdrawn(ex, &wakes);
    } else if (f->counted) {
        (void)hk_sub(&ex->running_count, (size_t)1);
    }
    (void)hocket__guard_unlock(&ex->guard);
    f->never_ran = true;
    f->as_told = true;
    finish(f, -ECANCELED);
    hocket__wakes_run(&wakes);
    if (unlinked)
        hocket__future_unref(f); /* the executor's */
    return true;
}

/* ---- waiting ---- */

/* Waiting for the job one is in, or in the middle of, can only fail. */
static bool waits_for_itself(const hocket_future *f, const hocket_task *self)
{
    uint32_t runner = hk_load(&f->runner);
    for (const hocket_task *t = self; runner != 0 && t != NULL; t = hocket__task_around(t))
        if (t->slot == runner)
            return true;
    return false;
}

static int park(hocket_future *f, hocket_task *self, hocket_time deadline)
{
    struct hocket__waiter node;
    hocket__guard_lock(&f->guard);
    if (done(f)) {
        (void)hocket__guard_unlock(&f->guard);
        return 0;
    }
    hocket__sync_begin(&node, self, &future_class, f, true);
    hocket__queue_push(&f->waiters, &node.link);
    (void)hocket__guard_unlock(&f->guard);
    int err = hocket__wait_park(self, deadline);
    if (err != 0) {
        hocket__guard_lock(&f->guard);
        hocket__queue_forget(&f->waiters, &node);
        (void)hocket__guard_unlock(&f->guard);
    }
    hocket__wait_end(self);
    return err;
}

int hocket_future_wait(hocket_future *f, hocket_time deadline)
{
    hocket_task *self = hocket__self_attach();
    int err = self != NULL ? hocket__cancel_point(self) : -ENOMEM;
    if (err != 0 || done(f))
        return err;
    if (waits_for_itself(f, self))
        return -EDEADLK;
    if (deadline <= HOCKET_NOW)
        return -ETIMEDOUT;
    struct hocket__pool_runner *lent;
    err = hocket__pool_lend(self, &lent);
    if (err != 0)
        return err;
    err = park(f, self, deadline);
    hocket__pool_back(lent);
    return err;
}

int hocket_future_get(hocket_future *f, int *ret_result, hocket_time deadline)
{
    int err = hocket_future_wait(f, deadline);
    if (err != 0)
        return err;
    hk_store(&f->seen, true);
    if (ret_result != NULL)
        *ret_result = f->result;
    return 0;
}

/* ---- what it is ---- */

const void *hocket_future_output(const hocket_future *f, size_t *ret_size)
{
    bool ended = done(f);
    if (ret_size != NULL)
        *ret_size = ended ? f->output.size : 0;
    return ended && f->output.size > 0 ? f->output.data : NULL;
}

const hocket_error *hocket_future_error(hocket_future *f)
{
    if (!done(f) || f->result >= 0)
        return NULL;
    hk_store(&f->seen, true);
    return error_of(f);
}

bool hocket_future_done(const hocket_future *f)
{
    return done(f);
}

bool hocket_future_running(const hocket_future *f)
{
    return hk_load(&f->state) == HOCKET__JOB_RUNNING;
}

bool hocket_future_cancelled(const hocket_future *f)
{
    return done(f) && f->never_ran;
}
