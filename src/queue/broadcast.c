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
    bool blocks, closed;
    uint64_t next;    /* number of the next value */
    uint64_t slowest; /* no reader is before this */
    size_t reader_count;
    struct hocket__link readers;
    _Alignas(max_align_t) unsigned char values[];
};

struct hocket_reader {
    struct hocket__link link; /* in readers */
    hocket_broadcast *broadcast;
    uint64_t next;    /* number of the value that it gets next */
    uint32_t waiting; /* tasks inside get */
};

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
    if (!b->blocks || b->next - b->slowest < b->capacity)
        return false;
    b->slowest = b->next;
    hocket__list_each(it, &b->readers) {
        const hocket_reader *r = hk_container_of(it, hocket_reader, link);
        if (r->next < b->slowest)
            b->slowest = r->next;
    }
    return b->next - b->slowest >= b->capacity;
}

int hocket_broadcast_put(hocket_broadcast *b, const void *value, hocket_time deadline)
{
    hocket__touch("put", b);
    hocket_task *self;
    int err = hocket__queue_enter(&self);
    if (err != 0)
        return err;
    hocket__own_lock(&b->mutex);
    while (err == 0 && !b->closed && full(b))
        err = deadline <= HOCKET_NOW ? -ETIMEDOUT : hocket_cond_wait(&b->room, &b->mutex, deadline);
    if (b->closed)
        err = -EPIPE;
    if (err == 0) {
        hocket__value_copy(b->value_size, value_at(b, b->next++), value);
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
    bool closed = b->closed;
    if (!closed) {
        r->next = b->next;
        hocket__list_push_back(&b->readers, &r->link);
        b->reader_count++;
    }
    hocket__own_unlock(&b->mutex);
    if (closed) {
        hocket__free(r);
        return -EPIPE;
    }
    *ret_reader = r;
    return 0;
}

/* Number of the oldest value that is still there. */
static uint64_t oldest(const hocket_broadcast *b)
{
    return b->next < b->capacity ? 0 : b->next - b->capacity;
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
    r->waiting++;
    while (err == 0 && r->next == b->next && !b->closed)
        err = deadline <= HOCKET_NOW ? -ETIMEDOUT : hocket_cond_wait(&b->more, &b->mutex, deadline);
    r->waiting--;
    if (err == 0 && r->next == b->next)
        err = -EPIPE;
    if (err == 0) {
        uint64_t missed = r->next < oldest(b) ? oldest(b) - r->next : 0;
        r->next += missed;
        hocket__value_copy(b->value_size, ret_value, value_at(b, r->next++));
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
    uint64_t from = r->next < oldest(b) ? oldest(b) : r->next, pending = b->next - from;
    hocket__own_unlock(&b->mutex);
    return (size_t)pending;
}

void hocket_reader_free(hocket_reader *r)
{
    hocket__touch("unsubscribe", r);
    if (r == NULL)
        return;
    hocket_broadcast *b = r->broadcast;
    hocket__own_lock(&b->mutex);
    if (r->waiting > 0)
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
    bool before = b->closed;
    b->closed = true;
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
