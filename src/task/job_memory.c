/* SPDX-License-Identifier: MIT */
/*
 * job_memory - the blocks of an executor's jobs
 *
 * Blocks come in slabs and are taken under the lock, which is the executor's guard.  They come
 * back from anywhere: under the lock if that is the caller's by bias and so costs nothing,
 * else onto a stack that is pushed by CAS and taken whole, so there is no ABA.  A block that was
 * used last is used next.
 *
 * Futures may outlive their executor.  When that goes, it shuts the stack: whoever
 * gives a block back then counts it, and the last one frees the slabs.  `missing` goes down by
 * one for each such block and up once by the number of blocks that were out at that moment, so it
 * reaches 0 exactly once.
 */
#include "base/alloc.h"
#include "task/executor.h"

#define LINE        64
#define SLAB_SMALL  16 /* blocks of the first slab */
#define SLAB_BLOCKS 128

struct hocket__job_slab {
    struct hocket__job_slab *next;
    hocket_future *first; /* in here: the futures, then what more there is of each */
    size_t count;
};

_Static_assert(sizeof(hocket_future) == LINE, "a future is one cache line");
_Static_assert(sizeof(struct hocket__job_more) < HOCKET__JOB_MORE, "room for a little input");

static hocket_future closed;

struct hocket__job_memory *hocket__job_memory_new(void)
{
    return hocket__calloc(1, sizeof(struct hocket__job_memory));
}

static void destroy(struct hocket__job_memory *m)
{
    while (m->slabs != NULL) {
        struct hocket__job_slab *slab = m->slabs;
        m->slabs = slab->next;
        hocket__free(slab);
    }
    hocket__free(m);
}

static size_t length(const hocket_future *f)
{
    size_t n = 0;
    for (; f != NULL; f = hocket__job_next(f))
        n++;
    return n;
}

void hocket__job_memory_leave(struct hocket__job_memory *m)
{
    hocket__bias_lock(&m->lock);
    hocket_future *back = hk_xchg(&m->returned, &closed);
    m->left = true;
    ptrdiff_t out = (ptrdiff_t)(m->total - length(m->free) - length(back));
    hocket__bias_unlock(&m->lock);
    if (hk_add(&m->missing, out) + out == 0)
        destroy(m);
}

hocket_future *hocket__job_memory_take(struct hocket__job_memory *m)
{
    if (m->free == NULL && hk_load(&m->returned) != NULL)
        m->free = hk_xchg(&m->returned, NULL); /* pairs with the CAS of hocket__job_free */
    hocket_future *f = m->free;
    if (hk_likely(f != NULL)) {
        m->free = hocket__job_next(f);
        __builtin_prefetch(m->free, 1);
    }
    return f;
}

struct hocket__job_slab *hocket__job_slab_new(struct hocket__job_memory *m, hocket_executor *ex,
                                              bool first)
{
    size_t count = first ? SLAB_SMALL : SLAB_BLOCKS;
    struct hocket__job_slab *slab = hocket__calloc(1, sizeof *slab + LINE +
                                                          count * (LINE + HOCKET__JOB_MORE));
    if (slab == NULL)
        return NULL;
    uintptr_t from = ((uintptr_t)(slab + 1) + LINE - 1) / LINE * LINE;
    slab->first = (hocket_future *)from;
    slab->count = count;
    for (size_t i = 0; i < count; i++) {
        uintptr_t more = from + count * LINE + i * HOCKET__JOB_MORE;
        slab->first[i].more = (struct hocket__job_more *)more;
        slab->first[i].more->memory = m;
        slab->first[i].more->executor = ex;
    }
    return slab;
}

void hocket__job_memory_add(struct hocket__job_memory *m, struct hocket__job_slab *slab)
{
    slab->next = m->slabs;
    m->slabs = slab;
    m->total += slab->count;
    for (size_t i = slab->count; i-- > 0;) {
        hocket__job_set_next(&slab->first[i], m->free);
        m->free = &slab->first[i];
    }
}

hocket_future *hocket__job_alone(hocket_executor *ex, size_t size)
{
    size_t bytes, head = sizeof(hocket_future) + sizeof(struct hocket__job_more);
    if (__builtin_add_overflow(head, size, &bytes))
        return NULL;
    hocket_future *f = hocket__alloc(bytes);
    if (f == NULL)
        return NULL;
    memset(f, 0, head);
    f->more = (struct hocket__job_more *)(void *)(f + 1);
    f->more->executor = ex;
    return f;
}

void hocket__job_free(hocket_future *f)
{
    bool known = f->home != (void *)&f->link; /* it was taken */
    struct hocket__job_memory *m = known ? f->home : f->more->memory;
    if (hk_unlikely(m == NULL)) {
        hocket__free(f);
        return;
    }
    if (hk_likely(hocket__job_free_here(f, m)))
        return;
    hocket_future *old = hk_load(&m->returned);
    do {
        if (hk_unlikely(old == &closed)) {
            if (hk_sub(&m->missing, (ptrdiff_t)1) == 1)
                destroy(m);
            return;
        }
        hocket__job_set_next(f, old);
    } while (!hk_cas(&m->returned, &old, f));
}
