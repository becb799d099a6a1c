/* SPDX-License-Identifier: MIT */
/*
 * queue - put and get; see queue/queue.h for the invariants
 *
 * A put into a ring that has room, and a get from one that has values, are the few instructions of
 * queue/ring.h.  Everything else holds the queue: a put that finds a waiting getter copies the
 * value straight to where the getter wants it; nothing is in the queue then, so the order is kept.
 * A get from a full queue makes room and moves the value of the oldest waiting putter into it.
 * Both happen only after the waiter's wait was claimed, so that no value is copied twice, or
 * to a task that has given up.  Wakes are completed after the guard is free.
 *
 * Whoever is cancelled or times out unlinks itself; it has put or got nothing, because
 * nobody claimed it.
 *
 * An OS thread that finds the ring full or empty looks again a few times before it waits (park/spin.h): as
 * long as both sides run, the queue stays fast.  It wakes one waiter for each value, so a
 * thread that is woken finds most of a ring to do by the time it runs.
 *
 * Memory order: the guard orders the store, see queue/ring.h for the ring.  A value that is
 * handed over is ordered by claim and complete (park/wait.h).
 */
#include "queue/queue.h"

#include "base/alloc.h"

/* Put and get that find the other side waiting, or wait themselves, do so without further calls. */
#define HELD_INLINE static inline __attribute__((always_inline))

/* ---- holding ---- */

HK_NOINLINE static void hold_guarded(hocket_queue *q)
{
    hocket__guard_lock(&q->guard);
    hocket__ring_slow(&q->ring);
    q->right = NULL;
}

HELD_INLINE void hold(hocket_queue *q)
{
    struct hocket__solo_grant *right = hocket__solo_enter(&q->ring.solo);
    if (hk_likely(right != NULL))
        q->right = right;
    else
        hold_guarded(q);
}

void hocket__queue_hold(hocket_queue *q)
{
    hold(q);
}

HELD_INLINE size_t count_held(const hocket_queue *q)
{
    return q->ringed ? hocket__ring_count(&q->ring) : hk_load(&q->store.count);
}

size_t hocket__queue_count_held(const hocket_queue *q)
{
    return count_held(q);
}

HK_NOINLINE static void let_go_guarded(hocket_queue *q, bool slow)
{
    uint64_t bits = slow ? HOCKET__RING_SLOW : 0;
    if ((!slow || q->capacity == 0) && hocket__solo_earned(&q->ring.solo, &q->streak))
        bits |= HOCKET__RING_SOLO;
    hocket__ring_mark(&q->ring, bits);
    (void)hocket__guard_unlock(&q->guard);
}

HELD_INLINE void let_go(hocket_queue *q)
{
    if (hk_unlikely(q->flag.read_end >= 0))
        hocket__flag_set(&q->flag, count_held(q) > 0);
    bool slow = q->pinned || q->getters != NULL || q->putters != NULL;
    struct hocket__solo_grant *right = q->right;
    if (hk_likely(right != NULL)) {
        hocket__ring_mark(&q->ring, HOCKET__RING_SOLO | (slow ? HOCKET__RING_SLOW : 0));
        hocket__solo_leave(right);
    } else {
        let_go_guarded(q, slow);
    }
}

void hocket__queue_let_go(hocket_queue *q, struct hocket__wakes *wakes)
{
    let_go(q);
    hocket__wakes_run(wakes);
}

HELD_INLINE struct hocket__queue_node *claim_node(struct hocket__link **list, _Atomic size_t *count,
                                                  const hocket_task *self)
{
    struct hocket__link *link = *list;
    while (link != NULL) {
        struct hocket__waiter *w = hk_container_of(link, struct hocket__waiter, link);
        struct hocket__link *next = link->next == *list ? NULL : link->next;
        if (w->task != self) {
            hocket__queue_remove(list, link);
            hk_store(count, hk_load(count) - 1);
            if (hocket__claim(w->task))
                return hk_container_of(w, struct hocket__queue_node, waiter);
        }
        link = next;
    }
    return NULL;
}

