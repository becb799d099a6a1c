/* SPDX-License-Identifier: MIT */
/*
 * barrier - see hocket/barrier.h
 *
 * The queue holds the tasks of the round that is filling up.  The task that makes it full
 * claims all of them before it runs the action: from then on no deadline and no cancel can take one
 * back, so the round is full for certain.  If one cannot be claimed, it is leaving, and the
 * barrier breaks.
 *
 * While the action runs (ACTING), without the guard, the claimed nodes are on a list of the
 * task that runs it.  Who comes meanwhile queues as EARLY, is woken when the action is over
 * and comes again.
 *
 *   waiting    nodes in the queue that are not EARLY; under the guard
 *   state      BROKEN, ACTING; under the guard, read without it by the predicates
 *   node.tag   the order of arrival, or EARLY
 *   node.done  how it ended, one of `ending`
 *
 * A node that is no longer linked when its wait failed was dropped by somebody who could
 * not claim it, and who has then broken, aborted or reset the barrier: nothing is left to do.
 */
#include <hocket/barrier.h>

#include <errno.h>
#include <limits.h>

#include "sync/sync.h"

#define BROKEN 1u
#define ACTING 2u
#define EARLY  UINT32_MAX

enum ending { ROUND_FULL = 1, ROUND_BROKEN = 2, COME_AGAIN = 3 };

static const struct hocket__wait_class barrier_class = { "barrier", NULL };

static _Atomic uint32_t *state_of(const hocket_barrier *b)
{
    return hk_word32((uintptr_t)&b->hocket__state);
}

static _Atomic uint32_t *waiting_of(const hocket_barrier *b)
{
    return hk_word32((uintptr_t)&b->hocket__waiting);
}

/* All-zero has one party. */
uint32_t hocket_barrier_parties(const hocket_barrier *barrier)
{
    return barrier->hocket__parties ? barrier->hocket__parties : 1;
}

int hocket_barrier_init(hocket_barrier *barrier, uint32_t parties, hocket_barrier_action *action,
                        void *arg)
{
    if (parties == 0 || parties > INT_MAX)
        return -EINVAL;
    *barrier = (hocket_barrier){ parties, 0, NULL, 0, 0, action, arg };
    return 0;
}

void hocket_barrier_destroy(hocket_barrier *barrier)
{
    hocket__destroy_check("hocket_barrier_destroy", "barrier", barrier, HOCKET__GUARD_OF(barrier),
                          HOCKET__HEAD(barrier));
}

/* End the waits of all in `head`.  Under the guard. */
static void release_all(struct hocket__link **head, enum ending ending, struct hocket__wakes *wakes)
{
    struct hocket__waiter *node;
    while ((node = hocket__queue_claim(head)) != NULL) {
        node->done = node->tag == EARLY && ending == ROUND_FULL ? COME_AGAIN : ending;
        hocket__wakes_add(wakes, node->task);
    }
}

/* Under the guard. */
static void break_it(hocket_barrier *b, struct hocket__wakes *wakes)
{
    hk_store(state_of(b), hk_load(state_of(b)) | BROKEN);
    hk_store(waiting_of(b), 0u);
    release_all(HOCKET__HEAD(b), ROUND_BROKEN, wakes);
}

/* Claim every task of the round, into `round`.  False: one is leaving, the barrier is broken. */
static bool claim_round(hocket_barrier *b, struct hocket__link **round, struct hocket__wakes *wakes)
{
    struct hocket__link **head = HOCKET__HEAD(b);
    struct hocket__waiter *node;
    bool whole = true;
    while ((node = hocket__queue_first(head)) != NULL) {
        hocket__queue_remove(head, &node->link);
        if (hocket__claim(node->task))
            hocket__queue_push(round, &node->link);
        else
            whole = false;
    }
    hk_store(waiting_of(b), 0u);
    if (whole)
        return true;
    hk_store(state_of(b), hk_load(state_of(b)) | BROKEN);
    while ((node = hocket__queue_first(round)) != NULL) {
        hocket__queue_remove(round, &node->link);
        node->done = ROUND_BROKEN;
        hocket__wakes_add(wakes, node->task);
    }
    return false;
}

