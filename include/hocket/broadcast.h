/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_BROADCAST_H
#define HOCKET_BROADCAST_H
#include <hocket/time.h>

/*
 * broadcast - a queue of which every reader sees every value
 *
 * What is put goes to all readers that have subscribed by then, to each in the order it was put.
 * Values are kept until the slowest reader has got them, up to a number; what happens then is
 * the lag policy: the putter waits, or the slow reader misses the oldest values and is told how
 * many.
 *
 *   Callers    threads and fibers alike, also threads Hocket did not start.  Not
 *              signal handlers.  Several tasks may share one reader: then each value goes to one
 *              of them.
 *   Blocks     get while there is nothing new for the reader; put, with HOCKET_LAG_BLOCK,
 *              while the slowest reader is `capacity` values behind.  Both until their
 *              deadline, and both are cancel points on every call.
 *   Order      a put happens before the gets of its value.
 *   Cancel     on any error nothing was put, and the reader stands where it stood.
 *   Lifetime   whoever subscribes frees the reader; whoever made the broadcast frees it after
 *              all its readers, while nobody waits: panics otherwise.
 *
 *     hocket_broadcast *b;
 *     hocket_reader *r;
 *     uint64_t missed;
 *     int err = hocket_broadcast_new(&b, sizeof(struct price),
 *                                    HOCKET_BROADCAST_OPTIONS(.lag = HOCKET_LAG_DROP_OLDEST));
 *     err = hocket_broadcast_subscribe(b, &r);                              // each reader
 *     while ((err = hocket_reader_get(r, &price, &missed, HOCKET_FOREVER)) == 0)
 *         show(&price, missed);                                             // until it is closed
 *     hocket_reader_free(r);
 *     ...
 *     err = hocket_broadcast_put(b, &price, HOCKET_FOREVER);                // the writer
 */
typedef struct hocket_broadcast hocket_broadcast;
typedef struct hocket_reader hocket_reader;

enum hocket_lag {
    HOCKET_LAG_BLOCK = 0,      /* put waits for the slowest reader: nobody misses anything */
    HOCKET_LAG_DROP_OLDEST = 1 /* put never waits: a reader too far behind misses values */
};

/* Values that are kept for slow readers unless told otherwise. */
#define HOCKET_BROADCAST_CAPACITY 64

typedef struct hocket_broadcast_options {
    size_t size;     /* sizeof(hocket_broadcast_options); 0 = those of version 0.1 */
    size_t capacity; /* values kept; 0 = HOCKET_BROADCAST_CAPACITY */
    int lag;         /* enum hocket_lag */
} hocket_broadcast_options;

#define HOCKET_BROADCAST_OPTIONS_DEFAULT                      \
    {                                                         \
        sizeof(hocket_broadcast_options), 0, HOCKET_LAG_BLOCK \
    }
#ifndef __cplusplus
#define HOCKET_BROADCAST_OPTIONS(...) \
    (&(hocket_broadcast_options){ .size = sizeof(hocket_broadcast_options), __VA_ARGS__ })
#endif

HOCKET_BEGIN_DECLS

/*
 * Make one for values of `value_size` bytes; NULL options: defaults.  put and get allocate nothing.
 * 0, -ENOMEM, -EINVAL (size 0, unknown policy, more bytes than there are addresses).
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_broadcast_new(hocket_broadcast **ret_broadcast,
                                                      size_t value_size,
                                                      const hocket_broadcast_options *options);

/*
 * Put a copy of `value` for all who have subscribed; if nobody has, it is gone.
 *
 *   0           put
 *   -EPIPE      it is closed, or was while the caller waited
 *   -ETIMEDOUT  the deadline passed (HOCKET_NOW: a reader is too far behind);
 *               never with HOCKET_LAG_DROP_OLDEST
 *   -ECANCELED  the calling task was cancelled
 *   -ENOMEM     first call of a thread Hocket did not start, and no memory for its record
 *
 * A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_broadcast_put(hocket_broadcast *broadcast,
                                                      const void *value, hocket_time deadline);

/* A reader of all that is put from now on.  0, -ENOMEM, -EPIPE (closed). */
HOCKET_API HOCKET_MUST_CHECK int hocket_broadcast_subscribe(hocket_broadcast *broadcast,
                                                            hocket_reader **ret_reader);

/*
 * Get the next value of this reader.  *ret_missed (may be NULL) is how many values before
 * this one it missed since its last get; always 0 with HOCKET_LAG_BLOCK.
 *
 * 0; -EPIPE once it is closed and the reader has got everything; -ETIMEDOUT, -ECANCELED, -ENOMEM
 * as put.  A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_reader_get(hocket_reader *reader, void *ret_value,
                                                   uint64_t *ret_missed, hocket_time deadline);

/* Values that wait for this reader now, not counting those it will miss. */
HOCKET_API size_t hocket_reader_pending(hocket_reader *reader);

/* Unsubscribe; a put that waited for this reader goes on.  NULL is ignored.  See Lifetime. */
HOCKET_API void hocket_reader_free(hocket_reader *reader);

/*
 * Nothing more will be put: puts end with -EPIPE, readers too once they have got what is there.
 * 0; -EALREADY if it was closed before.
 */
HOCKET_API int hocket_broadcast_close(hocket_broadcast *broadcast);

/* How many readers there are now. */
HOCKET_API size_t hocket_broadcast_readers(hocket_broadcast *broadcast);

/* Free.  NULL is ignored.  See Lifetime. */
HOCKET_API void hocket_broadcast_free(hocket_broadcast *broadcast);

HOCKET_END_DECLS
#endif
