/* SPDX-License-Identifier: MIT */
/*
 * rwlock - see hocket/rwlock.h
 *
 * The word:
 *
 *   WRITER   somebody writes, and COUNT is the lock_id of that task
 *   COUNT    28 bits; without WRITER: how many read
 *   WAITERS  the queue is not empty; set and cleared under the guard.  While it is set only
 *            those who read already may read again.
 *
 * Whoever gives the lock up with WAITERS set hands it over, under the guard: to the first
 * writer, or to all readers in front of the first writer.  So the lock is never free while
 * somebody waits, and the front of the queue is a writer whenever the lock is read:
 * one that leaves the front lets the readers behind it in.
 *
 * To hand over, the last reader first turns its hold into WRITER with its own id, so that
 * nobody joins it meanwhile.  The last access of an unlock is its CAS, or the release of
 * the guard before the new holders are completed (as in sync/lock.h).
 *
 * Memory order: the CAS that takes acquires, the CAS or store that gives up releases; hand-overs also
 * pass through claim and complete.
 */
#include <hocket/rwlock.h>

#include <errno.h>

#include <hocket/detail/fast.h>

#include "park/spin.h"
#include "sync/held.h"
#include "sync/order.h"
#include "sync/sync.h"

#define WRITER  0x80000000u
#define WAITERS 0x40000000u
#define COUNT   HOCKET__LOCK_OWNER

enum { READ = 0, WRITE = 1 }; /* also the tag of a node */

/* Searching all records for readers takes time: up to so many only. */
#define SEARCH_MAX 4096u

static _Atomic uint32_t *word_of(const hocket_rwlock *l)
{
    return hk_word32((uintptr_t)&l->hocket__word);
}

static bool reads(const hocket_task *task, const hocket_rwlock *l)
{
    return hocket__held_has(task, l) == HOCKET__HELD_YES;
}

/* ---- who must act before a waiter can go on ---- */

/* The i-th task that reads, of those whose record says so. */
static uint32_t reader_at(const hocket_rwlock *l, unsigned i)
{
    uint32_t limit = hocket__record_limit();
    if (limit > SEARCH_MAX)
        return HOCKET__HOLDER_UNKNOWN;
    for (uint32_t slot = 1; slot < limit; slot++) {
        hocket_task *t = hocket__record_at(slot);
        if (t && hk_load(&t->id) && hocket__held_lists(t, l) && i-- == 0)
            return slot;
    }
    return 0;
}

static uint32_t write_holder(const void *object, unsigned i)
{
    const hocket_rwlock *l = object;
    uint32_t word = hk_load_acq(word_of(l));
    if (word & WRITER)
        return i == 0 ? word & COUNT : 0;
    return reader_at(l, i);
}

/* A reader waits for the writer, or behind a writer that waits. */
static uint32_t read_holder(const void *object, unsigned i)
{
    hocket_rwlock *l = (hocket_rwlock *)(uintptr_t)object;
    uint32_t word = hk_load_acq(word_of(l)), slot = 0;
    if (i > 0)
        return 0;
    if (word & WRITER)
        return word & COUNT;
    hocket__guard_lock(HOCKET__GUARD_OF(l));
    struct hocket__waiter *first = hocket__queue_first(HOCKET__HEAD(l));
    if (first && first->tag == WRITE)
        slot = first->task->slot;
    hocket__guard_unlock(HOCKET__GUARD_OF(l));
    return slot;
}

static const struct hocket__wait_class read_class = { "rwlock", read_holder };
static const struct hocket__wait_class write_class = { "rwlock", write_holder };

/* ---- taking ---- */

/* The books of the task that has just got in. */
static void took(hocket_rwlock *l, hocket_task *self, int how)
{
    hocket__fast_hold();
    if (how == READ)
        hocket__held_add(self, l);
    if (l->hocket__class)
        hocket__held_add(self, hocket__held_class(l->hocket__class));
}

