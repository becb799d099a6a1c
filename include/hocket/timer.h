/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TIMER_H
#define HOCKET_TIMER_H
#include <hocket/executor.h>
#include <hocket/time.h>

/*
 * timer - call a function at a time, once or again and again
 *
 *     static int expire(hocket_timer *timer, void *arg)
 *     {
 *         struct session *s = arg;
 *         session_close(s);
 *         hocket_timer_free(timer);             // from its own callback: allowed
 *         return 0;
 *     }
 *
 *     hocket_timer *t;
 *     int err = hocket_timer_new(&t, expire, session);
 *     if (err == 0)
 *         err = hocket_timer_start(t, hocket_after(30 * HOCKET_SEC));
 *     ...
 *     err = hocket_timer_start(t, hocket_after(30 * HOCKET_SEC));   // it moved: 30 more
 *
 *   Callers    threads and fibers alike, also threads Hocket did not start.  Not
 *              signal handlers.
 *   Callbacks  run in daemon tasks on fibers of the runtime, several timers' at once; one
 *              timer's never overlap.  A callback may wait as long as it likes: the others
 *              are called meanwhile.  It must give back the locks it takes.  Task-local values
 *              (local.h) belong to the task, which goes on to other timers.
 *   Time       no callback comes before its time.  Timers that are due are called in the
 *              order of their times, equals in the order in which they were started.
 *   Order      a start happens before the callback that it leads to, a callback before the
 *              stop or free that has waited for it.
 *   Blocks     stop and free, while the callback runs in another task.
 *   Cost       starting and stopping allocate nothing but the first task, whatever number of
 *              timers is pending.
 *   Ends       timers keep no program alive: when the runtime stops, callbacks are
 *              cancelled and waited for, and what is pending never comes.  The handles stay
 *              valid, and can be started in the next runtime.
 *   Lifetime   whoever made it frees it, from its own callback too.
 */
typedef struct hocket_timer hocket_timer;

/*
 * Called when the time has come.  It may start, stop and free its own timer and any other.  A negative
 * result is a failure of this call alone: its words go to the error hook, and a timer
 * that repeats goes on.
 */
typedef int hocket_timer_fn(hocket_timer *timer, void *arg);

/* How a timer repeats. */
enum hocket_repeat {
    /* At first, first + period, first + 2 * period...  When that is not possible, since the last call
     * is not over or everything is late, that point is skipped and counted (hocket_timer_missed). */
    HOCKET_FIXED_RATE = 0,
    /* A period after the end of the last call.  Never misses one. */
    HOCKET_FIXED_DELAY = 1
};

HOCKET_BEGIN_DECLS

/* Make a timer, which is not started.  0, -ENOMEM. */
HOCKET_API HOCKET_MUST_CHECK int hocket_timer_new(hocket_timer **ret_timer, hocket_timer_fn *fn,
                                                  void *arg);

/*
 * Call it once, at `when` (HOCKET_NOW: as soon as possible).  If it was started before, the new time
 * takes the place of the old one, and it does not repeat any more; if its callback runs at
 * this moment, it comes once more after that, also when started from there.
 *
 *   0           pending
 *   -ENOSYS     there is no runtime
 *   -ECANCELED  the runtime is about to end
 *   -ENOMEM     no memory for the task that would call it; there is one already when
 *               another timer is pending, or was in this runtime
 *
 * On error the timer is as it was.  Not a cancel point; never waits.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_timer_start(hocket_timer *timer, hocket_time when);

/*
 * The same, and then again and again: `how` is one of enum hocket_repeat.  Errors as start; -EINVAL: a
 * period below 1 or no such `how`.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_timer_start_every(hocket_timer *timer, hocket_time first,
                                                          hocket_time period, int how);

/*
 * Take the start back, and if the callback runs, wait until it has returned.  In its own
 * callback, and in the job of hocket_submit_every, there is no wait: then it will not run again.
 *
 *   1           it was pending, and will not come
 *   0           it was not pending
 *   -ETIMEDOUT  the callback did not return before the deadline (HOCKET_NOW: it runs)
 *   -ECANCELED  the calling task was cancelled; whether the callback runs was not looked at
 *   -EDEADLK    the callback waits for the caller
 *
 * After 1 and 0 the callback does not run, and will not unless somebody starts the timer
 * again.  After an error it will not be called again either, but may not have returned.  A start
 * that a running callback makes for its own timer after somebody else has begun to stop it has no effect.
 * A cancel point.
 */
HOCKET_API int hocket_timer_stop(hocket_timer *timer, hocket_time deadline);

/* Will it come (again), unless it is stopped?  A moment's truth, as those below. */
HOCKET_API bool hocket_timer_pending(hocket_timer *timer);

/* When it comes next, perhaps in the past.  HOCKET_FOREVER if it is not pending, and while it waits for
 * its own callback to return. */
HOCKET_API hocket_time hocket_timer_next(hocket_timer *timer);

/*
 * How often the callback has been called since the timer was made, and how many points of its
 * fixed rate were skipped since it was started last.
 */
HOCKET_API uint64_t hocket_timer_calls(hocket_timer *timer);
HOCKET_API uint64_t hocket_timer_missed(hocket_timer *timer);

/*
 * Stop it, wait until its callback has returned, and free it; NULL is ignored.  In its own callback it
 * does not wait, and the timer must not be used afterwards.  Not a cancel point.  Panics if the
 * callback waits for a plain lock of the caller, or if somebody waits in stop.
 */
HOCKET_API void hocket_timer_free(hocket_timer *timer);

/*
 * Submit fn(arg) to an executor at `when`, or later if it is full.  *ret_future (NULL: fire and
 * forget) is the job's future, at once: it can be waited for, and cancelling it
 * before the time withdraws the job.  When the runtime stops before, the result is -ECANCELED.
 *
 *     err = hocket_submit_at(ex, &f, hocket_after(5 * HOCKET_SEC), look_again, host);
 *
 * Errors as hocket_submit_fn and hocket_timer_start; if the executor takes no more jobs by
 * then, that is the job's result.  The executor must live until the future is done.
 * A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_submit_at(hocket_executor *executor,
                                                  hocket_future **ret_future, hocket_time when,
                                                  hocket_task_fn *fn, void *arg);

/*
 * Submit fn(arg) again and again; it runs once at a time.  The timer belongs to the caller: stopping
 * and freeing it waits for the job as for a callback, and the job itself may stop and free
 * it.  With a fixed rate, points at which the last job is still queued or running are skipped.
 * A job that fails goes to the error hook and does not end it; when the executor takes
 * no more jobs, the timer stops.
 *
 *     err = hocket_submit_every(ex, &t, HOCKET_NOW, HOCKET_SEC, HOCKET_FIXED_RATE, poll, NULL);
 *     ...
 *     hocket_timer_free(t);
 *     hocket_executor_free(ex);                 // in this order
 *
 * Errors as hocket_timer_start_every.  Not a cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_submit_every(hocket_executor *executor,
                                                     hocket_timer **ret_timer, hocket_time first,
                                                     hocket_time period, int how,
                                                     hocket_task_fn *fn, void *arg);

HOCKET_END_DECLS
#endif
