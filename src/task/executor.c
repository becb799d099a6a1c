/* SPDX-License-Identifier: MIT */
/*
 * executor - what all executors have in common: submitting, shutting down
 *
 * Shutting down, in order:
 *
 *   closing      no more jobs are taken; those who wait for room are turned away, idle
 *                workers leave
 *   cancelling   (CANCEL only) no more jobs are started; queued ones are dropped, running
 *                ones are interrupted, each once
 *   active == 0  the last worker has left; it left nothing in the queue
 *
 * and the last worker wakes whoever waits in shutdown or free.  After its unlock it touches
 * nothing of the executor.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "park/forked.h"
#include "sys/sanitizer.h"
#include "task/executor.h"
#include "task/executor_usual.h"

static const struct hocket__wait_class shutdown_class = { "executor", NULL };

static const struct hocket__executor_class *const classes[] = {
    &hocket__executor_inline,
    &hocket__executor_threads,
    &hocket__executor_fibers,
};

/* ---- making one ---- */

int hocket__executor_init(hocket_executor *ex, const struct hocket__executor_class *class,
                          const hocket_executor_options *o)
{
    ex->memory = hocket__job_memory_new();
    if (ex->memory == NULL)
        return -ENOMEM;
    ex->class = class;
    hk_store(&ex->workers, 1);
    hocket__list_init(&ex->queued);
    const char *name = o->name != NULL ? o->name : class->scheme;
    memcpy(ex->name, name, strnlen(name, sizeof ex->name - 1));
    return 0;
}

static void scope_left(struct hocket__scope_end *end, hocket_task *self);

int hocket_executor_new(hocket_executor **ret_executor, const char *scheme,
                        const hocket_executor_options *options)
{
    static const hocket_executor_options defaults = HOCKET_EXECUTOR_OPTIONS_DEFAULT;
    const hocket_executor_options *o = options != NULL ? options : &defaults;
    if (scheme == NULL || (o->size != 0 && o->size < sizeof *o) || o->workers < 0)
        return -EINVAL;
    int err = -EINVAL;
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (strcmp(classes[i]->scheme, scheme) == 0)
            err = classes[i]->open(ret_executor, o);
    if (err == 0 && (*ret_executor)->scope != NULL) {
        (*ret_executor)->scope_end.end = scope_left;
        hocket__scope_add_end((*ret_executor)->scope, &(*ret_executor)->scope_end);
    }
    return err;
}

/* ---- submit ---- */

hocket_future *hocket__executor_job(hocket_executor *ex, const struct hocket__request *rq)
{
    hocket__touch("submit", ex);
    hocket_future *job;
    if (HOCKET_ASAN || rq->input_size > HOCKET__JOB_INLINE) { /* ASan sees use after free so */
        job = hocket__job_alone(ex, rq->input_size);
        if (job == NULL)
            return NULL;
        hocket__executor_lock(ex);
    } else {
        hocket__executor_lock(ex);
        while (hk_unlikely((job = hocket__job_memory_take(ex->memory)) == NULL)) {
            bool first = ex->memory->total == 0;
            hocket__executor_unlock(ex);
            struct hocket__job_slab *slab = hocket__job_slab_new(ex->memory, ex, first);
            if (slab == NULL)
                return NULL;
            hocket__executor_lock(ex);
            hocket__job_memory_add(ex->memory, slab);
        }
    }
    hocket__job_fill(job, rq);
    return job;
}

static int submit(hocket_executor *ex, hocket_future **ret_future, struct hocket__request *rq)
{
    hocket__fork_check("hocket_submit");
    rq->self = hocket__self_attach();
    rq->handle = ret_future != NULL;
    int err = rq->self != NULL ? hocket__cancel_point(rq->self) : -ENOMEM;
    if (hk_unlikely(err != 0))
        return err;
    hocket_future *job;
    err = ex->class->submit(ex, rq, &job);
    if (err == 0 && ret_future != NULL)
        *ret_future = job;
    return err;
}

int hocket_submit_with(hocket_executor *executor, hocket_future **ret_future, hocket_call *call,
                       const void *input, size_t size, int priority, hocket_time deadline)
{
    struct hocket__request rq = {
        .kind = HOCKET__JOB_CALL,
        .call = call,
        .input = input,
        .input_size = size,
        .priority = priority,
        .deadline = deadline,
    };
    return submit(executor, ret_future, &rq);
}

