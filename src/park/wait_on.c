/* SPDX-License-Identifier: MIT */
/*
 * wait_on - hocket_wait_on and hocket_wake, see hocket/park.h
 *
 * The only waits whose queue is not in the object: a word has no room for one.
 * Waiters of all words hash into BUCKETS queues by address; a waker takes those
 * whose address is its own, in the order they came.
 *
 * The word is read under the bucket's guard.  A waker changes the word, then takes
 * the guard: either the waiter sees the new value, or it is linked when the waker looks.
 * The word itself is not touched by hocket_wake and may be freed memory by then.
 */
#include <hocket/park.h>

#include <errno.h>

#include "park/wait.h"

#define BUCKETS 256u

static struct bucket {
    hocket__guard guard;
    struct hocket__link *head;
    char pad[64 - sizeof(hocket__guard) - sizeof(void *)];
} buckets[BUCKETS] __attribute__((aligned(64)));

static const struct hocket__wait_class wait_on_class = { "word", NULL };

/* Fibonacci hashing; the low bits of an address say little. */
static struct bucket *bucket_of(const hocket_word *word)
{
    uint64_t hash = (uint64_t)(uintptr_t)word * 0x9e3779b97f4a7c15u;
    return &buckets[hash >> 56];
}

static bool linked(const struct bucket *b, const struct hocket__waiter *node)
{
    return b->head == &node->link || !hocket__list_empty(&node->link);
}

int hocket_wait_on(const hocket_word *word, uint32_t expected, hocket_time deadline)
{
    hocket__touch("wait on", word);
    hocket_task *self = hocket__self_must("hocket_wait_on");
    int err = hocket__cancel_point(self);
    if (err)
        return err;
    struct bucket *b = bucket_of(word);
    struct hocket__waiter node;
    hocket__guard_lock(&b->guard);
    if (hk_load_acq(word) != expected) { /* pairs with the waker's store */
        hocket__guard_unlock(&b->guard);
        return 0;
    }
    hocket__wait_begin(&node, self, &wait_on_class, word, HOCKET__WAIT_CANCEL);
    hocket__queue_push(&b->head, &node.link);
    hocket__guard_unlock(&b->guard);
    err = hocket__wait_park(self, deadline);
    if (err) {
        hocket__guard_lock(&b->guard);
        if (linked(b, &node))
            hocket__queue_remove(&b->head, &node.link);
        hocket__guard_unlock(&b->guard);
    }
    hocket__wait_end(self);
    return err;
}

int hocket_wake(const hocket_word *word, int count)
{
    hocket__touch("wake word", word);
    struct bucket *b = bucket_of(word);
    struct hocket__wakes wakes = { NULL, NULL };
    int woken = 0;
    hocket__guard_lock(&b->guard);
    struct hocket__link *it = b->head, *last = it ? it->prev : NULL;
    while (it && woken < count) {
        struct hocket__link *next = it == last ? NULL : it->next;
        struct hocket__waiter *node = hk_container_of(it, struct hocket__waiter, link);
        if (hk_load(&node->task->wait_object) == word) {
            hocket_task *task = node->task;
            hocket__queue_remove(&b->head, it);
            if (hocket__claim(task)) {
                hocket__wakes_add(&wakes, task);
                woken++;
            }
        }
        it = next;
    }
    hocket__guard_unlock(&b->guard);
    hocket__wakes_run(&wakes);
    return woken;
}
