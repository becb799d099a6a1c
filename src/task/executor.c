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
#include "task/executor.h"

static const struct hocket__wait_class shutdown_class = { "executor", NULL };

static const struct hocket__executor_class *const classes[] = {
    &hocket__executor_inline,
    &hocket__executor_threads,
    &hocket__executor_fibers,
};

/* ---- making one ---- */

void hocket__executor_init(hocket_executor *ex, const struct hocket__executor_class *class,
                           const hocket_executor_options *o)
{
    memset(ex, 0, sizeof *ex);
    ex->class = class;
    ex->workers = 1;
    hocket__list_init(&ex->queued);
    hocket__list_init(&ex->running);
    const char *name = o->name != NULL ? o->name : class->scheme;
    memcpy(ex->name, name, strnlen(name, sizeof ex->name - 1));
}

int hocket_executor_new(hocket_executor **ret_executor, const char *scheme,
                        const hocket_executor_options *options)
{
    static const hocket_executor_options defaults = HOCKET_EXECUTOR_OPTIONS_DEFAULT;
    const hocket_executor_options *o = options != NULL ? options : &defaults;
    if (scheme == NULL || (o->size != 0 && o->size < sizeof *o) || o->workers < 0)
        return -EINVAL;
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (strcmp(classes[i]->scheme, scheme) == 0)
            return classes[i]->open(ret_executor, o);
    return -EINVAL;
}

/* ---- submit ---- */

static int submit(hocket_executor *ex, hocket_future **ret_future, const hocket_future *what,
                  const void *input, size_t size, hocket_time deadline)
{
    hocket__fork_check("hocket_submit");
    hocket_task *self = hocket__self_attach();
    size_t bytes;
    if (__builtin_add_overflow(sizeof(hocket_future), size, &bytes))
        return -ENOMEM;
    int err = self != NULL ? hocket__cancel_point(self) : -ENOMEM;
    if (err != 0)
        return err;
    hocket_future *f = hocket__alloc(bytes);
    if (f == NULL)
        return -ENOMEM;
    memset(f, 0, sizeof *f);
    hk_store(&f->refs, 2);
    hocket__list_init(&f->link);
    f->executor = ex;
    f->call = what->call;
    f->fn = what->fn;
    f->arg = what->arg;
    f->input_size = size;
    if (size > 0)
        memcpy(f->input, input, size);
    err = ex->class->submit(ex, f, self, deadline);
    if (err != 0) {
        hocket__free(f); /* nobody has seen it */
        return err;
    }
    if (ret_future != NULL)
        *ret_future = f;
    else
        hocket__future_unref(f);
    return 0;
}

int hocket_submit_until(hocket_executor *executor, hocket_future **ret_future, hocket_call *call,
                        const void *input, size_t size, hocket_time deadline)
{
    const hocket_future what = { .call = call };
    return submit(executor, ret_future, &what, input, size, deadline);
}

int hocket_submit(hocket_executor *executor, hocket_future **ret_future, hocket_call *call,
                  const void *input, size_t size)
{
    return hocket_submit_until(executor, ret_future, call, input, size, HOCKET_FOREVER);
}

int hocket_submit_fn_until(hocket_executor *executor, hocket_future **ret_future,
                           hocket_task_fn *fn, void *arg, hocket_time deadline)
{
    const hocket_future what = { .fn = fn, .arg = arg };
    return submit(executor, ret_future, &what, NULL, 0, deadline);
}

int hocket_submit_fn(hocket_executor *executor, hocket_future **ret_future, hocket_task_fn *fn,
                     void *arg)
{
    return hocket_submit_fn_until(executor, ret_future, fn, arg, HOCKET_FOREVER);
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
    bool inside = false;
    hocket__guard_lock(&ex->guard);
    for (const hocket_task *t = task; t != NULL && !inside; t = hocket__task_around(t))
        hocket__list_each(link, &ex->running)
            inside = inside ||
                     hk_load(&hk_container_of(link, hocket_future, link)->runner) == t->slot;
    (void)hocket__guard_unlock(&ex->guard);
    return inside;
}

