/* SPDX-License-Identifier: MIT */
/*
 * parker - one wait, decided once: by a waker, a time-out or a cancel
 *
 * Models src/park/wait.c (claim, complete, wait_decide, decide_self, settle, wait_end), the part
 * of src/park/thread.c that sleeps (go_to_sleep, sleep_until_decided, thread_ready, the end of
 * thread_park) and, with FIBER, publish_parked of src/sched/loop.c and the queue it ends in.
 * A waiter and a plain one, without deadline and cancel, want an item of one object each (with
 * ROUNDS: one waiter wants two); a waker gives as many; a canceller or timer decides one wait of
 * somebody, or none.
 *
 * Holds: an item is handed over exactly if the outcome is WOKEN; none is lost or doubled; whoever
 * touches a node finds it alive; a fiber is queued once, and goes on only when its stack was left;
 * everybody comes to the end.
 *
 * Left out: weak memory (each word is changed by read-modify-write or by its only writer, and
 * what is handed over travels with claim and complete), the wait-for graph, the seat (seat.pml).
 *
 * also FIBER
 * also ROUNDS
 * also FIBER ROUNDS
 */
#include "common.pmh"

#if defined(BROKEN_PUBLISH_FIRST) || defined(BROKEN_COMPLETE_BY_STORE)
#define FIBER
#endif

#define IDLE            0
#define WAITING         1
#define WAITING_C       2
#define PARKED          3
#define PARKED_C        4
#define CLAIMED_WAITING 5
#define CLAIMED_PARKED  6
#define WOKEN           7
#define TIMEDOUT        8
#define CANCELED        9

#define undecided(s) ((s) == WAITING || (s) == WAITING_C)
#define is_parked(s) ((s) == PARKED || (s) == PARKED_C)

#define TASKS 2
#define ITEMS 2

byte word[TASKS];
bool asleep[TASKS];             /* in the futex */
bool off[TASKS], queued[TASKS]; /* fibers: the stack is left; in the run queue */

bool guard;
chan queue = [TASKS] of { byte };
bool linked[TASKS], alive[TASKS], given[TASKS]; /* the node: in the queue; exists; got an item */
byte store, got;

inline ready(t)
{
#ifdef FIBER
    d_step { assert(!queued[t]); queued[t] = true }
#else
    FUTEX_WAKE(asleep[t])
#endif
}

/* ok: this waker has won. */
inline claim(t)
{
    s = word[t];
    do
    :: undecided(s) ->
#ifdef BROKEN_CLAIM_BY_STORE
        word[t] = CLAIMED_WAITING; ok = true; break
#else
        CAS(ok, word[t], s, CLAIMED_WAITING);
        if :: ok -> break :: else fi
#endif
    :: is_parked(s) ->
        CAS(ok, word[t], s, CLAIMED_PARKED);
        if :: ok -> break :: else fi
    :: else -> ok = false; break
    od
}

inline complete(t)
{
    s = word[t];
    assert(s == CLAIMED_WAITING || s == CLAIMED_PARKED);
    if
    :: s == CLAIMED_PARKED -> word[t] = WOKEN; ready(t)
    :: else ->
#ifdef BROKEN_COMPLETE_BY_STORE
        word[t] = WOKEN
#else
        XCHG(s, word[t], WOKEN);
        if :: s == CLAIMED_PARKED -> ready(t) :: else fi
#endif
    fi
}

proctype waker(byte n)
{
    byte s, t;
    bool ok;
    do
    :: n > 0 ->
        n--;
        ok = false;
        LOCK(guard);
        do
        :: atomic { nempty(queue) -> queue?t; linked[t] = false };
            assert(alive[t]);
            claim(t);
            if
            :: ok -> assert(alive[t] && !given[t]); given[t] = true; break
            :: else
            fi
        :: empty(queue) -> store++; break
        od;
        UNLOCK(guard);
        if :: ok -> complete(t) :: else fi;
        d_step { s = 0; t = 0; ok = false }
    :: else -> break
    od
}