struct hocket__queue_node *hocket__queue_claim_node(struct hocket__link **list,
                                                    _Atomic size_t *count, const hocket_task *self)
{
    return claim_node(list, count, self);
}

/* The value of a node has changed hands. */
HELD_INLINE void serve(struct hocket__queue_node *node, struct hocket__wakes *wakes)
{
    node->waiter.done = HOCKET__QUEUE_SERVED;
    hocket__wakes_add(wakes, node->waiter.task);
}

static void push(hocket_queue *q, const void *value, int64_t priority)
{
    if (q->ringed) {
        hocket__ring_push(&q->ring, value);
    } else {
        hocket__store_push(&q->store, value, priority);
        hk_store(&q->others, hk_load(&q->others) + 1);
    }
}

HELD_INLINE int put_held(hocket_queue *q, hocket_task *self, const void *value, int64_t priority,
                         struct hocket__wakes *wakes)
{
    if (hk_unlikely(hk_load(&q->closed)))
        return -EPIPE;
    if (q->getters != NULL) {
        struct hocket__queue_node *getter = claim_node(&q->getters, &q->getters_count, self);
        if (getter != NULL) {
            hocket__value_copy(q->value_size, getter->waiter.data, value);
            hk_store(&q->others, hk_load(&q->others) + 1);
            serve(getter, wakes);
            return 0;
        }
    }
    if (q->capacity != HOCKET_UNBOUNDED && count_held(q) >= q->capacity)
        return -EAGAIN;
    if (hk_unlikely(!q->ringed && hocket__store_wants(&q->store) != 0))
        return -ENOMEM;
    push(q, value, priority);
    return 0;
}

int hocket__queue_put_held(hocket_queue *q, hocket_task *self, const void *value, int64_t priority,
                           struct hocket__wakes *wakes)
{
    return put_held(q, self, value, priority, wakes);
}

/* Something is in the queue. */
HK_NOINLINE static void get_first(hocket_queue *q, hocket_task *self, void *ret_value,
                                  struct hocket__wakes *wakes, void **ret_old)
{
    struct hocket__queue_node *putter;
    if (q->ringed)
        hocket__value_copy(q->value_size, ret_value, hocket__ring_take(&q->ring));
    else
        *ret_old = hocket__store_pop(&q->store, ret_value);
    if (q->putters != NULL &&
        (putter = hocket__queue_claim_node(&q->putters, &q->putters_count, self)) != NULL) {
        push(q, putter->waiter.data, putter->priority);
        serve(putter, wakes);
    }
}

HELD_INLINE int get_held(hocket_queue *q, hocket_task *self, void *ret_value,
                         struct hocket__wakes *wakes, void **ret_old)
{
    struct hocket__queue_node *putter = NULL;
    *ret_old = NULL;
    if (count_held(q) > 0) {
        get_first(q, self, ret_value, wakes, ret_old);
        return 0;
    }
    if (q->capacity == 0 && q->putters != NULL)
        putter = claim_node(&q->putters, &q->putters_count, self);
    if (putter == NULL)
        return hk_load(&q->closed) ? -EPIPE : -EAGAIN;
    hocket__value_copy(q->value_size, ret_value, putter->waiter.data);
    hk_store(&q->others, hk_load(&q->others) + 1);
    serve(putter, wakes);
    return 0;
}

int hocket__queue_get_held(hocket_queue *q, hocket_task *self, void *ret_value,
                           struct hocket__wakes *wakes, void **ret_old)
{
    return get_held(q, self, ret_value, wakes, ret_old);
}

HK_COLD int hocket__queue_grow(hocket_queue *q)
{
    struct hocket__wakes none = { NULL, NULL };
    size_t bytes = hocket__store_wants(&q->store);
    hocket__queue_let_go(q, &none);
    void *memory = bytes != SIZE_MAX ? hocket__alloc(bytes) : NULL;
    hocket__queue_hold(q);
    if (memory == NULL)
        return hocket__store_wants(&q->store) == 0 ? 0 : -ENOMEM;
    void *old = hocket__store_feed(&q->store, memory, bytes);
    if (old != NULL) {
        hocket__queue_let_go(q, &none);
        hocket__free(old);
        hocket__queue_hold(q);
    }
    return 0;
}

