/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_BARRIER_H
#define HOCKET_BARRIER_H
#include <hocket/time.h>

/*
 * barrier - a number of tasks wait for each other, again and again
 *
 * Each wait returns when as many tasks have called it as the barrier has
 * parties.  Before they go on, the one that came last runs the action, if there
 * is one.  If a party cannot come, by deadline or cancel, the barrier breaks:
 * nobody waits for a round that cannot become full.
 *
 *   Callers    threads and fibers alike.  Not signal handlers.
 *   Blocks     wait, a cancel point on every call.  Nothing else.
 *   Order      everything before each wait of a round happens before the action, which
 *              happens before every return of the round.
 *   Lifetime   all-zero is a barrier of one party, where nobody waits.  Not copied or moved
 *              while in use.  A party that is back from a full round may
 *              free it if nobody comes any more.
 *   Mistakes   destroying it with waiters: panic.
 *
 *     hocket_barrier step = HOCKET_BARRIER_INIT(4);
 *     while ((err = hocket_barrier_wait(&step, HOCKET_FOREVER)) >= 0)
 *         compute(part);
 *
 * The members are private.
 */
typedef int hocket_barrier_action(void *arg);

typedef struct hocket_barrier {
    uint32_t hocket__parties;
    uint32_t hocket__guard;
    void *hocket__head;
    uint32_t hocket__waiting;
    uint32_t hocket__state;
    hocket_barrier_action *hocket__action;
    void *hocket__arg;
} hocket_barrier;

/* A barrier for `parties` tasks without action. */
#define HOCKET_BARRIER_INIT(parties)         \
    {                                        \
        (parties), 0, NULL, 0, 0, NULL, NULL \
    }

/* One whose rounds end with action(arg), called by the task that came last. */
#define HOCKET_BARRIER_INIT_ACTION(parties, action, arg) \
    {                                                    \
        (parties), 0, NULL, 0, 0, (action), (arg)        \
    }

HOCKET_BEGIN_DECLS

/* The same at run time; the action may be NULL.  0, or -EINVAL: no parties or more than INT_MAX. */
HOCKET_API HOCKET_MUST_CHECK int hocket_barrier_init(hocket_barrier *barrier, uint32_t parties,
                                                     hocket_barrier_action *action, void *arg);

/* Check that nobody waits; panics, naming the waiters, otherwise. */
HOCKET_API void hocket_barrier_destroy(hocket_barrier *barrier);

/*
 * Wait for the others.
 *
 *   0 .. parties - 1   the round is full: the order in which this task came,
 *                      a different number for each
 *   -EPIPE      the barrier is broken, was broken or reset while this task waited, or
 *               the action failed in another task
 *   -ETIMEDOUT  the deadline passed, and so this call broke the barrier
 *   -ECANCELED  the calling scope was cancelled, and so this call broke the barrier
 *   otherwise   the negative result of the action, which this task ran; the
 *               barrier is broken
 *
 * A time-out or cancel that comes after the round is full is too late: the call
 * returns as if it had not come.  Calls during the action belong to the next
 * round.  The action may wait, but not at this barrier.  A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_barrier_wait(hocket_barrier *barrier, hocket_time deadline);

/* Break it: all waits, now and until a reset, fail with -EPIPE. */
HOCKET_API void hocket_barrier_abort(hocket_barrier *barrier);

/* Make it empty and whole again; tasks that wait fail with -EPIPE. */
HOCKET_API void hocket_barrier_reset(hocket_barrier *barrier);

/* How many tasks make a round. */
HOCKET_API uint32_t hocket_barrier_parties(const hocket_barrier *barrier);

/* How many tasks wait for the round to become full. */
HOCKET_API uint32_t hocket_barrier_waiting(const hocket_barrier *barrier);

/* Is it broken? */
HOCKET_API bool hocket_barrier_broken(const hocket_barrier *barrier);

HOCKET_END_DECLS
#endif
