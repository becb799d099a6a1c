/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_PARK_WORLD_H
#define HOCKET_PARK_WORLD_H

/*
 * world - the seam for the simulated world (src/sim)
 *
 * In a world everything runs on one OS thread without workers, on the seat of whoever waits, and
 * the world says which ready task goes on: in its slot of park/watch.h it may let others run
 * before an event returns, and the scheduler asks it wherever it would take from a run queue.
 *
 * A task that is sent off the CPU in an event is in no run queue, since it may be about to wait: who
 * claims it then chains it by the very links that a queue would use.  The world keeps it.
 *
 * `hocket__world` is set before the runtime starts and while no other thread uses the library, and
 * stays for the life of the process; so it is no atomic.  Without a world each use costs a load of a
 * line that is never written and a branch not taken.
 */
#include "base/atomic.h"

struct hocket_task;
struct hocket__worker;

struct hocket__world {
    /* A task that is ready, taken out of the worker's queue or the world's own; NULL: none is. */
    struct hocket_task *(*next)(struct hocket__worker *w);
    /* The loop is about to look at the clock: descriptors that are ready come first. */
    void (*look)(void);
    /* The running task would let others run. */
    void (*yield)(struct hocket_task *self);
    /* The running task begins (1) or ends (-1) what cannot be left half done. */
    void (*within)(int change);
};

extern const struct hocket__world *hocket__world;

static inline bool hocket__in_world(void)
{
    return hk_unlikely(hocket__world != NULL);
}

/*
 * Around a lock of the library's own that is taken like a user's: whoever is killed in a world
 * (hocket_sim_sweep) is not killed there.
 */
static inline void hocket__world_within(int change)
{
    if (hocket__in_world())
        hocket__world->within(change);
}

/*
 * Called when a runtime starts, in src/sim: opens a world if HOCKET_SIM asks for one.  1 in a
 * world: then there are no workers, and no thread is made; 0; -EINVAL: HOCKET_SIM... make no sense.
 */
int hocket__world_wanted(void);

#endif
