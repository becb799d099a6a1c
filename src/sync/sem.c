/* SPDX-License-Identifier: MIT */
/*
 * sem - a gate that lets one waiter pass for each permit
 *
 *   VALUE    31 bits: permits that nobody has
 *   WAITERS  see sync/gate.h.  While it is set nobody takes a permit but those who serve the
 *            queue, so permits go to waiters in the order they came.
 *
 * A release adds to the value first and serves the queue then; so a waiter served by one release may
 * return while another is still about to look at the queue.  Hence each successful acquire
 * waits for busy == 0 (sync/gate.h).
 */
#include <hocket/sem.h>

#include <errno.h>

#include "sync/gate.h"

#define VALUE   HOCKET_SEM_MAX
#define WAITERS HOCKET__GATE_WAITERS

static const struct hocket__wait_class sem_class = { "sem", NULL };

static void serve(const struct hocket__gate *g, struct hocket__wakes *wakes)
{
    struct hocket__waiter *node;
    while (*g->head && (hk_load(g->word) & VALUE) > 0 &&
           (node = hocket__queue_claim(g->head)) != NULL) {
        (void)hk_sub(g->word, 1); /* acquires: pairs with the release's CAS */
        hocket__wakes_add(wakes, node->task);
    }
    if (!*g->head)
        hocket__gate_no_waiters(g);
}

int hocket_sem_init(hocket_sem *sem, uint32_t permits, uint32_t bound)
{
    if (permits > VALUE || bound > VALUE || (bound && permits > bound))
        return -EINVAL;
    *sem = (hocket_sem){ permits, 0, NULL, bound, 0 };
    return 0;
}

void hocket_sem_destroy(hocket_sem *sem)
{
    hocket__gate_passed(hk_word32(&sem->hocket__busy));
    hocket__destroy_check("hocket_sem_destroy", "sem", sem, HOCKET__GUARD_OF(sem),
                          HOCKET__HEAD(sem));
}

/* Take a permit that nobody waits for. */
static bool take(_Atomic uint32_t *at)
{
    uint32_t word = hk_load(at);
    while (!(word & WAITERS) && (word & VALUE) > 0)
        if (hk_cas(at, &word, word - 1))
            return true;
    return false;
}

int hocket_sem_try(hocket_sem *sem)
{
    hocket__touch("try", sem);
    if (!take(hk_word32(&sem->hocket__word)))
        return -EAGAIN;
    hocket__gate_passed(hk_word32(&sem->hocket__busy));
    return 0;
}

int hocket_sem_acquire(hocket_sem *sem, hocket_time deadline)
{
    hocket__touch("acquire", sem);
    const struct hocket__gate gate = HOCKET__GATE(sem, serve, &sem_class);
    struct hocket__wakes wakes = { NULL, NULL };
    hocket_task *self = hocket__self_must("hocket_sem_acquire");
    int err = hocket__cancel_point(self);
    if (err)
        return err;
    if (take(gate.word)) {
        hocket__gate_passed(gate.busy);
        return 0;
    }
    if (deadline <= HOCKET_NOW)
        return -ETIMEDOUT;
    hocket__gate_enter(&gate);
    for (;;) {
        serve(&gate, &wakes);
        if (take(gate.word))
            break;
        uint32_t word = hk_load(gate.word);
        if ((word & VALUE) == 0 && hk_cas(gate.word, &word, word | WAITERS))
            return hocket__gate_wait(&gate, self, deadline, &wakes);
    }
    hocket__gate_leave(&gate, &wakes);
    hocket__wakes_run(&wakes);
    hocket__gate_passed(gate.busy);
    return 0;
}

int hocket_sem_release_many(hocket_sem *sem, uint32_t count)
{
    hocket__touch("release", sem);
    const struct hocket__gate gate = HOCKET__GATE(sem, serve, &sem_class);
    uint32_t most = sem->hocket__bound ? sem->hocket__bound : VALUE;
    uint32_t word = hk_load(gate.word);
    for (;;) {
        if (count > most - (word & VALUE))
            return -EOVERFLOW;
        if (!(word & WAITERS)) {
            if (hk_cas(gate.word, &word, word + count))
                return 0;
            continue;
        }
        (void)hk_add(gate.busy, 1);
        if (hk_cas(gate.word, &word, word + count))
            break;
        (void)hk_sub(gate.busy, 1);
    }
    hocket__gate_open(&gate);
    return 0;
}

int hocket_sem_release(hocket_sem *sem)
{
    return hocket_sem_release_many(sem, 1);
}

uint32_t hocket_sem_value(const hocket_sem *sem)
{
    return hk_load_acq(hk_word32((uintptr_t)&sem->hocket__word)) & VALUE;
}

uint32_t hocket_sem_bound(const hocket_sem *sem)
{
    return sem->hocket__bound;
}
