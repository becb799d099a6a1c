/* SPDX-License-Identifier: MIT */
/*
 * cond - a queue of waiters
 *
 * A waiter links its node under the guard before it releases the mutex: a signal that comes
 * with the mutex held, or after it was released, finds the node.  A signal claims under the guard;
 * a waiter that has timed out or was cancelled cannot be claimed, and the next one is taken,
 * so no signal is lost.
 *
 * Between starting the wait and parking the waiter runs the unlock of the mutex.  It never
 * waits, so the one wait word of the task is enough.
 *
 * `count` is the length of the queue, written under the guard, for hocket_cond_waiting.
 *
 * Last accesses: a signal's is the release of the guard, before the waiters are completed;
 * a woken waiter touches only the mutex.
 */
#define HOCKET_NO_INLINE
#include <hocket/cond.h>

#include <errno.h>
#include <limits.h>

#include "sync/lock.h"

static const struct hocket__wait_class cond_class = { "cond", NULL };

static _Atomic uint32_t *count_of(const hocket_cond *c)
{
    return hk_word32((uintptr_t)&c->hocket__count);
}

void hocket_cond_destroy(hocket_cond *cond)
{
    hocket__destroy_check("hocket_cond_destroy", "cond", cond, HOCKET__GUARD_OF(cond),
                          HOCKET__HEAD(cond));
}

/* Wait; the caller has checked that it holds `m`, which is released and taken again. */
static int wait_with(hocket_cond *c, hocket_mutex *m, hocket_task *self, hocket_time deadline,
                     const struct hocket__lock_call *call)
{
    struct hocket__waiter node;
    hocket__guard *guard = HOCKET__GUARD_OF(c);
    hocket__guard_lock(guard);
    hocket__sync_begin(&node, self, &cond_class, c, true);
    hocket__queue_push(HOCKET__HEAD(c), &node.link);
    hk_store(count_of(c), hk_load(count_of(c)) + 1);
    hocket__guard_unlock(guard);

    hocket__lock_release(m, self);
    int err = hocket__wait_park(self, deadline);
    if (err) {
        hocket__guard_lock(guard);
        if (hocket__queue_has(HOCKET__HEAD(c), &node)) {
            hocket__queue_remove(HOCKET__HEAD(c), &node.link);
            hk_store(count_of(c), hk_load(count_of(c)) - 1);
        }
        hocket__guard_unlock(guard);
    }
    hocket__wait_end(self);
    (void)hocket__lock_take(m, self, HOCKET_FOREVER, false, call);
    return err;
}

static const struct hocket__lock_call again = { "hocket_cond_wait", &hocket__mutex_class };
static const struct hocket__lock_call again_r = { "hocket_cond_wait_rmutex",
                                                  &hocket__rmutex_class };

int hocket_cond_wait(hocket_cond *cond, hocket_mutex *mutex, hocket_time deadline)
{
    hocket__touch("cond wait", cond);
    hocket_task *self = hocket__self_must("hocket_cond_wait");
    if (!hocket__lock_is_mine(mutex, self))
        hocket__panic("hocket_cond_wait: mutex %p is not held by the caller", (void *)mutex);
    int err = hocket__cancel_point(self);
    return err ? err : wait_with(cond, mutex, self, deadline, &again);
}

int hocket_cond_wait_rmutex(hocket_cond *cond, hocket_rmutex *mutex, hocket_time deadline)
{
    hocket__touch("cond wait", cond);
    hocket_task *self = hocket__self_must("hocket_cond_wait_rmutex");
    hocket_mutex *inner = &mutex->hocket__mutex;
    if (!hocket__lock_is_mine(inner, self))
        hocket__panic("hocket_cond_wait_rmutex: rmutex %p is not held by the caller",
                      (void *)mutex);
    int err = hocket__cancel_point(self);
    if (err)
        return err;
    uint32_t depth = mutex->hocket__depth;
    mutex->hocket__depth = 0;
    err = wait_with(cond, inner, self, deadline, &again_r);
    mutex->hocket__depth = depth;
    return err;
}

int hocket_cond_wait_for(hocket_cond *cond, hocket_mutex *mutex, hocket_predicate *predicate,
                         void *arg, hocket_time deadline)
{
    int err = hocket__cancel_point(hocket__self_must("hocket_cond_wait_for"));
    while (err == 0 && !predicate(arg))
        err = hocket_cond_wait(cond, mutex, deadline);
    return err == -ETIMEDOUT && predicate(arg) ? 0 : err;
}

int hocket_cond_wait_for_rmutex(hocket_cond *cond, hocket_rmutex *mutex,
                                hocket_predicate *predicate, void *arg, hocket_time deadline)
{
    int err = hocket__cancel_point(hocket__self_must("hocket_cond_wait_for_rmutex"));
    while (err == 0 && !predicate(arg))
        err = hocket_cond_wait_rmutex(cond, mutex, deadline);
    return err == -ETIMEDOUT && predicate(arg) ? 0 : err;
}

int hocket_cond_signal_many(hocket_cond *cond, int count)
{
    hocket__touch("signal", cond);
    struct hocket__wakes wakes = { NULL, NULL };
    struct hocket__link **head = HOCKET__HEAD(cond);
    int woken = 0;
    hocket__guard_lock(HOCKET__GUARD_OF(cond));
    uint32_t left = hk_load(count_of(cond));
    while (woken < count && *head) {
        struct hocket__waiter *node = hocket__queue_first(head);
        hocket__queue_remove(head, &node->link);
        left--;
        if (hocket__claim(node->task)) {
            hocket__wakes_add(&wakes, node->task);
            woken++;
        }
    }
    hk_store(count_of(cond), left);
    hocket__guard_unlock(HOCKET__GUARD_OF(cond));
    hocket__wakes_run(&wakes);
    return woken;
}

void hocket_cond_signal(hocket_cond *cond)
{
    (void)hocket_cond_signal_many(cond, 1);
}

void hocket_cond_broadcast(hocket_cond *cond)
{
    (void)hocket_cond_signal_many(cond, INT_MAX);
}

uint32_t hocket_cond_waiting(const hocket_cond *cond)
{
    return hk_load_acq(count_of(cond));
}