/* ---- waiting ---- */

HELD_INLINE void link_node(hocket_queue *q, struct hocket__queue_node *node, bool put)
{
    _Atomic size_t *count = put ? &q->putters_count : &q->getters_count;
    hocket__queue_push(put ? &q->putters : &q->getters, &node->waiter.link);
    hk_store(count, hk_load(count) + 1);
}

void hocket__queue_link(hocket_queue *q, struct hocket__queue_node *node, bool put)
{
    link_node(q, node, put);
}

void hocket__queue_unlink(hocket_queue *q, struct hocket__queue_node *node, bool put)
{
    struct hocket__wakes none = { NULL, NULL };
    struct hocket__link **list = put ? &q->putters : &q->getters;
    _Atomic size_t *count = put ? &q->putters_count : &q->getters_count;
    hocket__queue_hold(q);
    if (hocket__queue_has(list, &node->waiter)) {
        hocket__queue_remove(list, &node->waiter.link);
        hk_store(count, hk_load(count) - 1);
    }
    hocket__queue_let_go(q, &none);
}

/* Line up and wait; entered holding the queue and left without.  0: served. */
HELD_INLINE int wait_in(hocket_queue *q, hocket_task *self, bool put, void *value, int64_t priority,
                        hocket_time deadline, struct hocket__wakes *wakes)
{
    struct hocket__queue_node node;
    hocket__sync_begin(&node.waiter, self, &hocket__queue_class, q, true);
    node.waiter.data = value;
    node.priority = priority;
    link_node(q, &node, put);
    bool by_right = hocket__queue_by_right(q);
    let_go(q);
    hocket__wakes_run(wakes);
    if (by_right)
        hk_fence_sc();
    if (hk_unlikely(hk_load(&q->producers) != 0) && !put)
        hocket__producers_look(q);
    int err = hocket__wait_park(self, deadline);
    if (err != 0)
        hocket__queue_unlink(q, &node, put);
    hocket__wait_end(self);
    return err != 0 ? err : node.waiter.done == HOCKET__QUEUE_CLOSED ? -EPIPE : 0;
}

/* ---- put and get ---- */

/* Has it passed?  The clock is read only by who would have to wait. */
static bool passed(hocket_time deadline)
{
    return deadline <= HOCKET_NOW || (deadline != HOCKET_FOREVER && deadline <= hocket_now());
}

/* The ring had no room, or no value: look again for a moment.  0, -ETIMEDOUT, or 1: time to wait. */
HK_NOINLINE static int look_again(hocket_queue *q, hocket_task *self, const void *value,
                                  void *ret_value, hocket_time deadline)
{
    if (passed(deadline))
        return -ETIMEDOUT;
    struct hocket__spin spin = hocket__spin_start(self);
    int result = HOCKET__RING_NOT;
    while (result == HOCKET__RING_NOT && hocket__spin_turn(&spin))
        result = value != NULL ? hocket__ring_put(&q->ring, q->value_size, value)
                               : hocket__ring_get(&q->ring, q->value_size, ret_value);
    return result == HOCKET__RING_DONE ? 0 : 1;
}

/* The ring did not do it: `result` says why.  All who wait do it from here: dumps fold equal calls. */
HK_NOINLINE static int put_slow(hocket_queue *q, hocket_task *self, const void *value,
                                int64_t priority, hocket_time deadline, int result)
{
    struct hocket__wakes wakes = { NULL, NULL };
    int err;
    if (result == HOCKET__RING_NOT && (err = look_again(q, self, value, NULL, deadline)) <= 0)
        return err;
    hold(q);
    err = put_held(q, self, value, priority, &wakes);
    while (hk_unlikely(err == -ENOMEM) && hocket__queue_grow(q) == 0)
        err = hocket__queue_put_held(q, self, value, priority, &wakes);
    if (err == -EAGAIN && deadline > HOCKET_NOW)
        return wait_in(q, self, true, (void *)(uintptr_t)value, priority, deadline, &wakes);
    let_go(q);
    hocket__wakes_run(&wakes);
    return err == -EAGAIN ? -ETIMEDOUT : err;
}

