/* SPDX-License-Identifier: MIT */
/*
 * stack - slabs of stacks (see stack.h for the layout of a slot)
 *
 *   slab:   | states 64 KiB | slot 0 | slot 1 | ... |
 *
 * The first 64 KiB hold one byte a slot, its state:
 *
 *   FRESH          never used: no guard, no pages
 *   COLD | guard   was live, then trimmed: guard, no pages
 *   LIVE | guard   guard, and a header in the top page; in use, in a cache
 *                  above, or in the free list of its class
 *
 *   FRESH, COLD -> LIVE    in runs of neighbours, when the free list is empty
 *   LIVE -> COLD           hocket__stack_trim_idle
 *
 * Runs grow with use, up to 16: guards and first pages of a run take one
 * system call each (0.7 and 1.5 us a stack, where singly it is 1.2 and 1.9),
 * and a program with one fiber pays for one.
 *
 * Invariants: `absent` of a slab counts its FRESH and COLD slots; slots below
 * `from` are LIVE.  A slab is never unmapped before shutdown, since trimmed
 * slots cost nothing but address space.
 *
 * Locks: one a class (free list, its slabs' states, cursors), then table_lock
 * (the table's growth, the guard levels).  System calls are made under them:
 * worker caches above keep these locks off the fast path.
 *
 * Memory order: table entries are written before `table_size` grows (release),
 * readers in signal handlers load it with acquire.  State bytes are stored
 * relaxed and read relaxed by the handler: it looks at a slot that its own
 * thread runs on, whose state was written before that began.
 *
 * Rejected: free lists through bitmaps only (a cache miss on the state byte for
 * each new); a mapping for each stack (8.7 us, and 32 K of them at most).
 */
#include "sys/stack.h"
#include "sys/alarm.h"
#include "sys/sanitizer.h"
#include "sys/sys.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
    TABLE_MAX = 1024,
    RUN_MAX = 16,
    EARLY_SLABS = 256, /* of a class; later ones are 8 times as large */
    HEADER_SIZE = 128,
};
#define STATES_SIZE    ((size_t)64 << 10)
#define SLAB_BYTES_MAX ((size_t)64 << 20)

enum slot_state { FRESH = 0, COLD = 4, LIVE = 8, GUARD_BITS = 3 };

struct slab {
    _Atomic(char *) slots; /* the first slot; written before table_size grows */
    uint32_t count;
    uint32_t absent;
    uint32_t from;
    uint8_t class_index;
};

struct class
{
    _Atomic uint32_t lock; /* see lock() */
    struct hocket__stack *idle;
    size_t idle_count;
    size_t live_count;
    size_t cold_count;
    size_t slab_count;
    size_t open; /* no slab of this class below this table index has absent slots */
};

enum hocket__stack_guard hocket__stack_guard_mode = HOCKET__STACK_GUARD_AUTO;

static struct slab table[TABLE_MAX];
static _Atomic uint32_t table_size;
static struct class classes[HOCKET__STACK_CLASSES];

static _Atomic uint32_t table_lock;
static bool madv_missing;    /* under table_lock */
static size_t protect_count; /* under table_lock: guards by mprotect */
static size_t protect_limit; /* under table_lock; 0: not asked yet */
static uint64_t canary_key;  /* under table_lock; 0: not drawn yet.  Readers
                                   have a stack that was made after it. */
static size_t by_guard[4];   /* under table_lock */

static _Atomic int pins; /* readers of others' stacks */
static _Atomic bool unmapping;

_Static_assert(sizeof(struct hocket__stack) <= HEADER_SIZE, "the header grew");
_Static_assert(HOCKET__STACK_MIN << (HOCKET__STACK_CLASSES - 1) == HOCKET__STACK_MAX, "classes");
_Static_assert(SLAB_BYTES_MAX * 8 / (HOCKET__STACK_MIN + HOCKET__STACK_GUARD) <= STATES_SIZE,
               "a byte a slot");

/* 0 free, 1 locked, 2 locked with sleepers (Drepper's mutex 2).  The exchange
 * acquires what the release of unlock published. */
static void lock(_Atomic uint32_t *l)
{
    uint32_t free_word = 0;

    if (hk_cas(l, &free_word, 1u))
        return;
    while (hk_xchg(l, 2u) != 0)
        hocket__futex_wait(l, 2, INT64_MAX);
}

static void unlock(_Atomic uint32_t *l)
{
    if (hk_xchg(l, 0u) == 2)
        hocket__futex_wake(l, 1);
}

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t class_size(unsigned class_index)
{
    return HOCKET__STACK_MIN << class_index;
}

static size_t slot_size(const struct slab *b)
{
    return HOCKET__STACK_GUARD + class_size(b->class_index);
}

