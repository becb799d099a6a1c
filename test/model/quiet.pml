/* SPDX-License-Identifier: MIT */
/*
 * quiet - the end of a task that ran on top of its joiner, while another joins it
 *
 * Models hocket__sched_claim of src/sched/worker.h and task_end, end_quietly, publish_end and
 * hocket__join_announce of src/task/task.c.  The owner of a queue has spawned a task; then it may wait for it
 * with a deadline, and runs it on top of a joiner or from its loop; a thief may steal it before; a thread joins it.
 *
 * Holds: who waits is woken, and sees the result.
 *
 * Weak memory: the stores of owner and thief are buffered, see common.pmh.  Left out: the lock of the
 * queue (runq.pml), of which the thief's part is a membarrier; the list of joiners.
 */
#include "common.pmh"

#define OWNER 0
#define THIEF 1

/* queued_on */
#define NONE  0
#define OWN   1
#define BEGUN 2
#define QUIET 3
#define OVER  4 /* released: seen after all data before it */
#define LOUD  5

#ifdef BROKEN_STOLEN_STAYS_QUIET
#define STOLEN OWN
#else
#define STOLEN LOUD
#endif

byte queued, result;
chan places[2] = [PENDING] of { byte };
chan data[2] = [PENDING] of { byte };
bool in_queue = true, joiners, done; /* the last two are bits of `life` */
bool own_waits, woken;

#define DRAIN_PLACE(who)                                                         \
    :: atomic { nempty(places[who]) && !places[who]?[OVER] -> places[who]?queued } \
    :: atomic { places[who]?[OVER] && empty(data[who]) -> places[who]?queued }     \
    :: atomic { nempty(data[who]) -> data[who]?result }

active proctype memory()
{
end:
    do
    DRAIN_PLACE(OWNER)
    DRAIN_PLACE(THIEF)
    od
}

inline membarrier()
{
    atomic {
        empty(places[0]) && empty(data[0]) && empty(places[1]) && empty(data[1]) -> skip
    }
}

inline tell(me)
{
    atomic { empty(places[me]) && empty(data[me]) -> done = true; woken = true }
}

inline run_quietly(me)
{
    places[me]!QUIET;
    data[me]!7;
    places[me]!OVER;
    if :: joiners -> tell(me) :: else fi
}

/* The CAS of publish_end is a fence. */
inline run_loudly(me)
{
    places[me]!BEGUN;
    data[me]!7;
    atomic { empty(places[me]) && empty(data[me]) -> done = true };
    if :: joiners -> tell(me) :: else fi
}

active proctype owner()
{
    bool mine;
    places[OWNER]!OWN;
    if
    :: skip
    :: atomic {
           empty(places[OWNER]) && empty(data[OWNER]) -> joiners = true; own_waits = !done
       }
    fi;
    atomic { mine = in_queue; in_queue = false };
    if
    :: mine -> run_quietly(OWNER)
    :: mine -> run_loudly(OWNER)
    :: !mine
    fi
}

active proctype thief()
{
    bool mine;
    queued != NONE;
    membarrier();
    atomic { mine = in_queue; in_queue = false };
    if
    :: mine ->
        places[THIEF]!BEGUN;
        FENCE(places[THIEF], data[THIEF]);
        places[THIEF]!STOLEN;
#ifdef BROKEN_STOLEN_STAYS_QUIET
        run_quietly(THIEF)
#else
        run_loudly(THIEF)
#endif
    :: !mine
    fi
}

active proctype joiner()
{
    bool seen;
    byte where;
    queued != NONE;
    atomic { joiners = true; seen = done };
    where = queued;
    if
    :: !seen && where != BEGUN && where != LOUD ->
#ifndef BROKEN_NO_MEMBARRIER
        membarrier();
#endif
#ifndef BROKEN_NO_SECOND_LOOK
        seen = (queued == OVER)
#endif
    :: else
    fi;
    if :: seen :: !seen -> woken fi;
    assert(result == 7);
    !own_waits || woken
}
