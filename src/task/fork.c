/* SPDX-License-Identifier: MIT */
/*
 * fork - branches in the caller's frame, and how a worker that is idle gets one
 *
 * The branches of a task are a list through the frames that forked them, in its record (`forks`,
 * hocket/detail/fork.h): base <- ... <- taken <- ... <- newest.  The task pushes and pops
 * at `newest`.  Whoever takes one takes the oldest that is left, the neighbour of
 * `taken`, and moves `taken` up to it; taken branches stay in the list until their sync.  The base
 * stands for "none", so no step asks whether the list is empty.
 *
 * The task pays for none of this by a locked instruction:
 *
 *     fork   attention == ON?  link, newest = b (release)
 *     sync   newest == b?  newest = older; compiler barrier; attention == ON and taken != b?  call
 *
 * Anything else goes the slow way, under `guard`.  Who takes a branch holds the guard; if it is
 * another thread it also sets THIEF and makes every CPU pass a barrier (membarrier).  Afterwards
 * either the task's new `newest` is visible to the thief, or the task sees THIEF, puts `newest` back and
 * waits for the guard.  A fork needs no such care: at most one passes unseen, and what it adds is
 * whole before `newest` says so.  Between pop and put-back `newest` may be the one below `taken`:
 * the thief takes that for an empty list.  Without membarrier (FENCED; also in the test
 * build and under ThreadSanitizer) sync executes the full fence itself.
 *
 * Usually nobody comes by force.  A searcher sets ASKED (sched/idle.c); the task sees it at its
 * next fork or sync and makes a task of its oldest branch, the largest part of the work, for the
 * global list.  The first fork of each task looks whether somebody is idle, too.  A task
 * that waits, blocks its worker or comes to the border of a scope makes tasks of all its
 * branches: so a branch is in the scope that was innermost at its fork, and nothing waits behind a
 * task that waits.  By force comes who was not answered for as long as that costs.
 *
 * The forker waits for a branch that was taken by a wait of its own, not by a join: no handle, no
 * cancel, and the result and words lie in the branch.  `hocket__state` is written under the
 * guard when the branch ends, so that a cancel that walks over the taken ones (park/cancel.c)
 * finds them alive.
 *
 * Tasks with inheritable locals are never ON: theirs are made tasks at the fork, while the
 * locals are what the branch should see.  In a simulated world nobody is, so that every order shows.  Nor are threads: theirs run at the sync.
 *
 * Lock order: the guard of the forks before the guard of the task, then as in park/cancel.h.
 *
 * Rejected: a deque of pointers a worker (cannot follow a task that parks; needs room), an exchange
 * or CAS a pop (8 ns on some virtual machines), spawning and joining in place (a record,
 * a run queue and three cache lines a call: 30 ns).
 */
#define HOCKET_NO_INLINE
#include "task/fork.h"

#include "base/panic.h"
#include "park/world.h"
#include "sched/worker.h"
#include "sys/sanitizer.h"
#include "sys/ticks.h"
#include "task/fail.h"
#include "task/local.h"
#include "task/task.h"

#define ON     HOCKET__FORKS_ON
#define ASKED  HOCKET__FORKS_ASKED
#define THIEF  HOCKET__FORKS_THIEF
#define FENCED HOCKET__FORKS_FENCED

static uint32_t branch_holder(const void *object, unsigned i)
{
    const hocket_branch *b = object;
    return i == 0 ? b->hocket__task->slot : 0;
}

static const struct hocket__wait_class branch_class = { "branch", branch_holder };

static hocket__guard *guard_of(struct hocket__forks *f)
{
    return HOCKET__GUARD(&f->guard);
}

static _Atomic uint32_t *attention_of(struct hocket__forks *f)
{
    return hk_word32(&f->attention);
}

static _Atomic uint32_t *state_of(hocket_branch *b)
{
    return hk_word32(&b->hocket__state);
}

