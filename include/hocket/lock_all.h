/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_LOCK_ALL_H
#define HOCKET_LOCK_ALL_H
#include <hocket/lock.h>
#include <hocket/mutex.h>
#include <hocket/rmutex.h>
#include <hocket/rwlock.h>
#include <hocket/time.h>

/*
 * lock_all - take several locks without deadlock, and learn the order of locks
 *
 *     if ((err = hocket_lock_all(&from->mutex, &to->mutex)) == 0) {
 *         from->balance -= amount;
 *         to->balance += amount;
 *         hocket_unlock_all(&from->mutex, &to->mutex);
 *     }
 *
 * It waits for one lock with none of the others held, then tries the rest; if
 * one cannot be had, all are released and that one is waited for.  So the order in
 * which they are named does not matter.  The locks may be mutexes, re-entrant
 * mutexes and rwlocks as writer, mixed, up to 16 in the macros.
 *
 *   Callers    threads and fibers alike.  Not signal handlers.
 *   Blocks     hocket_lock_all and its forms, cancel points on every call.
 *   Order      as the locks'.
 *
 * Learning the order.  Locks may be given a class (lock.h).  Whenever a task
 * waits for a lock while it holds others, the order of their classes is
 * remembered.  A task that later does it the other way round may deadlock with the first one,
 * even if it does not today: that is reported by one line on standard error, once
 * for a pair of classes, and hocket_lock_all refuses it.  Order is judged by class,
 * never by address, and not within one class: take several locks of
 * one class by hocket_lock_all.  Try forms and HOCKET_NOW never wait, so they teach nothing.
 * hocket_lock_order_check looks closer, and at all locks.  Up to 255 classes; beyond, and for what a task holds beyond four (see
 * rwlock.h), nothing is judged.
 */

HOCKET_BEGIN_DECLS

/*
 * Lock all of refs[0 .. count-1].
 *
 *   0           all are locked
 *   -EINVAL     the same lock twice, a NULL lock, or a reference of no known kind
 *   -EDEADLK    the caller holds one of them already (and it is not
 *               re-entrant), or holds a lock that must be taken after one of them,
 *               by the order learned; or waiting would close a cycle
 *   -ETIMEDOUT  the deadline passed (HOCKET_NOW: one of them cannot be had)
 *   -ECANCELED  the calling scope was cancelled
 *
 * On error none was taken.  A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_lock_all_refs(const hocket_lock_ref *refs, size_t count,
                                                      hocket_time deadline);

/* Unlock them in reverse order. */
HOCKET_API void hocket_unlock_all_refs(const hocket_lock_ref *refs, size_t count);

/*
 * Check the order of locks, before it becomes a deadlock: every lock that is taken while others are held,
 * contended or not, with a class or without.  A lock without a class stands for itself.  When a task wants a lock
 * and that closes a cycle of orders seen, this is reported on standard error, once for a pair, with
 * the stacks of both (all) sides:
 *
 *     hocket: report: lock order: task b wants 0x5580 while it holds 0x55a8; the other way round was seen before
 *     hocket:   1. task a [4] wanted 0x55a8 while it held 0x5580
 *     ...
 *
 * Nothing is said where the two cannot meet: because both hold the same third lock, or because both only
 * read.  What is tried without waiting teaches nothing, and so does hocket_lock_all within itself.  Unowned
 * mutexes, and the locks of a task that holds more than 16, are not looked at.
 *
 * Locks that are destroyed or initialised are forgotten; memory that is freed with a lock in it that was not
 * destroyed leaves its orders to the next lock there.  There is room for 6,144 locks and classes, the forgotten
 * included, and 16,384 orders: then one line says that new ones are not looked at, and the others still are.
 *
 * While it is on, locks cost a call and some look-ups (their inline parts are off); while it is off, nothing.
 * HOCKET_LOCKORDER=1 in the environment switches it on, but not in a program that is linked statically and has no
 * runtime; a library that was built with -DHOCKET_LOCKORDER=ON, as the preset dev is, has it on
 * unless that says 0.  From any thread; tasks that run already take part from their next wait on.
 */
HOCKET_API void hocket_lock_order_check(bool on);

HOCKET_END_DECLS

