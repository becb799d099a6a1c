/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_PARK_GRAPH_H
#define HOCKET_PARK_GRAPH_H

/*
 * graph - who waits for whom, read when a wait with a known holder begins
 */
#include "park/wait.h"

/*
 * Does the wait that `self` has just published close a certain cycle?  0, or -EDEADLK for a wait
 * that may return; panics, naming all sides, for one that may not.
 */
int hocket__graph_check(hocket_task *self, hocket_time deadline, bool cancellable);

/* The record of a wait with a holder was cleared: nobody reads its object when this returns. */
void hocket__graph_leave(void);

#endif
