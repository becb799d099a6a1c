/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TASK_EXECUTOR_H
#define HOCKET_TASK_EXECUTOR_H

/*
 * executor - what the files of executors and futures share
 *
 * A job and its future are one thing, with two references: the handle's and the
 * executor's.  Its state is one word:
 *
 *   DONE       the result is final; set once, by whoever ran it, dropped it or withdrew it
 *   WATCHED    somebody waits or wants to be told; never taken back
 *   PINNED     a canceller uses the job's executor and scope: DONE is not set meanwhile
 *   ASKED      it was cancelled; once is enough
 *   the rest   references
 *
 * Who changes it while the job may not be DONE does so by a locked instruction, and holds the lock
 * of the memory that the job's block belongs to (hocket__job_hold), so that the worker to whom the
 * lock belongs can end the job without one, inside of it; all other ends are a CAS,
 * and need no lock.  Of a DONE job only the references change.
 *
 * There is a flag, too: `taken`, set once under the executor's guard, by the worker that is going to run
 * or drop it, or by the canceller that withdrew it.
 *
 * As long as a job is not DONE its executor exists, because closing one waits for its jobs.
 * After that nothing of the executor may be touched through the job.
 *
 * Where jobs run is a class: a few functions behind one struct.  One that runs them in other
 * processes, or elsewhere, keeps jobs in the same states and brings functions of its own.
 *
 * Lock order: an executor's guard, then a job's.
 */
#include <string.h>

#include <hocket/executor.h>

#include "park/cancel.h"
#include "sync/sync.h"
#include "task/bias.h"
#include "task/task.h"

enum hocket__job_state {
    HOCKET__JOB_DONE = 1,
    HOCKET__JOB_WATCHED = 2,
    HOCKET__JOB_PINNED = 4,
    HOCKET__JOB_ASKED = 8,
    HOCKET__JOB_REF = 16 /* one reference */
};

/*
 * Somebody who wants to know when a job is done: called once, in the task that ended it,
 * without guards.  It must live until it was called or taken back.
 */
struct hocket__watch {
    struct hocket__link link;
    void (*done)(struct hocket__watch *watch, hocket_future *future);
};

/* What the function of a job is. */
enum hocket__job_kind {
    HOCKET__JOB_FN,
    HOCKET__JOB_CALL,
    HOCKET__JOB_THEN, /* input: struct hocket__then */
    HOCKET__JOB_PROMISE /* no executor: `taken` and what the promise needs are under the job's guard */
};

/* A follow-up: waits for another future, and is submitted then. */
struct hocket__then {
    struct hocket__watch watch; /* of `before`; with a reference to the follow-up */
    hocket_future *before;      /* with a reference, until the follow-up is DONE */
    hocket_future_fn *fn;
    void *arg;
};

/* What few jobs need; clean in a free block: 0, NULL, empty. */
struct hocket__job_more {
    hocket_executor *executor;         /* constant in blocks of a job_memory, as the next */
    struct hocket__job_memory *memory; /* where the block belongs; NULL: to itself */
    hocket__guard guard;
    struct hocket__link *waiters; /* get and wait; under the guard */
    struct hocket__link *watches; /* under the guard */
    bool started;                 /* a promise; under the guard, as the next */
    bool withdrawn;
    hocket_task *unpinned;       /* who waits for PINNED to go; under the guard */
    struct hocket__words *words; /* written before DONE, as the output */
    hocket_buffer output;
    hocket_error plain; /* stands for words where there are none; under the guard */
    size_t input_size;
    _Alignas(max_align_t) unsigned char input[];
};

/* One cache line: all that a small job touches, from submit to free. */
struct hocket_future {
    _Atomic uint32_t state;  /* bits of enum hocket__job_state */
    _Atomic uint32_t runner; /* slot of the task that runs it, 0 = none */
    union {
        struct hocket__link link; /* in `queued`; under the executor's guard */
        struct {
            struct hocket__link *not_queued; /* itself */
            struct hocket__job_memory
                *home; /* once it is taken: where a small job's block belongs */
        };
    };
    struct hocket__job_more *more;
    union {
        hocket_call *call;
        hocket_task_fn *fn;
    };
    union {
        void *arg;                          /* until it is taken */
        struct hocket__cancel_scope *scope; /* from then on: what it runs in, NULL: nothing */
    };
    union {
        int priority; /* until it is taken; under the executor's guard */
        int result;   /* written before DONE, constant after, as the three flags */
    };
    bool never_ran;    /* cancelled or dropped */
    bool as_told;      /* ended with -ECANCELED after a cancel */
    bool failed;       /* has words */
    uint8_t kind;      /* enum hocket__job_kind */
    _Atomic bool seen; /* somebody looked at the result */
    bool taken;        /* under the executor's guard, as the next */
    bool in_shutdown;  /* a shutdown has cancelled it */
};

