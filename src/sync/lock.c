/* SPDX-License-Identifier: MIT */
/* lock - see sync/lock.h for the word and the protocol. */
#include "sync/lock.h"

#include <errno.h>

#include "park/spin.h"
#include "sync/held.h"
#include "sync/order.h"

#define OWNER   HOCKET__LOCK_OWNER
#define UNOWNED HOCKET__LOCK_UNOWNED
#define CLASSED HOCKET__LOCK_CLASSED
#define WAITERS HOCKET__LOCK_WAITERS

#define YIELDS_A_LOOK  3
#define HANDOVER_US    1000
#define HANDOVER_TICKS ((int64_t)HANDOVER_US * HOCKET__SPIN_TICKS_PER_US)

struct lock_waiter {
    struct hocket__waiter node; /* done: it was handed the lock */
    int64_t since;              /* ticks; when it first queued, or see sync/lock.h */
};

static uint32_t lock_holder(const void *object, unsigned i)
{
    const hocket_mutex *m = object;
    uint32_t word = hk_load_acq(hk_word32(&m->hocket__word));
    if (word & UNOWNED)
        return HOCKET__HOLDER_UNKNOWN;
    return i == 0 ? word & OWNER : 0;
}

const struct hocket__wait_class hocket__mutex_class = { "mutex", lock_holder };
const struct hocket__wait_class hocket__rmutex_class = { "rmutex", lock_holder };

static _Atomic uint32_t *word_of(hocket_mutex *m)
{
    return hk_word32(&m->hocket__word);
}

/* The books of the task that has just become the owner. */
static void took(hocket_mutex *m, uint32_t word, hocket_task *self)
{
    if (word & UNOWNED)
        return;
    hocket__fast_hold();
    if (word & CLASSED)
        hocket__held_add(self, hocket__held_class(m->hocket__class));
}

/* Take a free lock. */
static bool take(hocket_mutex *m, hocket_task *self)
{
    uint32_t word = hk_load(word_of(m));
    while (!(word & OWNER)) {
        if (hk_cas(word_of(m), &word, word | hocket__lock_id(word, self))) {
            took(m, word, self);
            return true;
        }
    }
    return false;
}

bool hocket__lock_try(hocket_mutex *m, hocket_task *self)
{
    hocket__watch(HOCKET__EVENT_WANT, self, m, HOCKET__LOCK_TRY);
    bool taken = take(m, self);
    if (taken)
        hocket__watch(HOCKET__EVENT_TAKEN, self, m, HOCKET__LOCK_TRY);
    return taken;
}

/* Under the guard: take it, or make sure that the owner's unlock looks at the queue. */
static bool take_or_mark(hocket_mutex *m, hocket_task *self)
{
    uint32_t word = hk_load(word_of(m));
    for (;;) {
        bool free = !(word & OWNER);
        uint32_t next = word | (free ? hocket__lock_id(word, self) : WAITERS);
        if (!hk_cas(word_of(m), &word, next))
            continue;
        if (free)
            took(m, word, self);
        return free;
    }
}

/*
 * A look takes the line away from the holder, who could lock and unlock dozens of times until it has it
 * back.  So of the turns that let others run only every third is followed by one.
 */
static bool spin_on(struct hocket__spin *turns)
{
    bool more = hocket__spin_turn(turns);
    for (int i = 1; i < YIELDS_A_LOOK && turns->round > HOCKET__SPIN_PAUSES; i++)
        (void)hocket__spin_turn(turns);
    return more;
}

/* Spin for a lock that nobody sleeps for; those who sleep should not be overtaken by it. */
static bool spin(hocket_mutex *m, hocket_task *self)
{
    struct hocket__spin turns = hocket__spin_start(self);
    do {
        if (take(m, self))
            return true;
    } while (!(hk_load(word_of(m)) & WAITERS) && spin_on(&turns));
    return false;
}

/* The wait ended by deadline or cancel. */
static void leave_queue(hocket_mutex *m, struct lock_waiter *w)
{
    hocket__guard *guard = HOCKET__GUARD_OF(m);
    struct hocket__link **head = HOCKET__HEAD(m);
    hocket__guard_lock(guard);
    hocket__queue_forget(head, &w->node);
    if (!*head)
        (void)hk_and(word_of(m), ~WAITERS);
    hocket__guard_unlock(guard);
}

/* The part behind a failed try: spin, queue, park, until it has the lock or may not wait on. */
static int wait_for_lock(hocket_mutex *m, hocket_task *self, hocket_time deadline, bool cancel,
                         const struct hocket__lock_call *call)
{
    struct lock_waiter w;
    bool again = false; /* it was woken before and came too late */
    for (;;) {
        if (spin(m, self))
            return 0;
        hocket__guard_lock(HOCKET__GUARD_OF(m));
        if (take_or_mark(m, self)) {
            hocket__guard_unlock(HOCKET__GUARD_OF(m));
            return 0;
        }
        hocket__sync_begin(&w.node, self, call->waiting, m, cancel);
        if (again) {
            hocket__queue_push_front(HOCKET__HEAD(m), &w.node.link);
        } else {
            w.since = hocket__spin_ticks();
            hocket__queue_push(HOCKET__HEAD(m), &w.node.link);
        }
        hocket__guard_unlock(HOCKET__GUARD_OF(m));

        int err = hocket__wait_park(self, deadline);
        if (err)
            leave_queue(m, &w);
        hocket__wait_end(self);
        if (err)
            return err;
        if (w.node.done) {
            took(m, hk_load(word_of(m)), self);
            return 0;
        }
        again = true;
    }
}

