/* SPDX-License-Identifier: MIT */
/*
 * timer_heap - see task/timer.h
 *
 * The root is at place 3, so the children of a place begin at a multiple of four: 4, 8, 12...
 * Block k holds 256 << k places; the first block holds place 0.
 */
#include <errno.h>

#include "base/alloc.h"
#include "task/timer.h"

#define ROOT         3u
#define BLOCKS       24
#define FIRST_PLACES 256u
#define LINE         64u

typedef struct hocket__timer_entry entry;

static struct {
    unsigned char *memory[BLOCKS]; /* as allocated */
    entry *block[BLOCKS];          /* aligned */
    uint32_t blocks, end;          /* end: one after the last place in use, ROOT when empty */
    uint64_t places, timers;       /* all there are, and those reserved */
} heap = { .end = ROOT };

static inline entry *at(uint32_t place)
{
    uint32_t n = place + FIRST_PLACES;
    unsigned k = 31u - (unsigned)__builtin_clz(n);
    return &heap.block[k - 8][n - (1u << k)];
}

static inline void put(uint32_t place, entry e)
{
    *at(place) = e;
    e.timer->place = place;
}

static inline bool before(const entry *a, const entry *b)
{
    return a->when != b->when ? a->when < b->when : a->timer->number < b->timer->number;
}

static inline uint32_t parent_of(uint32_t place)
{
    return (place - ROOT - 1) / 4 + ROOT;
}

static void sift_up(uint32_t place, entry e)
{
    while (place > ROOT) {
        uint32_t parent = parent_of(place);
        const entry *p = at(parent);
        if (!before(&e, p))
            break;
        put(place, *p);
        place = parent;
    }
    put(place, e);
}

static void sift_down(uint32_t place, entry e)
{
    for (;;) {
        uint64_t child = 4 * (uint64_t)(place - ROOT) + ROOT + 1;
        if (child >= heap.end)
            break;
        const entry *c = at((uint32_t)child); /* four in a row, never in two blocks */
        uint32_t left = heap.end - (uint32_t)child, best = 0;
        for (uint32_t i = 1; i < 4 && i < left; i++)
            if (before(&c[i], &c[best]))
                best = i;
        if (!before(&c[best], &e))
            break;
        put(place, c[best]);
        place = (uint32_t)child + best;
    }
    put(place, e);
}

hocket_timer *hocket__timer_first(void)
{
    return heap.end > ROOT ? at(ROOT)->timer : NULL;
}

void hocket__timer_insert(hocket_timer *t)
{
    sift_up(heap.end++, (entry){ t->when, t });
}

void hocket__timer_remove(hocket_timer *t)
{
    uint32_t place = t->place;
    entry last = *at(--heap.end);
    t->place = HOCKET__TIMER_NOWHERE;
    if (last.timer == t)
        return;
    if (place > ROOT && before(&last, at(parent_of(place))))
        sift_up(place, last);
    else
        sift_down(place, last);
}

/* ---- places ---- */

/* Under the guard: take a reserved place, or say how large the next block is. */
static size_t take_place(void)
{
    if (heap.timers + ROOT < heap.places) {
        heap.timers++;
        return 0;
    }
    return heap.blocks < BLOCKS ? ((size_t)FIRST_PLACES << heap.blocks) * sizeof(entry) + LINE
                                : SIZE_MAX;
}

int hocket__timer_reserve(hocket__guard *guard)
{
    unsigned char *memory = NULL;
    size_t has = 0;
    for (;;) {
        hocket__guard_lock(guard);
        size_t wants = take_place();
        if (wants != 0 && wants == has) {
            size_t off = (size_t)(-(uintptr_t)memory % LINE);
            heap.memory[heap.blocks] = memory;
            heap.block[heap.blocks] = (entry *)(void *)(memory + off);
            heap.places += (uint64_t)FIRST_PLACES << heap.blocks++;
            memory = NULL;
            wants = take_place();
        }
        (void)hocket__guard_unlock(guard);
        hocket__free(memory); /* somebody else brought it meanwhile */
        if (wants == 0)
            return 0;
        memory = wants != SIZE_MAX ? hocket__alloc(wants) : NULL;
        if (memory == NULL)
            return -ENOMEM;
        has = wants;
    }
}

void *hocket__timer_unreserve(void)
{
    unsigned char *chain = NULL;
    if (--heap.timers > 0)
        return NULL;
    while (heap.blocks > 0) {
        unsigned char *memory = heap.memory[--heap.blocks];
        *(unsigned char **)(void *)memory = chain;
        chain = memory;
    }
    heap.places = 0;
    return chain;
}

void hocket__timer_release(void *chain)
{
    while (chain != NULL) {
        unsigned char *memory = chain;
        chain = *(unsigned char **)(void *)memory;
        hocket__free(memory);
    }
}
