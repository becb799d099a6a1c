/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SCHED_QUIET_H
#define HOCKET_SCHED_QUIET_H

/*
 * quiet - the proof that nothing in the whole process will ever go on
 *
 * Every task is parked in a wait without a deadline, every thread of the process is one that the
 * library knows and sees asleep, nothing is queued, no descriptor is watched, no blocking call
 * runs, and the config's `outside` knows of nothing either.  Then whoever could wake a task is
 * asleep himself, and it stays so.
 *
 * Who asks: the monitor, when all workers have been asleep for a moment; without a monitor the
 * thread on the seat, when it has been asleep for a moment.  Both are asked to look again when a
 * thread goes to sleep for ever or ends (hocket__quiet_poke).
 */
#include <hocket/time.h>

#include "base/atomic.h"

#define HOCKET__QUIET_AFTER (100 * HOCKET_MS) /* between two looks, and before the seat's first */

/* A runtime starts, a runtime stops. */
void hocket__quiet_start(void);
void hocket__quiet_stop(void);

/*
 * Look, if it is time to, and call the config's `quiescent` if the proof succeeds (once a runtime).
 * `fresh`: something ran since the last call.  Gives when to call again although nothing ran
 * meanwhile; HOCKET_FOREVER: not before something does.
 */
hocket_time hocket__quiet_turn(bool fresh);

/* A thread went to sleep without a deadline, or ended. */
void hocket__quiet_poke(void);

/* What else the proof needs: false if something may still happen; adds the threads they have. */
bool hocket__blocking_quiet(unsigned *threads);
bool hocket__poll_quiet(unsigned *threads);

#endif
