/* SPDX-License-Identifier: MIT */
/*
 * quiet - see sched/quiet.h
 *
 * Nothing is stopped for the proof.  All is read twice, and what was found asleep both times without
 * having moved (wait_seq of a task, activity of a worker) was asleep in between.  There, in
 * between, the threads of the process are counted: if those that were found asleep are all
 * that there are, nobody was awake at that moment, and only somebody who is awake
 * could change that.
 *
 *   task      parked, without a deadline (that of a scope included); or joins its child in place
 *   thread    its record is parked; the one on the seat too, and then the seat is asleep as well
 *   worker    asleep or spare, queue empty, no deadline in its heap
 *   helper    idle, no job queued; the poller: nobody waits for a descriptor
 *   monitor   is the one who looks
 *
 * A thread of the process that is none of these, be it the program's own that never called the
 * library, makes the count differ: no claim.  One that has just ended is still
 * counted by the kernel for a moment, so a count that is too large is looked at again, TRIES times.
 *
 * Memory order: a task stores its wait_seq before it is PARKED, and `pass` reads that with acquire.
 * hocket__quiet_poke stores `wanted` after its thread is PARKED, hocket__quiet_turn clears it
 * before it looks, both sequentially consistent: either the look sees the thread, or another one follows.
 */
#include "sched/quiet.h"

#include "base/hash.h"
#include "park/forked.h"
#include "sched/worker.h"
#include "sys/census.h"

#define TRIES 12

enum verdict { NOT_QUIET, TOO_MANY_THREADS, QUIET };

struct census {
    uint64_t digest;  /* of who sleeps in which wait */
    unsigned threads; /* that were seen asleep */
    unsigned tasks;
    bool for_cancel; /* a task sleeps until it is cancelled */
};

bool (*hocket__sched_outside)(bool for_cancel);
void (*hocket__sched_quiescent)(void);

static _Atomic bool wanted;
/* Of whoever looks: the monitor or the seat, never both. */
static bool proved, possible;
static unsigned tries;
static hocket_time next_look;

static bool is_parked(uint32_t state)
{
    return state == HOCKET__PARKED || state == HOCKET__PARKED_C;
}

/* False if the task is not asleep for ever. */
static bool count_task(struct census *c, hocket_task *t)
{
    uint32_t state = hk_load_acq(&t->wait_state); /* pairs with the store of PARKED */
    const struct hocket__wait_class *cls = hk_load_acq(&t->wait_class);
    bool fiber = hk_load(&t->kind) == HOCKET__FIBER;
    bool in_place = fiber && state == HOCKET__IDLE && cls != NULL;
    if (!is_parked(state) && !in_place)
        return false;
    if (hk_load(&t->wait_deadline) != HOCKET_FOREVER)
        return false;
    c->for_cancel |= state == HOCKET__PARKED_C && cls == &hocket__sleep_class;
    c->threads += !fiber;
    c->tasks++;
    c->digest = hocket__hash_mix(hocket__hash_mix(c->digest, t->slot), hk_load(&t->wait_seq));
    return true;
}

static bool count_worker(struct census *c, struct hocket__worker *w)
{
    if (hk_load(&w->timers.first) != HOCKET_FOREVER || hocket__runq_depth(&w->q) > 0)
        return false;
    if (hk_load(&w->is_seat)) {
        if (hk_load(&w->driver) == NULL)
            return true;
    } else if (!hk_load(&w->started) || hk_load_acq(&w->gone)) {
        return true;
    } else {
        c->threads++; /* the seat's is that of its driver */
    }
    c->digest = hocket__hash_mix(c->digest, hk_load(&w->activity));
    return hk_load_acq(&w->sleep) == HOCKET__ASLEEP;
}

static bool pass(struct census *c)
{
    struct hocket__runtime *rt = &hocket__rt;
    *c = (struct census){ .threads = hk_load(&rt->threads) + hk_load(&hocket__side_threads) };
    if (hk_load_acq(&rt->inject) || hk_load(&rt->interrupted) || hk_load(&rt->stopping))
        return false;
    for (int i = 0, n = hk_load_acq(&rt->count); i < n; i++)
        if (!count_worker(c, hk_load_acq(&rt->workers[i])))
            return false;
    for (uint32_t slot = 1, limit = hocket__record_limit(); slot < limit; slot++) {
        hocket_task *t = hocket__record_at(slot);
        bool alive = hk_load_acq(&t->id) != 0 &&
                     !(hocket__life(t) & (HOCKET__LIFE_HELD | HOCKET__LIFE_DONE));
        if (alive && !count_task(c, t))
            return false;
    }
    return c->tasks > 0 && hocket__blocking_quiet(&c->threads) && hocket__poll_quiet(&c->threads);
}

static enum verdict look(void)
{
    struct census before, after;
    hk_fence_sc();
    if (!pass(&before))
        return NOT_QUIET;
    int threads = hocket__os_threads();
    if (threads < 0 || hocket__sched_outside(before.for_cancel))
        return NOT_QUIET;
    hk_fence_sc();
    if (!pass(&after) || after.digest != before.digest || after.threads != before.threads)
        return NOT_QUIET;
    if ((unsigned)threads != before.threads)
        return (unsigned)threads > before.threads ? TOO_MANY_THREADS : NOT_QUIET;
    return QUIET;
}

hocket_time hocket__quiet_turn(bool fresh)
{
    if (proved || !possible)
        return HOCKET_FOREVER;
    hocket_time now = hocket__clock();
    if (fresh || hk_load(&wanted))
        tries = 0;
    if (now < next_look)
        return next_look;
    next_look = now + HOCKET__QUIET_AFTER;
    hk_store_sc(&wanted, false);
    switch (look()) {
    case QUIET: proved = true; hocket__sched_quiescent();
    /* fall through */
    case NOT_QUIET: return HOCKET_FOREVER;
    case TOO_MANY_THREADS: break;
    }
    return ++tries < TRIES ? next_look : HOCKET_FOREVER;
}

void hocket__quiet_poke(void)
{
    if (hk_load_sc(&wanted))
        return;
    hk_store_sc(&wanted, true);
    struct hocket__worker *seat;
    if (hk_load(&hocket__rt.threads))
        hocket__monitor_kick();
    else if ((seat = hk_load_acq(&hocket__rt.workers[0])) != NULL)
        hocket__wake_worker(seat);
}

void hocket__quiet_start(void)
{
    /* In a simulated world the world knows when nobody can go on. */
    possible = hocket__sched_quiescent != NULL && hocket__sys == &hocket__sys_linux;
    proved = false;
    tries = 0;
    next_look = 0;
    hk_store(&wanted, false);
    if (possible)
        hk_store_rel(&hocket__thread_slept, hocket__quiet_poke);
}

void hocket__quiet_stop(void)
{
    hk_store_rel(&hocket__thread_slept, NULL);
}
