/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_QUEUE_H
#define HOCKET_QUEUE_H
#include <hocket/time.h>

/*
 * queue - values handed from those who put to those who get
 *
 * A queue holds values of one fixed size.  They are copied in and copied out: after a
 * put the caller's variable is the caller's again.  To hand over something
 * large, put a pointer; whoever gets it owns it then.
 *
 *   Callers    threads and fibers alike, also threads Hocket did not start.  Not
 *              signal handlers.
 *   Blocks     put while the queue is full and get while there is nothing in it, until
 *              the deadline; HOCKET_NOW tries.  Cancel points on every call.
 *   Order      a put happens before the get that takes its value, a close before
 *              the get or put that reports it, a task_done before the join it ends.
 *              Values come out in the order that the queue was made for.  Those who wait are
 *              served in the order they came, and nobody overtakes them.
 *   Cancel     a wait ends in exactly one way.  On any error nothing was put or
 *              got: the value is still the caller's, or still in the queue.
 *   Lifetime   whoever made it frees it, after the last user is done; freeing
 *              while somebody waits panics.
 *
 *     hocket_queue *q;
 *     int err = hocket_queue_new(&q, sizeof(struct job), HOCKET_QUEUE_OPTIONS(.capacity = 100));
 *
 *     err = hocket_queue_put(q, &job, hocket_after(HOCKET_SEC));     // producer
 *     ...
 *     (void)hocket_queue_close(q, HOCKET_CLOSE_DRAIN);               // no more to come
 *
 *     while ((err = hocket_queue_get(q, &job, HOCKET_FOREVER)) == 0) // consumers
 *         work(&job);
 *     // ends with -EPIPE: closed, and everything was got
 */
typedef struct hocket_queue hocket_queue;
typedef struct hocket_task hocket_task; /* task.h */

enum hocket_queue_order {
    HOCKET_FIFO = 0,    /* first in, first out */
    HOCKET_LIFO = 1,    /* last in, first out */
    HOCKET_PRIORITY = 2 /* by priority; among equals first in, first out */
};

/* Which end of the numbers a queue of order HOCKET_PRIORITY begins with. */
enum hocket_queue_first {
    HOCKET_LOWEST_FIRST = 0, /* the value with the lowest priority comes out first */
    HOCKET_HIGHEST_FIRST = 1
};

/* What a queue holds unless told otherwise. */
#define HOCKET_QUEUE_CAPACITY 64

/* Capacity: no bound.  put never waits, but may have no memory. */
#define HOCKET_UNBOUNDED SIZE_MAX

/*
 * Capacity: the queue holds nothing.  A put ends when a getter has its value, and one with
 * HOCKET_NOW succeeds only if a getter waits already.  Order HOCKET_FIFO only.
 */
#define HOCKET_RENDEZVOUS (SIZE_MAX - 1)

/*
 * For values that carry their priority themselves: negative if `a` comes before `b`, positive
 * if after, 0 if they are equal.  It is called with the queue locked: it must be short and
 * call nothing of Hocket.
 */
typedef int hocket_queue_compare(const void *a, const void *b, void *context);

typedef struct hocket_queue_options {
    size_t size;                   /* sizeof(hocket_queue_options); 0 = the fields of version 0.1 */
    int order;                     /* enum hocket_queue_order */
    size_t capacity;               /* values it holds before put waits; 0 = HOCKET_QUEUE_CAPACITY,
                                  never unbounded; or HOCKET_UNBOUNDED, HOCKET_RENDEZVOUS */
    void (*drop)(void *value);     /* called for each value that nobody will get; may be NULL */
    int first;                     /* enum hocket_queue_first, of HOCKET_PRIORITY */
    hocket_queue_compare *compare; /* of HOCKET_PRIORITY: NULL = the numbers of put_with */
    void *context;                 /* what compare gets */
} hocket_queue_options;

#define HOCKET_QUEUE_OPTIONS_DEFAULT                                      \
    {                                                                     \
        sizeof(hocket_queue_options), HOCKET_FIFO, 0, NULL, 0, NULL, NULL \
    }
#ifndef __cplusplus
#define HOCKET_QUEUE_OPTIONS(...) \
    (&(hocket_queue_options){ .size = sizeof(hocket_queue_options), __VA_ARGS__ })
#endif

HOCKET_BEGIN_DECLS