/* The next job to cancel, with a reference, or NULL.  Jobs that were asked go to the back. */
static hocket_future *next_to_cancel(hocket_executor *ex)
{
    hocket_future *f = NULL;
    hocket__guard_lock(&ex->guard);
    struct hocket__link *link = hocket__list_front(&ex->queued);
    if (link == NULL && (link = hocket__list_front(&ex->running)) != NULL) {
        if (hk_container_of(link, hocket_future, link)->in_shutdown) {
            link = NULL;
        } else {
            hocket__list_remove(link);
            hocket__list_push_back(&ex->running, link);
        }
    }
    if (link != NULL) {
        f = hocket__future_ref(hk_container_of(link, hocket_future, link));
        f->in_shutdown = true;
    }
    (void)hocket__guard_unlock(&ex->guard);
    return f;
}

static void begin_shutdown(hocket_executor *ex, int how)
{
    struct hocket__wakes wakes = { NULL, NULL };
    hocket__guard_lock(&ex->guard);
    bool first = !hk_load(&ex->closing);
    hk_store(&ex->closing, true);
    if (how == HOCKET_SHUTDOWN_CANCEL)
        ex->cancelling = true;
    if (first)
        ex->class->close(ex, &wakes);
    (void)hocket__guard_unlock(&ex->guard);
    hocket__wakes_run(&wakes);
    hocket_future *f;
    while (how == HOCKET_SHUTDOWN_CANCEL && (f = next_to_cancel(ex)) != NULL) {
        (void)hocket_future_cancel(f);
        hocket__future_unref(f);
    }
}

static int wait_ended(hocket_executor *ex, hocket_task *self, hocket_time deadline, bool cancel)
{
    struct hocket__waiter node;
    hocket__guard_lock(&ex->guard);
    if (ex->active == 0 || deadline <= HOCKET_NOW) {
        int err = ex->active == 0 ? 0 : -ETIMEDOUT;
        (void)hocket__guard_unlock(&ex->guard);
        return err;
    }
    hocket__sync_begin(&node, self, &shutdown_class, ex, cancel);
    hocket__queue_push(&ex->enders, &node.link);
    (void)hocket__guard_unlock(&ex->guard);
    int err = hocket__wait_park(self, deadline);
    if (err != 0) {
        hocket__guard_lock(&ex->guard);
        hocket__queue_forget(&ex->enders, &node);
        (void)hocket__guard_unlock(&ex->guard);
    }
    hocket__wait_end(self);
    return err;
}

int hocket_executor_shutdown(hocket_executor *ex, int how, hocket_time deadline)
{
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

void hocket_executor_free(hocket_executor *ex)
{
    if (ex == NULL)
        return;
    hocket_task *self = hocket__self_must("hocket_executor_free");
    if (hocket__executor_inside(ex, self))
        hocket__panic("hocket_executor_free: executor '%s' is freed by one of its own jobs",
                      ex->name);
    int err = hocket_executor_shutdown(ex, HOCKET_SHUTDOWN_DRAIN, HOCKET_FOREVER);
    if (err != 0) {
        begin_shutdown(ex, HOCKET_SHUTDOWN_CANCEL);
        (void)wait_ended(ex, self, HOCKET_FOREVER, false);
    }
    hocket__destroy_check("hocket_executor_free", "executor", ex, &ex->guard, &ex->enders);
    ex->class->free(ex);
}

/* ---- what it is ---- */

const char *hocket_executor_scheme(const hocket_executor *ex)
{
    return ex->class->scheme;
}

int hocket_executor_workers(const hocket_executor *ex)
{
    return ex->workers;
}

size_t hocket_executor_queued(const hocket_executor *ex)
{
    return hk_load(&ex->queued_count);
}

size_t hocket_executor_running(const hocket_executor *ex)
{
    return hk_load(&ex->running_count);
}

bool hocket_executor_closed(const hocket_executor *ex)
{
    return hk_load(&ex->closing);
}
