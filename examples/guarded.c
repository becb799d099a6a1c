/* SPDX-License-Identifier: MIT */
/*
 * guarded - a value that can be reached only while its lock is held
 *
 * The account's pointer is given away, and the functions below are the only way to it.  A check runs
 * after each access, still under the lock.
 */
#include <hocket.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct account {
    long balance;
    int movements;
};

static struct account savings = { .balance = 100 };
static hocket_guarded account;

static void check(void *value, void *context)
{
    (void)context;
    if (((struct account *)value)->balance < 0)
        abort();
}

static int withdraw(void *value, void *arg)
{
    struct account *a = value;
    long amount = *(const long *)arg;
    if (a->balance < amount)
        return -EDOM; /* leaves, and unlocks */
    a->balance -= amount;
    a->movements++;
    return 0;
}

static int customer(void *arg)
{
    (void)arg;
    long one = 1;
    int err = 0;
    while (err == 0)
        err = hocket_guarded_call(&account, withdraw, &one);
    return err == -EDOM ? 0 : err; /* the account is empty */
}

static int program(void *arg)
{
    (void)arg;
    hocket_scope s;
    hocket_guarded_options o = HOCKET_GUARDED_OPTIONS_DEFAULT;
    int err = 0;
    o.after = check;
    hocket_guarded_init(&account, &savings, &o);
    hocket_scope_open(&s, NULL);
    for (int i = 0; i < 4 && err == 0; i++)
        err = hocket_spawn(&s, customer, NULL);
    int failed = hocket_scope_close(&s);
    HOCKET_WITH_VALUE(struct account, a, &account) {
        printf("balance %ld after %d movements\n", a->balance, a->movements);
    }
    hocket_guarded_destroy(&account);
    return err ? err : failed;
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
