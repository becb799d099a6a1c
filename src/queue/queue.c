/* SPDX-License-Identifier: MIT */
/*
 * queue - the bounded first-in first-out queue; see queue/queue.h for its invariants
 *
 * A put that finds a waiting getter copies the value straight to where the getter wants
 * it; the ring is empty then, so order is kept.  A get from a full ring makes room and moves
 * the value of the oldest waiting putter into it.  Both happen under the guard and only
 * after the waiter's wait was claimed, so that no value is copied twice, or to a task
 * that has given up.  Wakes are completed after the guard is free.
 *
 * Whoever is cancelled or times out unlinks itself; it has put or got nothing, because
 * nobody claimed it.
 *
 * Memory order: the guard orders the ring.  A value that is handed over is ordered by
 * claim and complete (park/wait.h).
 */
#include "queue/queue.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"

static const struct hocket__wait_class queue_class = { "queue", NULL };

/* ---- the ring, under the guard ---- */

/* memcpy of a size known to the compiler is a few instructions, of another one a call. */
static inline void copy(const hocket_queue *q, void *to, const void *from)
{
    switch (q->value_size) {
    case 4: memcpy(to, from, 4); break;
    case 8: memcpy(to, from, 8); break;
    case 16: memcpy(to, from, 16); break;
    default: memcpy(to, from, q->value_size);
    }
}

static inline void *ring_at(hocket_queue *q, size_t offset)
{
    size_t i = q->head + offset;
    if (i >= q->capacity)
        i -= q->capacity;
    return q->ring + i * q->value_size;
}

static inline void ring_push(hocket_queue *q, const void *value)
{
    size_t count = hk_load(&q->count);
    copy(q, ring_at(q, count), value);
    hk_store(&q->count, count + 1);
}

static inline void ring_pop(hocket_queue *q, void *ret_value)
{
    copy(q, ret_value, ring_at(q, 0));
    q->head = q->head + 1 == q->capacity ? 0 : q->head + 1;
    hk_store(&q->count, hk_load(&q->count) - 1);
}

/* ---- waiting ---- */

/*
 * Wait in a list, entered with the guard held and left without it.  0: served.
 * `value` is where a waker finds or leaves the value.
 */
HK_NOINLINE static int wait_in(hocket_queue *q, struct hocket__link **list, _Atomic size_t *count,
                               hocket_task *self, void *value, hocket_time deadline)
{
    struct hocket__waiter node;
    hocket__sync_begin(&node, self, &queue_class, q, true);
    node.data = value;
    hocket__queue_push(list, &node.link);
    hk_store(count, hk_load(count) + 1);
    (void)hocket__guard_unlock(&q->guard);
    int err = hocket__wait_park(self, deadline);
    if (err != 0) {
        hocket__guard_lock(&q->guard);
        if (hocket__queue_has(list, &node)) {
            hocket__queue_remove(list, &node.link);
            hk_store(count, hk_load(count) - 1);
        }
        (void)hocket__guard_unlock(&q->guard);
    }
    hocket__wait_end(self);
    return err != 0 ? err : node.done == HOCKET__QUEUE_CLOSED ? -EPIPE : 0;
}

/* The oldest waiter of a list that can still be woken, claimed; or NULL.  Under the guard. */
static struct hocket__waiter *claim(struct hocket__link **list, _Atomic size_t *count)
{
    struct hocket__waiter *node = NULL;
    while (*list != NULL && node == NULL) {
        struct hocket__waiter *first = hocket__queue_first(list);
        hocket__queue_remove(list, &first->link);
        hk_store(count, hk_load(count) - 1);
        if (hocket__claim(first->task))
            node = first;
    }
    return node;
}

/* Every call is a cancel point, and may have to wait. */
static inline int enter(hocket_task **ret_self)
{
    *ret_self = hocket__self_attach();
    return hk_likely(*ret_self != NULL) ? hocket__cancel_point(*ret_self) : -ENOMEM;
}

/* ---- put and get ---- */

int hocket_queue_put(hocket_queue *q, const void *value, hocket_time deadline)
{
    hocket_task *self;
    int err = enter(&self);
    if (err != 0)
        return err;
    hocket__guard_lock(&q->guard);
    if (hk_unlikely(hk_load(&q->closed))) {
        err = -EPIPE;
    } else if (hk_load(&q->count) == q->capacity) {
        if (deadline > HOCKET_NOW)
            return wait_in(q, &q->putters, &q->putters_count, self, (void *)(uintptr_t)value,
                           deadline);
        err = -ETIMEDOUT;
    } else {
        struct hocket__waiter *getter = q->getters != NULL ? claim(&q->getters, &q->getters_count)
                                                           : NULL;
        if (getter != NULL) {
            copy(q, getter->data, value);
            getter->done = HOCKET__QUEUE_SERVED;
            hocket_task *task = getter->task;
            (void)hocket__guard_unlock(&q->guard);
            hocket__complete(task);
            return 0;
        }
        ring_push(q, value);
    }
    (void)hocket__guard_unlock(&q->guard);
    return err;
}

