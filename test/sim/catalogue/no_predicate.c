/* SPDX-License-Identifier: MIT */
/*
 * no_predicate - a consumer that was woken finds that another one has taken the item: if
 * instead of while
 *
 * Right: look again after every wait.
 */
#include <errno.h>

#include "catalogue.h"

static int items;
static hocket_mutex lock;
static hocket_cond some;

static int produce(void *arg)
{
    (void)arg;
    for (int i = 0; i < 2; i++) {
        hocket_mutex_lock(&lock);
        items++;
        hocket_cond_signal(&some);
        hocket_mutex_unlock(&lock);
    }
    return 0;
}

static int consume_if(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&lock);
    if (items == 0)
        OK(hocket_cond_wait(&some, &lock, HOCKET_FOREVER));
    int left = --items;
    hocket_mutex_unlock(&lock);
    return left >= 0 ? 0 : -ERANGE;
}

static int consume_while(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&lock);
    while (items == 0)
        OK(hocket_cond_wait(&some, &lock, HOCKET_FOREVER));
    int left = --items;
    hocket_mutex_unlock(&lock);
    return left >= 0 ? 0 : -ERANGE;
}

static int wrong(void *arg)
{
    (void)arg;
    return TOGETHER(consume_if, consume_if, produce);
}

static int right(void *arg)
{
    (void)arg;
    return TOGETHER(consume_while, consume_while, produce);
}

const struct bug bug_no_predicate = { "no_predicate", wrong, right };
