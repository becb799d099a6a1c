/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TASK_TIMER_H
#define HOCKET_TASK_TIMER_H

/*
 * timer - the record of a timer, and the heap of those that are pending
 *
 * One 4-ary heap for all, under the guard of task/timer.c.  Four children are one cache line.  Its
 * entries hold all that order needs, and where each timer is in the heap stands in a table by the
 * timers' numbers: so sifting touches no timer, only two dense arrays.
 *
 * An entry may be too early, never too late.  A timer that is stopped leaves its entry, one that is
 * started for a later time takes it as it is: both touch the timer alone.  An entry that comes up and
 * is not its timer's last start is put right then (settle): moved down, or removed.  So each
 * start pays for one sift at most, soon or when its time would have come, and a timer never has
 * two entries.
 *
 * Making a timer reserves its place and number, so starting one never allocates.  They come in blocks of
 * growing size that are never moved, so no growth holds the guard for long; they go back when no
 * timer is left.
 */
#include <hocket/timer.h>

#include "park/wait.h"
#include "task/bias.h"

struct hocket_timer {
    /* constant */
    hocket_timer_fn *fn;
    void *arg;
    void (*dropped)(void *arg); /* the runtime ends before its time; may be NULL */
    void *owned;                /* goes with it */
    /* under the guard */
    struct hocket__link *stoppers; /* wait for the callback to return */
    uint64_t calls;
    /* under the guard too; start and stop touch no more than these */
    uint64_t missed;
    hocket_time when;         /* it comes, or came */
    hocket_time key;          /* of its entry, if it has one: <= when, if it is armed */
    hocket_time period;       /* 0: once */
    uint32_t start;           /* number of its last start, for equals; it may wrap */
    uint32_t id;              /* constant: its row in the tables */
    uint32_t inner;           /* slot of the task that runs the job of hocket_submit_every */
    _Atomic uint32_t running; /* slot of the task in its callback; graph.c reads it */
    uint8_t how;              /* enum hocket_repeat */
    bool armed;               /* it comes at `when`; then it has an entry */
    bool entered;             /* it has an entry */
    bool late;                /* its time came while the callback ran */
    bool again;               /* a period after the end of the callback */
    bool freed;               /* by its own callback */
    bool overruled;           /* somebody has stopped it since the callback began */
};

/* ---- timer_heap.c; all but reserve under the guard ---- */

/* Room and a number for one more timer; without the guard.  0, -ENOMEM. */
int hocket__timer_reserve(hocket_timer *t, struct hocket__bias *guard);

/* It has no entry.  Gives memory that release frees, without the guard. */
void *hocket__timer_unreserve(hocket_timer *t);
void hocket__timer_release(void *chain);

void hocket__timer_enter(hocket_timer *t, hocket_time when); /* after its equals */
void hocket__timer_withdraw(hocket_timer *t);                /* its entry may stay */
void hocket__timer_remove(hocket_timer *t);                  /* its entry, if it has one */
bool hocket__timer_any(void);                                /* that is armed */

/* Whose entry comes first, NULL: there is none; and its time: nobody's is before. */
hocket_timer *hocket__timer_first(void);
hocket_time hocket__timer_first_key(void);

/* Put entries right from the first one on, some at most.  Is the first one right, or is there none? */
bool hocket__timer_settle(void);

/* ---- timer.c ---- */

/* Is any timer pending? */
bool hocket__timers_pending(void);

/* The task that runs the job of hocket_submit_every is as good as the callback; NULL: it is over. */
void hocket__timer_inner(hocket_timer *t, const hocket_task *task);

#endif
