/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_PARK_GUARD_H
#define HOCKET_PARK_GUARD_H

/*
 * guard - the small lock inside every object
 *
 * Held for a few instructions, never across a park or a call of user code.  It
 * blocks the OS thread (futex), which is right for a few instructions: a fiber
 * that holds a guard never leaves its worker.
 *
 *   0             free
 *   HELD          held
 *   HELD|SLEEPERS held, and a thread may sleep on the word
 *   DEFERRED      somebody who must not block (a signal handler, or the holder's own
 *                 interrupted frame) left work: whoever unlocks does it.
 *
 * Memory order: lock acquires, unlock is a full exchange, which waiters use as
 * the fence between publishing themselves and looking at cancel and graph state.
 * Lock order: scope guards from the root down, then object guards, then the
 * guards of the scheduler.  No two object guards are held at once, but for select and
 * lock_all, which take them in order of address.
 */

#include "base/atomic.h"

#define HOCKET__GUARD_HELD     1u
#define HOCKET__GUARD_SLEEPERS 2u
#define HOCKET__GUARD_DEFERRED 4u

typedef _Atomic uint32_t hocket__guard;

void hocket__guard_lock_slow(hocket__guard *guard);
void hocket__guard_wake(hocket__guard *guard);

static inline bool hocket__guard_trylock(hocket__guard *guard)
{
    uint32_t old = 0;
    return hk_cas(guard, &old, HOCKET__GUARD_HELD);
}

static inline void hocket__guard_lock(hocket__guard *guard)
{
    if (!hocket__guard_trylock(guard))
        hocket__guard_lock_slow(guard);
}

/* True if work was deferred: the caller looks at its object again (and locks anew for it). */
static inline bool hocket__guard_unlock(hocket__guard *guard)
{
    uint32_t old = hk_xchg_sc(guard, 0);
    if (old & HOCKET__GUARD_SLEEPERS)
        hocket__guard_wake(guard);
    return (old & HOCKET__GUARD_DEFERRED) != 0;
}

/*
 * Lock, or leave a mark that makes the holder's unlock return true.  Never
 * blocks; for functions that signal handlers may call.  True if locked.
 */
bool hocket__guard_lock_or_defer(hocket__guard *guard);

/* Public structs declare the guard as a plain hocket_word or uint32_t of the same layout. */
#define HOCKET__GUARD(p) ((hocket__guard *)(p))

#endif
