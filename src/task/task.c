/* SPDX-License-Identifier: MIT */
/*
 * task - the life of a task from its start to the release of its handle; spawn.c makes it
 *
 * The life word and its bits are in task/task.h.  Joiners wait in the record's own
 * list under its guard; a join of a child that nobody has started yet calls
 * the child right there, on the joiner's stack, if three things hold: the joiner
 * would wait for ever, every cancel that reaches the joiner reaches the child too, and there
 * is stack enough.  Otherwise the joiner parks.
 *
 * Memory order: the end of a task publishes the result by the RMW that sets DONE; a
 * joiner that sees DONE by an acquiring load sees everything the task did.
 */
#include <errno.h>

#include "base/alloc.h"
#include "base/panic.h"
#include "park/forked.h"
#include "park/forks.h"
#include "park/thread.h"
#include "sched/sched.h"
#include "sched/unwind.h"
#include "sched/worker.h"
#include "sys/sanitizer.h"
#include "task/fail.h"
#include "task/local.h"
#include "task/task.h"

static uint32_t join_holder(const void *object, unsigned i)
{
    const hocket_task *t = object;
    return i == 0 ? t->slot : 0;
}

const struct hocket__wait_class hocket__join_class = { "join", join_holder };

/* ---- the end of a task ---- */

static inline __attribute__((always_inline)) void record_free(hocket_task *t)
{
    if (hk_unlikely(t->words != NULL)) {
        hocket__words_unref(t->words);
        t->words = NULL;
    }
    hk_store(&t->life, 0);
    hk_store_rel(&t->id, 0);
    if (t->kind == HOCKET__FIBER)
        hocket__sched_record_put(hocket__worker_here(), t);
    else
        hocket__record_put(t);
}

void hocket__task_unmake(hocket_task *t)
{
    record_free(t);
}

/* Nobody has it any more. */
static inline __attribute__((always_inline)) void record_end(hocket_task *t, uint32_t life)
{
    if (hk_unlikely(life & HOCKET__LIFE_UNSEEN))
        hocket__words_report(t->words);
    record_free(t);
}

static void tell_joiners(hocket_task *t)
{
    struct hocket__wakes wakes = { NULL, NULL };
    (void)hk_or(&t->life, HOCKET__LIFE_DONE);
    hocket__guard_lock(&t->guard);
    while (t->joiners) {
        struct hocket__link *link = t->joiners;
        hocket__queue_remove(&t->joiners, link);
        struct hocket__waiter *n = hk_container_of(link, struct hocket__waiter, link);
        if (hocket__claim(n->task)) {
            n->done = 1;
            hocket__wakes_add(&wakes, n->task);
        }
    }
    (void)hocket__guard_unlock(&t->guard);
    hocket__wakes_run(&wakes);
}

/* Somebody joins. */
static HK_NOINLINE void end_joined(hocket_task *t)
{
    tell_joiners(t);
    uint32_t life = hk_or(&t->life, HOCKET__LIFE_FINISHED);
    if (life & HOCKET__LIFE_RELEASED)
        record_end(t, life);
}

/* Somebody else joins it too, or has released it. */
static HK_NOINLINE void end_quiet_joined(hocket_task *t, uint32_t life)
{
    if (life & HOCKET__LIFE_JOINERS)
        tell_joiners(t);
    if (life & HOCKET__LIFE_RELEASED) {
        hk_store(&t->queued_on, 0);
        record_end(t, life);
    }
}

/*
 * It ran on top of a joiner, who holds on to the record: no locked instruction.  The fence between the
 * store and the load is the other joiners' (hocket__join_announce).
 */
static inline __attribute__((always_inline)) void end_quietly(hocket_task *t)
{
#if HOCKET__RUNQ_FENCED
    (void)hk_xchg_sc(&t->queued_on, HOCKET__QUEUED_QUIET | HOCKET__LIFE_OVER);
#else
    hk_store_rel(&t->queued_on, HOCKET__QUEUED_QUIET | HOCKET__LIFE_OVER);
    hk_barrier();
#endif
    uint32_t life = hk_load_acq(&t->life); /* pairs with the joiner's RMW */
    if (hk_unlikely(life & (HOCKET__LIFE_JOINERS | HOCKET__LIFE_RELEASED)))
        end_quiet_joined(t, life);
}

