/* SPDX-License-Identifier: MIT */
/*
 * task - the life of a task from spawn to the release of its handle
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
#include <string.h>

#include "base/alloc.h"
#include "base/panic.h"
#include "park/forked.h"
#include "park/forks.h"
#include "park/world.h"
#include "park/thread.h"
#include "sched/sched.h"
#include "sched/unwind.h"
#include "sched/worker.h"
#include "sys/sanitizer.h"
#include "sys/stack.h"
#include "sys/sys.h"
#include "task/fail.h"
#include "task/local.h"
#include "task/task.h"

#define WORLD_STACK ((size_t)1 << 20) /* of a task that would have a thread outside of a world */

_Atomic uint8_t hocket__default_class;

static uint32_t join_holder(const void *object, unsigned i)
{
    const hocket_task *t = object;
    return i == 0 ? t->slot : 0;
}

const struct hocket__wait_class hocket__join_class = { "join", join_holder };

/* ---- the end of a task ---- */

static void record_free(hocket_task *t)
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

/* Nobody has it any more. */
static void record_end(hocket_task *t, uint32_t life)
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

/* DONE, wake the joiners, FINISHED; the record may be another task afterwards. */
static void publish_end(hocket_task *t)
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
    tell_joiners(t);
    life = hk_or(&t->life, HOCKET__LIFE_FINISHED);
    if (life & HOCKET__LIFE_RELEASED)
        record_end(t, life);
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

/* The function has returned; everything of the task but its record ends here. */
static void task_end(hocket_task *t, int result)
{
    struct hocket__scope *scope = hocket__scope_of_cancel(hk_load(&t->home));
    uint32_t in_place_of = hk_load(&t->in_place_of);
    if (hk_unlikely(t->scopes || t->locals || hocket__self_held() > 0))
        end_extras(t);
    t->result = result;
    hocket__watch(HOCKET__EVENT_EXIT, t, NULL, result);
    unsigned flags = hk_load(&t->flags);
    if (hk_unlikely(flags & (HOCKET__TASK_COPIED | HOCKET__TASK_FORKED | HOCKET__TASK_PRODUCER)))
        end_by_flags(t, flags);
    if (hk_unlikely(result < 0))
        keep_failure(t, scope);
    if (t->linked)
        hocket__cancel_forget(t);
    hk_store(&t->in_place_of, 0u);
    hocket__tsan_release(t);
    publish_end(t);
    struct hocket__worker *w = hocket__worker_here();
    if (in_place_of == 0 && w)
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
    hocket__scope_leave_task(scope, 0);
}

HK_COLD static void returned_elsewhere(const hocket_task *t)
{
    char mine[HOCKET_NAME_MAX], its[HOCKET_NAME_MAX];
    hocket__panic("task '%s' returned while '%s' was running: longjmp past the entry of a task?",
                  hocket__task_name(t, mine, sizeof mine),
                  hocket__task_name(hocket__self_or_null(), its, sizeof its));
}

static inline void task_run(hocket_task *t)
{
    hocket__tsan_acquire(t);
    hocket__watch(HOCKET__EVENT_START, t, NULL, 0);
    HOCKET__UNWIND_BARRIER();
    int result = t->fn(t->arg);
    if (hk_unlikely(hocket__self_or_null() != t))
        returned_elsewhere(t);
    task_end(t, result);
}

void hocket__task_run(hocket_task *t)
{
    task_run(t);
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
    task_end(t, branch ? 0 : error);
    hocket__self_set(NULL, 0);
}

/* ---- spawn ---- */

/* What a task without options needs; a free record is clean otherwise. */
static inline void record_fill(hocket_task *t, struct hocket__scope *scope, hocket_task_fn *fn,
                               void *arg, unsigned flags)
{
    t->ops = &hocket__fiber_ops;
    hk_store(&t->flags, (uint16_t)flags);
    hk_store(&t->kind, HOCKET__FIBER);
    t->priority = 0;
    t->stack_class = hk_load(&hocket__default_class);
    hk_store(&t->named, false);
    hk_store(&t->home, &scope->cancel);
    t->fn = fn;
    t->arg = arg;
    t->cancel_epoch = 0;
    hk_store(&t->cancel_requested, false);
    hk_store(&t->born, (uint32_t)(hk_load(&hocket__tick) >> HOCKET__BORN_SHIFT));
}

static inline void count_spawn(struct hocket__scope *scope, const hocket_task *self)
{
    if (hk_likely(self && self == hk_load(&scope->counter)))
        scope->mine++;
    else
        (void)hk_add(&scope->others, 1);
}