/*
 * Make a queue for values of `value_size` bytes; NULL options: defaults.  All memory that
 * a queue with a bound ever needs is taken here: put and get allocate nothing.  One without a bound
 * takes memory for some values at a time (HOCKET_PRIORITY: for as many as it holds).
 *
 * 0, -ENOMEM, -EINVAL (size 0, unknown order, more bytes than there are addresses, a
 * rendezvous that is to sort).
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_queue_new(hocket_queue **ret_queue, size_t value_size,
                                                  const hocket_queue_options *options);

/*
 * Put a copy of `value`, waiting for room until `deadline`.
 *
 *   0           put: somebody has it, or it is in the queue
 *   -EPIPE      the queue is closed, or was while the caller waited
 *   -ETIMEDOUT  the deadline passed (HOCKET_NOW: there is no room)
 *   -ECANCELED  the calling task was cancelled
 *   -ENOMEM     a queue without bound could not grow; or first call of a thread
 *               Hocket did not start, and no memory for its record
 *
 * In a queue of order HOCKET_PRIORITY the value has priority 0.  A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_queue_put(hocket_queue *queue, const void *value,
                                                  hocket_time deadline);

/*
 * Put with a priority.  It counts among the values in the queue, not among tasks that wait
 * to put.  As put; -EINVAL if the queue does not sort by numbers.  A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_queue_put_with(hocket_queue *queue, const void *value,
                                                       int64_t priority, hocket_time deadline);

/*
 * Get the value whose turn it is into `ret_value`, waiting for one until `deadline`.  As put;
 * -EPIPE once the queue is closed and holds nothing.  A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_queue_get(hocket_queue *queue, void *ret_value,
                                                  hocket_time deadline);

/*
 * Put `count` values that lie one after the other, in that order, waiting for room as often as need
 * be.  Values of other tasks may come between them.
 *
 * Gives `count` if all were put.  If something came between (deadline, cancel, close, no
 * memory) it gives how many were put, the first ones; only if that is none the error, as put.
 * 0 if count is 0.  A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK ptrdiff_t hocket_queue_put_many(hocket_queue *queue,
                                                             const void *values, size_t count,
                                                             hocket_time deadline);

/*
 * Get up to `most` values: waits until `deadline` for the first, and takes of the others what is
 * there then.
 *
 * Gives how many, at least 1; or the error, as get.  0 if most is 0.  A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK ptrdiff_t hocket_queue_get_many(hocket_queue *queue, void *ret_values,
                                                             size_t most, hocket_time deadline);

/*
 * What was got is done.  Each value that was put counts as unfinished until somebody says this, or until
 * it is dropped by a close.
 *
 * 0; -EOVERFLOW if nothing is unfinished.  Never waits.
 */
HOCKET_API int hocket_queue_task_done(hocket_queue *queue);

/*
 * Wait until every value that was put has been reported done, at one moment at least; it is not
 * enough that they were got.  At once if nothing is unfinished.
 *
 * 0, -ETIMEDOUT, -ECANCELED, -ENOMEM as put.  A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_queue_join(hocket_queue *queue, hocket_time deadline);

/*
 * Say that `producer` puts into the queue, and that nobody does who was not declared.  When the last declared
 * one has ended and the queue is not closed, those who wait in get without a deadline, then or later, wait in
 * vain: that is reported once by one line on standard error.  Nothing else changes.  Declare before the
 * task may have ended (held tasks, task.h), by its handle or hocket_self, and each as often as you like.
 * Not for foreign threads: their end is not seen.  0, -ENOMEM, -EINVAL (NULL).
 *
 *     err = hocket_spawn_task(&t, NULL, produce, q, HOCKET_SPAWN_OPTIONS(.held = true));
 *     if (err == 0 && (err = hocket_queue_declare(q, t)) == 0)
 *         err = hocket_task_start(t);
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_queue_declare(hocket_queue *queue, hocket_task *producer);

enum hocket_queue_close {
    HOCKET_CLOSE_DRAIN = 0, /* what is in the queue may still be got */
    HOCKET_CLOSE_NOW = 1    /* what is in the queue is dropped */
};

/*
 * Close: puts fail with -EPIPE from now on, gets too once nothing is left, and so does
 * everybody who waits in vain.  Values that are dropped go to the drop function,
 * in the calling task.  0; -EALREADY if it was closed before (NOW after DRAIN is 0, and drops
 * what is left); -EINVAL for another `how`.  Never waits.
 */
HOCKET_API int hocket_queue_close(hocket_queue *queue, int how);

/*
 * A descriptor for poll(2) and its kin, made at the first call and closed with the queue: POLLIN
 * exactly while a value is in the queue, POLLHUP once it was closed.  Do nothing with it but
 * poll: it belongs to the queue.  Somebody else may be faster: get with HOCKET_NOW.  From then
 * on each put into the empty queue and each get of the last value costs a system call.  A rendezvous
 * holds nothing, so its descriptor reports the close only.
 *
 * The descriptor; -EMFILE, -ENFILE (no descriptors are left; it takes two), -ENOMEM: the queue is
 * as it was.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_queue_fd(hocket_queue *queue);

/* Values in the queue now.  This and all below are a moment's truth; never negative, never wait. */
HOCKET_API size_t hocket_queue_length(const hocket_queue *queue);

/* Values it can hold: 0 for a rendezvous, HOCKET_UNBOUNDED without a bound. */
HOCKET_API size_t hocket_queue_capacity(const hocket_queue *queue);

/*
 * Does it hold nothing, or as much as it can (a rendezvous: both, always)?  Was it closed?
 */
HOCKET_API bool hocket_queue_empty(const hocket_queue *queue);
HOCKET_API bool hocket_queue_full(const hocket_queue *queue);
HOCKET_API bool hocket_queue_closed(const hocket_queue *queue);

/* Tasks that wait in get, and in put. */
HOCKET_API size_t hocket_queue_getters(const hocket_queue *queue);
HOCKET_API size_t hocket_queue_putters(const hocket_queue *queue);

/* Values that were put and not yet reported done. */
HOCKET_API size_t hocket_queue_unfinished(const hocket_queue *queue);

/* Free; values still inside are dropped.  NULL is ignored.  See Lifetime. */
HOCKET_API void hocket_queue_free(hocket_queue *queue);

HOCKET_END_DECLS
#endif
