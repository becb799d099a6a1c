/* SPDX-License-Identifier: MIT */
/*
 * future_then - what happens when a future is done: callbacks and follow-ups
 *
 * A callback is a watch in memory of its own.  A follow-up is a job that is in no queue yet; its
 * watch lies in the job's input and holds a reference to the job, which whoever calls the watch or
 * takes it back gives up.  Follow-up and predecessor know each other only until the
 * follow-up is done.
 */
#include <errno.h>

#include "base/alloc.h"
#include "base/panic.h"
#include "task/executor.h"
#include "task/fail.h"

/* ---- callbacks ---- */

struct callback {
    struct hocket__watch watch;
    hocket_future_fn *fn;
    void *arg;
};

void hocket__call_aside(const char *what, hocket_task *self, hocket_future_fn *fn,
                        hocket_future *future, void *arg)
{
    struct hocket__words *words_before = self->words;
    const struct hocket__cancel_scope *scope = self->scopes;
    uint32_t held = hocket__self_held();
    self->words = NULL;
    int result = fn(future, arg);
    if (self->scopes != scope)
        hocket__panic("%s ended with an open scope", what);
    if (hocket__self_held() != held)
        hocket__panic("%s ended while holding %d lock(s)", what, (int)(hocket__self_held() - held));
    if (result < 0) {
        struct hocket__words *words = hocket__words_for(self, result);
        hocket__words_report(words);
        hocket__words_unref(words);
    }
    hocket__words_unref(self->words);
    self->words = words_before;
}

static void callback_due(struct hocket__watch *watch, hocket_future *future)
{
    struct callback *c = hk_container_of(watch, struct callback, watch);
    hocket__call_aside("a callback of a future", hocket__self_must("hocket_future_on_done"), c->fn,
                       future, c->arg);
    hocket__free(c);
}

int hocket_future_on_done(hocket_future *future, hocket_future_fn *fn, void *arg)
{
    hocket__touch("on done", future);
    hocket_task *self = hocket__self_attach();
    struct callback *c = self != NULL ? hocket__alloc(sizeof *c) : NULL;
    if (c == NULL)
        return -ENOMEM;
    *c = (struct callback){ .watch.done = callback_due, .fn = fn, .arg = arg };
    hocket__future_watch(future, &c->watch);
    return 0;
}

/* ---- follow-ups ---- */

static void then_due(struct hocket__watch *watch, hocket_future *before)
{
    struct hocket__then *then = hk_container_of(watch, struct hocket__then, watch);
    struct hocket__job_more *more = hk_container_of((unsigned char *)then, struct hocket__job_more,
                                                    input);
    hocket_task *self = hocket__self_must("hocket_future_then");
    hocket_future *next = (hocket_future *)(void *)more - 1; /* hocket__job_alone */
    (void)before;
    int err = more->executor->class->admit(more->executor, next, self);
    if (err != 0)
        hocket__job_fail(next, self, err, NULL);
    hocket__future_unref(next); /* the watch's */
}

int hocket_future_then(hocket_future *future, hocket_future **ret_next, hocket_executor *executor,
                       hocket_future_fn *fn, void *arg)
{
    hocket__touch("then", future);
    hocket_task *self = hocket__self_attach();
    const struct hocket__request rq = { .kind = HOCKET__JOB_THEN, .handle = ret_next != NULL };
    int err = self != NULL ? hocket__cancel_point(self) : -ENOMEM;
    if (err != 0)
        return err;
    hocket_future *next = hocket__job_alone(executor, sizeof(struct hocket__then));
    if (next == NULL)
        return -ENOMEM;
    hocket__job_fill(next, &rq);
    (void)hocket__future_ref(next); /* the watch's */
    struct hocket__then *then = hocket__then_of(next);
    *then = (struct hocket__then){
        .watch.done = then_due,
        .before = hocket__future_ref(future),
        .fn = fn,
        .arg = arg,
    };
    hocket__list_init(&then->watch.link);
    if (ret_next != NULL)
        *ret_next = next;
    hocket__future_watch(future, &then->watch);
    return 0;
}
