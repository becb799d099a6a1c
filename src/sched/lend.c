/* SPDX-License-Identifier: MIT */
/*
 * lend - more workers while some are stuck or blocked, fewer afterwards
 *
 * `active` counts workers that are neither blocked, spare nor gone; without those that the
 * monitor calls stuck it should be the configured number.  A lent worker that finds nothing to do while there are too many
 * steps aside as a spare, which is quicker to call back than a new thread, and ends after
 * some seconds as one.
 */
#include <errno.h>

#include "sched/worker.h"

#define SPARE_TIME (5 * HOCKET_SEC)

static hocket__guard spare_guard;
static struct hocket__worker *spares; /* chained by spare_next */

static struct hocket__worker *spare_take(void)
{
    hocket__guard_lock(&spare_guard);
    struct hocket__worker *w = spares;
    if (w) {
        spares = w->spare_next;
        hk_store(&w->is_spare, false);
        (void)hk_add(&hocket__rt.active, 1);
    }
    (void)hocket__guard_unlock(&spare_guard);
    return w;
}

/* True if the worker was still on the list. */
static bool spare_remove(struct hocket__worker *w)
{
    bool found = false;
    hocket__guard_lock(&spare_guard);
    for (struct hocket__worker **p = &spares; *p; p = &(*p)->spare_next) {
        if (*p == w) {
            *p = w->spare_next;
            hk_store(&w->is_spare, false);
            found = true;
            break;
        }
    }
    (void)hocket__guard_unlock(&spare_guard);
    return found;
}

void hocket__lend(void)
{
    struct hocket__runtime *rt = &hocket__rt;
    if (!hk_load(&rt->threads) || hk_load(&rt->stopping))
        return;
    struct hocket__worker *w = spare_take();
    (void)hk_add(&rt->lent, 1); /* before it runs: who sees what it did sees it counted */
    if (w)
        hocket__wake_worker(w);
    else if (hocket__worker_start(true) != 0)
        (void)hk_sub(&rt->lent, 1);
}

bool hocket__worker_spare(struct hocket__worker *w)
{
    struct hocket__runtime *rt = &hocket__rt;
    int active = hk_load(&rt->active);
    if (!w->lent || w->woken || active - hk_load(&rt->stuck) <= hk_load(&rt->target) ||
        hk_load(&rt->stopping))
        return false;
    if (!hk_cas(&rt->active, &active, active - 1))
        return false;
    hocket__loop_give_back(w); /* it may not need them for long, or ever */
    hocket__guard_lock(&spare_guard);
    hk_store(&w->sleep, HOCKET__ASLEEP);
    hk_store(&w->is_spare, true);
    w->spare_next = spares;
    spares = w;
    (void)hocket__guard_unlock(&spare_guard);
    hocket_time until = hocket_after(SPARE_TIME);
    while (hk_load_acq(&w->is_spare) && !hk_load(&rt->stopping)) {
        hk_store_sc(&w->sleep, HOCKET__ASLEEP); /* before the look; pairs with wake_worker */
        if (!hk_load_acq(&w->is_spare) || hk_load(&rt->stopping))
            break;
        if (hocket__futex_wait(&w->sleep, HOCKET__ASLEEP, until) == -ETIMEDOUT)
            break;
    }
    hk_store(&w->sleep, HOCKET__AWAKE);
    if (spare_remove(w))
        hk_store(&w->retire, true); /* not counted in `active` any more */
    return true;
}
