/* SPDX-License-Identifier: MIT */
/*
 * promise - the other end of a future that no executor fills
 *
 * The promise is the future, held by the second reference.  Who may end it is decided under
 * its guard: `taken` is set once, by the first set, by free, or by a cancel before start.
 */
#include <errno.h>

#include <hocket/promise.h>

#include "base/alloc.h"
#include "task/executor.h"
#include "task/fail.h"

static hocket_future *future_of(hocket_promise *p)
{
    return (hocket_future *)(void *)p;
}

int hocket_promise_new(hocket_promise **ret_promise, hocket_future **ret_future)
{
    const struct hocket__request rq = { .kind = HOCKET__JOB_PROMISE, .handle = true };
    hocket_future *f = hocket__job_alone(NULL, 0);
    if (f == NULL)
        return -ENOMEM;
    hocket__job_fill(f, &rq);
    *ret_promise = (hocket_promise *)(void *)f;
    *ret_future = f;
    return 0;
}

/* The right to end it: 0, -EALREADY, -ECANCELED. */
static int take(hocket_future *f)
{
    hocket__guard_lock(&f->more->guard);
    int err = !f->taken ? 0 : f->more->withdrawn ? -ECANCELED : -EALREADY;
    f->taken = true;
    (void)hocket__guard_unlock(&f->more->guard);
    return err;
}

int hocket_promise_start(hocket_promise *promise)
{
    hocket__touch("start", promise);
    hocket_future *f = future_of(promise);
    hocket__guard_lock(&f->more->guard);
    int err = f->more->withdrawn ? -ECANCELED : f->taken || f->more->started ? -EALREADY : 0;
    if (err == 0) {
        f->more->started = true;
        hk_store(&f->runner, HOCKET__HOLDER_UNKNOWN); /* whoever sets it */
    }
    (void)hocket__guard_unlock(&f->more->guard);
    return err;
}

int hocket_promise_set(hocket_promise *promise, int result, const void *output, size_t size)
{
    hocket__touch("set", promise);
    hocket_future *f = future_of(promise);
    hocket_task *self = hocket__self_attach();
    hocket_buffer bytes = { 0 };
    int err = self != NULL ? hocket_buffer_append(&bytes, output, size) : -ENOMEM;
    if (err == 0 && (err = take(f)) != 0)
        hocket_buffer_free(&bytes);
    if (err != 0)
        return err;
    f->more->output = bytes;
    f->result = result;
    if (result < 0) {
        f->as_told = result == -ECANCELED && hocket_promise_cancelled(promise);
        f->more->words = hocket__words_for(self, result); /* of hocket_fail, if it was called */
        f->failed = f->more->words != NULL;
        hocket_fail_clear();
    }
    hocket__future_publish(hocket__future_ref(f), self, HOCKET__PIN_STAYS);
    return 0;
}

bool hocket_promise_cancelled(const hocket_promise *promise)
{
    const hocket_future *f = (const void *)promise;
    return (hk_load(&f->state) & HOCKET__JOB_ASKED) != 0;
}

void hocket_promise_free(hocket_promise *promise)
{
    if (promise == NULL)
        return;
    hocket_future *f = future_of(promise);
    hocket_task *self = hocket__self_must("hocket_promise_free");
    if (take(f) == 0) {
        struct hocket__words *words_before = self->words;
        self->words = NULL;
        f->result = hocket_fail(-EPIPE, "the promise was freed before it was set");
        f->more->words = self->words;
        f->failed = f->more->words != NULL;
        self->words = words_before;
        hocket__future_publish(hocket__future_ref(f), self, HOCKET__PIN_STAYS);
    }
    hocket__future_unref(f);
}
