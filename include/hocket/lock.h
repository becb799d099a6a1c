/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_LOCK_H
#define HOCKET_LOCK_H
#include <hocket/base.h>

/*
 * lock - what all locks share: scoped locking, classes, references
 *
 * The header of each lock includes this one.
 *
 *     HOCKET_WITH(&account->mutex) {
 *         if (account->balance < amount)
 *             return -EDOM;                    // the mutex is released
 *         account->balance -= amount;
 *     }
 *
 * The block runs once, with the lock held: a hocket_mutex, a hocket_rmutex, or a
 * hocket_rwlock as writer (HOCKET_WITH_READ: as reader).  However the block is
 * left, by its end, return, break, continue, goto or a C++ exception, the lock
 * is released; only longjmp and exit do not.  `break` and `continue` leave this
 * block, not a loop around it.  The lock is taken by the plain form: that cannot
 * fail and is no cancel point.
 *
 * A compiler does not know that the block always runs: a function whose only
 * `return` is inside needs another one behind it.
 */

/* The lock types, whichever of their headers are included. */
typedef struct hocket_mutex hocket_mutex;
typedef struct hocket_rmutex hocket_rmutex;
typedef struct hocket_rwlock hocket_rwlock;

/*
 * A lock of any kind, for functions that take several.  Made by HOCKET_LOCK_REF
 * or HOCKET_LOCK_REF_READ; valid while the lock is.
 */
typedef struct hocket_lock_ref {
    void *lock;
    int kind; /* enum hocket_lock_kind */
} hocket_lock_ref;

enum hocket_lock_kind {
    HOCKET_LOCK_MUTEX = 1,
    HOCKET_LOCK_RMUTEX = 2,
    HOCKET_LOCK_WRITE = 3, /* a hocket_rwlock as writer */
    HOCKET_LOCK_READ = 4   /* a hocket_rwlock as reader */
};

/*
 * A class of locks: all locks that protect the same kind of thing share one.
 * Locks that have a class take part in learning the order (lock_all.h);
 * for others nothing is judged.  Static, zero but for the name.
 *
 *     static hocket_lock_class accounts = HOCKET_LOCK_CLASS_INIT("account");
 *     static hocket_mutex m = HOCKET_MUTEX_INIT_CLASS(&accounts);
 */
typedef struct hocket_lock_class {
    const char *name;
    uint32_t hocket__id;
} hocket_lock_class;

#define HOCKET_LOCK_CLASS_INIT(name_) \
    {                                 \
        (name_), 0                    \
    }

HOCKET_BEGIN_DECLS

/* Take or give back any lock by the plain forms; panics as they do. */
HOCKET_API void hocket_lock_ref_lock(hocket_lock_ref ref);
HOCKET_API void hocket_lock_ref_unlock(hocket_lock_ref ref);

/* As mutex.h declares them, for the blocks below. */
HOCKET_API void hocket_mutex_lock(hocket_mutex *mutex);
HOCKET_API void hocket_mutex_unlock(hocket_mutex *mutex);

HOCKET_END_DECLS

/* Names of nested blocks differ, so that -Wshadow stays silent. */
#define HOCKET__WITH_NAME2(number) hocket__with_##number
#define HOCKET__WITH_NAME(number)  HOCKET__WITH_NAME2(number)

#ifndef __cplusplus

static inline hocket_lock_ref hocket__ref_mutex(hocket_mutex *lock)
{
    hocket_lock_ref ref = { lock, HOCKET_LOCK_MUTEX };
    return ref;
}

static inline hocket_lock_ref hocket__ref_rmutex(hocket_rmutex *lock)
{
    hocket_lock_ref ref = { lock, HOCKET_LOCK_RMUTEX };
    return ref;
}

static inline hocket_lock_ref hocket__ref_write(hocket_rwlock *lock)
{
    hocket_lock_ref ref = { lock, HOCKET_LOCK_WRITE };
    return ref;
}

