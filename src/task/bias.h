/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TASK_BIAS_H
#define HOCKET_TASK_BIAS_H

/*
 * bias - a guard that costs nothing to the worker that takes it again and again
 *
 * A guard costs two locked instructions, on some machines 8 ns each.  One that the same worker
 * of the runtime has taken many times in a row becomes its own: from then on it says `busy`, looks
 * whether it still is the owner, and is inside.  Anybody else takes the guard,
 * clears the owner, makes every CPU pass a barrier (membarrier) and waits until the owner is not
 * busy: that takes microseconds, so each time it happens the next bias needs twice as
 * many turns in a row.
 *
 *     owner:  busy = 1; compiler barrier; if (owner == self) inside     busy = 0 (release)
 *     others: guard; owner = NULL; membarrier; wait for busy == 0       guard unlocked
 *
 * After the membarrier either the owner sees that it is none any more, or its busy = 1 is
 * visible.  A former owner may have looked before it lost the bias and come to its busy = 1, and
 * to taking it back, at any later time; so nobody else becomes owner before that
 * worker was seen elsewhere, namely behind the guard.  Where there is no membarrier nobody becomes owner.  In the test build and under
 * ThreadSanitizer the owner sets `busy` by an exchange instead (as in sched/runq.h), and few turns
 * are needed, so that the explorer sees all of it.
 *
 * As a guard it is held for a few instructions and never across a park.  Other than a guard's its
 * unlock is no fence: who begins a wait inside calls hk_fence_sc() after it.  Not for signal
 * handlers.
 */
#include "sched/worker.h"

#define HOCKET__BIAS_TURNS     (HOCKET__RUNQ_FENCED ? 4u : 256u)
#define HOCKET__BIAS_TURNS_MAX (1u << 12)

struct hocket__bias {
    hocket__guard guard;
    _Atomic uint32_t busy;                  /* by the owner */
    _Atomic(struct hocket__worker *) owner; /* under the guard; NULL: nobody */
    bool biased;                            /* who has locked it is the owner; by whoever has */
    uint32_t turns, needed;                 /* of `last` in a row; under the guard */
    struct hocket__worker *former;          /* may still write `busy`; under the guard */
    struct hocket__worker *last;
};

void hocket__bias_lock_slow(struct hocket__bias *b, struct hocket__worker *w);

/* Inside without waiting, if it is the caller's own; to be left by hocket__bias_leave. */
static inline bool hocket__bias_enter(struct hocket__bias *b)
{
    struct hocket__worker *w = hocket__worker_here();
    if (hk_unlikely(w == NULL || hk_load(&b->owner) != w))
        return false;
    if (HOCKET__RUNQ_FENCED)
        (void)hk_xchg_sc(&b->busy, 1);
    else
        hk_store(&b->busy, 1);
    hk_barrier(); /* the other's membarrier makes it a full one */
    if (hk_likely(hk_load_acq(&b->owner) == w)) {
        hocket__nosync_acquire(b); /* the turn before, by the guard, was the same worker's */
        return true;
    }
    hk_store_rel(&b->busy, 0);
    return false;
}

static inline void hocket__bias_leave(struct hocket__bias *b)
{
    hk_store_rel(&b->busy, 0); /* pairs with the acquire of who takes the bias away */
}

static inline void hocket__bias_lock(struct hocket__bias *b)
{
    if (hk_likely(hocket__bias_enter(b)))
        b->biased = true;
    else
        hocket__bias_lock_slow(b, hocket__worker_here());
}

static inline void hocket__bias_unlock_guard(struct hocket__bias *b)
{
    hocket__nosync_release(b);
    (void)hocket__guard_unlock(&b->guard);
}

static inline void hocket__bias_unlock(struct hocket__bias *b)
{
    if (hk_likely(b->biased))
        hocket__bias_leave(b);
    else
        hocket__bias_unlock_guard(b);
}

#endif
