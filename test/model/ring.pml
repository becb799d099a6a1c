/* SPDX-License-Identifier: MIT */
/*
 * ring - the bounded queue: cells with stamps while nobody waits, the guard and SLOW when somebody does
 *
 * Models src/queue/ring.h (put, get, slow, fast, count, push, take) and what src/queue/queue.c
 * builds on it (hold, let_go, put_held, get_held, wait_in) and close of queue_life.c.  Positions
 * and stamps are as in C: 4 a position, bit 0 of a word is SLOW.  Two producers put three values
 * into a ring of one cell and a consumer gets them; with CAPACITY2 it is one producer, two cells and
 * two consumers; with CLOSE somebody closes the queue at any time.
 *
 * Holds: no value lost, doubled or torn; each producer's in order; "full" and "empty" are said
 * only if it was so at some moment of the call; after close returned no put succeeds; nobody waits
 * for ever.
 *
 * Left out: SOLO (solo.pml); several values at once; how a wait is decided (parker.pml), here
 * one step; weak memory: a cell's value is stored before its stamp is released and loaded after its stamp
 * is acquired, and the words are changed by locked instructions or while SLOW keeps others off.
 *
 * also CLOSE
 * also CAPACITY2
 */
#include "common.pmh"

#ifdef CAPACITY2
#define CAPACITY 2
#else
#define CAPACITY 1
#endif
#define SLOW 1
#define STEP 4
#define LAP  (STEP * CAPACITY)
#define cell(p)  (((p) / STEP) % CAPACITY)
#define count()  (((T & ~SLOW) - (H & ~SLOW)) / STEP)

#define DONE 0
#define NOT  1
#define SEE  2
#define PIPE 3

#define CALLERS 4
#define VALUES  3

byte T, H, stamp[CAPACITY], value[CAPACITY];
bool guard, closed;
chan getters = [CALLERS] of { byte };
chan putters = [CALLERS] of { byte };
byte datum[CALLERS];
byte served[CALLERS]; /* of the node: DONE, PIPE, or SEE: it waits */

bool saw_full[CALLERS], saw_empty[CALLERS], told_closed;
byte put_count, got_count, last[2]; /* of each producer: the number got last */

inline witness()
{
    if :: count() == CAPACITY -> saw_full[0] = true; saw_full[1] = true :: else fi;
    if :: count() == 0 -> saw_empty[2] = true; saw_empty[3] = true :: else fi
}

/* ---- ring.h ---- */

inline ring_put()
{
    atomic { word = T; saw_full[me] = count() == CAPACITY };
    do
    :: word & SLOW -> result = SEE; break
    :: !(word & SLOW) && stamp[cell(word)] == word ->
        atomic {
            CAS(ok, T, word, word + STEP);
            if :: ok -> witness() :: else fi
        };
        if
        :: ok ->
#ifdef BROKEN_STAMP_FIRST
            stamp[cell(word)] = word + 1;
            value[cell(word)] = v;
#else
            value[cell(word)] = v;
            stamp[cell(word)] = word + 1;
#endif
            result = DONE; break
        :: else
        fi
    :: !(word & SLOW) && stamp[cell(word)] != word ->
        other = H;
        again = T;
        if
        :: again == word && (other & ~SLOW) + LAP == word ->
            assert(saw_full[me]);
            result = NOT; break
        :: again == word && (other & ~SLOW) + LAP != word -> result = SEE; break
        :: again != word -> word = again
        fi
    od
}

inline ring_get()
{
    atomic { word = H; saw_empty[me] = count() == 0 };
    do
    :: word & SLOW -> result = SEE; break
    :: !(word & SLOW) && stamp[cell(word)] == word + 1 ->
        atomic {
            CAS(ok, H, word, word + STEP);
            if :: ok -> witness() :: else fi
        };
        if
        :: ok ->
            v = value[cell(word)];
            stamp[cell(word)] = word + LAP;
            result = DONE; break
        :: else
        fi
    :: !(word & SLOW) && stamp[cell(word)] != word + 1 ->
        other = T;
        again = H;
        if
        :: again == word && other == word ->
            assert(saw_empty[me]);
            result = NOT; break
        :: again == word && other != word -> result = SEE; break
        :: again != word -> word = again
        fi
    od
}

inline ring_push(x)
{
    word = T & ~SLOW;
#ifndef BROKEN_NO_AWAIT
    stamp[cell(word)] == word;
#endif
    value[cell(word)] = x;
    stamp[cell(word)] = word + 1;
    atomic { T = (word + STEP) | SLOW; witness() }
}

