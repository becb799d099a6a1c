/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_QUEUE_SOLO_H
#define HOCKET_QUEUE_SOLO_H

/*
 * solo - the right of one OS thread to do without locked instructions
 *
 * A queue between fibers of one worker is used by one thread for as long as nobody steals any of them.
 * That thread may own it.  The owner marks itself busy, looks whether it still is the
 * owner, works with plain loads and stores, and is no longer busy.  So it puts and gets, and so it holds
 * the queue, without the guard.  Whoever wants to take the right away does so under the guard of the queue:
 *
 *     owner:  busy = 1                         another:  owner = 0
 *             compiler barrier                           membarrier(2)
 *             owner == me?                               wait until busy == 0
 *             ... the queue ...                          ... the queue ...
 *             busy = 0
 *
 * membarrier makes every running thread pass a full barrier: an owner that had looked before it is seen
 * to be busy, one that looks after it sees that it lost.  It costs a microsecond or so, once for
 * a loss, and the owner never has a fence.
 *
 * An owner that loses while it stands between its first look and `busy = 1` writes `busy` late.  So
 * each grant has a record of its own, and after TIMES grants there are no more.
 *
 * A worker of the runtime is granted the right when it has held the queue `needed` times with nobody else
 * between, and each time it takes four times as many: a queue that does belong to several threads pays
 * little.  Other threads are not, since they would hardly wait for themselves; and the first
 * membarrier of a process with threads takes milliseconds, which the runtime has behind it.
 * Where threads cannot be told apart by a register, or there is no membarrier, nobody is.
 *
 * Memory order: `busy = 0` releases and the one who waits for it acquires, which orders what was
 * done inside.  busy and owner are ordered by membarrier as above.  Other than the guard's unlock `busy = 0`
 * is no fence: who begins a wait inside calls hk_fence_sc() after it.
 */
#include "park/spin.h"
#include "park/tls.h"
#include "sys/sanitizer.h"
#include "sys/sys.h"

#define HOCKET__SOLO_TIMES 6

/* Tests with a handful of calls, also of threads, shall meet it. */
#ifdef HOCKET_TEST_POINTS
#define HOCKET__SOLO_NEEDED   1u
#define HOCKET__SOLO_ELIGIBLE (!HOCKET_POINT_WORLD)
#else
#define HOCKET__SOLO_NEEDED   16u
#define HOCKET__SOLO_ELIGIBLE (hocket__tls_worker() != NULL)
#endif

struct hocket__solo_grant {
    _Atomic uintptr_t owner; /* set and cleared under the guard */
    _Atomic uint32_t busy;   /* by the owner */
};

struct hocket__solo {
    _Atomic uint32_t at; /* which grant is the last; under the guard */
    struct hocket__solo_grant grants[HOCKET__SOLO_TIMES];
};

/* Who earns it.  Under the guard, and so with what else changes under it, on no line of its own. */
struct hocket__solo_streak {
    uintptr_t last; /* who held the queue last */
    uint32_t holds, needed;
};

/* A number for the calling thread, or 0. */
static inline uintptr_t hocket__solo_me(void)
{
#if defined(__x86_64__) && !defined(__ILP32__)
    uintptr_t me;
    __asm__ __volatile__("movq %%fs:0, %0" : "=r"(me)); /* volatile: fibers move */
    return me;
#else
    return 0;
#endif
}

/* Begin to work as the owner; NULL: the caller is not. */
static inline struct hocket__solo_grant *hocket__solo_enter(struct hocket__solo *s)
{
    struct hocket__solo_grant *g = &s->grants[hk_load(&s->at)];
    uintptr_t me = hocket__solo_me();
    if (hk_unlikely(me == 0 || hk_load(&g->owner) != me))
        return NULL;
    hk_store(&g->busy, 1u);
    hk_barrier(); /* the processor's part is the membarrier of who takes it away */
    /* The turn before was this thread's; so was it for who finds the right gone. */
    hocket__nosync_acquire(&g->busy);
    if (hk_likely(hk_load_acq(&g->owner) == me))
        return g;
    hk_store_rel(&g->busy, 0u);
    return NULL;
}

static inline void hocket__solo_leave(struct hocket__solo_grant *g)
{
    hk_store_rel(&g->busy, 0u); /* pairs with the load in hocket__solo_revoke */
}

/* ---- with the guard ---- */

/* The calling thread has held the queue, which nobody owns.  True: from now on it is the owner. */
static inline bool hocket__solo_earned(struct hocket__solo *s, struct hocket__solo_streak *k)
{
    uintptr_t me = hocket__solo_me();
    if (me != k->last || me == 0) {
        k->last = me;
        k->holds = 0;
        return false;
    }
    if (hk_likely(++k->holds < k->needed) || !HOCKET__SOLO_ELIGIBLE)
        return false;
    k->holds = 0;
    if (hk_load(&s->at) == HOCKET__SOLO_TIMES - 1 || hocket__membarrier() != 0) {
        k->needed = UINT32_MAX;
        return false;
    }
    k->needed *= 4;
    hk_store_rel(&s->grants[hk_load(&s->at) + 1].owner, me); /* pairs with enter's acquire */
    hk_store_rel(&s->at, hk_load(&s->at) + 1);
    return true;
}

/* Take the right away from another thread; what it did is visible afterwards. */
static inline void hocket__solo_revoke(struct hocket__solo *s)
{
    struct hocket__solo_grant *g = &s->grants[hk_load(&s->at)];
    hk_store(&g->owner, (uintptr_t)0);
    (void)hocket__membarrier(); /* it worked when the right was granted */
    for (unsigned turn = 0; hk_load_acq(&g->busy) != 0; turn++)
        hocket__spin_brief(turn);
}

#endif
