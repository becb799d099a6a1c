/* SPDX-License-Identifier: MIT */
/*
 * runq - the biased lock of a worker's run queue: the owner without a fence, thieves by membarrier
 *
 * Models hocket__runq_trylock and _unlock of src/sched/runq.h, lock_slow, revoke and restore of
 * src/sched/runq.c.  The owner takes the lock three times and counts, two thieves come once each.
 * With FENCED there is no membarrier and the owner always takes the slow path.
 *
 * Holds: one of them is inside at a time, and sees all that was done before; nobody waits for ever.
 *
 * Weak memory: the stores of the owner are buffered, see common.pmh; thieves execute locked
 * instructions and fences between their accesses.  Left out: the signal handler that finds the
 * owner busy (it does nothing but look), the lists.
 *
 * also FENCED
 */
#include "common.pmh"

#define THIEF  1
#define ALWAYS 2

byte busy, count;
chan flags = [PENDING] of { byte };
chan data = [PENDING] of { byte };

#ifdef FENCED
byte revoked = ALWAYS;
#else
byte revoked;
#endif
bool thieves; /* the guard */
byte inside, truth;

inline enter()
{
    atomic { inside++; assert(inside == 1) }
}

active proctype memory()
{
end:
    do
    DRAIN(flags, data, busy, count)
    od
}

inline lock_slow()
{
    do
    :: atomic { empty(flags) && empty(data) -> busy = 1 };
        if
        :: !(revoked & THIEF) -> break
        :: else
        fi;
        flags!REL;
        !(revoked & THIEF);
#ifdef BROKEN_GOES_ON
        break
#endif
    od
}

proctype owner(byte turns)
{
    byte seen;
    do
    :: turns > 0 ->
        turns--;
        flags!1;
        if
        :: revoked != 0 -> lock_slow()
        :: else
        fi;
        enter();
        /* Its own last store if that is still on its way, else what memory holds. */
        atomic { if :: empty(data) -> seen = count :: nempty(data) fi; assert(seen == truth) };
        atomic { seen++; truth++; data!seen };
        inside--;
        flags!REL
    :: else -> break
    od
}

proctype thief()
{
    byte old;
    if
    :: atomic { !thieves -> thieves = true };
        atomic { old = revoked; revoked = revoked | THIEF };
#ifndef BROKEN_NO_MEMBARRIER
        if
        :: !(old & ALWAYS) -> FENCE(flags, data)
        :: else
        fi;
#endif
#ifndef BROKEN_NO_WAIT
        busy == 0;
#endif
        enter();
        assert(count == truth);
        d_step { count++; truth++ };
        inside--;
        revoked = revoked & ~THIEF;
        thieves = false
    :: thieves /* another one is at it */
    fi
}

init
{
    atomic { run owner(3); run thief(); run thief() };
    _nr_pr == 2;
    FENCE(flags, data);
    assert(busy == 0 && count == truth)
}
