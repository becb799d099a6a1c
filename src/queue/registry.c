/* SPDX-License-Identifier: MIT */
/*
 * registry - see queue/registry.h
 *
 * One list under one guard.  New queues come to its front, where a walk has been already, so a walk
 * ends however fast queues are made.  Between two batches a walk leaves an entry of its own in the list.
 *
 * Addresses are kept as their complements: a queue that nobody knows any more is a leak, and must not
 * look known to leak checkers because of its neighbours.
 *
 * The queue that a task waits for is not searched for.  A wait that is still on record under the guard
 * ends later than that, so its queue is freed later too, and leaves the list first, which takes
 * the guard.  The record is one wait's if its number is the same before and after: wait.c stores the number
 * with release, behind the end of the last wait and the new one's object, before its class.
 */
#include "queue/registry.h"

#include "park/wait.h"
#include "queue/queue.h"

#define BATCH 64

const struct hocket__wait_class hocket__queue_class = { "queue", NULL };

static hocket__guard guard; /* the list */
static uintptr_t first;

static uintptr_t hidden(const struct hocket__registered *e)
{
    return e != NULL ? ~(uintptr_t)e : 0;
}

static struct hocket__registered *shown(uintptr_t word)
{
    return word != 0 ? (struct hocket__registered *)~word : NULL; /* NOLINT */
}

/* `next` NULL: at the end. */
static void insert(struct hocket__registered *e, struct hocket__registered *prev,
                   struct hocket__registered *next)
{
    e->prev = hidden(prev);
    e->next = hidden(next);
    *(prev != NULL ? &prev->next : &first) = hidden(e);
    if (next != NULL)
        next->prev = hidden(e);
}

static void take_out(const struct hocket__registered *e)
{
    struct hocket__registered *prev = shown(e->prev), *next = shown(e->next);
    *(prev != NULL ? &prev->next : &first) = e->next;
    if (next != NULL)
        next->prev = e->prev;
}

void hocket__registry_enter(struct hocket__registered *e,
                            void (*look)(const struct hocket__registered *entry,
                                         struct hocket__queue_look *ret))
{
    e->look = look;
    hocket__guard_lock(&guard);
    insert(e, NULL, shown(first));
    (void)hocket__guard_unlock(&guard);
}

void hocket__registry_leave(struct hocket__registered *e)
{
    hocket__guard_lock(&guard);
    take_out(e);
    (void)hocket__guard_unlock(&guard);
}

size_t hocket__registry_each(void (*see)(const struct hocket__queue_look *look, void *arg),
                             void *arg)
{
    struct hocket__registered place = { 0, 0, NULL };
    struct hocket__queue_look look;
    size_t count = 0;
    hocket__guard_lock(&guard);
    struct hocket__registered *e = shown(first);
    for (unsigned n = 1; e != NULL; n++) {
        if (e->look != NULL) {
            e->look(e, &look);
            see(&look, arg);
            count++;
        }
        e = shown(e->next);
        if (n % BATCH != 0 || e == NULL)
            continue;
        insert(&place, shown(e->prev), e);
        (void)hocket__guard_unlock(&guard);
        hocket__guard_lock(&guard);
        e = shown(place.next);
        take_out(&place);
    }
    (void)hocket__guard_unlock(&guard);
    return count;
}

bool hocket__registry_awaited(hocket_task *t, bool try_only, struct hocket__queue_look *ret)
{
    if (!try_only)
        hocket__guard_lock(&guard);
    else if (!hocket__guard_trylock(&guard))
        return false;
    uint32_t seq = hk_load_acq(&t->wait_seq);
    const struct hocket__wait_class *cls = hk_load_acq(&t->wait_class);
    const hocket_queue *q = hk_load_acq(&t->wait_object);
    bool waits = cls == &hocket__queue_class && hk_load_acq(&t->wait_seq) == seq;
    if (waits)
        q->entry.look(&q->entry, ret);
    (void)hocket__guard_unlock(&guard);
    return waits;
}