/* 0, -EAGAIN, -EOVERFLOW.  Who may read already passes waiting writers. */
static int try_read(hocket_rwlock *l, hocket_task *self)
{
    bool again = hocket__held_has(self, l) != HOCKET__HELD_NO;
    uint32_t word = hk_load(word_of(l));
    while (!(word & WRITER) && (!(word & WAITERS) || again)) {
        if ((word & COUNT) == COUNT)
            return -EOVERFLOW;
        if (hk_cas(word_of(l), &word, word + 1)) {
            took(l, self, READ);
            return 0;
        }
    }
    return -EAGAIN;
}

static int try_write(hocket_rwlock *l, hocket_task *self)
{
    uint32_t word = 0;
    if (!hk_cas(word_of(l), &word, WRITER | self->slot))
        return -EAGAIN;
    took(l, self, WRITE);
    return 0;
}

static int try_how(hocket_rwlock *l, hocket_task *self, int how)
{
    return how == READ ? try_read(l, self) : try_write(l, self);
}

/* ---- handing over; under the guard ---- */

/* Let the readers at the front in; how many. */
static uint32_t claim_readers(struct hocket__link **head, struct hocket__wakes *wakes)
{
    uint32_t n = 0;
    struct hocket__waiter *node;
    while ((node = hocket__queue_first(head)) != NULL && node->tag == READ) {
        hocket__queue_remove(head, &node->link);
        if (hocket__claim(node->task)) {
            hocket__wakes_add(wakes, node->task);
            n++;
        }
    }
    return n;
}

/* The word for whoever comes next, 0 if nobody does. */
static uint32_t claim_next(struct hocket__link **head, struct hocket__wakes *wakes)
{
    while (*head) {
        uint32_t n = claim_readers(head, wakes);
        if (n)
            return n | (*head ? WAITERS : 0);
        struct hocket__waiter *writer = hocket__queue_first(head);
        if (!writer)
            break;
        hocket__queue_remove(head, &writer->link);
        if (hocket__claim(writer->task)) {
            hocket__wakes_add(wakes, writer->task);
            return WRITER | writer->task->slot | (*head ? WAITERS : 0);
        }
    }
    return 0;
}

/*
 * Give up a hold that is the last one, with WAITERS set.  False if it no longer was both, or
 * nobody could be claimed: then WAITERS is clear and the caller still holds.
 */
static bool hand_over(hocket_rwlock *l, hocket_task *self)
{
    struct hocket__wakes wakes = { NULL, NULL };
    struct hocket__link **head = HOCKET__HEAD(l);
    hocket__guard_lock(HOCKET__GUARD_OF(l));
    uint32_t word = hk_load(word_of(l)), kept = word & ~WAITERS;
    uint32_t alone = WRITER | self->slot | WAITERS;
    if (!(word & WAITERS) || (!(word & WRITER) && (word & COUNT) != 1) ||
        !hk_cas(word_of(l), &word, alone)) {
        hocket__guard_unlock(HOCKET__GUARD_OF(l));
        return false;
    }
    uint32_t next = claim_next(head, &wakes);
    hk_store_rel(word_of(l), next ? next : kept);
    hocket__guard_unlock(HOCKET__GUARD_OF(l));
    hocket__wakes_run(&wakes);
    return next != 0;
}

/* The wait ended by deadline or cancel. */
static void leave_queue(hocket_rwlock *l, struct hocket__waiter *node)
{
    struct hocket__wakes wakes = { NULL, NULL };
    struct hocket__link **head = HOCKET__HEAD(l);
    hocket__guard_lock(HOCKET__GUARD_OF(l));
    hocket__queue_forget(head, node);
    /* Readers that are at the front now were kept by this writer alone. */
    if (!(hk_load(word_of(l)) & WRITER)) {
        uint32_t n = claim_readers(head, &wakes);
        (void)hk_add(word_of(l), n);
    }
    if (!*head)
        (void)hk_and(word_of(l), ~WAITERS);
    hocket__guard_unlock(HOCKET__GUARD_OF(l));
    hocket__wakes_run(&wakes);
}

/* ---- waiting ---- */

/* Under the guard: get in, or make sure that whoever gives it up looks at the queue. */
static int try_or_mark(hocket_rwlock *l, hocket_task *self, int how)
{
    for (;;) {
        int err = try_how(l, self, how);
        uint32_t word = hk_load(word_of(l));
        if (err != -EAGAIN || (word & WAITERS))
            return err;
        if (word != 0 && (how == WRITE || (word & WRITER)) &&
            hk_cas(word_of(l), &word, word | WAITERS))
            return err;
    }
}

