/* SPDX-License-Identifier: MIT */
/*
 * loop - every stack runs the same loop: take a task, call it, take the next
 *
 * A fresh task is called on the stack the loop stands on.  When it has to wait, the whole
 * stack is left standing and another loop carries on as this worker: an idle one from
 * the worker's cache, or, when a suspended task is ready, directly the stack of that task.  Whoever
 * resumes a suspended task leaves its own loop in the cache.  Nothing is ever
 * switched back: the resumed task goes on, returns into the loop under it, and that
 * loop is this worker's from then on.
 *
 * Leaving a stack and publishing that it was left are two steps: the second
 * (`post`) is done by whoever arrives on the next stack, so nobody resumes a
 * stack that is still stood on.
 *
 * Invariant: a worker has an idle loop in reserve before it starts a fresh task, so
 * a task that has started can always wait.  Where no stack can be had, the
 * task fails with -ENOMEM instead of starting.
 *
 * No thread-local is kept across `leave`: the stack may continue on another worker.
 */
#include <errno.h>

#include "base/panic.h"
#include "park/forks.h"
#include "park/world.h"
#include "sched/unwind.h"
#include "sched/worker.h"
#include "sys/handlers.h"
#include "sys/sanitizer.h"
#include "sys/switch.h"

#define IDLE_MAX  1024 /* loops in a worker's cache; more are given back */
#define IDLE_KEPT 64   /* of these, by a worker that sleeps for long */
#define RUN_QUOTA 61   /* every so many dispatches: the global list, the timers */

static void loop_entry(void *arg);

/* ---- stacks ---- */

static struct hocket__stack *stack_blank(struct hocket__worker *w, size_t bytes)
{
    struct hocket__stack *s;
    w->passing = false; /* system calls */
    if (hocket__stack_new(bytes, &s) != 0)
        return NULL;
    s->sp = hocket__switch_make(hocket__stack_top(s), loop_entry);
    if (!s->tsan_fiber)
        s->tsan_fiber = hocket__tsan_create("hocket loop");
    return s;
}

static void stack_give_back(struct hocket__worker *w, struct hocket__stack *s)
{
    w->passing = false;
    hocket__tsan_destroy(s->tsan_fiber);
    s->tsan_fiber = NULL;
    hocket__asan_unpoison(s->base, hocket__stack_usable(s));
    hocket__stack_free(s);
}

static void idle_push(struct hocket__worker *w, struct hocket__stack *s)
{
    if (w->idle_count >= IDLE_MAX) {
        stack_give_back(w, s);
        return;
    }
    s->next = w->idle;
    w->idle = s;
    w->idle_count++;
}

static struct hocket__stack *idle_pop(struct hocket__worker *w)
{
    struct hocket__stack *s = w->idle;
    if (s) {
        w->idle = s->next;
        w->idle_count--;
    }
    return s;
}

bool hocket__loop_surplus(const struct hocket__worker *w)
{
    return w->idle_count > IDLE_KEPT;
}

void hocket__loop_give_back(struct hocket__worker *w)
{
    while (w->idle_count > IDLE_KEPT)
        stack_give_back(w, idle_pop(w));
}

bool hocket__loop_reserve(struct hocket__worker *w)
{
    if (hk_likely(w->idle != NULL))
        return true;
    struct hocket__stack *s = stack_blank(w, 0);
    if (!s)
        return false;
    idle_push(w, s);
    return true;
}

/* ---- leaving one stack for another ---- */

/* The parked task may be woken from here on; if it was woken meanwhile, queue it. */
static inline void publish_parked(struct hocket__worker *w, hocket_task *t)
{
    uint32_t s = hk_load_acq(&t->wait_state);
    for (;;) {
        uint32_t next;
        switch (s) {
        case HOCKET__WAITING: next = HOCKET__PARKED; break;
        case HOCKET__WAITING_C: next = HOCKET__PARKED_C; break;
        case HOCKET__CLAIMED_WAITING: next = HOCKET__CLAIMED_PARKED; break;
        default: /* an outcome */
            hocket__runq_lock(&w->q);
            hocket__runq_push_resumed(&w->q, t);
            hocket__runq_unlock(&w->q);
            return;
        }
        if (hk_cas_sc(&t->wait_state, &s, next))
            return; /* t may run elsewhere by now */
    }
}

