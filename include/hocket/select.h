/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SELECT_H
#define HOCKET_SELECT_H
#include <hocket/event.h>
#include <hocket/future.h>
#include <hocket/queue.h>
#include <hocket/task.h>

/*
 * select - one wait for several unlike things, of which exactly one happens
 *
 * Each case is a put, a get, the end of a task or of a job, an event, a time, or a descriptor.
 * hocket_select waits until one of them can happen, lets that one happen, and says which.  The
 * others have not happened: nothing was put or got for them.
 *
 *   Callers    threads and fibers alike, also threads Hocket did not start.  Not
 *              signal handlers.
 *   Blocks     until a case happens or the deadline; HOCKET_NOW: looks once (the 'default' of
 *              other languages).  A cancel point on every call.
 *   Fair       of several cases that can happen each is taken equally often.
 *   Order      what hocket_queue_get, hocket_join... promise for the case that happened.
 *   Cancel     a wait ends in exactly one way: on an error no case has happened.
 *   Lifetime   the objects of all cases must live until select returns.
 *
 *     hocket_case cases[] = {
 *         hocket_case_get(jobs, &job),
 *         hocket_case_put(results, &result),
 *         hocket_case_event(&stop),
 *     };
 *     cases[1].object = have_result ? results : NULL;      // NULL: this case is out
 *
 *     switch (hocket_select(cases, 3, hocket_after(HOCKET_SEC))) {
 *     case 0: start(&job); break;                          // if cases[0].error == 0
 *     case 1: have_result = false; break;
 *     case 2: return 0;
 *     case -ETIMEDOUT: idle(); break;
 *     default: return -ECANCELED;
 *     }
 *
 * The same object may occur in several cases, a queue also in a put and a get: one select
 * never serves itself.
 */

enum hocket_case_kind {
    HOCKET_CASE_NONE = 0,
    HOCKET_CASE_PUT = 1,    /* object: hocket_queue; value: from where; number: priority */
    HOCKET_CASE_GET = 2,    /* object: hocket_queue; value: to where */
    HOCKET_CASE_JOIN = 3,   /* object: hocket_task; value: int for its result, or NULL */
    HOCKET_CASE_FUTURE = 4, /* object: hocket_future; value: int for its result, or NULL */
    HOCKET_CASE_EVENT = 5,  /* object: hocket_event */
    HOCKET_CASE_TIMER = 6,  /* number: the hocket_time */
    HOCKET_CASE_FD = 7      /* number: the descriptor; events: which; ready: what it is */
};

enum hocket_fd_events {
    HOCKET_READABLE = 1, /* a read would not block: data, end of file, an error */
    HOCKET_WRITABLE = 2
};

/* One case.  Make it with the functions below; they leave nothing undefined. */
typedef struct hocket_case {
    int kind; /* enum hocket_case_kind */

    /*
     * Of the case that happened: 0; -EPIPE: the queue is closed (and for a get, empty); what
     * hocket_join and hocket_future_get would say, -EDEADLK for oneself; -EBADF: no such descriptor.
     * Untouched in the other cases.
     */
    int error;
    void *object;   /* NULL: the case is out.  Timers and descriptors need none */
    void *value;    /* as the kind says; a put only reads it */
    int64_t number; /* as the kind says */
    int events;     /* of a descriptor: enum hocket_fd_events */
    int ready;      /* of a descriptor that happened: which of `events` it is ready for */
    int64_t reserved[2];
} hocket_case;

HOCKET_BEGIN_DECLS

/* A case that never happens. */
static inline hocket_case hocket_case_none(void)
{
    hocket_case c = { HOCKET_CASE_NONE, 0, NULL, NULL, 0, 0, 0, { 0, 0 } };
    return c;
}

/* Put a copy of `value`, as hocket_queue_put. */
static inline hocket_case hocket_case_put(hocket_queue *queue, const void *value)
{
    hocket_case c = { HOCKET_CASE_PUT, 0, queue, (void *)value, 0, 0, 0, { 0, 0 } };
    return c;
}

/* Put it with a priority, as hocket_queue_put_with. */
static inline hocket_case hocket_case_put_with(hocket_queue *queue, const void *value,
                                               int64_t priority)
{
    hocket_case c = { HOCKET_CASE_PUT, 0, queue, (void *)value, priority, 0, 0, { 0, 0 } };
    return c;
}

/* Get a value, as hocket_queue_get. */
static inline hocket_case hocket_case_get(hocket_queue *queue, void *ret_value)
{
    hocket_case c = { HOCKET_CASE_GET, 0, queue, ret_value, 0, 0, 0, { 0, 0 } };
    return c;
}

/* The task has ended; *ret_result (may be NULL) is its result, as hocket_join. */
static inline hocket_case hocket_case_join(hocket_task *task, int *ret_result)
{
    hocket_case c = { HOCKET_CASE_JOIN, 0, task, ret_result, 0, 0, 0, { 0, 0 } };
    return c;
}

/* The future is done; *ret_result (may be NULL) as hocket_future_get. */
static inline hocket_case hocket_case_future(hocket_future *future, int *ret_result)
{
    hocket_case c = { HOCKET_CASE_FUTURE, 0, future, ret_result, 0, 0, 0, { 0, 0 } };
    return c;
}

/* The event is set, as hocket_event_wait; it stays set. */
static inline hocket_case hocket_case_event(hocket_event *event)
{
    hocket_case c = { HOCKET_CASE_EVENT, 0, event, NULL, 0, 0, 0, { 0, 0 } };
    return c;
}

/* It is `time` or later; HOCKET_FOREVER: the case is out. */
static inline hocket_case hocket_case_timer(hocket_time time)
{
    hocket_case c = { HOCKET_CASE_TIMER, 0, NULL, NULL, time, 0, 0, { 0, 0 } };
    return c;
}

/*
 * The descriptor is ready for one of `events`; negative: the case is out.  It is borrowed and must
 * stay open until select returns.  What poll says may be wrong a moment later: use descriptors that do
 * not block.  A file on disk is always ready.
 */
static inline hocket_case hocket_case_fd(int fd, int events)
{
    hocket_case c = { HOCKET_CASE_FD, 0, NULL, NULL, fd, events, 0, { 0, 0 } };
    return c;
}

/*
 * Wait until one of `count` cases can happen, and let it.  `count` may be 0, and all cases may be
 * out: then it sleeps until the deadline.
 *
 *   >= 0        the index of the case that happened; its `error` says how
 *   -ETIMEDOUT  the deadline passed (HOCKET_NOW: no case can happen now)
 *   -ECANCELED  the calling task was cancelled
 *   -EINVAL     a case of an unknown kind, a descriptor without events, a priority for a queue
 *               that has none
 *   -ENOMEM     no memory: more than 16 cases, a queue that had to grow, or the record of a thread
 *               Hocket did not start
 *   -EAGAIN, -EMFILE, -ENFILE   a descriptor can't be watched: no thread, no descriptor to be had
 *   -ENOMEM or -EAGAIN          as hocket_future_get, for a job that waits for a future
 *
 * A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_select(hocket_case *cases, size_t count,
                                               hocket_time deadline);

HOCKET_END_DECLS
#endif