static inline hocket_lock_ref hocket__ref_read(hocket_rwlock *lock)
{
    hocket_lock_ref ref = { lock, HOCKET_LOCK_READ };
    return ref;
}

/* The reference to a lock, of the kind that the pointer's type says. */
#define HOCKET_LOCK_REF(lock_)                      \
    (_Generic((lock_), hocket_mutex *               \
              : hocket__ref_mutex, hocket_rmutex *  \
              : hocket__ref_rmutex, hocket_rwlock * \
              : hocket__ref_write)(lock_))
#define HOCKET_LOCK_REF_READ(rwlock_) (hocket__ref_read(rwlock_))

struct hocket__with {
    hocket_lock_ref ref;
    int live;
};

/* Always inline: with the kind known, one comparison and one call are left. */
__attribute__((always_inline)) static inline struct hocket__with hocket__with_enter(
    hocket_lock_ref ref)
{
    struct hocket__with with = { ref, 1 };
    if (ref.kind == HOCKET_LOCK_MUTEX)
        hocket_mutex_lock((hocket_mutex *)ref.lock);
    else
        hocket_lock_ref_lock(ref);
    return with;
}

__attribute__((always_inline)) static inline void hocket__with_leave(struct hocket__with *with)
{
    if (with->ref.kind == HOCKET_LOCK_MUTEX)
        hocket_mutex_unlock((hocket_mutex *)with->ref.lock);
    else
        hocket_lock_ref_unlock(with->ref);
}

#define HOCKET__WITH(ref_, name)                                                  \
    for (struct hocket__with name                                                 \
         __attribute__((cleanup(hocket__with_leave))) = hocket__with_enter(ref_); \
         name.live; name.live = 0)

#else

extern "C++" {

inline hocket_lock_ref hocket__ref(hocket_mutex *lock)
{
    hocket_lock_ref ref = { lock, HOCKET_LOCK_MUTEX };
    return ref;
}

inline hocket_lock_ref hocket__ref(hocket_rmutex *lock)
{
    hocket_lock_ref ref = { lock, HOCKET_LOCK_RMUTEX };
    return ref;
}

inline hocket_lock_ref hocket__ref(hocket_rwlock *lock)
{
    hocket_lock_ref ref = { lock, HOCKET_LOCK_WRITE };
    return ref;
}

inline hocket_lock_ref hocket__ref_read(hocket_rwlock *lock)
{
    hocket_lock_ref ref = { lock, HOCKET_LOCK_READ };
    return ref;
}

#define HOCKET_LOCK_REF(lock_)        (hocket__ref(lock_))
#define HOCKET_LOCK_REF_READ(rwlock_) (hocket__ref_read(rwlock_))

/* In C++ a destructor does what the attribute does in C, also for exceptions. */
struct hocket__with {
    hocket_lock_ref ref;
    bool live;
    explicit hocket__with(hocket_lock_ref lock) : ref(lock), live(true)
    {
        if (ref.kind == HOCKET_LOCK_MUTEX)
            hocket_mutex_lock(static_cast<hocket_mutex *>(ref.lock));
        else
            hocket_lock_ref_lock(ref);
    }
    ~hocket__with()
    {
        if (ref.kind == HOCKET_LOCK_MUTEX)
            hocket_mutex_unlock(static_cast<hocket_mutex *>(ref.lock));
        else
            hocket_lock_ref_unlock(ref);
    }
    hocket__with(const hocket__with &) = delete;
    hocket__with &operator=(const hocket__with &) = delete;
};

} /* extern "C++" */

#define HOCKET__WITH(ref_, name) for (hocket__with name(ref_); name.live; name.live = false)

#endif

#define HOCKET_WITH(lock_) HOCKET__WITH(HOCKET_LOCK_REF(lock_), HOCKET__WITH_NAME(__COUNTER__))
#define HOCKET_WITH_READ(rwlock_) \
    HOCKET__WITH(HOCKET_LOCK_REF_READ(rwlock_), HOCKET__WITH_NAME(__COUNTER__))

#endif
