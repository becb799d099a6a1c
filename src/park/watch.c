/* SPDX-License-Identifier: MIT */
/* watch - see park/watch.h */
#include "park/watch.h"

#include "park/guard.h"

_Atomic uint32_t hocket__watching;

static hocket__guard guard;                     /* changing a slot, and what follows from it */
static uint32_t wanted[HOCKET__WATCH_SLOTS];    /* by the guard */
static _Atomic uint8_t wanting[HOCKET__EVENTS]; /* the slots that want it: bits */
static _Atomic(hocket__onlooker *) onlookers[HOCKET__WATCH_SLOTS];

_Static_assert(HOCKET__WATCH_SLOTS <= 8 && HOCKET__EVENTS <= 32, "bits");

void hocket__onlook(enum hocket__watch_slot slot, uint32_t events, hocket__onlooker *fn)
{
    uint32_t all = 0;
    hocket__guard_lock(&guard);
    if (events != 0)
        hk_store_rel(&onlookers[slot], fn); /* stays when it is taken away: somebody may be late */
    wanted[slot] = events;
    for (unsigned e = 0; e < HOCKET__EVENTS; e++) {
        unsigned slots = 0;
        for (unsigned i = 0; i < HOCKET__WATCH_SLOTS; i++)
            slots |= (wanted[i] >> e & 1) << i;
        hk_store_rel(&wanting[e], (uint8_t)slots); /* pairs with hocket__watch_tell */
    }
    for (unsigned i = 0; i < HOCKET__WATCH_SLOTS; i++)
        all |= wanted[i];
    hk_store_rel(&hocket__watching, all);
    hocket__guard_unlock(&guard);
}

void hocket__watch_forked(void)
{
    hk_store(&guard, 0); /* `wanted` is one word a slot, and all else is made from it */
}

static inline void tell(int slot, enum hocket__event event, struct hocket_task *task,
                        const void *object, int64_t value)
{
    hocket__onlooker *fn = hk_load_acq(&onlookers[slot]);
    if (slot == HOCKET__WATCH_WORLD) {
        fn(event, task, object, value);
        return;
    }
    HOCKET_POINT_ALONE;
    fn(event, task, object, value);
    HOCKET_POINT_TOGETHER;
}

static HK_NOINLINE void tell_all(enum hocket__event event, struct hocket_task *task,
                                 const void *object, int64_t value)
{
    for (unsigned slots = hk_load_acq(&wanting[event]); slots != 0; slots &= slots - 1)
        tell(__builtin_ctz(slots), event, task, object, value);
}

/* A timeline alone is told by a jump: it must be cheap, and the loop is four times as long. */
void hocket__watch_tell(enum hocket__event event, struct hocket_task *task, const void *object,
                        int64_t value)
{
    if (hk_load_acq(&wanting[event]) == 1u << HOCKET__WATCH_TRACE)
        tell(HOCKET__WATCH_TRACE, event, task, object, value);
    else
        tell_all(event, task, object, value);
}
