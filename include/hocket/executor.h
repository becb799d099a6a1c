/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_EXECUTOR_H
#define HOCKET_EXECUTOR_H
#include <hocket/buffer.h>
#include <hocket/future.h>
#include <hocket/scope.h>
#include <hocket/task.h>

/*
 * executor - write the function once, choose where it runs
 *
 * An executor runs jobs.  A job is a function that turns input bytes into
 * output bytes; which executor runs it decides where:
 *
 *   "inline"    in submit itself, in the calling task; for debugging and
 *               programs that need no concurrency.  Needs no runtime.
 *   "fibers"    on the runtime's workers, one fiber a running job
 *   "threads"   on OS threads of the executor's own, started as they are needed
 *
 *     static int count_lines(const void *input, size_t size, hocket_buffer *output)
 *     {
 *         int n = lines_of((const char *)input);
 *         if (n < 0)
 *             return hocket_fail(n, "read %s", (const char *)input);
 *         return hocket_buffer_append(output, &n, sizeof n);
 *     }
 *
 *     hocket_executor *ex;
 *     hocket_future *f;
 *     int err = hocket_executor_new(&ex, "threads", HOCKET_EXECUTOR_OPTIONS(.workers = 4));
 *     if (err == 0)
 *         err = hocket_submit(ex, &f, count_lines, path, strlen(path) + 1);
 *     ...                                       // see future.h for what f can tell
 *     hocket_executor_free(ex);                 // waits for what still runs
 *
 *   Callers    threads and fibers alike, also threads Hocket did not start.
 *   Blocks     submit while the queue of jobs is full, map, shutdown, free;
 *              all but free are cancel points on every call.
 *   Order      a submit happens before its job starts.  Jobs start in order of
 *              submission; with more than one worker they end in any order.
 *   Jobs       may do all that tasks may: wait, lock, submit, wait for futures
 *              of the same executor, at any depth and with one worker too (a
 *              worker that waits for a job lends its place to another).  A job must release
 *              the locks it takes.  Task-local values (local.h) belong to the worker and stay
 *              from one job to the next.
 *   Lifetime   freed by its owner, after the last user is done.  Executors still
 *              open when the runtime stops have their jobs cancelled.
 *
 * A serial executor (option `serial`) is an alternative to a lock: its jobs run one at a time and
 * in order, so what only they touch needs no other protection.  A job of it that waits keeps its
 * place; waiting for another job of the same executor fails with -EDEADLK.
 *
 * With `worker_start`, each worker calls it once, before its first job.  If it fails
 * (negative result), the executor is broken: all jobs that have not started end with that result
 * and its words, and submit gives -EPIPE.  `worker_end` is called by the workers whose
 * start has succeeded.
 *
 * An executor that belongs to a scope is shut down when the scope is closed: close waits for its
 * jobs, or cancels them if the scope was or gets cancelled.  Its workers are tasks of the
 * scope.  It is still to be freed, after that or before, by the scope's owner.
 */
typedef struct hocket_executor hocket_executor;

/*
 * A job's function.  `input` lies in a copy that belongs to the executor, aligned for any type, and lives
 * until the function returns.  `output` is empty at first; what is in it at the end becomes the
 * future's output, also when the function fails.  The result is the future's;
 * negative is a failure, see hocket_fail (error.h).
 */
typedef int hocket_call(const void *input, size_t size, hocket_buffer *output);

typedef struct hocket_executor_options {
    size_t size;       /* sizeof(hocket_executor_options); 0 = the fields of version 0.1 */
    const char *name;  /* copied; workers are tasks called NAME-1, NAME-2...; NULL = the scheme */
    int workers;       /* most jobs running at once; 0 = threads: as many as the runtime has
                          workers, at least 1; fibers: 256; inline ignores it */
    size_t queue;      /* most jobs submitted and not started; 0 = HOCKET_EXECUTOR_QUEUE */
    size_t stack_size; /* of each worker; 0 = threads: the system's, fibers: hocket_stack_size() */
    bool serial;       /* one job at a time, in order; see below */
    hocket_time idle;  /* how long a worker without a job stays; 0 = threads: for ever, fibers: not
                          at all, or for ever if there is a worker_start or worker_end */
    size_t rate;       /* most starts of jobs in any `period`, up to 2^20; 0 = any number */
    hocket_time period;
    int (*worker_start)(void *arg); /* called in each worker before its first job; see below */
    void (*worker_end)(void *arg);  /* called in it after its last one; may be NULL, too */
    void *worker_arg;               /* what both get */
    hocket_scope *scope;            /* it belongs to, one that the caller has open; NULL: to none */
} hocket_executor_options;

