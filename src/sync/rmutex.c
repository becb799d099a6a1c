/* SPDX-License-Identifier: MIT */
/*
 * rmutex - a mutex with a depth
 *
 * The depth counts the locks beyond the first.  Only the owner reads or writes it, so it needs
 * no atomics: the lock itself orders one owner's accesses before the next one's.
 */
#define HOCKET_NO_INLINE
#include <hocket/rmutex.h>

#include <errno.h>

#include "sync/lock.h"

static const struct hocket__lock_call lock_call = { "hocket_rmutex_lock", &hocket__rmutex_class };
static const struct hocket__lock_call until_call = { "hocket_rmutex_lock_until",
                                                     &hocket__rmutex_class };

static hocket_mutex *inner(const hocket_rmutex *m)
{
    return (hocket_mutex *)(uintptr_t)&m->hocket__mutex;
}

void hocket_rmutex_init(hocket_rmutex *mutex, hocket_lock_class *lock_class)
{
    hocket_mutex_init(&mutex->hocket__mutex, 0, lock_class);
    mutex->hocket__depth = 0;
}

void hocket_rmutex_destroy(hocket_rmutex *mutex)
{
    hocket__lock_destroy(inner(mutex), &(struct hocket__lock_call){ "hocket_rmutex_destroy",
                                                                    &hocket__rmutex_class });
}

/* Once more; the caller holds it. */
static int deepen(hocket_rmutex *m)
{
    if (m->hocket__depth == UINT32_MAX)
        return -EOVERFLOW;
    m->hocket__depth++;
    return 0;
}

void hocket_rmutex_lock(hocket_rmutex *mutex)
{
    hocket_task *self = hocket__self_must("hocket_rmutex_lock");
    if (!hocket__lock_is_mine(inner(mutex), self))
        (void)hocket__lock_take(inner(mutex), self, HOCKET_FOREVER, false, &lock_call);
    else if (deepen(mutex))
        hocket__panic("hocket_rmutex_lock: rmutex %p is locked too often", (void *)mutex);
}

int hocket_rmutex_lock_until(hocket_rmutex *mutex, hocket_time deadline)
{
    hocket_task *self = hocket__self_must("hocket_rmutex_lock_until");
    if (!hocket__lock_is_mine(inner(mutex), self))
        return hocket__lock_take(inner(mutex), self, deadline, true, &until_call);
    int err = hocket__cancel_point(self);
    return err ? err : deepen(mutex);
}

int hocket_rmutex_trylock(hocket_rmutex *mutex)
{
    hocket_task *self = hocket__self_must("hocket_rmutex_trylock");
    if (hocket__lock_is_mine(inner(mutex), self))
        return deepen(mutex);
    return hocket__lock_try(inner(mutex), self) ? 0 : -EAGAIN;
}

int hocket_rmutex_unlock_checked(hocket_rmutex *mutex)
{
    hocket_task *self = hocket__self_attach();
    if (!self || !hocket__lock_is_mine(inner(mutex), self))
        return -EPERM;
    if (mutex->hocket__depth > 0)
        mutex->hocket__depth--;
    else
        hocket__lock_release(inner(mutex), self);
    return 0;
}

void hocket_rmutex_unlock(hocket_rmutex *mutex)
{
    if (hk_likely(hocket_rmutex_unlock_checked(mutex) == 0))
        return;
    uint32_t word = hk_load(hk_word32(&mutex->hocket__mutex.hocket__word));
    char name[HOCKET_NAME_MAX];
    hocket__panic("hocket_rmutex_unlock: rmutex %p is held by %s%s, not by the caller",
                  (void *)mutex, word & HOCKET__LOCK_OWNER ? "task " : "",
                  hocket__slot_name(word & HOCKET__LOCK_OWNER, name, sizeof name));
}

/* As in mutex.c. */
void hocket__rmutex_lock_slow(hocket_rmutex *mutex)
    __attribute__((visibility("default"), alias("hocket_rmutex_lock")));
void hocket__rmutex_unlock_slow(hocket_rmutex *mutex)
    __attribute__((visibility("default"), alias("hocket_rmutex_unlock")));

bool hocket_rmutex_locked(const hocket_rmutex *mutex)
{
    return hocket_mutex_locked(&mutex->hocket__mutex);
}

uint64_t hocket_rmutex_depth(const hocket_rmutex *mutex)
{
    return hocket_mutex_held(&mutex->hocket__mutex) ? (uint64_t)mutex->hocket__depth + 1 : 0;
}

uint64_t hocket_rmutex_owner(const hocket_rmutex *mutex)
{
    return hocket_mutex_owner(&mutex->hocket__mutex);
}
