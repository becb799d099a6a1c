/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_RUNTIME_H
#define HOCKET_RUNTIME_H
#include <hocket/task.h>

/*
 * runtime - what runs the tasks
 *
 * A program calls hocket_run once, from main; a library or plug-in inside
 * somebody else's program calls hocket_runtime_start and _stop, which touch
 * neither signals nor at-exit.  Nothing starts before.  Locks, events and the
 * other primitives work without a runtime, between plain threads.
 *
 * Environment:
 *   HOCKET_WORKERS   number of workers, 0 to 1000; default: usable CPUs (affinity and
 *                    cgroup quota).  0: everything on the calling thread; no
 *                    other thread is created but for tasks and executors that ask for one.
 *   HOCKET_DEADLOCK  panic, report or off: in place of on_deadlock below.
 */

/*
 * What happens when all tasks are asleep and nothing can wake one.
 *
 * That is found within a second, and it is certain: every thread of the process is one of the
 * library's, or waits in it; nothing is ready, no wait has a deadline, no timer is pending, no
 * descriptor is waited for, no hocket_blocking call runs, and the program has no signal handler of its own.
 * Where something outside could wake a task, nothing is said.
 *
 * That somebody could press Ctrl-C does not count, but for a task in hocket_sleep_until(HOCKET_FOREVER): a
 * program says by that that it waits for the signal.
 *
 * Not found: some tasks that wait for each other while others go on, unless as a cycle (task.h), and
 * deadlocks of a process with a thread that sleeps elsewhere, in poll(2) say.
 */
enum hocket_on_deadlock {
    HOCKET_DEADLOCK_DEFAULT = 0, /* hocket_run: PANIC; hocket_runtime_start: REPORT */
    HOCKET_DEADLOCK_PANIC = 1,   /* list the tasks on standard error, then abort(3) */
    HOCKET_DEADLOCK_REPORT = 2,  /* list them, once a runtime */
    HOCKET_DEADLOCK_OFF = 3      /* do not look */
};

typedef struct hocket_runtime_options {
    size_t size; /* sizeof(hocket_runtime_options); 0 = the fields of version 0.1 */
    int workers; /* 0 = HOCKET_WORKERS or usable CPUs; HOCKET_NO_WORKERS = calling thread alone */
    int max_blocking;     /* most threads for hocket_blocking; 0 = 512 */
    hocket_time watchdog; /* a task on a worker for longer is reported; 0 = 100 ms, FOREVER = off */
    bool no_signals;      /* hocket_run: leave SIGINT, SIGTERM and SIGQUIT alone */
    bool quiet_watchdog;  /* lend a worker, but write nothing */
    int on_deadlock;      /* enum hocket_on_deadlock */
    bool no_dump;         /* hocket_run: leave SIGQUIT alone */
} hocket_runtime_options;

#define HOCKET_NO_WORKERS (-1)

#define HOCKET_RUNTIME_OPTIONS_DEFAULT                                  \
    {                                                                   \
        sizeof(hocket_runtime_options), 0, 0, 0, false, false, 0, false \
    }
#ifndef __cplusplus
#define HOCKET_RUNTIME_OPTIONS(...) \
    (&(hocket_runtime_options){ .size = sizeof(hocket_runtime_options), __VA_ARGS__ })
#endif

HOCKET_BEGIN_DECLS

/*
 * Run fn(arg) as the root task and everything it spawns; return when the root
 * task and all tasks that are not daemons have ended, daemons were cancelled
 * and ended, and the at-exit functions have run.
 *
 * The calling thread is the first worker.  The first SIGINT or SIGTERM cancels
 * the root scope, the second ends the process with status 130.  SIGQUIT (Ctrl-\) writes a dump
 * (dump.h) to standard error, and the program goes on; a second one within two seconds ends it.
 *
 * A signal that is ignored at the start stays ignored.  At the end all are as they were.
 *
 * Returns what fn returned, or -ENOMEM, -EAGAIN (no thread to be had), -EBUSY (a runtime
 * is running already), -EINVAL (HOCKET_WORKERS, HOCKET_DEADLOCK or the options make no sense).  Not a cancel point.
 *
 *     int main(void)
 *     {
 *         return hocket_run(program, NULL) != 0; // an exit status has no sign
 *     }
 */
