/* SPDX-License-Identifier: MIT */
/*
 * heap - a binary heap of nodes whose values stay in their slots; see queue/store.h
 *
 * nodes[0 .. count-1] is the heap, nodes[count ..] holds the free slots.  A push takes the slot of
 * nodes[count], a pop leaves its slot there.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "queue/ring.h"
#include "queue/store.h"

static unsigned char *value_at(const struct hocket__store *s, size_t slot)
{
    return s->sorted.values + slot * s->value_size;
}

/* Does `a` come out before `b`?  Never of equals: numbers differ. */
static bool before(const struct hocket__store *s, const struct hocket__heap_node *a,
                   const struct hocket__heap_node *b)
{
    const struct hocket__heap *h = &s->sorted;
    int order = h->compare != NULL
                    ? h->compare(value_at(s, a->slot), value_at(s, b->slot), h->context)
                    : (a->priority > b->priority) - (a->priority < b->priority);
    if (order != 0)
        return (order < 0) == (h->first == HOCKET_LOWEST_FIRST);
    return a->number < b->number;
}

size_t hocket__heap_bytes(size_t value_size, size_t slots)
{
    size_t each, bytes;
    if (__builtin_add_overflow(sizeof(struct hocket__heap_node), value_size, &each) ||
        __builtin_mul_overflow(each, slots, &bytes) || bytes > SIZE_MAX - 64)
        return SIZE_MAX;
    return bytes + 16; /* the values are aligned anew behind the nodes */
}

static void place(struct hocket__heap *h, void *memory, size_t slots)
{
    uintptr_t behind = (uintptr_t)memory + slots * sizeof(struct hocket__heap_node);
    h->nodes = memory;
    h->values = (unsigned char *)memory + (((behind + 15) & ~(uintptr_t)15) - (uintptr_t)memory);
    for (size_t i = h->slots; i < slots; i++)
        h->nodes[i].slot = i;
    h->slots = slots;
}

int hocket__heap_init(struct hocket__store *s, size_t slots, const hocket_queue_options *options)
{
    size_t bytes = hocket__heap_bytes(s->value_size, slots);
    if (bytes == SIZE_MAX)
        return -EINVAL;
    void *memory = hocket__alloc(bytes);
    if (memory == NULL)
        return -ENOMEM;
    memset(&s->sorted, 0, sizeof s->sorted);
    s->sorted.first = options->first;
    s->sorted.compare = options->compare;
    s->sorted.context = options->context;
    place(&s->sorted, memory, slots);
    return 0;
}

/* Twice as many slots in `memory`; gives the old block back. */
void *hocket__heap_grow(struct hocket__store *s, void *memory)
{
    struct hocket__heap_node *nodes = s->sorted.nodes;
    unsigned char *values = s->sorted.values;
    size_t slots = s->sorted.slots;
    place(&s->sorted, memory, 2 * slots);
    memcpy(s->sorted.nodes, nodes, slots * sizeof *nodes);
    memcpy(s->sorted.values, values, slots * s->value_size);
    return nodes;
}

void hocket__heap_push(struct hocket__store *s, const void *value, int64_t priority)
{
    struct hocket__heap *h = &s->sorted;
    size_t i = hk_load(&s->count), parent;
    struct hocket__heap_node node = { priority, h->pushed++, h->nodes[i].slot };
    hocket__value_copy(s->value_size, value_at(s, node.slot), value);
    for (; i > 0 && before(s, &node, &h->nodes[parent = (i - 1) / 2]); i = parent)
        h->nodes[i] = h->nodes[parent];
    h->nodes[i] = node;
}

/* The first value; count has been lowered already. */
unsigned char *hocket__heap_pop(struct hocket__store *s)
{
    struct hocket__heap *h = &s->sorted;
    size_t left = hk_load(&s->count), i = 0, child;
    struct hocket__heap_node first = h->nodes[0], last = h->nodes[left];
    while ((child = 2 * i + 1) < left) {
        if (child + 1 < left && before(s, &h->nodes[child + 1], &h->nodes[child]))
            child++;
        if (!before(s, &h->nodes[child], &last))
            break;
        h->nodes[i] = h->nodes[child];
        i = child;
    }
    h->nodes[i] = last;
    h->nodes[left] = first;
    return value_at(s, first.slot);
}
