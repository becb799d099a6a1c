/* SPDX-License-Identifier: MIT */
/*
 * torn_pair - two values that belong together are read while one of them is already new
 *
 * Right: read both under the lock that writes both.
 */
#include <errno.h>

#include "catalogue.h"

static int width = 1, height = 1;
static hocket_mutex lock;

static int resize(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&lock);
    width = 2;
    hocket_sim_point();
    height = 2;
    hocket_mutex_unlock(&lock);
    return 0;
}

static int read_plain(void *arg)
{
    (void)arg;
    int w = width;
    hocket_sim_point();
    int h = height;
    return w == h ? 0 : -ERANGE;
}

static int read_locked(void *arg)
{
    hocket_mutex_lock(&lock);
    int rc = read_plain(arg);
    hocket_mutex_unlock(&lock);
    return rc;
}

static int wrong(void *arg)
{
    (void)arg;
    return TOGETHER(resize, read_plain);
}

static int right(void *arg)
{
    (void)arg;
    return TOGETHER(resize, read_locked);
}

const struct bug bug_torn_pair = { "torn_pair", wrong, right };
