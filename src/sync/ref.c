/* SPDX-License-Identifier: MIT */
#include "sync/ref.h"

#include <errno.h>

#include <hocket/mutex.h>
#include <hocket/rmutex.h>
#include <hocket/rwlock.h>

#include "base/panic.h"
#include "sync/held.h"

void hocket_lock_ref_lock(hocket_lock_ref ref)
{
    switch (ref.kind) {
    case HOCKET_LOCK_MUTEX: hocket_mutex_lock(ref.lock); break;
    case HOCKET_LOCK_RMUTEX: hocket_rmutex_lock(ref.lock); break;
    case HOCKET_LOCK_WRITE: hocket_rwlock_wrlock(ref.lock); break;
    case HOCKET_LOCK_READ: hocket_rwlock_rdlock(ref.lock); break;
    default: hocket__panic("hocket_lock_ref_lock: %d is no kind of lock", ref.kind);
    }
}

void hocket_lock_ref_unlock(hocket_lock_ref ref)
{
    switch (ref.kind) {
    case HOCKET_LOCK_MUTEX: hocket_mutex_unlock(ref.lock); break;
    case HOCKET_LOCK_RMUTEX: hocket_rmutex_unlock(ref.lock); break;
    case HOCKET_LOCK_WRITE:
    case HOCKET_LOCK_READ: hocket_rwlock_unlock(ref.lock); break;
    default: hocket__panic("hocket_lock_ref_unlock: %d is no kind of lock", ref.kind);
    }
}

int hocket__ref_lock_until(hocket_lock_ref ref, hocket_time deadline)
{
    switch (ref.kind) {
    case HOCKET_LOCK_MUTEX: return hocket_mutex_lock_until(ref.lock, deadline);
    case HOCKET_LOCK_RMUTEX: return hocket_rmutex_lock_until(ref.lock, deadline);
    case HOCKET_LOCK_WRITE: return hocket_rwlock_wrlock_until(ref.lock, deadline);
    default: return hocket_rwlock_rdlock_until(ref.lock, deadline);
    }
}

int hocket__ref_try(hocket_lock_ref ref)
{
    switch (ref.kind) {
    case HOCKET_LOCK_MUTEX: return hocket_mutex_trylock(ref.lock);
    case HOCKET_LOCK_RMUTEX: return hocket_rmutex_trylock(ref.lock);
    case HOCKET_LOCK_WRITE: return hocket_rwlock_trywrlock(ref.lock);
    default: return hocket_rwlock_tryrdlock(ref.lock);
    }
}

hocket_lock_class *hocket__ref_class(hocket_lock_ref ref)
{
    if (ref.kind == HOCKET_LOCK_MUTEX)
        return ((hocket_mutex *)ref.lock)->hocket__class;
    if (ref.kind == HOCKET_LOCK_RMUTEX)
        return ((hocket_rmutex *)ref.lock)->hocket__mutex.hocket__class;
    return ((hocket_rwlock *)ref.lock)->hocket__class;
}

bool hocket__ref_blocks(hocket_lock_ref ref, hocket_task *self)
{
    if (ref.kind == HOCKET_LOCK_MUTEX)
        return hocket_mutex_held(ref.lock);
    if (ref.kind == HOCKET_LOCK_RMUTEX)
        return false;
    if (hocket_rwlock_owner(ref.lock) == hk_load(&self->id))
        return true;
    return ref.kind == HOCKET_LOCK_WRITE && hocket__held_lists(self, ref.lock);
}