HK_NOINLINE static void post_rest(struct hocket__worker *w, enum hocket__post post)
{
    switch (post) {
    case HOCKET__POST_NONE:
    case HOCKET__POST_PARK: break;
    case HOCKET__POST_UNLOCK: hocket__runq_unlock(&w->q); break;
    case HOCKET__POST_YIELD:
        hocket__runq_lock(&w->q);
        hocket__runq_push_resumed(&w->q, w->post_task);
        hocket__runq_unlock(&w->q);
        break;
    case HOCKET__POST_IDLE: idle_push(w, w->post_stack); break;
    case HOCKET__POST_FREE: stack_give_back(w, w->post_stack); break;
    }
}

static inline void post_run(struct hocket__worker *w)
{
    enum hocket__post post = w->post;
    w->post = HOCKET__POST_NONE;
    if (post == HOCKET__POST_PARK)
        publish_parked(w, w->post_task);
    else
        post_rest(w, post);
}

/* TSan would see the function that switches entered on one stack and left on another. */
#if HOCKET_TSAN
HK_NOINLINE HOCKET_NO_TSAN static void switch_stacks(struct hocket__stack *from,
                                                     struct hocket__stack *to)
{
    hocket__tsan_switch(to->tsan_fiber, !HOCKET_NO_SYNC);
    (void)hocket__switch(&from->sp, to->sp, NULL);
}
#else
static inline void switch_stacks(struct hocket__stack *from, struct hocket__stack *to)
{
    (void)hocket__switch(&from->sp, to->sp, NULL);
}
#endif

/* The thread-locals that we find here were made before its thread became a worker. */
static inline struct hocket__worker *arrived(void)
{
    hocket__handlers_let();
    struct hocket__worker *w = hocket__worker_here();
    hocket__nosync_acquire(&w->native);
    post_run(w);
    return w;
}

/* Returns the worker that it is when somebody switches back to `from`; it may be another one. */
static inline struct hocket__worker *leave(struct hocket__worker *w, struct hocket__stack *from,
                                           struct hocket__stack *to, enum hocket__post post,
                                           hocket_task *task)
{
    w->post = post;
    w->post_task = task;
    w->post_stack = from;
    w->stack = to == &w->native ? NULL : to;
    hocket__count(w->switches);
    hocket__asan_leave(&from->asan_fake_stack, to->base,
                       to == &w->native ? to->size : hocket__stack_usable(to));
    hocket__nosync_release(from); /* pairs with loop_entry: the memory may become a new stack's */
    hocket__nosync_release(w);    /* pairs with loop_enter: all that ran before the worker ends */
    hocket__handlers_hold();
    switch_stacks(from, to);
    hocket__asan_enter(from->asan_fake_stack);
    return arrived();
}

HK_COLD static void overflow_panic(struct hocket__stack *s, hocket_task *t)
{
    char name[HOCKET_NAME_MAX];
    hocket__panic("stack overflow in task '%s' (stack of %zu KiB; ask for more with .stack_size)",
                  hocket__task_name(t, name, sizeof name), s->size / 1024);
}

HK_COLD static void blocked_panic(hocket_task *t)
{
    char name[HOCKET_NAME_MAX];
    hocket__panic("task '%s' waits between hocket_blocking_begin and hocket_blocking_end",
                  hocket__task_name(t, name, sizeof name));
}

/* ---- how a fiber waits ---- */

/* `self` leaves the CPU.  On return it is on a CPU again, thread-locals set. */
static inline void suspend(struct hocket__worker *w, hocket_task *self, enum hocket__post post,
                           hocket_task *next)
{
    struct hocket__stack *from = w->stack;
    if (hk_unlikely(!hocket__stack_check(from)))
        overflow_panic(from, self);
    if (hk_unlikely(hk_load(&w->blocked) > 0))
        blocked_panic(self);
    self->held_saved = hocket__self_held();
    hk_store(&self->stack, from);
    struct hocket__cxx cxx = hocket__cxx_take();
    struct hocket__stack *to = next ? hk_load(&next->stack) : idle_pop(w);
    hocket__nosync_release(&self->wait_state); /* with publish_parked's */
    if (!next)
        hk_store(&w->running, NULL);
    w = leave(w, from, to, post, self);
    hocket__cxx_put(cxx);
    hk_store(&self->stack, NULL);
    hocket__self_set(self, self->held_saved);
    hocket__running_set(w, self);
}

