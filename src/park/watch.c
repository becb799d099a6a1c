/* SPDX-License-Identifier: MIT */
/* watch - see park/watch.h */
#include "park/watch.h"

#include "park/guard.h"

_Atomic uint32_t hocket__watching;

static hocket__guard guard; /* changing a slot and the word of all */
static _Atomic uint32_t wanted[HOCKET__WATCH_SLOTS];
static _Atomic(hocket__onlooker *) onlookers[HOCKET__WATCH_SLOTS];

void hocket__onlook(enum hocket__watch_slot slot, uint32_t events, hocket__onlooker *fn)
{
    uint32_t all = 0;
    hocket__guard_lock(&guard);
    if (events != 0)
        hk_store_rel(&onlookers[slot], fn); /* stays when it is taken away: somebody may be late */
    hk_store_rel(&wanted[slot], events);
    for (unsigned i = 0; i < HOCKET__WATCH_SLOTS; i++)
        all |= hk_peek(&wanted[i]);
    hk_store_rel(&hocket__watching, all);
    hocket__guard_unlock(&guard);
}

void hocket__watch_tell(enum hocket__event event, struct hocket_task *task, const void *object,
                        int64_t value)
{
    for (unsigned i = 0; i < HOCKET__WATCH_SLOTS; i++)
        if (hk_load_acq(&wanted[i]) & HOCKET__EVENT_BIT(event))
            hk_load_acq (&onlookers[i])(event, task, object, value);
}
