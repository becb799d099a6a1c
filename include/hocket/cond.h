/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_COND_H
#define HOCKET_COND_H
#include <hocket/mutex.h>
#include <hocket/rmutex.h>
#include <hocket/time.h>

/*
 * cond - wait, with a mutex released meanwhile, until somebody signals
 *
 * A condition belongs to something that a mutex guards.  Waiting releases the
 * mutex and takes it again before it returns, whatever it returns.  Releasing
 * and starting to wait are one step: a signal given with the mutex held is
 * never missed.
 *
 *   Callers    threads and fibers alike.  Not signal handlers.
 *   Blocks     the wait functions; each is a cancel point on every call.  Taking
 *              the mutex again is no cancel point and has no deadline.
 *   Order      a signal happens before the wait that it ends.  Waiters are woken in
 *              the order they came; the mutex they then take as mutex.h says.
 *   Lifetime   all-zero is valid.  Not copied or moved while somebody waits.  May
 *              be freed once every waiter has been woken.
 *   Wakeups    a wait ends by a signal, its deadline or a cancel, by
 *              nothing else; a signal whose waiter ended by deadline or cancel at the
 *              same moment goes to the next one.  Still the state may have changed
 *              before the mutex was taken again: check it in a loop, or use
 *              wait_for.
 *   Mistakes   waiting without holding the mutex, destroying it with waiters: panic.
 *
 *     HOCKET_WITH(&m) {                                      // consumer
 *         while (err == 0 && list_empty(&l))
 *             err = hocket_cond_wait(&c, &m, deadline);
 *         if (err == 0)
 *             x = list_take(&l);
 *     }
 *
 *     HOCKET_WITH(&m) {                                      // producer
 *         list_add(&l, x);
 *         hocket_cond_signal(&c);
 *     }
 *
 * The members are private.
 */
typedef struct hocket_cond {
    uint32_t hocket__count;
    uint32_t hocket__guard;
    void *hocket__head;
} hocket_cond;

/* Without waiters, the same as all-zero. */
#define HOCKET_COND_INIT \
    {                    \
        0, 0, NULL       \
    }

/* What wait_for waits for: called with the mutex held; must not wait itself. */
typedef bool hocket_predicate(void *arg);

HOCKET_BEGIN_DECLS

/* Check that nobody waits; panics, naming the waiters, otherwise. */
HOCKET_API void hocket_cond_destroy(hocket_cond *cond);

/*
 * Release `mutex`, wait for a signal until `deadline`, lock `mutex` again.
 *
 *   0           signalled
 *   -ETIMEDOUT  the deadline passed (HOCKET_NOW: at once, others had their turn)
 *   -ECANCELED  the calling scope was cancelled; if it was before the call, the mutex
 *               was not released
 *
 * The mutex is held on return, in each case.  A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_cond_wait(hocket_cond *cond, hocket_mutex *mutex,
                                                  hocket_time deadline);

/*
 * The same with a re-entrant mutex, which is released however often it was locked, and locked as
 * often again.  A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_cond_wait_rmutex(hocket_cond *cond, hocket_rmutex *mutex,
                                                         hocket_time deadline);

/*
 * Wait until predicate(arg) is true.
 *
 *   0           it is true, the mutex is held
 *   -ETIMEDOUT  the deadline passed and it is false
 *   -ECANCELED  the calling scope was cancelled
 *
 * A cancel point, also if it is true already.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_cond_wait_for(hocket_cond *cond, hocket_mutex *mutex,
                                                      hocket_predicate *predicate, void *arg,
                                                      hocket_time deadline);

/* The same with a re-entrant mutex.  A cancel point, also if it is true already. */
HOCKET_API HOCKET_MUST_CHECK int hocket_cond_wait_for_rmutex(hocket_cond *cond,
                                                             hocket_rmutex *mutex,
                                                             hocket_predicate *predicate, void *arg,
                                                             hocket_time deadline);

/* Wake the task that waits longest, if any.  The mutex need not be held. */
HOCKET_API void hocket_cond_signal(hocket_cond *cond);

/* Wake up to `count` tasks, those that wait longest first; returns how many. */
HOCKET_API int hocket_cond_signal_many(hocket_cond *cond, int count);

/* Wake all that wait now. */
HOCKET_API void hocket_cond_broadcast(hocket_cond *cond);

/* How many tasks wait.  May have changed when the call returns, unless one holds the mutex. */
HOCKET_API uint32_t hocket_cond_waiting(const hocket_cond *cond);

HOCKET_END_DECLS
#endif
