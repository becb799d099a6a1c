/* SPDX-License-Identifier: MIT */
/*
 * delay_queue - a heap by time, a mutex and two conditions
 *
 * Of the tasks that wait for a value one is the leader: it waits until the first value is due; the others
 * wait for a signal only, so that one wake comes with each value and not one for each waiter.
 *
 * Invariant, whenever the mutex is free: if the queue holds something and tasks wait for it, there is
 * a leader that waits no longer than until the first value is due, or one of the waiters has been
 * signalled.  Hence whoever stops being the leader, for whatever reason, signals another one; and a put
 * whose value comes before all others deposes the leader and signals.
 */
#include <hocket/cond.h>
#include <hocket/delay_queue.h>

#include <string.h>

#include "base/alloc.h"
#include "base/panic.h"
#include "queue/queue.h"
#include "sync/own.h"

struct hocket_delay_queue {
    hocket_mutex mutex; /* everything below */
    hocket_cond more, room;
    size_t capacity;
    void (*drop)(void *value);
    _Atomic bool closed; /* also read without it */
    struct hocket__registered entry;
    const void *leader; /* an address on the leader's stack; NULL = nobody watches the clock */
    struct hocket__store store;
};

static void look(const struct hocket__registered *entry, struct hocket__queue_look *ret)
{
    const hocket_delay_queue *q = hk_container_of(entry, hocket_delay_queue, entry);
    *ret = (struct hocket__queue_look){ .queue = q,
                                        .kind = "delay",
                                        .length = hk_load(&q->store.count),
                                        .capacity = q->capacity,
                                        .putters = hocket_cond_waiting(&q->room),
                                        .getters = hocket_cond_waiting(&q->more),
                                        .put_object = &q->room,
                                        .get_object = &q->more,
                                        .closed = hk_load(&q->closed) };
}

int hocket_delay_queue_new(hocket_delay_queue **ret_queue, size_t value_size,
                           const hocket_delay_queue_options *options)
{
    static const hocket_delay_queue_options defaults = HOCKET_DELAY_QUEUE_OPTIONS_DEFAULT;
    const hocket_delay_queue_options *o = options != NULL ? options : &defaults;
    hocket_queue_options sorted = HOCKET_QUEUE_OPTIONS_DEFAULT;
    if ((o->size != 0 && o->size < sizeof *o) || value_size == 0 ||
        o->capacity == HOCKET_RENDEZVOUS)
        return -EINVAL;
    hocket_delay_queue *q = hocket__calloc(1, sizeof *q);
    if (q == NULL)
        return -ENOMEM;
    sorted.order = HOCKET_PRIORITY;
    q->capacity = o->capacity != 0 ? o->capacity : HOCKET_QUEUE_CAPACITY;
    q->drop = o->drop;
    int err = hocket__store_init(&q->store, value_size, q->capacity, &sorted);
    if (err != 0) {
        hocket__free(q);
        return err;
    }
    hocket__registry_enter(&q->entry, look);
    *ret_queue = q;
    return 0;
}

static size_t length(const hocket_delay_queue *q)
{
    return hk_load(&q->store.count);
}

/* Of a queue that holds something. */
static hocket_time first_due(const hocket_delay_queue *q)
{
    return q->store.sorted.nodes[0].priority;
}

/* Room for one more; the mutex is no guard, so memory may be taken with it. */
static int grow(hocket_delay_queue *q)
{
    size_t bytes = hocket__store_wants(&q->store);
    if (bytes == 0)
        return 0;
    void *memory = bytes != SIZE_MAX ? hocket__alloc(bytes) : NULL;
    if (memory == NULL)
        return -ENOMEM;
    hocket__free(hocket__store_feed(&q->store, memory, bytes));
    return 0;
}

static int put_locked(hocket_delay_queue *q, const void *value, hocket_time due,
                      hocket_time deadline)
{
    int err = 0;
    while (err == 0 && !hk_load(&q->closed) && q->capacity != HOCKET_UNBOUNDED &&
           length(q) >= q->capacity)
        err = deadline <= HOCKET_NOW ? -ETIMEDOUT : hocket_cond_wait(&q->room, &q->mutex, deadline);
    if (hk_load(&q->closed))
        return -EPIPE;
    if (err != 0 || (err = grow(q)) != 0) {
        if (err == -ENOMEM)
            hocket_cond_signal(&q->room); /* the room that we were woken for is another's */
        return err;
    }
    bool first = length(q) == 0 || due < first_due(q);
    hocket__store_push(&q->store, value, due);
    if (first) {
        q->leader = NULL;
        hocket_cond_signal(&q->more);
    }
    return 0;
}

