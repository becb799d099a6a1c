/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_DELAY_QUEUE_H
#define HOCKET_DELAY_QUEUE_H
#include <hocket/queue.h>
#include <hocket/time.h>

/*
 * delay_queue - values that nobody can get before their time
 *
 * Each value is put with the time from which it may be got.  Until then it is in the queue, but
 * a get waits.  Values come out in the order of their times; equals first in, first out.
 *
 *   Callers    threads and fibers alike, also threads Hocket did not start.  Not
 *              signal handlers.
 *   Blocks     get until a value's time has come; put while the queue is full.  Both until
 *              their deadline, and both are cancel points on every call.
 *   Order      a put happens before the get that takes its value.  No value is got before its
 *              time.  One waiting task watches the clock for all of them.
 *   Cancel     on any error nothing was put or got; another task that waits takes over.
 *   Lifetime   whoever made it frees it, after the last user is done; freeing
 *              while somebody waits panics.
 *
 *     hocket_delay_queue *q;
 *     int err = hocket_delay_queue_new(&q, sizeof(struct request), NULL);
 *
 *     // what failed is tried again in a second
 *     err = hocket_delay_queue_put(q, &request, hocket_after(HOCKET_SEC), HOCKET_FOREVER);
 *     ...
 *     while ((err = hocket_delay_queue_get(q, &request, HOCKET_FOREVER)) == 0)
 *         try_again(&request);
 */
typedef struct hocket_delay_queue hocket_delay_queue;

typedef struct hocket_delay_queue_options {
    size_t size;               /* sizeof(hocket_delay_queue_options); 0 = those of version 0.1 */
    size_t capacity;           /* values it holds before put waits; 0 = HOCKET_QUEUE_CAPACITY,
                                  or HOCKET_UNBOUNDED */
    void (*drop)(void *value); /* called for each value that nobody will get; may be NULL */
} hocket_delay_queue_options;

#define HOCKET_DELAY_QUEUE_OPTIONS_DEFAULT          \
    {                                               \
        sizeof(hocket_delay_queue_options), 0, NULL \
    }
#ifndef __cplusplus
#define HOCKET_DELAY_QUEUE_OPTIONS(...) \
    (&(hocket_delay_queue_options){ .size = sizeof(hocket_delay_queue_options), __VA_ARGS__ })
#endif

HOCKET_BEGIN_DECLS

/*
 * Make one for values of `value_size` bytes; NULL options: defaults.  With a bound all memory is
 * taken here.  0, -ENOMEM, -EINVAL (size 0, a rendezvous, more bytes than there are addresses).
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_delay_queue_new(hocket_delay_queue **ret_queue,
                                                        size_t value_size,
                                                        const hocket_delay_queue_options *options);

/*
 * Put a copy of `value`, to be got at `due` or later (HOCKET_NOW: at once), waiting for
 * room until `deadline`.
 *
 *   0           it is in the queue
 *   -EPIPE      the queue is closed, or was while the caller waited
 *   -ETIMEDOUT  the deadline passed (HOCKET_NOW: there is no room)
 *   -ECANCELED  the calling task was cancelled
 *   -ENOMEM     a queue without bound could not grow; or first call of a thread
 *               Hocket did not start, and no memory for its record
 *
 * A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_delay_queue_put(hocket_delay_queue *queue,
                                                        const void *value, hocket_time due,
                                                        hocket_time deadline);

/*
 * Get the value that is due first, once it is due, waiting until `deadline`.  As put;
 * -EPIPE once the queue is closed and holds nothing.  A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_delay_queue_get(hocket_delay_queue *queue, void *ret_value,
                                                        hocket_time deadline);

/*
 * Close: puts fail with -EPIPE from now on, also those that wait.  HOCKET_CLOSE_DRAIN: what is in the
 * queue can still be got, each value at its time; HOCKET_CLOSE_NOW: it is dropped, in the calling
 * task, in the order of time.  Gets end with -EPIPE once nothing is left.
 *
 * 0; -EALREADY if it was closed before (NOW after DRAIN is 0 if it drops something); -EINVAL
 * for another `how`.
 */
HOCKET_API int hocket_delay_queue_close(hocket_delay_queue *queue, int how);

/* Values in the queue, due or not.  This and the next two are a moment's truth. */
HOCKET_API size_t hocket_delay_queue_length(hocket_delay_queue *queue);

/* When the first of them is due, perhaps in the past; HOCKET_FOREVER if there is none. */
HOCKET_API hocket_time hocket_delay_queue_next(hocket_delay_queue *queue);

/* Was it closed? */
HOCKET_API bool hocket_delay_queue_closed(hocket_delay_queue *queue);

/* Free; values still inside are dropped.  NULL is ignored.  See Lifetime. */
HOCKET_API void hocket_delay_queue_free(hocket_delay_queue *queue);

HOCKET_END_DECLS
#endif
