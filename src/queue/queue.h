/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_QUEUE_QUEUE_H
#define HOCKET_QUEUE_QUEUE_H

/*
 * queue - struct hocket_queue
 *
 * A ring of `capacity` values, a list of waiting getters and one of waiting putters, all
 * under one guard.
 *
 * Invariants, whenever the guard is free:
 *   - a getter that can still be woken waits only if the ring is empty
 *   - a putter that can still be woken waits only if the ring is full
 *   - once closed, nobody waits who can still be woken
 * Nodes whose wait ended by deadline or cancel may be in either list at any time, until
 * their task unlinks them or somebody who looks for a waiter drops them.
 *
 * Members marked (seen) are written under the guard and read without it by the predicates.
 */
#include <hocket/queue.h>

#include "sync/sync.h"

struct hocket_queue {
    hocket__guard guard;
    _Atomic bool closed;          /* (seen) */
    struct hocket__link *getters; /* node->data: where the value goes */
    struct hocket__link *putters; /* node->data: where the value comes from */
    size_t value_size;
    size_t capacity;
    size_t head;                  /* the oldest value */
    _Atomic size_t count;         /* (seen) */
    _Atomic size_t getters_count; /* (seen) tasks between linking and leaving */
    _Atomic size_t putters_count; /* (seen) */
    void (*drop)(void *value);
    _Alignas(max_align_t) unsigned char ring[];
};

/* What a waker did to a waiter: node->done. */
enum hocket__queue_done { HOCKET__QUEUE_SERVED = 1, HOCKET__QUEUE_CLOSED = 2 };

#endif
