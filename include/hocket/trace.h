/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TRACE_H
#define HOCKET_TRACE_H
#include <hocket/base.h>

/*
 * trace - a timeline of what every task did, and of what it waited for
 *
 * While a trace is on, each worker and each other thread that uses the library writes what
 * happens into a ring of its own, in memory, of which the newest events are kept.  When the trace
 * stops, or the process ends, they go into a file:
 *
 *     HOCKET_TRACE=crawl.trace ./crawl             # no change to the program
 *     hocket trace json crawl.trace -o crawl.json  # for ui.perfetto.dev
 *
 * or, for a part of the program:
 *
 *     err = hocket_trace_start("crawl.trace", NULL);
 *     crawl();
 *     err = hocket_trace_stop();
 *
 *   Callers    threads and fibers alike; signal handlers none.
 *   Blocks     start, stop and write make system calls on files and hold up their worker.
 *              Nothing waits in the library (but stop for the end of the trace's thread), nothing is a
 *              cancel point.
 *   Cost       an event takes 10 to 30 ns (a wait ten more, to find its place in the program),
 *              and 32 bytes of a ring.  Without a trace the functions
 *              below are one load, and the library's own events too.
 *   Share      in all that makes a thread a tenth slower at most: one that has more to say (tasks
 *              that do nothing, two million events a second and more) makes the trace pause for a
 *              few milliseconds, now and then.  Nobody does with the first 100,000 events, nor with
 *              bursts after some quiet.  `share` sets another limit, or 100: none.
 *              The page shows pauses as what they are.  In them nothing is recorded but
 *              errors and what the functions below say, which then is beyond the limit.
 *   Memory     a ring a thread, of which the pages are taken as they are written; the next thread
 *              goes on in the ring of one that has ended.  At most 1,024: threads beyond are not
 *              recorded, and counted.  Rings are kept for the next trace.
 *   Threads    one of the library's own while a trace with a limit is on, asleep but for pauses.
 *              If it cannot be had there is no limit, and none in the child of a fork.  A simulated
 *              world has no pauses.
 *   Fork       a trace is the process's that started it; in the child of a fork none is on.
 *
 * Environment, read when a runtime starts, unless a trace is on:
 *   HOCKET_TRACE         the file; %p in it is the process id.  It is written when the runtime
 *                        stops, and again at exit(3) if anything happened since; when a panic or a
 *                        second Ctrl-C ends the process, too.  A file that cannot be written
 *                        (a full disk) costs one line on standard error, and the trace.
 *   HOCKET_TRACE_BUFFER  bytes of each ring, as 65536, 64K or 4M (default): a power of two from 4K
 *                        to 1G; others are rounded up.
 *   HOCKET_TRACE_EVENTS  which events, as tasks,waits,locks,jobs,workers,user: names of the classes
 *                        below with commas between.
 *   HOCKET_TRACE_SHARE   how much slower a thread may become by its events, in percent, from 1 to
 *                        100 (no limit, no pause); without it 10.
 */

/* Classes of events. */
enum hocket_trace_events {
    HOCKET_TRACE_TASKS = 1,    /* spawn, start and end of tasks */
    HOCKET_TRACE_WAITS = 2,    /* waits, their ends, and who woke whom */
    HOCKET_TRACE_LOCKS = 4,    /* locks taken and given back, uncontended ones too */
    HOCKET_TRACE_JOBS = 8,     /* jobs of executors */
    HOCKET_TRACE_WORKERS = 16, /* what workers do between tasks: steal, sleep */
    HOCKET_TRACE_USER = 32,    /* spans, counters and marks of the program */
    HOCKET_TRACE_DEFAULT = 59  /* all but LOCKS */
};

typedef struct hocket_trace_options {
    size_t size; /* sizeof(hocket_trace_options); 0 = the fields of version 0.1 */
    size_t
        buffer; /* bytes of each ring made from now on, rounded up to a power of two; 0 = 4 MiB */
    unsigned events; /* enum hocket_trace_events; 0 = HOCKET_TRACE_DEFAULT */
    unsigned share;  /* percent by which a thread may become slower, 100 = no limit; 0 = 10 */
} hocket_trace_options;

#define HOCKET_TRACE_OPTIONS_DEFAULT          \
    {                                         \
        sizeof(hocket_trace_options), 0, 0, 0 \
    }

HOCKET_BEGIN_DECLS

/*
 * Begin a trace that goes to the file `path` when it stops; the file is made now.  One trace
 * a process at a time.
 *
 *   0            it is on
 *   -EBUSY       a trace is on already, or just stopping
 *   -EINVAL      an empty path, a buffer of more than 1 GiB, a share of more than 100, or events
 *                that there are not
 *   -ENOMEM
 *   other        what open(2) says of the file: -ENOENT, -EACCES, -ENAMETOOLONG, ...
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_trace_start(const char *path,
                                                    const hocket_trace_options *options);

/*
 * Stop the trace and write its file.  What other threads do at this very moment may be in it.
 *
 *   0         the file is complete
 *   -EINVAL   no trace is on
 *   -EBUSY    somebody is just stopping or writing it
 *   other     what open(2) and write(2) say: -ENOSPC, -EDQUOT, -EFBIG, ...; the trace is over all
 *             the same, and the file is not complete
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_trace_stop(void);

/* Write what there is so far into the trace's file, and go on.  Errors as hocket_trace_stop. */
HOCKET_API HOCKET_MUST_CHECK int hocket_trace_write(void);

/* Is a trace on? */
HOCKET_API bool hocket_trace_active(void);

/*
 * A span: what the calling task does between the two, also across waits and on another
 * worker.  Spans nest.  The name is copied, up to 120 bytes.  In a thread without a task the span
 * is that of the thread.
 *
 *     hocket_trace_begin("parse");
 *     err = parse(document);
 *     hocket_trace_end();
 */
HOCKET_API void hocket_trace_begin(const char *name);
HOCKET_API void hocket_trace_end(void);

/* A curve: from now on `name` is `value`.  The name is copied, up to 120 bytes. */
HOCKET_API void hocket_trace_counter(const char *name, double value);

/* A moment with a text, copied, up to 120 bytes. */
HOCKET_API void hocket_trace_mark(const char *text);

HOCKET_END_DECLS
#endif
