/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_PARK_GRAPH_H
#define HOCKET_PARK_GRAPH_H

/*
 * graph - who waits for whom: finding a certain cycle before it closes
 *
 * Each wait whose class has a `holder` function is an edge, or several, from the waiter
 * to the tasks that must act before it can go on.  A task that is about to park looks
 * whether the edges lead back to it.
 *
 *   A wait is an edge only if it has no deadline: a timed one ends by itself.
 *   A wait that could be cancelled ends if somebody cancels it, so it
 *   makes a cycle likely, not certain.
 *
 *                                    the closing wait is       the closing wait is
 *                                    cancellable (_until)      a plain lock
 *   all others plain                 -EDEADLK                  panic, naming all
 *   some of the others cancellable   -EDEADLK                  one line of report
 *   some of the others timed         nothing                   nothing
 *
 * Whoever reads the object of another task's wait must know that it still exists.  So the
 * search runs under one lock and says so in hocket__graph_busy; a wait
 * that ends meanwhile (hocket__graph_leave, at the end of hocket__wait_end) waits for the
 * search.  Both sides have a full fence between their store and their load.
 */
#include "park/record.h"

extern _Atomic uint32_t hocket__graph_busy;

/*
 * Would this wait of `self`, begun and published, close a cycle?  Called without guards,
 * before leaving the CPU, for classes with a holder.
 *
 *   0         it would not, or nothing certain is known
 *   -EDEADLK  it would; the wait record is withdrawn, so that the other sides are not told as well
 *
 * Panics as the table says.
 */
int hocket__graph_check(hocket_task *self, hocket_time deadline, bool cancellable);

/*
 * For onlookers: the slot of the index-th task that `task` waits for right now; 0: no further
 * one, nobody in particular, or `try_only` (signal handlers) and a search is going on.
 */
uint32_t hocket__graph_holder(hocket_task *task, unsigned index, bool try_only);

/*
 * Shows the calls of the tasks of a cycle (trace/dump_cycle.c), before the panic that ends it or
 * after the line of report.  The first is the caller.  NULL: nobody does.
 */
extern void (*_Atomic hocket__cycle_hook)(hocket_task *const *tasks, unsigned count);
#define HOCKET__CYCLE_SHOWN 16

void hocket__graph_wait(void);

/* After the wait record was cleared, before its object may die. */
static inline void hocket__graph_leave(void)
{
    hk_fence_sc(); /* pairs with the one in hocket__graph_check */
    if (hk_unlikely(hk_load_acq(&hocket__graph_busy)))
        hocket__graph_wait();
}

#endif
