/* SPDX-License-Identifier: MIT */
/*
 * removed_while_walking - a list is walked with a wait in the middle, and the node it stands
 * on is removed
 *
 * Right: the lock is held over the whole walk.
 */
#include <errno.h>

#include "catalogue.h"

struct node {
    struct node *next;
    bool freed;
};

static struct node nodes[3], *list;
static hocket_mutex lock;

static int walk(void *arg)
{
    (void)arg;
    for (struct node *n = list; n != NULL; n = n->next) {
        OK(hocket_yield());
        if (n->freed)
            return -EFAULT;
    }
    return 0;
}

static int walk_locked(void *arg)
{
    hocket_mutex_lock(&lock);
    int rc = walk(arg);
    hocket_mutex_unlock(&lock);
    return rc;
}

static int remove_second(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&lock);
    nodes[0].next = &nodes[2];
    nodes[1].freed = true;
    hocket_mutex_unlock(&lock);
    return 0;
}

static int run(hocket_task_fn *walker)
{
    list = &nodes[0];
    nodes[0].next = &nodes[1];
    nodes[1].next = &nodes[2];
    return TOGETHER(walker, remove_second);
}

static int wrong(void *arg)
{
    (void)arg;
    return run(walk);
}

static int right(void *arg)
{
    (void)arg;
    return run(walk_locked);
}

const struct bug bug_removed_while_walking = { "removed_while_walking", wrong, right };
