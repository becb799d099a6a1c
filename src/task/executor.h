/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TASK_EXECUTOR_H
#define HOCKET_TASK_EXECUTOR_H

/*
 * executor - what the files of executors and futures share
 *
 * A job and its future are one block of memory with two references: the handle's and
 * the executor's.  It goes
 *
 *   QUEUED -> RUNNING   the worker that took it, under the job's guard
 *   RUNNING -> DONE     the same worker, when the function has returned
 *   QUEUED -> DONE      hocket_future_cancel: it never runs
 *
 * As long as a job is not DONE its executor exists, because closing one waits for its jobs.
 * After that nothing of the executor may be touched through the job.
 *
 * Where jobs run is a class: a few functions behind one struct.  One that runs them in other
 * processes, or elsewhere, keeps jobs in the same states and brings functions of its own.
 *
 * Lock order: a job's guard, then its executor's guard.
 */
#include <hocket/executor.h>

#include "park/cancel.h"
#include "sync/sync.h"

enum hocket__job_state { HOCKET__JOB_QUEUED, HOCKET__JOB_RUNNING, HOCKET__JOB_DONE };

/* Somebody who wants to know when a job is done: called once, in the task that ended it,
 * without guards.  A watch cannot be taken back; it must live until it was called. */
struct hocket__watch {
    struct hocket__watch *next;
    void (*done)(struct hocket__watch *watch, hocket_future *future);
};

struct hocket_future {
    _Atomic uint32_t refs;
    _Atomic uint32_t state; /* written under the guard; DONE is released */
    hocket__guard guard;
    _Atomic uint32_t runner;            /* slot of the task that runs it, 0 = none */
    struct hocket__link *waiters;       /* get and wait; under the guard */
    struct hocket__watch *watches;      /* under the guard */
    struct hocket__cancel_scope *scope; /* RUNNING: what it runs in; under the guard */
    bool cancel_asked;                  /* once is enough; under the guard */
    bool pinned;                        /* a canceller uses `scope`; under the guard */
    hocket_task *unpinned;              /* the runner, waits for that to end; under the guard */

    hocket_executor *executor;
    struct hocket__link link; /* in `queued` or `running`; under the executor's guard */
    bool in_queue;            /* in `queued`; likewise */
    bool counted;             /* in running_count; likewise */
    bool in_shutdown;         /* a shutdown has cancelled it; likewise */

    /* Written by the runner before DONE, constant after. */
    int result;
    bool never_ran;
    bool as_told; /* ended with -ECANCELED after a cancel */
    struct hocket__words *words;
    hocket_error plain; /* stands for words where there are none */
    hocket_buffer output;
    _Atomic bool seen; /* somebody looked at the result */

    hocket_call *call; /* this, or fn */
    hocket_task_fn *fn;
    void *arg;
    size_t input_size;
    _Alignas(max_align_t) unsigned char input[];
};

struct hocket__executor_class {
    const char *scheme;

    /* Make one, with hocket__executor_init, ready to take jobs. */
    int (*open)(hocket_executor **ret_executor, const hocket_executor_options *options);

    /* Take over the executor's reference of a job, or fail and leave it alone.  `self` has passed
     * its cancel point. */
    int (*submit)(hocket_executor *executor, hocket_future *job, hocket_task *self,
                  hocket_time deadline);

    /* The guards of the job and of the executor are held, the job is QUEUED and in `queued`,
     * and was unlinked: there is room for another. */
    void (*withdrawn)(hocket_executor *executor, struct hocket__wakes *wakes);

    /* Make a RUNNING job end soon.  No guards; the job is pinned. */
    void (*interrupt)(hocket_executor *executor, hocket_future *job);

    /* `closing` has just become true, under the guard: turn away who waits for room, let go of
     * idle workers. */
    void (*close)(hocket_executor *executor, struct hocket__wakes *wakes);

    void (*free)(hocket_executor *executor);
};

struct hocket_executor {
    const struct hocket__executor_class *class;
    char name[HOCKET_NAME_MAX];
    int workers;
    hocket__guard guard;
    _Atomic bool closing;         /* takes no more; written under the guard */
    bool cancelling;              /* starts no more; under the guard */
    struct hocket__link queued;   /* jobs in order of submission; under the guard */
    struct hocket__link running;  /* under the guard; may hold some that are just DONE */
    _Atomic size_t queued_count;  /* written under the guard */
    _Atomic size_t running_count; /* of jobs taken from the queue and not DONE */
    int active;                   /* workers, or callers in "inline"; under the guard */
    struct hocket__link *enders;  /* wait in shutdown; under the guard */
};

extern const struct hocket__executor_class hocket__executor_inline;
extern const struct hocket__executor_class hocket__executor_threads;
extern const struct hocket__executor_class hocket__executor_fibers;

/* ---- executor.c ---- */

/* Under the guard: a job was taken to be run. */
static inline void hocket__executor_running_add(hocket_executor *executor, hocket_future *job)
{
    hocket__list_push_back(&executor->running, &job->link);
    job->counted = true;
    (void)hk_add(&executor->running_count, (size_t)1);
}

void hocket__executor_init(hocket_executor *executor, const struct hocket__executor_class *class,
                           const hocket_executor_options *options);

/* Under the guard: a worker (or caller) left; if it was the last one, those in shutdown wake. */
void hocket__executor_left(hocket_executor *executor, struct hocket__wakes *wakes);

/* Is the task a job of the executor, or inside of one?  Without guards. */
bool hocket__executor_inside(hocket_executor *executor, const hocket_task *task);

/* The task around this one: the owner of the scope it was spawned into.  NULL: none. */
static inline const hocket_task *hocket__task_around(const hocket_task *task)
{
    return task->home != NULL ? task->home->owner : NULL;
}

/* ---- future.c ---- */

/* Call a QUEUED job in the calling task, unless it was cancelled meanwhile, and end it. */
void hocket__job_run(hocket_future *job, hocket_task *self);

/* End a QUEUED job with -ECANCELED without running it; false if somebody else did. */
bool hocket__job_drop(hocket_future *job);

/* Cancel by the job's scope: `interrupt` of executors whose jobs run in this process. */
void hocket__job_interrupt(hocket_executor *executor, hocket_future *job);

hocket_future *hocket__future_ref(hocket_future *future);
void hocket__future_unref(hocket_future *future);

/* Have the watch called once the job is done; at once, if it is. */
void hocket__future_watch(hocket_future *future, struct hocket__watch *watch);

/* ---- executor_pool.c ---- */

/*
 * The calling task is going to wait for jobs.  If it is in a job of a pool itself, its worker's
 * place is lent to another until hocket__pool_back, so that a pool never starves on
 * its own jobs.  0, or an error if nobody is left to run the queue and no worker can be started.
 */
struct hocket__pool_runner;
int hocket__pool_lend(hocket_task *self, struct hocket__pool_runner **ret_runner);
void hocket__pool_back(struct hocket__pool_runner *runner);

#endif
