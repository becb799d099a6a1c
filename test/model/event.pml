/* SPDX-License-Identifier: MIT */
/*
 * event - a gate that signal handlers may open, and that waiters may free early
 *
 * Models src/sync/gate.h and gate.c (enter, leave, open, passed, wait, serve_pulse, wait_open) and
 * src/sync/event.c (set, clear).  Two tasks wait, the first with a deadline before.  A thread or a
 * handler, which never blocks, sets the event; whoever gets through last frees the memory.  With TWO
 * another one sets it, too, and nobody frees.  With CLEAR it is set and cleared at once when both are queued.
 *
 * Holds: whoever was in the queue when it was set gets through, although it is cleared at once;
 * nobody touches the memory after it was freed; nobody waits for ever.
 *
 * Left out: weak memory (busy and the word are changed by read-modify-write, and read with
 * acquire), how a wait is decided (parker.pml), how the guard is slept on (guard.pml).
 *
 * also TWO
 * also CLEAR
 */
#include "common.pmh"

#if defined(BROKEN_NO_PULSE)
#define CLEAR
#endif

#define SET     1
#define PULSE   2
#define WAITERS 4

#define HELD     1
#define DEFERRED 2

#define TASKS 2

#define RUNNING  0
#define WAITING  1
#define WOKEN    2
#define TIMEDOUT 3

byte word, guard, busy;
chan queue = [TASKS] of { byte };
byte state[TASKS];
byte through;
bool freed;

#define live assert(!freed)

inline word_cas(new)
{
    d_step { live; if :: word == old -> word = new; ok = true :: else -> old = word; ok = false fi }
}

inline lock_or_defer()
{
    atomic {
        live;
        if
        :: guard == 0 -> guard = HELD; ok = true
        :: else ->
#ifndef BROKEN_NO_MARK
            guard = guard | DEFERRED;
#endif
            ok = false
        fi
    }
}

/* Claims, which are completed after the guard: here at once, which lets the waiter go earlier. */
inline serve()
{
    if
    :: word & PULSE ->
        atomic { live; word = word & ~PULSE };
        do
        :: atomic {
               nempty(queue) ->
               live;
               queue?who;
               if :: state[who] == WAITING -> state[who] = WOKEN :: else fi
           }
        :: empty(queue) -> break
        od
    :: else
    fi;
    if :: empty(queue) -> atomic { live; word = word & ~WAITERS } :: nempty(queue) fi
}

inline leave()
{
    do
    :: serve();
        atomic { live; old = guard; guard = 0 };
        if
        :: old & DEFERRED ->
            lock_or_defer();
            if :: ok :: else -> break fi
        :: else -> break
        fi
    od;
    atomic { live; busy--; old = 0; ok = false; who = 0 }
}

inline enter()
{
    atomic { live; busy++ };
    atomic { guard == 0 -> live; guard = HELD }
}

inline passed()
{
#ifndef BROKEN_NO_BUSY
    atomic { busy == 0 -> live }
#else
    skip
#endif
}

inline set()
{
    atomic { live; old = word };
    do
    :: !(old & WAITERS) ->
        word_cas(old | SET);
        if :: ok -> break :: else fi
    :: else ->
        atomic { live; busy++ };
#ifdef BROKEN_NO_PULSE
        word_cas(old | SET);
#else
        word_cas(old | SET | PULSE);
#endif
        if
        :: ok ->
            lock_or_defer();
            if
            :: ok -> leave()
            :: else -> atomic { live; busy-- }
            fi;
            break
        :: else -> atomic { live; busy-- }
        fi
    od;
    atomic { old = 0; ok = false }
}

proctype setter()
{
    byte old, who;
    bool ok;
#ifdef CLEAR
    state[0] == WAITING && state[1] == WAITING;
    set();
    word = word & ~SET
#else
    set()
#endif
}

/* ok: it got through. */
inline wait(timed)
{
    ok = false;
    atomic { live; old = word };
    if
    :: old & SET -> passed()
    :: else ->
        enter();
        serve();
        atomic { live; old = word };
        do
        :: old & SET -> leave(); passed(); break
        :: else ->
            word_cas(old | WAITERS);
            if
            :: ok ->
                atomic { live; state[me] = WAITING; queue!me };
                leave();
                if
                :: state[me] == WOKEN -> passed()
                :: atomic { timed && state[me] == WAITING -> state[me] = TIMEDOUT };
                    enter();
                    if :: atomic { queue??[eval(me)] -> queue??eval(me) } :: else fi;
                    leave()
                fi;
                break
            :: else
            fi
        od
    fi;
    atomic { ok = state[me] != TIMEDOUT; state[me] = RUNNING; old = 0; who = 0 }
}

proctype waiter(byte me)
{
    byte old, who;
    bool ok;
    if
#ifndef CLEAR
    :: me == 0 -> wait(true)
#endif
    :: else
    fi;
    if
    :: !ok -> wait(false)
    :: else
    fi;
    atomic {
        through++;
#if !defined(TWO) && !defined(CLEAR)
        if :: through == TASKS -> freed = true :: else fi
#endif
    }
}

init
{
    atomic {
        run waiter(0);
        run waiter(1);
#ifdef TWO
        run setter();
#endif
        run setter()
    }
}