int hocket_queue_get(hocket_queue *q, void *ret_value, hocket_time deadline)
{
    hocket_task *self;
    int err = enter(&self);
    if (err != 0)
        return err;
    hocket__guard_lock(&q->guard);
    if (hk_load(&q->count) == 0) {
        if (hk_load(&q->closed))
            err = -EPIPE;
        else if (deadline > HOCKET_NOW)
            return wait_in(q, &q->getters, &q->getters_count, self, ret_value, deadline);
        else
            err = -ETIMEDOUT;
    } else {
        ring_pop(q, ret_value);
        struct hocket__waiter *putter = q->putters != NULL ? claim(&q->putters, &q->putters_count)
                                                           : NULL;
        if (putter != NULL) {
            ring_push(q, putter->data);
            putter->done = HOCKET__QUEUE_SERVED;
            hocket_task *task = putter->task;
            (void)hocket__guard_unlock(&q->guard);
            hocket__complete(task);
            return 0;
        }
    }
    (void)hocket__guard_unlock(&q->guard);
    return err;
}

/* ---- close ---- */

static void turn_away(struct hocket__link **list, _Atomic size_t *count,
                      struct hocket__wakes *wakes)
{
    struct hocket__waiter *node;
    while ((node = claim(list, count)) != NULL) {
        node->done = HOCKET__QUEUE_CLOSED;
        hocket__wakes_add(wakes, node->task);
    }
}

static void drop_range(hocket_queue *q, size_t head, size_t count)
{
    for (size_t i = head; q->drop != NULL && count > 0; count--) {
        q->drop(q->ring + i * q->value_size);
        i = i + 1 == q->capacity ? 0 : i + 1;
    }
}

int hocket_queue_close(hocket_queue *q, int how)
{
    if (how != HOCKET_CLOSE_DRAIN && how != HOCKET_CLOSE_NOW)
        return -EINVAL;
    struct hocket__wakes wakes = { NULL, NULL };
    hocket__guard_lock(&q->guard);
    bool before = hk_load(&q->closed);
    size_t head = q->head, dropped = how == HOCKET_CLOSE_NOW ? hk_load(&q->count) : 0;
    hk_store(&q->closed, true);
    if (dropped > 0) /* nobody puts any more: what the ring holds stays as it is */
        hk_store(&q->count, (size_t)0);
    turn_away(&q->putters, &q->putters_count, &wakes);
    turn_away(&q->getters, &q->getters_count, &wakes);
    (void)hocket__guard_unlock(&q->guard);
    hocket__wakes_run(&wakes);
    drop_range(q, head, dropped);
    return before && dropped == 0 ? -EALREADY : 0;
}

/* ---- the rest ---- */

int hocket_queue_new(hocket_queue **ret_queue, size_t value_size,
                     const hocket_queue_options *options)
{
    static const hocket_queue_options defaults = HOCKET_QUEUE_OPTIONS_DEFAULT;
    const hocket_queue_options *o = options != NULL ? options : &defaults;
    size_t capacity = o->capacity != 0 ? o->capacity : HOCKET_QUEUE_CAPACITY, bytes;
    if ((o->size != 0 && o->size < sizeof *o) || value_size == 0 || o->order != HOCKET_FIFO)
        return -EINVAL;
    if (__builtin_mul_overflow(value_size, capacity, &bytes) ||
        __builtin_add_overflow(bytes, sizeof(hocket_queue), &bytes))
        return -EINVAL;
    hocket_queue *q = hocket__alloc(bytes);
    if (q == NULL)
        return -ENOMEM;
    memset(q, 0, sizeof *q);
    q->value_size = value_size;
    q->capacity = capacity;
    q->drop = o->drop;
    *ret_queue = q;
    return 0;
}

void hocket_queue_free(hocket_queue *q)
{
    if (q == NULL)
        return;
    hocket__destroy_check("hocket_queue_free", "queue", q, &q->guard, &q->getters);
    hocket__destroy_check("hocket_queue_free", "queue", q, &q->guard, &q->putters);
    drop_range(q, q->head, hk_load(&q->count));
    hocket__free(q);
}

size_t hocket_queue_length(const hocket_queue *q)
{
    return hk_load(&q->count);
}

size_t hocket_queue_capacity(const hocket_queue *q)
{
    return q->capacity;
}

bool hocket_queue_empty(const hocket_queue *q)
{
    return hk_load(&q->count) == 0;
}

bool hocket_queue_full(const hocket_queue *q)
{
    return hk_load(&q->count) == q->capacity;
}

bool hocket_queue_closed(const hocket_queue *q)
{
    return hk_load(&q->closed);
}

size_t hocket_queue_getters(const hocket_queue *q)
{
    return hk_load(&q->getters_count);
}

size_t hocket_queue_putters(const hocket_queue *q)
{
    return hk_load(&q->putters_count);
}
