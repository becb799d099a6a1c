/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_QUEUE_H
#define HOCKET_QUEUE_H
#include <hocket/time.h>

/*
 * queue - a bounded queue of values, first in first out
 *
 * A queue hands values of one fixed size from those who put to those who get.
 * Values are copied in and copied out: after a put the caller's variable is
 * the caller's again.  To hand over something large, put a pointer; whoever
 * gets it owns it then.
 *
 *   Callers    threads and fibers alike, also threads Hocket did not start.  Not
 *              signal handlers.
 *   Blocks     put while the queue is full and get while it is empty, until
 *              the deadline; HOCKET_NOW tries.  Both are cancel points on every call.
 *   Order      a put happens before the get that takes its value, a close before
 *              the get or put that reports it.  Values come out in the order they went in.
 *              Those who wait are served in the order they came, and nobody overtakes them.
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

enum hocket_queue_order {
    HOCKET_FIFO = 0 /* first in, first out */
};

/* What a queue holds unless told otherwise. */
#define HOCKET_QUEUE_CAPACITY 64

typedef struct hocket_queue_options {
    size_t size;               /* sizeof(hocket_queue_options); 0 = the fields of version 0.1 */
    int order;                 /* enum hocket_queue_order */
    size_t capacity;           /* values it holds before put waits; 0 = HOCKET_QUEUE_CAPACITY */
    void (*drop)(void *value); /* called for each value that nobody will get; may be NULL */
} hocket_queue_options;

#define HOCKET_QUEUE_OPTIONS_DEFAULT                       \
    {                                                      \
        sizeof(hocket_queue_options), HOCKET_FIFO, 0, NULL \
    }
#ifndef __cplusplus
#define HOCKET_QUEUE_OPTIONS(...) \
    (&(hocket_queue_options){ .size = sizeof(hocket_queue_options), __VA_ARGS__ })
#endif

HOCKET_BEGIN_DECLS

/*
 * Make a queue for values of `value_size` bytes; NULL options: defaults.  All memory that
 * the queue ever needs is taken here: put and get allocate nothing.
 *
 * 0, -ENOMEM, -EINVAL (size 0, unknown order, more bytes than there are addresses).
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
 *   -ENOMEM     first call of a thread Hocket did not start, and no memory for its record
 *
 * A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_queue_put(hocket_queue *queue, const void *value,
                                                  hocket_time deadline);

/*
 * Get the oldest value into `ret_value`, waiting for one until `deadline`.  As put;
 * -EPIPE once the queue is closed and holds nothing.  A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_queue_get(hocket_queue *queue, void *ret_value,
                                                  hocket_time deadline);

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

/* Values in the queue now.  This and all below are a moment's truth; never negative, never wait. */
HOCKET_API size_t hocket_queue_length(const hocket_queue *queue);

/* Values it can hold. */
HOCKET_API size_t hocket_queue_capacity(const hocket_queue *queue);

/* Does it hold nothing, or as much as it can?  Was it closed? */
HOCKET_API bool hocket_queue_empty(const hocket_queue *queue);
HOCKET_API bool hocket_queue_full(const hocket_queue *queue);
HOCKET_API bool hocket_queue_closed(const hocket_queue *queue);

/* Tasks that wait in get, and in put. */
HOCKET_API size_t hocket_queue_getters(const hocket_queue *queue);
HOCKET_API size_t hocket_queue_putters(const hocket_queue *queue);

/* Free; values still inside are dropped.  NULL is ignored.  See Lifetime. */
HOCKET_API void hocket_queue_free(hocket_queue *queue);

HOCKET_END_DECLS
#endif
