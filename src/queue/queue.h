/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_QUEUE_QUEUE_H
#define HOCKET_QUEUE_QUEUE_H

/*
 * queue - struct hocket_queue
 *
 * A bounded first-in first-out queue keeps its values in a ring without a lock (queue/ring.h),
 * every other one in a store under the guard (queue/store.h).  Around both are the same lists of
 * waiting getters, putters and joiners, under the guard.
 *
 * To *hold* a queue is to have its guard and the ring in its slow state, where the guard protects it
 * too; or to be inside by the right of its owner (queue/solo.h), which costs no locked instruction.
 * Letting go makes the ring fast again unless somebody waits, the queue was closed, or its
 * descriptor must be kept up to date.
 *
 * Invariants, whenever nobody holds the queue:
 *   - a getter that can still be woken waits only if nothing is in the queue
 *   - a putter that can still be woken waits only if the queue is full
 *   - while somebody waits in either list, the ring is slow
 *   - once closed, nobody waits to put or get who can still be woken, and the ring is slow
 *   - the descriptor is readable if and only if something is in the queue
 * Nodes whose wait ended by deadline or cancel may be in the lists at any time, until
 * their task unlinks them or somebody who looks for a waiter drops them.
 *
 * Members marked (seen) are written by who holds the queue and read by the predicates at any time.
 * Joiners, and how much is done, are under the guard alone, held or not.
 *
 * A wait for several things at once
 * ---------------------------------
 * A task that waits for several queues (and other things) begins one wait and links a node in each;
 * whoever claims the task serves exactly the node he found, and sets `done` of its
 * waiter.  The other nodes are unlinked by their task.
 *
 *     for each case, in order of address:  hocket__queue_hold(q)
 *     for each case, in any order:         err = hocket__queue_put_held / get_held
 *                                          stop at the first that is not -EAGAIN
 *     if none:  hocket__wait_begin once, then hocket__queue_node_init + hocket__queue_link for each
 *     for each queue once:                 hocket__queue_let_go(q, &wakes)
 *     if one was held by right:            hk_fence_sc()
 *     ... hocket__wait_park ...
 *     for each case:                       hocket__queue_unlink(q, &node, put)
 *
 * With all queues held nobody can claim the task between the tries and the links.  put_held and get_held
 * skip nodes of `self`, so that a task never serves itself.
 */
#include <errno.h>
#include <hocket/queue.h>

#include "park/cancel.h"
#include "queue/registry.h"
#include "queue/ring.h"
#include "queue/store.h"
#include "sync/sync.h"
#include "sys/flag.h"

/* A waiting put or get: waiter.data is where the value comes from or goes to. */
struct hocket__queue_node {
    struct hocket__waiter waiter;
    int64_t priority; /* of a put; of a get 1: it has no deadline, and no other case */
};

/* What was done to a waiter: waiter.done. */
enum hocket__queue_done { HOCKET__QUEUE_SERVED = 1, HOCKET__QUEUE_CLOSED = 2 };

struct hocket_queue {
    /* constant */
    void *memory; /* the block that all this lies in */
    size_t value_size;
    size_t capacity; /* 0 = rendezvous, HOCKET_UNBOUNDED */
    void (*drop)(void *value);
    bool ringed, by_number;
    uint8_t order; /* enum hocket_queue_order */

    hocket__guard guard;
    _Atomic bool closed;       /* (seen) */
    _Atomic uint8_t producers; /* 0: none are declared; else see producers.c, under its guard */
    bool pinned;               /* the ring stays slow: not ringed, closed, or a descriptor */
    struct hocket__link *getters, *putters;
    struct hocket__solo_grant *right; /* by which it is held; NULL: with the guard */
    _Atomic size_t getters_count;     /* (seen) tasks between linking and leaving */
    _Atomic size_t putters_count;     /* (seen) */
    _Atomic uint64_t others;          /* (seen) values put that never were in the ring */
    struct hocket__solo_streak streak;
    struct hocket__link *joiners;
    _Atomic uint64_t done;    /* (seen) values reported done, or dropped by a close */
    struct hocket__flag flag; /* the descriptor; open once asked for */
    struct hocket__registered entry;
    struct hocket__store store; /* if not ringed */
    struct hocket__ring ring;   /* if not ringed, always slow */
};

void hocket__queue_hold(hocket_queue *q);

/* Holding it.  True: letting go will be no fence, and who has begun a wait needs one. */
static inline bool hocket__queue_by_right(const hocket_queue *q)
{
    return q->right != NULL;
}

/* Completes the wakes after the guard is free. */
void hocket__queue_let_go(hocket_queue *q, struct hocket__wakes *wakes);

/*
 * Put or get now, holding the queue.  0; -EPIPE; -EAGAIN: it would have to wait; put: -ENOMEM
 * if the store wants memory first.  `ret_old` of get: memory to free after letting go, or NULL.
 */
int hocket__queue_put_held(hocket_queue *q, hocket_task *self, const void *value, int64_t priority,
                           struct hocket__wakes *wakes);
int hocket__queue_get_held(hocket_queue *q, hocket_task *self, void *ret_value,
                           struct hocket__wakes *wakes, void **ret_old);

/*
 * What a store wants, fetched without the guard: called holding the queue after -ENOMEM,
 * returns holding it.  0: try again; -ENOMEM.
 */
int hocket__queue_grow(hocket_queue *q);

static inline void hocket__queue_node_init(struct hocket__queue_node *node, hocket_task *self,
                                           void *value, int64_t priority)
{
    hocket__waiter_init(&node->waiter, self);
    node->waiter.data = value;
    node->priority = priority;
}

/* Line up behind those who wait to put, or to get.  Holding the queue. */
void hocket__queue_link(hocket_queue *q, struct hocket__queue_node *node, bool put);

/* Unless a waker did; takes the guard itself. */
void hocket__queue_unlink(hocket_queue *q, struct hocket__queue_node *node, bool put);

/* Values in a queue that is held. */
size_t hocket__queue_count_held(const hocket_queue *q);

/* The oldest waiter of a list who can still be woken, and is not `self`, claimed; or NULL. */
struct hocket__queue_node *hocket__queue_claim_node(struct hocket__link **list,
                                                    _Atomic size_t *count, const hocket_task *self);

/* Declared producers: a getter was linked to a queue that has some; the queue is about to be freed. */
void hocket__producers_look(hocket_queue *q);
void hocket__producers_forget(const hocket_queue *q);

/* So many values, which a close has taken out, will never be reported done. */
void hocket__queue_dropped(hocket_queue *q, size_t count);

/* The start of every call that is a cancel point, inline: two loads for a task that has a record. */
static inline int hocket__queue_enter(hocket_task **ret_self)
{
    hocket_task *self = *ret_self = hocket__self_or_null();
    if (hk_unlikely(self == NULL) && (self = *ret_self = hocket__self_attach()) == NULL)
        return -ENOMEM;
    return hk_unlikely(hocket__cancelled(self)) ? -ECANCELED : 0;
}

#endif
