/* SPDX-License-Identifier: MIT */
/*
 * guard - the slow halves of park/guard.h
 *
 * A contended guard is spun on for a little longer than it is usually held and
 * then slept on.  Its holder may have been preempted, and with more threads than CPUs
 * spinning on would only keep it from running.
 *
 * In a forked child the holder may not exist: a thread of the parent that was in the few
 * instructions under the guard when another one forked.  A second is far beyond them.
 */
#include "park/guard.h"

#include <hocket/time.h>

#include <errno.h>

#include "park/forked.h"
#include "sys/sys.h"

#define GUARD_SPINS 100

static void guard_sleep(hocket__guard *guard, uint32_t value)
{
    if (hk_likely(!hk_load(&hocket__is_child))) {
        (void)hocket__futex_wait(guard, value, HOCKET_FOREVER);
        return;
    }
    hocket_time until = hocket__clock() + HOCKET_SEC;
    if (hocket__futex_wait(guard, value, until) == -ETIMEDOUT && hk_load(guard) == value)
        hocket__fork_panic("taking a guard");
}

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
            guard_sleep(guard, marked);
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
