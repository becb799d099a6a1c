/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_LATCH_H
#define HOCKET_LATCH_H
#include <hocket/time.h>

/*
 * latch - wait until a count has come down to zero
 *
 * As a latch: start it with the number of things to happen, count down at each,
 * wait for all.  As a wait group: add for each piece of work before it is handed out,
 * count down when it is done, wait for zero; then it may be used again.
 *
 *   Callers    threads and fibers alike.  done, count_down and count may also be
 *              called from signal handlers.
 *   Blocks     wait, a cancel point on every call.  Nothing else.
 *   Order      each count-down happens before the waits that end at zero.
 *   Lifetime   all-zero is a latch at zero.  Not copied or moved while in use.  Once a
 *              wait has returned 0, the count-downs that brought it to zero touch the
 *              latch no more.
 *   Mistakes   counting below zero and destroying it with waiters: panic.
 *
 *     hocket_latch left = HOCKET_LATCH_INIT(n);
 *     ...
 *     hocket_latch_done(&left);                              // each of n tasks
 *     err = hocket_latch_wait(&left, deadline);              // who needs them all
 *
 * The members are private.
 */
typedef struct hocket_latch {
    uint32_t hocket__word;
    uint32_t hocket__guard;
    void *hocket__head;
    uint32_t hocket__busy;
} hocket_latch;

/* The highest count. */
#define HOCKET_LATCH_MAX 0x3fffffffu

/* A latch at `count`. */
#define HOCKET_LATCH_INIT(count) \
    {                            \
        (count), 0, NULL, 0      \
    }

HOCKET_BEGIN_DECLS

/* Check that nobody waits; panics, naming the waiters, otherwise. */
HOCKET_API void hocket_latch_destroy(hocket_latch *latch);

/*
 * Add to the count: more is to happen.  From zero, tasks that waited are released
 * all the same.  0, or -EOVERFLOW beyond HOCKET_LATCH_MAX and nothing was changed.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_latch_add(hocket_latch *latch, uint32_t count);

/* Count down by one.  Panics below zero.  Async-signal-safe. */
HOCKET_API void hocket_latch_done(hocket_latch *latch);

/* Count down by `count`.  Panics below zero.  Async-signal-safe. */
HOCKET_API void hocket_latch_count_down(hocket_latch *latch, uint32_t count);

/* The count now.  Async-signal-safe. */
HOCKET_API uint32_t hocket_latch_count(const hocket_latch *latch);

/*
 * Wait until the count is zero.
 *
 *   0           it was zero at some moment during the call
 *   -ETIMEDOUT  the deadline passed (HOCKET_NOW: it is not zero)
 *   -ECANCELED  the calling scope was cancelled
 *
 * A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_latch_wait(hocket_latch *latch, hocket_time deadline);

HOCKET_END_DECLS
#endif
