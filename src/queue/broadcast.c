/* SPDX-License-Identifier: MIT */
/*
 * broadcast - a ring of the last values, and for each reader the number of its next one
 *
 * Values are numbered from 0.  The ring keeps the last `capacity`; a reader whose number is older has
 * missed what lies between.  With HOCKET_LAG_BLOCK a put waits until no reader stands at the
 * value that it would overwrite, so that never happens.
 *
 * Everything is under the mutex.  `slowest` is a lower bound of the readers' numbers that a put
 * brings up to date only when it meets it, so a put looks at all readers once for a ring of values.
 */
#include <hocket/broadcast.h>
#include <hocket/cond.h>

#include <string.h>

#include "base/alloc.h"
#include "base/panic.h"
#include "queue/queue.h"
#include "sync/own.h"

struct hocket_broadcast {
    hocket_mutex mutex; /* everything below */
    hocket_cond more;   /* readers: something was put, or it is closed */
    hocket_cond room;   /* putters: a reader went on or away, or it is closed */
    size_t value_size, capacity;
    bool blocks;
    _Atomic bool closed;   /* also read without it, by look */
    _Atomic uint64_t next; /* number of the next value; likewise */
    uint64_t slowest;      /* no reader is before this */
    size_t reader_count;
    struct hocket__link readers;
    _Alignas(max_align_t) unsigned char values[];
};

struct hocket_reader {
    struct hocket__link link; /* in readers */
    hocket_broadcast *broadcast;
    struct hocket__registered entry;
    _Atomic uint64_t next;    /* number of the value that it gets next; also read by look */
    _Atomic uint32_t waiting; /* tasks inside get; likewise */
};

/* Number of the oldest value that is still there. */
static uint64_t oldest(const hocket_broadcast *b)
{
    uint64_t next = hk_load(&b->next);
    return next < b->capacity ? 0 : next - b->capacity;
}

/* What a reader could get. */
static size_t pending(const hocket_reader *r)
{
    uint64_t at = hk_load_acq(&r->next); /* pairs with the get: never beyond the broadcast's */
    uint64_t first = oldest(r->broadcast), next = hk_load(&r->broadcast->next);
    return (size_t)(next - (at < first ? first : at));
}

/*
 * To who looks on each reader is a queue.  Who waits to put waits for those that have not got the
 * oldest value; a wait for a value names the broadcast, not the reader.
 */
static void look(const struct hocket__registered *entry, struct hocket__queue_look *ret)
{
    const hocket_reader *r = hk_container_of(entry, hocket_reader, entry);
    const hocket_broadcast *b = r->broadcast;
    size_t length = pending(r);
    *ret = (struct hocket__queue_look){ .queue = r,
                                        .kind = "reader",
                                        .length = length < b->capacity ? length : b->capacity,
                                        .capacity = b->capacity,
                                        .getters = hk_load(&r->waiting),
                                        .put_object = &b->room,
                                        .get_object = r,
                                        .closed = hk_load(&b->closed) };
    if (b->blocks && length >= b->capacity)
        ret->putters = hocket_cond_waiting(&b->room);
}

int hocket_broadcast_new(hocket_broadcast **ret_broadcast, size_t value_size,
                         const hocket_broadcast_options *options)
{
    static const hocket_broadcast_options defaults = HOCKET_BROADCAST_OPTIONS_DEFAULT;
    const hocket_broadcast_options *o = options != NULL ? options : &defaults;
    size_t capacity = o->capacity != 0 ? o->capacity : HOCKET_BROADCAST_CAPACITY, bytes;
    if ((o->size != 0 && o->size < sizeof *o) || value_size == 0 ||
        (o->lag != HOCKET_LAG_BLOCK && o->lag != HOCKET_LAG_DROP_OLDEST) ||
        __builtin_mul_overflow(value_size, capacity, &bytes) ||
        __builtin_add_overflow(bytes, sizeof(hocket_broadcast), &bytes))
        return -EINVAL;
    hocket_broadcast *b = hocket__alloc(bytes);
    if (b == NULL)
        return -ENOMEM;
    memset(b, 0, sizeof *b);
    b->value_size = value_size;
    b->capacity = capacity;
    b->blocks = o->lag == HOCKET_LAG_BLOCK;
    hocket__list_init(&b->readers);
    *ret_broadcast = b;
    return 0;
}

static unsigned char *value_at(hocket_broadcast *b, uint64_t number)
{
    return b->values + (size_t)(number % b->capacity) * b->value_size;
}

/* Would a put overwrite what a reader has not got? */
static bool full(hocket_broadcast *b)
{
    uint64_t next = hk_load(&b->next);
    if (!b->blocks || next - b->slowest < b->capacity)
        return false;
    b->slowest = next;
    hocket__list_each(it, &b->readers) {
        const hocket_reader *r = hk_container_of(it, hocket_reader, link);
        if (hk_load(&r->next) < b->slowest)
            b->slowest = hk_load(&r->next);
    }
    return next - b->slowest >= b->capacity;
}

