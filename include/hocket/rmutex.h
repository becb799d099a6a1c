/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_RMUTEX_H
#define HOCKET_RMUTEX_H
#include <hocket/mutex.h>

/*
 * rmutex - a mutex that its holder may lock again
 *
 * As hocket_mutex, but the task that holds it may lock it any number of times;
 * it is free again after as many unlocks.  Use it where a function that locks
 * calls another that locks the same: methods of one object, callbacks.
 *
 *   Callers, Blocks, Order, Lifetime, Mistakes    as mutex.h says, but for
 *   locking it again.  lock_until is a cancel point on every call, also when the
 *   caller holds it.
 *
 *     static hocket_rmutex m;                  // or HOCKET_RMUTEX_INIT
 *     hocket_rmutex_lock(&m);
 *     list_add(l, x);                          // locks m again
 *     hocket_rmutex_unlock(&m);
 *
 * The members are private.
 */
struct hocket_rmutex {
    hocket_mutex hocket__mutex;
    uint32_t hocket__depth; /* locks beyond the first; the holder's */
};

/* A free one, the same as all-zero. */
#define HOCKET_RMUTEX_INIT   \
    {                        \
        HOCKET_MUTEX_INIT, 0 \
    }

/* One of a lock class: see lock_all.h. */
#define HOCKET_RMUTEX_INIT_CLASS(class_)   \
    {                                      \
        HOCKET_MUTEX_INIT_CLASS(class_), 0 \
    }

HOCKET_BEGIN_DECLS

/* The same at run time; the class may be NULL. */
HOCKET_API void hocket_rmutex_init(hocket_rmutex *mutex, hocket_lock_class *lock_class);

/* Check that nobody holds it or waits for it; panics, naming them, otherwise. */
HOCKET_API void hocket_rmutex_destroy(hocket_rmutex *mutex);

/* Lock, waiting as long as it takes.  Not a cancel point. */
HOCKET_API void hocket_rmutex_lock(hocket_rmutex *mutex);

/*
 * Lock, waiting until `deadline`.
 *
 *   0           locked
 *   -ETIMEDOUT  the deadline passed (HOCKET_NOW: another task holds it)
 *   -ECANCELED  the calling scope was cancelled
 *   -EDEADLK    its holder waits for the caller without a deadline
 *   -EOVERFLOW  the caller has locked it 2^32 - 1 times more than once
 *
 * On error nothing has changed.  A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_rmutex_lock_until(hocket_rmutex *mutex,
                                                          hocket_time deadline);

/* Lock if no other task holds it.  0, -EAGAIN, -EOVERFLOW.  Never waits. */
HOCKET_API HOCKET_MUST_CHECK int hocket_rmutex_trylock(hocket_rmutex *mutex);

/* Undo one lock.  Panics if the caller does not hold it. */
HOCKET_API void hocket_rmutex_unlock(hocket_rmutex *mutex);

/* Undo one lock.  0, -EPERM instead of panic. */
HOCKET_API HOCKET_MUST_CHECK int hocket_rmutex_unlock_checked(hocket_rmutex *mutex);

/* Does anybody hold it?  May have changed when the call returns. */
HOCKET_API bool hocket_rmutex_locked(const hocket_rmutex *mutex);

/* How many times the calling task has locked it; 0 if it does not hold it. */
HOCKET_API uint64_t hocket_rmutex_depth(const hocket_rmutex *mutex);

/* The id of the task that holds it, or 0. */
HOCKET_API uint64_t hocket_rmutex_owner(const hocket_rmutex *mutex);

/* Inline fast paths as in mutex.h; `depth` is read and written by the holder only. */
#if defined(HOCKET__INLINE_LOCKS) && !defined(HOCKET_NO_INLINE)

/* The slow halves, behind a failed fast path. */
HOCKET_API void hocket__rmutex_lock_slow(hocket_rmutex *mutex);
HOCKET_API void hocket__rmutex_unlock_slow(hocket_rmutex *mutex);

HOCKET__INLINE_TWIN void hocket_rmutex_lock(hocket_rmutex *mutex)
{
    uint32_t expected = 0, id = hocket__fast_id();
    if (__builtin_expect(id != 0 && __atomic_compare_exchange_n(&mutex->hocket__mutex.hocket__word,
                                                                &expected, id, 0, __ATOMIC_ACQUIRE,
                                                                __ATOMIC_RELAXED),
                         1))
        hocket__fast_hold();
    else
        hocket__rmutex_lock_slow(mutex);
}

HOCKET__INLINE_TWIN void hocket_rmutex_unlock(hocket_rmutex *mutex)
{
    uint32_t *word = &mutex->hocket__mutex.hocket__word;
    uint32_t id = hocket__fast_id(), expected = id;
    if (__builtin_expect(id != 0 && __atomic_load_n(word, __ATOMIC_RELAXED) == id &&
                             mutex->hocket__depth == 0,
                         1)) {
        hocket__fast_drop();
        if (__builtin_expect(__atomic_compare_exchange_n(word, &expected, 0, 0, __ATOMIC_RELEASE,
                                                         __ATOMIC_RELAXED),
                             1))
            return;
        hocket__fast_hold();
    }
    hocket__rmutex_unlock_slow(mutex);
}

#endif

HOCKET_END_DECLS
#endif
