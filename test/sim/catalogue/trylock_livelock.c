/* SPDX-License-Identifier: MIT */
/*
 * trylock_livelock - each holds one lock, fails to get the other, lets go and begins anew, in
 * step
 *
 * Right: hocket_lock_all waits for one of them while it holds none.
 */
#include <errno.h>

#include "catalogue.h"

#define PATIENCE 3 /* rounds after which no progress is a failure */

static hocket_mutex a, b;

static int both(hocket_mutex *first, hocket_mutex *second)
{
    for (int round = 0; round < PATIENCE; round++) {
        hocket_mutex_lock(first);
        int err = hocket_mutex_trylock(second);
        if (err == 0)
            hocket_mutex_unlock(second);
        hocket_mutex_unlock(first);
        if (err == 0)
            return 0;
    }
    return -ELOOP;
}

static int ab(void *arg)
{
    (void)arg;
    return both(&a, &b);
}

static int ba(void *arg)
{
    (void)arg;
    return both(&b, &a);
}

static int all(void *arg)
{
    (void)arg;
    OK(hocket_lock_all(&a, &b));
    hocket_unlock_all(&a, &b);
    return 0;
}

static int wrong(void *arg)
{
    (void)arg;
    return TOGETHER(ab, ba);
}

static int right(void *arg)
{
    (void)arg;
    return TOGETHER(all, all);
}

const struct bug bug_trylock_livelock = { "trylock_livelock", wrong, right };
