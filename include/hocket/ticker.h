/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TICKER_H
#define HOCKET_TICKER_H
#include <hocket/time.h>

/*
 * ticker - any number of tasks that go on at each tick
 *
 * Ticks come at a fixed rate and are numbered: tick n is n periods after the ticker was made.  Who
 * waits goes on with the next tick, all who wait with the same one.  Nobody holds up anybody: who is
 * busy when a tick comes has missed it, and is told so if he wants.
 *
 *   Callers    threads and fibers alike, also threads Hocket did not start.  Not
 *              signal handlers.
 *   Blocks     wait, a cancel point on every call.
 *   Cost       ticks that nobody waits for cost nothing.  Needs no runtime.
 *   Lifetime   whoever made it frees it, after the last user is done.
 *
 *     hocket_ticker *t;
 *     int err = hocket_ticker_new(&t, HOCKET_SEC);
 *     ...
 *     uint64_t last = 0, missed;                // each task its own
 *     while ((err = hocket_ticker_wait(t, &last, &missed, HOCKET_FOREVER)) == 0)
 *         sample(last, missed);
 */
typedef struct hocket_ticker hocket_ticker;

HOCKET_BEGIN_DECLS

/* Make one that ticks every `period` nanoseconds from now on.  0, -ENOMEM; -EINVAL: less than 1. */
HOCKET_API HOCKET_MUST_CHECK int hocket_ticker_new(hocket_ticker **ret_ticker, hocket_time period);

/*
 * Wait for the next tick.
 *
 * *last (may be NULL) is the number of the tick that the caller has seen last, and becomes that
 * of the one he has waited for; 0: none yet.  *ret_missed (may be NULL) becomes the number of ticks
 * in between, 0 for the first or without `last`.  A caller that is woken so late that further
 * ticks have come sees the newest of them, and has missed the others.
 *
 *   0           a tick
 *   -ETIMEDOUT  the deadline passed before
 *   -ECANCELED  the calling task was cancelled
 *   -EPIPE      the ticker is closed
 *
 * On error nothing is written.  A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_ticker_wait(hocket_ticker *ticker, uint64_t *last,
                                                    uint64_t *ret_missed, hocket_time deadline);

/* Number of the tick that came last, 0 before the first; when the next one comes. */
HOCKET_API uint64_t hocket_ticker_count(const hocket_ticker *ticker);
HOCKET_API hocket_time hocket_ticker_next(const hocket_ticker *ticker);

/* No more ticks: all waits end with -EPIPE, now and from now on. */
HOCKET_API void hocket_ticker_close(hocket_ticker *ticker);

/* Free it; NULL is ignored.  Panics if somebody waits. */
HOCKET_API void hocket_ticker_free(hocket_ticker *ticker);

HOCKET_END_DECLS
#endif
