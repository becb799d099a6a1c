/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SEM_H
#define HOCKET_SEM_H
#include <hocket/time.h>

/*
 * sem - permits: a counting semaphore, bounded or not
 *
 * acquire takes a permit, waiting for one if there is none; release gives one
 * back.  Any task may release.  A bounded semaphore never has more permits
 * than its bound: a release too many is refused.
 *
 *   Callers    threads and fibers alike.  release, release_many and value may also
 *              be called from signal handlers.
 *   Blocks     acquire, a cancel point on every call.  Nothing else.
 *   Order      a release happens before the acquire that takes its permit.  Permits
 *              go to waiters first come, first served; nobody overtakes them.
 *   Lifetime   all-zero has no permits and no bound.  Not copied or moved while in
 *              use.  Once the permits of all releases have been acquired, those
 *              releases touch the semaphore no more: it may be freed.
 *
 *     static hocket_sem slots = HOCKET_SEM_INIT_BOUNDED(4);
 *     if ((err = hocket_sem_acquire(&slots, deadline)) == 0) {
 *         err = fetch(url);
 *         hocket_sem_release(&slots);
 *     }
 *
 * The members are private.
 */
typedef struct hocket_sem {
    uint32_t hocket__word;
    uint32_t hocket__guard;
    void *hocket__head;
    uint32_t hocket__bound;
    uint32_t hocket__busy;
} hocket_sem;

/* The most permits that any semaphore has. */
#define HOCKET_SEM_MAX 0x7fffffffu

/* `permits` permits to begin with, no bound but HOCKET_SEM_MAX. */
#define HOCKET_SEM_INIT(permits) \
    {                            \
        (permits), 0, NULL, 0, 0 \
    }

/* `permits` permits to begin with and never more. */
#define HOCKET_SEM_INIT_BOUNDED(permits) \
    {                                    \
        (permits), 0, NULL, (permits), 0 \
    }

HOCKET_BEGIN_DECLS

/*
 * The same at run time; bound 0 means none.  0, or -EINVAL (more permits than
 * the bound or HOCKET_SEM_MAX) and nothing was changed.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_sem_init(hocket_sem *sem, uint32_t permits, uint32_t bound);

/* Check that nobody waits; panics, naming the waiters, otherwise. */
HOCKET_API void hocket_sem_destroy(hocket_sem *sem);

/*
 * Take a permit.
 *
 *   0           taken
 *   -ETIMEDOUT  the deadline passed (HOCKET_NOW: there is none)
 *   -ECANCELED  the calling scope was cancelled
 *
 * On error none was taken.  A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_sem_acquire(hocket_sem *sem, hocket_time deadline);

/* Take a permit if there is one and nobody waits.  0, -EAGAIN.  Never waits. */
HOCKET_API HOCKET_MUST_CHECK int hocket_sem_try(hocket_sem *sem);

/*
 * Give a permit back.  0, or -EOVERFLOW: the semaphore has as many as its bound
 * allows, nothing was changed.  Async-signal-safe.
 */
HOCKET_API int hocket_sem_release(hocket_sem *sem);

/* Give `count` permits back, all or (-EOVERFLOW) none.  Async-signal-safe. */
HOCKET_API int hocket_sem_release_many(hocket_sem *sem, uint32_t count);

/* How many permits there are now.  Async-signal-safe. */
HOCKET_API uint32_t hocket_sem_value(const hocket_sem *sem);

/* The bound, 0 if there is none. */
HOCKET_API uint32_t hocket_sem_bound(const hocket_sem *sem);

HOCKET_END_DECLS
#endif