/* A suspended task that is ready and may go before the fresh ones: saves one switch. */
static inline hocket_task *pick_resumed(struct hocket__worker *w)
{
    if (hk_unlikely(++w->tick % RUN_QUOTA == 0)) {
        w->look = true;
        return NULL;
    }
    struct hocket__runq *q = &w->q;
    if (hk_load(&q->resumed_count) == 0 || hocket__in_world())
        return NULL; /* the loop asks the world */
    if (hk_load(&q->fresh_count) > 0) {
        if (!q->fresh_turn)
            return NULL; /* the loop takes a fresh one, and turns */
        q->fresh_turn = false;
    }
    hocket__runq_lock(q);
    hocket_task *t = hocket__runq_pop_resumed(q);
    hocket__runq_unlock(q);
    return t;
}

/* Its branches must not wait with it: task/fork.c. */
static inline void hand_out(hocket_task *self)
{
    if (hk_unlikely(hocket__forked_any(self)))
        hocket__fork_ops_get()->hand_out(self);
}

HK_NOINLINE static void park_until(struct hocket__worker *w, hocket_task *self,
                                   hocket_time deadline)
{
    struct hocket__timer timer;
    struct hocket__timers *heap = &w->timers;
    hocket__timer_arm(heap, &timer, self, deadline);
    suspend(w, self, HOCKET__POST_PARK, pick_resumed(w));
    hocket__timer_disarm(&timer, heap);
}

static void fiber_park(hocket_task *self, hocket_time deadline)
{
    struct hocket__worker *w = hocket__worker_here();
    hocket__left_tell(w);
    hand_out(self);
    if (deadline == HOCKET_FOREVER)
        suspend(w, self, HOCKET__POST_PARK, pick_resumed(w));
    else
        park_until(w, self, deadline);
}

static void fiber_ready(hocket_task *t)
{
    struct hocket__worker *w = hocket__worker_here();
    /* Not awake: a signal handler interrupts the worker on its way to sleep, past its last look. */
    if (w && hk_load(&w->sleep) != HOCKET__ASLEEP && hocket__runq_trylock(&w->q)) {
        hocket__runq_push_resumed(&w->q, t);
        hocket__runq_unlock(&w->q);
        if (hk_unlikely(hk_load(&hocket__rt.sleeping) > 0 || hk_load(&hocket__rt.hungry)))
            hocket__pushed(w);
        return;
    }
    hocket__sched_inject(t, t);
}

/* Tasks that yield to each other must not keep all others out. */
HK_COLD static int yield_rare(struct hocket__worker *w, hocket_task *self)
{
    w->look = true;
    hand_out(self);
    suspend(w, self, HOCKET__POST_YIELD, NULL);
    return 0;
}

/*
 * Change places with the next resumed task.  The queue stays locked over the switch: we
 * are in it before our stack is left, and nobody may take us before it is.
 */
static int fiber_yield(hocket_task *self)
{
    struct hocket__worker *w = hocket__worker_here();
    struct hocket__runq *q = &w->q;
    hocket__left_tell(w);
    if (hocket__in_world()) {
        hocket__world->yield(self);
        return 0;
    }
    bool rare = ++w->tick % RUN_QUOTA == 0;
    if (hocket__runq_depth(q) == 0 && !rare && !hk_load(&hocket__rt.inject))
        return 0;
    if (hk_unlikely(rare))
        return yield_rare(w, self);
    if (hk_load(&q->fresh_count) > 0 || hk_load(&q->resumed_count) == 0) {
        suspend(w, self, HOCKET__POST_YIELD, pick_resumed(w));
        return 0;
    }
    hocket__runq_lock(q);
    hocket_task *next = q->resumed.first;
    if (hk_unlikely(!next)) {
        hocket__runq_unlock(q);
        return 0;
    }
    hocket__runlist_remove(&q->resumed, next);
    hocket__runlist_push(&q->resumed, self); /* the count stays */
    suspend(w, self, HOCKET__POST_UNLOCK, next);
    return 0;
}