HK_NOINLINE static int get_slow(hocket_queue *q, hocket_task *self, void *ret_value,
                                hocket_time deadline, int result)
{
    struct hocket__wakes wakes = { NULL, NULL };
    void *old;
    int err;
    if (result == HOCKET__RING_NOT && (err = look_again(q, self, NULL, ret_value, deadline)) <= 0)
        return err;
    hold(q);
    err = get_held(q, self, ret_value, &wakes, &old);
    if (err == -EAGAIN && deadline > HOCKET_NOW)
        return wait_in(q, self, false, ret_value, deadline == HOCKET_FOREVER, deadline, &wakes);
    let_go(q);
    hocket__wakes_run(&wakes);
    if (old != NULL)
        hocket__free(old);
    return err == -EAGAIN ? -ETIMEDOUT : err;
}

HK_NOINLINE static int put_any(hocket_queue *q, const void *value, hocket_time deadline)
{
    hocket__touch("put", q);
    hocket_task *self;
    int result = hocket__queue_enter(&self);
    if (hk_unlikely(result != 0))
        return result;
    result = hocket__ring_put(&q->ring, q->value_size, value);
    return hk_likely(result == HOCKET__RING_DONE) ? 0
                                                  : put_slow(q, self, value, 0, deadline, result);
}

HK_NOINLINE static int get_any(hocket_queue *q, void *ret_value, hocket_time deadline)
{
    hocket__touch("get", q);
    hocket_task *self;
    int result = hocket__queue_enter(&self);
    if (hk_unlikely(result != 0))
        return result;
    result = hocket__ring_get(&q->ring, q->value_size, ret_value);
    return hk_likely(result == HOCKET__RING_DONE) ? 0
                                                  : get_slow(q, self, ret_value, deadline, result);
}

/*
 * The usual call: a number or pointer, and nothing to tell anybody.  What it calls comes last, so it
 * saves no registers.
 */
#define USUAL_SIZE sizeof(uint64_t)

static inline bool is_usual(const hocket_queue *q)
{
    const hocket_task *self = hocket__self_or_null();
    return hk_likely(self != NULL && q->value_size == USUAL_SIZE &&
                     !hocket__cancel_suspected(self) &&
                     !hocket__watched(HOCKET__EVENT_BIT(HOCKET__EVENT_TOUCH)));
}

int hocket_queue_put(hocket_queue *q, const void *value, hocket_time deadline)
{
    if (!is_usual(q))
        return put_any(q, value, deadline);
    int result = hocket__ring_put(&q->ring, USUAL_SIZE, value);
    return hk_likely(result == HOCKET__RING_DONE)
               ? 0
               : put_slow(q, hocket__self_or_null(), value, 0, deadline, result);
}

int hocket_queue_get(hocket_queue *q, void *ret_value, hocket_time deadline)
{
    if (!is_usual(q))
        return get_any(q, ret_value, deadline);
    int result = hocket__ring_get(&q->ring, USUAL_SIZE, ret_value);
    return hk_likely(result == HOCKET__RING_DONE)
               ? 0
               : get_slow(q, hocket__self_or_null(), ret_value, deadline, result);
}

int hocket_queue_put_with(hocket_queue *q, const void *value, int64_t priority,
                          hocket_time deadline)
{
    hocket__touch("put", q);
    hocket_task *self;
    int err = hocket__queue_enter(&self);
    if (err != 0)
        return err;
    return q->by_number ? put_slow(q, self, value, priority, deadline, HOCKET__RING_SEE) : -EINVAL;
}

/* ---- many at once ---- */