int hocket_submit_until(hocket_executor *executor, hocket_future **ret_future, hocket_call *call,
                        const void *input, size_t size, hocket_time deadline)
{
    return hocket_submit_with(executor, ret_future, call, input, size, 0, deadline);
}

int hocket_submit(hocket_executor *executor, hocket_future **ret_future, hocket_call *call,
                  const void *input, size_t size)
{
    return hocket_submit_with(executor, ret_future, call, input, size, 0, HOCKET_FOREVER);
}

int hocket_submit_fn_with(hocket_executor *executor, hocket_future **ret_future, hocket_task_fn *fn,
                          void *arg, int priority, hocket_time deadline)
{
    struct hocket__request rq = {
        .kind = HOCKET__JOB_FN,
        .fn = fn,
        .arg = arg,
        .priority = priority,
        .deadline = deadline,
    };
    return submit(executor, ret_future, &rq);
}

int hocket_submit_fn_until(hocket_executor *executor, hocket_future **ret_future,
                           hocket_task_fn *fn, void *arg, hocket_time deadline)
{
    return hocket_submit_fn_with(executor, ret_future, fn, arg, 0, deadline);
}

int hocket_submit_fn(hocket_executor *executor, hocket_future **ret_future, hocket_task_fn *fn,
                     void *arg)
{
    const hocket_task *self = hocket__self_or_null();
    if (hk_unlikely(self == NULL || hocket__cancel_suspected(self) || hocket__forked() ||
                    hocket__watched(HOCKET__EVENT_BIT(HOCKET__EVENT_TOUCH)) ||
                    !hocket__usual_put(executor, ret_future, fn, arg)))
        return hocket_submit_fn_with(executor, ret_future, fn, arg, 0, HOCKET_FOREVER);
    return 0;
}

/* ---- shutdown ---- */

void hocket__executor_left(hocket_executor *ex, struct hocket__wakes *wakes)
{
    struct hocket__waiter *node;
    if (--ex->active > 0 || !hk_load(&ex->closing))
        return;
    while ((node = hocket__queue_claim(&ex->enders)) != NULL)
        hocket__wakes_add(wakes, node->task);
}

bool hocket__executor_inside(hocket_executor *ex, const hocket_task *task)
{
    for (const hocket_task *t = task; t != NULL; t = hocket__task_around(t))
        if (ex->class->runs_in(ex, t))
            return true;
    return false;
}

/* The first queued job, with a reference, or NULL. */
static hocket_future *first_queued(hocket_executor *ex)
{
    hocket__executor_lock(ex);
    struct hocket__link *link = hocket__list_front(&ex->queued);
    hocket_future *f = NULL;
    if (link != NULL)
        f = hocket__future_ref_locked(hk_container_of(link, hocket_future, link));
    hocket__executor_unlock(ex);
    return f;
}

static void begin_shutdown(hocket_executor *ex, int how)
{
    struct hocket__wakes wakes = { NULL, NULL };
    hocket__executor_lock(ex);
    bool first = !hk_load(&ex->closing);
    hk_store(&ex->closing, true);
    ex->usual_room = 0;
    if (how == HOCKET_SHUTDOWN_CANCEL) {
        ex->cancelling = true;
        ex->usual_take = false;
    }
    if (first)
        ex->class->close(ex, &wakes);
    hocket__executor_unlock(ex);
    hocket__wakes_run(&wakes);
    if (how != HOCKET_SHUTDOWN_CANCEL)
        return;
    hocket_future *f;
    while ((f = first_queued(ex)) != NULL) {
        (void)hocket_future_cancel(f);
        hocket__future_unref(f);
    }
    ex->class->cancel_running(ex);
}