HOCKET_API int hocket_run(hocket_task_fn *fn, void *arg);

/* The same with options; NULL = defaults. */
HOCKET_API int hocket_run_with(hocket_task_fn *fn, void *arg,
                               const hocket_runtime_options *options);

/*
 * Start the workers, for programs with a main loop of their own.  Nested
 * starts are counted; the options are those of the first.  With no workers, tasks run on
 * whichever thread waits in the library.  0, -ENOMEM, -EAGAIN (no thread to be had), -EINVAL.
 *
 *     if ((err = hocket_runtime_start(NULL)) < 0)          // the plug-in is loaded
 *         return err;
 *     err = hocket_spawn_task(&t, NULL, serve, p, NULL);
 *     ...                                                   // the host's main loop
 *     hocket_cancel(t);                                     // it is unloaded
 *     hocket_task_release(t);
 *     err = hocket_runtime_stop(hocket_after(HOCKET_SEC));
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_runtime_start(const hocket_runtime_options *options);

/*
 * Undo one start; the last one waits for the tasks that are not daemons,
 * cancels the daemons, runs the at-exit functions, ends the workers and gives
 * all memory back.  If the deadline passes first: everything is cancelled, and
 * -ETIMEDOUT is returned once it ended.  0, -ETIMEDOUT, -EPERM (from a task), -EINVAL (not
 * started), -ENOMEM (first call of a thread, and no memory for its record: nothing was
 * undone).  Not a cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_runtime_stop(hocket_time deadline);

/* Is a runtime there? */
HOCKET_API bool hocket_running(void);

/* How many workers it has; 0 when everything runs on one calling thread, or there is no runtime. */
HOCKET_API int hocket_workers(void);

/*
 * Set the default stack size of tasks spawned from now on and return the old
 * one (64 KiB at first).  0 only asks, and so does more than 1 GiB.  Rounded up to a power of
 * two, at least 64 KiB.
 */
HOCKET_API size_t hocket_stack_size(size_t bytes);

/*
 * Call fn(arg) when the runtime ends, after the last task that is no daemon:
 * last in, first out, each once.  Also when a task calls exit(3), or the process ends and no
 * runtime was running.  0, -ENOMEM.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_at_exit(void (*fn)(void *arg), void *arg);

/*
 * Call fn(arg), which may block its thread (a blocking library, a long system
 * call), without holding up other tasks: on a fiber it runs on a thread made
 * for such calls while the task waits; elsewhere right here.  Returns what fn
 * returned, or -ECANCELED before fn was started, or -EAGAIN or -ENOMEM when no thread can be
 * had.  Once fn runs it is never interrupted.  A cancel point before the call.
 */
HOCKET_API int hocket_blocking(hocket_task_fn *fn, void *arg);

/*
 * The same around a block of code: between the two the calling worker's other
 * tasks are taken over by another thread.  Nothing in between may wait in
 * the library (that panics).  Nest freely.  Not cancel points.
 */
HOCKET_API void hocket_blocking_begin(void);
HOCKET_API void hocket_blocking_end(void);

/* Counters since the runtime started; see the members. */
typedef struct hocket_runtime_stats {
    uint64_t spawned;  /* tasks spawned */
    uint64_t switches; /* changes from one stack to another */
    uint64_t steals;   /* times a worker took tasks from another */
    uint64_t wakes;    /* sleeping workers woken */
    uint64_t lent;     /* workers lent by the watchdog or hocket_blocking_begin */
    size_t tasks;      /* alive now */
    size_t threads;    /* OS threads the runtime has now, the caller of hocket_run included */
    size_t stacks;     /* stacks in use or cached now */
} hocket_runtime_stats;

/* Read the counters; exact when nothing runs.  Zeroes without a runtime. */
HOCKET_API void hocket_runtime_stats_get(hocket_runtime_stats *ret_stats);

HOCKET_END_DECLS
#endif
