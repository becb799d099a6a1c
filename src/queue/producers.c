/* SPDX-License-Identifier: MIT */
/*
 * producers - queues whose producers are declared, and who waits for them in vain
 *
 * A declaration is a pair (queue, task) in one list.  A task that was declared carries a flag, and its end takes
 * its pairs out; freeing a queue takes out those of the queue.  A queue without pairs, once declared, gets
 * no more values.  That is looked at when the last pair goes, for those who wait in get then, and by everybody
 * who begins to wait in get later: the waiter is linked before it looks, the pair is gone before
 * the other looks, and both look under the guard of the list, so one sees the other.
 *
 * Waits with a deadline end by themselves and do not count: the node of a get without one has priority 1.
 *
 * Lock order: the guard of the list, then the queue's.
 */
#include "base/alloc.h"
#include "park/report.h"
#include "queue/queue.h"

enum { DECLARED = 1, REPORTED = 2 };

struct pair {
    struct pair *next;
    hocket_queue *queue;
    hocket_task *task;
};

static hocket__guard guard; /* pairs */
static struct pair *pairs;

static bool any(const hocket_queue *q)
{
    const struct pair *p = pairs;
    while (p != NULL && p->queue != q)
        p = p->next;
    return p != NULL;
}

/* Tasks that wait in get for ever. */
static unsigned in_vain(hocket_queue *q)
{
    struct hocket__wakes none = { NULL, NULL };
    unsigned n = 0;
    hocket__queue_hold(q);
    struct hocket__link *l = hk_load(&q->closed) ? NULL : q->getters;
    while (l != NULL) {
        const struct hocket__queue_node *node = hk_container_of(l, struct hocket__queue_node,
                                                                waiter.link);
        n += node->priority == 1;
        l = l->next == q->getters ? NULL : l->next;
    }
    hocket__queue_let_go(q, &none);
    return n;
}

/* Under the guard. */
static void look_at(hocket_queue *q)
{
    unsigned waiting;
    if (hk_load(&q->producers) != DECLARED || any(q) || (waiting = in_vain(q)) == 0)
        return;
    hk_store(&q->producers, (uint8_t)REPORTED);
    hocket__report(
        "deadlock: %u task(s) wait in get for queue %p, whose producers have all ended without "
        "closing it",
        waiting, (void *)q);
}

void hocket__producers_look(hocket_queue *q)
{
    hocket__guard_lock(&guard);
    look_at(q);
    hocket__guard_unlock(&guard);
}

static void ended(hocket_task *task)
{
    hocket__guard_lock(&guard);
    for (struct pair **at = &pairs; *at != NULL;) {
        struct pair *p = *at;
        if (p->task != task) {
            at = &p->next;
            continue;
        }
        hocket_queue *q = p->queue;
        *at = p->next;
        hocket__free(p);
        look_at(q);
    }
    hocket__guard_unlock(&guard);
}

void hocket__producers_forget(const hocket_queue *q)
{
    hocket__guard_lock(&guard);
    for (struct pair **at = &pairs; *at != NULL;) {
        struct pair *p = *at;
        if (p->queue == q) {
            *at = p->next;
            hocket__free(p);
        } else {
            at = &p->next;
        }
    }
    hocket__guard_unlock(&guard);
}

int hocket_queue_declare(hocket_queue *q, hocket_task *producer)
{
    struct pair *p = producer != NULL ? hocket__alloc(sizeof *p) : NULL;
    if (p == NULL)
        return producer != NULL ? -ENOMEM : -EINVAL;
    *p = (struct pair){ NULL, q, producer };
    hk_store_rel(&hocket__producer_ended, ended);
    hocket__guard_lock(&guard);
    hk_store(&q->producers, (uint8_t)DECLARED);
    (void)hk_or(&producer->flags, HOCKET__TASK_PRODUCER);
    bool over = (hocket__life(producer) & HOCKET__LIFE_DONE) != 0;
    if (!over) {
        p->next = pairs;
        pairs = p;
    } else {
        look_at(q);
    }
    hocket__guard_unlock(&guard);
    if (over)
        hocket__free(p);
    return 0;
}
