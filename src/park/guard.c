/* SPDX-License-Identifier: MIT */
/*
 * guard - the slow halves of park/guard.h
 *
 * A contended guard is spun on for a little longer than it is usually held and
 * then slept on.  Its holder may have been preempted, and with more threads than CPUs
 * spinning on would only keep it from running.
 */
#include "park/guard.h"

#include <hocket/time.h>

#include "sys/sys.h"

#define GUARD_SPINS 100

void hocket__guard_lock_slow(hocket__guard *guard)
{
    for (int i = 0; i < GUARD_SPINS; i++) {
        hk_spin_pause();
        if (hk_load(guard) == 0 && hocket__guard_trylock(guard))
            return;
    }
    for (;;) {
        uint32_t old = hk_load(guard);
        if (old == 0) {
            /* Others may sleep too: take it with the mark, so that our unlock wakes the next. */
            if (hk_cas(guard, &old, HOCKET__GUARD_HELD | HOCKET__GUARD_SLEEPERS))
                return;
            continue;
        }
        uint32_t marked = old | HOCKET__GUARD_SLEEPERS;
        if (old == marked || hk_cas(guard, &old, marked))
            (void)hocket__futex_wait(guard, marked, HOCKET_FOREVER);
    }
}

void hocket__guard_wake(hocket__guard *guard)
{
    (void)hocket__futex_wake(guard, 1);
}

bool hocket__guard_lock_or_defer(hocket__guard *guard)
{
    uint32_t old = hk_load(guard);
    for (;;) {
        if (old == 0) {
            if (hk_cas_sc(guard, &old, HOCKET__GUARD_HELD))
                return true;
        } else if (hk_cas_sc(guard, &old, old | HOCKET__GUARD_DEFERRED)) {
            return false; /* also when the bit was set: the CAS orders our work before the unlock */
        }
    }
}
