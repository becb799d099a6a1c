/* SPDX-License-Identifier: MIT */
/* store - chunks, and the choice between chunks and heap; see queue/store.h */
#include "queue/store.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "queue/ring.h"

/* Values a chunk of a store without bound: about a page, and never just a few. */
#define CHUNK_BYTES  4000
#define CHUNK_VALUES 8

/* Slots of a heap without bound, at first. */
#define HEAP_SLOTS 32

static size_t chunk_bytes(const struct hocket__store *s)
{
    size_t bytes;
    if (__builtin_mul_overflow(s->value_size, s->chunks.per, &bytes) ||
        __builtin_add_overflow(bytes, sizeof(struct hocket__chunk), &bytes))
        return SIZE_MAX;
    return bytes;
}

static unsigned char *in_chunk(const struct hocket__store *s, struct hocket__chunk *c, size_t i)
{
    return c->values + i * s->value_size;
}

static int chunks_init(struct hocket__store *s, size_t capacity, bool lifo)
{
    size_t many = CHUNK_BYTES / s->value_size;
    memset(&s->chunks, 0, sizeof s->chunks);
    s->chunks.lifo = lifo;
    s->chunks.per = s->bounded ? capacity : many > CHUNK_VALUES ? many : CHUNK_VALUES;
    size_t bytes = chunk_bytes(s);
    if (bytes == SIZE_MAX)
        return -EINVAL;
    struct hocket__chunk *c = hocket__alloc(bytes);
    if (c == NULL)
        return -ENOMEM;
    c->older = c->newer = NULL;
    s->chunks.oldest = s->chunks.newest = c;
    return 0;
}

static void chunks_push(struct hocket__store *s, const void *value)
{
    struct hocket__chunks *c = &s->chunks;
    if (c->behind == c->per) {
        struct hocket__chunk *next = c->spare;
        c->spare = NULL;
        next->older = c->newest;
        next->newer = NULL;
        c->newest->newer = next;
        c->newest = next;
        c->behind = 0;
    }
    hocket__value_copy(s->value_size, in_chunk(s, c->newest, c->behind++), value);
}

/* One spare chunk is kept, so that a queue that stays at a border does not allocate at each turn. */
static void *retire(struct hocket__chunks *c, struct hocket__chunk *old)
{
    if (c->spare != NULL)
        return old;
    c->spare = old;
    return NULL;
}

/* The count has been lowered already. */
static void *chunks_pop(struct hocket__store *s, void *ret_value)
{
    struct hocket__chunks *c = &s->chunks;
    struct hocket__chunk *old = NULL;
    if (c->lifo) {
        hocket__value_copy(s->value_size, ret_value, in_chunk(s, c->newest, --c->behind));
        if (c->behind == 0 && c->newest->older != NULL) {
            old = c->newest;
            c->newest = old->older;
            c->newest->newer = NULL;
            c->behind = c->per;
        }
    } else {
        hocket__value_copy(s->value_size, ret_value, in_chunk(s, c->oldest, c->first++));
        if (hk_load(&s->count) == 0) {
            c->first = c->behind = 0; /* the newest value was in the newest chunk: the only one */
        } else if (c->first == c->per) {
            old = c->oldest;
            c->oldest = old->newer;
            c->oldest->older = NULL;
            c->first = 0;
        }
    }
    return old != NULL ? retire(c, old) : NULL;
}

int hocket__store_init(struct hocket__store *s, size_t value_size, size_t capacity,
                       const hocket_queue_options *options)
{
    memset(s, 0, sizeof *s);
    s->value_size = value_size;
    s->bounded = capacity != HOCKET_UNBOUNDED;
    s->heap = options->order == HOCKET_PRIORITY;
    if (s->heap)
        return hocket__heap_init(s, s->bounded ? capacity : HEAP_SLOTS, options);
    return chunks_init(s, capacity, options->order == HOCKET_LIFO);
}

size_t hocket__store_wants(const struct hocket__store *s)
{
    if (s->bounded)
        return 0;
    if (s->heap)
        return hk_load(&s->count) < s->sorted.slots
                   ? 0
                   : hocket__heap_bytes(s->value_size, 2 * s->sorted.slots);
    return s->chunks.behind < s->chunks.per || s->chunks.spare != NULL ? 0 : chunk_bytes(s);
}

void *hocket__store_feed(struct hocket__store *s, void *memory, size_t bytes)
{
    if (hocket__store_wants(s) != bytes)
        return memory; /* somebody was faster, or made room */
    if (s->heap)
        return hocket__heap_grow(s, memory);
    s->chunks.spare = memory;
    return NULL;
}

void hocket__store_push(struct hocket__store *s, const void *value, int64_t priority)
{
    if (s->heap)
        hocket__heap_push(s, value, priority);
    else
        chunks_push(s, value);
    hk_store(&s->count, hk_load(&s->count) + 1);
}

void *hocket__store_pop(struct hocket__store *s, void *ret_value)
{
    hk_store(&s->count, hk_load(&s->count) - 1);
    if (!s->heap)
        return chunks_pop(s, ret_value);
    hocket__value_copy(s->value_size, ret_value, hocket__heap_pop(s));
    return NULL;
}

void hocket__store_take_all(struct hocket__store *s, struct hocket__store *ret)
{
    *ret = *s;
    hk_store(&s->count, 0);
    if (s->heap)
        memset(&s->sorted, 0, sizeof s->sorted);
    else
        memset(&s->chunks, 0, sizeof s->chunks);
    s->bounded = true; /* it wants no memory */
}

static void drop_chunks(struct hocket__store *s, void (*drop)(void *value))
{
    struct hocket__chunks *c = &s->chunks;
    size_t count = hk_load(&s->count), first = c->first;
    for (struct hocket__chunk *at = c->lifo ? c->newest : c->oldest; count > 0; first = 0) {
        size_t end = at == c->newest ? c->behind : c->per;
        for (size_t n = first; n < end; n++, count--)
            drop(in_chunk(s, at, c->lifo ? end - 1 - n : n));
        at = c->lifo ? at->older : at->newer;
    }
}

void hocket__store_end(struct hocket__store *s, void (*drop)(void *value))
{
    if (s->heap) {
        while (drop != NULL && hk_load(&s->count) > 0) {
            hk_store(&s->count, hk_load(&s->count) - 1);
            drop(hocket__heap_pop(s));
        }
        hocket__free(s->sorted.nodes);
        return;
    }
    if (drop != NULL)
        drop_chunks(s, drop);
    for (struct hocket__chunk *c = s->chunks.oldest, *next; c != NULL; c = next) {
        next = c->newer;
        hocket__free(c);
    }
    hocket__free(s->chunks.spare);
}
