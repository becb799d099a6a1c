/* SPDX-License-Identifier: MIT */
/*
 * wait_inside_lock - waits for an event while holding the lock that the one who sets it needs
 *
 * Right: wait before the lock is taken.
 */
#include "catalogue.h"

static hocket_mutex lock;
static hocket_event ready;

static int use(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&lock);
    OK(hocket_event_wait(&ready, HOCKET_FOREVER));
    hocket_mutex_unlock(&lock);
    return 0;
}

static int use_right(void *arg)
{
    (void)arg;
    OK(hocket_event_wait(&ready, HOCKET_FOREVER));
    hocket_mutex_lock(&lock);
    hocket_mutex_unlock(&lock);
    return 0;
}

static int prepare(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&lock);
    hocket_event_set(&ready);
    hocket_mutex_unlock(&lock);
    return 0;
}

static int wrong(void *arg)
{
    (void)arg;
    return TOGETHER(prepare, use);
}

static int right(void *arg)
{
    (void)arg;
    return TOGETHER(prepare, use_right);
}

const struct bug bug_wait_inside_lock = { "wait_inside_lock", wrong, right };