/*
 * The usual case: a fiber, from a worker, without options or inherited locals.
 * False: take the general way.
 */
static inline __attribute__((always_inline)) bool spawn_fast(bool handle, hocket_task **ret_task,
                                                             struct hocket__scope *scope,
                                                             hocket_task_fn *fn, void *arg)
{
    struct hocket__worker *w = hocket__worker_here();
    hocket_task *self = hocket__self_or_null();
    if (hk_unlikely(hk_load(&hocket__runtime_state) != HOCKET__RUNTIME_ON || !w || !w->records ||
                    w->id_next == w->id_end || !self || self->locals))
        return false;
    /* Both at once, with no point since the look at them: nobody else of the worker took them. */
    hocket_task *t = hocket__sched_record_get(w);
    uint64_t id = hocket__sched_id_left(w);
    record_fill(t, scope, fn, arg, handle ? HOCKET__TASK_HANDLE : 0u);
    hk_store(&t->life, handle ? 0u : HOCKET__LIFE_RELEASED);
    hk_store_rel(&t->id, id);
    count_spawn(scope, self);
    hocket__watch(HOCKET__EVENT_SPAWN, t, NULL, 0);
    hocket__tsan_release(t);
    if (handle)
        *ret_task = t;
    hocket__sched_spawn_usual(w, t);
    hocket__touch("spawn", t);
    return true;
}

static int options_check(const hocket_spawn_options *o, const struct hocket__scope *scope)
{
    if (o->size != 0 && o->size < sizeof *o)
        return -EINVAL;
    if (o->placement != HOCKET_ON_FIBER && o->placement != HOCKET_ON_THREAD)
        return -EINVAL;
    if (o->daemon && scope != &hocket__daemon_scope)
        return -EINVAL;
    return o->stack_size > HOCKET__STACK_MAX ? -EINVAL : 0;
}

static void apply_options(hocket_task *t, const hocket_spawn_options *o)
{
    t->stack_class = hk_load(&hocket__default_class);
    if (hocket__in_world() && o->placement == HOCKET_ON_THREAD)
        t->stack_class = (uint8_t)hocket__stack_class(WORLD_STACK);
    if (o->stack_size)
        t->stack_class = (uint8_t)hocket__stack_class(o->stack_size); /* was checked */
    t->priority = (int8_t)(o->priority > 0 ? 1 : o->priority < 0 ? -1 : 0);
    if (o->name)
        hocket_task_set_name(t, o->name);
}

/* Undo: the record was not seen by anybody. */
static void spawn_undo(hocket_task *t, struct hocket__scope *scope, hocket_task *self)
{
    if (t->locals)
        hocket__locals_end(t);
    record_free(t);
    if (self && self == hk_load(&scope->counter))
        scope->mine--;
    else
        hocket__scope_leave_task(scope, 0);
}

static int launch(hocket_task *t, struct hocket__scope *scope, hocket_task *self,
                  const hocket_spawn_options *o)
{
    if (t->kind == HOCKET__THREAD) {
        int err = hocket__thread_task_start(t, o->stack_size);
        if (err)
            spawn_undo(t, scope, self);
        return err;
    }
    if (!(hk_load(&t->life) & HOCKET__LIFE_HELD))
        hocket__sched_spawn(hocket__worker_here(), t);
    return 0;
}

int hocket__spawn(hocket_task **ret_task, struct hocket__scope *scope, hocket_task_fn *fn,
                  void *arg, const hocket_spawn_options *o, unsigned flags)
{
    int err = hocket__runtime_check();
    if (hk_unlikely(err != 0) || (o && (err = options_check(o, scope)) != 0))
        return err;
    hocket_task *self = hocket__self_or_null();
    struct hocket__worker *w = hocket__worker_here();
    if (hk_unlikely(!w))
        hk_store(&hocket__tick, hocket__clock_coarse());
    hocket_task *t = hocket__sched_record_get(w);
    if (hk_unlikely(!t))
        return -ENOMEM;
    bool thread = o && o->placement == HOCKET_ON_THREAD && !hocket__in_world();
    hocket__record_init(t, thread ? HOCKET__THREAD : HOCKET__FIBER,
                        thread ? &hocket__thread_ops : &hocket__fiber_ops);
    t->fn = fn;
    t->arg = arg;
    hk_store(&t->flags, (uint16_t)(flags | (o && o->daemon ? HOCKET__TASK_DAEMON : 0u) |
                                   (ret_task ? HOCKET__TASK_HANDLE : 0u)));
    hk_store(&t->home, &scope->cancel);
    hk_store(&t->life,
             (ret_task ? 0u : HOCKET__LIFE_RELEASED) | (o && o->held ? HOCKET__LIFE_HELD : 0u));
    if (o)
        apply_options(t, o);
    else
        t->stack_class = hk_load(&hocket__default_class);
    hk_store_rel(&t->id, hocket__sched_id(w));
    count_spawn(scope, self);
    if (hk_unlikely(
            !w)) { /* another thread may be stopping the runtime: it has counted us, or we see it */
        hk_fence_sc();
        err = hocket__runtime_check();
        if (err) {
            spawn_undo(t, scope, self);
            return err;
        }
    }
    if (hk_unlikely(self && self->locals) && (err = hocket__locals_inherit(t, self)) != 0) {
        spawn_undo(t, scope, self);
        return err;
    }
    hocket__watch(HOCKET__EVENT_SPAWN, t, NULL, 0);
    hocket__tsan_release(t);
    if (ret_task)
        *ret_task = t; /* before it runs: its function may look at the caller's variable */
    err = launch(t, scope, self, o);
    if (err == 0)
        hocket__touch("spawn", t);
    return err;
}

