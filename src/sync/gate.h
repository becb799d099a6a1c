/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SYNC_GATE_H
#define HOCKET_SYNC_GATE_H

/*
 * gate - the queue of event, sem and latch, which signal handlers may open
 *
 * A handler must not wait for a guard that its own thread may hold.  So whoever opens the gate first
 * publishes it in the word (the flag, the permits, the count), then tries the guard;
 * if somebody holds it, that one serves the queue when it lets go:
 *
 *     opener                                  anybody with the guard
 *       busy + 1                                busy + 1
 *       publish in the word                     lock
 *       lock, or mark the guard                 ...
 *       locked: serve; leave                    leave: serve; unlock;
 *       busy - 1                                       marked? lock or mark again, serve, ...
 *       complete those served                   busy - 1
 *
 * `busy` makes it safe to free the object early.  A waiter may learn of the opening by the word, while
 * the opener still has its hands on the guard; so a waiter that succeeded waits for busy
 * to be 0 before it returns.  That is a few instructions of somebody else, or nothing.
 * Taking one's own hand off, busy - 1, is the last access to the object.  Openers that find no
 * waiter in the word (most) publish by one CAS and touch nothing else.
 *
 * Memory order: busy + 1 comes before the CAS that publishes (both acq_rel); who reads the
 * published value acquires and then sees busy.  busy - 1 releases, the load that finds 0 acquires.
 */
#include "park/spin.h"
#include "sync/sync.h"

struct hocket__gate {
    const void *object;
    _Atomic uint32_t *word;
    hocket__guard *guard;
    struct hocket__link **head;
    _Atomic uint32_t *busy;
    /* Under the guard: claim whoever may pass now; clear WAITERS if none is left. */
    void (*serve)(const struct hocket__gate *g, struct hocket__wakes *wakes);
    const struct hocket__wait_class *cls;
};

#define HOCKET__GATE(o, serve_, class_)                                           \
    {                                                                             \
        (o), hk_word32(&(o)->hocket__word), HOCKET__GUARD_OF(o), HOCKET__HEAD(o), \
            hk_word32(&(o)->hocket__busy), (serve_), (class_)                     \
    }

/*
 * Bits of every such word.  WAITERS: the queue is not empty, set and cleared under the guard.
 * PULSE (event and latch): it was opened, so whoever is in the queue by now may pass,
 * even if it is closed again; set by openers, cleared under the guard before the queue is served.
 */
#define HOCKET__GATE_WAITERS 0x80000000u
#define HOCKET__GATE_PULSE   0x40000000u

/* Serve, let the guard go, and serve again what was marked meanwhile. */
static inline void hocket__gate_leave(const struct hocket__gate *g, struct hocket__wakes *wakes)
{
    do {
        g->serve(g, wakes);
    } while (hocket__guard_unlock(g->guard) && hocket__guard_lock_or_defer(g->guard));
    (void)hk_sub(g->busy, 1);
}

static inline void hocket__gate_enter(const struct hocket__gate *g)
{
    (void)hk_add(g->busy, 1);
    hocket__guard_lock(g->guard);
}

/* The opener, after busy + 1 and publishing. */
static inline void hocket__gate_open(const struct hocket__gate *g)
{
    struct hocket__wakes wakes = { NULL, NULL };
    if (hocket__guard_lock_or_defer(g->guard))
        hocket__gate_leave(g, &wakes);
    else
        (void)hk_sub(g->busy, 1);
    hocket__wakes_run(&wakes);
}

/* Before a waiter that got through returns. */
static inline void hocket__gate_passed(const _Atomic uint32_t *busy)
{
    for (unsigned turn = 0; hk_load_acq(busy) != 0; turn++)
        hocket__spin_brief(turn);
}

/*
 * Wait in the queue.  Entered, with WAITERS set; `wakes` are completed first.
 * 0, -ETIMEDOUT, -ECANCELED.
 */
int hocket__gate_wait(const struct hocket__gate *g, hocket_task *self, hocket_time deadline,
                      struct hocket__wakes *wakes);

/* `serve` of event and latch: on a pulse everybody passes. */
void hocket__gate_serve_pulse(const struct hocket__gate *g, struct hocket__wakes *wakes);

/* The whole wait of event and latch, open while is_open(word). */
int hocket__gate_wait_open(const struct hocket__gate *g, bool (*is_open)(uint32_t word),
                           hocket_task *self, hocket_time deadline);

/*
 * An event as one of several things to wait for.  enroll: true if it is set; otherwise `node` is
 * linked, and leave must follow, with whether it was this node that was served.
 */
bool hocket__event_enroll(void *event, struct hocket__waiter *node);
void hocket__event_leave(void *event, struct hocket__waiter *node, bool served);

/* Under the guard, with an empty queue. */
static inline void hocket__gate_no_waiters(const struct hocket__gate *g)
{
    if (hk_load(g->word) & HOCKET__GATE_WAITERS)
        (void)hk_and(g->word, ~HOCKET__GATE_WAITERS);
}

#endif
