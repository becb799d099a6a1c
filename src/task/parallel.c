/* SPDX-License-Identifier: MIT */
/*
 * parallel - loops over a range by lazy splitting
 *
 * A loop forks the right half of what is left whenever its task has no branch that somebody
 * could take, and otherwise does one chunk after the other.  So there is always something to
 * steal, the half of the rest, and not one fork more than steals ask for.  Chunks
 * grow until one takes CHUNK_TIME: that is how long a thief waits for an answer, and
 * what the checks in between are paid by.  What one part has found the next begins with, so that a
 * loop of a hundred trivial bodies is a handful of chunks.
 *
 * A reduction is a fixed tree instead: splitting by demand would combine in another order each
 * time.
 *
 * Rejected: splitting down to a number of parts that depends on the workers (rayon, TBB's auto
 * partitioner): the last parts are too large when bodies differ, and too small when they do not.
 */
#include <hocket/parallel.h>

#include <errno.h>
#include <string.h>

#include "sys/ticks.h"
#include "task/fork.h"

#define CHUNK_TIME ((int64_t)8 * HOCKET__TICKS_PER_US)
#define PARTS      16  /* of a loop, where a fork costs a task */
#define CHUNKS     128 /* of a reduction whose grain is not given */

/* Shared by all parts of one call; in the caller's frame. */
struct loop {
    hocket_range_fn *fn;
    void *arg;
    size_t grain;  /* 0: adapt */
    size_t coarse; /* do not split below where each fork makes a task at once */
    const hocket_reduction *reduction;
    _Atomic size_t chunk;    /* what adaptive parts found to be right, for those that begin */
    _Atomic uint32_t failed; /* some chunk did, or the caller was cancelled */
};

/* The first failure is the loop's, with its words; others are dropped. */
HK_COLD static int fails(struct loop *l, int err)
{
    uint32_t none = 0;
    if (hk_cas(&l->failed, &none, 1))
        return err;
    hocket_fail_clear();
    return 0;
}

/* 1: go on; 0: others have failed; else the caller is cancelled. */
static int may_go_on(struct loop *l)
{
    if (hk_unlikely(hk_load(&l->failed)))
        return 0;
    int err = hocket_check();
    return hk_unlikely(err != 0) ? fails(l, err) : 1;
}

/* ---- for ---- */

struct part {
    struct loop *loop;
    size_t begin, end;
};

static int part_run(void *arg);

/* The left half here, the right half wherever it is wanted. */
static int part_split(const struct part *p)
{
    size_t half = (p->end - p->begin) / 2;
    if (p->loop->grain)
        half = (half + p->loop->grain - 1) / p->loop->grain * p->loop->grain;
    struct part left = *p, right = *p;
    hocket_branch branch;
    left.end = right.begin = p->begin + half;
    hocket_fork(&branch, part_run, &right);
    int err = part_run(&left), other = hocket_sync(&branch);
    return err ? err : other;
}

/* The next chunk, after one that took so long. */
static size_t adapted(struct loop *l, size_t chunk, int64_t took)
{
    size_t next = chunk;
    if (took < CHUNK_TIME / 2)
        next = chunk > SIZE_MAX / 4 ? chunk : took < CHUNK_TIME / 8 ? chunk * 4 : chunk * 2;
    else if (took > CHUNK_TIME * 2 && chunk > 1)
        next = chunk / 2;
    if (next != chunk)
        hk_store(&l->chunk, next);
    return next;
}

/* Is it time to have something to steal again? */
static bool wants_split(const struct part *p, size_t chunk, hocket_task *self)
{
    size_t left = p->end - p->begin;
    if (left <= chunk || hocket__forks_waiting(self))
        return false;
    /* With inherited locals nothing waits to be taken, so that says nothing. */
    return left > p->loop->coarse ||
           (hk_load(hk_word32(&self->forks.attention)) & HOCKET__FORKS_ON);
}

static int part_run(void *arg)
{
    struct part p = *(struct part *)arg;
    struct loop *l = p.loop;
    hocket_task *self = hocket__self_or_null();
    bool fiber = self && self->kind == HOCKET__FIBER, adapts = l->grain == 0;
    size_t chunk = adapts ? hk_load(&l->chunk) : l->grain;
    int64_t then = adapts ? hocket__ticks() : 0;
    while (p.begin < p.end) {
        int go = may_go_on(l);
        if (hk_unlikely(go != 1))
            return go;
        size_t n = p.end - p.begin;
        if (fiber) {
            hocket__fork_poll(self);
            if (wants_split(&p, chunk, self))
                return part_split(&p);
        }
        n = n < chunk ? n : chunk;
        int err = l->fn(p.begin, p.begin + n, l->arg);
        if (hk_unlikely(err < 0))
            return fails(l, err);
        p.begin += n;
        if (adapts && p.begin < p.end) {
            int64_t now = hocket__ticks();
            chunk = adapted(l, chunk, now - then);
            then = now;
        }
    }
    return 0;
}

int hocket_parallel_for(size_t begin, size_t end, size_t grain, hocket_range_fn *fn, void *arg)
{
    struct loop l = { .fn = fn, .arg = arg, .grain = grain, .chunk = 1 };
    l.coarse = end > begin ? (end - begin) / PARTS : 0;
    struct part all = { &l, begin, end };
    int err = hocket_check();
    return err ? err : part_run(&all);
}

/* ---- reduce ---- */

struct node {
    struct loop *loop;
    size_t begin, end;
    size_t chunks;
    void *value;
};

static int leaf_run(const struct node *n)
{
    const hocket_reduction *r = n->loop->reduction;
    int go = may_go_on(n->loop);
    if (hk_unlikely(go != 1))
        return go;
    memcpy(n->value, r->identity, r->size);
    int err = r->body(n->begin, n->end, n->value, r->arg);
    return hk_unlikely(err < 0) ? fails(n->loop, err) : 0;
}

static int node_run(void *arg)
{
    const struct node *n = arg;
    struct loop *l = n->loop;
    if (n->chunks == 1)
        return leaf_run(n);
    const hocket_reduction *r = l->reduction;
    struct node left = *n, right = *n;
    hocket_branch branch;
    left.chunks = n->chunks / 2;
    right.chunks = n->chunks - left.chunks;
    left.end = right.begin = n->begin + left.chunks * l->grain;
    right.value = __builtin_alloca(r->size); /* at most HOCKET_REDUCTION_MAX */
    hocket_fork(&branch, node_run, &right);
    int err = node_run(&left), other = hocket_sync(&branch);
    if (hk_likely(!hk_load(&l->failed)))
        r->combine(n->value, right.value, r->arg);
    return err ? err : other;
}

int hocket_parallel_reduce(const hocket_reduction *r, size_t begin, size_t end, size_t grain,
                           void *ret_value)
{
    if (r->size == 0 || r->size > HOCKET_REDUCTION_MAX)
        return -EINVAL;
    struct loop l = { .grain = grain, .reduction = r };
    struct node all = { &l, begin, end, 1, __builtin_alloca(r->size) };
    int err = hocket_check();
    if (err)
        return err;
    if (end <= begin) {
        memcpy(ret_value, r->identity, r->size);
        return 0;
    }
    if (grain == 0)
        l.grain = (end - begin - 1) / CHUNKS + 1;
    all.chunks = (end - begin - 1) / l.grain + 1;
    err = node_run(&all);
    if (err == 0)
        memcpy(ret_value, all.value, r->size);
    return err;
}
