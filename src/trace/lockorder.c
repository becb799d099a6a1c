/* SPDX-License-Identifier: MIT */
/*
 * lockorder - see trace/lockorder.h
 *
 * What a task holds is kept by its slot: only the task itself uses that, wherever it runs.  Nodes are
 * found in a table by address, edges in a list of their first node; both only grow, and are read without a
 * lock.  Under the guard they are added, and the search for a cycle runs.  A known edge, the
 * usual case, costs a look at the table and at a short list.
 *
 * A known edge that had the same gates or fewer is at least as dangerous as the one at hand: then nothing is
 * new.  Else it is kept as one more edge between the same nodes, up to VARIANTS of them; so gates are never
 * merged, and what is reported has happened as it is told.
 *
 * A lock without a class stands for itself alone: two locks of one kind that are taken in both
 * orders are an inversion, and those that are always taken in the order of their numbers are none.
 * hocket_*_init and _destroy forget what was learned of the memory.
 *
 * An unowned mutex may be unlocked by another task, so nobody knows who holds it: it is left out.
 *
 * Memory order: a table's entry is stored with release after what it points to, and read with acquire.
 */
#include "trace/lockorder.h"

#include <string.h>

#include <hocket/lock_all.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/hash.h"
#include "park/report.h"
#include "park/watch.h"
#include "sync/order.h"
#include "sys/sys.h"
#include "trace/by_slot.h"

#define NODES     8192u /* a power of two; at most 3/4 of them are used */
#define EDGES     16384u
#define VARIANTS  4
#define STEPS_MAX 20000u
#define TOMBSTONE ((const void *)1)

struct node {
    _Atomic(const void *) key; /* a lock, a class + 1, or TOMBSTONE; NULL: free */
    _Atomic(struct hocket__order_edge *) edges;
    _Atomic bool excluded; /* it was wanted exclusively at some time */
};

struct held {
    uint64_t task; /* whose; an older one's is void */
    uint32_t generation;
    uint32_t count; /* may be more than fit: then nothing is learned */
    struct {
        const void *lock;
        struct hocket__order_hold hold;
    } holds[HOCKET__ORDER_HELD];
};

static _Atomic(void *) node_table;   /* mapped when the check is first switched on */
static struct hocket__by_slot holds; /* struct held */
static _Atomic uint32_t generation;  /* +1 a start: holds from before are void */
static _Atomic bool full;            /* said so already */

/* Under the guard. */
static hocket__guard guard;
static unsigned node_count, edge_count;
static struct hocket__order_edge *path[HOCKET__ORDER_CYCLE];

/* ---- nodes ---- */

static inline struct node *node_at(uint32_t i)
{
    return (struct node *)hk_load_acq(&node_table) + i;
}

static bool find(const void *key, uint16_t *ret_node)
{
    for (uint32_t i = hocket__hash_of((uintptr_t)key) % NODES, n = 0; n < NODES;
         i = (i + 1) % NODES, n++) {
        const void *k = hk_load_acq(&node_at(i)->key);
        *ret_node = (uint16_t)i;
        if (k == key || k == NULL)
            return k == key;
    }
    return false;
}

/* Said once: what is new is not learned any more. */
static void say_full(void)
{
    if (!hk_xchg(&full, true))
        hocket__report("lock order: there are too many locks; no new ones are looked at");
}

static bool node_of(const void *key, uint16_t *ret_node)
{
    if (find(key, ret_node))
        return true;
    hocket__guard_lock(&guard);
    bool known = find(key, ret_node);
    bool room = node_count < NODES / 4 * 3;
    if (!known && room) {
        node_count++;
        hk_store_rel(&node_at(*ret_node)->key, key);
    }
    hocket__guard_unlock(&guard);
    if (!known && !room)
        say_full();
    return known || room;
}

/* False if nothing is known of who holds such a lock. */
static bool key_of(const void *lock, const void **ret_key)
{
    const hocket_mutex *m = lock; /* a rwlock begins likewise, and never has these bits */
    if (hk_load(hk_word32((uintptr_t)&m->hocket__word)) & HOCKET__LOCK_UNOWNED)
        return false;
    *ret_key = m->hocket__class != NULL ? (const char *)m->hocket__class + 1 : lock;
    return true;
}

const hocket_lock_class *hocket__order_class(uint16_t node)
{
    uintptr_t key = (uintptr_t)hk_load_acq(&node_at(node)->key);
    return key > 1 && key & 1 ? (const hocket_lock_class *)(key - 1) : NULL;
}

/* ---- what a task holds ---- */

static struct held *held_of(const hocket_task *task)
{
    struct held *h = hocket__by_slot(&holds, task, sizeof *h);
    if (h == NULL)
        return NULL;
    uint32_t now = hk_load(&generation);
    if (h->task != hk_load(&task->id) || h->generation != now) {
        h->task = hk_load(&task->id);
        h->generation = now;
        h->count = 0;
    }
    return h;
}

