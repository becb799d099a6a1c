/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SYS_STACK_H
#define HOCKET_SYS_STACK_H
/*
 * stack - guarded stacks for fibers, carved from slabs
 *
 *   slot, low to high:   | guard 64 KiB | usable ..., grows down | header |
 *
 * The header (struct hocket__stack) lies in the first page that the stack
 * touches anyway, so an idle or parked shallow stack costs one page.  Slots of
 * one size class lie side by side in slabs, one mapping each.  The guard is 16
 * pages, because user code compiled without probes jumps over a single one.
 *
 * Guards, best first; each slot has the best that could be had when it was
 * first carved, and keeps it:
 *   MADV      MADV_GUARD_INSTALL (Linux 6.13): no mapping of its own, any number
 *   MPROTECT  two mappings a stack; until 3/4 of vm.max_map_count is used
 *   CANARY    a word at the lowest usable address, checked by
 *             hocket__stack_check; the 64 KiB below it are a plain cushion
 *
 * All functions are thread-safe; none but hocket__stack_find is signal-safe.
 * The free lists here are shared by all workers behind one short lock a class;
 * whoever wants speed keeps a cache above, chained by `next`.
 */
#include "base/atomic.h"

#include <stddef.h>
#include <stdint.h>

#define HOCKET__STACK_MIN     ((size_t)64 << 10)
#define HOCKET__STACK_MAX     ((size_t)1 << 30)
#define HOCKET__STACK_GUARD   ((size_t)64 << 10)
#define HOCKET__STACK_CLASSES 15 /* 64 KiB << 0 ... 64 KiB << 14 */

/* Stacks begin at 16 different places of their top page: fibers that stop in
 * the same function would else share the same few sets of the L1 cache.  A
 * round of 1,000 fibers: 8.5 ns a switch with colours, 14.6 without. */
#define HOCKET__STACK_COLORS     16
#define HOCKET__STACK_COLOR_STEP 64

enum hocket__stack_guard {
    HOCKET__STACK_GUARD_AUTO,
    HOCKET__STACK_GUARD_MADV,
    HOCKET__STACK_GUARD_MPROTECT,
    HOCKET__STACK_GUARD_CANARY,
};

/* For tests: the first level to try on fresh slots; the ones below it stay as
 * fallbacks.  Set it before any stack exists or after hocket__stack_shutdown. */
extern enum hocket__stack_guard hocket__stack_guard_mode;

/* At the top of the stack it describes, 64-byte aligned. */
struct hocket__stack {
    void *sp;                   /* the stopped context; the owner's to use */
    void *owner;                /* the owner's to use; NULL when new */
    struct hocket__stack *next; /* free lists here and in caches above */
    char *base;                 /* lowest usable address */
    size_t size;                /* of the class: base + size is the slot's end */
    uint64_t *canary;           /* NULL unless `guard` is CANARY */
    uint8_t class_index;        /* 0: 64 KiB, 1: 128 KiB, ... */
    uint8_t guard;              /* enum hocket__stack_guard, never AUTO */
    uint32_t valgrind_id;       /* of VALGRIND_STACK_REGISTER */
    void *asan_fake_stack;      /* for the sanitizer.h calls around a switch */
    void *tsan_fiber;           /* the owner's to use; NULL when new */
};

/* The class that serves `usable` bytes; -EINVAL beyond HOCKET__STACK_MAX. */
int hocket__stack_class(size_t usable);

/* The first byte above what the stack may use: hocket__switch_make's top. */
static inline void *hocket__stack_top(struct hocket__stack *s)
{
    return s;
}

/* Bytes from `base` up to the top. */
static inline size_t hocket__stack_usable(const struct hocket__stack *s)
{
    return (size_t)((const char *)s - s->base);
}

/*
 * A stack of the class that serves `usable` bytes (0: the smallest).  Of the
 * class's size the header and its colour take at most 1,088 bytes.  `sp`,
 * `owner`, `next`, `asan_fake_stack` and `tsan_fiber` are NULL, the content is
 * undefined.
 * 0, -ENOMEM, -EINVAL (usable too large).
 */
int hocket__stack_new(size_t usable, struct hocket__stack **ret);

/* Give it back, to the shared list of its class; its pages stay. NULL is ignored. */
void hocket__stack_free(struct hocket__stack *s);

/* Give a chain of stacks linked by `next` back, of any classes. */
void hocket__stack_free_all(struct hocket__stack *chain);

/* Return all pages but the top one to the system.  Nothing on the stack may be
 * needed but what is in that page; guards survive. */
void hocket__stack_trim(struct hocket__stack *s);

/* Return all pages of up to `max` idle stacks of the shared free lists. How
 * many were. */
size_t hocket__stack_trim_idle(size_t max);

/* Cold part of hocket__stack_check. */
bool hocket__stack_canary_intact(const struct hocket__stack *s);

/* False if the stack ran over its end.  For the switch path: only stacks with
 * a canary pay more than one load. */
static inline bool hocket__stack_check(const struct hocket__stack *s)
{
    return hk_likely(s->canary == NULL) || hocket__stack_canary_intact(s);
}

enum hocket__stack_area {
    HOCKET__STACK_NOWHERE,
    HOCKET__STACK_IN_GUARD,
    HOCKET__STACK_IN_USABLE,
};

/*
 * Which stack `addr` belongs to, and which part of it was hit.  Signal-safe.
 * *ret is set unless the answer is NOWHERE; the stack may be in use or idle.
 */
enum hocket__stack_area hocket__stack_find(const void *addr, struct hocket__stack **ret);

struct hocket__stack_stats {
    size_t slabs;       /* mapped */
    size_t live;        /* stacks with a header: in use, in caches or idle */
    size_t idle;        /* of these, in the shared free lists */
    size_t cold;        /* trimmed as a whole: a guard and no pages */
    size_t reserved;    /* bytes of address space */
    size_t by_guard[4]; /* live and cold ones, by enum hocket__stack_guard */
};
void hocket__stack_get_stats(struct hocket__stack_stats *ret);

/*
 * The most bytes that any stack holds in memory: whole pages, since it was trimmed last.  The
 * caller has the stacks pinned.  A system call a stack.
 */
size_t hocket__stack_peak(void);

/*
 * Stacks stay mapped, also those that are not in use, until unpin: for whoever reads the stacks
 * of others. False: they are being unmapped.  Signal-safe, nests, never blocks; keep it short, a
 * shutdown waits for it.
 */
bool hocket__stacks_pin(void);
void hocket__stacks_unpin(void);

/* Unmap everything.  No stack may be in use or in a cache; afterwards the
 * first hocket__stack_new starts from nothing. */
void hocket__stack_shutdown(void);

#endif