proctype decider()
{
    byte s, t, was;
    byte outcome = CANCELED;
    bool ok;
#ifndef ROUNDS
    if :: t = 1 :: skip fi;
#endif
    if :: outcome = TIMEDOUT :: skip fi;
    s = word[t];
    do
    :: is_parked(s) && (outcome != CANCELED || s == PARKED_C) ->
        was = s;
        CAS(ok, word[t], s, outcome);
        if :: ok -> ready(t); break :: else fi
    :: undecided(s) && (outcome != CANCELED || s == WAITING_C) ->
        CAS(ok, word[t], s, outcome);
        if :: ok -> break :: else fi
    :: else -> break
    od
}

#ifdef FIBER
/* Leave the stack; whoever stands on the next one publishes it. */
inline park()
{
#ifndef BROKEN_PUBLISH_FIRST
    off[me] = true;
#endif
    s = word[me];
    do
    :: undecided(s) ->
        CAS(ok, word[me], s, s + 2);
        if :: ok -> break :: else fi
    :: s == CLAIMED_WAITING ->
        CAS(ok, word[me], s, CLAIMED_PARKED);
        if :: ok -> break :: else fi
    :: else -> ready(me); break
    od;
#ifdef BROKEN_PUBLISH_FIRST
    off[me] = true;
#endif
    !off[me]
}

active proctype loop()
{
end:
    do
    :: atomic { queued[0] -> queued[0] = false; assert(off[0]); off[0] = false }
    :: atomic { queued[1] -> queued[1] = false; assert(off[1]); off[1] = false }
    od
}
#else
inline park()
{
    if
    :: !undecided(word[me]) /* seen while it spun */
    :: skip ->
        s = word[me];
        ok = false;
        do
        :: undecided(s) && !ok -> CAS(ok, word[me], s, s + 2)
        :: else -> break
        od;
        do
        :: ok ->
            s = word[me];
            if
            :: s == CLAIMED_PARKED || is_parked(s) ->
                FUTEX_SLEEP(word[me], s, asleep[me]);
                if
                :: !asleep[me]
                :: atomic { asleep[me] && timed && s != CLAIMED_PARKED -> asleep[me] = false };
#ifdef BROKEN_TIMEOUT_BY_STORE
                    word[me] = TIMEDOUT; ok = true
#else
                    CAS(ok, word[me], s, TIMEDOUT); ok = true
#endif
                fi
            :: else -> break
            fi
        :: else -> break
        od
    fi;
#ifndef BROKEN_NO_SETTLE
    word[me] != CLAIMED_WAITING
#else
    skip
#endif
}
#endif

/* A cancel that is seen, a deadline that has passed, a cycle: before it parks. */
inline decide_self()
{
    s = word[me];
    do
    :: undecided(s) ->
        CAS(ok, word[me], s, TIMEDOUT);
        if :: ok -> break :: else fi
    :: else -> break
    od;
    word[me] != CLAIMED_WAITING
}

proctype waiter(byte me, rounds)
{
    byte s;
    bool ok, timed;
    do
    :: rounds > 0 ->
        rounds--;
        LOCK(guard);
        if
        :: store > 0 -> store--; got++; UNLOCK(guard)
        :: else ->
            d_step { alive[me] = true; given[me] = false };
            if :: word[me] = WAITING :: me == 0 -> word[me] = WAITING_C fi;
            atomic { queue!me; linked[me] = true };
            UNLOCK(guard);
            if
            :: timed = false
            :: me == 0 -> timed = true
            fi;
            if
            :: park()
            :: timed -> decide_self()
            fi;
            s = word[me];
            assert(s == WOKEN || s == TIMEDOUT || s == CANCELED);
#ifndef BROKEN_NO_UNLINK
            if
            :: s != WOKEN ->
                LOCK(guard);
                if :: atomic { linked[me] -> queue??eval(me); linked[me] = false } :: else fi;
                UNLOCK(guard)
            :: else
            fi;
#endif
            word[me] = IDLE;
            d_step {
                assert(given[me] == (s == WOKEN));
                alive[me] = false;
                if :: s == WOKEN -> got++ :: else fi;
                s = 0; ok = false; timed = false
            }
        fi
    :: else -> break
    od
}

init
{
    atomic {
#ifdef ROUNDS
        run waiter(0, 2);
#else
        run waiter(0, 1);
        run waiter(1, 1);
#endif
        run waker(ITEMS);
        run decider()
    };
#ifdef FIBER
    _nr_pr == 2;
#else
    _nr_pr == 1;
#endif
    assert(got + store == ITEMS)
}
