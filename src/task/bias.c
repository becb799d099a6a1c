/* SPDX-License-Identifier: MIT */
/*
 * bias - taking the bias away, and giving it; see task/bias.h
 */
#include "task/bias.h"

static void take_away(struct hocket__bias *b)
{
    b->former = hk_load(&b->owner);
    hk_store_rel(&b->owner, NULL);
    hk_fence_sc();
    if (!HOCKET__RUNQ_FENCED)
        (void)hocket__membarrier(); /* there is one, or there would be no owner */
    for (int i = 0; hk_load_acq(&b->busy); i++) {
        hk_spin_pause();
        if (i > 200)
            hocket__thread_yield(); /* the owner was preempted */
    }
    if (b->needed < HOCKET__BIAS_TURNS_MAX)
        b->needed *= 2;
}

HK_NOINLINE void hocket__bias_lock_slow(struct hocket__bias *b, struct hocket__worker *w)
{
    hocket__guard_lock(&b->guard);
    if (hk_load(&b->owner) != NULL)
        take_away(b);
    b->biased = false;
    if (w == b->former)
        b->former = NULL;
    if (w == NULL || w != b->last) {
        b->last = w;
        b->turns = 0;
        if (b->needed == 0)
            b->needed = HOCKET__BIAS_TURNS;
    } else if (++b->turns >= b->needed && !b->former && !HOCKET_POINT_WORLD &&
               (HOCKET__RUNQ_FENCED || !hocket__runq_fenced)) {
        b->turns = 0;
        hk_store_rel(&b->owner, w); /* its next turn; this one is with the guard */
    }
}
