/* SPDX-License-Identifier: MIT */
/*
 * sleep - how workers sleep and wake
 *
 * Models src/sched/sleep.c (wake_one, wake_worker, sleep) and of src/sched/idle.c what leads there:
 * take_injected, search_or_sleep, not_searching.  A worker; a thread that injects two tasks one
 * after the other, another one that injects one.  With DRIVER: two workers and one task, and the
 * first worker is driven by a thread whose wait ends at some time, so that it leaves, and the
 * second must do what is left.
 *
 * Holds: when nothing moves any more every task has run, and the counts of sleepers and searchers
 * are right.
 *
 * Weak memory: an injection is a seq_cst CAS followed by a seq_cst load of `sleeping`, a sleeper has
 * a fence between its own word and the look, so each is one step here, in order; BROKEN_EARLY_LOOK
 * shows what a load that overtakes the CAS would do.  Left out: stealing, asking for branches,
 * timers, tasks queued locally (their owner is up), the monitor.
 *
 * also DRIVER
 */
#include "common.pmh"

#define WORKERS 2
#ifdef BROKEN_LEAVES_IT
#define DRIVER
#endif
#ifdef DRIVER
#define TASKS 1
#else
#define TASKS 3
#endif

#define AWAKE    0
#define ASLEEP   1
#define NOTIFIED 2

byte inject, sleeping, searching, ran;
bool idle[WORKERS]; /* bits of idle_mask */
byte sleep[WORKERS];
bool in_futex[WORKERS];
bool over; /* the wait of the thread that drives worker 0 is decided */

inline wake_worker(w)
{
    XCHG(was, sleep[w], NOTIFIED);
    if
    :: was == ASLEEP -> FUTEX_WAKE(in_futex[w])
    :: else
    fi
}

/* won: the bit was set, and no longer is. */
inline idle_clear(w)
{
    atomic { won = idle[w]; idle[w] = false };
    if
    :: won -> sleeping--
    :: else
    fi
}

inline wake_one_if(asleep)
{
    do
    :: none = 0;
        won = false;
        if
        :: (asleep) != 0 -> CAS(won, searching, none, 1)
        :: else
        fi;
        if
        :: !won -> break
        :: else
        fi;
        won = false;
        do
        :: !won && idle[0] -> idle_clear(0); if :: won -> wake_worker(0) :: else fi
        :: !won && idle[1] -> idle_clear(1); if :: won -> wake_worker(1) :: else fi
        :: won || (!idle[0] && !idle[1]) -> break
        od;
        if
        :: won -> break
        :: else
        fi;
        searching--;
#ifdef BROKEN_NO_SECOND_LOOK
        break
#else
        if
        :: inject > 0 && (idle[0] || idle[1])
        :: else -> break
        fi
#endif
    od
}

proctype injector(byte n)
{
    byte was, none, seen;
    bool won;
    do
    :: n > 0 ->
        n--;
#ifdef BROKEN_EARLY_LOOK
        seen = sleeping;
        inject++;
        wake_one_if(seen)
#else
        inject++;
        wake_one_if(sleeping)
#endif
    :: else -> break
    od
}

proctype decider()
{
    byte was;
    over = true;
    wake_worker(0)
}

inline take_injected()
{
    atomic { found = inject; inject = 0 };
    mine = mine + found
}

inline not_searching(ends)
{
    if
    :: woken -> woken = false; searching--
    :: else
    fi;
#ifndef BROKEN_LEAVES_IT
    if :: ends && inject > 0 -> wake_one_if(sleeping) :: else fi
#endif
}

inline search_or_sleep()
{
    counted = searching * 2 < WORKERS;
    if :: counted -> searching++ :: else fi;
    was_woken = woken;
    woken = false;
    if
    :: was_woken ->
        if :: counted -> searching-- :: else fi;
        counted = true
    :: else
    fi;
    found = 0;
    if :: counted -> take_injected() :: else fi;
    if
    :: counted ->
        searching--;
        if
        :: found > 0 && (mine > 1 || inject > 0) -> wake_one_if(sleeping)
        :: else
        fi
    :: else
    fi;
    if
    :: found == 0 && !(me == 0 && over) ->
        sleep[me] = ASLEEP;
        sleeping++;
        idle[me] = true;
        if
#ifndef BROKEN_NO_LOOK
        :: inject > 0 || (me == 0 && over)
#endif
        :: else ->
            FUTEX_SLEEP(sleep[me], ASLEEP, in_futex[me]);
end:        !in_futex[me]
        fi;
        idle_clear(me);
        woken = !won;
        sleep[me] = AWAKE
    :: else
    fi
}

proctype worker(byte me)
{
    byte was, none, found, mine;
    bool won, woken, was_woken, counted;
    do
    :: me == 0 && over -> not_searching(true); break
    :: else ->
        if
        :: mine == 0 -> take_injected()
        :: else
        fi;
        if
        :: mine > 0 -> not_searching(false); mine--; ran++
        :: else -> search_or_sleep()
        fi;
        atomic { was = 0; none = 0; found = 0; won = false; was_woken = false; counted = false }
    od;
    /* Its own tasks are for whoever takes the seat next. */
    ran = ran + mine
}

active proctype judge()
{
    timeout;
    assert(ran == TASKS && inject == 0);
    assert(searching == 0);
    assert(sleeping == idle[0] + idle[1])
}

init
{
#ifdef DRIVER
    atomic { run worker(0); run worker(1); run injector(1); run decider() }
#else
    atomic { run worker(1); run injector(2); run injector(1) }
#endif
}
