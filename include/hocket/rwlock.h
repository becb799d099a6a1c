/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_RWLOCK_H
#define HOCKET_RWLOCK_H
#include <hocket/lock.h>
#include <hocket/time.h>

/*
 * rwlock - many readers or one writer
 *
 * Worth it where reading takes long and is frequent; for short sections a
 * mutex is faster.
 *
 *   Callers    threads and fibers alike.  Not signal handlers.
 *   Blocks     the lock functions; the _until forms are cancel points on every
 *              call, the plain and try forms never are.
 *   Order      an unlock happens before each later lock that it allowed.  First
 *              come, first served: a reader that comes after a waiting writer
 *              waits behind it, so neither readers nor writers starve; readers that
 *              wait side by side enter together.  A task that reads already may read
 *              again at once, even past a waiting writer.
 *   Lifetime   all-zero is a free lock.  Not copied or moved after the first use.
 *              Whoever holds it last may free the memory once its unlock returned.
 *   Mistakes   locking for writing what one holds in any way, for reading what one writes,
 *              unlocking what one does not hold, destroying one in use, ending a
 *              task that holds one: panic, unless said otherwise below.
 *
 *     static hocket_rwlock l;                  // or HOCKET_RWLOCK_INIT
 *     HOCKET_WITH_READ(&l) {
 *         found = table_find(&table, key);
 *     }
 *     HOCKET_WITH(&l) {
 *         table_add(&table, key, value);
 *     }
 *
 * A task's first four read locks and locks of a class are remembered with the
 * task.  While it holds more, mistakes with those are not found.
 *
 * The members are private.
 */
struct hocket_rwlock {
    uint32_t hocket__word;
    uint32_t hocket__guard;
    void *hocket__head;
    hocket_lock_class *hocket__class;
};

/* A free lock, the same as all-zero. */
#define HOCKET_RWLOCK_INIT \
    {                      \
        0, 0, NULL, NULL   \
    }

/* One of a lock class: see lock_all.h. */
#define HOCKET_RWLOCK_INIT_CLASS(class_) \
    {                                    \
        0, 0, NULL, (class_)             \
    }

HOCKET_BEGIN_DECLS

/* The same at run time; the class may be NULL. */
HOCKET_API void hocket_rwlock_init(hocket_rwlock *lock, hocket_lock_class *lock_class);

/* Check that nobody holds the lock or waits for it; panics, naming them, otherwise. */
HOCKET_API void hocket_rwlock_destroy(hocket_rwlock *lock);

/* Lock for reading or writing, waiting as long as it takes.  Not cancel points. */
HOCKET_API void hocket_rwlock_rdlock(hocket_rwlock *lock);
HOCKET_API void hocket_rwlock_wrlock(hocket_rwlock *lock);

/*
 * The same, waiting until `deadline`.
 *
 *   0           locked
 *   -ETIMEDOUT  the deadline passed (HOCKET_NOW: it cannot be had at once, whoever holds it)
 *   -ECANCELED  the calling scope was cancelled
 *   -EDEADLK    the caller holds it (but for reading again), or a
 *               holder waits for the caller without a deadline
 *   -EOVERFLOW  rdlock: 2^28 - 1 readers
 *
 * On error it is not locked.  Cancel points.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_rwlock_rdlock_until(hocket_rwlock *lock,
                                                            hocket_time deadline);
HOCKET_API HOCKET_MUST_CHECK int hocket_rwlock_wrlock_until(hocket_rwlock *lock,
                                                            hocket_time deadline);

/* Lock if that takes no waiting.  0, -EAGAIN; tryrdlock: -EOVERFLOW. */
HOCKET_API HOCKET_MUST_CHECK int hocket_rwlock_tryrdlock(hocket_rwlock *lock);
HOCKET_API HOCKET_MUST_CHECK int hocket_rwlock_trywrlock(hocket_rwlock *lock);

/* Undo one lock of the calling task, of either kind.  Panics if it holds none. */
HOCKET_API void hocket_rwlock_unlock(hocket_rwlock *lock);

/* The same.  0, -EPERM instead of panic. */
HOCKET_API HOCKET_MUST_CHECK int hocket_rwlock_unlock_checked(hocket_rwlock *lock);

/* Does anybody hold it, for reading or writing?  Only for writing? */
HOCKET_API bool hocket_rwlock_locked(const hocket_rwlock *lock);
HOCKET_API bool hocket_rwlock_write_locked(const hocket_rwlock *lock);

/* How many read locks are held now. */
HOCKET_API uint32_t hocket_rwlock_readers(const hocket_rwlock *lock);

/* The id of the task that writes, or 0. */
HOCKET_API uint64_t hocket_rwlock_owner(const hocket_rwlock *lock);

HOCKET_END_DECLS
#endif
