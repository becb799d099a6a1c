/* SPDX-License-Identifier: MIT */
/*
 * toctou - allowed when it was asked, revoked when it is used
 *
 * Right: ask and use under the lock that revoking takes.
 */
#include <errno.h>

#include "catalogue.h"

static bool allowed = true;
static hocket_mutex lock;

static bool may(void)
{
    hocket_mutex_lock(&lock);
    bool yes = allowed;
    hocket_mutex_unlock(&lock);
    return yes;
}

static int use(void *arg)
{
    (void)arg;
    if (!may())
        return 0;
    hocket_sim_point();
    return allowed ? 0 : -EACCES;
}

static int use_locked(void *arg)
{
    (void)arg;
    int rc = 0;
    hocket_mutex_lock(&lock);
    if (allowed) {
        hocket_sim_point();
        rc = allowed ? 0 : -EACCES;
    }
    hocket_mutex_unlock(&lock);
    return rc;
}

static int revoke(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&lock);
    allowed = false;
    hocket_mutex_unlock(&lock);
    return 0;
}

static int wrong(void *arg)
{
    (void)arg;
    return TOGETHER(use, revoke);
}

static int right(void *arg)
{
    (void)arg;
    return TOGETHER(use_locked, revoke);
}

const struct bug bug_toctou = { "toctou", wrong, right };
