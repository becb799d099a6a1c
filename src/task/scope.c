/* SPDX-License-Identifier: MIT */
/*
 * scope - see include/hocket/scope.h for the contract, task/task.h for the counting
 *
 * Closing: the owner begins its wait, then adds its part of the count and takes the bias
 * off in one step.  From then on the count is exact.  The task that would take it to zero puts
 * the bias back instead, in one step too, and claims the wait of the owner: so it happens once,
 * whoever may come and go meanwhile (foreign threads spawn into the root scope at any
 * time), and the task need not touch the scope any more, which may be gone then.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/panic.h"
#include "park/forks.h"
#include "sched/worker.h"
#include "task/fail.h"
#include "task/task.h"

static const struct hocket__wait_class scope_class = { "scope", NULL };

void hocket__scope_init(struct hocket__scope *s, hocket_task *counter)
{
    hk_store(&s->counter, counter);
    s->mine = 0;
    hk_store(&s->others, HOCKET__SCOPE_BIAS);
    hk_store(&s->closer, NULL);
    s->name = NULL;
    s->keep_going = false;
    hk_store(&s->guard, 0);
    s->failures = NULL;
    s->failures_tail = &s->failures;
    s->ends = NULL;
    hk_store(&s->failed, 0);
    s->first = 0;
}

void hocket__scope_add_end(struct hocket__scope *s, struct hocket__scope_end *end)
{
    hocket__guard_lock(&s->guard);
    end->next = s->ends;
    s->ends = end;
    (void)hocket__guard_unlock(&s->guard);
}

void hocket__scope_forget_end(struct hocket__scope *s, const struct hocket__scope_end *end)
{
    hocket__guard_lock(&s->guard);
    struct hocket__scope_end **at = &s->ends;
    while (*at != NULL && *at != end)
        at = &(*at)->next;
    if (*at != NULL)
        *at = end->next;
    (void)hocket__guard_unlock(&s->guard);
}

/* Last in, first out. */
static void run_ends(struct hocket__scope *s, hocket_task *self)
{
    struct hocket__scope_end *end;
    while ((end = s->ends) != NULL) {
        hocket__scope_forget_end(s, end);
        end->end(end, self);
    }
}

static hocket_time own_deadline(const hocket_scope_options *o)
{
    return o && o->deadline != 0 ? o->deadline : HOCKET_FOREVER;
}

void hocket_scope_open(hocket_scope *scope, const hocket_scope_options *options)
{
    hocket_task *self = hocket__self_must("hocket_scope_open");
    struct hocket__scope *s = hocket__scope_of(scope);
    if (self->scopes == &s->cancel)
        hocket__panic("hocket_scope_open: scope %p is open already", (void *)scope);
    if (hocket__forked_any(self))
        hocket__fork_ops_get()->hand_out(self); /* its branches belong outside */
    hocket__scope_init(s, self);
    if (options) {
        s->name = options->name;
        s->keep_going = options->keep_going;
    }
    hocket__cancel_scope_enter(&s->cancel, self, own_deadline(options), options && options->shield);
}

void hocket__scope_drain(struct hocket__scope *s, hocket_task *self)
{
    struct hocket__waiter node;
    if (hocket__forked_any(self))
        hocket__fork_ops_get()->hand_out(self); /* branches are counted before, or not at all */
    int64_t mine = hk_load(&s->counter) == self ? s->mine : 0;
    if (hk_load(&s->counter) == self)
        s->mine = 0;
    hk_store(&s->closer, self);
    hocket__wait_begin(&node, self, &scope_class, s, 0);
    int64_t old = hk_load(&s->others), left;
    do
        left = old + mine - HOCKET__SCOPE_BIAS;
    while (!hk_cas(&s->others, &old, left > 0 ? left : HOCKET__SCOPE_BIAS));
    if (left > 0)
        (void)hocket__wait_park(self, HOCKET_FOREVER);
    hocket__wait_end(self);
}

void hocket__scope_leave_others(struct hocket__cancel_scope *scope, uint32_t count)
{
    struct hocket__scope *s = hocket__scope_of_cancel(scope);
    hocket_task *closer;
    int64_t old = hk_load_acq(&s->others); /* pairs with the closer: its name before its part */
    do
        closer = hk_load(&s->closer); /* still there: we are counted */
    while (!hk_cas(&s->others, &old, old == count ? HOCKET__SCOPE_BIAS : old - count));
    if (old != count)
        return;
    if (!hocket__claim(closer))
        hocket__panic("scope: the closing task is gone");
    hocket__complete(closer);
}

