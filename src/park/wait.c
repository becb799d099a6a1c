/* SPDX-License-Identifier: MIT */
/*
 * wait - the wait word and the life of one wait; see park/wait.h for the protocol
 *
 * Memory order: the claim is acq_rel, complete releases and the waiter's look
 * at the outcome acquires, so everything a waker did before complete() is
 * visible to the waiter.  wait_begin may store relaxed: wakers reach the word
 * through a node they find under the guard, and the guard unlock that follows is a
 * full exchange, which orders the word before the waiter's look at the cancel epoch.
 */
#include "park/wait.h"

#include <errno.h>

#include "park/cancel.h"
#include "park/forked.h"
#include "park/graph.h"
#include "park/thread.h"
#include "sys/sys.h"

/* Scans the records: a counter would cost every park two locked instructions. */
size_t hocket__parked_count(void)
{
    size_t n = 0;
    for (uint32_t slot = 1, limit = hocket__record_limit(); slot < limit; slot++) {
        uint32_t s = hk_load_acq(&hocket__record_at(slot)->wait_state);
        if (s == HOCKET__PARKED || s == HOCKET__PARKED_C)
            n++;
    }
    return n;
}

void hocket__wait_begin(struct hocket__waiter *node, hocket_task *self,
                        const struct hocket__wait_class *cls, const void *object, unsigned flags)
{
    hocket__waiter_init(node, self);
    hk_store_rel(&self->wait_object, object); /* after the last class was cleared: graph.c */
    hk_store(&self->wait_caller, __builtin_return_address(0));
    hk_store(&self->wait_deadline, HOCKET_NOW); /* not known before the park: graph.c */
    hk_store(&self->wait_since, hk_load(&hocket__tick));
    /* Whoever reads the new number sees that the last wait has ended, and this object. */
    hk_store_rel(&self->wait_seq, hk_load(&self->wait_seq) + 1);
    hk_store_rel(&self->wait_class, cls); /* pairs with the readers' acquire: object before class */
    hk_store(&self->wait_state,
             (uint32_t)((flags & HOCKET__WAIT_CANCEL) ? HOCKET__WAITING_C : HOCKET__WAITING));
}

static bool cancellable(uint32_t state)
{
    return state == HOCKET__WAITING_C || state == HOCKET__PARKED_C;
}

/* Decide the wait of the caller itself.  False if a waker, timer or canceller was first. */
static bool decide_self(hocket_task *self, uint32_t outcome)
{
    uint32_t s = hk_load_acq(&self->wait_state);
    while (s == HOCKET__WAITING || s == HOCKET__WAITING_C)
        if (hk_cas(&self->wait_state, &s, outcome))
            return true;
    return false;
}

static int outcome_of(uint32_t state)
{
    return state == HOCKET__WOKEN ? 0 : state == HOCKET__TIMEDOUT ? -ETIMEDOUT : -ECANCELED;
}

/* Somebody may have claimed us while we still run: let them finish. */
static int settle(hocket_task *self)
{
    uint32_t s;
    while ((s = hk_load_acq(&self->wait_state)) == HOCKET__CLAIMED_WAITING) {
        hk_spin_pause();
        if (hk_load_acq(&self->wait_state) == HOCKET__CLAIMED_WAITING)
            hocket__thread_yield(); /* a preempted waker */
    }
    return outcome_of(s);
}

static int park_watched(hocket_task *self, hocket_time deadline)
{
    hocket__watch(HOCKET__EVENT_PARK, self, hk_load(&self->wait_object), deadline);
    self->ops->park(self, deadline);
    int err = outcome_of(hk_load_acq(&self->wait_state));
    hocket__watch(HOCKET__EVENT_UNPARK, self, hk_load(&self->wait_object), err);
    return err;
}