bool hocket__join_announce(hocket_task *t)
{
    const struct hocket__worker *w = hocket__worker_here();
    if (hk_or(&t->life, HOCKET__LIFE_JOINERS) & HOCKET__LIFE_DONE)
        return true;
    uint16_t queued = hk_load_acq(&t->queued_on);
    bool loud = queued == 0 || (queued & HOCKET__QUEUED_LOUD);
    bool ours = w != NULL &&
                queued ==
                    w->number; /* this thread would run it, after now; a thief makes it loud */
    if (loud || ours)
        return false;
    hk_fence_sc();
    if (!HOCKET__RUNQ_FENCED)
        (void)hocket__membarrier(); /* it works, or the task would be loud */
    return (hk_load_acq(&t->queued_on) & HOCKET__LIFE_DONE) != 0;
}

/* DONE, wake the joiners, FINISHED; the record may be another task afterwards. */
static inline __attribute__((always_inline)) void publish_end(hocket_task *t)
{
    uint32_t life = hk_load_acq(&t->life); /* pairs with the release of the handle */
    while (!(life & HOCKET__LIFE_JOINERS)) {
        if (life & HOCKET__LIFE_RELEASED) { /* nobody can join or release any more */
            record_end(t, life);
            return;
        }
        if (hk_cas(&t->life, &life, life | HOCKET__LIFE_DONE | HOCKET__LIFE_FINISHED))
            return;
    }
    end_joined(t);
}

HK_COLD static void keep_failure(hocket_task *t, struct hocket__scope *scope)
{
    bool cancelled = t->result == -ECANCELED && hocket__cancelled(t);
    if (cancelled)
        return; /* it did what it was asked to */
    struct hocket__words *words = hocket__words_for(t, t->result);
    if (t->words == NULL)
        t->words = hocket__words_ref(words);
    bool top = scope == &hocket__root_scope || scope == &hocket__daemon_scope;
    if (!top) {
        hocket__scope_failed(scope, t->result, words);
        return;
    }
    hocket__words_unref(words);
    (void)hk_or(&t->life, HOCKET__LIFE_UNSEEN);
}

/* What only some tasks have to do at their end, and what none may have left. */
HK_COLD static void end_extras(hocket_task *t)
{
    char name[HOCKET_NAME_MAX];
    if (t->scopes)
        hocket__panic("task '%s' ended with an open scope",
                      hocket__task_name(t, name, sizeof name));
    if (t->locals)
        hocket__locals_end(t);
    if (hocket__self_held() > 0)
        hocket__panic("task '%s' ended while holding %u lock(s)",
                      hocket__task_name(t, name, sizeof name), hocket__self_held());
}

HK_COLD static void end_by_flags(hocket_task *t, unsigned flags)
{
    if (flags & HOCKET__TASK_FORKED)
        hocket__fork_ops_get()->end(t);
    if (flags & HOCKET__TASK_COPIED)
        hocket__free(t->arg);
    if (flags & HOCKET__TASK_PRODUCER)
        hk_load_acq (&hocket__producer_ended)(t); /* pairs with hocket_queue_declare */
}

/*
 * The function has returned; everything of the task but its record ends here.  in_place_of: the
 * task on top of which it ran, or NULL.
 */
static inline __attribute__((always_inline)) void task_end(hocket_task *t, int result,
                                                           const hocket_task *in_place_of)
{
    struct hocket__scope *scope = hocket__scope_of_cancel(hk_load(&t->home));
    if (hk_unlikely(t->scopes || t->locals || hocket__self_held() > 0))
        end_extras(t);
    t->result = result;
    hocket__watch(HOCKET__EVENT_EXIT, t, NULL, result);
    unsigned flags = hk_load(&t->flags);
    if (hk_unlikely(flags & (HOCKET__TASK_COPIED | HOCKET__TASK_FORKED | HOCKET__TASK_PRODUCER)))
        end_by_flags(t, flags);
    if (hk_unlikely(result < 0))
        keep_failure(t, scope);
    if (hk_unlikely(t->linked))
        hocket__cancel_forget(t);
    if (in_place_of)
        hk_store(&t->in_place_of, 0u);
    hocket__tsan_release(t);
    if (in_place_of && hk_load(&t->queued_on) == HOCKET__QUEUED_QUIET)
        end_quietly(t);
    else
        publish_end(t);
    struct hocket__worker *w = in_place_of ? NULL : hocket__worker_here();
    if (w)
        hocket__left_add(w, &scope->cancel);
    else
        hocket__scope_leave_task(scope, in_place_of);
}

