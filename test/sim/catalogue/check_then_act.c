/* SPDX-License-Identifier: MIT */
/*
 * check_then_act - each step is locked, but what was checked no longer holds at the act
 *
 * Right: check and act under one hold of the lock.
 */
#include "catalogue.h"

static int balance = 100;
static hocket_mutex lock;

static bool enough(int amount)
{
    hocket_mutex_lock(&lock);
    bool yes = balance >= amount;
    hocket_mutex_unlock(&lock);
    return yes;
}

static int withdraw(void *arg)
{
    (void)arg;
    if (!enough(100))
        return 0;
    hocket_mutex_lock(&lock);
    balance -= 100;
    hocket_mutex_unlock(&lock);
    return 0;
}

static int withdraw_at_once(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&lock);
    if (balance >= 100)
        balance -= 100;
    hocket_mutex_unlock(&lock);
    return 0;
}

static int wrong(void *arg)
{
    (void)arg;
    OK(TOGETHER(withdraw, withdraw));
    return balance >= 0 ? 0 : 1;
}

static int right(void *arg)
{
    (void)arg;
    OK(TOGETHER(withdraw_at_once, withdraw_at_once));
    return balance >= 0 ? 0 : 1;
}

const struct bug bug_check_then_act = { "check_then_act", wrong, right };