int hocket__wait_park(hocket_task *self, hocket_time deadline)
{
    bool can_cancel = cancellable(hk_load(&self->wait_state));
    hocket__fork_check("waiting");
    if (can_cancel) {
        /* Publish ourselves to cancellers before asking: see park/cancel.h. */
        if (!self->linked)
            hocket__cancel_link(self);
        if (hocket__cancelled(self))
            return decide_self(self, HOCKET__CANCELED) ? -ECANCELED : settle(self);
        deadline = hocket__cancel_deadline(self, deadline);
    }
    hk_store(&self->wait_deadline, deadline);
    if (deadline <= HOCKET_NOW)
        return decide_self(self, HOCKET__TIMEDOUT) ? -ETIMEDOUT : settle(self);

    const struct hocket__wait_class *cls = hk_load(&self->wait_class);
    if (cls && cls->holder) {
        int err = hocket__graph_check(self, deadline, can_cancel);
        if (err)
            return decide_self(self, HOCKET__TIMEDOUT) ? err : settle(self);
    }
    int err = park_watched(self, deadline);
    /* A scope's deadline ends the wait as a cancel. */
    if (err == -ETIMEDOUT && can_cancel && hocket__cancelled(self))
        err = -ECANCELED;
    return err;
}

void hocket__wait_end(hocket_task *self)
{
    const struct hocket__wait_class *cls = hk_load(&self->wait_class);
    hk_store(&self->wait_state, (uint32_t)HOCKET__IDLE);
    hk_store_rel(&self->wait_class, NULL);
    hk_store_rel(&self->wait_seq, hk_load(&self->wait_seq) + 1);
    if (cls && cls->holder)
        hocket__graph_leave(); /* the object may die when we return: nobody may be reading it */
}

bool hocket__claim(hocket_task *task)
{
    uint32_t s = hk_load_acq(&task->wait_state);
    for (;;) {
        uint32_t claimed;
        if (s == HOCKET__WAITING || s == HOCKET__WAITING_C)
            claimed = HOCKET__CLAIMED_WAITING;
        else if (s == HOCKET__PARKED || s == HOCKET__PARKED_C)
            claimed = HOCKET__CLAIMED_PARKED;
        else
            return false;
        if (hk_cas(&task->wait_state, &s, claimed))
            return true;
    }
}

void hocket__complete(hocket_task *task)
{
    /*
     * ops is read before the waiter can go on: afterwards the record may be another task.
     * CLAIMED_PARKED is stable, nobody else changes it; only a waiter that is
     * still on its way off the CPU needs the exchange.
     */
    const struct hocket__task_ops *ops = task->ops;
    hocket__watch(HOCKET__EVENT_READY, task, NULL, 0);
    if (hk_load_acq(&task->wait_state) == HOCKET__CLAIMED_PARKED) {
        hk_store_rel(&task->wait_state, (uint32_t)HOCKET__WOKEN);
        ops->ready(task);
    } else if (hk_xchg(&task->wait_state, (uint32_t)HOCKET__WOKEN) == HOCKET__CLAIMED_PARKED) {
        ops->ready(task);
    }
    hocket__touch("wake", task);
}

void hocket__wakes_run_some(struct hocket__wakes *wakes)
{
    hocket_task *t = wakes->first, *next;
    wakes->first = wakes->last = NULL;
    while ((next = t->run_next) != NULL) { /* read first: completed tasks reuse the link */
        hocket__complete(t);
        t = next;
    }
    hocket__complete(t);
}

/*
 * Decide the wait of another task as timed out or cancelled, and let it go.
 * Used by timers and cancellers, which keep the task alive by their own locks.
 */
bool hocket__wait_decide(hocket_task *task, uint32_t outcome)
{
    const struct hocket__task_ops *ops = task->ops;
    uint32_t s = hk_load_acq(&task->wait_state);
    for (;;) {
        bool parked_c = s == HOCKET__PARKED_C, waiting_c = s == HOCKET__WAITING_C;
        bool plain = s == HOCKET__PARKED || s == HOCKET__WAITING;
        if (!parked_c && !waiting_c && (!plain || outcome == HOCKET__CANCELED))
            return false;
        uint32_t was = s;
        if (hk_cas_sc(&task->wait_state, &s, outcome)) {
            if (was == HOCKET__PARKED || was == HOCKET__PARKED_C) {
                hocket__watch(HOCKET__EVENT_READY, task, NULL,
                              outcome == HOCKET__CANCELED ? -ECANCELED : -ETIMEDOUT);
                ops->ready(task);
            }
            return true;
        }
    }
}

int hocket__cancel_point(hocket_task *self)
{
    return hocket__cancelled(self) ? -ECANCELED : 0;
}