static void taken(struct held *h, const void *lock, int64_t how)
{
    const void *key;
    uint16_t node;
    bool shared = (how & HOCKET__LOCK_SHARED) != 0;
    if (!key_of(lock, &key) || !node_of(key, &node))
        return;
    if (how == HOCKET__LOCK_EXCLUSIVE && !hk_load(&node_at(node)->excluded))
        hk_store(&node_at(node)->excluded, true);
    if (h->count < HOCKET__ORDER_HELD) {
        h->holds[h->count].lock = lock;
        h->holds[h->count].hold = (struct hocket__order_hold){ node, shared };
    }
    h->count++;
}

static void given(struct held *h, const void *lock)
{
    uint32_t n = h->count < HOCKET__ORDER_HELD ? h->count : HOCKET__ORDER_HELD;
    for (uint32_t i = n; i-- > 0;) {
        if (h->holds[i].lock != lock)
            continue;
        memmove(&h->holds[i], &h->holds[i + 1], (n - i - 1) * sizeof h->holds[0]);
        h->count--;
        return;
    }
    if (h->count > HOCKET__ORDER_HELD)
        h->count--;
}

/* ---- edges ---- */

static bool shares(const struct hocket__order_edge *e, struct hocket__order_hold gate)
{
    for (unsigned i = 0; i < e->gate_count; i++)
        if (e->gates[i].node == gate.node && !(e->gates[i].shared && gate.shared))
            return true;
    return false;
}

/* Do they exclude each other? */
static bool gated(const struct hocket__order_edge *a, const struct hocket__order_edge *b)
{
    for (unsigned i = 0; i < b->gate_count; i++)
        if (shares(a, b->gates[i]))
            return true;
    return false;
}

/* Can who does `e` wait at its end for who does `next`, which begins there? */
static bool collides(const struct hocket__order_edge *e, const struct hocket__order_edge *next)
{
    /* Two readers get on with each other until a writer comes between. */
    return !(e->to_shared && next->from_shared) || hk_load(&node_at(e->to)->excluded);
}

static bool fits(unsigned length, const struct hocket__order_edge *e)
{
    for (unsigned i = 0; i < length; i++)
        if (gated(path[i], e) || path[i]->from == e->from)
            return false;
    return collides(path[length - 1], e);
}

/* A cycle that begins with path[0]: its length, or 0.  Under the guard. */
static unsigned search(unsigned length, unsigned *steps)
{
    const struct hocket__order_edge *last = path[length - 1];
    if (last->to == path[0]->from)
        return collides(last, path[0]) ? length : 0;
    if (length == HOCKET__ORDER_CYCLE)
        return 0;
    struct hocket__order_edge *e = hk_load_acq(&node_at(last->to)->edges);
    for (; e != NULL && (*steps)++ < STEPS_MAX; e = e->next) {
        if (!fits(length, e))
            continue;
        path[length] = e;
        unsigned found = search(length + 1, steps);
        if (found > 0)
            return found;
    }
    return 0;
}

/* Is there an edge that says as much?  *ret_variants: how many there are between the two. */
static bool known(const struct held *h, unsigned at, uint16_t to, bool shared,
                  unsigned *ret_variants)
{
    struct hocket__order_hold from = h->holds[at].hold;
    *ret_variants = 0;
    for (const struct hocket__order_edge *e = hk_load_acq(&node_at(from.node)->edges); e;
         e = e->next) {
        if (e->to != to)
            continue;
        ++*ret_variants;
        bool covers = (!e->from_shared || from.shared) && (!e->to_shared || shared);
        for (unsigned i = 0; i < e->gate_count && covers; i++) {
            bool has = false;
            for (unsigned k = 0; k < h->count; k++)
                has = has || (k != at && h->holds[k].hold.node == e->gates[i].node &&
                              (!h->holds[k].hold.shared || e->gates[i].shared));
            covers = has;
        }
        if (covers)
            return true;
    }
    return false;
}

static void remember_stack(struct hocket__order_edge *e)
{
    struct hocket__frames frames;
    hocket__backtrace_here(0, false, &frames);
    for (unsigned i = 0; i < frames.count && e->depth < HOCKET__ORDER_STACK; i++)
        e->stack[e->depth++] = frames.pc[i];
}

