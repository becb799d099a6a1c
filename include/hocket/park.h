/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_PARK_H
#define HOCKET_PARK_H
#include <hocket/time.h>

/*
 * park - wait on an address, for people who build their own primitives
 *
 * hocket_wait_on puts the calling task to sleep if a 32-bit word still has the
 * value it has seen; hocket_wake wakes tasks that sleep on the word.  It is
 * futex(2) for threads and fibers alike, with deadlines and cancellation.
 *
 *     _Atomic uint32_t ready;
 *     while (atomic_load(&ready) == 0)                       // waiter
 *         if ((err = hocket_wait_on(&ready, 0, deadline)) < 0)
 *             return err;
 *
 *     atomic_store(&ready, 1);                               // waker
 *     hocket_wake(&ready, INT_MAX);
 *
 * The comparison and going to sleep are one step with respect to hocket_wake:
 * a waker that changes the word first cannot be missed.
 */

#ifdef __cplusplus
#include <atomic>
typedef std::atomic<uint32_t> hocket_word;
#else
#include <stdatomic.h>
typedef _Atomic uint32_t hocket_word;
#endif

HOCKET_BEGIN_DECLS

/*
 * Sleep while *word == expected, until woken.
 *
 *   0           woken, or the value differed; check the word again
 *   -ETIMEDOUT  the deadline passed (HOCKET_NOW: the word has the value)
 *   -ECANCELED  the caller was cancelled
 *
 * A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_wait_on(const hocket_word *word, uint32_t expected,
                                                hocket_time deadline);

/* Wake up to `count` tasks that sleep on the word, oldest first; returns how many. */
HOCKET_API int hocket_wake(const hocket_word *word, int count);

HOCKET_END_DECLS
#endif
