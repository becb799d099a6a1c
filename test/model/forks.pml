/* SPDX-License-Identifier: MIT */
/*
 * forks - branches in the caller's frame: the task pushes and pops without a fence, thieves by force
 *
 * Models src/task/fork.c: push, hocket_sync, sync_general, wait_for, oldest, take, any_left, rob,
 * branch_end, promote.  A task forks two branches, syncs them in turn, and forks and syncs a third; a
 * thief comes twice.
 *
 * Holds: each branch is called exactly once, and has ended when its sync returns; nobody waits for ever.
 *
 * Weak memory: the task's stores to `newest`, and what links a branch, are buffered (common.pmh); the
 * thief executes locked instructions and fences.  Left out: FENCED, answers to ASKED (they are
 * takes under the guard by the task itself: promote, here now and then before a sync), scopes.
 *
 * also PROMOTE
 */
#include "common.pmh"

#define BASE     0
#define BRANCHES 3
#define THIEF    1

#define FREE   0
#define TAKEN  1
#define WAITED 2
#define ENDED  3

byte newest = BASE, taken = BASE, attention;
byte older[BRANCHES + 1], newer[BRANCHES + 1], state[BRANCHES + 1];
bool guard, woken;
byte calls[BRANCHES + 1];
bool linked[BRANCHES + 1]; /* a branch is whole before `newest` names it: a release */
byte tasks;                /* made of branches and not yet begun, one bit each */

/* The stores of the task to `newest`. */
chan flags = [4] of { byte };
byte mine = BASE; /* what the task itself reads */

active proctype memory()
{
end:
    do
    :: atomic { nempty(flags) -> flags?newest }
    od
}

inline store(b)
{
    atomic { mine = b; flags!b }
}

inline fence()
{
    atomic { empty(flags) -> skip }
}

/* Under the guard; 0: none. */
inline oldest(b, now)
{
    b = now;
    if
    :: b == taken || (taken != BASE && b == older[taken]) -> b = 0
    :: else -> b = newer[taken]
    fi
}

inline take(b)
{
    assert(linked[b] && state[b] == FREE);
    state[b] = TAKEN;
    taken = b;
    tasks = tasks | (1 << b)
}

inline end_branch(b)
{
    LOCK(guard);
    XCHG(was, state[b], ENDED);
    UNLOCK(guard);
    if :: was == WAITED -> woken = true :: else fi
}

/* Whoever runs tasks. */
active proctype worker()
{
    byte b, was;
end:
    do
    :: atomic {
           tasks != 0 ->
           if
           :: tasks & 2 -> b = 1
           :: tasks & 4 -> b = 2
           :: tasks & 8 -> b = 3
           fi;
           tasks = tasks & ~(1 << b)
       };
       calls[b]++;
       end_branch(b)
    od
}

proctype thief(byte times)
{
    byte b;
    do
    :: times > 0 ->
        times--;
        if
        :: newest != taken ->
            /* A trylock of the guard. */
            if
            :: atomic { !guard -> guard = true };
                attention = attention | THIEF;
#ifndef BROKEN_NO_MEMBARRIER
                fence();
#endif
                oldest(b, newest);
                if :: b != 0 -> take(b) :: else fi;
                attention = attention & ~THIEF;
                UNLOCK(guard)
            :: guard
            fi
        :: else
        fi;
        b = 0
    :: else -> break
    od
}

inline fork(b)
{
    atomic { older[b] = mine; newer[mine] = b; linked[b] = true; state[b] = FREE };
    store(b)
}

inline promote()
{
    LOCK(guard);
    fence();
    oldest(b, mine);
    if :: b != 0 -> take(b) :: else fi;
    UNLOCK(guard);
    b = 0
}

inline call(b)
{
    assert(state[b] == FREE);
    calls[b]++
}

inline sync_general(i)
{
    /* The guard's CAS is a fence. */
    atomic { !guard && empty(flags) -> guard = true };
    if
    :: taken != i -> store(older[i]); fence(); UNLOCK(guard); call(i)
    :: else ->
        UNLOCK(guard);
        was = TAKEN;
        woken = false;
        CAS(ok, state[i], was, WAITED);
        if :: ok -> woken :: else fi;
        assert(state[i] == ENDED);
        atomic { !guard && empty(flags) -> guard = true };
        taken = older[i];
        store(older[i]);
        fence();
        UNLOCK(guard)
    fi
}

inline sync(i)
{
    if
    :: !(attention & THIEF) ->
        store(older[i]);
#ifdef BROKEN_NO_LOOK_AT_THIEF
        if
        :: taken != i -> call(i)
#else
        if
        :: !(attention & THIEF) ->
            /* Two loads, and the thief may come between them. */
            if
#ifdef BROKEN_NO_LOOK_AT_TAKEN
            :: true -> call(i)
#else
            :: taken != i -> call(i)
            :: taken == i -> store(i); sync_general(i)
#endif
            fi
#endif
        :: else -> store(i); sync_general(i)
        fi
    :: else -> sync_general(i)
    fi;
    assert(calls[i] == 1)
}

active proctype task()
{
    byte b, was;
    bool ok;
    run thief(2);
    fork(1);
    fork(2);
#ifdef PROMOTE
    if :: promote() :: skip fi;
#endif
    sync(2);
    fork(3);
    sync(3);
    sync(1);
    assert(mine == BASE && taken == BASE)
}
