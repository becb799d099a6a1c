/* SPDX-License-Identifier: MIT */
/*
 * lost_wakeup - the flag is looked at outside of the lock, and the signal comes before the
 * wait
 *
 * Right: look at it under the lock that the wait gives up.
 */
#include "catalogue.h"

static bool ready;
static hocket_mutex lock;
static hocket_cond changed;

static int announce(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&lock);
    ready = true;
    hocket_cond_signal(&changed);
    hocket_mutex_unlock(&lock);
    return 0;
}

static int await_late(void *arg)
{
    (void)arg;
    if (!ready) {
        hocket_mutex_lock(&lock);
        OK(hocket_cond_wait(&changed, &lock, HOCKET_FOREVER));
        hocket_mutex_unlock(&lock);
    }
    return 0;
}

static int await_locked(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&lock);
    while (!ready)
        OK(hocket_cond_wait(&changed, &lock, HOCKET_FOREVER));
    hocket_mutex_unlock(&lock);
    return 0;
}

static int wrong(void *arg)
{
    (void)arg;
    return TOGETHER(await_late, announce);
}

static int right(void *arg)
{
    (void)arg;
    return TOGETHER(await_locked, announce);
}

const struct bug bug_lost_wakeup = { "lost_wakeup", wrong, right };