/* For a world, which keeps `self` itself: no queue has it.  NULL: the loop asks who is next. */
void hocket__loop_leave(hocket_task *self, hocket_task *next)
{
    hocket__left_tell(hocket__worker_here());
    suspend(hocket__worker_here(), self, HOCKET__POST_NONE, next);
}

static bool fiber_spin(hocket_task *self)
{
    (void)self;
    if (hocket__in_world())
        return false;
    return hk_load(&hocket__rt.active) > 1 || hocket__foreign_threads() > 0;
}

const struct hocket__task_ops hocket__fiber_ops = {
    .park = fiber_park, .ready = fiber_ready, .yield = fiber_yield, .spin = fiber_spin
};

/* ---- the loop ---- */

/* Go on with a suspended task; our own stack becomes idle. */
static void resume(struct hocket__worker *w, hocket_task *t)
{
    struct hocket__stack *from = w->stack;
    /* The resumed task must find a loop to leave its stack to, even if it is a large one. */
    bool surplus = from->class_index > 0 && w->idle;
    (void)leave(w, from, hk_load(&t->stack), surplus ? HOCKET__POST_FREE : HOCKET__POST_IDLE, NULL);
}

static void run_task(struct hocket__worker *w, hocket_task *t)
{
    hocket__self_set(t, 0);
    hocket__running_set(w, t);
    hocket__sched_run_fn(t);
    w = hocket__worker_here();
    hocket__self_set(NULL, 0);
    hk_store(&w->running, NULL);
}

/* A task that wants more stack than we stand on: a loop on a larger one begins with it. */
static void start_large(struct hocket__worker *w, hocket_task *t)
{
    struct hocket__stack *to = stack_blank(w, HOCKET__STACK_MIN << t->stack_class);
    if (!to) {
        hocket__sched_start_failed(t, -ENOMEM);
        return;
    }
    to->owner = t;
    hocket__left_tell(w);
    struct hocket__stack *from = w->stack;
    (void)leave(w, from, to, from->class_index ? HOCKET__POST_FREE : HOCKET__POST_IDLE, NULL);
}

static void start(struct hocket__worker *w, hocket_task *t)
{
    if (!hocket__loop_reserve(w)) {
        hocket__sched_start_failed(t, -ENOMEM);
        return;
    }
    if (hk_unlikely(t->stack_class > w->stack->class_index))
        start_large(w, t);
    else
        run_task(w, t);
}

/* A large stack is for the task that asked for it: go back to a small one. */
static void shrink(struct hocket__worker *w)
{
    if (w->stack->class_index == 0 || !hocket__loop_reserve(w))
        return;
    hocket__left_tell(w);
    (void)leave(w, w->stack, idle_pop(w), HOCKET__POST_FREE, NULL);
}

HOCKET_NORETURN static void loop(void)
{
    for (;;) {
        struct hocket__worker *w = hocket__worker_here();
        struct hocket__stack *s = w->stack;
        if (hk_unlikely(s->owner != NULL)) {
            hocket_task *t = s->owner;
            s->owner = NULL;
            run_task(w, t);
            w = hocket__worker_here();
            shrink(w);
            continue;
        }
        hocket_task *t = hocket__sched_next(w);
        if (!t)
            (void)leave(w, s, &w->native, HOCKET__POST_IDLE, NULL);
        else if (hk_load(&t->stack))
            resume(w, t);
        else
            start(w, t);
    }
}

HOCKET_NO_TSAN static void loop_entry(void *arg)
{
    (void)arg;
    hocket__asan_enter(NULL);
    hocket__nosync_acquire(hocket__worker_here()->stack);
    (void)arrived();
    loop();
}

void hocket__loop_enter(struct hocket__worker *w)
{
    w->native.tsan_fiber = hocket__tsan_current();
    hocket_task *self = hocket__self_or_null();
    uint32_t held = hocket__self_held();
    struct hocket__cxx cxx = hocket__cxx_take();
    w->passing = false;
    (void)leave(w, &w->native, idle_pop(w), HOCKET__POST_NONE, NULL);
    hocket__nosync_acquire(w);
    w->passing = false;
    hocket__cxx_put(cxx);
    hocket__self_set(self, held);
}
