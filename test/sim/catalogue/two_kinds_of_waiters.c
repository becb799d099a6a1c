/* SPDX-License-Identifier: MIT */
/*
 * two_kinds_of_waiters - one condition for "not full" and "not empty": the one signal wakes
 * the wrong kind
 *
 * Right: a condition for each.
 */
#include "catalogue.h"

static hocket_mutex lock;
static hocket_cond changed, not_full, not_empty;
static int count; /* at most one */

static int put(hocket_cond *room, hocket_cond *some)
{
    hocket_mutex_lock(&lock);
    while (count == 1)
        OK(hocket_cond_wait(room, &lock, HOCKET_FOREVER));
    count++;
    hocket_cond_signal(some);
    hocket_mutex_unlock(&lock);
    return 0;
}

static int get(hocket_cond *room, hocket_cond *some)
{
    hocket_mutex_lock(&lock);
    while (count == 0)
        OK(hocket_cond_wait(some, &lock, HOCKET_FOREVER));
    count--;
    hocket_cond_signal(room);
    hocket_mutex_unlock(&lock);
    return 0;
}

static int put_two(void *arg)
{
    (void)arg;
    return put(&changed, &changed) + put(&changed, &changed);
}

static int get_one(void *arg)
{
    (void)arg;
    return get(&changed, &changed);
}

static int put_two_right(void *arg)
{
    (void)arg;
    return put(&not_full, &not_empty) + put(&not_full, &not_empty);
}

static int get_one_right(void *arg)
{
    (void)arg;
    return get(&not_full, &not_empty);
}

static int wrong(void *arg)
{
    (void)arg;
    return TOGETHER(get_one, get_one, put_two);
}

static int right(void *arg)
{
    (void)arg;
    return TOGETHER(get_one_right, get_one_right, put_two_right);
}

const struct bug bug_two_kinds_of_waiters = { "two_kinds_of_waiters", wrong, right };
