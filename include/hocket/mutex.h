/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_MUTEX_H
#define HOCKET_MUTEX_H
#include <hocket/detail/fast.h>
#include <hocket/lock.h>
#include <hocket/time.h>

/*
 * mutex - one task at a time
 *
 * A mutex belongs to the *task* that locked it, not to an OS thread: only that
 * task may unlock it, and it may wait, and continue on another thread, while
 * it holds it.  Locking and unlocking a mutex that nobody else wants is one atomic
 * instruction each, inline.
 *
 *   Callers    threads and fibers alike, also threads Hocket did not start.  Not
 *              signal handlers.
 *   Blocks     lock and lock_until.  lock_until is a cancel point on every call,
 *              lock and trylock never are.
 *   Order      an unlock happens before the next lock.  Who asks first need not
 *              get it first: a running task may overtake sleeping ones.  But the
 *              sleeper that has waited longest is handed the mutex once it has waited for a
 *              millisecond, and one more every half millisecond: with n tasks waiting before it,
 *              no task waits longer than 1 + n/2 ms, plus n+1 times the longest
 *              time that the mutex is held and a sleeper needs to wake up.
 *   Lifetime   all-zero is a free mutex.  It must not be copied or moved after the first
 *              use.  Whoever holds it last may free the memory right after
 *              its unlock returned, destroy is for finding mistakes early.
 *   Mistakes   locking a mutex that one holds already, unlocking one that one does not hold,
 *              destroying one in use, ending a task that holds one: panic,
 *              unless said otherwise below.  A plain lock that closes a
 *              cycle of plain locks (a deadlock) panics and names all of them.
 *
 *     static hocket_mutex m;                   // or HOCKET_MUTEX_INIT
 *     hocket_mutex_lock(&m);
 *     count++;
 *     hocket_mutex_unlock(&m);
 *
 *     HOCKET_WITH(&m) {                        // see lock.h
 *         count++;
 *     }
 *
 * The members are private.
 */
struct hocket_mutex {
    uint32_t hocket__word;
    uint32_t hocket__guard;
    void *hocket__head;
    hocket_lock_class *hocket__class;
};

/* Bits of the word of a free mutex that is of a special kind. */
#define HOCKET__LOCK_UNOWNED 0x10000000u
#define HOCKET__LOCK_CLASSED 0x20000000u

/* A free mutex, the same as all-zero. */
#define HOCKET_MUTEX_INIT \
    {                     \
        0, 0, NULL, NULL  \
    }

/*
 * A mutex without owner: one task may lock it and another unlock it.  It works
 * with conditions too.  It takes no part in finding deadlocks, and a
 * task that ends leaves it as it is.
 */
#define HOCKET_MUTEX_INIT_UNOWNED           \
    {                                       \
        HOCKET__LOCK_UNOWNED, 0, NULL, NULL \
    }

/* A mutex of a lock class: see lock_all.h. */
#define HOCKET_MUTEX_INIT_CLASS(class_)         \
    {                                           \
        HOCKET__LOCK_CLASSED, 0, NULL, (class_) \
    }

/* Flag of hocket_mutex_init: as HOCKET_MUTEX_INIT_UNOWNED. */
#define HOCKET_MUTEX_UNOWNED 1u

HOCKET_BEGIN_DECLS

/* The same at run time: flags 0 or HOCKET_MUTEX_UNOWNED, a class or NULL. */
HOCKET_API void hocket_mutex_init(hocket_mutex *mutex, unsigned flags,
                                  hocket_lock_class *lock_class);

/* Check that nobody holds the mutex or waits for it; panics, naming them, otherwise. */
HOCKET_API void hocket_mutex_destroy(hocket_mutex *mutex);

/* Lock, waiting as long as it takes.  Not a cancel point. */
HOCKET_API void hocket_mutex_lock(hocket_mutex *mutex);

/*
 * Lock, waiting until `deadline`.
 *
 *   0           locked
 *   -ETIMEDOUT  the deadline passed (HOCKET_NOW: somebody holds it, the caller included)
 *   -ECANCELED  the calling scope was cancelled
 *   -EDEADLK    the caller holds it, or its holder waits for the caller (over
 *               any number of locks and joins) without a deadline; found for certain,
 *               though not always found
 *
 * On error it is not locked.  A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_mutex_lock_until(hocket_mutex *mutex, hocket_time deadline);

/* Lock if nobody holds it.  0, -EAGAIN.  Never waits. */
HOCKET_API HOCKET_MUST_CHECK int hocket_mutex_trylock(hocket_mutex *mutex);

/* Unlock.  Panics if the caller does not hold it (unowned: if nobody does). */
HOCKET_API void hocket_mutex_unlock(hocket_mutex *mutex);

/* Unlock, for bindings of languages that report mistakes their own way.  0, -EPERM instead of panic. */
HOCKET_API HOCKET_MUST_CHECK int hocket_mutex_unlock_checked(hocket_mutex *mutex);

/* Does anybody hold it?  May have changed when the call returns. */
HOCKET_API bool hocket_mutex_locked(const hocket_mutex *mutex);

/* Does the calling task hold it?  Always false for an unowned mutex. */
HOCKET_API bool hocket_mutex_held(const hocket_mutex *mutex);

/* The id of the task that holds it (hocket_task_id), 0 if nobody does or it is unowned. */
HOCKET_API uint64_t hocket_mutex_owner(const hocket_mutex *mutex);

/*
 * The inline fast paths.  The compare-and-swap of lock acquires and pairs with the one of
 * unlock, which releases.  It fails for whatever is not plain and free: held, waited for, unowned, of a
 * class.  Then the exported function takes over.  HOCKET_NO_INLINE leaves them out.
 *
 * unlock counts the lock out before it frees it: so that store overlaps with what was done under the
 * lock, and no locked instruction waits for it.
 */
#if defined(HOCKET__INLINE_LOCKS) && !defined(HOCKET_NO_INLINE)

/* The slow halves, behind a failed fast path. */
HOCKET_API void hocket__mutex_lock_slow(hocket_mutex *mutex);
HOCKET_API void hocket__mutex_unlock_slow(hocket_mutex *mutex);

HOCKET__INLINE_TWIN void hocket_mutex_lock(hocket_mutex *mutex)
{
    uint32_t expected = 0, id = hocket__fast_id();
    if (__builtin_expect(id != 0 &&
                             __atomic_compare_exchange_n(&mutex->hocket__word, &expected, id, 0,
                                                         __ATOMIC_ACQUIRE, __ATOMIC_RELAXED),
                         1))
        hocket__fast_hold();
    else
        hocket__mutex_lock_slow(mutex);
}

HOCKET__INLINE_TWIN void hocket_mutex_unlock(hocket_mutex *mutex)
{
    uint32_t id = hocket__fast_id(), expected = id;
    hocket__fast_drop();
    if (__builtin_expect(id != 0 &&
                             __atomic_compare_exchange_n(&mutex->hocket__word, &expected, 0, 0,
                                                         __ATOMIC_RELEASE, __ATOMIC_RELAXED),
                         1))
        return;
    hocket__fast_hold();
    hocket__mutex_unlock_slow(mutex);
}

#endif

HOCKET_END_DECLS
#endif
