/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_PARK_WATCH_H
#define HOCKET_PARK_WATCH_H

/*
 * watch - what happens, for those who look on
 *
 * The core calls hocket__watch where something happens to a task; the user's hooks, the
 * timeline, the wait profile, the check of lock orders, the live view and the simulated
 * world look on, each in a slot of its own.  One word has a bit for every event that somebody
 * wants: while nobody does, an event costs a load and a branch.
 *
 * An onlooker may be called by any thread at any time, in a signal handler too (READY), and for a
 * short while after it was taken away: what it touches must live as long as the process.  It runs on
 * the stack of the running task and must not wait in the library.  Every event but READY and STEAL
 * is told where the caller holds no guard and may be preempted, so the simulated world, whose slot is
 * the last, may let other tasks run before it returns.
 *
 * Memory order: a slot's function is stored before its events, both with release; the reader
 * acquires.  `hocket__watching` alone orders nothing, and is read without a point
 * of the explorer: it does not change in the middle of what a test explores.
 */
#include "base/atomic.h"

struct hocket_task;

/* Who is `task`, and what are `object` and `value`.  The caller is the running task unless said. */
enum hocket__event {
    HOCKET__EVENT_SPAWN,  /* a new task, before it can run */
    HOCKET__EVENT_START,  /* self, before its function */
    HOCKET__EVENT_EXIT,   /* self, after its function; value: its result */
    HOCKET__EVENT_PARK,   /* self is going to wait, its wait record is complete; object; deadline */
    HOCKET__EVENT_UNPARK, /* self has waited; object: what for; value: 0 or the error */
    HOCKET__EVENT_READY,  /* a waiter, before it can go on; value: how its wait ends; any caller */
    HOCKET__EVENT_YIELD,  /* self, before it lets others run */
    HOCKET__EVENT_BACK,   /* self, after it has let others run, or found none */
    HOCKET__EVENT_STEAL,  /* no task; object NULL; value: victim << 32 | how many; by a worker */
    HOCKET__EVENT_SLEEP,  /* no task; by a worker that found nothing to do */
    HOCKET__EVENT_AWAKE,  /* no task; by a worker that has slept */
    HOCKET__EVENT_BLOCK,  /* self or NULL: hocket_blocking_begin */
    HOCKET__EVENT_UNBLOCK, /* likewise: hocket_blocking_end */
    HOCKET__EVENT_JOB,     /* self begins a job; object: the executor */
    HOCKET__EVENT_JOB_END, /* self has ended it; object likewise; value: its result */
    HOCKET__EVENT_ERROR,   /* self or NULL; object: the hocket_error nobody looked at */
    HOCKET__EVENT_WANT,  /* self is about to take a lock; object; value: enum hocket__lock_event */
    HOCKET__EVENT_TAKEN, /* self has taken it; likewise */
    HOCKET__EVENT_GIVE,  /* self is about to release it; likewise */
    /* Self is about to do something else to what tasks share, or has woken or made a task: object;
     * value: a static word that says what.  The task is not given: many who tell do not know it. */
    HOCKET__EVENT_TOUCH,
    HOCKET__EVENT_FORGET, /* no task; object: memory that becomes a lock, or no longer is one */
    HOCKET__EVENTS
};

/* How a lock is taken: bits. */
enum hocket__lock_event {
    HOCKET__LOCK_EXCLUSIVE = 0,
    HOCKET__LOCK_SHARED = 1, /* for reading */
    HOCKET__LOCK_TRY = 2     /* without waiting */
};

#define HOCKET__EVENT_BIT(event) (UINT32_C(1) << (event))
/* Events of uncontended locks: the inline fast paths are switched off while somebody wants one. */
#define HOCKET__EVENTS_LOCK                                                           \
    (HOCKET__EVENT_BIT(HOCKET__EVENT_WANT) | HOCKET__EVENT_BIT(HOCKET__EVENT_TAKEN) | \
     HOCKET__EVENT_BIT(HOCKET__EVENT_GIVE))

enum hocket__watch_slot {
    HOCKET__WATCH_HOOKS,
    HOCKET__WATCH_ORDER,
    HOCKET__WATCH_PROFILE,
    HOCKET__WATCH_LIVE,
    HOCKET__WATCH_TRACE,
    HOCKET__WATCH_WORLD,
    HOCKET__WATCH_SLOTS
};

typedef void hocket__onlooker(enum hocket__event event, struct hocket_task *task,
                              const void *object, int64_t value);

/*
 * Put an onlooker for these events (bits) into a slot, or take it away (no events).  A task that
 * runs already passes its lock events from its next start or wait on.
 */
void hocket__onlook(enum hocket__watch_slot slot, uint32_t events, hocket__onlooker *fn);

/* In the child of a fork: a thread that is not there may have been changing onlookers. */
void hocket__watch_forked(void);

extern _Atomic uint32_t hocket__watching;

static inline bool hocket__watched(uint32_t events)
{
    return hk_unlikely((hk_peek(&hocket__watching) & events) != 0);
}

void hocket__watch_tell(enum hocket__event event, struct hocket_task *task, const void *object,
                        int64_t value);

static inline void hocket__watch(enum hocket__event event, struct hocket_task *task,
                                 const void *object, int64_t value)
{
    if (hocket__watched(HOCKET__EVENT_BIT(event)))
        hocket__watch_tell(event, task, object, value);
}

/* HOCKET__EVENT_TOUCH. */
static inline void hocket__touch(const char *what, const void *object)
{
    if (hocket__watched(HOCKET__EVENT_BIT(HOCKET__EVENT_TOUCH)))
        hocket__watch_tell(HOCKET__EVENT_TOUCH, NULL, object, (int64_t)(intptr_t)what);
}

/*
 * Called by the runtime before its first worker starts, and after its last has ended.  They are
 * defined by src/trace/start.c: which onlookers there are is not the core's business.
 */
void hocket__onlookers_start(void);
void hocket__onlookers_stop(void);

#endif