/* Jobs that may be submitted and not started before submit waits, unless an option says else. */
#define HOCKET_EXECUTOR_QUEUE 1024

#define HOCKET_EXECUTOR_OPTIONS_DEFAULT                                                        \
    {                                                                                          \
        sizeof(hocket_executor_options), NULL, 0, 0, 0, false, 0, 0, 0, NULL, NULL, NULL, NULL \
    }
#ifndef __cplusplus
#define HOCKET_EXECUTOR_OPTIONS(...) \
    (&(hocket_executor_options){ .size = sizeof(hocket_executor_options), __VA_ARGS__ })
#endif

HOCKET_BEGIN_DECLS

/*
 * Make an executor of a scheme; NULL options: defaults.
 *
 * 0, -ENOMEM; -EINVAL: unknown scheme or options that make no sense; -ENOSYS: "threads"
 * and "fibers" need a runtime (runtime.h); -EAGAIN: not even one thread can be had.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_executor_new(hocket_executor **ret_executor,
                                                     const char *scheme,
                                                     const hocket_executor_options *options);

/*
 * Submit a job: `call` with a copy of `size` bytes of `input` (NULL if size is 0).
 *
 *   0           *ret_future is the caller's, to be freed; with ret_future NULL
 *               nobody waits for the job, and its failure goes to the error hook
 *   -EPIPE      the executor was shut down, or is broken
 *   -ECANCELED  the calling task was cancelled
 *   -ENOMEM     no memory, or no worker could be started
 *   -ENOSYS     the runtime is gone
 *
 * On error the job will not run.  Waits while the queue of jobs is full, for ever if need be, but
 * never in a job of the same executor.  A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_submit(hocket_executor *executor,
                                               hocket_future **ret_future, hocket_call *call,
                                               const void *input, size_t size);

/* The same, waiting for room in the queue until `deadline`, then -ETIMEDOUT.  A cancel point. */
HOCKET_API HOCKET_MUST_CHECK int hocket_submit_until(hocket_executor *executor,
                                                     hocket_future **ret_future, hocket_call *call,
                                                     const void *input, size_t size,
                                                     hocket_time deadline);

/*
 * Submit fn(arg), for executors that share the caller's memory (all of version 0.1; the others
 * will answer -ENOSYS).  Nothing is copied: `arg` must live until the job is done.  The future
 * has a result and no output.  Errors as hocket_submit.  A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_submit_fn(hocket_executor *executor,
                                                  hocket_future **ret_future, hocket_task_fn *fn,
                                                  void *arg);

/* The same with a deadline for room in the queue.  A cancel point. */
HOCKET_API HOCKET_MUST_CHECK int hocket_submit_fn_until(hocket_executor *executor,
                                                        hocket_future **ret_future,
                                                        hocket_task_fn *fn, void *arg,
                                                        hocket_time deadline);