int hocket_broadcast_put(hocket_broadcast *b, const void *value, hocket_time deadline)
{
    hocket__touch("put", b);
    hocket_task *self;
    int err = hocket__queue_enter(&self);
    if (err != 0)
        return err;
    hocket__own_lock(&b->mutex);
    while (err == 0 && !hk_load(&b->closed) && full(b))
        err = deadline <= HOCKET_NOW ? -ETIMEDOUT : hocket_cond_wait(&b->room, &b->mutex, deadline);
    if (hk_load(&b->closed))
        err = -EPIPE;
    if (err == 0) {
        uint64_t next = hk_load(&b->next);
        hocket__value_copy(b->value_size, value_at(b, next), value);
        hk_store(&b->next, next + 1);
        hocket_cond_broadcast(&b->more);
        if (!full(b))
            hocket_cond_signal(&b->room); /* there is room for the next putter too */
    } else if (err != -EPIPE && !full(b)) {
        hocket_cond_signal(&b->room); /* what woke us is another's */
    }
    hocket__own_unlock(&b->mutex);
    return err;
}

int hocket_broadcast_subscribe(hocket_broadcast *b, hocket_reader **ret_reader)
{
    hocket__touch("subscribe", b);
    hocket_reader *r = hocket__calloc(1, sizeof *r);
    if (r == NULL)
        return -ENOMEM;
    r->broadcast = b;
    hocket__own_lock(&b->mutex);
    bool closed = hk_load(&b->closed);
    if (!closed) {
        hk_store(&r->next, hk_load(&b->next));
        hocket__list_push_back(&b->readers, &r->link);
        b->reader_count++;
    }
    hocket__own_unlock(&b->mutex);
    if (closed) {
        hocket__free(r);
        return -EPIPE;
    }
    hocket__registry_enter(&r->entry, look);
    *ret_reader = r;
    return 0;
}

int hocket_reader_get(hocket_reader *r, void *ret_value, uint64_t *ret_missed, hocket_time deadline)
{
    hocket__touch("get", r);
    hocket_broadcast *b = r->broadcast;
    hocket_task *self;
    int err = hocket__queue_enter(&self);
    if (err != 0)
        return err;
    hocket__own_lock(&b->mutex);
    hk_store(&r->waiting, hk_load(&r->waiting) + 1);
    while (err == 0 && hk_load(&r->next) == hk_load(&b->next) && !hk_load(&b->closed))
        err = deadline <= HOCKET_NOW ? -ETIMEDOUT : hocket_cond_wait(&b->more, &b->mutex, deadline);
    hk_store(&r->waiting, hk_load(&r->waiting) - 1);
    uint64_t at = hk_load(&r->next);
    if (err == 0 && at == hk_load(&b->next))
        err = -EPIPE;
    if (err == 0) {
        uint64_t missed = at < oldest(b) ? oldest(b) - at : 0;
        at += missed;
        hocket__value_copy(b->value_size, ret_value, value_at(b, at));
        hk_store_rel(&r->next, at + 1); /* pairs with pending */
        if (ret_missed != NULL)
            *ret_missed = missed;
        if (hocket_cond_waiting(&b->room) > 0 && !full(b))
            hocket_cond_signal(&b->room);
    }
    hocket__own_unlock(&b->mutex);
    return err;
}

size_t hocket_reader_pending(hocket_reader *r)
{
    hocket_broadcast *b = r->broadcast;
    hocket__own_lock(&b->mutex);
    size_t count = pending(r);
    hocket__own_unlock(&b->mutex);
    return count;
}

void hocket_reader_free(hocket_reader *r)
{
    hocket__touch("unsubscribe", r);
    if (r == NULL)
        return;
    hocket_broadcast *b = r->broadcast;
    hocket__registry_leave(&r->entry);
    hocket__own_lock(&b->mutex);
    if (hk_load(&r->waiting) > 0)
        hocket__panic("hocket_reader_free: tasks wait for reader %p", (void *)r);
    hocket__list_remove(&r->link);
    b->reader_count--;
    hocket_cond_signal(&b->room);
    hocket__own_unlock(&b->mutex);
    hocket__free(r);
}

int hocket_broadcast_close(hocket_broadcast *b)
{
    hocket__touch("close", b);
    hocket__own_lock(&b->mutex);
    bool before = hk_load(&b->closed);
    hk_store(&b->closed, true);
    hocket_cond_broadcast(&b->more);
    hocket_cond_broadcast(&b->room);
    hocket__own_unlock(&b->mutex);
    return before ? -EALREADY : 0;
}

size_t hocket_broadcast_readers(hocket_broadcast *b)
{
    hocket__own_lock(&b->mutex);
    size_t count = b->reader_count;
    hocket__own_unlock(&b->mutex);
    return count;
}

void hocket_broadcast_free(hocket_broadcast *b)
{
    if (b == NULL)
        return;
    if (hocket_cond_waiting(&b->room) > 0)
        hocket__panic("hocket_broadcast_free: tasks wait for broadcast %p", (void *)b);
    if (b->reader_count > 0)
        hocket__panic("hocket_broadcast_free: broadcast %p has %zu readers", (void *)b,
                      b->reader_count);
    hocket__free(b);
}
