/* SPDX-License-Identifier: MIT */
/*
 * solo - one thread's right to use a queue without locked instructions
 *
 * Models src/queue/solo.h (enter, leave, earned, revoke) and what hocket__queue_hold and
 * hocket__queue_let_go of src/queue/queue.c do with it.  Two threads use the queue, which here is one
 * word; the first has the right, and either gets it whenever it has held the queue twice.
 *
 * Holds: one is inside at a time, and sees all that was done before; nobody waits for ever.
 *
 * Weak memory: the stores of each thread are buffered, see common.pmh.  Left out: the ring
 * itself (ring.pml); that each grant takes longer to earn.
 */
#include "common.pmh"

#define THREADS 2
#define NOBODY  THREADS
#ifdef BROKEN_ONE_RECORD
#define next(at) 0
#else
#define next(at) ((at) + 1)
#endif
#define GRANTS 3

byte owner[GRANTS], busy[GRANTS], count;
byte at, last;
bool guard, solo; /* the bit of the ring's words */
chan flags[THREADS] = [PENDING] of { byte };
byte which[THREADS]; /* the record that the stores in `flags` go to */
chan data[THREADS] = [PENDING] of { byte };
byte inside, truth;

inline enter()
{
    atomic { inside++; assert(inside == 1) }
}

active proctype memory()
{
end:
    do
    DRAIN(flags[0], data[0], busy[which[0]], count)
    DRAIN(flags[1], data[1], busy[which[1]], count)
    od
}

inline membarrier()
{
    atomic { empty(flags[0]) && empty(data[0]) && empty(flags[1]) && empty(data[1]) -> skip }
}

inline hold()
{
    atomic { !guard && empty(flags[me]) && empty(data[me]) -> guard = true };
    if
    :: solo && owner[at] != me ->
        owner[at] = NOBODY;
#ifndef BROKEN_NO_MEMBARRIER
        membarrier();
#endif
#ifndef BROKEN_NO_WAIT
        busy[at] == 0;
#endif
        solo = false
    :: else
    fi
}

inline let_go()
{
    if
    :: solo
    :: !solo && last != me -> last = me
    :: !solo && last == me && at < GRANTS - 1 -> owner[next(at)] = me; at = next(at); solo = true
    :: !solo && last == me && at == GRANTS - 1
    fi;
    atomic { guard && empty(flags[me]) && empty(data[me]) -> guard = false }
}

proctype thread(byte me, turns)
{
    byte seen, g;
    bool ok;
    do
    :: turns > 0 ->
        turns--;
        ok = false;
        g = at;
        if
        :: owner[g] == me ->
            /* At most one record is written to at a time. */
            atomic { empty(flags[me]) || which[me] == g -> which[me] = g; flags[me]!1 };
            if
            :: owner[g] == me -> ok = true
            :: else -> flags[me]!REL
            fi
        :: else
        fi;
        if :: !ok -> hold() :: else fi;
        enter();
        atomic { if :: empty(data[me]) -> seen = count :: nempty(data[me]) fi; assert(seen == truth) };
        atomic { seen++; truth++; data[me]!seen };
        inside--;
        if
        :: ok -> flags[me]!REL
        :: else -> let_go()
        fi
    :: else -> break
    od
}

init
{
    atomic {
        owner[0] = NOBODY; owner[1] = NOBODY; owner[2] = NOBODY;
        owner[0] = 0;
        solo = true;
        run thread(0, 3);
        run thread(1, 4)
    };
    _nr_pr == 2;
    membarrier();
    assert(count == truth)
}