/* What there is room for, or somebody waits for, now.  Adds to *put. */
static int put_some(hocket_queue *q, hocket_task *self, const unsigned char *values, size_t count,
                    size_t *put, hocket_time deadline)
{
    struct hocket__wakes wakes = { NULL, NULL };
    int err = 0;
    hocket__queue_hold(q);
    while (*put < count && err == 0) {
        const unsigned char *value = values + *put * q->value_size;
        err = hocket__queue_put_held(q, self, value, 0, &wakes);
        if (err == -ENOMEM)
            err = hocket__queue_grow(q);
        else if (err == 0)
            ++*put;
    }
    if (err != -EAGAIN || deadline <= HOCKET_NOW) {
        hocket__queue_let_go(q, &wakes);
        return err == -EAGAIN ? -ETIMEDOUT : err;
    }
    err = wait_in(q, self, true, (void *)(uintptr_t)(values + *put * q->value_size), 0, deadline,
                  &wakes);
    *put += err == 0;
    return err;
}

/* As look_again, for many: how many could be put, or got, after all. */
HK_NOINLINE static size_t look_again_many(hocket_queue *q, hocket_task *self,
                                          const unsigned char *values, unsigned char *ret_values,
                                          size_t count)
{
    struct hocket__spin spin = hocket__spin_start(self);
    size_t n = 0;
    while (n == 0 && (hk_load(&q->ring.tail) & HOCKET__RING_BITS) == 0 && hocket__spin_turn(&spin))
        n = values != NULL ? hocket__ring_put_some(&q->ring, values, count)
                           : hocket__ring_get_some(&q->ring, ret_values, count);
    return n;
}

ptrdiff_t hocket_queue_put_many(hocket_queue *q, const void *values, size_t count,
                                hocket_time deadline)
{
    hocket__touch("put", q);
    hocket_task *self;
    size_t put = 0;
    int err = hocket__queue_enter(&self);
    while (err == 0 && put < count) {
        const unsigned char *left = (const unsigned char *)values + put * q->value_size;
        size_t n = hocket__ring_put_some(&q->ring, left, count - put);
        if (n == 0 && !passed(deadline))
            n = look_again_many(q, self, left, NULL, count - put);
        put += n;
        if (n == 0)
            err = put_some(q, self, values, count, &put, deadline);
    }
    return put > 0 ? (ptrdiff_t)put : err;
}

/* One or more, as there are; waits for the first. */
static ptrdiff_t get_some(hocket_queue *q, hocket_task *self, unsigned char *ret_values,
                          size_t most, hocket_time deadline)
{
    struct hocket__wakes wakes = { NULL, NULL };
    struct hocket__chunk *garbage = NULL;
    size_t got = 0;
    int err = 0;
    hocket__queue_hold(q);
    while (got < most) {
        void *old;
        err = hocket__queue_get_held(q, self, ret_values + got * q->value_size, &wakes, &old);
        if (err != 0)
            break;
        got++;
        if (old != NULL) { /* what a pop gives back is a chunk */
            ((struct hocket__chunk *)old)->older = garbage;
            garbage = old;
        }
    }
    if (got == 0 && err == -EAGAIN && deadline > HOCKET_NOW) {
        err = wait_in(q, self, false, ret_values, deadline == HOCKET_FOREVER, deadline, &wakes);
        return err == 0 ? 1 : err;
    }
    hocket__queue_let_go(q, &wakes);
    while (garbage != NULL) {
        struct hocket__chunk *older = garbage->older;
        hocket__free(garbage);
        garbage = older;
    }
    return got > 0 ? (ptrdiff_t)got : err == -EAGAIN ? -ETIMEDOUT : err;
}

ptrdiff_t hocket_queue_get_many(hocket_queue *q, void *ret_values, size_t most,
                                hocket_time deadline)
{
    hocket__touch("get", q);
    hocket_task *self;
    int err = hocket__queue_enter(&self);
    if (err != 0 || most == 0)
        return err;
    size_t got = hocket__ring_get_some(&q->ring, ret_values, most);
    if (got == 0 && !passed(deadline))
        got = look_again_many(q, self, NULL, ret_values, most);
    return got > 0 ? (ptrdiff_t)got : get_some(q, self, ret_values, most, deadline);
}
