/* SPDX-License-Identifier: MIT */
/*
 * lock_upgrade - readers want to become writers while they read: each waits for the other, and
 * for itself
 *
 * Right: let go, take it for writing, look again.
 */
#include "catalogue.h"

static hocket_rwlock lock;
static int value;

static int upgrade(void *arg)
{
    (void)arg;
    hocket_rwlock_rdlock(&lock);
    if (value == 0) {
        int err = hocket_rwlock_wrlock_until(&lock, HOCKET_FOREVER);
        if (err != 0) {
            hocket_rwlock_unlock(&lock);
            return err;
        }
        value = 1;
        hocket_rwlock_unlock(&lock);
    }
    hocket_rwlock_unlock(&lock);
    return 0;
}

static int look_again(void *arg)
{
    (void)arg;
    hocket_rwlock_rdlock(&lock);
    bool unset = value == 0;
    hocket_rwlock_unlock(&lock);
    if (unset) {
        hocket_rwlock_wrlock(&lock);
        if (value == 0)
            value = 1;
        hocket_rwlock_unlock(&lock);
    }
    return 0;
}

static int wrong(void *arg)
{
    (void)arg;
    return TOGETHER(upgrade, upgrade);
}

static int right(void *arg)
{
    (void)arg;
    return TOGETHER(look_again, look_again);
}

const struct bug bug_lock_upgrade = { "lock_upgrade", wrong, right };
