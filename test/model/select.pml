/* SPDX-License-Identifier: MIT */
/*
 * select - one wait with several nodes: exactly one case happens
 *
 * Models src/task/select.c: try_held, line_up_queues, line_up_end, line_up_rest, leave, winner,
 * await.  A task selects over a get from queue 0, a get from queue 1 and the end of a job, with a
 * deadline; others put into each queue and end the job.
 *
 * Holds: one case or the time-out happens; a value is got by the select, or is still in its queue;
 * the end of the job is seen if it is the case; a node that is touched is alive, and none
 * is linked any more when select returns; nobody waits for ever.
 *
 * Left out: weak memory (everything is under guards and the wait word), the first round of tries,
 * which holds nothing; cases that put; how the word is slept on (parker.pml).
 */
#include "common.pmh"

#define CASES 3
#define JOB   2
#define NONE  9

#define IDLE     0
#define WAITING  1
#define CLAIMED  2
#define WOKEN    3
#define TIMEDOUT 4

byte word;
bool guard[CASES], linked[CASES], served[CASES];
bool alive;
byte count[2]; /* values in the queues */
byte value;    /* how many were handed over */
bool ended;    /* the job */

/* ok: this one has won. */
inline claim()
{
#ifdef BROKEN_CLAIM_BY_STORE
    if
    :: word == WAITING -> word = CLAIMED; ok = true
    :: else -> ok = false
    fi
#else
    was = WAITING;
    CAS(ok, word, was, CLAIMED)
#endif
}

proctype putter(byte i)
{
    byte was;
    bool ok;
    LOCK(guard[i]);
    if
    :: linked[i] ->
        assert(alive);
        linked[i] = false;
        claim();
        if
        :: ok -> assert(alive); value++; served[i] = true
        :: else -> count[i]++
        fi
    :: else -> count[i]++
    fi;
    UNLOCK(guard[i]);
    if :: ok -> word = WOKEN :: else fi
}

proctype job()
{
    byte was;
    bool ok;
    LOCK(guard[JOB]);
    ended = true;
    if
    :: linked[JOB] ->
        assert(alive);
        linked[JOB] = false;
        claim();
        if :: ok -> served[JOB] = true :: else fi
    :: else
    fi;
    UNLOCK(guard[JOB]);
    if :: ok -> word = WOKEN :: else fi
}

inline leave(i)
{
#ifndef BROKEN_LEAVES_NODES
    LOCK(guard[i]);
    linked[i] = false;
    UNLOCK(guard[i])
#else
    skip
#endif
}

active proctype task()
{
    byte was, got = NONE;
    bool ok;
    atomic { run putter(0); run putter(1); run job() };
#ifdef BROKEN_ONE_AT_A_TIME
    LOCK(guard[0]);
    if
    :: count[0] > 0 -> count[0]--; got = 0
    :: else -> alive = true; word = WAITING; linked[0] = true
    fi;
    UNLOCK(guard[0]);
    LOCK(guard[1]);
    if
    :: got == NONE && count[1] > 0 -> count[1]--; got = 1; word = IDLE
    :: got == NONE && count[1] == 0 -> linked[1] = true
    :: got != NONE
    fi;
    UNLOCK(guard[1]);
    if :: got == 1 -> leave(0) :: else fi;
#else
    /* Both queues at once, so that nobody claims before all is linked. */
    LOCK(guard[0]);
    LOCK(guard[1]);
    if
    :: count[0] > 0 -> count[0]--; got = 0
    :: count[1] > 0 -> count[1]--; got = 1
    :: count[0] == 0 && count[1] == 0 ->
        alive = true;
        word = WAITING;
        linked[0] = true;
        linked[1] = true
    fi;
    UNLOCK(guard[1]);
    UNLOCK(guard[0]);
#endif
    if
    :: got != NONE
    :: else ->
        /* line_up_rest */
        LOCK(guard[JOB]);
        if
        :: ended -> UNLOCK(guard[JOB]);
#ifdef BROKEN_NO_SELF_CLAIM
            served[JOB] = true; word = WOKEN
#else
            claim();
            if :: ok -> served[JOB] = true; word = WOKEN :: else fi
#endif
        :: else -> linked[JOB] = true; UNLOCK(guard[JOB])
        fi;
        /* park */
        if
        :: word == WOKEN
        :: atomic { word == WAITING -> word = TIMEDOUT }
        fi;
        leave(0);
        leave(1);
        leave(JOB);
        atomic {
            assert(served[0] + served[1] + served[JOB] == (word == WOKEN -> 1 : 0));
            word = IDLE;
            alive = false;
            if
            :: served[0] -> got = 0; value--
            :: served[1] -> got = 1; value--
            :: served[JOB] -> got = JOB; assert(ended)
            :: else
            fi
        }
    fi;
    assert(value == 0 && word == IDLE);
    _nr_pr == 1;
    /* What was not selected is all there. */
    assert(count[0] == (got == 0 -> 0 : 1) && count[1] == (got == 1 -> 0 : 1));
    assert(ended && !linked[0] && !linked[1] && !linked[JOB])
}