/* ---- job_memory.c: blocks for jobs ---- */

/* Bytes of a block; jobs whose input is too long for one get memory of their own. */
#define HOCKET__JOB_MORE   256
#define HOCKET__JOB_INLINE (HOCKET__JOB_MORE - offsetof(struct hocket__job_more, input))

/* Whoever takes holds the lock, which serves the executor for all else as well. */
struct hocket__job_memory {
    struct hocket__bias lock;
    bool left;           /* this and the next three: under the lock */
    hocket_future *free; /* chained by link.next */
    struct hocket__job_slab *slabs;
    size_t total;
    _Atomic(hocket_future *) returned; /* likewise; a mark: the owner is gone */
    _Atomic ptrdiff_t missing;
};

struct hocket__job_memory *hocket__job_memory_new(void);

/* The owner goes; the memory follows when the last block has come back. */
void hocket__job_memory_leave(struct hocket__job_memory *memory);

/* A block, or NULL: add a slab.  Under the lock. */
hocket_future *hocket__job_memory_take(struct hocket__job_memory *memory);

/* More blocks, for an executor: allocate them without the lock, then add them under it. */
struct hocket__job_slab *hocket__job_slab_new(struct hocket__job_memory *memory,
                                              hocket_executor *executor, bool first);
void hocket__job_memory_add(struct hocket__job_memory *memory, struct hocket__job_slab *slab);

/* A block of its own, with room for `size` bytes of input, or NULL. */
hocket_future *hocket__job_alone(hocket_executor *executor, size_t size);

/* Give a block back, from anywhere. */
void hocket__job_free(hocket_future *job);

static inline hocket_future *hocket__job_next(const hocket_future *f)
{
    return (hocket_future *)(void *)f->link.next;
}

static inline void hocket__job_set_next(hocket_future *f, hocket_future *next)
{
    f->link.next = (struct hocket__link *)(void *)next;
}

/* The same if it costs nothing: false, and nothing was done. */
static inline bool hocket__job_free_here(hocket_future *f, struct hocket__job_memory *m)
{
    if (hk_unlikely(!hocket__bias_enter(&m->lock)))
        return false;
    bool kept = !m->left;
    if (hk_likely(kept)) {
        hocket__job_set_next(f, m->free);
        m->free = f;
    }
    hocket__bias_leave(&m->lock);
    return kept;
}

/* ---- classes of executors ---- */

/* What is to be done, on its way through submit. */
struct hocket__request {
    hocket_task *self; /* has passed its cancel point */
    enum hocket__job_kind kind;
    hocket_call *call;
    hocket_task_fn *fn;
    void *arg;
    const void *input;
    size_t input_size;
    int priority;
    bool handle; /* somebody will free the future */
    hocket_time deadline;
};

struct hocket__executor_class {
    const char *scheme;

    /* Make one, with hocket__executor_init, ready to take jobs. */
    int (*open)(hocket_executor **ret_executor, const hocket_executor_options *options);

    /* Make a job of it, with a reference of the executor's own, and see to it that it runs. */
    int (*submit)(hocket_executor *executor, const struct hocket__request *request,
                  hocket_future **ret_job);

    /*
     * See to it that a job made before runs, unless it was taken (cancelled) meanwhile.  Never
     * waits.  On error it is taken, and the caller ends it.
     */
    int (*admit)(hocket_executor *executor, hocket_future *job, hocket_task *self);

    /* Under the guard: take a job out of `queued`, so there is room for another. */
    void (*withdraw)(hocket_executor *executor, hocket_future *job, struct hocket__wakes *wakes);

    /* Make a job that was taken end soon.  No guards; the job is pinned. */
    void (*interrupt)(hocket_executor *executor, hocket_future *job);

    /* `closing` has just become true, under the guard: turn away who waits for room, let go of
     * idle workers. */
    void (*close)(hocket_executor *executor, struct hocket__wakes *wakes);

    /* `cancelling` is set: make all running jobs end soon.  No guards. */
    void (*cancel_running)(hocket_executor *executor);

    /* Change how many jobs may run at once, or NULL. */
    int (*resize)(hocket_executor *executor, int workers);