/* By the task itself: are there branches that nobody has taken?  If not, the scopes of those that
 * were taken have counted them. */
static bool any_left(struct hocket__forks *f)
{
    /* Acquires; pairs with take(). */
    return hk_load(hk_branch(&f->newest)) != hk_load_acq(hk_branch(&f->taken));
}

/* ---- a branch as a task ---- */

/* Its forker may go on, and its frame may be gone when this returns. */
static void branch_end(hocket_branch *b, uint32_t state)
{
    hocket_task *forker = b->hocket__forker;
    hocket__guard_lock(guard_of(&forker->forks));
    bool waited = hk_xchg_sc(state_of(b), state) == HOCKET__BRANCH_WAITED;
    (void)hocket__guard_unlock(guard_of(&forker->forks));
    if (!waited)
        return;
    if (!hocket__claim(forker)) /* nobody else can decide this wait */
        hocket__panic("hocket_sync: the waiting task is gone");
    hocket__complete(forker);
}

/* The end of a branch: by the task that was made of it. */
static void finish(hocket_task *self, int result)
{
    hocket_branch *b = self->arg;
    b->hocket__result = result;
    if (hk_unlikely(result < 0)) {
        b->hocket__words = self->words;
        self->words = NULL;
    }
    branch_end(b, HOCKET__BRANCH_DONE);
}

static int branch_main(void *arg)
{
    hocket_branch *b = arg;
    int result = b->hocket__fn(b->hocket__arg);
    finish(hocket__self_or_null(), result);
    return 0;
}

static void decline(hocket_task *t)
{
    branch_end(t->arg, HOCKET__BRANCH_DECLINED);
}

/* Under the guard: the oldest that is left, or NULL; see above for the second comparison. */
static hocket_branch *oldest(struct hocket__forks *f)
{
    hocket_branch *newest = hk_load_acq(hk_branch(&f->newest)); /* pairs with the fork */
    hocket_branch *taken = hk_load(hk_branch(&f->taken));
    if (newest == taken)
        return NULL;
    if (taken != hocket__forks_base(f) && newest == hk_load(hk_branch(&taken->hocket__older)))
        return NULL;
    return hk_load(hk_branch(&taken->hocket__newer));
}

/* Under the guard: `b`, the oldest, becomes the task `t`, made by worker `w`. */
static void take(hocket_task *forker, hocket_branch *b, hocket_task *t, struct hocket__worker *w)
{
    hocket__guard_lock(&forker->guard); /* a scope that is open now stays so until b is counted */
    struct hocket__cancel_scope *home = forker->scopes ? forker->scopes : hk_load(&forker->home);
    hocket__record_init(t, HOCKET__FIBER, &hocket__fiber_ops);
    t->fn = branch_main;
    t->arg = b;
    hk_store(&t->home, home);
    t->priority = forker->priority;
    t->stack_class = forker->stack_class;
    hk_store(&t->flags, HOCKET__TASK_BRANCH);
    hk_store(&t->life, HOCKET__LIFE_RELEASED);
    hk_store_rel(&t->id, hocket__sched_id(w));
    (void)hk_add(&hocket__scope_of_cancel(home)->others, 1);
    hocket__guard_unlock(&forker->guard);
    b->hocket__forker = forker;
    b->hocket__task = t;
    b->hocket__words = NULL;
    hk_store(state_of(b), HOCKET__BRANCH_TAKEN);
    hk_store_rel(hk_branch(&forker->forks.taken), b); /* pairs with any_left */
}

/* `t` is about to be queued. */
static void taken(hocket_task *t)
{
    hocket__watch(HOCKET__EVENT_SPAWN, t, NULL, 0);
    hocket__tsan_release(t);
}

/*
 * By the task itself: a task of its oldest branch, or NULL without one or without memory.
 * `inherit`: at the fork, with the locals of now; later it would be too late, and the copy
 * functions are the user's and might wait.
 */
