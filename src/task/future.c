/* SPDX-License-Identifier: MIT */
/*
 * future - the life of a job, and waiting for its end
 *
 * The state word and the lock order are in task/executor.h.
 *
 * Memory order: result and output are written before the CAS (or store) that sets DONE, which
 * releases; readers load the state with acquire.  A waiter sets WATCHED in the same word:
 * either it sees DONE, or whoever sets DONE sees WATCHED.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "task/executor.h"
#include "task/executor_usual.h"
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

/* ---- references ---- */

hocket_future *hocket__future_ref_locked(hocket_future *f)
{
    (void)hk_add(&f->state, (uint32_t)HOCKET__JOB_REF);
    return f;
}

hocket_future *hocket__future_ref(hocket_future *f)
{
    struct hocket__job_memory *m = hocket__job_hold(f);
    (void)hocket__future_ref_locked(f);
    hocket__job_let_go(m);
    return f;
}

/* The words of a failed job; `plain` is filled in when somebody asks for the first time. */
static const hocket_error *error_of(hocket_future *f)
{
    if (f->failed)
        return hocket__words_error(f->more->words);
    hocket__guard_lock(&f->more->guard);
    if (f->more->plain.code == 0) {
        f->more->plain.code = f->result;
        f->more->plain.message = hocket_error_text(f->result);
        f->more->plain.task = "";
    }
    (void)hocket__guard_unlock(&f->more->guard);
    return &f->more->plain;
}

/* The last reference: report what nobody looked at, leave the block clean. */
HK_COLD static void end_failed(hocket_future *f)
{
    if (!f->as_told && !hk_load(&f->seen))
        hocket__error_report(error_of(f));
    hocket__words_unref(f->more->words);
    f->more->words = NULL;
    f->more->plain = (hocket_error){ 0 };
}

static void end(hocket_future *f)
{
    if (hk_unlikely(f->result < 0))
        end_failed(f);
    if (f->kind != HOCKET__JOB_FN)
        hocket_buffer_free(&f->more->output);
    hocket__job_free(f);
}

void hocket__future_unref(hocket_future *f)
{
    uint32_t s = hk_load_acq(&f->state);  /* pairs with the others' release of theirs */
    bool last = s / HOCKET__JOB_REF == 1; /* alone already: nobody can make another */
    if (!last) {
        struct hocket__job_memory *m = hocket__job_hold(f);
        last = hk_sub(&f->state, (uint32_t)HOCKET__JOB_REF) / HOCKET__JOB_REF == 1;
        hocket__job_let_go(m);
    }
    if (last)
        end(f);
}

static HK_NOINLINE void free_any(hocket_future *f)
{
    if (hk_load(&f->state) & HOCKET__JOB_WATCHED)
        hocket__destroy_check("hocket_future_free", "future", f, &f->more->guard,
                              &f->more->waiters);
    hocket__future_unref(f);
}

void hocket_future_free(hocket_future *f)
{
    if (f == NULL)
        return;
    uint32_t s = hk_load_acq(&f->state); /* pairs with the others' release of theirs */
    if (hk_unlikely(s != (HOCKET__JOB_REF | HOCKET__JOB_DONE) || f->result < 0 ||
                    !hocket__usual_free(f)))
        free_any(f);
}

/* ---- the end of a job ---- */

/* It is DONE: waiters and watches learn of it. */
HK_COLD static void tell(hocket_future *f)
{
    struct hocket__wakes wakes = { NULL, NULL };
    struct hocket__waiter *node;
    hocket__guard_lock(&f->more->guard);
    while ((node = hocket__queue_claim(&f->more->waiters)) != NULL) {
        node->done = 1; /* for select, which has several */
        hocket__wakes_add(&wakes, node->task);
    }
    (void)hocket__guard_unlock(&f->more->guard);
    hocket__wakes_run(&wakes);
    for (;;) {
        hocket__guard_lock(&f->more->guard);
        struct hocket__link *link = f->more->watches;
        if (link != NULL)
            hocket__queue_remove(&f->more->watches, link);
        (void)hocket__guard_unlock(&f->more->guard);
        if (link == NULL)
            return;
        struct hocket__watch *watch = hk_container_of(link, struct hocket__watch, link);
        watch->done(watch, f);
    }
}

void hocket__future_want(hocket_future *f)
{
    if (hk_load(&f->state) & (HOCKET__JOB_DONE | HOCKET__JOB_WATCHED))
        return;
    struct hocket__job_memory *m = hocket__job_hold(f);
    (void)hk_or(&f->state, (uint32_t)HOCKET__JOB_WATCHED);
    hocket__job_let_go(m);
}

