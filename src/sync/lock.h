/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SYNC_LOCK_H
#define HOCKET_SYNC_LOCK_H

/*
 * lock - the lock inside mutex and rmutex, and what cond and lock_all need of it
 *
 * The word:
 *
 *   OWNER    28 bits: the lock_id of the task that holds it, 0 = free.  All ones: an
 *            unowned mutex is held.  Set from 0 by whoever takes it, to 0 by the owner only.
 *   UNOWNED  for ever: one task may lock and another unlock.
 *   CLASSED  for ever: has a class.  Both bits only make the inline fast paths fail.
 *   WAITERS  the queue is not empty.  Set and cleared under the guard.
 *
 * An unlock with WAITERS takes the first waiter out of the queue and wakes it.  By the time it runs
 * another task may have taken the lock, which is cheaper than leaving it idle until then;
 * the waiter goes back to the front.  Once it has waited for HANDOVER_US, the unlock
 * makes it the owner instead.  So that a long queue of such waiters does not turn every
 * unlock into a switch of tasks, the next in the queue counts as waiting for HANDOVER_US / 2
 * only from then on: hand-overs come half a millisecond apart.
 *
 * The lock may be free with waiters asleep, while one that was woken is on its way: it takes the
 * lock, or finds another owner, whose unlock wakes the next.  It never leaves without having tried.
 *
 * Rejected: a bit for 'one is awake, wake no other', as Go has.  It saves wakes, but sleepers stay longer
 * in the queue, so that most locks and unlocks see WAITERS and take the slow way: twice the
 * time at 8 threads on 2 processors.
 *
 * The last access of an unlock: without WAITERS the CAS.  With them, the word is released under the
 * guard only if a waiter was claimed, who is then still inside lock: the memory
 * lives until that waiter was completed, after the guard's release.  If none could be
 * claimed, WAITERS is cleared, the guard released and the word freed by the CAS after that.
 * So whoever locks next may free the memory after its own unlock.
 *
 * Memory order: the CAS that takes the lock acquires, the CAS or store that frees it or hands it over
 * releases; a handed-over lock also passes through claim and complete.  The guard orders the rest.
 */
#include <hocket/mutex.h>

#include "sync/sync.h"

#define HOCKET__LOCK_WAITERS 0x40000000u
#define HOCKET__LOCK_NOBODY  HOCKET__LOCK_OWNER /* the owner of a held unowned mutex */

/* Who calls, for messages. */
struct hocket__lock_call {
    const char *function;                     /* "hocket_mutex_lock" */
    const struct hocket__wait_class *waiting; /* names the kind */
};

extern const struct hocket__wait_class hocket__mutex_class;
extern const struct hocket__wait_class hocket__rmutex_class;

/* What `self` writes into the word to hold it. */
static inline uint32_t hocket__lock_id(uint32_t word, const hocket_task *self)
{
    return word & HOCKET__LOCK_UNOWNED ? HOCKET__LOCK_NOBODY : self->slot;
}

/* Does `self` hold it?  An unowned one counts as held by everybody when it is held. */
static inline bool hocket__lock_is_mine(hocket_mutex *m, const hocket_task *self)
{
    uint32_t word = hk_load(hk_word32(&m->hocket__word));
    return (word & HOCKET__LOCK_OWNER) == hocket__lock_id(word, self);
}

/* Take it if it is free. */
bool hocket__lock_try(hocket_mutex *m, hocket_task *self);

/*
 * Take it, waiting until `deadline`.  With `cancel` a cancel point, and 0, -ETIMEDOUT,
 * -ECANCELED, -EDEADLK; without, with HOCKET_FOREVER, it panics instead of returning -EDEADLK.
 */
int hocket__lock_take(hocket_mutex *m, hocket_task *self, hocket_time deadline, bool cancel,
                      const struct hocket__lock_call *call);

/* Give it back; the caller has checked that it is the owner. */
void hocket__lock_release(hocket_mutex *m, hocket_task *self);

/* Panic if it is held or waited for. */
void hocket__lock_destroy(hocket_mutex *m, const struct hocket__lock_call *call);

#endif