static int lock_take(hocket_mutex *m, hocket_task *self, hocket_time deadline, bool cancel,
                     const struct hocket__lock_call *call)
{
    int err = cancel ? hocket__cancel_point(self) : 0;
    if (err)
        return err;
    uint32_t word = hk_load(word_of(m));
    if (hk_unlikely(word & CLASSED) && deadline > HOCKET_NOW)
        hocket__order_learn(self, m->hocket__class, call->function, m);
    if (take(m, self))
        return 0;
    if (deadline <= HOCKET_NOW)
        return -ETIMEDOUT;
    word = hk_load(word_of(m));
    if (!(word & UNOWNED) && (word & OWNER) == self->slot) {
        if (cancel)
            return -EDEADLK;
        hocket__panic("%s: %s %p is held by the caller already", call->function,
                      call->waiting->name, (void *)m);
    }
    return wait_for_lock(m, self, deadline, cancel, call);
}

int hocket__lock_take(hocket_mutex *m, hocket_task *self, hocket_time deadline, bool cancel,
                      const struct hocket__lock_call *call)
{
    int64_t how = deadline <= HOCKET_NOW ? HOCKET__LOCK_TRY : HOCKET__LOCK_EXCLUSIVE;
    hocket__watch(HOCKET__EVENT_WANT, self, m, how);
    int err = lock_take(m, self, deadline, cancel, call);
    if (err == 0)
        hocket__watch(HOCKET__EVENT_TAKEN, self, m, how);
    return err;
}

/* Make the first waiter the owner, or wake it to try.  Under the guard, which is released. */
static bool pass_on(hocket_mutex *m)
{
    struct hocket__link **head = HOCKET__HEAD(m);
    struct hocket__waiter *first = hocket__queue_claim(head);
    uint32_t word = hk_load(word_of(m)); /* only we change it while we own it and hold the guard */
    if (!first) {
        hk_store(word_of(m), word & ~WAITERS);
        hocket__guard_unlock(HOCKET__GUARD_OF(m));
        return false;
    }
    struct lock_waiter *w = hk_container_of(first, struct lock_waiter, node);
    int64_t now = hocket__spin_ticks();
    uint32_t next = word & (UNOWNED | CLASSED);
    if (*head)
        next |= WAITERS;
    if (now - w->since >= HANDOVER_TICKS) {
        next |= hocket__lock_id(word, first->task);
        first->done = 1;
        struct hocket__waiter *second = hocket__queue_first(head);
        struct lock_waiter *w2 = second ? hk_container_of(second, struct lock_waiter, node) : NULL;
        if (w2 && w2->since < now - HANDOVER_TICKS / 2)
            w2->since = now - HANDOVER_TICKS / 2;
    }
    hocket_task *task = first->task;
    hk_store_rel(word_of(m), next); /* pairs with the CAS of who takes it */
    hocket__guard_unlock(HOCKET__GUARD_OF(m));
    hocket__complete(task);
    return true;
}

void hocket__lock_release(hocket_mutex *m, hocket_task *self)
{
    hocket__watch(HOCKET__EVENT_GIVE, self, m, HOCKET__LOCK_EXCLUSIVE);
    uint32_t word = hk_load(word_of(m));
    if (!(word & UNOWNED)) {
        hocket__fast_drop();
        if (word & CLASSED)
            (void)hocket__held_remove(self, hocket__held_class(m->hocket__class));
    }
    for (;;) {
        while (!(word & WAITERS))
            if (hk_cas(word_of(m), &word, word & ~OWNER))
                return;
        hocket__guard_lock(HOCKET__GUARD_OF(m));
        if (pass_on(m))
            return;
        word = hk_load(word_of(m));
    }
}

void hocket__lock_destroy(hocket_mutex *m, const struct hocket__lock_call *call)
{
    uint32_t word = hk_load_acq(word_of(m));
    char name[HOCKET_NAME_MAX];
    if (word & OWNER)
        hocket__panic(
            "%s: %s %p is held by task %s", call->function, call->waiting->name, (void *)m,
            word & UNOWNED ? "(unowned)" : hocket__slot_name(word & OWNER, name, sizeof name));
    hocket__destroy_check(call->function, call->waiting->name, m, HOCKET__GUARD_OF(m),
                          HOCKET__HEAD(m));
    hocket__watch(HOCKET__EVENT_FORGET, NULL, m, 0);
}
