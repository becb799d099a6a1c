/* SPDX-License-Identifier: MIT */
/*
 * three_way - a deadlock of three, no two of which are enough
 *
 * Right: one order for all.
 */
#include "catalogue.h"

static hocket_mutex locks[3];

static int hold(int first, int second)
{
    hocket_mutex_lock(&locks[first]);
    hocket_mutex_lock(&locks[second]);
    hocket_mutex_unlock(&locks[second]);
    hocket_mutex_unlock(&locks[first]);
    return 0;
}

static int zero_one(void *arg)
{
    (void)arg;
    return hold(0, 1);
}

static int one_two(void *arg)
{
    (void)arg;
    return hold(1, 2);
}

static int two_zero(void *arg)
{
    (void)arg;
    return hold(2, 0);
}

static int zero_two(void *arg)
{
    (void)arg;
    return hold(0, 2);
}

static int wrong(void *arg)
{
    (void)arg;
    return TOGETHER(zero_one, one_two, two_zero);
}

static int right(void *arg)
{
    (void)arg;
    return TOGETHER(zero_one, one_two, zero_two);
}

const struct bug bug_three_way = { "three_way", wrong, right };
