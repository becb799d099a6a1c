/* SPDX-License-Identifier: MIT */
/*
 * early_publication - the pointer to the singleton is published before the singleton is
 * complete
 *
 * Right: complete it, then publish.
 */
#include <errno.h>

#include "catalogue.h"

struct config {
    int port;
};

static struct config the_config;
static struct config *shared;
static hocket_mutex lock;

static int init_early(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&lock);
    if (shared == NULL) {
        shared = &the_config;
        hocket_sim_point();
        the_config.port = 80;
    }
    hocket_mutex_unlock(&lock);
    return 0;
}

static int init_late(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&lock);
    if (shared == NULL) {
        the_config.port = 80;
        hocket_sim_point();
        shared = &the_config;
    }
    hocket_mutex_unlock(&lock);
    return 0;
}

static int use(void *arg)
{
    (void)arg;
    hocket_sim_point();
    struct config *c = shared;
    return c == NULL || c->port == 80 ? 0 : -EINVAL;
}

static int wrong(void *arg)
{
    (void)arg;
    return TOGETHER(init_early, use);
}

static int right(void *arg)
{
    (void)arg;
    return TOGETHER(init_late, use);
}

const struct bug bug_early_publication = { "early_publication", wrong, right };
