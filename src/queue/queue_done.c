/* SPDX-License-Identifier: MIT */
/*
 * queue_done - task_done and join
 *
 * Puts into the ring are counted by its tail, so counting costs them nothing: what was put is the tail
 * and `others`.  Whoever raises `done` to that number wakes the joiners; whoever begins
 * to join compares under the guard too.  A put that comes between makes the number larger, and
 * then there was no moment without unfinished values.
 */
#include "queue/queue.h"

static uint64_t unfinished(const hocket_queue *q)
{
    uint64_t done = hk_load_acq(&q->done); /* first: the others only grow */
    return (q->ringed ? hocket__ring_total(&q->ring) : 0) + hk_load(&q->others) - done;
}

/* So many more are done; the joiners are woken if nothing is unfinished.  With the guard. */
static void add_done(hocket_queue *q, size_t count, struct hocket__wakes *wakes)
{
    struct hocket__waiter *node;
    hk_store_rel(&q->done, hk_load(&q->done) + count); /* pairs with the load in unfinished */
    if (q->joiners != NULL && unfinished(q) == 0)
        while ((node = hocket__queue_claim(&q->joiners)) != NULL)
            hocket__wakes_add(wakes, node->task);
}

void hocket__queue_dropped(hocket_queue *q, size_t count)
{
    struct hocket__wakes wakes = { NULL, NULL };
    hocket__guard_lock(&q->guard);
    add_done(q, count, &wakes);
    (void)hocket__guard_unlock(&q->guard);
    hocket__wakes_run(&wakes);
}

int hocket_queue_task_done(hocket_queue *q)
{
    hocket__touch("task done", q);
    struct hocket__wakes wakes = { NULL, NULL };
    int err = 0;
    hocket__guard_lock(&q->guard);
    if (unfinished(q) == 0) {
        err = -EOVERFLOW;
    } else {
        add_done(q, 1, &wakes);
    }
    (void)hocket__guard_unlock(&q->guard);
    hocket__wakes_run(&wakes);
    return err;
}

int hocket_queue_join(hocket_queue *q, hocket_time deadline)
{
    hocket__touch("queue join", q);
    struct hocket__waiter node;
    hocket_task *self;
    int err = hocket__queue_enter(&self);
    if (err != 0)
        return err;
    hocket__guard_lock(&q->guard);
    bool finished = unfinished(q) == 0; /* once: puts into the ring raise it without the guard */
    if (finished || deadline <= HOCKET_NOW) {
        (void)hocket__guard_unlock(&q->guard);
        return finished ? 0 : -ETIMEDOUT;
    }
    hocket__sync_begin(&node, self, &hocket__queue_class, q, true);
    hocket__queue_push(&q->joiners, &node.link);
    (void)hocket__guard_unlock(&q->guard);
    err = hocket__wait_park(self, deadline);
    if (err != 0) {
        hocket__guard_lock(&q->guard);
        hocket__queue_forget(&q->joiners, &node);
        (void)hocket__guard_unlock(&q->guard);
    }
    hocket__wait_end(self);
    return err;
}

size_t hocket_queue_unfinished(const hocket_queue *q)
{
    return (size_t)unfinished(q);
}
