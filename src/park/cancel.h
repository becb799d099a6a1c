/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_PARK_CANCEL_H
#define HOCKET_PARK_CANCEL_H

/*
 * cancel - who is cancelled, and waking them
 *
 * Cancel state belongs to scopes.  A task's state is the OR along its chain: the
 * scopes it has open from the innermost outwards, its own request flag, the scope it was
 * spawned into, the scopes around that one in its owner, the owner's request, and so on up to the
 * root.  A shielded scope ends the walk (its own flag still counts).
 *
 * Asking is cheap: every cancel anywhere increments one epoch, and a task keeps the
 * answer with the epoch it was computed in.
 *
 * Cancelling walks down.  A task links itself into its home scope at its first
 * cancellable wait or when it opens a scope; tasks that never wait never pay.  A task that is not linked
 * is running or not started and will see the epoch at its next cancel point.
 *
 * Locks: the guard of a scope protects its list of tasks and their `linked`; the
 * guard of a task its stack of open scopes.  Order: down the tree, a task before the scopes it has
 * open, a scope before the tasks in it.  The wait word of a task is type-stable and needs neither.
 */

#include "park/wait.h"

struct hocket__cancel_scope {
    struct hocket__cancel_scope *outer; /* next scope outwards in the same owner */
    hocket_task *owner;                 /* NULL for the root scope */
    hocket__guard guard;
    _Atomic bool cancelled;
    _Atomic bool expired; /* cancelled by its own deadline */
    bool shield;
    hocket_time deadline; /* effective: the earlier of its own and those around it; FOREVER */
    hocket_time own_deadline;
    struct hocket__link tasks; /* linked tasks spawned into it */
};

void hocket__cancel_scope_enter(struct hocket__cancel_scope *s, hocket_task *self,
                                hocket_time deadline, bool shield);
void hocket__cancel_scope_leave(struct hocket__cancel_scope *s, hocket_task *self);
void hocket__cancel_scope_root(struct hocket__cancel_scope *s);

/* Cancel everything inside; from any thread, no guards held. */
void hocket__cancel_scope(struct hocket__cancel_scope *s);

/* The part of it that a signal handler may do: mark and advance the epoch, wake nobody. */
void hocket__cancel_scope_mark(struct hocket__cancel_scope *s);

/* Cancel one task. */
void hocket__cancel_task(hocket_task *task);

/* Unlink at the end of a task's life. */
void hocket__cancel_forget(hocket_task *task);

/* What a task knows of itself as of its cancel_epoch; a scope's deadline never changes. */
enum hocket__cancel_state {
    HOCKET__NOT_CANCELLED,
    HOCKET__CANCELLED_LATER, /* not yet, but there is a deadline: look at the clock */
    HOCKET__CANCELLED
};

extern _Atomic uint32_t hocket__cancel_epoch;
bool hocket__cancelled_slow(hocket_task *self);

/* False: the task is not cancelled, for certain.  The task itself only. */
static inline bool hocket__cancel_suspected(const hocket_task *self)
{
    return self->cancel_epoch != hk_load_acq(&hocket__cancel_epoch) ||
           self->cancel_state != HOCKET__NOT_CANCELLED;
}

/* Is the task cancelled?  The task itself only. */
static inline bool hocket__cancelled(hocket_task *self)
{
    return hk_unlikely(hocket__cancel_suspected(self)) && hocket__cancelled_slow(self);
}

/* Does every cancel that reaches `a` also reach `b` (b was spawned into a's innermost scope)? */
static inline bool hocket__cancel_covers(const hocket_task *a, const hocket_task *b)
{
    if (a->scopes)
        return hk_load(&b->home) == a->scopes;
    /* The root task is cancelled with its scope only, so its siblings there are covered. */
    return (hk_load(&a->flags) & HOCKET__TASK_ROOT) && hk_load(&b->home) == hk_load(&a->home);
}

/* Link `self` into its home before it parks for the first time. */
void hocket__cancel_link(hocket_task *self);

/* The earlier of `deadline` and the deadlines of the scopes around the task. */
static inline hocket_time hocket__cancel_deadline(const hocket_task *self, hocket_time deadline)
{
    const struct hocket__cancel_scope *s = self->scopes ? self->scopes : hk_load(&self->home);
    return s && s->deadline < deadline ? s->deadline : deadline;
}

#endif