static int wait_ended(hocket_executor *ex, hocket_task *self, hocket_time deadline, bool cancel)
{
    struct hocket__waiter node;
    hocket__executor_lock(ex);
    if (ex->active == 0 || deadline <= HOCKET_NOW) {
        int err = ex->active == 0 ? 0 : -ETIMEDOUT;
        hocket__executor_unlock(ex);
        return err;
    }
    hocket__sync_begin(&node, self, &shutdown_class, ex, cancel);
    hocket__queue_push(&ex->enders, &node.link);
    hocket__executor_unlock_to_wait(ex);
    int err = hocket__wait_park(self, deadline);
    if (err != 0) {
        hocket__executor_lock(ex);
        hocket__queue_forget(&ex->enders, &node);
        hocket__executor_unlock(ex);
    }
    hocket__wait_end(self);
    return err;
}

int hocket_executor_shutdown(hocket_executor *ex, int how, hocket_time deadline)
{
    hocket__touch("shutdown", ex);
    if (how != HOCKET_SHUTDOWN_DRAIN && how != HOCKET_SHUTDOWN_CANCEL)
        return -EINVAL;
    hocket_task *self = hocket__self_attach();
    begin_shutdown(ex, how);
    if (self == NULL)
        return -ENOMEM;
    int err = hocket__cancel_point(self);
    if (err == 0 && hocket__executor_inside(ex, self))
        err = -EDEADLK;
    return err != 0 ? err : wait_ended(ex, self, deadline, true);
}

/* Drain; once the caller is cancelled, cancel.  Nothing of it runs any more. */
static void end_all(hocket_executor *ex, hocket_task *self)
{
    int err = hocket_executor_shutdown(ex, HOCKET_SHUTDOWN_DRAIN, HOCKET_FOREVER);
    if (err != 0) {
        begin_shutdown(ex, HOCKET_SHUTDOWN_CANCEL);
        (void)wait_ended(ex, self, HOCKET_FOREVER, false);
    }
}

/* The scope it belongs to is closing; its workers are tasks of it. */
static void scope_left(struct hocket__scope_end *end, hocket_task *self)
{
    hocket_executor *ex = hk_container_of(end, hocket_executor, scope_end);
    ex->scope = NULL;
    end_all(ex, self);
}

void hocket_executor_free(hocket_executor *ex)
{
    if (ex == NULL)
        return;
    hocket_task *self = hocket__self_must("hocket_executor_free");
    if (hocket__executor_inside(ex, self))
        hocket__panic("hocket_executor_free: executor '%s' is freed by one of its own jobs",
                      ex->name);
    end_all(ex, self);
    if (ex->scope != NULL)
        hocket__scope_forget_end(ex->scope, &ex->scope_end);
    hocket__executor_lock(ex);
    if (ex->enders != NULL)
        hocket__panic("hocket_executor_free: somebody waits for the end of executor '%s'",
                      ex->name);
    hocket__executor_unlock(ex);
    struct hocket__job_memory *memory = ex->memory;
    ex->class->free(ex);
    hocket__job_memory_leave(memory);
}

/* ---- what it is ---- */

const char *hocket_executor_scheme(const hocket_executor *ex)
{
    return ex->class->scheme;
}

int hocket_executor_workers(const hocket_executor *ex)
{
    return hk_load(&ex->workers);
}

size_t hocket_executor_queued(const hocket_executor *ex)
{
    return hk_load(&ex->queued_count);
}

size_t hocket_executor_running(const hocket_executor *ex)
{
    hocket_executor *e = (hocket_executor *)(uintptr_t)ex;
    hocket__executor_lock(e);
    size_t n = e->class->running(e);
    hocket__executor_unlock(e);
    return n;
}

bool hocket_executor_closed(const hocket_executor *ex)
{
    return hk_load(&ex->closing);
}

int hocket_executor_resize(hocket_executor *ex, int workers)
{
    hocket__touch("resize", ex);
    if (workers < 1 || ex->class->resize == NULL)
        return -EINVAL;
    return ex->class->resize(ex, workers);
}

void hocket_executor_stats_get(const hocket_executor *ex, hocket_executor_stats *ret_stats)
{
    hocket_executor *e = (hocket_executor *)(uintptr_t)ex;
    hocket__executor_lock(e);
    *ret_stats = (hocket_executor_stats){
        .submitted = e->submitted,
        .started = e->started,
        .failed = hk_load(&e->failed),
        .cancelled = hk_load(&e->cancelled),
        .queued = hk_load(&e->queued_count),
        .running = e->class->running(e),
        .workers = e->active,
    };
    hocket__executor_unlock(e);
}
