/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SCHED_RUNQ_H
#define HOCKET_SCHED_RUNQ_H

/*
 * runq - the run queue of one worker, under a lock that is free for its owner
 *
 * Plain intrusive lists: resumed tasks (FIFO), fresh tasks by priority (FIFO).  Any
 * task can be unlinked in place, which is how a joiner takes its child.
 *
 * The lock is biased.  The owner takes it without a locked instruction:
 *
 *     busy = 1; compiler barrier; if (revoked) slow path
 *     ...
 *     busy = 0 (release)
 *
 * A thief sets `revoked`, makes every CPU pass a barrier (membarrier) and waits until
 * `busy` is 0.  After the barrier the owner either sees `revoked` or its busy = 1 is
 * visible to the thief.  Where there is no membarrier (`fenced`), in the test build
 * and under ThreadSanitizer, the owner sets `busy` by an exchange, and the thief needs
 * no more than a fence.
 *
 * Rejected: Chase-Lev (a fence or locked instruction a take, 8 ns on some
 * virtual machines; no unlinking in place; batches cannot be stolen) and Go's ring (a CAS a take).
 * The price is on the thief, about one wake (2-20 us), and thieves take only what has
 * not moved for that long: see sched/idle.c.
 *
 * A signal handler on the owner's thread can interrupt it while busy; it then must
 * not touch the lists (trylock says so) and injects instead.
 */

#include "base/atomic.h"
#include "park/guard.h"
#include "park/record.h"
#include "sys/sanitizer.h"

struct hocket__runlist {
    hocket_task *first, *last;
};

#define HOCKET__PRIORITIES     3
#define HOCKET__PRIORITY_USUAL 1 /* its list */

struct hocket__runq {
    _Atomic uint32_t busy;
    _Atomic uint32_t revoked;
    _Atomic uint32_t resumed_count; /* changed under the lock, read by anybody */
    _Atomic uint32_t fresh_count;
    bool fresh_turn; /* alternate between the two kinds */
    struct hocket__runlist resumed;
    struct hocket__runlist fresh[HOCKET__PRIORITIES]; /* high, normal, low */
    hocket__guard thieves;                            /* one thief at a time */
};

void hocket__runq_lock_slow(struct hocket__runq *q);

#if HOCKET_TSAN || defined(HOCKET_TEST_POINTS)
#define HOCKET__RUNQ_FENCED 1
#else
#define HOCKET__RUNQ_FENCED 0
#endif

extern bool hocket__runq_fenced;

/* Bits of `revoked`. */
#define HOCKET__RUNQ_THIEF  1u /* a thief is at it */
#define HOCKET__RUNQ_ALWAYS 2u /* fenced: there never is a bias, every lock takes the slow path */

void hocket__runq_init(struct hocket__runq *q);

/* Owner only.  Fails only in a signal handler that interrupted the owner. */
HOCKET_UNSEEN static inline bool hocket__runq_trylock(struct hocket__runq *q)
{
    if (hk_unlikely(hk_load(&q->busy)))
        return false;
    hk_store(&q->busy, 1);
    hk_barrier();                              /* the thief's membarrier makes it a full one */
    if (hk_unlikely(hk_load_acq(&q->revoked))) /* pairs with the thief's release of it */
        hocket__runq_lock_slow(q);
    return true;
}

/* The same without a call: false also while a thief is at it. */
HOCKET_UNSEEN static inline bool hocket__runq_open(struct hocket__runq *q)
{
#if HOCKET__RUNQ_FENCED
    return hocket__runq_trylock(q); /* always slow */
#else
    if (hk_unlikely(hk_load(&q->busy)))
        return false;
    hk_store(&q->busy, 1);
    hk_barrier();
    if (hk_likely(!hk_load_acq(&q->revoked))) /* pairs with the thief's release of it */
        return true;
    hk_store_rel(&q->busy, 0); /* pairs with the thief's acquire */
    return false;
#endif
}

