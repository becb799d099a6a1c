/* SPDX-License-Identifier: MIT */
/*
 * double_checked - checked without the lock, and not again with it: made twice
 *
 * Right: look again once the lock is held; or hocket_once_do.
 */
#include "catalogue.h"

static int made;
static hocket_mutex lock;
static hocket_once once;

static int get(void *arg)
{
    (void)arg;
    if (made == 0) {
        hocket_mutex_lock(&lock);
        made++;
        hocket_mutex_unlock(&lock);
    }
    return 0;
}

static int make(void *arg)
{
    (void)arg;
    made++;
    return 0;
}

static int get_once(void *arg)
{
    return hocket_once_do(&once, make, arg, HOCKET_FOREVER);
}

static int wrong(void *arg)
{
    (void)arg;
    OK(TOGETHER(get, get));
    return made == 1 ? 0 : 1;
}

static int right(void *arg)
{
    (void)arg;
    OK(TOGETHER(get_once, get_once));
    return made == 1 ? 0 : 1;
}

const struct bug bug_double_checked = { "double_checked", wrong, right };
