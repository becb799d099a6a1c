/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TASK_TIMER_H
#define HOCKET_TASK_TIMER_H

/*
 * timer - the record of a timer, and the heap of those that are pending
 *
 * One 4-ary heap for all, under the guard of task/timer.c.  Its entries hold the times, so that sifting
 * reads no record; equals are told apart by the number of their start.  Four children are one cache line.
 *
 * Making a timer reserves its place, so starting one never allocates.  Places come in blocks of growing
 * size that are never moved, so no growth holds the guard for long; they go back when no timer is left.
 */
#include <hocket/timer.h>

#include "park/wait.h"

#define HOCKET__TIMER_NOWHERE UINT32_MAX

struct hocket_timer {
    /* constant */
    hocket_timer_fn *fn;
    void *arg;
    void (*dropped)(void *arg); /* the runtime ends before its time; may be NULL */
    void *owned;                /* goes with it */
    /* under the guard */
    hocket_time when;   /* of the entry in the heap */
    uint64_t number;    /* of its start */
    hocket_time period; /* 0: once */
    uint64_t calls, missed;
    struct hocket__link *stoppers; /* wait for the callback to return */
    uint32_t place;                /* in the heap, or NOWHERE */
    uint8_t how;                   /* enum hocket_repeat */
    bool late;                     /* its time came while the callback ran */
    bool again;                    /* a period after the end of the callback */
    bool freed;                    /* by its own callback */
    bool overruled;                /* somebody has stopped it since the callback began */
    uint32_t inner;                /* slot of the task that runs the job of hocket_submit_every */
    _Atomic uint32_t running;      /* slot of the task in its callback; graph.c reads it */
};

/* ---- timer_heap.c; all but reserve under the guard ---- */

struct hocket__timer_entry {
    hocket_time when;
    hocket_timer *timer;
};

/* The places of one more timer, and of one less; the former is called without the guard. */
int hocket__timer_reserve(hocket__guard *guard);
void *hocket__timer_unreserve(void); /* memory to free without the guard, chained; see release */
void hocket__timer_release(void *chain);

void hocket__timer_insert(hocket_timer *t);
void hocket__timer_remove(hocket_timer *t);
hocket_timer *hocket__timer_first(void); /* NULL: none is pending */

/* ---- timer.c ---- */

/* The task that runs the job of hocket_submit_every is as good as the callback; NULL: it is over. */
void hocket__timer_inner(hocket_timer *t, const hocket_task *task);

#endif
