/* SPDX-License-Identifier: MIT */
/*
 * rwlock - many readers or one writer: word, queue and hand-over
 *
 * Models src/sync/rwlock.c: try_read, try_write, try_or_mark, wait_for, leave_queue, claim_next,
 * hand_over, unlock.  Two readers and a writer come once each, with TWO_WRITERS a reader and two
 * writers; the first writer, with READER_GIVES_UP the first reader, has a deadline first.  A
 * writer that comes last frees the memory.
 *
 * Holds: a writer is alone; the word says who is inside; no waiter stays behind; nobody touches the
 * memory after it was freed; in the end the word is 0.
 *
 * Left out: weak memory (the word is changed by acquiring and releasing read-modify-write, or by a
 * store while one task alone holds it and the guard); reading again while one reads; the guard
 * (guard.pml); how a wait is decided (parker.pml), here one step.
 *
 * also READER_GIVES_UP
 * also TWO_WRITERS
 * also TWO_WRITERS READER_GIVES_UP
 */
#include "common.pmh"

#ifdef BROKEN_CLEARS_MARK
#define TWO_WRITERS
#endif

#define TASKS   4 /* 1, 2 read, 3, 4 write */
#define COUNT   7
#define WRITER  8
#define WAITERS 16
#define reads(t) ((t) <= 2)

#define RUNNING  0
#define WAITING  1
#define WOKEN    2
#define TIMEDOUT 3
#define CLAIMED  4

#ifdef READER_GIVES_UP
#define IMPATIENT 1
#else
#define IMPATIENT 3
#endif

byte word;
bool guard;
chan queue = [TASKS] of { byte };
byte state[TASKS + 1];
byte readers, writers, refs = 3;
bool freed;

#define live assert(!freed)

inline word_load()
{
    atomic { live; old = word }
}

inline word_cas(new)
{
    atomic { live; if :: word == old -> word = new; ok = true :: else -> old = word; ok = false fi }
}

inline try()
{
    ok = false;
    word_load();
    do
    :: reads(me) && !ok && !(old & WRITER) && !(old & WAITERS) -> word_cas(old + 1)
    :: !reads(me) && !ok && old == 0 -> word_cas(WRITER | me)
    :: else -> break
    od
}

/* Readers at the front; `next` counts those that were claimed. */
inline claim_readers()
{
    do
    :: atomic {
           queue?[1] || queue?[2] -> queue?who;
           if
           :: state[who] == WAITING -> state[who] = CLAIMED; claims = claims | (1 << who); next++
           :: else
           fi
       }
    :: !(queue?[1] || queue?[2]) -> break
    od
}
inline wake_claimed()
{
    atomic {
        for (who : 1 .. TASKS) {
            if :: claims & (1 << who) -> state[who] = WOKEN :: else fi
        }
        claims = 0;
        who = 0
    }
}

inline leave_queue()
{
    LOCK(guard);
    atomic { if :: queue??[eval(me)] -> queue??eval(me) :: !queue??[eval(me)] fi };
    next = 0;
    if
    :: !(word & WRITER) ->
        claim_readers();
        atomic { live; word = word + next }
    :: else
    fi;
#ifdef BROKEN_CLEARS_MARK
    atomic { live; word = word & ~WAITERS };
#else
    if :: empty(queue) -> atomic { live; word = word & ~WAITERS } :: nempty(queue) fi;
#endif
    atomic { live; UNLOCK(guard) };
    wake_claimed()
}

inline claim_next()
{
    next = 0;
    do
    :: empty(queue) -> break
    :: nempty(queue) ->
        claim_readers();
        if
        :: next != 0 -> break
        :: else ->
            if
            :: atomic {
                   queue?[3] || queue?[4] -> queue?who;
                   if
                   :: state[who] == WAITING ->
                       state[who] = CLAIMED;
                       claims = claims | (1 << who);
                       next = WRITER | who;
                       break
                   :: else
                   fi
               }
            :: empty(queue) -> break
            fi
        fi
    od;
    if
    :: next != 0 && nempty(queue) -> next = next | WAITERS
    :: next == 0 || empty(queue)
    fi
}

/* ok: given up. */
inline hand_over()
{
    LOCK(guard);
    word_load();
    kept = old & ~WAITERS;
    if
    :: !(old & WAITERS) || (!(old & WRITER) && (old & COUNT) != 1) -> ok = false
    :: else ->
        word_cas(WRITER | me | WAITERS)
    fi;
    if
    :: ok ->
        claim_next();
        atomic {
            live;
            ok = next != 0;
            word = (next != 0 -> next : kept)
        };
            atomic { live; UNLOCK(guard) };
        wake_claimed()
    :: else -> atomic { live; UNLOCK(guard) }
    fi
}

inline lock(timed)
{
    try();
    if
    :: ok
    :: else ->
        LOCK(guard);
        do
        :: try();
            if :: ok -> break :: else fi;
            word_load();
            if :: old & WAITERS -> break :: else fi;
            if
            :: old != 0 && (!reads(me) || (old & WRITER)) ->
#ifdef BROKEN_NO_MARK
                ok = true;
#else
                word_cas(old | WAITERS);
#endif
                if :: ok -> ok = false; break :: else fi
            :: else
            fi
        od;
        if
        :: ok -> atomic { live; UNLOCK(guard) }
        :: else ->
            atomic { state[me] = WAITING; queue!me };
            atomic { live; UNLOCK(guard) };
            if
            :: state[me] == WOKEN
            :: atomic { timed && state[me] == WAITING -> state[me] = TIMEDOUT };
                leave_queue()
            fi;
            ok = state[me] == WOKEN;
            state[me] = RUNNING
        fi
    fi;
    atomic { old = 0; next = 0; who = 0 }
}

inline unlock()
{
    word_load();
    do
    :: (old & WAITERS) && ((old & WRITER) || (old & COUNT) == 1) ->
        hand_over();
        if :: ok -> break :: else fi;
        word_load()
    :: else ->
        if :: old & WRITER -> next = old & WAITERS :: else -> next = old - 1 fi;
        word_cas(next);
        if :: ok -> break :: else fi
    od;
    atomic { old = 0; next = 0; kept = 0; ok = false }
}

proctype task(byte me)
{
    byte old, next, kept, who, claims;
    bool ok, last;
    if
    :: me == IMPATIENT -> lock(true)
    :: else
    fi;
    if
    :: !ok -> lock(false)
    :: else
    fi;
    atomic {
        assert(ok && !freed);
        ok = false;
        if
        :: reads(me) -> readers++; assert(writers == 0 && !(word & WRITER))
        :: else -> writers++; assert(writers == 1 && readers == 0 && (word & COUNT) == me)
        fi;
        refs--;
        last = refs == 0 && !reads(me)
    };
    atomic { if :: reads(me) -> readers-- :: else -> writers-- fi };
    unlock();
    if
    :: last -> atomic { assert(word == 0 && empty(queue)); freed = true }
    :: else
    fi
}

init
{
#ifdef TWO_WRITERS
    atomic { run task(1); run task(3); run task(4) };
#else
    atomic { run task(1); run task(2); run task(3) };
#endif
    _nr_pr == 1;
    assert(word == 0 && empty(queue))
}