/* The last to come.  Under the guard, which is released.  The result of the wait. */
static int complete_round(hocket_barrier *b)
{
    struct hocket__wakes wakes = { NULL, NULL };
    struct hocket__link *round = NULL;
    int result = (int)hocket_barrier_parties(b) - 1;
    if (!claim_round(b, &round, &wakes)) {
        hocket__guard_unlock(HOCKET__GUARD_OF(b));
        hocket__wakes_run(&wakes);
        return -EPIPE;
    }
    enum ending ending = ROUND_FULL;
    if (b->hocket__action) {
        hk_store(state_of(b), hk_load(state_of(b)) | ACTING);
        hocket__guard_unlock(HOCKET__GUARD_OF(b));
        int rc = b->hocket__action(b->hocket__arg);
        hocket__guard_lock(HOCKET__GUARD_OF(b));
        hk_store(state_of(b), hk_load(state_of(b)) & ~ACTING);
        if (rc < 0) {
            result = rc;
            ending = ROUND_BROKEN;
        }
    }
    struct hocket__waiter *node;
    while ((node = hocket__queue_first(&round)) != NULL) {
        hocket__queue_remove(&round, &node->link);
        node->done = ending;
        hocket__wakes_add(&wakes, node->task);
    }
    if (ending == ROUND_BROKEN)
        break_it(b, &wakes);
    else
        release_all(HOCKET__HEAD(b), ROUND_FULL, &wakes); /* the early ones */
    hocket__guard_unlock(HOCKET__GUARD_OF(b));
    hocket__wakes_run(&wakes);
    return result;
}

/* The wait failed: this party does not come. */
static void leave(hocket_barrier *b, struct hocket__waiter *node)
{
    struct hocket__wakes wakes = { NULL, NULL };
    hocket__guard_lock(HOCKET__GUARD_OF(b));
    if (hocket__queue_has(HOCKET__HEAD(b), node)) {
        hocket__queue_remove(HOCKET__HEAD(b), &node->link);
        break_it(b, &wakes);
    }
    hocket__guard_unlock(HOCKET__GUARD_OF(b));
    hocket__wakes_run(&wakes);
}

int hocket_barrier_wait(hocket_barrier *barrier, hocket_time deadline)
{
    hocket__touch("barrier wait", barrier);
    hocket__guard *guard = HOCKET__GUARD_OF(barrier);
    hocket_task *self = hocket__self_must("hocket_barrier_wait");
    int err = hocket__cancel_point(self);
    if (err) {
        hocket_barrier_abort(barrier);
        return err;
    }
    for (;;) {
        hocket__guard_lock(guard);
        uint32_t state = hk_load(state_of(barrier));
        uint32_t place = hk_load(waiting_of(barrier));
        if (state & BROKEN) {
            hocket__guard_unlock(guard);
            return -EPIPE;
        }
        if (!(state & ACTING) && place + 1 == hocket_barrier_parties(barrier))
            return complete_round(barrier);

        struct hocket__waiter node;
        hocket__sync_begin(&node, self, &barrier_class, barrier, true);
        node.tag = state & ACTING ? EARLY : place;
        if (!(state & ACTING))
            hk_store(waiting_of(barrier), place + 1);
        hocket__queue_push(HOCKET__HEAD(barrier), &node.link);
        hocket__guard_unlock(guard);
        err = hocket__wait_park(self, deadline);
        if (err)
            leave(barrier, &node);
        hocket__wait_end(self);
        if (err)
            return err;
        if (node.done != COME_AGAIN)
            return node.done == ROUND_FULL ? (int)node.tag : -EPIPE;
    }
}

void hocket_barrier_abort(hocket_barrier *barrier)
{
    hocket__touch("abort", barrier);
    struct hocket__wakes wakes = { NULL, NULL };
    hocket__guard_lock(HOCKET__GUARD_OF(barrier));
    break_it(barrier, &wakes);
    hocket__guard_unlock(HOCKET__GUARD_OF(barrier));
    hocket__wakes_run(&wakes);
}

void hocket_barrier_reset(hocket_barrier *barrier)
{
    hocket__touch("reset", barrier);
    struct hocket__wakes wakes = { NULL, NULL };
    hocket__guard_lock(HOCKET__GUARD_OF(barrier));
    break_it(barrier, &wakes);
    hk_store(state_of(barrier), hk_load(state_of(barrier)) & ~BROKEN);
    hocket__guard_unlock(HOCKET__GUARD_OF(barrier));
    hocket__wakes_run(&wakes);
}

uint32_t hocket_barrier_waiting(const hocket_barrier *barrier)
{
    return hk_load_acq(waiting_of(barrier));
}

bool hocket_barrier_broken(const hocket_barrier *barrier)
{
    return (hk_load_acq(state_of(barrier)) & BROKEN) != 0;
}