HK_COLD void hocket__task_lose(hocket_task *self, int result)
{
    struct hocket__scope *scope = hocket__scope_of_cancel(hk_load(&self->home));
    unsigned flags = hk_load(&self->flags);
    hocket__cancel_task(self); /* and so all that it has made and would have waited for */
    hocket__scopes_abandon(self);
    if (flags & HOCKET__TASK_FORKED)
        hocket__fork_ops_get()->abandon(self);
    self->result = result;
    if (flags & HOCKET__TASK_BRANCH)
        hocket__fork_ops_get()->lose(self, result);
    else
        keep_failure(self, scope);
    if (flags & HOCKET__TASK_PRODUCER)
        hk_load_acq (&hocket__producer_ended)(self); /* pairs with hocket_queue_declare */
    if (self->linked)
        hocket__cancel_forget(self);
    hocket__tsan_release(self);
    tell_joiners(self); /* never FINISHED: the record is not given back */
    hocket__scope_leave_task(scope, NULL);
}

HK_COLD static void returned_elsewhere(const hocket_task *t)
{
    char mine[HOCKET_NAME_MAX], its[HOCKET_NAME_MAX];
    hocket__panic("task '%s' returned while '%s' was running: longjmp past the entry of a task?",
                  hocket__task_name(t, mine, sizeof mine),
                  hocket__task_name(hocket__self_or_null(), its, sizeof its));
}

static inline __attribute__((always_inline)) void task_run(hocket_task *t,
                                                           const hocket_task *in_place_of)
{
    hocket__tsan_acquire(t);
    hocket__watch(HOCKET__EVENT_START, t, NULL, 0);
    HOCKET__UNWIND_BARRIER();
    int result = t->fn(t->arg);
    if (hk_unlikely(hocket__self_or_null() != t))
        returned_elsewhere(t);
    task_end(t, result, in_place_of);
}

void hocket__task_run(hocket_task *t)
{
    task_run(t, NULL);
}

void (*_Atomic hocket__not_started)(hocket_task *task, int error);

void hocket__task_start_failed(hocket_task *t, int error)
{
    void (*not_started)(hocket_task * task, int error) = hk_load_acq(&hocket__not_started);
    hocket__tsan_acquire(t);
    hocket__self_set(t, 0);
    if (not_started != NULL)
        not_started(t, error);
    bool branch = (hk_load(&t->flags) & HOCKET__TASK_BRANCH) != 0;
    if (branch)
        hocket__fork_ops_get()->decline(t);
    task_end(t, branch ? 0 : error, NULL);
    hocket__self_set(NULL, 0);
}

/* ---- join ---- */

static int take_result(hocket_task *t, int *ret_result)
{
    hocket__tsan_acquire(t);
    if (hk_unlikely(ret_result && t->result < 0))
        (void)hk_and(&t->life, ~(uint32_t)HOCKET__LIFE_UNSEEN);
    if (ret_result)
        *ret_result = t->result;
    return 0;
}

/* The child runs here and now.  It may park: then our whole stack parks with it. */
static inline __attribute__((always_inline)) void join_in_place(hocket_task *self, hocket_task *t)
{
    hocket__wait_note(self, &hocket__join_class, t);
    hk_store(&t->in_place_of, self->slot);
    uint64_t fast = hocket__tls_fast_get(); /* what the child has of it is the same */
    struct hocket__cxx cxx = hocket__cxx_take();
    hocket__tls_self_put(t);
    hocket__tls_fast_put((uint32_t)fast ? t->slot : 0, 0);
    hocket__running_set(hocket__worker_here(), t);
    task_run(t, self);
    hocket__cxx_put(cxx);
    hocket__tls_self_put(self);
    hocket__tls_fast_back(fast);
    hk_store(&hocket__worker_here()->running, self);
    hocket__wait_unnote(self);
}

