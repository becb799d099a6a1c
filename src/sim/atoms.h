/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SIM_ATOMS_H
#define HOCKET_SIM_ATOMS_H

/*
 * atoms - in the test build the world chooses also before atomic operations of the library
 *
 * Off unless a test says so, since what users run has no points.  Random and PCT, and replays of
 * what they found (a file of choices does not say it: switch it on for them, too); the exhaustive
 * search and sweeps stay with the events.
 *
 * A point is a place of the task that comes to it (world.c), be it under a guard, between claim and
 * complete or between wait_begin and the park: who is sent off there is kept by the world and in no
 * run queue, and who spins for it (HOCKET_POINT_YIELD) yields.  No place is a point where nobody
 * else could run, were all tasks on one worker:
 *
 *   loop        no task runs: the scheduler takes the next one, fires timers, makes stacks.  Nor while a
 *               task is over, FINISHED: its record is somebody else's from there on
 *   src/sched   the owner's side of the run queue and of the worker (by address, too: the heap of timers and
 *               its guard, which the loop takes)
 *   alone       records and ids that a worker keeps, and onlookers, who run inside of an event:
 *               HOCKET_POINT_ALONE
 *   src/sim, src/sys, park/watch.c   the world, the machine, and which onlookers there are
 *   waits, wakes, fences   have a place of their own, or another one behind them
 *
 * The thread that starts and stops the runtime has no places here; where it spins on a guard of a task
 * that was sent off, tasks run.
 *
 * What one OS thread may do without locked instructions is not given to any (queue/solo.h,
 * task/bias.h): here every task would be that thread.  All of this the explorer has, with threads.
 *
 * The clock stands still at points, and near deadlines pass at fewer of them, or else every wait
 * would time out: an atomic operation takes a nanosecond.
 */
#include <stdbool.h>

#ifdef HOCKET_TEST_POINTS
extern bool hocket__sim_atoms; /* for the runs that begin from now on */
#define SIM_ATOMS hocket__sim_atoms
#else
#define SIM_ATOMS false
#endif

void hocket__sim_atoms_open(void); /* in a run, behind the rest of the world */

#endif
