/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TRACE_RING_H
#define HOCKET_TRACE_RING_H

/*
 * ring - what one OS thread saw lately, of which the newest is kept
 *
 * One thread writes into a ring, with plain stores; anybody may copy it meanwhile.  A thread gets
 * one at its first event; when it ends, the ring goes to the next thread that wants one and keeps
 * its events.  Rings are never freed: an event may come late, from a thread that
 * nobody told that the trace is over.
 *
 * Who may write.  A ring is found anew for each event (a fiber moves), and between finding it and
 * the last store there is no wait.  A signal handler that interrupts an event of its own thread
 * finds `busy`, and only counts what it could not say.
 *
 * Memory order.  Slots are written relaxed, then `next` is stored with release; a copy acquires
 * `next`, reads slots and reads `next` again.  What may have been overwritten meanwhile, and
 * HOCKET__RING_MARGIN slots more, is left out: a writer's stores may be seen in another order, but
 * not further apart than a processor can hold back stores, which is a fraction of the margin.
 */
#include <hocket/time.h>

#include "base/atomic.h"
#include "park/tls.h"
#include "trace/format.h"

#define HOCKET__RING_MARGIN 64u
#define HOCKET__RINGS_MAX   1024u

struct hocket__slot {
    _Atomic uint64_t words[4]; /* struct hkt_event */
};

struct hocket__trace_ring {
    /* the thread that writes */
    _Atomic uint64_t next;   /* slots written since it was made; release */
    _Atomic uint64_t missed; /* events in a signal handler inside an event */
    _Atomic bool busy;       /* only between a thread and its own signal handlers: no order */
    uint64_t mask;           /* slots - 1; set when it is made */
    uint64_t left;           /* `next` behind the last event in which a task left its worker, */
    uint64_t leaver;         /* and the task */
    uint32_t left_edges;     /* hocket__share_edges then */
    uint64_t last;           /* stamp of the last event, without its kind */
    uint64_t turn;           /* hocket__share_turn is due when `next` is here; its account: */
    uint64_t counted;        /* events paid so far */
    hocket_time paid_at;
    int64_t account; /* ns */
    uint32_t account_of;
    struct hocket__slot *slots;

    /* whoever has `rings_guard` writes, others read */
    _Atomic uint64_t begin; /* events before it belong to an earlier trace */
    _Atomic uint32_t tid;   /* of the thread that writes, or wrote last */
    _Atomic int32_t worker; /* its index or -1; by the thread that writes */
    _Atomic bool ended;     /* that thread has: the ring is free */
    uint32_t number;
};

/* Before the first event.  0, -ENOMEM. */
int hocket__rings_prepare(void);

/* The ring of the calling thread; NULL: it has none now.  Not to be kept.  Signal-safe. */
struct hocket__trace_ring *hocket__trace_ring_here(void);
/* The same, but NULL also before its first event.  For a leaf function: see park/tls.h. */
extern __thread struct hocket__trace_ring *hocket__trace_ring_own HOCKET__TLS_MODEL;
#if defined(HOCKET__INLINE_LOCKS)
static inline struct hocket__trace_ring *hocket__trace_ring_there(void)
{
    return (struct hocket__trace_ring *)HOCKET__TLS_GET64("hocket__trace_ring_own", "0");
}
#else
#define hocket__trace_ring_there hocket__trace_ring_here
#endif

/* Bytes of each ring that is made from now on: a power of two, at least one page. */
void hocket__trace_ring_size(size_t bytes);
size_t hocket__trace_ring_size_now(void);

/* All events so far are none of the trace that begins now. */
void hocket__rings_forget(void);

/* Ring `i`, NULL beyond the last; and how many threads got none. */
struct hocket__trace_ring *hocket__trace_ring_at(uint32_t i);
uint32_t hocket__rings_denied(void);

/*
 * Copy what there is, oldest first, into `to` (room for all slots).  Returns how many events;
 * *ret_lost: how many older ones there were.
 */
uint64_t hocket__trace_ring_copy(const struct hocket__trace_ring *r, struct hkt_event *to,
                                 uint64_t *ret_lost);

/* ---- writing; between begin and end nothing may wait ---- */

static inline bool hocket__trace_ring_begin(struct hocket__trace_ring *r)
{
    if (hk_unlikely(hk_peek(&r->busy))) {
        hk_store(&r->missed, hk_load(&r->missed) + 1);
        return false;
    }
    hk_store(&r->busy, true);
    hk_barrier(); /* against this thread's signal handlers alone */
    return true;
}

/* The words of slot `n`, counted from `next`. */
static inline void hocket__trace_ring_put(struct hocket__trace_ring *r, uint64_t n, uint64_t when,
                                          uint64_t a, uint64_t b, uint64_t c)
{
    struct hocket__slot *s = &r->slots[n & r->mask];
    hk_store(&s->words[0], when);
    hk_store(&s->words[1], a);
    hk_store(&s->words[2], b);
    hk_store(&s->words[3], c);
}

static inline void hocket__trace_ring_end(struct hocket__trace_ring *r, uint64_t next)
{
    hk_store_rel(&r->next, next); /* pairs with hocket__trace_ring_copy */
    hk_barrier();
    hk_store(&r->busy, false);
}

#endif