inline ring_take()
{
    word = H & ~SLOW;
    stamp[cell(word)] == word + 1;
    v = value[cell(word)];
    stamp[cell(word)] = word + LAP;
    atomic { H = (word + STEP) | SLOW; witness() }
}

/* ---- queue.c ---- */

inline hold()
{
    LOCK(guard);
    if
    :: !(T & SLOW) ->
#ifndef BROKEN_HEAD_ALONE
        T = T | SLOW;
#endif
        H = H | SLOW
    :: else
    fi
}

inline let_go()
{
    if
    :: !closed && empty(getters) && empty(putters) ->
        T = T & ~SLOW;
        H = H & ~SLOW
    :: closed || nempty(getters) || nempty(putters)
    fi;
    atomic { UNLOCK(guard); word = 0 }
}

inline put()
{
    ring_put();
    atomic { word = 0; other = 0; again = 0; ok = false };
    if
    :: result == DONE
    :: else ->
        hold();
        if
        :: closed -> result = PIPE; let_go()
        :: !closed && nempty(getters) ->
            getters?who;
            datum[who] = v;
            let_go();
            atomic { served[who] = DONE; datum[me] = 0; who = 0 };
            result = DONE
        :: !closed && empty(getters) && count() >= CAPACITY ->
            datum[me] = v;
            served[me] = SEE;
            putters!me;
            let_go();
            served[me] != SEE;
            result = served[me]
        :: !closed && empty(getters) && count() < CAPACITY ->
            ring_push(v);
            let_go();
            result = DONE
        fi
    fi
}

inline get()
{
    ring_get();
    atomic { word = 0; other = 0; again = 0; ok = false };
    if
    :: result == DONE
    :: else ->
        hold();
        if
        :: count() == 0 && closed -> result = PIPE; let_go()
        :: count() == 0 && !closed ->
            served[me] = SEE;
            getters!me;
            let_go();
            served[me] != SEE;
            result = served[me];
            atomic { v = datum[me]; datum[me] = 0 }
        :: count() > 0 ->
            ring_take();
            if
            :: nempty(putters) ->
                putters?who;
#ifdef BROKEN_PUTTER_FORGOTTEN
                skip;
#else
                ring_push(datum[who]);
#endif
                let_go();
                atomic { served[who] = DONE; datum[who] = 0; who = 0 }
            :: empty(putters) -> let_go()
            fi;
            result = DONE
        fi
    fi
}

proctype producer(byte me, values)
{
    byte word, other, again, v, who, result;
    bool ok, late;
    v = me * 4;
    do
    :: values > 0 ->
        values--;
        v++;
        late = told_closed;
        put();
        if
        :: result == DONE -> assert(!late); put_count++
        :: else -> assert(result == PIPE && closed); break
        fi
    :: else -> break
    od
}

proctype consumer(byte me, values)
{
    byte word, other, again, v, who, result;
    bool ok;
    do
#ifdef CLOSE
    :: get();
#else
    :: values > 0 ->
        values--;
        get();
#endif
        if
        :: result == DONE ->
            /* Each one once; of one producer in order, as far as one consumer can tell. */
            atomic {
                assert((v & 3) != 0);
                got_count++;
#ifdef CAPACITY2
                last[v / 4] = last[v / 4] + 1; /* two consumers: only that each was there */
#else
                assert((v & 3) == last[v / 4] + 1);
                last[v / 4] = v & 3;
#endif
                v = 0;
                served[me] = DONE
            }
        :: else -> break
        fi
#ifndef CLOSE
    :: else -> break
#endif
    od
}

#ifdef CLOSE
proctype closer()
{
    byte word, who;
    hold();
    closed = true;
    do
    :: nempty(getters) -> getters?who; served[who] = PIPE
    :: nempty(putters) -> putters?who; served[who] = PIPE
    :: empty(getters) && empty(putters) -> break
    od;
    let_go();
    told_closed = true
}
#endif

init
{
    atomic {
#ifdef CAPACITY2
        stamp[1] = STEP;
#endif
#ifdef CAPACITY2
        run producer(0, 3);
        run consumer(2, 1);
        run consumer(3, 2)
#else
#ifdef CLOSE
        run producer(0, 2);
        run closer();
#else
        run producer(0, 2);
        run producer(1, 1);
#endif
        run consumer(2, VALUES)
#endif
    };
    _nr_pr == 1;
    assert(got_count == put_count);
    assert(count() == 0)
}
