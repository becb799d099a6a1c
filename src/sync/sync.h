/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SYNC_SYNC_H
#define HOCKET_SYNC_SYNC_H

/*
 * sync - what the primitives share: their queue of waiters, and panics with names
 *
 * Every primitive embeds a guard and a queue head, one pointer to a circular list of nodes in the
 * order they came.  The queue is read and changed under the guard only.
 */
#include "base/panic.h"
#include "park/wait.h"

/* The head and the guard inside a public struct. */
#define HOCKET__HEAD(o)     ((struct hocket__link **)(void *)&(o)->hocket__head)
#define HOCKET__GUARD_OF(o) HOCKET__GUARD(&(o)->hocket__guard)

/* A node alone in a queue points to itself as one in no queue does: the head tells them apart. */
static inline bool hocket__queue_has(struct hocket__link *const *head,
                                     const struct hocket__waiter *node)
{
    return *head == &node->link || !hocket__list_empty(&node->link);
}

static inline struct hocket__waiter *hocket__queue_first(struct hocket__link *const *head)
{
    return *head ? hk_container_of(*head, struct hocket__waiter, link) : NULL;
}

/* Back to the front: a waiter that was woken and came too late. */
static inline void hocket__queue_push_front(struct hocket__link **head, struct hocket__link *link)
{
    hocket__queue_push(head, link);
    *head = link;
}

/* Unlink a node whose wait ended by deadline or cancel, unless a waker did. */
static inline void hocket__queue_forget(struct hocket__link **head, struct hocket__waiter *node)
{
    if (hocket__queue_has(head, node))
        hocket__queue_remove(head, &node->link);
}

/*
 * Take the first waiter whose wait can still be decided as woken, dropping those before it
 * that ended by deadline or cancel.  It is claimed: complete it after the guard.  NULL: none left.
 */
struct hocket__waiter *hocket__queue_claim(struct hocket__link **head);

/* Start a wait that a cancel may end, or may not. */
static inline void hocket__sync_begin(struct hocket__waiter *node, hocket_task *self,
                                      const struct hocket__wait_class *cls, const void *object,
                                      bool cancel)
{
    hocket__wait_begin(node, self, cls, object, cancel ? HOCKET__WAIT_CANCEL : 0);
}

/* The name of the task with a slot; static text for nobody. */
const char *hocket__slot_name(uint32_t slot, char *buffer, size_t size);

/* The public id of the task with a slot, 0 for slot 0. */
uint64_t hocket__slot_id(uint32_t slot);

/* Panic if somebody waits: "<function>: <kind> %p is waited for by task <name>". */
void hocket__destroy_check(const char *function, const char *kind, const void *object,
                           hocket__guard *guard, struct hocket__link *const *head);

#endif
