/* SPDX-License-Identifier: MIT */
/* mutex - the public face of sync/lock.c: every function of hocket/mutex.h as a symbol. */
#define HOCKET_NO_INLINE
#include <hocket/mutex.h>

#include <errno.h>

#include "sync/lock.h"

static _Atomic uint32_t *word_of(const hocket_mutex *m)
{
    return hk_word32((uintptr_t)&m->hocket__word); /* a load needs no write access */
}

void hocket_mutex_init(hocket_mutex *mutex, unsigned flags, hocket_lock_class *lock_class)
{
    uint32_t word = flags & HOCKET_MUTEX_UNOWNED ? HOCKET__LOCK_UNOWNED
                    : lock_class                 ? HOCKET__LOCK_CLASSED
                                                 : 0;
    *mutex = (hocket_mutex){ word, 0, NULL, lock_class };
    hocket__watch(HOCKET__EVENT_FORGET, NULL, mutex, 0);
}

void hocket_mutex_destroy(hocket_mutex *mutex)
{
    hocket__lock_destroy(
        mutex, &(struct hocket__lock_call){ "hocket_mutex_destroy", &hocket__mutex_class });
}

static const struct hocket__lock_call lock_call = { "hocket_mutex_lock", &hocket__mutex_class };
static const struct hocket__lock_call until_call = { "hocket_mutex_lock_until",
                                                     &hocket__mutex_class };

void hocket_mutex_lock(hocket_mutex *mutex)
{
    hocket_task *self = hocket__self_must("hocket_mutex_lock");
    (void)hocket__lock_take(mutex, self, HOCKET_FOREVER, false, &lock_call);
}

int hocket_mutex_lock_until(hocket_mutex *mutex, hocket_time deadline)
{
    hocket_task *self = hocket__self_must("hocket_mutex_lock_until");
    return hocket__lock_take(mutex, self, deadline, true, &until_call);
}

int hocket_mutex_trylock(hocket_mutex *mutex)
{
    hocket_task *self = hocket__self_must("hocket_mutex_trylock");
    return hocket__lock_try(mutex, self) ? 0 : -EAGAIN;
}

int hocket_mutex_unlock_checked(hocket_mutex *mutex)
{
    hocket_task *self = hocket__self_attach();
    if (!self || !hocket__lock_is_mine(mutex, self))
        return -EPERM;
    hocket__lock_release(mutex, self);
    return 0;
}

void hocket_mutex_unlock(hocket_mutex *mutex)
{
    if (hk_likely(hocket_mutex_unlock_checked(mutex) == 0))
        return;
    uint32_t word = hk_load(word_of(mutex));
    char name[HOCKET_NAME_MAX];
    hocket__panic("hocket_mutex_unlock: mutex %p is held by %s%s, not by the caller", (void *)mutex,
                  word & HOCKET__LOCK_OWNER ? "task " : "",
                  hocket__slot_name(word & HOCKET__LOCK_OWNER, name, sizeof name));
}

/* The slow halves of the inline functions are the functions themselves. */
void hocket__mutex_lock_slow(hocket_mutex *mutex)
    __attribute__((visibility("default"), alias("hocket_mutex_lock")));
void hocket__mutex_unlock_slow(hocket_mutex *mutex)
    __attribute__((visibility("default"), alias("hocket_mutex_unlock")));

bool hocket_mutex_locked(const hocket_mutex *mutex)
{
    return (hk_load_acq(word_of(mutex)) & HOCKET__LOCK_OWNER) != 0;
}

bool hocket_mutex_held(const hocket_mutex *mutex)
{
    hocket_task *self = hocket__self_or_null();
    uint32_t word = hk_load(word_of(mutex));
    return self && !(word & HOCKET__LOCK_UNOWNED) && (word & HOCKET__LOCK_OWNER) == self->slot;
}

uint64_t hocket_mutex_owner(const hocket_mutex *mutex)
{
    uint32_t word = hk_load_acq(word_of(mutex));
    return word & HOCKET__LOCK_UNOWNED ? 0 : hocket__slot_id(word & HOCKET__LOCK_OWNER);
}
