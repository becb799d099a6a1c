/* SPDX-License-Identifier: MIT */
/*
 * guard - the small lock inside every object, and work left to its holder
 *
 * Models src/park/guard.h and guard.c.  Three threads take the guard; a signal handler, or
 * somebody else who must not block, leaves work by hocket__guard_lock_or_defer; who unlocks does it.
 *
 * Holds: one holder at a time; nobody sleeps for ever; work that was left is done.
 *
 * Left out: weak memory (every change of the word is a read-modify-write), the child of a fork.
 */
#include "common.pmh"

#define HELD     1
#define SLEEPERS 2
#define DEFERRED 4

#define THREADS 3

byte word;
bool asleep[THREADS];
byte inside;
byte left, done; /* pieces of work */

inline trylock()
{
    old = 0;
    CAS(ok, word, old, HELD)
}

/* One more try stands for all turns of spinning. */
inline lock()
{
    trylock();
    if :: !ok -> trylock() :: else fi;
    do
    :: ok -> break
    :: else ->
        old = word;
        if
        :: old == 0 ->
#ifdef BROKEN_NO_MARK
            CAS(ok, word, old, HELD)
#else
            CAS(ok, word, old, HELD | SLEEPERS)
#endif
        :: else ->
            marked = old | SLEEPERS;
            ok = true;
            if :: old != marked -> CAS(ok, word, old, marked) :: else fi;
            if
            :: ok ->
#ifdef BROKEN_SLEEP_WITHOUT_LOOK
                asleep[me] = true;
#else
                FUTEX_SLEEP(word, marked, asleep[me]);
#endif
                !asleep[me];
                ok = false
            :: else
            fi
        fi
    od
}

/* ok: work was left. */
inline unlock()
{
    XCHG(old, word, 0);
    if
    :: old & SLEEPERS ->
        if
        :: asleep[0] -> asleep[0] = false
        :: asleep[1] -> asleep[1] = false
        :: asleep[2] -> asleep[2] = false
        :: !asleep[0] && !asleep[1] && !asleep[2]
        fi
    :: else
    fi;
#ifdef BROKEN_FORGETS_WORK
    ok = false
#else
    ok = (old & DEFERRED) != 0
#endif
}

inline lock_or_defer()
{
    old = word;
    do
    :: old == 0 ->
        CAS(ok, word, old, HELD);
        if :: ok -> break :: else fi
    :: else ->
        CAS(ok, word, old, old | DEFERRED);
        if :: ok -> ok = false; break :: else fi
    od
}

/* Inside: serve what was left so far; then unlock, and again while something was left. */
inline serve_and_leave()
{
    do
    :: atomic { inside++; assert(inside == 1) };
        done = left;
        inside--;
        unlock();
        if
        :: ok ->
            lock_or_defer();
            if :: ok :: else -> break fi
        :: else -> break
        fi
    od
}

proctype thread(byte me, rounds)
{
    byte old, marked;
    bool ok;
    do
    :: rounds > 0 -> rounds--; lock(); serve_and_leave(); atomic { old = 0; marked = 0; ok = false }
    :: else -> break
    od
}

proctype handler()
{
    byte old;
    bool ok;
    left++;
    lock_or_defer();
    if :: ok -> serve_and_leave() :: else fi
}

init
{
    atomic { run thread(0, 1); run thread(1, 1); run thread(2, 1); run handler() };
    _nr_pr == 1;
    assert(word == 0 && done == left)
}
