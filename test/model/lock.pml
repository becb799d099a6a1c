/* SPDX-License-Identifier: MIT */
/*
 * lock - the lock inside mutex: word, queue and hand-over
 *
 * Models src/sync/lock.c: take, take_or_mark, leave_queue, wait_for_lock, pass_on, release.  The
 * inline paths of include/hocket/lock.h are `take` and the first CAS of release.  Three tasks lock
 * once each, the first with a deadline before; the last one that holds the lock frees its memory.
 *
 * Holds: one holder at a time, and the word names it; no waiter stays behind; nobody touches the
 * memory after it was freed; in the end the word is 0.
 *
 * Left out: weak memory (the word is changed by acquiring and releasing read-modify-write, or under
 * the guard by its owner); the guard (guard.pml); how a wait is decided (parker.pml), here
 * one step; the time until a hand-over (any pass may be one); classes and unowned locks.
 */
#include "common.pmh"

#define TASKS   3
#define WAITERS 8 /* above the owner, 0 .. TASKS */
#define owner_of(w) ((w) & 7)

#define RUNNING  0
#define WAITING  1
#define CLAIMED  2
#define WOKEN    3
#define TIMEDOUT 4

byte word;
bool guard;
byte q[TASKS], n; /* the queue, from the front */
byte state[TASKS + 1];
bool done[TASKS + 1]; /* of the node: it was handed the lock */
byte inside, refs = TASKS;
bool freed;

/* What touches the memory of the lock. */
#define word_cas(ok, old, new) \
    d_step { assert(!freed); if :: word == old -> word = new; ok = true :: else -> old = word; ok = false fi }
#define word_load(old)  atomic { assert(!freed); old = word }
#define word_store(new) d_step { assert(!freed); word = new }
#define guard_lock()    atomic { !guard -> assert(!freed); guard = true }
#define guard_unlock()  d_step { assert(!freed); guard = false }

#define push_back(t)  q[n] = t; n++
#define push_front(t) q[2] = q[1]; q[1] = q[0]; q[0] = t; n++
#define pop(t)        t = q[0]; q[0] = q[1]; q[1] = q[2]; q[2] = 0; n--

inline forget(t)
{
    d_step {
        assert(!freed);
        if
        :: n > 0 && q[0] == t -> pop(i)
        :: n > 1 && q[1] == t -> q[1] = q[2]; q[2] = 0; n--
        :: n > 2 && q[2] == t -> q[2] = 0; n--
        :: else
        fi;
        i = 0
    }
}

inline take()
{
    word_load(old);
    ok = false;
    do
    :: owner_of(old) == 0 && !ok -> word_cas(ok, old, old | me)
    :: else -> break
    od
}

inline take_or_mark()
{
    word_load(old);
    do
    :: owner_of(old) == 0 ->
        word_cas(ok, old, old | me);
        if :: ok -> break :: else fi
    :: else ->
#ifdef BROKEN_NO_MARK
        ok = false; break
#else
        word_cas(ok, old, old | WAITERS);
        if :: ok -> ok = false; break :: else fi
#endif
    od
}

inline leave_queue()
{
    guard_lock();
    forget(me);
#ifdef BROKEN_CLEARS_MARK
    d_step { assert(!freed); word = word & 7 };
#else
    if :: n == 0 -> d_step { assert(!freed); word = word & 7 } :: else fi;
#endif
    guard_unlock()
}

/* ok: it has the lock; else the deadline has passed. */
inline lock(timed)
{
    again = false;
    do
    :: take(); /* inline, and when it spins */
        if :: ok -> break :: else fi;
        guard_lock();
        take_or_mark();
        if
        :: ok -> guard_unlock(); break
        :: else
        fi;
        d_step {
            state[me] = WAITING; done[me] = false;
            if
            :: again -> push_front(me)
            :: else -> push_back(me)
            fi
        };
        guard_unlock();
        if
        :: state[me] == WOKEN
        :: atomic { timed && state[me] == WAITING -> state[me] = TIMEDOUT }; leave_queue()
        fi;
        d_step { ok = done[me]; again = true };
        if
        :: ok || state[me] == TIMEDOUT -> break
        :: else
        fi;
        state[me] = RUNNING
    od;
    atomic { state[me] = RUNNING; done[me] = false; old = 0; again = false }
}

inline unlock()
{
    word_load(old);
    do
    :: !(old & WAITERS) ->
        word_cas(ok, old, 0);
        if :: ok -> break :: else fi
    :: else ->
        guard_lock();
        ok = false;
        do
        :: n > 0 && !ok ->
            d_step {
                pop(t);
                if :: state[t] == WAITING -> state[t] = CLAIMED; ok = true :: else fi
            }
        :: else -> break
        od;
        if
        :: !ok ->
#ifdef BROKEN_FREE_UNDER_GUARD
            word_store(0); guard_unlock(); break
#else
            word_store(me); guard_unlock(); word_load(old)
#endif
        :: else ->
            old = (n > 0 -> WAITERS : 0);
            if
            :: old = old | t; done[t] = true
            :: skip
            fi;
            word_store(old);
#ifdef BROKEN_COMPLETE_FIRST
            state[t] = WOKEN; guard_unlock();
#else
            guard_unlock(); state[t] = WOKEN;
#endif
            break
        fi
    od;
    atomic { old = 0; t = 0; ok = false }
}

proctype task(byte me)
{
    byte old, i, t;
    bool ok, again, last;
    if
    :: me == 1 -> lock(true)
    :: else
    fi;
    if
    :: !ok -> lock(false)
    :: else
    fi;
    d_step {
        assert(ok && owner_of(word) == me && !freed);
        inside++;
        ok = false;
        refs--;
        last = refs == 0
    };
    d_step { assert(inside == 1); inside-- };
    unlock();
    if
    :: last -> assert(word == 0 && n == 0); freed = true
    :: else
    fi
}

init
{
    atomic { run task(1); run task(2); run task(3) };
    _nr_pr == 1;
    assert(freed && word == 0 && n == 0)
}