void hocket__scope_failed(struct hocket__scope *s, int code, struct hocket__words *words)
{
    struct hocket__failure *f = words ? hocket__alloc(sizeof *f) : NULL;
    hocket__guard_lock(&s->guard);
    if (hk_load(&s->failed) == 0)
        s->first = code;
    hk_store(&s->failed, hk_load(&s->failed) + 1);
    if (f) {
        *f = (struct hocket__failure){ NULL, words, false };
        *s->failures_tail = f;
        s->failures_tail = &f->next;
    }
    (void)hocket__guard_unlock(&s->guard);
    if (!f)
        hocket__words_unref(words);
    if (!s->keep_going && !hk_load_acq(&s->cancel.cancelled))
        hocket__cancel_scope(&s->cancel);
}

void hocket__scope_report(struct hocket__scope *s, bool but_the_first)
{
    struct hocket__failure *f = s->failures;
    for (bool first = true; f; first = false) {
        struct hocket__failure *next = f->next;
        if (!f->seen && !(first && but_the_first))
            hocket__words_report(f->words);
        hocket__words_unref(f->words);
        hocket__free(f);
        f = next;
    }
    s->failures = NULL;
    s->failures_tail = &s->failures;
}

static struct hocket__scope *own_scope(hocket_scope *scope, hocket_task *self, const char *function)
{
    struct hocket__scope *s = hocket__scope_of(scope);
    if (self->scopes != &s->cancel)
        hocket__panic("%s: scope %p is not the innermost open scope of the calling task", function,
                      (void *)scope);
    return s;
}

static int outcome(struct hocket__scope *s)
{
    if (hk_load(&s->failed) > 0)
        return s->first;
    return hk_load(&s->cancel.expired) ? -ETIMEDOUT : 0;
}

int hocket_scope_wait(hocket_scope *scope)
{
    hocket__touch("scope wait", scope);
    hocket_task *self = hocket__self_must("hocket_scope_wait");
    struct hocket__scope *s = own_scope(scope, self, "hocket_scope_wait");
    hocket__scope_drain(s, self);
    return outcome(s);
}

int hocket_scope_close(hocket_scope *scope)
{
    hocket__touch("scope close", scope);
    hocket_task *self = hocket__self_must("hocket_scope_close");
    struct hocket__scope *s = own_scope(scope, self, "hocket_scope_close");
    if (hk_unlikely(s->ends != NULL))
        run_ends(s, self);
    hocket__scope_drain(s, self);
    hocket__cancel_scope_leave(&s->cancel, self);
    hocket__scope_report(s, true);
    return outcome(s);
}

void hocket__scopes_abandon(hocket_task *self)
{
    while (self->scopes != NULL) {
        struct hocket__scope *s = hocket__scope_of_cancel(self->scopes);
        hocket__cancel_scope(&s->cancel);
        run_ends(s, self);
        hocket__scope_drain(s, self);
        hocket__cancel_scope_leave(&s->cancel, self);
    }
}

void hocket_scope_cancel(hocket_scope *scope)
{
    hocket__touch("cancel", scope);
    hocket__cancel_scope(&hocket__scope_of(scope)->cancel);
}

bool hocket_scope_cancelled(const hocket_scope *scope)
{
    const struct hocket__scope *s = (const void *)scope;
    return hk_load_acq(&s->cancel.cancelled);
}

size_t hocket_scope_count(const hocket_scope *scope)
{
    const struct hocket__scope *s = (const void *)scope;
    struct hocket__worker *w = hocket__worker_here();
    if (w)
        hocket__left_tell(w);
    int64_t n = hk_load_acq(&s->others);
    if (n >= HOCKET__SCOPE_BIAS / 2)
        n -= HOCKET__SCOPE_BIAS;
    if (hk_load(&s->counter) == hocket__self_or_null())
        n += s->mine;
    return n > 0 ? (size_t)n : 0;
}

size_t hocket_scope_failures(const hocket_scope *scope)
{
    const struct hocket__scope *s = (const void *)scope;
    return hk_load_acq(&s->failed);
}

int hocket_scope_error(hocket_scope *scope, size_t n, const hocket_error **ret_error)
{
    struct hocket__scope *s = hocket__scope_of(scope);
    int err = -ENOENT;
    hocket__guard_lock(&s->guard);
    struct hocket__failure *f = s->failures;
    while (f && n-- > 0)
        f = f->next;
    if (f) {
        f->seen = true;
        *ret_error = hocket__words_error(f->words);
        err = 0;
    }
    (void)hocket__guard_unlock(&s->guard);
    return err;
}
