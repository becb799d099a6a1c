/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_QUEUE_STORE_H
#define HOCKET_QUEUE_STORE_H

/*
 * store - the values of a queue that is not a bounded first-in first-out one
 *
 * Two forms, both under the guard of the queue:
 *
 *   chunks   a list of arrays: values are added at one end and taken from the same end or the
 *            other.  A bounded store is one chunk, made with the queue.
 *   heap     a binary heap of small nodes {priority, number, slot}; the values lie in slots and
 *            never move.  Numbers count the pushes, so equals come out in the order they came.
 *
 * A push never allocates, since the allocator belongs to the user and must not be called under a
 * guard.  It is asked for instead what memory it wants, the guard is dropped, and the memory is
 * fed:
 *
 *     while ((bytes = hocket__store_wants(s)) != 0) {
 *         unlock; memory = allocate(bytes); lock;
 *         spare = hocket__store_feed(s, memory, bytes);   // free it later, if not NULL
 *     }
 *     hocket__store_push(s, value, priority);
 */
#include <hocket/queue.h>

#include "base/atomic.h"

struct hocket__chunk {
    struct hocket__chunk *older, *newer;
    _Alignas(max_align_t) unsigned char values[];
};

struct hocket__chunks {
    struct hocket__chunk *oldest, *newest, *spare;
    size_t per;    /* values a chunk */
    size_t first;  /* in the oldest chunk: the oldest value */
    size_t behind; /* in the newest chunk: behind the newest value */
    bool lifo;
};

struct hocket__heap_node {
    int64_t priority;
    uint64_t number;
    size_t slot;
};

struct hocket__heap {
    struct hocket__heap_node *nodes; /* a permutation of all slots: those of free slots behind */
    unsigned char *values;           /* in the same block */
    size_t slots;
    uint64_t pushed;
    int first; /* enum hocket_queue_first */
    hocket_queue_compare *compare;
    void *context;
};

struct hocket__store {
    bool heap, bounded;
    size_t value_size;
    _Atomic size_t count; /* read by anybody */
    union {
        struct hocket__chunks chunks;
        struct hocket__heap sorted;
    };
};

/* An empty store.  `capacity` SIZE_MAX: it grows.  0, -ENOMEM, -EINVAL. */
int hocket__store_init(struct hocket__store *s, size_t value_size, size_t capacity,
                       const hocket_queue_options *options);

/* Bytes that the next push needs first, 0 = none; SIZE_MAX cannot be had. */
size_t hocket__store_wants(const struct hocket__store *s);

/* Gives back memory that is to be freed, or NULL. */
void *hocket__store_feed(struct hocket__store *s, void *memory, size_t bytes);

void hocket__store_push(struct hocket__store *s, const void *value, int64_t priority);

/* Of a store that holds something.  Gives back memory that is to be freed, or NULL. */
void *hocket__store_pop(struct hocket__store *s, void *ret_value);

/* Move all that is in `s` to *ret; nothing is put into `s` any more.  Its count may be read meanwhile. */
void hocket__store_take_all(struct hocket__store *s, struct hocket__store *ret);

/* Drop all values in the order they would come out, and give all memory back. */
void hocket__store_end(struct hocket__store *s, void (*drop)(void *value));

/* The parts of the heap, see heap.c. */
int hocket__heap_init(struct hocket__store *s, size_t slots, const hocket_queue_options *options);
size_t hocket__heap_bytes(size_t value_size, size_t slots);
void *hocket__heap_grow(struct hocket__store *s, void *memory);
void hocket__heap_push(struct hocket__store *s, const void *value, int64_t priority);
unsigned char *hocket__heap_pop(struct hocket__store *s);

#endif
