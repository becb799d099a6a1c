/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_PARK_WAIT_H
#define HOCKET_PARK_WAIT_H

/*
 * wait - the one way to wait
 *
 * Every wait of the library has the same shape.  The waiter, under the guard of
 * the object, finds that it must wait, begins a wait and links a node; then it
 * unlocks and parks.  The waker, under the same guard, takes a node, *claims* its
 * task, and if it won hands over whatever is to be handed over and unlinks the node; after
 * unlocking it *completes* the wait, which lets the waiter go.
 *
 *     hocket__guard_lock(g);                        hocket__guard_lock(g);
 *     if (can take it) { ... return 0; }            while ((n = first waiter)) {
 *     struct hocket__waiter n;                          remove n
 *     hocket__wait_begin(&n, self, &cls, o, flags);     if (hocket__claim(n->task)) {
 *     link n                                                hand over
 *     hocket__guard_unlock(g);                              hocket__wakes_add(&w, n->task); break;
 *     err = hocket__wait_park(self, deadline);          }
 *     if (err) { lock; if linked unlink; unlock }   }
 *     hocket__wait_end(self)                        hocket__guard_unlock(g);
 *     return err;                                   hocket__wakes_run(&w);
 *
 * One atomic decision a wait, by CAS on the task's wait word:
 *
 *   WAITING*  -> PARKED*           the waiter, once it is off the CPU
 *   WAITING*  -> CLAIMED_WAITING   a waker has won
 *   PARKED*   -> CLAIMED_PARKED    a waker has won
 *   CLAIMED_WAITING -> CLAIMED_PARKED   the waiter leaves the CPU all the same
 *   CLAIMED_* -> WOKEN             complete(); if it was parked, ops->ready follows
 *   WAITING* | PARKED*   -> TIMEDOUT   the timer, or the waiter itself
 *   WAITING_C | PARKED_C -> CANCELED   a canceller
 *   outcome   -> IDLE              the waiter, in wait_end
 *
 * A node is on the waiter's stack and is unlinked under the guard before the
 * waiter returns: by the waker that claims it, or by the waiter after a time-out or
 * cancel.  After complete() the waker touches nothing of the waiter but its
 * type-stable record.  A waiter on several objects links several nodes with one wait; the first
 * waker to claim wins; `won` of the task says which node it was.
 *
 * Timers and cancellers do not need the object's guard: they only decide the word.
 * The waiter looks at the cancel state after publishing WAITING_C (guard
 * unlock is the fence); a canceller publishes the state before it looks at the word.
 */

#include "park/guard.h"
#include "park/record.h"

enum hocket__wait_flags {
    HOCKET__WAIT_CANCEL = 1 /* a cancel point */
};

struct hocket__waiter {
    struct hocket__link link; /* in the object's list; empty (self-linked) when not linked */
    hocket_task *task;
    void *data;    /* the object's: where to put the item, ... */
    uint32_t tag;  /* the object's: reader or writer, number of permits, case index, ... */
    uint32_t done; /* set by the waker under the guard: this node's case happened */
};

/*
 * Start a wait of `self`: node initialised, record written, word WAITING*.  Under the
 * guard of the object, before the node is linked.  For several nodes: call once, then
 * hocket__waiter_init for the others.
 */
void hocket__wait_begin(struct hocket__waiter *node, hocket_task *self,
                        const struct hocket__wait_class *cls, const void *object, unsigned flags);

static inline void hocket__waiter_init(struct hocket__waiter *node, hocket_task *self)
{
    hocket__list_init(&node->link);
    node->task = self;
    node->data = NULL;
    node->tag = 0;
    node->done = 0;
}

/*
 * Leave the CPU until woken, the deadline, the deadline of a scope, or a cancel.
 * Call it without any guard.  0, -ETIMEDOUT, -ECANCELED; -EDEADLK if this wait closes a
 * certain cycle and may return (flag CANCEL); panics if it may not.  On
 * anything but 0 the caller must unlink its nodes under the guards.
 */
int hocket__wait_park(hocket_task *self, hocket_time deadline);

/*
 * The wait record alone, for a joiner whose child runs on top of it: it waits, but no wait
 * word is to be decided.
 */
static inline void hocket__wait_note(hocket_task *self, const struct hocket__wait_class *cls,
                                     const void *object)
{
    hk_store(&self->wait_object, object);
    hk_store(&self->wait_deadline, HOCKET_FOREVER);
    hk_store(&self->wait_since, hk_load(&hocket__tick));
    hk_store_rel(&self->wait_class, cls);
}

static inline void hocket__wait_unnote(hocket_task *self)
{
    hk_store(&self->wait_class, NULL);
}

/* The wait is over and no node is linked any more. */
void hocket__wait_end(hocket_task *self);

/* Begin was called but there is no need to park (nothing was linked). */
#define hocket__wait_abort(self) hocket__wait_end(self)

/* Try to decide the wait of `task` as woken.  Under the guard its node was found with. */
bool hocket__claim(hocket_task *task);

/* Let a claimed task go on.  Without guards. */
void hocket__complete(hocket_task *task);

/*
 * Decide the wait of another task as HOCKET__TIMEDOUT or HOCKET__CANCELED and let it go;
 * false if it is not waiting (cancellably), or decided already.  For timers and cancellers.
 */
bool hocket__wait_decide(hocket_task *task, uint32_t outcome);

/* Claimed tasks to complete after the guard is released, in order. */
struct hocket__wakes {
    hocket_task *first, *last;
};

static inline void hocket__wakes_add(struct hocket__wakes *wakes, hocket_task *task)
{
    task->run_next = NULL;
    if (wakes->first)
        wakes->last->run_next = task;
    else
        wakes->first = task;
    wakes->last = task;
}

void hocket__wakes_run_some(struct hocket__wakes *wakes);

static inline void hocket__wakes_run(struct hocket__wakes *wakes)
{
    if (wakes->first != NULL)
        hocket__wakes_run_some(wakes);
}

/*
 * The start of every function that is a cancel point: 0 or -ECANCELED.
 */
int hocket__cancel_point(hocket_task *self);

/* The wait of hocket_sleep: only the clock or a cancel ends it. */
extern const struct hocket__wait_class hocket__sleep_class;

/* How many tasks are parked right now (tests wait for it).  Counts all kinds. */
size_t hocket__parked_count(void);

/* Wait queues of embedded objects are one pointer, NULL = empty, FIFO. */
static inline void hocket__queue_push(struct hocket__link **head, struct hocket__link *link)
{
    if (!*head) {
        hocket__list_init(link);
        *head = link;
    } else {
        hocket__list_insert_before(*head, link);
    }
}

static inline void hocket__queue_remove(struct hocket__link **head, struct hocket__link *link)
{
    if (*head == link)
        *head = link->next == link ? NULL : link->next;
    hocket__list_remove(link); /* leaves it self-linked with next == prev == link */
}

#endif