/* Wait until no canceller uses the job. */
HK_COLD static void await_unpinned(hocket_future *f, hocket_task *self)
{
    struct hocket__waiter node;
    hocket__guard_lock(&f->more->guard);
    bool pinned = (hk_load(&f->state) & HOCKET__JOB_PINNED) != 0;
    if (pinned) {
        hocket__sync_begin(&node, self, &unpin_class, f, false);
        f->more->unpinned = self;
    }
    (void)hocket__guard_unlock(&f->more->guard);
    if (pinned) {
        (void)hocket__wait_park(self, HOCKET_FOREVER);
        hocket__wait_end(self);
    }
}

/* A long chain of follow-ups must not hang together until its last one is freed. */
static void release_before(hocket_future *f)
{
    hocket_future *before = hocket__then_of(f)->before;
    hocket__then_of(f)->before = NULL;
    hocket__future_unref(before);
}

HK_COLD static uint32_t state_unpinned(hocket_future *f, hocket_task *self)
{
    uint32_t s;
    while ((s = hk_load(&f->state)) & HOCKET__JOB_PINNED)
        await_unpinned(f, self);
    return s;
}

void hocket__future_publish(hocket_future *f, hocket_task *self, uint32_t unpinned)
{
    if (hk_unlikely(f->kind == HOCKET__JOB_THEN))
        release_before(f);
    uint32_t s = hk_load(&f->state), next;
    hk_store(&f->runner, 0);
    do {
        if (hk_unlikely(s & unpinned & HOCKET__JOB_PINNED))
            s = state_unpinned(f, self);
        next = (s & unpinned) | HOCKET__JOB_DONE;
        if (hk_likely(!(s & HOCKET__JOB_WATCHED)))
            next -= HOCKET__JOB_REF;
    } while (!hk_cas(&f->state, &s, next));
    if (hk_unlikely(s & HOCKET__JOB_WATCHED)) {
        tell(f);
        hocket__future_unref(f);
    } else if (next < HOCKET__JOB_REF) {
        end(f);
    }
}

void hocket__future_watch(hocket_future *f, struct hocket__watch *watch)
{
    hocket__future_want(f);
    hocket__guard_lock(&f->more->guard);
    bool late = hocket__future_done(f);
    if (!late)
        hocket__queue_push(&f->more->watches, &watch->link);
    (void)hocket__guard_unlock(&f->more->guard);
    if (late)
        watch->done(watch, f);
}

bool hocket__future_unwatch(hocket_future *f, struct hocket__watch *watch)
{
    hocket__guard_lock(&f->more->guard);
    bool there = f->more->watches == &watch->link || !hocket__list_empty(&watch->link);
    if (there)
        hocket__queue_remove(&f->more->watches, &watch->link);
    (void)hocket__guard_unlock(&f->more->guard);
    return there;
}

void hocket__job_drop(hocket_future *f, hocket_task *self, _Atomic bool *busy)
{
    hk_store(busy, false);
    (void)hk_add(&f->more->executor->cancelled, (uint64_t)1);
    f->result = -ECANCELED;
    f->never_ran = true;
    f->as_told = true;
    hocket__future_publish(f, self, HOCKET__PIN_STAYS);
}

/* ---- running ---- */

/* The function has returned: what it must not leave behind. */
HK_COLD static void leftovers(const hocket_future *f, uint32_t held)
{
    if (hocket__self_held() == held)
        hocket__panic("executor '%s': a job ended with an open scope", f->more->executor->name);
    hocket__panic("executor '%s': a job ended while holding %d lock(s)", f->more->executor->name,
                  (int)(hocket__self_held() - held));
}

HK_COLD static void keep_failure(hocket_future *f, hocket_task *self)
{
    hocket_executor *ex = f->more->executor;
    f->as_told = f->result == -ECANCELED && hocket__cancelled(self);
    f->more->words = hocket__words_for(self, f->result);
    f->failed = f->more->words != NULL;
    (void)hk_add(f->as_told ? &ex->cancelled : &ex->failed, (uint64_t)1);
}

static int call_other(hocket_future *f)
{
    if (f->kind == HOCKET__JOB_THEN)
        return hocket__then_of(f)->fn(hocket__then_of(f)->before, hocket__then_of(f)->arg);
    return f->call(f->more->input, f->more->input_size, &f->more->output);
}

