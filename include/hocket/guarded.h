/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_GUARDED_H
#define HOCKET_GUARDED_H
#include <hocket/lock.h>
#include <hocket/rmutex.h>

/*
 * guarded - a value that is reached only while its lock is held
 *
 * Give the pointer to a guarded value and keep none: every access then locks.
 * It is what wrapping each method of an object in a lock is elsewhere.  The lock is
 * its own, re-entrant, or one of the caller's.
 *
 *   Callers    threads and fibers alike.  Not signal handlers.
 *   Blocks     call, lock and HOCKET_WITH_VALUE, as the plain lock: no cancel points.
 *              call_until is a cancel point on every call.
 *   Order      as the lock's.
 *   Lifetime   the value and a lock of the caller's must live as long as the guarded
 *              value.  Not copied or moved after the first use.
 *   Mistakes   as the lock's.
 *
 *     static struct account savings;
 *     static hocket_guarded account = HOCKET_GUARDED_INIT(&savings);
 *
 *     static int withdraw(void *value, void *arg)
 *     {
 *         struct account *a = value;
 *         ...
 *     }
 *     err = hocket_guarded_call(&account, withdraw, &amount);
 *
 *     HOCKET_WITH_VALUE(struct account, a, &account) {
 *         a->balance += 5;
 *     }
 *
 * The members are private.
 */
typedef struct hocket_guarded {
    void *hocket__value;
    void (*hocket__before)(void *value, void *context);
    void (*hocket__after)(void *value, void *context);
    void *hocket__context;
    hocket_lock_ref hocket__lock; /* the caller's, or zero: `own` */
    hocket_rmutex hocket__own;
} hocket_guarded;

/* A guarded value with a lock of its own. */
#define HOCKET_GUARDED_INIT(value_)                                 \
    {                                                               \
        (value_), NULL, NULL, NULL, { NULL, 0 }, HOCKET_RMUTEX_INIT \
    }

typedef struct hocket_guarded_options {
    size_t size;          /* sizeof(hocket_guarded_options); 0 = the fields of version 0.1 */
    hocket_lock_ref lock; /* HOCKET_LOCK_REF(&l); { NULL, 0 } = one of its own */
    void (*before)(void *value, void *context); /* after locking, before each access; or NULL */
    void (*after)(void *value, void *context);  /* after each access, before unlocking; or NULL */
    void *context;
} hocket_guarded_options;

#define HOCKET_GUARDED_OPTIONS_DEFAULT                                \
    {                                                                 \
        sizeof(hocket_guarded_options), { NULL, 0 }, NULL, NULL, NULL \
    }

/* What is called with the value. */
typedef int hocket_guarded_fn(void *value, void *arg);

HOCKET_BEGIN_DECLS

/* The same at run time, with options; NULL = defaults. */
HOCKET_API void hocket_guarded_init(hocket_guarded *guarded, void *value,
                                    const hocket_guarded_options *options);

/* Check that nobody holds the lock of its own or waits for it; panics otherwise. */
HOCKET_API void hocket_guarded_destroy(hocket_guarded *guarded);

/* Lock, before, fn(value, arg), after, unlock.  Returns what fn returned. */
HOCKET_API int hocket_guarded_call(hocket_guarded *guarded, hocket_guarded_fn *fn, void *arg);

/*
 * The same, waiting for the lock until `deadline`.  Returns what fn returned,
 * or the error of the lock (-ETIMEDOUT, -ECANCELED, -EDEADLK, -EOVERFLOW), and then fn was
 * not called.  A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_guarded_call_until(hocket_guarded *guarded,
                                                           hocket_guarded_fn *fn, void *arg,
                                                           hocket_time deadline);

/* Lock and before; the value, which may be used until unlock. */
HOCKET_API void *hocket_guarded_lock(hocket_guarded *guarded);

/* After and unlock. */
HOCKET_API void hocket_guarded_unlock(hocket_guarded *guarded);

/*
 * The value without the lock: for what may be read at any time, such as atomics
 * and members that never change.
 */
HOCKET_API const void *hocket_guarded_peek(const hocket_guarded *guarded);

HOCKET_END_DECLS

/*
 * A block with `name` pointing to the value, a `type`, and the lock held; left in any
 * way as HOCKET_WITH is.
 */
#ifndef __cplusplus

struct hocket__with_value {
    hocket_guarded *guarded;
    void *value;
    int live;
};

static inline struct hocket__with_value hocket__value_enter(hocket_guarded *guarded)
{
    struct hocket__with_value with = { guarded, hocket_guarded_lock(guarded), 1 };
    return with;
}

static inline void hocket__value_leave(struct hocket__with_value *with)
{
    hocket_guarded_unlock(with->guarded);
}

#define HOCKET__WITH_VALUE(type, name, guarded_, with)                                  \
    for (struct hocket__with_value with                                                 \
         __attribute__((cleanup(hocket__value_leave))) = hocket__value_enter(guarded_); \
         with.live; with.live = 0)                                                      \
        for (type *name = (type *)with.value; with.live; with.live = 0)

#else

extern "C++" {

struct hocket__with_value {
    hocket_guarded *guarded;
    void *value;
    bool live;
    explicit hocket__with_value(hocket_guarded *g)
        : guarded(g), value(hocket_guarded_lock(g)), live(true)
    {
    }
    ~hocket__with_value()
    {
        hocket_guarded_unlock(guarded);
    }
    hocket__with_value(const hocket__with_value &) = delete;
    hocket__with_value &operator=(const hocket__with_value &) = delete;
};

} /* extern "C++" */

#define HOCKET__WITH_VALUE(type, name, guarded_, with)                    \
    for (hocket__with_value with(guarded_); with.live; with.live = false) \
        for (type *name = static_cast<type *>(with.value); with.live; with.live = false)

#endif

#define HOCKET_WITH_VALUE(type, name, guarded_) \
    HOCKET__WITH_VALUE(type, name, guarded_, HOCKET__WITH_NAME(__COUNTER__))

#endif