void hocket__join_in_place(hocket_task *self, hocket_task *t)
{
    join_in_place(self, t);
}

static HK_NOINLINE int join_wait(hocket_task *self, hocket_task *t, hocket_time deadline)
{
    struct hocket__waiter node;
    hocket__guard_lock(&t->guard);
    hocket__wait_begin(&node, self, &hocket__join_class, t, HOCKET__WAIT_CANCEL);
    if (hocket__join_announce(t)) {
        (void)hocket__guard_unlock(&t->guard);
        hocket__wait_end(self);
        return 0;
    }
    hocket__queue_push(&t->joiners, &node.link);
    (void)hocket__guard_unlock(&t->guard);
    int err = hocket__wait_park(self, deadline);
    if (err) {
        hocket__guard_lock(&t->guard);
        hocket__queue_remove(&t->joiners, &node.link);
        (void)hocket__guard_unlock(&t->guard);
    }
    hocket__wait_end(self);
    return err;
}

int hocket_join(hocket_task *task, int *ret_result, hocket_time deadline)
{
    hocket_task *self = hocket__self_must("hocket_join");
    if (hk_unlikely(task == self))
        return -EDEADLK;
    hocket__touch("join", task);
    if (hk_unlikely(hocket__cancelled(self)))
        return -ECANCELED;
    if (hocket__life(task) & HOCKET__LIFE_DONE)
        return take_result(task, ret_result);
    hocket__fork_check("hocket_join");
    if (deadline == HOCKET_FOREVER && self->kind == HOCKET__FIBER &&
        hocket__cancel_covers(self, task) && hocket__sched_claim(hocket__worker_here(), task)) {
        if (hk_unlikely(hocket__forked_any(self)))
            hocket__fork_ops_get()->hand_out(self);
        join_in_place(self, task);
        return take_result(task, ret_result);
    }
    if (deadline <= HOCKET_NOW)
        return -ETIMEDOUT;
    int err = join_wait(self, task, deadline);
    return err ? err : take_result(task, ret_result);
}

int hocket_stop(hocket_task *task, hocket_time deadline)
{
    hocket_cancel(task);
    return hocket_join(task, NULL, deadline);
}

void hocket_cancel(hocket_task *task)
{
    hocket__touch("cancel", task);
    if (task->flags & HOCKET__TASK_ROOT)
        hocket__cancel_scope(
            hk_load(&task->home)); /* cancelling the root task is cancelling the program */
    else
        hocket__cancel_task(task);
}

HK_COLD static void release_misused(const hocket_task *task, uint32_t life)
{
    if (life & HOCKET__LIFE_RELEASED)
        hocket__panic("hocket_task_release: handle %p was released before", (const void *)task);
    hocket__panic("hocket_task_release: task %p was never started", (const void *)task);
}

void hocket_task_release(hocket_task *task)
{
    if (!task)
        return;
    uint32_t life = hocket__life(task);
    if (hk_unlikely(life & (HOCKET__LIFE_RELEASED | HOCKET__LIFE_HELD)))
        release_misused(task, life);
    if (hk_unlikely(!(life & HOCKET__LIFE_FINISHED))) {
        life = hk_or(&task->life, HOCKET__LIFE_RELEASED);
        if (!(life & HOCKET__LIFE_FINISHED))
            return; /* its end will free it */
    }
    hk_store(&task->queued_on, 0); /* it may have ended quietly */
    record_end(task, life);
}

const hocket_error *hocket_task_error(hocket_task *task)
{
    if (!(hocket__life(task) & HOCKET__LIFE_DONE) || task->result >= 0)
        return NULL;
    (void)hk_and(&task->life, ~(uint32_t)HOCKET__LIFE_UNSEEN);
    return hocket__words_error(task->words);
}

/* ---- for computing tasks ---- */

bool hocket_cancelled(void)
{
    hocket_task *self = hocket__self_or_null();
    return self && hocket__cancelled(self);
}

int hocket_check(void)
{
    return hocket_cancelled() ? -ECANCELED : 0;
}
