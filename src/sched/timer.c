/* SPDX-License-Identifier: MIT */
/*
 * timer - see sched/timer.h; the pairing heap of Fredman, Sedgewick, Sleator, Tarjan (1986)
 *
 * Melding makes the later root the first child of the earlier.  Removing a node
 * melds its children in pairs, left to right, then the pairs right to left.
 */
#include "sched/timer.h"

#include "park/wait.h"
#include "sys/sanitizer.h"

void hocket__timers_init(struct hocket__timers *heap)
{
    hk_store(&heap->guard, 0);
    heap->root = NULL;
    hk_store(&heap->first, HOCKET_FOREVER);
}

static struct hocket__timer *meld(struct hocket__timer *a, struct hocket__timer *b)
{
    if (!a)
        return b;
    if (!b)
        return a;
    if (b->deadline < a->deadline) {
        struct hocket__timer *t = a;
        a = b;
        b = t;
    }
    b->prev = a;
    b->next = a->child;
    if (a->child)
        a->child->prev = b;
    a->child = b;
    a->next = a->prev = NULL;
    return a;
}

static struct hocket__timer *meld_pairs(struct hocket__timer *list)
{
    struct hocket__timer *pairs = NULL; /* reversed, chained by next */
    while (list) {
        struct hocket__timer *a = list, *b = list->next;
        list = b ? b->next : NULL;
        a->next = a->prev = NULL;
        if (b)
            b->next = b->prev = NULL;
        a = meld(a, b);
        a->next = pairs;
        pairs = a;
    }
    struct hocket__timer *root = NULL;
    while (pairs) {
        struct hocket__timer *a = pairs;
        pairs = a->next;
        a->next = NULL;
        root = meld(root, a);
    }
    return root;
}

static void remove_timer(struct hocket__timers *heap, struct hocket__timer *t)
{
    struct hocket__timer *children = meld_pairs(t->child);
    if (t == heap->root) {
        heap->root = children;
    } else {
        if (t->prev->child == t)
            t->prev->child = t->next;
        else
            t->prev->next = t->next;
        if (t->next)
            t->next->prev = t->prev;
        heap->root = meld(heap->root, children);
    }
    t->child = t->next = t->prev = NULL;
    t->heap = NULL;
    hk_store(&heap->first, heap->root ? heap->root->deadline : HOCKET_FOREVER);
}

void hocket__timer_arm(struct hocket__timers *heap, struct hocket__timer *timer, hocket_task *task,
                       hocket_time deadline)
{
    *timer = (struct hocket__timer){ .deadline = deadline, .task = task, .heap = heap };
    hocket__guard_lock(&heap->guard);
    heap->root = meld(heap->root, timer);
    hk_store(&heap->first, heap->root->deadline);
    (void)hocket__guard_unlock(&heap->guard); /* a full fence: see sched/sleep.c */
}

void hocket__timer_disarm(struct hocket__timer *timer, struct hocket__timers *heap)
{
    hocket__guard_lock(&heap->guard);
    hocket__nosync_acquire(&timer->task->wait_state); /* pairs with timers_fire */
    if (timer->heap)
        remove_timer(heap, timer);
    (void)hocket__guard_unlock(&heap->guard);
}

unsigned hocket__timers_fire(struct hocket__timers *heap, hocket_time now)
{
    unsigned fired = 0;
    if (hk_load(&heap->first) > now)
        return 0;
    hocket__guard_lock(&heap->guard);
    while (heap->root && heap->root->deadline <= now) {
        struct hocket__timer *t = heap->root;
        hocket_task *task = t->task;
        remove_timer(heap, t);
        hocket__nosync_acquire(&task->wait_state);
        fired += hocket__wait_decide(task, HOCKET__TIMEDOUT);
        hocket__nosync_release(&task->wait_state); /* it takes our guard before it goes on */
    }
    (void)hocket__guard_unlock(&heap->guard);
    return fired;
}