static char *slot_at(const struct slab *b, size_t i)
{
    return hk_load(&b->slots) + i * slot_size(b);
}

static _Atomic uint8_t *state_of(const struct slab *b, size_t i)
{
    return (_Atomic uint8_t *)(hk_load(&b->slots) - STATES_SIZE) + i;
}

static struct hocket__stack *header_of(const struct slab *b, size_t i)
{
    size_t color = i % HOCKET__STACK_COLORS * HOCKET__STACK_COLOR_STEP;

    return (struct hocket__stack *)(void *)(slot_at(b, i + 1) - HEADER_SIZE - color);
}

int hocket__stack_class(size_t usable)
{
    int i = 0;

    if (usable > HOCKET__STACK_MAX)
        return -EINVAL;
    while (class_size((unsigned)i) < usable)
        i++;
    return i;
}

/* --- guards --- */

static uint64_t canary_of(const uint64_t *at)
{
    return canary_key ^ (uint64_t)(uintptr_t)at;
}

HK_NOINLINE bool hocket__stack_canary_intact(const struct hocket__stack *s)
{
    return *s->canary == canary_of(s->canary);
}

static bool protect_one(char *slot)
{
    if (protect_limit == 0)
        protect_limit = hocket__mapping_limit() / 8 * 3 + 1;
    if (protect_count >= protect_limit || hocket__protect(slot, HOCKET__STACK_GUARD) != 0)
        return false;
    protect_count++;
    return true;
}

/* Guard a run of FRESH slots, each as well as can be had, and note in the
 * state which it is.  Can't fail: there is always the canary. */
static void guard_run(struct slab *b, size_t first, size_t n)
{
    enum hocket__stack_guard level = hocket__stack_guard_mode;

    lock(&table_lock);
    if (level <= HOCKET__STACK_GUARD_MADV && !madv_missing) {
        int rc = hocket__guard_pages(slot_at(b, first), HOCKET__STACK_GUARD, slot_size(b), n);
        level = rc == 0 ? HOCKET__STACK_GUARD_MADV : HOCKET__STACK_GUARD_MPROTECT;
        madv_missing = rc == -EINVAL;
    } else if (level <= HOCKET__STACK_GUARD_MADV) {
        level = HOCKET__STACK_GUARD_MPROTECT;
    }
    for (size_t i = first; i < first + n; i++) {
        if (level == HOCKET__STACK_GUARD_MPROTECT && !protect_one(slot_at(b, i)))
            level = HOCKET__STACK_GUARD_CANARY;
        if (level == HOCKET__STACK_GUARD_CANARY && canary_key == 0) {
            hocket__random(&canary_key, sizeof canary_key);
            canary_key |= 1;
        }
        by_guard[level]++;
        hk_store(state_of(b, i), (uint8_t)(COLD | level));
    }
    unlock(&table_lock);
}

/* --- slabs --- */

static size_t slots_of_next_slab(const struct class *c, unsigned class_index)
{
    size_t size = HOCKET__STACK_GUARD + class_size(class_index);
    size_t bytes = c->slab_count < EARLY_SLABS ? SLAB_BYTES_MAX : SLAB_BYTES_MAX * 8;
    size_t n = c->slab_count < 3 ? (size_t)16 << (2 * c->slab_count) : bytes / size;

    if (n > bytes / size)
        n = bytes / size;
    return n > 0 ? n : 1;
}

/* A smaller slab is tried when there is no room for a large one. */
static int slab_new(struct class *c, unsigned class_index)
{
    size_t size = HOCKET__STACK_GUARD + class_size(class_index);
    size_t n = slots_of_next_slab(c, class_index);
    uint32_t at;
    void *memory;

    while (hocket__map(STATES_SIZE + n * size, &memory) != 0) {
        if (n == 1)
            return -ENOMEM;
        n /= 2;
    }
    lock(&table_lock);
    at = hk_load(&table_size);
    if (at == TABLE_MAX) {
        unlock(&table_lock);
        hocket__unmap(memory, STATES_SIZE + n * size);
        return -ENOMEM;
    }
    hocket__small_pages(memory, STATES_SIZE + n * size);
    table[at].count = table[at].absent = (uint32_t)n;
    table[at].from = 0;
    table[at].class_index = (uint8_t)class_index;
    hk_store(&table[at].slots, (char *)memory + STATES_SIZE);
    hk_store_rel(&table_size, at + 1); /* pairs with hocket__stack_find */
    unlock(&table_lock);
    c->slab_count++;
    return 0;
}

/* A slab of the class with slots to make live; NULL if there is none. */
static struct slab *slab_open(struct class *c, unsigned class_index)
{
    size_t n = hk_load_acq(&table_size);

    for (; c->open < n; c->open++)
        if (table[c->open].class_index == class_index && table[c->open].absent > 0)
            return &table[c->open];
    return NULL;
}

