/* SPDX-License-Identifier: MIT */
/*
 * spawn - how a task is made, and started
 *
 * The usual spawn, without options, from a worker and with nobody looking on, is inline down to
 * the run queue and calls nothing.  All others are hocket__spawn.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "park/world.h"
#include "sched/worker.h"
#include "sys/sanitizer.h"
#include "sys/stack.h"
#include "sys/sys.h"
#include "task/local.h"
#include "task/task.h"

#define WORLD_STACK ((size_t)1 << 20) /* of a task that would have a thread outside of a world */

_Atomic uint8_t hocket__default_class;

#define SPAWN_EVENTS \
    (HOCKET__EVENT_BIT(HOCKET__EVENT_SPAWN) | HOCKET__EVENT_BIT(HOCKET__EVENT_TOUCH))

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

/* A fiber without options or inherited locals, from a worker. */
static inline bool spawn_is_plain(const struct hocket__worker *w, const hocket_task *self)
{
    return hk_load(&hocket__runtime_state) == HOCKET__RUNTIME_ON && w && self && !self->locals;
}

/* A record and an id of the worker's own are left.  No point may lie between this and the taking. */
static inline bool spawn_has_own(const struct hocket__worker *w)
{
    return w->records && w->id_next != w->id_end;
}

static inline __attribute__((always_inline)) hocket_task *record_take(struct hocket__worker *w,
                                                                      bool handle,
                                                                      struct hocket__scope *scope,
                                                                      const hocket_task *self,
                                                                      hocket_task_fn *fn, void *arg)
{
    hocket_task *t = hocket__sched_record_get(w);
    uint64_t id = hocket__sched_id_left(w);
    record_fill(t, scope, fn, arg, handle ? HOCKET__TASK_HANDLE : 0u);
    hk_store(&t->life, handle ? 0u : HOCKET__LIFE_RELEASED);
    hk_store_rel(&t->id, id);
    count_spawn(scope, self);
    return t;
}

/*
 * The usual case, and nobody looks on: no call on the way, so no register to save.
 * False: take the general way.
 */
static inline __attribute__((always_inline)) bool spawn_usual(bool handle, hocket_task **ret_task,
                                                              struct hocket__scope *scope,
                                                              hocket_task_fn *fn, void *arg)
{
    struct hocket__worker *w = hocket__worker_here();
    hocket_task *self = hocket__self_or_null();
    if (hk_unlikely(!spawn_is_plain(w, self) || hocket__watched(SPAWN_EVENTS)))
        return false;
    if (hk_unlikely(!hocket__runq_open(&w->q)))
        return false;
    if (hk_unlikely(!spawn_has_own(w))) {
        hocket__runq_unlock(&w->q);
        return false;
    }
    hocket_task *t = record_take(w, handle, scope, self, fn, arg);
    hocket__tsan_release(t);
    if (handle)
        *ret_task = t;
    hocket__sched_spawn_opened(w, t);
    return true;
}

/* The same without options where somebody looks on; and whatever there is. */
static HK_NOINLINE int spawn_any(hocket_task **ret_task, struct hocket__scope *scope,
                                 hocket_task_fn *fn, void *arg)
{
    struct hocket__worker *w = hocket__worker_here();
    hocket_task *self = hocket__self_or_null();
    if (!spawn_is_plain(w, self) || !spawn_has_own(w))
        return hocket__spawn(ret_task, scope, fn, arg, NULL, 0);
    hocket_task *t = record_take(w, ret_task != NULL, scope, self, fn, arg);
    hocket__watch(HOCKET__EVENT_SPAWN, t, NULL, 0);
    hocket__tsan_release(t);
    if (ret_task)
        *ret_task = t;
    hocket__sched_spawn(w, t);
    hocket__touch("spawn", t);
    return 0;
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
    hocket__task_unmake(t);
    if (self && self == hk_load(&scope->counter))
        scope->mine--;
    else
        hocket__scope_leave_task(scope, NULL);
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
    else if (ret_task)
        *ret_task = NULL;
    return err;
}

int hocket_spawn(hocket_scope *scope, hocket_task_fn *fn, void *arg)
{
    struct hocket__scope *s = scope ? hocket__scope_of(scope) : &hocket__root_scope;
    if (hk_likely(spawn_usual(false, NULL, s, fn, arg)))
        return 0;
    return spawn_any(NULL, s, fn, arg);
}

int hocket_spawn_task(hocket_task **ret_task, hocket_scope *scope, hocket_task_fn *fn, void *arg,
                      const hocket_spawn_options *options)
{
    struct hocket__scope *s = scope ? hocket__scope_of(scope) : &hocket__root_scope;
    if (hk_likely(!options)) {
        if (hk_likely(spawn_usual(true, ret_task, s, fn, arg)))
            return 0;
        return spawn_any(ret_task, s, fn, arg);
    }
    if (!scope && options->daemon)
        s = &hocket__daemon_scope;
    return hocket__spawn(ret_task, s, fn, arg, options, 0);
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
