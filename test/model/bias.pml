/* SPDX-License-Identifier: MIT */
/*
 * bias - a guard that belongs to one worker until another one wants it
 *
 * Models src/task/bias.h and bias.c: lock, unlock, take_away, who becomes the owner.  Two workers;
 * the first is the owner, and the second may become it.
 *
 * Holds: one is inside at a time, and sees all that was done before; nobody waits for ever.
 *
 * Weak memory: the stores of each worker are buffered, see common.pmh.  Left out: how many turns
 * in a row it takes to become owner (one), so that it happens in a few; the guard (guard.pml).
 */
#include "common.pmh"

#define WORKERS 2
#define NOBODY  WORKERS

byte busy, count;
chan flags[WORKERS] = [PENDING] of { byte };
chan data[WORKERS] = [PENDING] of { byte };

bool guard, biased;
byte owner, former = NOBODY, last;
byte inside, truth;

inline enter()
{
    atomic { inside++; assert(inside == 1) }
}

active proctype memory()
{
end:
    do
    DRAIN(flags[0], data[0], busy, count)
    DRAIN(flags[1], data[1], busy, count)
    od
}

inline membarrier()
{
    atomic { empty(flags[0]) && empty(data[0]) && empty(flags[1]) && empty(data[1]) -> skip }
}

inline take_away()
{
    former = owner;
    owner = NOBODY;
#ifndef BROKEN_NO_MEMBARRIER
    membarrier();
#endif
    busy == 0
}

inline lock_slow()
{
    /* The CAS of the guard is a fence for the one who takes it. */
    atomic { !guard && empty(flags[me]) && empty(data[me]) -> guard = true };
    if :: owner != NOBODY -> take_away() :: else fi;
    enter();
    biased = false;
#ifdef BROKEN_NO_FORMER
    former = NOBODY;
#endif
    if :: former == me -> former = NOBODY :: else fi;
    if
    :: last != me -> last = me
    :: last == me && former == NOBODY -> owner = me
    :: last == me && former != NOBODY
    fi
}

proctype worker(byte me, turns)
{
    byte seen;
    bool ok;
    do
    :: turns > 0 ->
        turns--;
        ok = false;
        if
        :: owner == me ->
            flags[me]!1;
            if
            :: owner == me -> ok = true; enter(); biased = true
            :: else -> flags[me]!REL
            fi
        :: else
        fi;
        if :: !ok -> lock_slow() :: else fi;
        atomic { if :: empty(data[me]) -> seen = count :: nempty(data[me]) fi; assert(seen == truth) };
        atomic { seen++; truth++; data[me]!seen };
        inside--;
        if
        :: biased -> flags[me]!REL
        :: else -> atomic { guard && empty(flags[me]) && empty(data[me]) -> guard = false }
        fi
    :: else -> break
    od
}

init
{
    atomic { run worker(0, 3); run worker(1, 4) };
    _nr_pr == 2;
    membarrier();
    assert(busy == 0 && count == truth)
}
