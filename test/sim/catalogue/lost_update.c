/* SPDX-License-Identifier: MIT */
/*
 * lost_update - two deposits read the balance before either writes it
 *
 * Right: read and write in one critical section.
 */
#include "catalogue.h"

static int balance;
static hocket_mutex lock;

static int deposit(void *arg)
{
    int seen = balance;
    hocket_sim_point();
    balance = seen + 100;
    (void)arg;
    return 0;
}

static int deposit_locked(void *arg)
{
    hocket_mutex_lock(&lock);
    (void)deposit(arg);
    hocket_mutex_unlock(&lock);
    return 0;
}

static int wrong(void *arg)
{
    (void)arg;
    OK(TOGETHER(deposit, deposit));
    return balance == 200 ? 0 : 1;
}

static int right(void *arg)
{
    (void)arg;
    OK(TOGETHER(deposit_locked, deposit_locked));
    return balance == 200 ? 0 : 1;
}

const struct bug bug_lost_update = { "lost_update", wrong, right };