static hocket_task *promote(hocket_task *self, struct hocket__worker *w, bool inherit)
{
    struct hocket__forks *f = &self->forks;
    hocket_task *t = hocket__sched_record_get(w);
    if (!t)
        return NULL;
    if (hk_unlikely(inherit) && hocket__locals_inherit(t, self) != 0) {
        hocket__sched_record_put(w, t);
        return NULL;
    }
    hocket__guard_lock(guard_of(f));
    hocket_branch *b = oldest(f);
    if (b)
        take(self, b, t, w);
    (void)hocket__guard_unlock(guard_of(f));
    if (!b) { /* a thief was quicker */
        if (t->locals)
            hocket__locals_end(t);
        hocket__sched_record_put(w, t);
        return NULL;
    }
    taken(t);
    return t;
}

static void make_tasks(hocket_task *self, bool inherit)
{
    struct hocket__worker *w = hocket__worker_here();
    while (any_left(&self->forks)) {
        hocket_task *t = promote(self, w, inherit);
        if (t) {
            hocket__sched_spawn(w, t);
        } else if (any_left(&self->forks)) {
            /* Without memory: they stay in their scope, since nobody takes them from now on. */
            (void)hk_and(attention_of(&self->forks), ~ON);
            return;
        }
    }
}

static void hand_out(hocket_task *self)
{
    if (self->kind == HOCKET__FIBER)
        make_tasks(self, false);
}

/* Not too soon after the last one.  The worker's own, so TSan is not to ask for an order. */
HOCKET_UNSEEN static bool may_wake(struct hocket__worker *w)
{
    int64_t now = hocket__ticks();
    if (now < w->wake_after)
        return false;
    w->wake_after = now + hk_load(&hocket__rt.wake_interval);
    hocket__count(w->wakes_sent);
    return true;
}

/* Somebody may want one: give the oldest, unless it would mean to wake a sleeper too soon again. */
HK_COLD void hocket__fork_answer(hocket_task *self)
{
    struct hocket__worker *w = hocket__worker_here();
    /* Not ON: who asked meant the task that had this record before, and ours are not for taking. */
    if (!(hk_load(attention_of(&self->forks)) & ON) || !any_left(&self->forks))
        return; /* still asked: the next fork answers */
    (void)hk_and(attention_of(&self->forks), ~ASKED);
    if (hk_load(&hocket__rt.searching) == 0) {
        if (hk_load(&hocket__rt.sleeping) == 0 || !may_wake(w))
            return;
    }
    hocket_task *t = promote(self, w, false);
    if (t)
        hocket__sched_inject(t, t);
}

static bool rob(struct hocket__worker *w, hocket_task *victim)
{
    struct hocket__forks *f = &victim->forks;
    if (!(hk_load(attention_of(f)) & ON) || !any_left(f) || !hocket__guard_trylock(guard_of(f)))
        return false;
    hocket_task *t = hocket__sched_record_get(w);
    hocket_branch *b = NULL;
    if (t) {
        uint32_t before = hk_or(attention_of(f), THIEF);
        hk_fence_sc();
        if (!(before & FENCED))
            (void)hocket__membarrier(); /* was probed at start: cannot fail */
        /* ON is cleared by the task itself, before it changes what we rely on. */
        if (hk_load_acq(attention_of(f)) & ON)
            b = oldest(f);
        if (b)
            take(victim, b, t, w);
        (void)hk_and(attention_of(f), ~(THIEF | ASKED)); /* releases; pairs with the task's look */
    }
    (void)hocket__guard_unlock(guard_of(f));
    if (!b) {
        if (t)
            hocket__sched_record_put(w, t);
        return false;
    }
    hocket__count(w->steals);
    taken(t);
    hocket__sched_spawn(w, t);
    return true;
}

HK_COLD static void left_over(const hocket_task *self)
{
    char name[HOCKET_NAME_MAX];
    hocket__panic("task '%s' ended with a branch that was forked and not synced",
                  hocket__task_name(self, name, sizeof name));
}

