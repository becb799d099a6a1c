/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_EVENT_H
#define HOCKET_EVENT_H
#include <hocket/time.h>

/*
 * event - a flag to wait for
 *
 * An event is set or not.  While it is set, waiting returns at once; setting it
 * wakes everybody who waits, also if it is cleared right after.
 *
 *   Callers    threads and fibers alike.  hocket_event_set and _is_set may also be
 *              called from signal handlers.
 *   Blocks     wait, a cancel point on every call.  Nothing else.
 *   Order      a set happens before the waits that it ends or lets through.
 *   Lifetime   all-zero is a cleared event.  Not copied or moved while in use.  Once
 *              a wait has returned 0, the set that ended it touches the event no
 *              more: an event on the waiter's stack is fine.
 *
 *     hocket_event ready = HOCKET_EVENT_INIT;
 *     ...
 *     hocket_event_set(&ready);                              // one task
 *     err = hocket_event_wait(&ready, hocket_after(HOCKET_SEC));   // another
 *
 * The members are private.
 */
typedef struct hocket_event {
    uint32_t hocket__word;
    uint32_t hocket__guard;
    void *hocket__head;
    uint32_t hocket__busy;
} hocket_event;

/* A cleared event, the same as all-zero. */
#define HOCKET_EVENT_INIT \
    {                     \
        0, 0, NULL, 0     \
    }

HOCKET_BEGIN_DECLS

/* Check that nobody waits; panics, naming the waiters, otherwise. */
HOCKET_API void hocket_event_destroy(hocket_event *event);

/* Set it and wake all waiters.  Async-signal-safe. */
HOCKET_API void hocket_event_set(hocket_event *event);

/* Clear it: waiting waits again.  Async-signal-safe. */
HOCKET_API void hocket_event_clear(hocket_event *event);

/* Is it set?  Async-signal-safe. */
HOCKET_API bool hocket_event_is_set(const hocket_event *event);

/*
 * Wait until it is set.
 *
 *   0           it was set at some moment during the call
 *   -ETIMEDOUT  the deadline passed (HOCKET_NOW: it is not set)
 *   -ECANCELED  the calling scope was cancelled
 *
 * A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_event_wait(hocket_event *event, hocket_time deadline);

HOCKET_END_DECLS
#endif
