/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TRACE_LOCKORDER_H
#define HOCKET_TRACE_LOCKORDER_H

/*
 * lockorder - the order in which locks are taken, learned from every acquire
 *
 * An onlooker of the lock events (park/watch.h), so it costs nothing while it is off.
 *
 * A *node* is a lock, or a class: all locks with the same hocket_lock_class are one.  Before a task
 * may wait for lock W it holds some others; for each of them, H, the *edge* H -> W is learned, with
 * the stack, the task and the *gates*: whatever else the task holds at that time.  A cycle of
 * edges can become a deadlock, unless two of them share a gate (then they never are under way
 * together), or a lock is only ever shared between them.
 */
#include <hocket/lock.h>

#include "park/record.h"
#include "trace/backtrace.h"

#define HOCKET__ORDER_HELD  16 /* locks of one task that are looked at; more: nothing is learned */
#define HOCKET__ORDER_CYCLE 16 /* longest cycle that is looked for */
#define HOCKET__ORDER_STACK 20

/* A hold: who, and whether for reading. */
struct hocket__order_hold {
    uint16_t node;
    bool shared;
};

struct hocket__order_edge {
    uint16_t from, to;
    bool from_shared, to_shared; /* held, or wanted, for reading */
    uint8_t gate_count;
    bool reported;
    struct hocket__order_hold gates[HOCKET__ORDER_HELD];
    uint8_t depth;
    uintptr_t stack[HOCKET__ORDER_STACK]; /* of the task, at `to` */
    uint64_t task;
    char name[HOCKET_NAME_MAX];
    const void *from_lock, *to_lock; /* then */
    struct hocket__order_edge *next; /* of the same `from`; constant once published */
};

/* The class of a node, NULL: it is a single lock. */
const hocket_lock_class *hocket__order_class(uint16_t node);

/* Say that these edges are a cycle; the last one is the new one.  One caller at a time. */
void hocket__order_report(struct hocket__order_edge *const *cycle, unsigned length);

/* By HOCKET_LOCKORDER, when a runtime starts. */
void hocket__lockorder_by_env(void);

#endif