static int wait_for(hocket_rwlock *l, hocket_task *self, int how, hocket_time deadline, bool cancel)
{
    struct hocket__waiter node;
    hocket__guard_lock(HOCKET__GUARD_OF(l));
    int err = try_or_mark(l, self, how);
    if (err != -EAGAIN) {
        hocket__guard_unlock(HOCKET__GUARD_OF(l));
        return err;
    }
    hocket__sync_begin(&node, self, how == READ ? &read_class : &write_class, l, cancel);
    node.tag = (uint32_t)how;
    hocket__queue_push(HOCKET__HEAD(l), &node.link);
    hocket__guard_unlock(HOCKET__GUARD_OF(l));
    err = hocket__wait_park(self, deadline);
    if (err)
        leave_queue(l, &node);
    hocket__wait_end(self);
    if (err == 0)
        took(l, self, how);
    return err;
}

static int take_or_wait(hocket_rwlock *l, hocket_task *self, int how, hocket_time deadline,
                        bool cancel, const char *function)
{
    int err = cancel ? hocket__cancel_point(self) : 0;
    if (err)
        return err;
    if (l->hocket__class && deadline > HOCKET_NOW)
        hocket__order_learn(self, l->hocket__class, function, l);
    struct hocket__spin turns = hocket__spin_start(self);
    do {
        err = try_how(l, self, how);
        if (err != -EAGAIN)
            return err;
        if (deadline <= HOCKET_NOW)
            return -ETIMEDOUT;
        uint32_t word = hk_load(word_of(l));
        if (word == (WRITER | self->slot) || word == (WRITER | WAITERS | self->slot) ||
            (how == WRITE && reads(self, l))) {
            if (cancel)
                return -EDEADLK;
            hocket__panic("%s: rwlock %p is held by the caller already", function, (void *)l);
        }
    } while (!(hk_load(word_of(l)) & WAITERS) && hocket__spin_turn(&turns));
    return wait_for(l, self, how, deadline, cancel);
}

static int64_t event_of(int how, bool try)
{
    return (how == READ ? HOCKET__LOCK_SHARED : HOCKET__LOCK_EXCLUSIVE) |
           (try ? HOCKET__LOCK_TRY : 0);
}

static int take(hocket_rwlock *l, int how, hocket_time deadline, bool cancel, const char *function)
{
    hocket_task *self = hocket__self_must(function);
    hocket__watch(HOCKET__EVENT_WANT, self, l, event_of(how, deadline <= HOCKET_NOW));
    int err = take_or_wait(l, self, how, deadline, cancel, function);
    if (err == 0)
        hocket__watch(HOCKET__EVENT_TAKEN, self, l, event_of(how, deadline <= HOCKET_NOW));
    return err;
}

static int try_once(hocket_rwlock *l, int how, const char *function)
{
    hocket_task *self = hocket__self_must(function);
    hocket__watch(HOCKET__EVENT_WANT, self, l, event_of(how, true));
    int err = try_how(l, self, how);
    if (err == 0)
        hocket__watch(HOCKET__EVENT_TAKEN, self, l, event_of(how, true));
    return err;
}

/* ---- the public functions ---- */

void hocket_rwlock_init(hocket_rwlock *lock, hocket_lock_class *lock_class)
{
    *lock = (hocket_rwlock){ 0, 0, NULL, lock_class };
    hocket__watch(HOCKET__EVENT_FORGET, NULL, lock, 0);
}