HOCKET_UNSEEN static inline void hocket__runq_lock(struct hocket__runq *q)
{
    (void)hocket__runq_trylock(q); /* outside of handlers the owner is never busy already */
}

HOCKET_UNSEEN static inline void hocket__runq_unlock(struct hocket__runq *q)
{
    hk_store_rel(&q->busy, 0); /* pairs with the thief's acquire */
}

/* Thieves, any thread but the owner.  False if another thief is at it. */
bool hocket__runq_revoke(struct hocket__runq *q);
void hocket__runq_restore(struct hocket__runq *q);

HOCKET_UNSEEN static inline void hocket__runlist_push(struct hocket__runlist *l, hocket_task *t)
{
    t->run_next = NULL;
    t->run_prev = l->last;
    if (l->last)
        l->last->run_next = t;
    else
        l->first = t;
    l->last = t;
}

HOCKET_UNSEEN static inline void hocket__runlist_remove(struct hocket__runlist *l, hocket_task *t)
{
    if (t->run_prev)
        t->run_prev->run_next = t->run_next;
    else
        l->first = t->run_next;
    if (t->run_next)
        t->run_next->run_prev = t->run_prev;
    else
        l->last = t->run_prev;
}

HOCKET_UNSEEN static inline struct hocket__runlist *hocket__runq_fresh_list(struct hocket__runq *q,
                                                                            const hocket_task *t)
{
    return &q->fresh[HOCKET__PRIORITY_USUAL - t->priority]; /* which is 1, 0 or -1 */
}

/* ---- under the lock ---- */

HOCKET_UNSEEN static inline void hocket__runq_push_resumed(struct hocket__runq *q, hocket_task *t)
{
    hocket__runlist_push(&q->resumed, t);
    hk_store(&q->resumed_count, hk_load(&q->resumed_count) + 1);
}

HOCKET_UNSEEN static inline void hocket__runq_push_fresh_to(struct hocket__runq *q,
                                                            struct hocket__runlist *list,
                                                            hocket_task *t)
{
    hocket__runlist_push(list, t);
    hk_store(&q->fresh_count, hk_load(&q->fresh_count) + 1);
}

HOCKET_UNSEEN static inline void hocket__runq_push_fresh(struct hocket__runq *q, hocket_task *t)
{
    hocket__runq_push_fresh_to(q, hocket__runq_fresh_list(q, t), t);
}

HOCKET_UNSEEN static inline void hocket__runq_unlink_fresh(struct hocket__runq *q, hocket_task *t)
{
    hocket__runlist_remove(hocket__runq_fresh_list(q, t), t);
    hk_store(&q->fresh_count, hk_load(&q->fresh_count) - 1);
}

HOCKET_UNSEEN static inline hocket_task *hocket__runq_pop_resumed(struct hocket__runq *q)
{
    hocket_task *t = q->resumed.first;
    if (t) {
        hocket__runlist_remove(&q->resumed, t);
        hk_store(&q->resumed_count, hk_load(&q->resumed_count) - 1);
    }
    return t;
}

/* `low_first`: now and then the low priority gets its turn. */
HOCKET_UNSEEN static inline hocket_task *hocket__runq_pop_fresh(struct hocket__runq *q,
                                                                bool low_first)
{
    for (int i = 0; i < HOCKET__PRIORITIES; i++) {
        hocket_task *t = q->fresh[low_first ? HOCKET__PRIORITIES - 1 - i : i].first;
        if (t) {
            hocket__record_prefetch(t->run_next);
            hocket__runq_unlink_fresh(q, t);
            return t;
        }
    }
    return NULL;
}

HOCKET_UNSEEN static inline uint32_t hocket__runq_depth(struct hocket__runq *q)
{
    return hk_load(&q->resumed_count) + hk_load(&q->fresh_count);
}

/*
 * Take the older half (at least one, at most `most`) of each kind as a chain by run_next, under the
 * lock or the revoked bias.  Fresh ones lose their queued_on.
 */
hocket_task *hocket__runq_take_half(struct hocket__runq *q, uint32_t most, uint32_t *ret_count);

#endif