/*
 * Submit a follow-up: fn(future, arg) becomes a job of `executor` when `future` is done, however it
 * ended.  *ret_next (NULL: fire and forget) is the follow-up's own future, at once; cancelling it
 * before `future` is done withdraws the follow-up.  `future` may be freed by its holder any time:
 * it lives until the follow-up is done.
 *
 *     static int parse(hocket_future *fetched, void *arg)
 *     {
 *         int result = hocket_future_result(fetched);
 *         if (result < 0)
 *             return result;
 *         ...
 *     }
 *     err = hocket_future_then(fetched, &parsed, ex, parse, NULL);
 *
 * If the executor takes no more jobs by then, the follow-up ends with what submit would
 * have returned.  It never waits for room in the queue.  The executor must not be freed before
 * the follow-up is done.
 *
 * 0, -ENOMEM, -ECANCELED.  A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_future_then(hocket_future *future, hocket_future **ret_next,
                                                    hocket_executor *executor, hocket_future_fn *fn,
                                                    void *arg);

/*
 * The same with a priority: of the jobs that wait in the queue, those with the lowest number start
 * first, equals in order of submission.  Without these functions it is 0.  Putting one in costs
 * a look at each job that comes after it.  Errors as hocket_submit_until.  A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_submit_with(hocket_executor *executor,
                                                    hocket_future **ret_future, hocket_call *call,
                                                    const void *input, size_t size, int priority,
                                                    hocket_time deadline);

/* Likewise for fn(arg).  A cancel point. */
HOCKET_API HOCKET_MUST_CHECK int hocket_submit_fn_with(hocket_executor *executor,
                                                       hocket_future **ret_future,
                                                       hocket_task_fn *fn, void *arg, int priority,
                                                       hocket_time deadline);

enum hocket_shutdown {
    HOCKET_SHUTDOWN_DRAIN = 0, /* what was submitted is still done */
    HOCKET_SHUTDOWN_CANCEL = 1 /* queued jobs never run, running ones are cancelled */
};

/*
 * Take no more jobs (submit gives -EPIPE) and wait until all have ended and the workers are gone.
 * May be called again, by several tasks, and with CANCEL after DRAIN.
 *
 *   0           nothing runs any more
 *   -ETIMEDOUT  the deadline passed; the shutdown goes on by itself
 *   -ECANCELED  the caller was cancelled; likewise
 *   -EDEADLK    the caller is a job of this executor; likewise
 *   -ENOMEM     first call of a thread Hocket did not start, and no memory for its record; likewise
 *   -EINVAL     no such kind of shutdown; nothing has changed
 *
 * A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_executor_shutdown(hocket_executor *executor, int how,
                                                          hocket_time deadline);

/*
 * Shut down and free; NULL is ignored.  Drains, but if the calling task is or gets cancelled,
 * the jobs are cancelled too; either way it waits for them.  Not a cancel point.  Panics in a
 * job of this executor.
 */
HOCKET_API void hocket_executor_free(hocket_executor *executor);

/* The scheme it was made with. */
HOCKET_API const char *hocket_executor_scheme(const hocket_executor *executor);

/* Most jobs that run at once; 1 for "inline". */
HOCKET_API int hocket_executor_workers(const hocket_executor *executor);

/* Jobs submitted and not started, and jobs running; a moment's truth. */
HOCKET_API size_t hocket_executor_queued(const hocket_executor *executor);
HOCKET_API size_t hocket_executor_running(const hocket_executor *executor);

/*
 * Change how many jobs may run at once, while they do: more start at once if jobs are waiting; if
 * there are too many, those that end their jobs leave.  0; -EINVAL: less than 1, or the
 * executor is "inline" or serial.  Never waits.
 */
HOCKET_API int hocket_executor_resize(hocket_executor *executor, int workers);

/* What an executor has done so far, and does. */
typedef struct hocket_executor_stats {
    uint64_t submitted; /* jobs it has taken */
    uint64_t started;   /* of these, taken out of the queue by a worker */
    uint64_t failed;    /* ended with a negative result, but for those below */
    uint64_t cancelled; /* ended with -ECANCELED after a cancel, run or not */
    size_t queued;      /* as hocket_executor_queued, likewise the next */
    size_t running;
    int workers; /* there are at this moment, busy or not */
} hocket_executor_stats;

/* All of it at one moment. */
HOCKET_API void hocket_executor_stats_get(const hocket_executor *executor,
                                          hocket_executor_stats *ret_stats);

/* Was it shut down (or begun to be)? */
HOCKET_API bool hocket_executor_closed(const hocket_executor *executor);

HOCKET_END_DECLS
#endif
