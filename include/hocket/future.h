/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_FUTURE_H
#define HOCKET_FUTURE_H
#include <hocket/error.h>
#include <hocket/time.h>

/*
 * future - what a submitted job will give
 *
 * A job handed to an executor (executor.h) is represented by its future: first queued,
 * then running, then done with a result, which is what the job's function returned, and
 * output bytes.  A failed job has words as well.  Once done, a future never changes.
 *
 *   Callers    threads and fibers alike; any number of tasks may wait for one
 *              future, repeatedly, each with its own deadline.
 *   Blocks     get and wait; both are cancel points on every call.
 *   Order      what the job did happens before a get or wait that returns 0.
 *   Lifetime   whoever submitted frees the future, done or not: a job that is
 *              not done goes on without it.  Freeing while somebody waits
 *              panics.  A future may outlive its executor.
 *
 *     hocket_future *f;
 *     int result, err = hocket_submit(ex, &f, count_lines, path, strlen(path) + 1);
 *     ...
 *     if ((err = hocket_future_get(f, &result, HOCKET_FOREVER)) == 0) {
 *         if (result < 0)
 *             fprintf(stderr, "%s\n", hocket_future_error(f)->message);
 *         else
 *             use(hocket_future_output(f, &size), size);
 *     }
 *     hocket_future_free(f);
 *
 * A failure nobody looked at is not lost: if the future of a failed job is freed and neither
 * get nor error was called after it had failed, its words go to the error hook (hooks.h).  A
 * job that ended with -ECANCELED after it was cancelled did as told and is no failure.
 */
typedef struct hocket_future hocket_future;

HOCKET_BEGIN_DECLS

/*
 * Wait until the job is done; *ret_result (may be NULL) is what its function
 * returned, or -ECANCELED if it was cancelled before it started.
 *
 *   0           done
 *   -ETIMEDOUT  the deadline passed (HOCKET_NOW: it is not done yet)
 *   -ECANCELED  the caller was cancelled; the job goes on
 *   -EDEADLK    the caller is the job, or the job waits for the caller for ever
 *   -ENOMEM     no memory for the record of a thread Hocket did not start
 *   -ENOMEM or -EAGAIN   the caller is a job, nobody else runs the queue, and no other
 *               worker could be started
 *
 * A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_future_get(hocket_future *future, int *ret_result,
                                                   hocket_time deadline);

/* As get without the result; does not count as having looked at a failure.  A cancel point. */
HOCKET_API HOCKET_MUST_CHECK int hocket_future_wait(hocket_future *future, hocket_time deadline);

/*
 * What get would give for a job that is done, without being a cancel point, for callbacks and
 * clean-up; -EAGAIN while it is not done.  Counts as having looked at a failure.
 */
HOCKET_API int hocket_future_result(hocket_future *future);

/*
 * The bytes the job has put into its output and, in *ret_size (may be NULL), how many.
 * Borrowed: they live as long as the future.  Also for failed jobs.  NULL and 0 while
 * the job is not done, and for jobs without output.
 */
HOCKET_API const void *hocket_future_output(const hocket_future *future, size_t *ret_size);

/*
 * The words of a job that is done with a negative result, else NULL.  If the job left none,
 * they are those of the error number.  They live as long as the future.
 */
HOCKET_API const hocket_error *hocket_future_error(hocket_future *future);

/* Done: get returns at once. */
HOCKET_API bool hocket_future_done(const hocket_future *future);

/* The job's function is being called at this moment. */
HOCKET_API bool hocket_future_running(const hocket_future *future);

/* Done because it was cancelled before it started: its function was never called. */
HOCKET_API bool hocket_future_cancelled(const hocket_future *future);

/*
 * Cancel the job.  Queued: it will never run and is done at once, with -ECANCELED; true.
 * Running: its next cancel point fails, as with hocket_cancel, and what it returns is
 * its result; false.  Done: nothing; false.  Never waits.
 */
HOCKET_API bool hocket_future_cancel(hocket_future *future);

/*
 * What may be called when a future is done.  A negative result is a failure of the callback alone:
 * its words go to the error hook.
 */
typedef int hocket_future_fn(hocket_future *future, void *arg);

/*
 * Have fn(future, arg) called once the job is done: in the task that ends it (the worker that ran
 * it, whoever cancelled it, or set the promise), in the order of these calls, after those
 * who wait for it were woken; if it is done already, here and now.  It should be brief and
 * not wait: the worker does nothing else meanwhile, and if the job was cancelled, so is
 * whatever waits in there.  It may submit, cancel, set, and free other futures, and this one if
 * nobody else uses it.  It must give back the locks it takes.
 *
 * 0, -ENOMEM.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_future_on_done(hocket_future *future, hocket_future_fn *fn,
                                                       void *arg);

/*
 * several futures - wait for the first, for all, or for the first failure; or take them as
 * they are done
 *
 *     hocket_completed *c;
 *     size_t i;
 *     int err = hocket_completed_open(&c, futures, count);
 *     while (err == 0 && (err = hocket_completed_next(c, &i, HOCKET_FOREVER)) == 0)
 *         use(futures[i]);                     // done, and each once
 *     hocket_completed_close(c);               // err is -ENOENT: that was all
 *
 * NULL among the futures is skipped.  The same future may be there twice.
 */
enum hocket_wait_for {
    HOCKET_WAIT_ALL = 0,    /* all are done */
    HOCKET_WAIT_FIRST = 1,  /* one is done */
    HOCKET_WAIT_FAILURE = 2 /* one is done with a negative result, or all are done */
};

/*
 * Wait until enough of `count` futures are done.  *ret_index (may be NULL) becomes the index of the
 * one that decided it: with FIRST one that is done, with FAILURE one that failed; `count` if
 * there is none such, and with ALL.  Without futures there is nothing to wait for: 0.
 *
 * 0; -ETIMEDOUT, -ECANCELED, -ENOMEM, -EAGAIN as get; -EINVAL: no such `how`.  A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_future_wait_many(hocket_future *const *futures,
                                                         size_t count, int how, size_t *ret_index,
                                                         hocket_time deadline);

/* Futures as they are done.  For one task; the futures must live until close. */
typedef struct hocket_completed hocket_completed;

/* Begin with a copy of the array.  0, -ENOMEM. */
HOCKET_API HOCKET_MUST_CHECK int hocket_completed_open(hocket_completed **ret_completed,
                                                       hocket_future *const *futures, size_t count);

/*
 * The index of the next one that is done, in the order in which they were (first those that
 * were before open, in order of the array).
 *
 * 0; -ENOENT: all were given; -ETIMEDOUT, -ECANCELED, -ENOMEM, -EAGAIN as get.  A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_completed_next(hocket_completed *completed,
                                                       size_t *ret_index, hocket_time deadline);

/* End it, also in the middle; NULL is ignored.  The futures are as they were. */
HOCKET_API void hocket_completed_close(hocket_completed *completed);

/* Give the future back; NULL is ignored.  See Lifetime. */
HOCKET_API void hocket_future_free(hocket_future *future);

HOCKET_END_DECLS
#endif
