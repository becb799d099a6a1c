/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SYNC_REF_H
#define HOCKET_SYNC_REF_H

/*
 * ref - a lock of any kind, behind one set of calls
 */
#include <hocket/lock.h>
#include <hocket/time.h>

#include "park/record.h"

static inline bool hocket__ref_valid(hocket_lock_ref ref)
{
    return ref.lock && ref.kind >= HOCKET_LOCK_MUTEX && ref.kind <= HOCKET_LOCK_READ;
}

int hocket__ref_lock_until(hocket_lock_ref ref, hocket_time deadline);

/* 0 or negative. */
int hocket__ref_try(hocket_lock_ref ref);

hocket_lock_class *hocket__ref_class(hocket_lock_ref ref);

/* Does `self` hold it in a way that forbids to lock it again? */
bool hocket__ref_blocks(hocket_lock_ref ref, hocket_task *self);

#endif