    /* Under the guard: how many jobs run that are not DONE. */
    size_t (*running)(hocket_executor *executor);

    /* Is this very task running a job of it?  Without guards; the task's ancestor asks. */
    bool (*runs_in)(hocket_executor *executor, const hocket_task *task);

    void (*free)(hocket_executor *executor);
};

#define HOCKET__TINY_MAX 16384 /* so many tiny jobs are worth a helper */

struct hocket_executor {
    const struct hocket__executor_class *class;
    struct hocket__job_memory *memory; /* with the executor's guard */
    size_t usual_room;                 /* see task/executor_usual.h; under the guard, as the next */
    bool usual_take;                   /* likewise */
    _Atomic bool tiny;           /* jobs took next to no time lately; a hint, written by runners */
    _Atomic bool closing;        /* takes no more; written under the guard */
    bool cancelling;             /* starts no more; under the guard */
    struct hocket__link queued;  /* jobs in order of submission; under the guard */
    _Atomic size_t queued_count; /* written under the guard */
    uint64_t submitted, started; /* jobs ever; under the guard */
    _Atomic int workers;
    char name[HOCKET_NAME_MAX];
    _Atomic uint64_t failed, cancelled;
    struct hocket__scope_end scope_end;
    struct hocket__scope *scope; /* it belongs to; NULL: to none, or not any more */
    int active;                  /* workers, or callers in "inline"; under the guard */
    struct hocket__link *enders; /* wait in shutdown; under the guard */
};

extern const struct hocket__executor_class hocket__executor_inline;
extern const struct hocket__executor_class hocket__executor_threads;
extern const struct hocket__executor_class hocket__executor_fibers;

static inline void hocket__executor_lock(hocket_executor *ex)
{
    hocket__bias_lock(&ex->memory->lock);
}

static inline void hocket__executor_unlock(hocket_executor *ex)
{
    hocket__bias_unlock(&ex->memory->lock);
}

/* After a wait was begun: the fence before the park. */
static inline void hocket__executor_unlock_to_wait(hocket_executor *ex)
{
    hocket__bias_unlock(&ex->memory->lock);
    hk_fence_sc();
}

/* ---- executor.c ---- */

/* In zeroed memory.  0 or -ENOMEM. */
int hocket__executor_init(hocket_executor *executor, const struct hocket__executor_class *class,
                          const hocket_executor_options *options);

/* A block for the request, filled, and the guard held.  NULL: no memory, and the guard free. */
hocket_future *hocket__executor_job(hocket_executor *executor, const struct hocket__request *rq);

/* Under the guard: a worker (or caller) left; if it was the last one, those in shutdown wake. */
void hocket__executor_left(hocket_executor *executor, struct hocket__wakes *wakes);

/* Is the task a job of the executor, or inside of one?  Without guards. */
bool hocket__executor_inside(hocket_executor *executor, const hocket_task *task);

/* The task around this one: the owner of the scope it was spawned into.  NULL: none. */
static inline const hocket_task *hocket__task_around(const hocket_task *task)
{
    struct hocket__cancel_scope *home = hk_load(&task->home);
    return home != NULL ? home->owner : NULL;
}

/* ---- future.c ---- */

static inline bool hocket__future_done(const hocket_future *f)
{
    return (hk_load_acq(&f->state) & HOCKET__JOB_DONE) != 0; /* pairs with the CAS of publish */
}

/* A block as a request has it. */
static inline void hocket__job_fill(hocket_future *f, const struct hocket__request *rq)
{
    hk_store(&f->state, rq->handle ? 2u * HOCKET__JOB_REF : 1u * HOCKET__JOB_REF);
    hk_store(&f->runner, 0);
    hk_store(&f->seen, false);
    f->fn = rq->fn;
    f->arg = rq->arg;
    f->priority = rq->priority;
    f->never_ran = f->as_told = f->failed = f->taken = f->in_shutdown = false;
    f->kind = (uint8_t)rq->kind;
    hocket__list_init(&f->link);
    if (rq->kind == HOCKET__JOB_CALL) {
        f->call = rq->call;
        f->more->input_size = rq->input_size;
        if (rq->input_size > 0)
            memcpy(f->more->input, rq->input, rq->input_size);
    }
}

/*
 * Under the executor's guard: a task takes the job, to run it in `scope`.  Returns its arg.  Blocks
 * from `home` (NULL: not known) go back there without a look at what more there is of them.
 */
