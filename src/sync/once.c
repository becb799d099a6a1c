/* SPDX-License-Identifier: MIT */
/*
 * once - see hocket/once.h
 *
 * The word:
 *
 *   0                      not done, nobody runs it; then nobody waits either
 *   lock_id                the task with this id runs it; others may wait
 *   HOCKET__ONCE_DONE      done, for ever
 *
 * Whoever runs it and fails hands the running over to the first waiter, so the word goes to 0
 * only with an empty queue.  The word is changed under the guard.
 *
 * Memory order: DONE is stored with release, seen with acquire.  A hand-over passes through claim
 * and complete.
 */
#define HOCKET_NO_INLINE
#include <hocket/once.h>

#include <errno.h>

#include <hocket/detail/fast.h>

#include "sync/sync.h"

#define DONE   HOCKET__ONCE_DONE
#define RUNNER HOCKET__LOCK_OWNER

static uint32_t once_holder(const void *object, unsigned i)
{
    const hocket_once *once = object;
    uint32_t word = hk_load_acq(hk_word32((uintptr_t)&once->hocket__word));
    return i == 0 && word != DONE ? word & RUNNER : 0;
}

static const struct hocket__wait_class once_class = { "once", once_holder };

bool hocket_once_done(const hocket_once *once)
{
    return hk_load_acq(hk_word32((uintptr_t)&once->hocket__word)) == DONE;
}

/* After fn, as its runner: publish that it is done, or let the next one try. */
static void finish(hocket_once *once, bool done)
{
    _Atomic uint32_t *at = hk_word32(&once->hocket__word);
    struct hocket__link **head = HOCKET__HEAD(once);
    struct hocket__wakes wakes = { NULL, NULL };
    hocket__guard_lock(HOCKET__GUARD_OF(once));
    struct hocket__waiter *node = hocket__queue_claim(head);
    if (!done && node) {
        node->done = 1; /* it runs fn next */
        hk_store_rel(at, node->task->slot);
        hocket__wakes_add(&wakes, node->task);
    } else {
        for (; node; node = hocket__queue_claim(head))
            hocket__wakes_add(&wakes, node->task);
        hk_store_rel(at, done ? DONE : 0); /* pairs with hocket_once_done */
    }
    hocket__guard_unlock(HOCKET__GUARD_OF(once));
    hocket__wakes_run(&wakes);
}

/* Become the runner, or queue behind it and wait.  1: run it; 0: done; or an error. */
static int enter(hocket_once *once, hocket_task *self, hocket_time deadline)
{
    _Atomic uint32_t *at = hk_word32(&once->hocket__word);
    struct hocket__waiter node;
    hocket__guard_lock(HOCKET__GUARD_OF(once));
    uint32_t word = hk_load_acq(at);
    int rc = word == DONE                    ? 0
             : word == 0                     ? 1
             : (word & RUNNER) == self->slot ? -EDEADLK
             : deadline <= HOCKET_NOW        ? -ETIMEDOUT
                                             : -EAGAIN; /* wait */
    if (rc == 1)
        hk_store(at, self->slot);
    if (rc != -EAGAIN) {
        hocket__guard_unlock(HOCKET__GUARD_OF(once));
        return rc;
    }
    hocket__sync_begin(&node, self, &once_class, once, true);
    hocket__queue_push(HOCKET__HEAD(once), &node.link);
    hocket__guard_unlock(HOCKET__GUARD_OF(once));
    rc = hocket__wait_park(self, deadline);
    if (rc) {
        hocket__guard_lock(HOCKET__GUARD_OF(once));
        hocket__queue_forget(HOCKET__HEAD(once), &node);
        hocket__guard_unlock(HOCKET__GUARD_OF(once));
    } else {
        rc = node.done ? 1 : 0;
    }
    hocket__wait_end(self);
    return rc;
}

int hocket_once_do(hocket_once *once, hocket_once_fn *fn, void *arg, hocket_time deadline)
{
    hocket__touch("once", once);
    hocket_task *self = hocket__self_must("hocket_once_do");
    int rc = hocket__cancel_point(self);
    if (rc || hocket_once_done(once))
        return rc;
    rc = enter(once, self, deadline);
    if (rc != 1)
        return rc;
    hocket__fast_hold(); /* a task that ends inside fn leaves everybody waiting: caught there */
    rc = fn(arg);
    hocket__fast_drop();
    finish(once, rc >= 0);
    return rc < 0 ? rc : 0;
}