static struct hocket__order_edge *edge_new(const hocket_task *task, const struct held *h,
                                           unsigned at, const void *lock, uint16_t to, bool shared)
{
    struct hocket__order_edge *e = hocket__calloc(1, sizeof *e);
    if (e == NULL)
        return NULL;
    e->from = h->holds[at].hold.node;
    e->from_shared = h->holds[at].hold.shared;
    e->from_lock = h->holds[at].lock;
    e->to = to;
    e->to_shared = shared;
    e->to_lock = lock;
    for (unsigned i = 0; i < h->count; i++)
        if (i != at && h->holds[i].hold.node != e->from && h->holds[i].hold.node != to)
            e->gates[e->gate_count++] = h->holds[i].hold;
    e->task = hk_load(&task->id);
    (void)hocket__task_name(task, e->name, sizeof e->name);
    remember_stack(e);
    return e;
}

/* Was this pair, in whatever variant, told already?  Under the guard. */
static bool told(const struct hocket__order_edge *e)
{
    const struct hocket__order_edge *o = hk_load_acq(&node_at(e->from)->edges);
    for (; o != NULL; o = o->next)
        if (o->to == e->to && o->reported)
            return true;
    return false;
}

static void add(struct hocket__order_edge *e)
{
    unsigned length = 0, steps = 0;
    struct hocket__order_edge *cycle[HOCKET__ORDER_CYCLE];
    hocket__guard_lock(&guard);
    bool room = edge_count < EDGES;
    if (room) {
        edge_count++;
        path[0] = e;
        length = told(e) ? 0 : search(1, &steps);
        for (unsigned i = 0; i < length; i++) {
            cycle[(i + length - 1) % length] = path[i]; /* the new one last */
            path[i]->reported = true;
        }
        e->next = hk_load(&node_at(e->from)->edges);
        hk_store_rel(&node_at(e->from)->edges, e);
    }
    hocket__guard_unlock(&guard);
    if (!room) {
        hocket__free(e);
        say_full();
    }
    if (length > 0)
        hocket__order_report(cycle, length);
}

static void wanted(const hocket_task *task, const struct held *h, const void *lock, bool shared)
{
    const void *key;
    uint16_t to;
    if (!key_of(lock, &key) || !node_of(key, &to))
        return;
    if (!shared && !hk_load(&node_at(to)->excluded))
        hk_store(&node_at(to)->excluded, true);
    for (unsigned i = 0; i < h->count && h->count <= HOCKET__ORDER_HELD; i++) {
        unsigned variants;
        if (h->holds[i].hold.node == to || known(h, i, to, shared, &variants) ||
            variants >= VARIANTS)
            continue;
        struct hocket__order_edge *e = edge_new(task, h, i, lock, to, shared);
        if (e != NULL)
            add(e);
    }
}

/* The memory is no lock any more, or another one. */
static void forget(const void *lock)
{
    uint16_t node;
    if (find(lock, &node))
        hk_store_rel(&node_at(node)->key, TOMBSTONE);
}

static void look_on(enum hocket__event event, hocket_task *task, const void *lock, int64_t value)
{
    if (event == HOCKET__EVENT_FORGET) {
        forget(lock);
        return;
    }
    struct held *h = task != NULL ? held_of(task) : NULL;
    if (h == NULL)
        return;
    if (event == HOCKET__EVENT_TAKEN)
        taken(h, lock, value);
    else if (event == HOCKET__EVENT_GIVE)
        given(h, lock);
    else if (h->count > 0 && !(value & HOCKET__LOCK_TRY))
        wanted(task, h, lock, (value & HOCKET__LOCK_SHARED) != 0);
}

/* ---- on and off ---- */

void hocket_lock_order_check(bool on)
{
    if (on && hocket__mapped_once(&node_table, NODES * sizeof(struct node)) == NULL) {
        hocket__report("lock order: there is no memory to check it");
        return;
    }
    hocket__guard_lock(&guard);
    if (on && !hk_load(&hocket__order_checked))
        (void)hk_add(&generation, 1);
    hk_store(&hocket__order_checked, on);
    hocket__guard_unlock(&guard);
    hocket__onlook(HOCKET__WATCH_ORDER,
                   on ? HOCKET__EVENTS_LOCK | HOCKET__EVENT_BIT(HOCKET__EVENT_FORGET) : 0, look_on);
    /* The caller's own fast path; other tasks switch over at their next start or wait. */
    hocket_task *self = hocket__self_or_null();
    if (self != NULL)
        hocket__self_set(self, hocket__self_held());
}

/* A debug build of the library checks unless it is told not to. */
#ifndef HOCKET_LOCKORDER_DEFAULT
#define HOCKET_LOCKORDER_DEFAULT 0
#endif

void hocket__lockorder_by_env(void)
{
    const char *value = hocket__env("HOCKET_LOCKORDER");
    if (value != NULL ? strcmp(value, "0") != 0 : HOCKET_LOCKORDER_DEFAULT)
        hocket_lock_order_check(true);
}

/* Programs of plain threads start no runtime. */
__attribute__((constructor)) static void lockorder_constructor(void)
{
    hocket__lockorder_by_env();
}