static void slot_begin(struct class *c, struct slab *b, size_t i)
{
    enum hocket__stack_guard level = hk_load(state_of(b, i)) & GUARD_BITS;
    struct hocket__stack *s = header_of(b, i);

    memset(s, 0, sizeof *s);
    s->base = slot_at(b, i) + HOCKET__STACK_GUARD;
    s->size = class_size(b->class_index);
    s->class_index = b->class_index;
    s->guard = (uint8_t)level;
    s->valgrind_id = hocket__valgrind_register(s->base, s);
    if (level == HOCKET__STACK_GUARD_CANARY) {
        s->canary = (uint64_t *)(void *)s->base;
        *s->canary = canary_of(s->canary);
    }
    hk_store(state_of(b, i), (uint8_t)(LIVE | level));
    s->next = c->idle;
    c->idle = s;
    c->idle_count++;
    c->live_count++;
}

/* Make a run of neighbours of one state live and idle. */
static int make_idle(struct class *c, unsigned class_index)
{
    struct slab *b = slab_open(c, class_index);
    size_t want = c->live_count < 1 ? 1 : c->live_count < RUN_MAX ? c->live_count : RUN_MAX;
    size_t first, n = 0, page = page_size();
    uint8_t kind;

    if (b == NULL) {
        int rc = slab_new(c, class_index);
        if (rc != 0)
            return rc;
        b = slab_open(c, class_index);
    }
    first = b->from;
    while (hk_load(state_of(b, first)) & LIVE)
        first++;
    kind = hk_load(state_of(b, first)) & COLD;
    while (n < want && first + n < b->count && hk_load(state_of(b, first + n)) < LIVE &&
           (hk_load(state_of(b, first + n)) & COLD) == kind)
        n++;
    if (kind == FRESH)
        guard_run(b, first, n);
    else
        c->cold_count -= n;
    if (n > 1)
        hocket__populate(slot_at(b, first + 1) - page, page, slot_size(b), n);
    for (size_t i = first + n; i-- > first;)
        slot_begin(c, b, i);
    b->absent -= (uint32_t)n;
    b->from = (uint32_t)(first + n);
    return 0;
}

/* --- the interface --- */

int hocket__stack_new(size_t usable, struct hocket__stack **ret)
{
    int class_index = hocket__stack_class(usable), rc = 0;
    struct class *c;
    struct hocket__stack *s;

    if (class_index < 0)
        return class_index;
    c = &classes[class_index];
    lock(&c->lock);
    if (c->idle == NULL)
        rc = make_idle(c, (unsigned)class_index);
    if (rc != 0) {
        unlock(&c->lock);
        return rc;
    }
    s = c->idle;
    c->idle = s->next;
    c->idle_count--;
    unlock(&c->lock);

    hocket__nosync_acquire(s);
    s->sp = NULL;
    s->owner = NULL;
    s->next = NULL;
    s->asan_fake_stack = NULL;
    s->tsan_fiber = NULL;
    *ret = s;
    return 0;
}

void hocket__stack_free(struct hocket__stack *s)
{
    struct class *c;

    if (s == NULL)
        return;
    hocket__asan_unpoison(s->base, hocket__stack_usable(s));
    hocket__nosync_release(s);
    c = &classes[s->class_index];
    lock(&c->lock);
    s->next = c->idle;
    c->idle = s;
    c->idle_count++;
    unlock(&c->lock);
}

void hocket__stack_free_all(struct hocket__stack *chain)
{
    while (chain != NULL) {
        struct hocket__stack *next = chain->next;
        hocket__stack_free(chain);
        chain = next;
    }
}

void hocket__stack_trim(struct hocket__stack *s)
{
    size_t page = page_size();
    size_t keep = (uintptr_t)(s->base + s->size - page) - (uintptr_t)s->base;

    hocket__discard(s->base, keep);
    if (s->canary != NULL)
        *s->canary = canary_of(s->canary);
}

static struct slab *slab_of(const void *addr)
{
    size_t n = hk_load_acq(&table_size); /* pairs with slab_new */

    for (size_t i = 0; i < n; i++) {
        uintptr_t low = (uintptr_t)hk_load(&table[i].slots);
        if ((uintptr_t)addr >= low && (uintptr_t)addr - low < table[i].count * slot_size(&table[i]))
            return &table[i];
    }
    return NULL;
}

/* The header goes with the pages, so the state byte alone tells afterwards. */
static void make_cold(struct class *c, struct hocket__stack *s)
{
    struct slab *b = slab_of(s);
    uint32_t i = (uint32_t)((size_t)((char *)s - hk_load(&b->slots)) / slot_size(b));
    uint8_t level = s->guard;

    hocket__valgrind_deregister(s->valgrind_id);
    hocket__discard(s->base, s->size);
    hk_store(state_of(b, i), (uint8_t)(COLD | level));
    b->absent++;
    if (b->from > i)
        b->from = i;
    if (c->open > (size_t)(b - table))
        c->open = (size_t)(b - table);
    c->live_count--;
    c->cold_count++;
}

