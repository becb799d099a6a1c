/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_QUEUE_REGISTRY_H
#define HOCKET_QUEUE_REGISTRY_H

/*
 * registry - all queues there are, for those who look on
 *
 * Of a broadcast each reader is one: what it has not got, and who waits for it to get on.
 *
 * A queue enters the list once it is complete and leaves it before anything of it is taken apart,
 * so whoever has the registry's guard may read every queue in it: no queue that is seen can be
 * freed meanwhile.  Putting and getting know nothing of it.
 *
 * To look at a queue is to read words that anybody may read (atomics, and what is constant), so
 * under the guard no other one is ever taken.  It is kept for a batch of queues at a time: who
 * makes or frees one waits for no more than that.
 */
#include "park/record.h"

extern const struct hocket__wait_class hocket__queue_class; /* of every wait for a hocket_queue */

struct hocket__queue_look {
    const void *queue;
    const char *kind;        /* "fifo", "lifo", "priority", "rendezvous", "delay", "reader" */
    size_t length, capacity; /* as hocket_queue_length and _capacity */
    size_t putters, getters; /* tasks that wait */
    const void *put_object, *get_object; /* what the wait records of those name */
    bool closed;
};

struct hocket__registered {
    uintptr_t next, prev; /* complements of addresses, see registry.c; 0: none */
    /* Reads the queue that this is a member of; NULL: somebody's place in the list. */
    void (*look)(const struct hocket__registered *entry, struct hocket__queue_look *ret);
};

void hocket__registry_enter(struct hocket__registered *entry,
                            void (*look)(const struct hocket__registered *entry,
                                         struct hocket__queue_look *ret));
void hocket__registry_leave(struct hocket__registered *entry);

/* Call `see` for every queue that is there all the time, under the guard.  Gives how many. */
size_t hocket__registry_each(void (*see)(const struct hocket__queue_look *look, void *arg),
                             void *arg);

/*
 * The queue that `task` waits for right now.  False: it waits for no queue, or `try_only` (signal
 * handlers) and the guard is taken.
 */
bool hocket__registry_awaited(hocket_task *task, bool try_only, struct hocket__queue_look *ret);

#endif