static void end(hocket_task *self)
{
    struct hocket__forks *f = &self->forks;
    if (hk_load(hk_branch(&f->newest)) != hocket__forks_base(f))
        left_over(self);
    (void)hk_and(attention_of(f), THIEF);
}

/* ---- fork ---- */

static const struct hocket__fork_ops ops;

/* The first fork of a task. */
HK_COLD static void begin(hocket_task *self)
{
    struct hocket__forks *f = &self->forks;
    struct hocket__worker *w = hocket__worker_here();
    const struct hocket__stack *s = self->kind == HOCKET__FIBER ? w->stack : NULL;
    hk_store_rel(&hocket__fork_ops, &ops); /* pairs with hocket__fork_ops_get */
    hocket__guard_lock(guard_of(f));
    hk_store(hk_branch(&f->newest), hocket__forks_base(f));
    hk_store(hk_branch(&f->taken), hocket__forks_base(f));
    (void)hocket__guard_unlock(guard_of(f));
    /* What a branch finds below its frame: as for a child that is joined in place. */
    f->limit = s ? (uintptr_t)s->base + s->size / 2 : 0;
    (void)hk_or(&self->flags, HOCKET__TASK_FORKED);
    if (s && !hocket__locals_inheritable(self) && !hocket__in_world())
        (void)hk_or(attention_of(f), HOCKET__RUNQ_FENCED || hocket__runq_fenced ? ON | FENCED : ON);
}

static void push(struct hocket__forks *f, hocket_branch *b)
{
    hocket_branch *older = hk_load(hk_branch(&f->newest));
    hk_store(hk_branch(&b->hocket__older), older);
    hk_store(hk_branch(&older->hocket__newer), b);
    hk_store_rel(hk_branch(&f->newest), b); /* pairs with oldest() */
}

HK_COLD static void fork_general(hocket_task *self, hocket_branch *b)
{
    struct hocket__forks *f = &self->forks;
    bool first = !hocket__forked_any(self);
    if (first)
        begin(self);
    push(f, b);
    uint32_t attention = hk_load(attention_of(f));
    bool inherit = hocket__locals_inheritable(self);
    if (!(attention & ON) && self->kind == HOCKET__FIBER && (inherit || hocket__in_world()))
        make_tasks(self, inherit);
    else if ((attention & ON) && (first || (attention & ASKED)))
        hocket__fork_answer(self);
}

void hocket_fork(hocket_branch *b, hocket_task_fn *fn, void *arg)
{
    hocket_task *self = hocket__self_must("hocket_fork");
    struct hocket__forks *f = &self->forks;
    b->hocket__fn = fn;
    b->hocket__arg = arg;
    if (hk_likely((hk_load_acq(attention_of(f)) & ~FENCED) == ON)) /* pairs with the thief's and */
        push(f, b);
    else
        fork_general(self, b);
    hocket__touch("fork", b);
}

/* ---- sync ---- */

HK_COLD static void not_newest(const hocket_task *self, const hocket_branch *b)
{
    char name[HOCKET_NAME_MAX];
    hocket__panic("hocket_sync: branch %p is not the newest of task '%s': synced before, "
                  "never forked, or out of order",
                  (const void *)b, hocket__task_name(self, name, sizeof name));
}

/* Until the task that was made of the branch has ended: here, if nobody has begun with it. */
static void wait_for(hocket_task *self, hocket_branch *b)
{
    struct hocket__waiter node;
    if (hk_load_acq(state_of(b)) == HOCKET__BRANCH_TAKEN) { /* so its record is still its own */
        hocket_task *t = b->hocket__task;
        if (hocket__sched_claim(hocket__worker_here(), t))
            hocket__join_in_place(self, t);
    }
    uint32_t state = HOCKET__BRANCH_TAKEN;
    if (hk_load_acq(state_of(b)) != state) /* pairs with branch_end */
        return;
    hocket__wait_begin(&node, self, &branch_class, b, 0);
    if (hk_cas_sc(state_of(b), &state, HOCKET__BRANCH_WAITED))
        (void)hocket__wait_park(self, HOCKET_FOREVER);
    hocket__wait_end(self);
}

