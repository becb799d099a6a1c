/* SPDX-License-Identifier: MIT */
/*
 * runq - the slow halves of sched/runq.h: revoking the bias, taking half
 */
#include "sched/runq.h"

#include "sys/sys.h"

bool hocket__runq_fenced;

void hocket__runq_init(struct hocket__runq *q)
{
    if (HOCKET__RUNQ_FENCED || hocket__runq_fenced)
        hk_store(&q->revoked, HOCKET__RUNQ_ALWAYS);
}

/*
 * Fenced, or a thief is at it: take the lock by an exchange, stepping back for the thief.  The
 * owner waits for some list operations at most.
 */
HK_COLD void hocket__runq_lock_slow(struct hocket__runq *q)
{
    for (;;) {
        (void)hk_xchg_sc(&q->busy, 1);
        if (!(hk_load_acq(&q->revoked) & HOCKET__RUNQ_THIEF))
            return;
        hk_store_rel(&q->busy, 0); /* lets the thief in; pairs with its acquire */
        for (int i = 0; hk_load_acq(&q->revoked) & HOCKET__RUNQ_THIEF; i++) {
            hk_spin_pause();
            if (i > 200)
                hocket__thread_yield(); /* the thief was preempted */
        }
    }
}

bool hocket__runq_revoke(struct hocket__runq *q)
{
    if (!hocket__guard_trylock(&q->thieves))
        return false;
    bool fenced = hk_or(&q->revoked, HOCKET__RUNQ_THIEF) & HOCKET__RUNQ_ALWAYS;
    hk_fence_sc();
    if (!fenced)
        (void)hocket__membarrier(); /* was probed at start: cannot fail */
    for (int i = 0; hk_load_acq(&q->busy); i++) {
        hk_spin_pause();
        if (i > 200)
            hocket__thread_yield();
    }
    return true;
}

void hocket__runq_restore(struct hocket__runq *q)
{
    /* Releases; pairs with the owner's acquire: it sees our changes. */
    (void)hk_and(&q->revoked, ~HOCKET__RUNQ_THIEF);
    (void)hocket__guard_unlock(&q->thieves);
}

static void take(struct hocket__runlist *l, uint32_t n, struct hocket__runlist *to)
{
    while (n-- > 0 && l->first) {
        hocket_task *t = l->first;
        hocket__runlist_remove(l, t);
        hk_store(&t->queued_on, 0);
        hocket__runlist_push(to, t);
    }
}

static uint32_t half_of(uint32_t count, uint32_t most)
{
    uint32_t half = (count + 1) / 2;
    return half < most ? half : most;
}

hocket_task *hocket__runq_take_half(struct hocket__runq *q, uint32_t most, uint32_t *ret_count)
{
    struct hocket__runlist taken = { NULL, NULL };
    uint32_t resumed = half_of(hk_load(&q->resumed_count), most);
    uint32_t fresh = half_of(hk_load(&q->fresh_count), most);
    take(&q->resumed, resumed, &taken);
    hk_store(&q->resumed_count, hk_load(&q->resumed_count) - resumed);
    uint32_t left = fresh;
    for (int i = 0; i < HOCKET__PRIORITIES && left > 0; i++) {
        hocket_task *before = taken.last;
        take(&q->fresh[i], left, &taken);
        for (hocket_task *t = before ? before->run_next : taken.first; t; t = t->run_next)
            left--;
    }
    hk_store(&q->fresh_count, hk_load(&q->fresh_count) - (fresh - left));
    *ret_count = resumed + fresh - left;
    return taken.first;
}
