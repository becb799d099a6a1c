/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SCHED_TIMER_H
#define HOCKET_SCHED_TIMER_H

/*
 * timer - deadlines of parked fibers
 *
 * One pairing heap a worker, intrusive: arming never allocates, so a wait with a deadline
 * cannot fail for want of memory.  Arming is O(1), cancelling O(log n) amortised and
 * O(1) for a timer armed lately.  A timer fires under the guard of its heap, so
 * after hocket__timer_disarm it has fired or never will.
 *
 * Anybody may fire: the owner while it runs, the sleeping worker that keeps time,
 * the monitor when all workers are busy.
 */
#include <hocket/time.h>

#include "park/guard.h"
#include "park/record.h"

struct hocket__timers;

struct hocket__timer {
    hocket_time deadline;
    struct hocket__timer *child, *next, *prev; /* prev of a first child is its parent */
    struct hocket__timers *heap;               /* NULL when not armed; under the guard */
    hocket_task *task;
};

struct hocket__timers {
    hocket__guard guard;
    struct hocket__timer *root;
    _Atomic hocket_time first; /* earliest deadline, FOREVER when empty; read by anybody */
};

void hocket__timers_init(struct hocket__timers *heap);
void hocket__timer_arm(struct hocket__timers *heap, struct hocket__timer *timer, hocket_task *task,
                       hocket_time deadline);
void hocket__timer_disarm(struct hocket__timer *timer, struct hocket__timers *heap);

/* End the waits of all tasks whose deadline is <= now.  How many timers fired. */
unsigned hocket__timers_fire(struct hocket__timers *heap, hocket_time now);

#endif
