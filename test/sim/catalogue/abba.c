/* SPDX-License-Identifier: MIT */
/*
 * abba - two locks, taken in two orders
 *
 * Right: one order for all.
 */
#include "catalogue.h"

static hocket_mutex a, b;

static int first_a(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&a);
    hocket_mutex_lock(&b);
    hocket_mutex_unlock(&b);
    hocket_mutex_unlock(&a);
    return 0;
}

static int first_b(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&b);
    hocket_mutex_lock(&a);
    hocket_mutex_unlock(&a);
    hocket_mutex_unlock(&b);
    return 0;
}

static int wrong(void *arg)
{
    (void)arg;
    return TOGETHER(first_a, first_b);
}

static int right(void *arg)
{
    (void)arg;
    return TOGETHER(first_a, first_a);
}

const struct bug bug_abba = { "abba", wrong, right };
