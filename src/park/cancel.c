/* SPDX-License-Identifier: MIT */
/*
 * cancel - see park/cancel.h
 *
 * Memory order: a canceller stores the flag (release), increments the epoch
 * (RMW, seq_cst) and then looks at wait words by seq_cst CAS.  A waiter publishes WAITING_C,
 * passes a full fence (its guard's unlock, or the one in hocket__cancel_link) and
 * then loads the epoch.  One of the two sees the other.
 *
 * A waiter asks only if its epoch is stale, so the walk up is paid once a cancel
 * anywhere, not once a wait.
 */
#include "park/cancel.h"

#include "park/forks.h"
#include "sys/sys.h"

_Atomic uint32_t hocket__cancel_epoch = 1; /* 0 in a record means: never computed */

static void epoch_advance(void)
{
    uint32_t old = hk_add(&hocket__cancel_epoch, 1);
    if (old == UINT32_MAX)
        (void)hk_add(&hocket__cancel_epoch, 1); /* skip 0 */
}

/* A branch of a task is cancelled with that task, also where no scope lies between them. */
static bool requested(const hocket_task *t)
{
    while (!hk_load_acq(&t->cancel_requested)) {
        if (!(hk_load(&t->flags) & HOCKET__TASK_BRANCH))
            return false;
        const hocket_task *forker = ((const hocket_branch *)t->arg)->hocket__forker;
        if (hk_load(&t->home) != hk_load(&forker->home))
            return false; /* in a scope of the forker, which the walk comes to */
        t = forker;
    }
    return true;
}

/* The walk of the header's first paragraph. */
static bool walk_up(const hocket_task *t)
{
    const struct hocket__cancel_scope *s = t->scopes;
    for (;;) {
        for (; s; s = s->outer) {
            if (hk_load_acq(&s->cancelled))
                return true;
            if (s->shield)
                return false;
        }
        if (!t || requested(t))
            return t != NULL;
        s = hk_load(&t->home);
        t = s ? s->owner : NULL;
        if (!s)
            return false;
    }
}

/* The next scope outwards, across tasks; NULL behind a shield or at the root. */
static struct hocket__cancel_scope *next_out(const struct hocket__cancel_scope *s)
{
    if (s->shield)
        return NULL;
    return s->outer ? s->outer : s->owner ? hk_load(&s->owner->home) : NULL;
}

/* A scope whose deadline has passed is cancelled by whichever of its tasks asks first. */
HK_COLD static bool expire(struct hocket__cancel_scope *s)
{
    hocket_time now = hocket__clock();
    if (now < s->deadline)
        return false;
    while (s && s->own_deadline > now)
        s = next_out(s);
    if (!s)
        return false;
    if (!hk_load_acq(&s->cancelled)) {
        hk_store(&s->expired, true);
        hocket__cancel_scope(s);
    }
    return true;
}

bool hocket__cancelled_slow(hocket_task *self)
{
    uint32_t now = hk_load_acq(&hocket__cancel_epoch);
    struct hocket__cancel_scope *s = self->scopes ? self->scopes : hk_load(&self->home);
    if (hk_unlikely(self->cancel_epoch != now)) {
        self->cancel_state = walk_up(self)                        ? HOCKET__CANCELLED
                             : s && s->deadline != HOCKET_FOREVER ? HOCKET__CANCELLED_LATER
                                                                  : HOCKET__NOT_CANCELLED;
        self->cancel_epoch = now;
    }
    return self->cancel_state == HOCKET__CANCELLED ||
           (self->cancel_state == HOCKET__CANCELLED_LATER && expire(s));
}

/* ---- links ---- */

void hocket__cancel_link(hocket_task *self)
{
    struct hocket__cancel_scope *home = hk_load(&self->home);
    if (home && !self->linked) {
        hocket__guard_lock(&home->guard);
        hocket__list_push_back(&home->tasks, &self->home_link);
        self->linked = true;
        hocket__guard_unlock(&home->guard); /* also the fence before we look at the epoch */
    } else {
        self->linked = true;
        hk_fence_sc();
    }
}

void hocket__cancel_forget(hocket_task *task)
{
    if (!task->linked)
        return;
    struct hocket__cancel_scope *home = hk_load(&task->home);
    if (home) {
        hocket__guard_lock(&home->guard);
        hocket__list_remove(&task->home_link);
        hocket__guard_unlock(&home->guard);
    }
    task->linked = false;
}

void hocket__cancel_scope_root(struct hocket__cancel_scope *s)
{
    s->outer = NULL;
    s->owner = NULL;
    hk_store(&s->guard, 0);
    hk_store(&s->cancelled, false);
    hk_store(&s->expired, false);
    s->shield = false;
    s->deadline = s->own_deadline = HOCKET_FOREVER;
    hocket__list_init(&s->tasks);
}

