/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TEST_LINEAR_H
#define HOCKET_TEST_LINEAR_H
/*
 * linear - is a recorded history of a queue linearizable?
 *
 *     struct linear h;
 *     linear_begin(&h, HOCKET_FIFO, 2);
 *     struct linear_op *op = linear_call(&h, LINEAR_PUT, value, priority);   // each task
 *     linear_return(&h, op, hocket_queue_put(q, &value, HOCKET_NOW));
 *     ...
 *     HK_EXPECT(linear_check(&h));                                           // when all ended
 *
 * The search of Wing and Gong with Lowe's memory of failed states: take any operation that began before
 * the first end among those not yet placed, let a plain sequential queue do it, and see whether it
 * gives the same result; go back if not.  Histories have at most 64 operations.
 *
 * -ETIMEDOUT claims that the queue was full (empty) at some moment of the call, -EPIPE that it
 * was closed (and empty).  Other errors claim nothing and change nothing.
 */
#include <errno.h>
#include <hocket/queue.h>
#include <stdlib.h>
#include <string.h>

#include "support/expect.h"

#include "base/atomic.h"

#define LINEAR_OPS 64

enum linear_kind { LINEAR_PUT, LINEAR_GET, LINEAR_CLOSE, LINEAR_CLOSE_NOW };

struct linear_op {
    uint64_t start, end; /* ticks of one clock */
    int kind, value, result;
    int64_t priority;
};

struct linear {
    int order;
    size_t capacity;
    _Atomic uint64_t clock;
    _Atomic unsigned count;
    struct linear_op ops[LINEAR_OPS];
};

static inline void linear_begin(struct linear *h, int order, size_t capacity)
{
    h->order = order;
    h->capacity = capacity;
    hk_store(&h->clock, (uint64_t)0);
    hk_store(&h->count, 0u);
}

/* NULL when the history is full: the task stops then. */
static inline struct linear_op *linear_call(struct linear *h, int kind, int value, int64_t priority)
{
    unsigned i = hk_add(&h->count, 1);
    if (i >= LINEAR_OPS)
        return NULL;
    h->ops[i] = (struct linear_op){ 0, 0, kind, value, 0, priority };
    h->ops[i].start = hk_add(&h->clock, 1);
    return &h->ops[i];
}

static inline void linear_return(struct linear *h, struct linear_op *op, int result)
{
    op->result = result;
    op->end = hk_add(&h->clock, 1);
}

/* ---- the sequential queue ---- */

struct linear_state {
    bool closed;
    unsigned n;
    const struct linear_op *in[LINEAR_OPS];
};

static inline unsigned linear_next(const struct linear *h, const struct linear_state *s)
{
    unsigned best = h->order == HOCKET_LIFO ? s->n - 1 : 0;
    for (unsigned i = 1; h->order == HOCKET_PRIORITY && i < s->n; i++)
        if (s->in[i]->priority < s->in[best]->priority)
            best = i;
    return best;
}

/* Does the queue give this result?  Then it has done it. */
static inline bool linear_apply(const struct linear *h, struct linear_state *s,
                                const struct linear_op *op)
{
    bool put = op->kind == LINEAR_PUT;
    if (op->kind == LINEAR_CLOSE || op->kind == LINEAR_CLOSE_NOW) {
        bool again = s->closed && (op->kind == LINEAR_CLOSE || s->n == 0);
        s->closed = true;
        if (op->kind == LINEAR_CLOSE_NOW)
            s->n = 0;
        return op->result == (again ? -EALREADY : 0);
    }
    switch (op->result) {
    case -EPIPE: return s->closed && (put || s->n == 0);
    case -ETIMEDOUT: return !s->closed && (put ? s->n >= h->capacity : s->n == 0);
    case 0: break;
    default: return op->result < 0;
    }
    if (put) {
        if (s->closed || s->n >= h->capacity)
            return false;
        s->in[s->n++] = op;
        return true;
    }
    if (s->n == 0)
        return false;
    unsigned i = linear_next(h, s);
    if (s->in[i]->value != op->value)
        return false;
    memmove(s->in + i, s->in + i + 1, (--s->n - i) * sizeof *s->in);
    return true;
}

/* ---- the search ---- */

struct linear_search {
    const struct linear *h;
    unsigned n;
    uint64_t *failed; /* hashes of states that led nowhere; 0 = free */
    size_t slots, used;
};

static inline uint64_t linear_hash(uint64_t placed, const struct linear *h,
                                   const struct linear_state *s)
{
    uint64_t x = placed * 0x9e3779b97f4a7c15u + s->closed;
    for (unsigned i = 0; i < s->n; i++) {
        x = (x ^ (uint64_t)(s->in[i] - h->ops + 1)) * 0xbf58476d1ce4e5b9u;
        x ^= x >> 29;
    }
    return x != 0 ? x : 1;
}

static inline size_t linear_slot(const struct linear_search *f, uint64_t hash)
{
    size_t i = (size_t)hash & (f->slots - 1);
    while (f->failed[i] != 0 && f->failed[i] != hash)
        i = (i + 1) & (f->slots - 1);
    return i;
}

static inline bool linear_place(struct linear_search *f, uint64_t placed, struct linear_state s)
{
    uint64_t all = f->n == 64 ? UINT64_MAX : ((uint64_t)1 << f->n) - 1, first_end = UINT64_MAX;
    if (placed == all)
        return true;
    uint64_t hash = linear_hash(placed, f->h, &s);
    if (f->failed[linear_slot(f, hash)] == hash)
        return false;
    for (unsigned i = 0; i < f->n; i++)
        if (!(placed >> i & 1) && f->h->ops[i].end < first_end)
            first_end = f->h->ops[i].end;
    for (unsigned i = 0; i < f->n; i++) {
        struct linear_state after = s;
        if (!(placed >> i & 1) && f->h->ops[i].start < first_end &&
            linear_apply(f->h, &after, &f->h->ops[i]) &&
            linear_place(f, placed | (uint64_t)1 << i, after))
            return true;
    }
    HK_EXPECT(++f->used < f->slots / 2);
    f->failed[linear_slot(f, hash)] = hash;
    return false;
}

static inline void linear_print(const struct linear *h, unsigned n)
{
    static const char *const kinds[] = { "put", "get", "close", "close-now" };
    for (unsigned i = 0; i < n; i++)
        fprintf(stderr, "%4llu-%-4llu %s value %d priority %lld: %d\n",
                (unsigned long long)h->ops[i].start, (unsigned long long)h->ops[i].end,
                kinds[h->ops[i].kind], h->ops[i].value, (long long)h->ops[i].priority,
                h->ops[i].result);
}

/* All tasks have ended.  Prints the history if it is not. */
static inline bool linear_check_quiet(const struct linear *h)
{
    unsigned n = hk_load(&h->count);
    struct linear_search f = { h, n < LINEAR_OPS ? n : LINEAR_OPS, NULL, 0, 0 };
    struct linear_state empty = { false, 0, { NULL } };
    f.slots = n <= 16 ? 1u << 12 : 1u << 20;
    f.failed = calloc(f.slots, sizeof *f.failed);
    HK_EXPECT(f.failed != NULL);
    bool good = linear_place(&f, 0, empty);
    free(f.failed);
    return good;
}

static inline bool linear_check(const struct linear *h)
{
    bool good = linear_check_quiet(h);
    if (!good)
        linear_print(h, hk_load(&h->count) < LINEAR_OPS ? hk_load(&h->count) : LINEAR_OPS);
    return good;
}

#endif
