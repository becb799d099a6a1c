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
    hocket_time when;   /* of the entry in the heap, or past */
    hocket_time period; /* 0: once */
    uint64_t calls, missed;
    struct hocket__link *stoppers; /* wait for the callback to return */
    uint32_t id;                   /* constant: its row in the tables */
    uint8_t how;                   /* enum hocket_repeat */
    bool late;                     /* its time came while the callback ran */
    bool again;                    /* a period after the end of the callback */
    bool freed;                    /* by its own callback */
    bool overruled;                /* somebody has stopped it since the callback began */
    uint32_t inner;                /* slot of the task that runs the job of hocket_submit_every */
    _Atomic uint32_t running;      /* slot of the task in its callback; graph.c reads it */
};

/* ---- timer_heap.c; all but reserve under the guard ---- */

/* Room and a number for one more timer; without the guard.  0, -ENOMEM. */
int hocket__timer_reserve(hocket_timer *t, struct hocket__bias *guard);

/* It is not in the heap.  Gives memory that release frees, without the guard. */
void *hocket__timer_unreserve(hocket_timer *t);
void hocket__timer_release(void *chain);

void hocket__timer_insert(hocket_timer *t); /* at t->when, after its equals */
void hocket__timer_remove(hocket_timer *t);
bool hocket__timer_inserted(const hocket_timer *t);
hocket_timer *hocket__timer_first(void); /* NULL: none is pending */

/* ---- timer.c ---- */

/* Is any timer pending? */
bool hocket__timers_pending(void);

/* The task that runs the job of hocket_submit_every is as good as the callback; NULL: it is over. */
void hocket__timer_inner(hocket_timer *t, const hocket_task *task);

#endif