void hocket__job_ended(hocket_future *f, hocket_task *self, uint32_t held, _Atomic bool *busy)
{
    hocket__watch(HOCKET__EVENT_JOB_END, self, f->more->executor, f->result);
    if (hk_unlikely(self->scopes != f->scope || hocket__self_held() != held))
        leftovers(f, held);
    if (hk_unlikely(f->result < 0))
        keep_failure(f, self);
    if (hk_unlikely(self->words != NULL))
        hocket__words_unref(self->words);
    self->words = NULL;
    hk_store(busy, false);
    hocket__future_publish(f, self, HOCKET__PIN_STAYS);
}

void hocket__job_run(hocket_future *f, hocket_task *self, void *arg, _Atomic bool *busy)
{
    struct hocket__words *words_before = self->words;
    uint32_t held = hocket__self_held();
    self->words = NULL;
    hocket__watch(HOCKET__EVENT_JOB, self, f->more->executor, 0);
    f->result = hk_likely(f->kind == HOCKET__JOB_FN) ? f->fn(arg) : call_other(f);
    hocket__job_ended(f, self, held, busy);
    self->words = words_before;
}

void hocket__job_fail(hocket_future *f, hocket_task *self, int code, struct hocket__words *words)
{
    struct hocket__words *words_before = self->words;
    self->words = hocket__words_ref(words);
    f->result = code;
    keep_failure(f, self);
    hocket__words_unref(self->words);
    self->words = words_before;
    hocket__future_publish(f, self, HOCKET__PIN_STAYS);
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
    hocket__future_want(f);
    hocket__guard_lock(&f->more->guard);
    if (hocket__future_done(f)) {
        (void)hocket__guard_unlock(&f->more->guard);
        return 0;
    }
    hocket__sync_begin(&node, self, &future_class, f, true);
    hocket__queue_push(&f->more->waiters, &node.link);
    (void)hocket__guard_unlock(&f->more->guard);
    int err = hocket__wait_park(self, deadline);
    if (err != 0) {
        hocket__guard_lock(&f->more->guard);
        hocket__queue_forget(&f->more->waiters, &node);
        (void)hocket__guard_unlock(&f->more->guard);
    }
    hocket__wait_end(self);
    return err;
}

int hocket_future_wait(hocket_future *f, hocket_time deadline)
{
    hocket__touch("future wait", f);
    hocket_task *self = hocket__self_attach();
    int err = self != NULL ? hocket__cancel_point(self) : -ENOMEM;
    if (err != 0 || hocket__future_done(f))
        return err;
    if (waits_for_itself(f, self) || hocket__pool_stuck(self, f))
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

static HK_NOINLINE int get_any(hocket_future *f, int *ret_result, hocket_time deadline)
{
    hocket__touch("future get", f);
    int err = hocket_future_wait(f, deadline);
    if (err == 0) {
        hk_store(&f->seen, true);
        if (ret_result != NULL)
            *ret_result = f->result;
    }
    return err;
}

int hocket_future_get(hocket_future *f, int *ret_result, hocket_time deadline)
{
    const hocket_task *self = hocket__self_or_null();
    if (hk_unlikely(self == NULL || hocket__cancel_suspected(self) || !hocket__future_done(f) ||
                    hocket__watched(HOCKET__EVENT_BIT(HOCKET__EVENT_TOUCH))))
        return get_any(f, ret_result, deadline);
    hk_store(&f->seen, true);
    if (ret_result != NULL)
        *ret_result = f->result;
    return 0;
}

/* ---- what it is ---- */

int hocket_future_result(hocket_future *f)
{
    if (!hocket__future_done(f))
        return -EAGAIN;
    hk_store(&f->seen, true);
    return f->result;
}

const void *hocket_future_output(const hocket_future *f, size_t *ret_size)
{
    bool ended = f->kind != HOCKET__JOB_FN && hocket__future_done(f);
    if (ret_size != NULL)
        *ret_size = ended ? f->more->output.size : 0;
    return ended && f->more->output.size > 0 ? f->more->output.data : NULL;
}

const hocket_error *hocket_future_error(hocket_future *f)
{
    if (!hocket__future_done(f) || f->result >= 0)
        return NULL;
    hk_store(&f->seen, true);
    return error_of(f);
}

bool hocket_future_done(const hocket_future *f)
{
    hocket__touch("done", f);
    return hocket__future_done(f);
}

bool hocket_future_running(const hocket_future *f)
{
    return hk_load(&f->runner) != 0;
}

bool hocket_future_cancelled(const hocket_future *f)
{
    return hocket__future_done(f) && f->never_ran;
}
