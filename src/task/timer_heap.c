/* SPDX-License-Identifier: MIT */
/*
 * timer_heap - see task/timer.h
 *
 * The root is at place 3, so the children of a place begin at a multiple of four: 4, 8, 12...
 * Block k holds 256 << k places, and the rows of as many timers; the first block holds place and
 * row 0.  A row that nobody has holds the number of the next one that nobody has.
 */
#include <errno.h>

#include "base/alloc.h"
#include "task/timer.h"

#define ROOT       3u
#define BLOCKS     22 /* 2^30 timers */
#define FIRST_BITS 8
#define LINE       64u
#define SETTLED    64 /* entries at a time: the guard is held meanwhile */

struct entry {
    hocket_time when;
    uint32_t start; /* as in the timer */
    uint32_t id;
};

union row {
    hocket_timer *timer;
    uint32_t next_free;
};

static struct {
    void *memory[BLOCKS]; /* as allocated; the arrays in it: */
    struct entry *entries[BLOCKS];
    union row *rows[BLOCKS];
    uint32_t *places[BLOCKS]; /* of the timer of that row */
    uint32_t blocks, end;     /* end: one after the last place in use, ROOT when empty */
    uint32_t size;            /* places and rows that there are */
    uint32_t timers, rows_used, free_row;
    uint32_t armed, starts;
} heap = { .end = ROOT };

static inline unsigned block_of(uint32_t n)
{
    return 31u - (unsigned)__builtin_clz(n + (1u << FIRST_BITS)) - FIRST_BITS;
}

/* Its index in that block. */
static inline uint32_t index_in(uint32_t n, unsigned block)
{
    return n + (1u << FIRST_BITS) - (1u << (block + FIRST_BITS));
}

static inline struct entry *entry_at(uint32_t place)
{
    unsigned k = block_of(place);
    return &heap.entries[k][index_in(place, k)];
}

static inline union row *row_of(uint32_t id)
{
    unsigned k = block_of(id);
    return &heap.rows[k][index_in(id, k)];
}

static inline uint32_t *place_of(uint32_t id)
{
    unsigned k = block_of(id);
    return &heap.places[k][index_in(id, k)];
}

static inline void put(uint32_t place, struct entry e)
{
    *entry_at(place) = e;
    *place_of(e.id) = place;
}

static inline bool before(const struct entry *a, const struct entry *b)
{
    return a->when != b->when ? a->when < b->when : (int32_t)(a->start - b->start) < 0;
}

static inline uint32_t parent_of(uint32_t place)
{
    return (place - ROOT - 1) / 4 + ROOT;
}

static void sift_up(uint32_t place, struct entry e)
{
    while (place > ROOT) {
        uint32_t parent = parent_of(place);
        const struct entry *p = entry_at(parent);
        if (!before(&e, p))
            break;
        put(place, *p);
        place = parent;
    }
    put(place, e);
}

static void sift_down(uint32_t place, struct entry e)
{
    for (;;) {
        uint64_t child = 4 * (uint64_t)(place - ROOT) + ROOT + 1;
        if (child >= heap.end)
            break;
        const struct entry *c = entry_at((uint32_t)child); /* never in two blocks */
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
    return heap.end > ROOT ? row_of(entry_at(ROOT)->id)->timer : NULL;
}

hocket_time hocket__timer_first_key(void)
{
    return heap.end > ROOT ? entry_at(ROOT)->when : HOCKET_FOREVER;
}

static inline struct entry entry_of(hocket_timer *t)
{
    t->key = t->when;
    return (struct entry){ t->when, t->start, t->id };
}

void hocket__timer_enter(hocket_timer *t, hocket_time when)
{
    heap.armed += !t->armed;
    t->armed = true;
    t->when = when;
    t->start = ++heap.starts;
    if (t->entered && t->key <= when)
        return;
    sift_up(t->entered ? *place_of(t->id) : heap.end++, entry_of(t));
    t->entered = true;
}

void hocket__timer_withdraw(hocket_timer *t)
{
    heap.armed -= t->armed;
    t->armed = false;
}

bool hocket__timer_any(void)
{
    return heap.armed > 0;
}

void hocket__timer_remove(hocket_timer *t)
{
    if (!t->entered)
        return;
    uint32_t place = *place_of(t->id);
    struct entry last = *entry_at(--heap.end);
    t->entered = false;
    if (last.id == t->id)
        return;
    if (place > ROOT && before(&last, entry_at(parent_of(place))))
        sift_up(place, last);
    else
        sift_down(place, last);
}

bool hocket__timer_settle(void)
{
    for (int i = 0; i < SETTLED && heap.end > ROOT; i++) {
        const struct entry *first = entry_at(ROOT);
        hocket_timer *t = row_of(first->id)->timer;
        if (!t->armed)
            hocket__timer_remove(t);
        else if (first->when != t->when || first->start != t->start)
            sift_down(ROOT, entry_of(t));
        else
            return true;
    }
    return heap.end == ROOT;
}

/* ---- rows and places ---- */

/* Take a row; false: a block is missing. */
static bool take_row(hocket_timer *t)
{
    if (heap.timers + ROOT + 1 >= heap.size)
        return false;
    if (heap.free_row != 0) {
        t->id = heap.free_row;
        heap.free_row = row_of(t->id)->next_free;
    } else {
        t->id = ++heap.rows_used; /* row 0 is "none" */
    }
    heap.timers++;
    row_of(t->id)->timer = t;
    return true;
}

static void add_block(void *memory)
{
    uint32_t k = heap.blocks++, cells = 1u << (FIRST_BITS + k);
    heap.memory[k] = memory;
    heap.entries[k] = (struct entry *)(((uintptr_t)memory + LINE - 1) & ~(uintptr_t)(LINE - 1));
    heap.rows[k] = (union row *)(void *)(heap.entries[k] + cells);
    heap.places[k] = (uint32_t *)(void *)(heap.rows[k] + cells);
    heap.size += cells;
}

int hocket__timer_reserve(hocket_timer *t, struct hocket__bias *guard)
{
    void *memory = NULL;
    uint32_t block = 0; /* that the memory is for */
    for (;;) {
        hocket__bias_lock(guard);
        bool has = take_row(t);
        if (!has && memory != NULL && block == heap.blocks) {
            add_block(memory);
            memory = NULL;
            has = take_row(t);
        }
        block = heap.blocks;
        hocket__bias_unlock(guard);
        hocket__free(memory); /* somebody else was first */
        if (has)
            return 0;
        size_t cell = sizeof(struct entry) + sizeof(union row) + sizeof(uint32_t);
        memory = block < BLOCKS ? hocket__alloc((cell << (FIRST_BITS + block)) + LINE) : NULL;
        if (memory == NULL)
            return -ENOMEM;
    }
}

void *hocket__timer_unreserve(hocket_timer *t)
{
    void *chain = NULL;
    row_of(t->id)->next_free = heap.free_row;
    heap.free_row = t->id;
    if (--heap.timers > 0)
        return NULL;
    while (heap.blocks > 0) {
        void *memory = heap.memory[--heap.blocks];
        *(void **)memory = chain;
        chain = memory;
    }
    heap.size = heap.rows_used = heap.free_row = 0;
    return chain;
}

void hocket__timer_release(void *chain)
{
    while (chain != NULL) {
        void *memory = chain;
        chain = *(void **)memory;
        hocket__free(memory);
    }
}