int hocket_delay_queue_put(hocket_delay_queue *q, const void *value, hocket_time due,
                           hocket_time deadline)
{
    hocket__touch("put", q);
    hocket_task *self;
    int err = hocket__queue_enter(&self);
    if (err != 0)
        return err;
    hocket__own_lock(&q->mutex);
    err = put_locked(q, value, due, deadline);
    hocket__own_unlock(&q->mutex);
    return err;
}

/* Wait as the leader, or for one.  0: look again. */
static int await(hocket_delay_queue *q, hocket_time deadline)
{
    char me;
    hocket_time until = deadline;
    bool leads = length(q) > 0 && q->leader == NULL;
    if (leads) {
        q->leader = &me;
        if (first_due(q) < until)
            until = first_due(q);
    }
    int err = hocket_cond_wait(&q->more, &q->mutex, until);
    if (q->leader == &me)
        q->leader = NULL;
    return err == -ETIMEDOUT && until < deadline ? 0 : err;
}

static int get_locked(hocket_delay_queue *q, void *ret_value, hocket_time deadline)
{
    int err = 0;
    for (;;) {
        if (length(q) > 0 && first_due(q) <= hocket_now() && err != -ECANCELED) {
            hocket__free(hocket__store_pop(&q->store, ret_value));
            hocket_cond_signal(&q->room);
            if (hk_load(&q->closed) && length(q) == 0)
                hocket_cond_broadcast(&q->more);
            return 0;
        }
        if (err != 0)
            return err;
        if (hk_load(&q->closed) && length(q) == 0)
            return -EPIPE;
        if (deadline <= HOCKET_NOW)
            return -ETIMEDOUT;
        err = await(q, deadline);
    }
}

int hocket_delay_queue_get(hocket_delay_queue *q, void *ret_value, hocket_time deadline)
{
    hocket__touch("get", q);
    hocket_task *self;
    int err = hocket__queue_enter(&self);
    if (err != 0)
        return err;
    hocket__own_lock(&q->mutex);
    err = get_locked(q, ret_value, deadline);
    if (q->leader == NULL && length(q) > 0)
        hocket_cond_signal(&q->more); /* somebody else watches the clock now */
    hocket__own_unlock(&q->mutex);
    return err;
}

int hocket_delay_queue_close(hocket_delay_queue *q, int how)
{
    hocket__touch("close", q);
    struct hocket__store dropped;
    if (how != HOCKET_CLOSE_DRAIN && how != HOCKET_CLOSE_NOW)
        return -EINVAL;
    hocket__own_lock(&q->mutex);
    bool before = hk_load(&q->closed), drops = how == HOCKET_CLOSE_NOW && length(q) > 0;
    hk_store(&q->closed, true);
    if (drops)
        hocket__store_take_all(&q->store, &dropped);
    q->leader = NULL;
    hocket_cond_broadcast(&q->more);
    hocket_cond_broadcast(&q->room);
    hocket__own_unlock(&q->mutex);
    if (drops)
        hocket__store_end(&dropped, q->drop);
    return before && !drops ? -EALREADY : 0;
}

size_t hocket_delay_queue_length(hocket_delay_queue *q)
{
    return length(q);
}

hocket_time hocket_delay_queue_next(hocket_delay_queue *q)
{
    hocket__own_lock(&q->mutex);
    hocket_time due = length(q) > 0 ? first_due(q) : HOCKET_FOREVER;
    hocket__own_unlock(&q->mutex);
    return due;
}

bool hocket_delay_queue_closed(hocket_delay_queue *q)
{
    hocket__own_lock(&q->mutex);
    bool closed = hk_load(&q->closed);
    hocket__own_unlock(&q->mutex);
    return closed;
}

void hocket_delay_queue_free(hocket_delay_queue *q)
{
    if (q == NULL)
        return;
    if (hocket_cond_waiting(&q->more) > 0 || hocket_cond_waiting(&q->room) > 0)
        hocket__panic("hocket_delay_queue_free: tasks wait for delay queue %p", (void *)q);
    hocket__registry_leave(&q->entry);
    hocket__store_end(&q->store, q->drop);
    hocket__free(q);
}