int hocket_spawn(hocket_scope *scope, hocket_task_fn *fn, void *arg)
{
    struct hocket__scope *s = scope ? hocket__scope_of(scope) : &hocket__root_scope;
    if (hk_likely(spawn_fast(false, NULL, s, fn, arg)))
        return 0;
    return hocket__spawn(NULL, s, fn, arg, NULL, 0);
}

int hocket_spawn_task(hocket_task **ret_task, hocket_scope *scope, hocket_task_fn *fn, void *arg,
                      const hocket_spawn_options *options)
{
    struct hocket__scope *s = scope ? hocket__scope_of(scope) : &hocket__root_scope;
    if (hk_likely(!options && spawn_fast(true, ret_task, s, fn, arg)))
        return 0;
    if (!scope && options && options->daemon)
        s = &hocket__daemon_scope;
    hocket_task *t = NULL;
    int err = hocket__spawn(&t, s, fn, arg, options, 0);
    if (err == 0)
        *ret_task = t;
    return err;
}

int hocket_spawn_copy(hocket_scope *scope, hocket_task_fn *fn, const void *args, size_t size)
{
    void *copy = hocket__alloc(size ? size : 1);
    if (!copy)
        return -ENOMEM;
    if (size)
        memcpy(copy, args, size);
    int err = hocket__spawn(NULL, scope ? hocket__scope_of(scope) : &hocket__root_scope, fn, copy,
                            NULL, HOCKET__TASK_COPIED);
    if (err)
        hocket__free(copy);
    return err;
}

int hocket_task_start(hocket_task *task)
{
    if (!(hk_and(&task->life, ~(uint32_t)HOCKET__LIFE_HELD) & HOCKET__LIFE_HELD))
        return -EALREADY;
    if (task->kind == HOCKET__THREAD)
        (void)hocket__futex_wake(&task->life, 1); /* its thread waits for this */
    else
        hocket__sched_spawn(hocket__worker_here(), task);
    hocket__touch("start", task);
    return 0;
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
    task_run(t);
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
    if (hk_or(&t->life, HOCKET__LIFE_JOINERS) & HOCKET__LIFE_DONE) {
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
    uint32_t life = hk_load_acq(&task->life); /* pairs with the task's end */
    if (life & HOCKET__LIFE_DONE)
        return take_result(task, ret_result);
    hocket__fork_check("hocket_join");
    if (deadline == HOCKET_FOREVER && hk_load(&task->queued_on) && self->kind == HOCKET__FIBER &&
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

void hocket_task_release(hocket_task *task)
{
    if (!task)
        return;
    uint32_t life = hk_load_acq(&task->life);
    if (life & HOCKET__LIFE_RELEASED)
        hocket__panic("hocket_task_release: handle %p was released before", (void *)task);
    if (life & HOCKET__LIFE_HELD)
        hocket__panic("hocket_task_release: task %p was never started", (void *)task);
    if (!(life & HOCKET__LIFE_FINISHED) &&
        !(hk_or(&task->life, HOCKET__LIFE_RELEASED) & HOCKET__LIFE_FINISHED))
        return; /* its end will free it */
    record_end(task, hk_load(&task->life));
}

const hocket_error *hocket_task_error(hocket_task *task)
{
    if (!(hk_load_acq(&task->life) & HOCKET__LIFE_DONE) || task->result >= 0)
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