void hocket_rwlock_destroy(hocket_rwlock *lock)
{
    uint32_t word = hk_load_acq(word_of(lock));
    char name[HOCKET_NAME_MAX];
    if (word & WRITER)
        hocket__panic("hocket_rwlock_destroy: rwlock %p is held by task %s", (void *)lock,
                      hocket__slot_name(word & COUNT, name, sizeof name));
    if (word & COUNT) {
        uint32_t reader = reader_at(lock, 0);
        hocket__panic(
            "hocket_rwlock_destroy: rwlock %p is read by %u task(s), %s among them", (void *)lock,
            word & COUNT,
            hocket__slot_name(reader ? reader : HOCKET__HOLDER_UNKNOWN, name, sizeof name));
    }
    hocket__destroy_check("hocket_rwlock_destroy", "rwlock", lock, HOCKET__GUARD_OF(lock),
                          HOCKET__HEAD(lock));
    hocket__watch(HOCKET__EVENT_FORGET, NULL, lock, 0);
}

void hocket_rwlock_rdlock(hocket_rwlock *lock)
{
    if (take(lock, READ, HOCKET_FOREVER, false, "hocket_rwlock_rdlock"))
        hocket__panic("hocket_rwlock_rdlock: rwlock %p has too many readers", (void *)lock);
}

void hocket_rwlock_wrlock(hocket_rwlock *lock)
{
    (void)take(lock, WRITE, HOCKET_FOREVER, false, "hocket_rwlock_wrlock");
}

int hocket_rwlock_rdlock_until(hocket_rwlock *lock, hocket_time deadline)
{
    return take(lock, READ, deadline, true, "hocket_rwlock_rdlock_until");
}

int hocket_rwlock_wrlock_until(hocket_rwlock *lock, hocket_time deadline)
{
    return take(lock, WRITE, deadline, true, "hocket_rwlock_wrlock_until");
}

int hocket_rwlock_tryrdlock(hocket_rwlock *lock)
{
    return try_once(lock, READ, "hocket_rwlock_tryrdlock");
}

int hocket_rwlock_trywrlock(hocket_rwlock *lock)
{
    return try_once(lock, WRITE, "hocket_rwlock_trywrlock");
}

int hocket_rwlock_unlock_checked(hocket_rwlock *lock)
{
    hocket_task *self = hocket__self_attach();
    uint32_t word = hk_load(word_of(lock));
    if (!self || (word & COUNT) == 0)
        return -EPERM;
    if (word & WRITER ? (word & COUNT) != self->slot : !hocket__held_remove(self, lock))
        return -EPERM;
    hocket__watch(HOCKET__EVENT_GIVE, self, lock, event_of(word & WRITER ? WRITE : READ, false));
    if (lock->hocket__class)
        (void)hocket__held_remove(self, hocket__held_class(lock->hocket__class));
    hocket__fast_drop();
    word = hk_load(word_of(lock));
    for (;;) {
        uint32_t next = word & WRITER ? word & WAITERS : word - 1;
        if ((next & ~WAITERS) == 0 && (word & WAITERS)) {
            if (hand_over(lock, self))
                return 0;
            word = hk_load(word_of(lock));
        } else if (hk_cas(word_of(lock), &word, next)) {
            return 0;
        }
    }
}

void hocket_rwlock_unlock(hocket_rwlock *lock)
{
    if (hk_likely(hocket_rwlock_unlock_checked(lock) == 0))
        return;
    uint32_t word = hk_load(word_of(lock));
    char name[HOCKET_NAME_MAX];
    if (word & WRITER)
        hocket__panic("hocket_rwlock_unlock: rwlock %p is held by task %s, not by the caller",
                      (void *)lock, hocket__slot_name(word & COUNT, name, sizeof name));
    hocket__panic("hocket_rwlock_unlock: rwlock %p is not held by the caller", (void *)lock);
}

bool hocket_rwlock_locked(const hocket_rwlock *lock)
{
    return (hk_load_acq(word_of(lock)) & COUNT) != 0;
}

bool hocket_rwlock_write_locked(const hocket_rwlock *lock)
{
    return (hk_load_acq(word_of(lock)) & WRITER) != 0;
}

uint32_t hocket_rwlock_readers(const hocket_rwlock *lock)
{
    uint32_t word = hk_load_acq(word_of(lock));
    return word & WRITER ? 0 : word & COUNT;
}

uint64_t hocket_rwlock_owner(const hocket_rwlock *lock)
{
    uint32_t word = hk_load_acq(word_of(lock));
    return word & WRITER ? hocket__slot_id(word & COUNT) : 0;
}