void hocket__cancel_scope_enter(struct hocket__cancel_scope *s, hocket_task *self,
                                hocket_time deadline, bool shield)
{
    hocket_time around = hocket__cancel_deadline(self, HOCKET_FOREVER);
    hocket__cancel_scope_root(s);
    s->owner = self;
    s->shield = shield;
    s->own_deadline = deadline;
    s->deadline = !shield && around < deadline ? around : deadline;
    if (!self->linked)
        hocket__cancel_link(self); /* so that a walk down finds this scope */
    hocket__guard_lock(&self->guard);
    s->outer = self->scopes;
    self->scopes = s;
    hocket__guard_unlock(&self->guard);
    self->cancel_epoch = 0;
}

void hocket__cancel_scope_leave(struct hocket__cancel_scope *s, hocket_task *self)
{
    hocket__guard_lock(&self->guard);
    self->scopes = s->outer;
    hocket__guard_unlock(&self->guard);
    self->cancel_epoch = 0;
}

/* ---- walking down ---- */

static void wake_task(hocket_task *t);

/* From the innermost scope of `t` to `last` (NULL: all); t->guard is held. */
static void wake_scopes(hocket_task *t, const struct hocket__cancel_scope *last)
{
    bool shielded = false;
    for (struct hocket__cancel_scope *s = t->scopes; s; s = s->outer) {
        if (s->shield && s != last)
            shielded = true;
        if (s == last)
            break;
    }
    if (!shielded)
        (void)hocket__wait_decide(t, HOCKET__CANCELED);
    /*
     * Scopes outside of the outermost shield get the cancel, those inside do
     * not: find where to start.
     */
    struct hocket__cancel_scope *start = t->scopes;
    for (struct hocket__cancel_scope *s = t->scopes; s; s = s->outer) {
        if (s->shield && s != last)
            start = s->outer;
        if (s == last)
            break;
    }
    for (struct hocket__cancel_scope *s = start; s; s = s->outer) {
        hocket__guard_lock(&s->guard);
        hocket__list_each(link, &s->tasks)
            wake_task(hk_container_of(link, hocket_task, home_link));
        hocket__guard_unlock(&s->guard);
        if (s == last)
            break;
    }
}

static void wake_task(hocket_task *t)
{
    hocket__guard_lock(&t->guard);
    wake_scopes(t, NULL);
    hocket__guard_unlock(&t->guard);
}

void hocket__cancel_scope_mark(struct hocket__cancel_scope *s)
{
    hk_store_rel(&s->cancelled, true); /* pairs with walk_up */
    epoch_advance();
}

void hocket__cancel_scope(struct hocket__cancel_scope *s)
{
    hocket__cancel_scope_mark(s);
    hocket_task *owner = s->owner;
    if (owner) {
        hocket__guard_lock(&owner->guard);
        wake_scopes(owner, s);
        hocket__guard_unlock(&owner->guard);
    } else {
        hocket__guard_lock(&s->guard);
        hocket__list_each(link, &s->tasks)
            wake_task(hk_container_of(link, hocket_task, home_link));
        hocket__guard_unlock(&s->guard);
    }
}

/* Branches that are tasks beside `t`, not in a scope of it: nothing else leads to them. */
static void wake_branches(hocket_task *t)
{
    struct hocket__forks *f = &t->forks;
    if (!hocket__forked_any(t))
        return;
    hocket__guard_lock(HOCKET__GUARD(&f->guard)); /* no branch ends, or leaves the list */
    const hocket_branch *last = hk_load(hk_branch(&f->taken));
    if (last != hocket__forks_base(f)) {
        for (hocket_branch *b = hk_load(hk_branch(&f->first));;
             b = hk_load(hk_branch(&b->hocket__newer))) {
            uint32_t state = hk_load(hk_word32(&b->hocket__state));
            if (state <= HOCKET__BRANCH_WAITED &&
                hk_load(&b->hocket__task->home) == hk_load(&t->home)) {
                wake_task(b->hocket__task);
                wake_branches(b->hocket__task);
            }
            if (b == last)
                break;
        }
    }
    (void)hocket__guard_unlock(HOCKET__GUARD(&f->guard));
}

void hocket__cancel_task(hocket_task *task)
{
    hk_store_rel(&task->cancel_requested, true); /* pairs with walk_up */
    epoch_advance();
    hocket__guard_lock(&task->guard);
    if (!(hocket__life(task) & HOCKET__LIFE_DONE))
        wake_scopes(task, NULL);
    hocket__guard_unlock(&task->guard);
    wake_branches(task);
}