static inline void *hocket__job_take(hocket_future *f, const hocket_task *runner,
                                     struct hocket__cancel_scope *scope,
                                     struct hocket__job_memory *home)
{
    if (home != NULL && f->kind == HOCKET__JOB_FN)
        f->home = home;
    void *arg = f->arg;
    hk_store(&f->runner, runner->slot);
    f->scope = scope;
    f->taken = true;
    return arg;
}

/*
 * Call the function of a job that was taken, and end it, with the executor's reference.  *busy
 * becomes false before it is DONE.
 */
void hocket__job_run(hocket_future *job, hocket_task *self, void *arg, _Atomic bool *busy);

/*
 * The second half of it, for who has called the function, set the result, and held so many locks
 * before; the task had no words then, and has none afterwards.
 */
void hocket__job_ended(hocket_future *job, hocket_task *self, uint32_t held, _Atomic bool *busy);

/* End a job that was taken with -ECANCELED, without running it.  Likewise. */
void hocket__job_drop(hocket_future *job, hocket_task *self, _Atomic bool *busy);

/* Cancel by the job's scope: `interrupt` of executors whose jobs run in this process. */
void hocket__job_interrupt(hocket_executor *executor, hocket_future *job);

/*
 * The state of a job that may not be DONE yet is going to be changed, by who has a reference.  What is
 * held, to be let go: NULL if that is nothing.  While it is held its memory stays even if that
 * reference goes: it is asked once more, under the lock, whether the job is DONE, and only after
 * that its executor can be freed.
 */
static inline struct hocket__job_memory *hocket__job_hold(hocket_future *f)
{
    if (hocket__future_done(f) || f->more->memory == NULL)
        return NULL;
    struct hocket__job_memory *m = f->more->memory;
    hocket__bias_lock(&m->lock);
    if (hk_likely(!hocket__future_done(f)))
        return m;
    hocket__bias_unlock(&m->lock);
    return NULL;
}

static inline void hocket__job_let_go(struct hocket__job_memory *m)
{
    if (m != NULL)
        hocket__bias_unlock(&m->lock);
}

/* One more reference, by who has one; under the executor's guard: to a job in the queue. */
hocket_future *hocket__future_ref(hocket_future *future);
hocket_future *hocket__future_ref_locked(hocket_future *future);
void hocket__future_unref(hocket_future *future);

/* Have the watch called once the job is done; at once, if it is. */
void hocket__future_watch(hocket_future *future, struct hocket__watch *watch);

/* Take it back: false if it was called, or is just being called. */
bool hocket__future_unwatch(hocket_future *future, struct hocket__watch *watch);

/* End a job that was taken and does not run with a failure; words NULL: the error's text. */
void hocket__job_fail(hocket_future *job, hocket_task *self, int code, struct hocket__words *words);

/*
 * The result is final: DONE, and the caller's reference is gone.  In one step, if nobody is to be
 * told.  `unpinned`: the bits that stay; a canceller that ends the job takes its own pin off.
 */
#define HOCKET__PIN_STAYS ((uint32_t)-1)
#define HOCKET__PIN_GOES  (~(uint32_t)HOCKET__JOB_PINNED)
void hocket__future_publish(hocket_future *future, hocket_task *self, uint32_t unpinned);

/* WATCHED, unless it is DONE: look for that after it, under the job's guard. */
void hocket__future_want(hocket_future *future);

static inline struct hocket__then *hocket__then_of(hocket_future *f)
{
    return (struct hocket__then *)(void *)f->more->input;
}

/*
 * Call something of the user's in a task that is in the middle of something else.  Its words are
 * for the error hook; what it leaves behind is a panic, in the name of `what`.
 */
void hocket__call_aside(const char *what, hocket_task *self, hocket_future_fn *fn,
                        hocket_future *future, void *arg);

/* ---- executor_runner.c ---- */

/*
 * The calling task is going to wait for jobs.  If it is in a job of a pool itself, its worker's
 * place is lent to another until hocket__pool_back, so that a pool never starves on
 * its own jobs.  0, or an error if nobody is left to run the queue and no worker can be started.
 */
struct hocket__pool_runner;

/* Is the caller in a job of the serial executor of this job, which therefore cannot run? */
bool hocket__pool_stuck(const hocket_task *self, const hocket_future *job);

int hocket__pool_lend(hocket_task *self, struct hocket__pool_runner **ret_runner);
void hocket__pool_back(struct hocket__pool_runner *runner);

#endif
