/* SPDX-License-Identifier: MIT */
/* queue_life - from new to free, and what can be seen of a queue from outside */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "queue/queue.h"

/* The start of the lines that the ring's words are on, and of the cells. */
#define LINE 128

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) & ~(to - 1);
}

/* Bytes of queue and cells together, with room to align them; 0 = there are not so many. */
static size_t ring_bytes(struct hocket__ring *r, size_t value_size, size_t capacity)
{
    size_t bytes;
    if (value_size > SIZE_MAX / 4 || capacity > SIZE_MAX / 16)
        return 0;
    r->value_size = value_size;
    r->capacity = capacity;
    r->stamp_at = round_up(value_size, 8);
    r->stride = round_up(r->stamp_at + 8, value_size % 16 == 0 ? 16 : 8);
    r->lap_shift = HOCKET__RING_STEP;
    while ((size_t)1 << (r->lap_shift - HOCKET__RING_STEP) < capacity)
        r->lap_shift++;
    r->lap = (uint64_t)1 << r->lap_shift;
    if (__builtin_mul_overflow(r->stride, capacity, &bytes) ||
        __builtin_add_overflow(bytes, sizeof(hocket_queue) + LINE, &bytes))
        return 0;
    return bytes;
}

static void ring_start(struct hocket__ring *r, void *cells)
{
    r->cells = cells;
    for (uint64_t i = 0; i < r->capacity; i++) {
        uint64_t at = i << HOCKET__RING_STEP;
        hk_store(hocket__ring_stamp(r, hocket__ring_cell(r, at)), at);
    }
}

static bool sensible(const hocket_queue_options *o, size_t value_size)
{
    if ((o->size != 0 && o->size < sizeof *o) || value_size == 0)
        return false;
    if (o->order != HOCKET_FIFO && o->order != HOCKET_LIFO && o->order != HOCKET_PRIORITY)
        return false;
    if (o->first != HOCKET_LOWEST_FIRST && o->first != HOCKET_HIGHEST_FIRST)
        return false;
    return o->capacity != HOCKET_RENDEZVOUS || o->order == HOCKET_FIFO;
}

/* Values now; too few, if others get some while the two words are read. */
static size_t about(const hocket_queue *q)
{
    if (!q->ringed)
        return hk_load(&q->store.count);
    const struct hocket__ring *r = &q->ring;
    int64_t count = -1;
    for (int i = 0; i < 4 && count < 0; i++) { /* negative: a lap or more went by */
        uint64_t tail = hk_load_sc(&r->tail);
        count = hocket__ring_between(r, hk_load_sc(&r->head), tail);
    }
    return count > 0 ? (size_t)count : 0;
}

static void look(const struct hocket__registered *entry, struct hocket__queue_look *ret)
{
    static const char *const kinds[] = { "fifo", "lifo", "priority" };
    const hocket_queue *q = hk_container_of(entry, hocket_queue, entry);
    *ret = (struct hocket__queue_look){ .queue = q,
                                        .kind = q->capacity == 0 ? "rendezvous" : kinds[q->order],
                                        .length = about(q),
                                        .capacity = q->capacity,
                                        .putters = hk_load(&q->putters_count),
                                        .getters = hk_load(&q->getters_count),
                                        .put_object = q,
                                        .get_object = q,
                                        .closed = hk_load(&q->closed) };
}

int hocket_queue_new(hocket_queue **ret_queue, size_t value_size,
                     const hocket_queue_options *options)
{
    static const hocket_queue_options defaults = HOCKET_QUEUE_OPTIONS_DEFAULT;
    const hocket_queue_options *o = options != NULL ? options : &defaults;
    if (!sensible(o, value_size))
        return -EINVAL;
    size_t capacity = o->capacity != 0 ? o->capacity : HOCKET_QUEUE_CAPACITY;
    if (capacity == HOCKET_RENDEZVOUS)
        capacity = 0;
    bool ringed = o->order == HOCKET_FIFO && capacity != 0 && capacity != HOCKET_UNBOUNDED;
    struct hocket__ring ring = { .lap = 4, .lap_shift = HOCKET__RING_STEP };
    size_t bytes = ringed ? ring_bytes(&ring, value_size, capacity) : sizeof(hocket_queue) + LINE;
    if (bytes == 0)
        return -EINVAL;
    void *memory = hocket__alloc(bytes);
    if (memory == NULL)
        return -ENOMEM;
    hocket_queue *q = (void *)((unsigned char *)memory +
                               (-(uintptr_t)memory & (uintptr_t)(LINE - 1)));
    memset(q, 0, sizeof *q);
    q->memory = memory;
    q->value_size = value_size;
    q->capacity = capacity;
    q->drop = o->drop;
    q->ringed = ringed;
    q->order = (uint8_t)o->order;
    q->by_number = o->order == HOCKET_PRIORITY && o->compare == NULL;
    q->flag = (struct hocket__flag)HOCKET__FLAG_INIT;
    q->ring = ring;
    q->streak.needed = HOCKET__SOLO_NEEDED;
    if (ringed) {
        ring_start(&q->ring, q + 1);
    } else {
        hocket__ring_slow(&q->ring);
        q->pinned = true;
        int err = capacity != 0 ? hocket__store_init(&q->store, value_size, capacity, o) : 0;
        if (err != 0) {
            hocket__free(memory);
            return err;
        }
    }
    hocket__registry_enter(&q->entry, look);
    *ret_queue = q;
    return 0;
}

/* ---- close ---- */

