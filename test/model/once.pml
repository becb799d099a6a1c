/* SPDX-License-Identifier: MIT */
/*
 * once - run by one, again by the next if it fails, done for ever
 *
 * Models src/sync/once.c: hocket_once_do, enter, finish.  Three tasks; the function may fail
 * for the first two of them; one may give up waiting.
 *
 * Holds: one runner at a time, who is named by the word; nobody returns 0 before it is done; nobody
 * runs it after that; nobody waits for ever.
 *
 * Left out: weak memory (DONE is released and acquired), how a wait is decided (parker.pml).
 */
#include "common.pmh"

#define TASKS 3
#define DONE  9

#define RUNNING  0
#define WAITING  1
#define CLAIMED  2
#define WOKEN    3
#define TIMEDOUT 4

byte word;
bool guard;
chan queue = [TASKS] of { byte };
byte state[TASKS + 1];
bool served[TASKS + 1]; /* it runs it next */
byte inside;
bool finished;

inline claim_first()
{
    who = 0;
    do
    :: atomic {
           nempty(queue) -> queue?who;
           if :: state[who] == WAITING -> state[who] = CLAIMED; break :: else -> who = 0 fi
       }
    :: empty(queue) -> break
    od
}

inline finish(good)
{
    LOCK(guard);
    claim_first();
    if
#ifdef BROKEN_LEAVES_WAITERS
    :: !good -> word = 0; UNLOCK(guard); if :: who != 0 -> state[who] = WAITING; :: else fi
#else
    :: !good && who != 0 ->
        served[who] = true;
        word = who;
        UNLOCK(guard);
        state[who] = WOKEN
#endif
    :: else ->
        word = (good -> DONE : 0);
        /* All that were there by now; each is completed after the guard in C, which changes nothing here. */
        do
        :: who != 0 -> state[who] = WOKEN; claim_first()
        :: else -> break
        od;
        UNLOCK(guard)
    fi
}

proctype task(byte me)
{
    byte who;
    bool runs, good;
    do
    :: word == DONE -> assert(finished); break
    :: else ->
#ifdef BROKEN_LOOK_ONCE
        if
        :: word == DONE -> UNLOCK(guard)
        :: else -> word = me; runs = true
        fi;
        LOCK(guard);
        UNLOCK(guard);
#else
        LOCK(guard);
        if
        :: word == DONE -> UNLOCK(guard)
        :: word == 0 -> word = me; UNLOCK(guard); runs = true
        :: else ->
            state[me] = WAITING;
            served[me] = false;
            queue!me;
            UNLOCK(guard);
            if
            :: state[me] == WOKEN -> runs = served[me]
            :: atomic { me == 3 && state[me] == WAITING -> state[me] = TIMEDOUT };
                LOCK(guard);
                if :: queue??[eval(me)] -> queue??eval(me) :: else fi;
                UNLOCK(guard);
                break
            fi;
            state[me] = RUNNING
        fi;
#endif
        if
        :: runs ->
            atomic { inside++; assert(inside == 1 && !finished && word == me) };
            if
            :: good = true
            :: me < 3 -> good = false
            fi;
            if :: good -> finished = true :: else fi;
            inside--;
            finish(good);
            break
        :: else -> assert(finished); break
        fi
    od
}

init
{
    atomic { run task(1); run task(2); run task(3) };
    _nr_pr == 1;
    assert(word == DONE || word == 0);
    assert((word == DONE) == finished && empty(queue))
}
