/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TASK_EXECUTOR_POOL_H
#define HOCKET_TASK_EXECUTOR_POOL_H

/*
 * executor_pool - "threads" and "fibers": workers that take jobs from one queue
 *
 * A worker ("runner") is a daemon task with a loop: take the first job, run it, take the
 * next.  Without a job a fiber ends, since the next one costs next to nothing; a thread waits in
 * `idle` for a job to be handed to it.
 *
 * Fibers are started one at a time: the next one when the last has come to take its first job
 * and left others behind.  So there is always one that waits for its turn as long as there are
 * jobs, which is what runs them when a job waits, and what another worker of the runtime can steal;
 * and 10,000 tiny jobs cost two of them.
 *
 * A runner whose job waits for a future is *blocked*: its place is lent.  Places taken are
 * active - blocked - leaving, and at most `workers`.  When a job comes back from its wait there may be one
 * too many for a moment; whoever ends a job next and sees that retires.  So a job may
 * wait for jobs of its own pool, at any depth.
 *
 * Invariants, whenever the guard is free:
 *   - if the queue holds a job, then as many runners as there are places are active and not blocked,
 *     or one that is not blocked has yet to take its first job, or is just being started: so the
 *     job will be taken
 *   - a runner is in `idle` only if the queue is empty, or the rate allows no start yet
 *   - somebody who can still be woken waits in `room` only if the queue is full
 *
 * With a rate, one runner *paces*: it waits for the time of the next start, and the others
 * behave as if there were no job.
 *
 * When the runtime cancels its daemons, or the scope it belongs to is cancelled, runners drop what
 * is queued instead of running it.
 *
 * Lock order: the pool's guard, then a job's.  Runners are started without guards.
 */
#include "sys/sanitizer.h"
#include "task/executor.h"

/* Fields without a note: under the guard. */
struct hocket__pool {
    hocket_executor base;
    int placement;     /* constant, as the two below */
    size_t bound;      /* most jobs in the queue, but for those that jobs submit */
    size_t stack_size; /* of runners */
    bool serial;       /* places are not lent */
    hocket_time stay;  /* a runner without a job waits so long for one */
    int (*worker_start)(void *arg);
    void (*worker_end)(void *arg);
    void *worker_arg;
    struct hocket__scope *home; /* of runners */
    size_t rate;                /* most starts in `period`; 0: any number */
    hocket_time period;
    hocket_time *starts;    /* the last `rate` ones; NULL if that is 0 */
    size_t oldest_start;    /* index into it */
    hocket_time next_start; /* not before */
    bool pacing;            /* a runner waits for that */
    int broken;             /* what worker_start has returned; 0 = it has not failed */
    struct hocket__words *broken_words;
    size_t prioritized; /* jobs in the queue whose priority is not 0 */
    int blocked;        /* active runners whose job waits for jobs */
    int leaving;        /* active runners that will take no more jobs */
    int starting;       /* fibers: runners started that have not looked for a job yet */
    unsigned started;   /* runners ever, for their names */
    struct hocket__link runners;
    struct hocket__pool_runner *spare; /* what ended runners have left */
    struct hocket__link *idle;         /* runners; their `job` is set, or they look again */
    struct hocket__link *room;         /* submitters; node->data: the job */
};

struct hocket__pool_runner {
    struct hocket__link link; /* in `runners`; under the guard, as all up to `pool` */
    struct hocket__pool_runner *next_spare;
    unsigned waits;        /* tasks in its job that wait for jobs */
    bool cancelled;        /* by a shutdown */
    bool renewing;         /* it makes its scope anew */
    bool pinned;           /* a shutdown uses its scope */
    hocket_task *unpinned; /* itself, if it waits for that to end */
    struct hocket__pool *pool;
    hocket_task *task;                 /* set by itself, as what follows but for `job` */
    struct hocket__cancel_scope scope; /* what jobs run in; renewed after each that was cancelled */
    int64_t since;                     /* ticks: when it last looked at how fast it goes */
    unsigned stride, jobs;             /* it looks every so many jobs; until the next look */
    _Atomic bool busy;                 /* with a job that is not DONE; set under the guard */
    hocket_future *job;                /* what it has to do: set under the guard, as the next */
    void *arg;
};

static inline struct hocket__pool *hocket__pool_of(hocket_executor *ex)
{
    return (struct hocket__pool *)(void *)ex;
}

/* ---- executor_pool.c: the queue, under the guard ---- */

/* A job to run, or to drop (*ret_drop), or NULL: the queue is empty. */
hocket_future *hocket__pool_take(struct hocket__pool *p, bool cancelled, bool *ret_drop,
                                 struct hocket__wakes *wakes);

/* No job may start, and none will. */
static inline bool hocket__pool_over(const struct hocket__pool *p)
{
    return hk_load(&p->base.closing) && hocket__list_empty(&p->base.queued);
}

static inline int hocket__pool_places(const struct hocket__pool *p)
{
    return p->base.active - p->blocked - p->leaving;
}

/* Is one more runner wanted? */
static inline bool hocket__pool_wants(const struct hocket__pool *p)
{
    return !hocket__list_empty(&p->base.queued) && p->starting == 0 && !p->pacing &&
           hocket__pool_places(p) < hk_load(&p->base.workers);
}

/* With the guard, whose unlock it must be if anything changed that this looks at: what is usual? */
static inline void hocket__pool_review(struct hocket__pool *p)
{
    int places = hocket__pool_places(p), workers = hk_load(&p->base.workers);
    bool calm = places <= workers && (p->starting > 0 || places == workers) && p->rate == 0 &&
                p->room == NULL && p->prioritized == 0 && !p->base.cancelling && p->broken == 0;
    p->base.usual_take = calm;
    p->base.usual_room = calm && p->idle == NULL && !hk_load(&p->base.closing) ? p->bound : 0;
}

static inline void hocket__pool_unlock(struct hocket__pool *p)
{
    hocket__pool_review(p);
    hocket__executor_unlock(&p->base);
}

/* After a wait was begun. */
static inline void hocket__pool_unlock_to_wait(struct hocket__pool *p)
{
    hocket__pool_review(p);
    hocket__executor_unlock_to_wait(&p->base);
}

/* ---- executor_runner.c ---- */

/* One has the job now: under the guard. */
static inline void hocket__runner_assign(struct hocket__pool_runner *r, hocket_future *job)
{
    r->job = job;
    r->pool->base.started++;
    hk_store(&r->busy, true);
    r->arg = hocket__job_take(job, r->task, &r->scope, HOCKET_ASAN ? NULL : r->pool->base.memory);
}

/*
 * Start a runner if one is wanted.  Entered with the guard held, left without it.  An error only
 * if nobody at all is left to run the queue.
 */
int hocket__runner_start_wanted(struct hocket__pool *p);

/* Start one; `active` and `starting` count it already. */
int hocket__runner_spawn(struct hocket__pool *p, unsigned number);

/* A shutdown cancels what runs. */
void hocket__runners_cancel(struct hocket__pool *p);

/* For hocket__not_started. */
void hocket__runner_not_started(hocket_task *task, int error);

/* The runner that this very task is, or NULL. */
struct hocket__pool_runner *hocket__runner_is(const hocket_task *task);

#endif
