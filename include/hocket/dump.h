/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_DUMP_H
#define HOCKET_DUMP_H
#include <hocket/task.h>

/*
 * dump - who is there, and what does each wait for?
 *
 * A dump is text: the workers, then every task by scope, threads included, with id, name,
 * placement and state; for a task that waits what for and since when, who holds that or how full
 * the queue is, and its deadline; and the calls it stands in, running or not.
 * Functions and static objects have their names where the program was not stripped.  Tasks that
 * stand at the same place for the same reason are one entry with their number.
 *
 *     hocket: dump of server, pid 4711: 1,003 tasks (1,002 waiting, 1 running, 0 ready, 0 held)
 *     worker 0 runs pack [1005]
 *     root scope
 *       main [1] fiber, waits 12.031 s for scope 0x7f3a...; age 12.034 s
 *           at hocket_scope_close+0x5c (libhocket.so.0+0x1c5bc)
 *           at serve+0x91 (server+0x1391)
 *         scope 'clients' 0x7f3a...
 *           1,000 tasks: task-4 [4], ... and 996 more fiber, waits 12.028 s for queue
 *           ...
 *           pack [1005] fiber, running; age 0.310 s
 *               at compress+0x1c4 (server+0x2a04)
 *               at pack+0x2f (server+0x2c6f)
 *     files
 *       server: 5e1f... /usr/bin/server
 *
 * The program goes on meanwhile, so it is no picture of one moment: each task is shown as it was
 * when it was looked at. Times are a few milliseconds coarse.  What is in brackets after a call
 * is for addr2line(1), or `hocket dump --from FILE`, which puts source lines in its place: the files
 * that are meant come last, each with its build id (- if it has none) and path.
 *
 * A thread that computes is asked for its calls by SIGPROF, which has a handler only while a dump is
 * made, and only if it had its default action before.  One that sleeps in a system call is not
 * disturbed: its stack is read from outside, as far as that goes without its registers (functions
 * compiled with a frame pointer end it).  Where calls cannot be had a line says why: the program
 * uses SIGPROF, the thread blocks it, or does not answer.
 *
 *   Callers    threads and fibers alike, also without a runtime.
 *   Blocks     the thread, as long as writing to the descriptor does, and half a second at most for
 *              threads that do not answer; no cancel point.
 *   Memory     works when there is none left; with many tasks they are then not sorted.
 */

HOCKET_BEGIN_DECLS

/*
 * Write a dump to a descriptor.  0, -EBUSY (the runtime is just giving its stacks back), or what
 * write(2) failed with, negative.
 *
 *     hocket_dump(STDERR_FILENO);
 */
HOCKET_API int hocket_dump(int fd);

/*
 * From now on this signal writes a dump to standard error, and a second one within two seconds
 * has the signal's default action; 0: no longer, what was there before comes back.  `hocket dump
 * PID` then has one written to it instead.  hocket_run does this with SIGQUIT (runtime.h,
 * .no_dump); for programs that it does not run.  The dump is made by a worker, or by the monitor
 * if all are busy; without a runtime, or without workers, in the handler.  0, -EINVAL.  Not from
 * signal handlers.
 *
 *     err = hocket_dump_on_signal(SIGUSR1);
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_dump_on_signal(int signal);

/*
 * For tests: panic unless `scope` has no task left (NULL: unless the program has no task left but
 * the caller, the root task and daemons, no thread of its own waits in the library, and no timer
 * is pending).  First it says what is left, as a dump does, on standard error.  The scope need
 * not be open any more.  Not a cancel point.
 *
 *     int failed = hocket_scope_wait(&s);
 *     hocket_assert_quiet(&s);
 */
HOCKET_API void hocket_assert_quiet(const hocket_scope *scope);

/*
 * For tests: when so much time has passed, write a dump to standard error and abort; 0 or
 * HOCKET_FOREVER: never. A second call takes the place of the first.  The environment variable
 * HOCKET_TEST_TIMEOUT ("30s", "500ms", "2m") does it for programs as they are, from the start of
 * their runtime on.  It takes the signal SIGRTMAX - 1; a child of fork() has no time-out.  0,
 * -EINVAL, -EAGAIN (no kernel timer to be had).
 *
 *     err = hocket_test_timeout(30 * HOCKET_SEC);
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_test_timeout(hocket_time timeout);

#define HOCKET_STATS_KINDS 32

/* What there is now, and what has happened since the runtime started; see hocket_stats. */
typedef struct hocket_stats_info {
    size_t size;                     /* bytes of it that this version of the library fills in */
    size_t tasks;                    /* alive: the sum of the next three, and of the four after */
    size_t fibers, threads, foreign; /* by what runs them */
    size_t running, ready, waiting, held; /* by state */
    struct {
        const char *kind; /* static word: "mutex", "queue", "join", ... */
        size_t count;     /* tasks that wait for one */
    } waits[HOCKET_STATS_KINDS];
    size_t wait_kinds;  /* how many of these are used */
    size_t waits_other; /* tasks in waits of further kinds */
    size_t workers, workers_asleep;
    size_t queued;              /* ready fibers in the workers' queues */
    size_t queued_most;         /* in the longest of them */
    size_t os_threads;          /* that the runtime has, the caller of hocket_run included */
    size_t stacks;              /* of fibers, in use or cached */
    size_t stack_peak;          /* most bytes that any of them holds in memory, in whole pages */
    uint64_t spawned;           /* tasks */
    uint64_t switches;          /* from one stack to another */
    uint64_t steals;            /* times a worker took tasks from another */
    uint64_t wakes;             /* sleeping workers woken */
    uint64_t lent;              /* workers lent by the watchdog or hocket_blocking_begin */
    uint64_t queues;            /* queues, delay queues, readers there are now */
    uint64_t queue_values;      /* in all of them */
    uint64_t queue_values_most; /* in the longest of them */
    uint64_t reserved[5];       /* for what later versions count */
} hocket_stats_info;

/*
 * Fill in *ret_stats.  Tasks and queues are counted one by one while they go on, some 10 ns each (100
 * where there are a hundred thousand queues), and each stack is a system call: for now and then, not
 * for each request.  Not a cancel point.
 *
 *     hocket_stats_info s;
 *     hocket_stats(&s);
 *     printf("%zu of %zu tasks wait\n", s.waiting, s.tasks);
 */
HOCKET_API void hocket_stats(hocket_stats_info *ret_stats);

HOCKET_END_DECLS
#endif
