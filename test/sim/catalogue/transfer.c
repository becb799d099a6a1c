/* SPDX-License-Identifier: MIT */
/*
 * transfer - money from a to b and from b to a at once: each locks the account it takes from
 * first
 *
 * Right: hocket_lock_all.
 */
#include "catalogue.h"

struct account {
    hocket_mutex lock;
    int balance;
};

static struct account a = { .balance = 100 }, b = { .balance = 100 };

static int transfer(struct account *from, struct account *to)
{
    hocket_mutex_lock(&from->lock);
    from->balance -= 10;
    hocket_mutex_lock(&to->lock);
    to->balance += 10;
    hocket_mutex_unlock(&to->lock);
    hocket_mutex_unlock(&from->lock);
    return 0;
}

static int transfer_all(struct account *from, struct account *to)
{
    OK(hocket_lock_all(&from->lock, &to->lock));
    from->balance -= 10;
    to->balance += 10;
    hocket_unlock_all(&from->lock, &to->lock);
    return 0;
}

static int ab(void *arg)
{
    (void)arg;
    return transfer(&a, &b);
}

static int ba(void *arg)
{
    (void)arg;
    return transfer(&b, &a);
}

static int ab_all(void *arg)
{
    (void)arg;
    return transfer_all(&a, &b);
}

static int ba_all(void *arg)
{
    (void)arg;
    return transfer_all(&b, &a);
}

static int wrong(void *arg)
{
    (void)arg;
    OK(TOGETHER(ab, ba));
    return a.balance + b.balance == 200 ? 0 : 1;
}

static int right(void *arg)
{
    (void)arg;
    OK(TOGETHER(ab_all, ba_all));
    return a.balance + b.balance == 200 ? 0 : 1;
}

const struct bug bug_transfer = { "transfer", wrong, right };