/* Out of the list; who ended it, or cancels what was taken, may be looking. */
static void drop(struct hocket__forks *f, hocket_branch *b, bool taken)
{
    if (taken)
        hk_store(hk_branch(&f->taken), b->hocket__older);
    hk_store(hk_branch(&f->newest), b->hocket__older);
}

static void abandon(hocket_task *self)
{
    struct hocket__forks *f = &self->forks;
    hocket_branch *b;
    while ((b = hk_load(hk_branch(&f->newest))) != hocket__forks_base(f)) {
        bool taken = hk_load(hk_branch(&f->taken)) == b;
        if (taken)
            wait_for(self, b);
        hocket__guard_lock(guard_of(f));
        drop(f, b, taken);
        (void)hocket__guard_unlock(guard_of(f));
    }
}

static int result_of(hocket_task *self, hocket_branch *b)
{
    struct hocket__words *words = b->hocket__words;
    if (hk_load(state_of(b)) == HOCKET__BRANCH_DECLINED)
        return b->hocket__fn(b->hocket__arg);
    if (hk_unlikely(words != NULL)) {
        hocket__words_adopt(self, words);
        hocket__words_unref(words);
    }
    return b->hocket__result;
}

/* Somebody is at the branches, asks for them or has taken this one, or the stack is low. */
HK_COLD static int sync_general(hocket_task *self, hocket_branch *b, bool low)
{
    struct hocket__forks *f = &self->forks;
    if (low)
        hand_out(self); /* it runs on another stack, and we wait for it */
    hocket__guard_lock(guard_of(f));
    bool taken = hk_load(hk_branch(&f->taken)) == b;
    if (!taken)
        drop(f, b, false);
    (void)hocket__guard_unlock(guard_of(f));
    if (taken) {
        wait_for(self, b);
        hocket__guard_lock(guard_of(f));
        drop(f, b, true);
        (void)hocket__guard_unlock(guard_of(f));
        return result_of(self, b);
    }
    if (hk_load(attention_of(f)) & ASKED)
        hocket__fork_answer(self);
    return b->hocket__fn(b->hocket__arg);
}

int hocket_sync(hocket_branch *b)
{
    hocket_task *self = hocket__self_must("hocket_sync");
    struct hocket__forks *f = &self->forks;
    hocket__touch("sync", b);
    if (hk_unlikely(hk_load(hk_branch(&f->newest)) != b))
        not_newest(self, b);
    bool low = (uintptr_t)__builtin_frame_address(0) < f->limit;
    uint32_t attention = hk_load_acq(attention_of(f)); /* pairs with the thief's and */
    if (hk_likely((attention & ~FENCED) == ON && !low)) {
        hk_store(hk_branch(&f->newest), b->hocket__older);
        if (attention & FENCED)
            hk_fence_sc();
        hk_barrier(); /* the thief's membarrier makes it a full fence */
        if (hk_likely(hk_load_acq(attention_of(f)) == attention && /* pairs likewise */
                      hk_load(hk_branch(&f->taken)) != b))
            return b->hocket__fn(b->hocket__arg);
        hk_store(hk_branch(&f->newest), b);
    }
    return sync_general(self, b, low);
}

static const struct hocket__fork_ops ops = {
    .hand_out = hand_out,
    .rob = rob,
    .decline = decline,
    .end = end,
    .abandon = abandon,
    .lose = finish,
};

/* The slow halves of the inline functions are the functions themselves. */
void hocket__fork_slow(hocket_branch *b, hocket_task_fn *fn, void *arg)
    __attribute__((visibility("default"), alias("hocket_fork")));
int hocket__sync_slow(hocket_branch *b)
    __attribute__((visibility("default"), alias("hocket_sync")));