#define HOCKET__REF_COUNT(...) \
    HOCKET__REF_COUNT_(__VA_ARGS__, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define HOCKET__REF_COUNT_(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, number, ...) number

#define HOCKET__REFS1(a)           HOCKET_LOCK_REF(a)
#define HOCKET__REFS2(a, ...)      HOCKET_LOCK_REF(a), HOCKET__REFS1(__VA_ARGS__)
#define HOCKET__REFS3(a, ...)      HOCKET_LOCK_REF(a), HOCKET__REFS2(__VA_ARGS__)
#define HOCKET__REFS4(a, ...)      HOCKET_LOCK_REF(a), HOCKET__REFS3(__VA_ARGS__)
#define HOCKET__REFS5(a, ...)      HOCKET_LOCK_REF(a), HOCKET__REFS4(__VA_ARGS__)
#define HOCKET__REFS6(a, ...)      HOCKET_LOCK_REF(a), HOCKET__REFS5(__VA_ARGS__)
#define HOCKET__REFS7(a, ...)      HOCKET_LOCK_REF(a), HOCKET__REFS6(__VA_ARGS__)
#define HOCKET__REFS8(a, ...)      HOCKET_LOCK_REF(a), HOCKET__REFS7(__VA_ARGS__)
#define HOCKET__REFS9(a, ...)      HOCKET_LOCK_REF(a), HOCKET__REFS8(__VA_ARGS__)
#define HOCKET__REFS10(a, ...)     HOCKET_LOCK_REF(a), HOCKET__REFS9(__VA_ARGS__)
#define HOCKET__REFS11(a, ...)     HOCKET_LOCK_REF(a), HOCKET__REFS10(__VA_ARGS__)
#define HOCKET__REFS12(a, ...)     HOCKET_LOCK_REF(a), HOCKET__REFS11(__VA_ARGS__)
#define HOCKET__REFS13(a, ...)     HOCKET_LOCK_REF(a), HOCKET__REFS12(__VA_ARGS__)
#define HOCKET__REFS14(a, ...)     HOCKET_LOCK_REF(a), HOCKET__REFS13(__VA_ARGS__)
#define HOCKET__REFS15(a, ...)     HOCKET_LOCK_REF(a), HOCKET__REFS14(__VA_ARGS__)
#define HOCKET__REFS16(a, ...)     HOCKET_LOCK_REF(a), HOCKET__REFS15(__VA_ARGS__)
#define HOCKET__REFS_(number, ...) HOCKET__REFS##number(__VA_ARGS__)
#define HOCKET__REFS(number, ...)  HOCKET__REFS_(number, __VA_ARGS__)

/* The locks as the two arguments of the functions above. */
#ifndef __cplusplus
#define HOCKET_LOCK_REFS(...)                                                                 \
    ((const hocket_lock_ref[]){ HOCKET__REFS(HOCKET__REF_COUNT(__VA_ARGS__), __VA_ARGS__) }), \
        (HOCKET__REF_COUNT(__VA_ARGS__))

/* hocket_lock_all(&a, &b, ...): lock all, waiting as long as it takes.  A cancel point. */
#define hocket_lock_all(...) hocket_lock_all_refs(HOCKET_LOCK_REFS(__VA_ARGS__), HOCKET_FOREVER)

/* The same with a deadline, which here comes first.  A cancel point. */
#define hocket_lock_all_until(deadline, ...) \
    hocket_lock_all_refs(HOCKET_LOCK_REFS(__VA_ARGS__), (deadline))

/* hocket_unlock_all(&a, &b, ...): unlock them, the last one first. */
#define hocket_unlock_all(...) hocket_unlock_all_refs(HOCKET_LOCK_REFS(__VA_ARGS__))

#else

extern "C++" {

template <typename... Locks> HOCKET_MUST_CHECK inline int hocket_lock_all(Locks *...locks)
{
    const hocket_lock_ref refs[] = { hocket__ref(locks)... };
    return hocket_lock_all_refs(refs, sizeof...(locks), HOCKET_FOREVER);
}

template <typename... Locks>
HOCKET_MUST_CHECK inline int hocket_lock_all_until(hocket_time deadline, Locks *...locks)
{
    const hocket_lock_ref refs[] = { hocket__ref(locks)... };
    return hocket_lock_all_refs(refs, sizeof...(locks), deadline);
}

template <typename... Locks> inline void hocket_unlock_all(Locks *...locks)
{
    const hocket_lock_ref refs[] = { hocket__ref(locks)... };
    hocket_unlock_all_refs(refs, sizeof...(locks));
}

} /* extern "C++" */

#endif

#endif