static void turn_away(struct hocket__link **list, _Atomic size_t *count,
                      struct hocket__wakes *wakes)
{
    struct hocket__queue_node *node;
    while ((node = hocket__queue_claim_node(list, count, NULL)) != NULL) {
        node->waiter.done = HOCKET__QUEUE_CLOSED;
        hocket__wakes_add(wakes, node->waiter.task);
    }
}

/* Values that nobody can reach any more, in the order they would have come out. */
static void drop_ring(hocket_queue *q, uint64_t at, size_t count)
{
    for (; q->drop != NULL && count > 0; count--) {
        q->drop(hocket__ring_cell(&q->ring, at));
        at = hocket__ring_after(&q->ring, at, 1);
    }
}

static void drop_store(hocket_queue *q, struct hocket__store *store)
{
    if (q->capacity != 0)
        hocket__store_end(store, q->drop);
}

/* Take all values out, so that they can be dropped without the guard: nobody puts any more. */
static size_t empty(hocket_queue *q, uint64_t *ret_from, struct hocket__store *ret_store)
{
    size_t count = hocket__queue_count_held(q);
    *ret_from = hk_load(&q->ring.head) & ~HOCKET__RING_BITS;
    if (q->ringed) {
        for (size_t i = 0; i < count; i++)
            (void)hocket__ring_take(&q->ring);
    } else {
        hocket__store_take_all(&q->store, ret_store);
    }
    return count;
}

int hocket_queue_close(hocket_queue *q, int how)
{
    hocket__touch("close", q);
    if (how != HOCKET_CLOSE_DRAIN && how != HOCKET_CLOSE_NOW)
        return -EINVAL;
    struct hocket__wakes wakes = { NULL, NULL };
    struct hocket__store store;
    uint64_t from = 0;
    size_t dropped = 0;
    hocket__queue_hold(q);
    bool before = hk_load(&q->closed);
    hk_store(&q->closed, true);
    q->pinned = true;
    bool emptied = how == HOCKET_CLOSE_NOW && hocket__queue_count_held(q) > 0;
    if (emptied)
        dropped = empty(q, &from, &store);
    turn_away(&q->putters, &q->putters_count, &wakes);
    turn_away(&q->getters, &q->getters_count, &wakes);
    if (q->flag.read_end >= 0) {
        hocket__flag_set(&q->flag, hocket__queue_count_held(q) > 0);
        hocket__flag_hang_up(&q->flag);
    }
    hocket__queue_let_go(q, &wakes);
    if (emptied)
        hocket__queue_dropped(q, dropped);
    if (emptied && q->ringed)
        drop_ring(q, from, dropped);
    else if (emptied)
        drop_store(q, &store);
    return before && !emptied ? -EALREADY : 0;
}

void hocket_queue_free(hocket_queue *q)
{
    if (q == NULL)
        return;
    hocket__destroy_check("hocket_queue_free", "queue", q, &q->guard, &q->getters);
    hocket__destroy_check("hocket_queue_free", "queue", q, &q->guard, &q->putters);
    hocket__destroy_check("hocket_queue_free", "queue", q, &q->guard, &q->joiners);
    hocket__registry_leave(&q->entry); /* nobody looks at it any more */
    if (hk_load(&q->producers) != 0)
        hocket__producers_forget(q);
    if (q->ringed)
        drop_ring(q, hk_load(&q->ring.head) & ~HOCKET__RING_BITS, hocket__ring_count(&q->ring));
    else
        drop_store(q, &q->store);
    hocket__flag_close(&q->flag);
    hocket__free(q->memory);
}

/* ---- the descriptor ---- */

int hocket_queue_fd(hocket_queue *q)
{
    struct hocket__wakes none = { NULL, NULL };
    struct hocket__flag flag = HOCKET__FLAG_INIT;
    hocket__queue_hold(q);
    int fd = q->flag.read_end;
    hocket__queue_let_go(q, &none);
    if (fd >= 0)
        return fd;
    int err = hocket__flag_open(&flag); /* without the guard: it may take a while */
    if (err != 0)
        return err;
    hocket__queue_hold(q);
    if (q->flag.read_end < 0) {
        q->flag = flag;
        flag = (struct hocket__flag)HOCKET__FLAG_INIT;
        q->pinned = true;
        hocket__flag_set(&q->flag, hocket__queue_count_held(q) > 0);
        if (hk_load(&q->closed))
            hocket__flag_hang_up(&q->flag);
    }
    fd = q->flag.read_end;
    hocket__queue_let_go(q, &none);
    hocket__flag_close(&flag); /* somebody was faster */
    return fd;
}

/* ---- what can be seen ---- */

size_t hocket_queue_length(const hocket_queue *q)
{
    hocket__touch("length", q);
    if (!q->ringed)
        return hk_load(&q->store.count);
    const struct hocket__ring *r = &q->ring;
    uint64_t tail = hk_load_sc(&r->tail), again = tail;
    int64_t count;
    do {
        tail = again;
        count = hocket__ring_between(r, hk_load_sc(&r->head), tail);
        again = hk_load_sc(&r->tail);
    } while (again != tail);
    return (size_t)count;
}

size_t hocket_queue_capacity(const hocket_queue *q)
{
    return q->capacity;
}

bool hocket_queue_empty(const hocket_queue *q)
{
    return hocket_queue_length(q) == 0;
}

bool hocket_queue_full(const hocket_queue *q)
{
    return q->capacity != HOCKET_UNBOUNDED && hocket_queue_length(q) >= q->capacity;
}

bool hocket_queue_closed(const hocket_queue *q)
{
    hocket__touch("closed", q);
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
