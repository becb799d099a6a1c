/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SYNC_OWN_H
#define HOCKET_SYNC_OWN_H

/*
 * own - a mutex inside of something that the library makes, taken by public calls and given back
 * before they return
 */
#include <hocket/mutex.h>

#include "park/world.h"

static inline void hocket__own_lock(hocket_mutex *m)
{
    hocket__world_within(1);
    hocket_mutex_lock(m);
}

static inline void hocket__own_unlock(hocket_mutex *m)
{
    hocket_mutex_unlock(m);
    hocket__world_within(-1);
}

#endif