size_t hocket__stack_trim_idle(size_t max)
{
    size_t done = 0;

    for (struct class *c = classes; c < classes + HOCKET__STACK_CLASSES; c++) {
        /* One at a time, so that nobody waits for more than one discard. */
        for (bool more = true; more && done < max;) {
            lock(&c->lock);
            struct hocket__stack *s = c->idle;
            more = s != NULL;
            if (more) {
                c->idle = s->next;
                c->idle_count--;
                make_cold(c, s);
                done++;
            }
            unlock(&c->lock);
        }
    }
    return done;
}

enum hocket__stack_area hocket__stack_find(const void *addr, struct hocket__stack **ret)
{
    struct slab *b = slab_of(addr);
    size_t offset, i;

    if (b == NULL)
        return HOCKET__STACK_NOWHERE;
    offset = (size_t)((const char *)addr - hk_load(&b->slots));
    i = offset / slot_size(b);
    if (hk_load(state_of(b, i)) < LIVE)
        return HOCKET__STACK_NOWHERE;
    *ret = header_of(b, i);
    return offset % slot_size(b) < HOCKET__STACK_GUARD ? HOCKET__STACK_IN_GUARD
                                                       : HOCKET__STACK_IN_USABLE;
}

void hocket__stack_get_stats(struct hocket__stack_stats *ret)
{
    memset(ret, 0, sizeof *ret);
    for (struct class *c = classes; c < classes + HOCKET__STACK_CLASSES; c++) {
        lock(&c->lock);
        ret->live += c->live_count;
        ret->idle += c->idle_count;
        ret->cold += c->cold_count;
        unlock(&c->lock);
    }
    lock(&table_lock);
    ret->slabs = hk_load(&table_size);
    for (size_t i = 0; i < ret->slabs; i++)
        ret->reserved += STATES_SIZE + table[i].count * slot_size(&table[i]);
    memcpy(ret->by_guard, by_guard, sizeof by_guard);
    unlock(&table_lock);
}

/* How far down from the top of a slot pages are in memory, the guard below left out. */
static size_t slot_peak(const struct slab *b, size_t i, size_t page)
{
    unsigned char in_memory[256];
    size_t pages = class_size(b->class_index) / page;
    const char *low = slot_at(b, i) + HOCKET__STACK_GUARD;
    for (size_t at = 0; at < pages; at += sizeof in_memory) {
        size_t n = pages - at < sizeof in_memory ? pages - at : sizeof in_memory;
        if (hocket__pages_in_memory(low + at * page, n, in_memory) != 0)
            return 0;
        for (size_t k = 0; k < n; k++)
            if (in_memory[k] & 1)
                return (pages - at - k) * page;
    }
    return 0;
}

size_t hocket__stack_peak(void)
{
    size_t peak = 0, page = page_size();
    for (size_t s = 0, n = hk_load_acq(&table_size); s < n; s++) {
        const struct slab *b = &table[s];
        for (size_t i = 0; i < b->count; i++) {
            if (hk_load(state_of(b, i)) < LIVE)
                continue;
            size_t used = slot_peak(b, i, page);
            peak = used > peak ? used : peak;
        }
    }
    return peak;
}

bool hocket__stacks_pin(void)
{
    (void)hk_add(&pins, 1);
    hk_fence_sc(); /* pairs with the one in shutdown: one of the two sees the other */
    if (!hk_load_acq(&unmapping))
        return true;
    hocket__stacks_unpin();
    return false;
}

void hocket__stacks_unpin(void)
{
    (void)hk_sub(&pins, 1);
}

void hocket__stack_shutdown(void)
{
    size_t n = hk_load_acq(&table_size);

    hk_store(&unmapping, true);
    hk_fence_sc();
    while (hk_load_acq(&pins) > 0) /* seldom, and for less than a second */
        hocket__thread_yield();
    hk_store_rel(&table_size, 0u);
    for (struct slab *b = table; b < table + n; b++) {
        for (size_t i = 0; i < b->count; i++)
            if (hk_load(state_of(b, i)) & LIVE)
                hocket__valgrind_deregister(header_of(b, i)->valgrind_id);
        hocket__unmap(hk_load(&b->slots) - STATES_SIZE, STATES_SIZE + b->count * slot_size(b));
    }
    memset(classes, 0, sizeof classes);
    memset(by_guard, 0, sizeof by_guard);
    madv_missing = false;
    protect_count = protect_limit = 0;
    hk_store_rel(&unmapping, false); /* pairs with pin */
}
