/* SPDX-License-Identifier: MIT */
/*
 * thread - how an OS thread waits
 *
 * Waking a sleeping thread costs 12-25 us, a hand-off to a spinning one 0.1 us.
 * So a thread spins for a moment first, as long as that has been paying:
 * `spin_luck` counts up when a wait ended while spinning and down when not, and with
 * one CPU nobody spins.  Then it sleeps on its wait word until the word is an outcome.
 */
#include "park/thread.h"

#include <errno.h>

#include "park/wait.h"
#include "sys/context.h"
#include "sys/sys.h"

#define SPIN_ROUNDS 64 /* pauses a unit of luck: about 2 us on current processors */
#define LUCK_MAX    8
#define LUCK_START  2

bool (*_Atomic hocket__drive)(hocket_task *self, hocket_time deadline);
bool (*_Atomic hocket__drive_wanted)(hocket_task *self);
_Atomic(hocket_task *) hocket__driver;
void (*_Atomic hocket__driver_wake)(void);
void (*_Atomic hocket__thread_slept)(void);

static _Atomic int asleep; /* threads that go_to_sleep; changed before the seat is looked at */

static bool undecided(uint32_t s)
{
    return s == HOCKET__WAITING || s == HOCKET__WAITING_C;
}

static bool many_cpus(void)
{
    static _Atomic int cpus;
    int n = hk_load(&cpus);
    if (n == 0) {
        n = hocket__cpu_mask(); /* not cpu_count: the caller may stand deep in a small stack */
        hk_store(&cpus, n);
    }
    return n > 1;
}

static bool thread_spin(hocket_task *self)
{
    (void)self;
    return many_cpus();
}

/* True once the word is no longer WAITING*. */
static bool spin(hocket_task *self)
{
    if (!many_cpus())
        return false;
    unsigned luck = self->spin_luck ? self->spin_luck - 1u : LUCK_START;
    unsigned rounds = (luck + 1) * SPIN_ROUNDS;
    for (unsigned i = 0; i < rounds; i++) {
        if (!undecided(hk_load_acq(&self->wait_state))) {
            self->spin_luck = (uint8_t)(1 + (luck < LUCK_MAX ? luck + 1 : LUCK_MAX));
            return true;
        }
        hk_spin_pause();
    }
    self->spin_luck = (uint8_t)(1 + luck / 2);
    return false;
}

/* True once the wait is decided; false if the word went back to WAITING*: reconsider. */
static bool sleep_until_decided(hocket_task *self, hocket_time deadline)
{
    for (;;) {
        uint32_t s = hk_load_acq(&self->wait_state); /* pairs with complete and decide */
        bool claimed = s == HOCKET__CLAIMED_PARKED;
        if (!claimed && s != HOCKET__PARKED && s != HOCKET__PARKED_C)
            return !undecided(s);
        int err = hocket__futex_wait(&self->wait_state, s, claimed ? HOCKET_FOREVER : deadline);
        if (err == -ETIMEDOUT && !claimed)
            (void)hk_cas(&self->wait_state, &s, HOCKET__TIMEDOUT);
    }
}

static void thread_ready(hocket_task *task)
{
    /* The thread may be gone and the record another's by now: a stray wake does no harm. */
    (void)hocket__futex_wake(&task->wait_state, 1);
    if (hk_unlikely(hk_load_sc(&hocket__driver) == task)) { /* published before PARKED was */
        void (*wake)(void) = hk_load_acq(&hocket__driver_wake);
        if (wake)
            wake();
    }
}

bool hocket__thread_unpark(hocket_task *t)
{
    uint32_t s = hk_load_acq(&t->wait_state);
    return (s == HOCKET__PARKED && hk_cas_sc(&t->wait_state, &s, HOCKET__WAITING)) ||
           (s == HOCKET__PARKED_C && hk_cas_sc(&t->wait_state, &s, HOCKET__WAITING_C));
}

/*
 * The seat is empty: let the threads that wait look again.  One that is just going to
 * sleep looks by itself, after it has published PARKED and counted itself.
 */
void hocket__thread_reconsider(void)
{
    if (hk_load_sc(&asleep) == 0)
        return;
    for (uint32_t slot = 1, limit = hocket__record_limit(); slot < limit; slot++) {
        hocket_task *t = hocket__record_at(slot);
        if (hk_load_acq(&t->id) && hk_load(&t->kind) != HOCKET__FIBER && hocket__thread_unpark(t))
            thread_ready(
                t); /* it may have taken the seat meanwhile: then it comes out and in again */
    }
}

/* Off the CPU until decided.  False: reconsider. */
static bool go_to_sleep(hocket_task *self, hocket_time deadline)
{
    struct hocket__context here; /* next to nothing beside the sleep, as is the clock */
    hocket__context_save(&here);
    hk_store_rel(&self->context, &here); /* pairs with onlookers; they check it afterwards */
    uint32_t s = hk_load_acq(&self->wait_state);
    while (undecided(s)) {
        uint32_t off = s == HOCKET__WAITING ? HOCKET__PARKED : HOCKET__PARKED_C;
        if (!hk_cas_sc(&self->wait_state, &s, off))
            continue;
        (void)hk_add(&asleep, 1);
        bool (*wanted)(hocket_task *) = hk_load_acq(&hocket__drive_wanted);
        bool reconsider = wanted && wanted(self) && hocket__thread_unpark(self);
        void (*slept)(void) = hk_load_acq(&hocket__thread_slept);
        if (slept && deadline == HOCKET_FOREVER && !reconsider)
            slept();
        hk_store(&self->wait_since, hocket__clock_coarse());
        bool decided = !reconsider && sleep_until_decided(self, deadline);
        hk_store(&self->context, NULL);
        (void)hk_sub(&asleep, 1);
        return decided;
    }
    hk_store(&self->context, NULL);
    return true;
}

static void thread_park(hocket_task *self, hocket_time deadline)
{
    for (;;) {
        bool (*drive)(hocket_task *, hocket_time) = hk_load_acq(&hocket__drive);
        if (drive && drive(self, deadline)) {
            if (undecided(hk_load_acq(&self->wait_state)))
                continue;
            break;
        }
        if (spin(self) || go_to_sleep(self, deadline))
            break;
    }
    while (hk_load_acq(&self->wait_state) == HOCKET__CLAIMED_WAITING) {
        hk_spin_pause();
        if (hk_load_acq(&self->wait_state) == HOCKET__CLAIMED_WAITING)
            hocket__thread_yield(); /* the waker was preempted between claim and complete */
    }
}

static int thread_yield(hocket_task *self)
{
    (void)self;
    hocket__thread_yield();
    return 0;
}

const struct hocket__task_ops hocket__thread_ops = {
    .park = thread_park, .ready = thread_ready, .yield = thread_yield, .spin = thread_spin
};
