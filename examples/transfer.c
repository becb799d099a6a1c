/* SPDX-License-Identifier: MIT */
/*
 * transfer - several locks at once, in any order, and the order of classes of locks
 *
 * Two tasks move money to and fro between two accounts.  Each locks both, named in opposite orders:
 * with two plain locks they would block each other sooner or later.
 */
#include <hocket.h>
#include <errno.h>
#include <stdio.h>

static hocket_lock_class accounts = HOCKET_LOCK_CLASS_INIT("account");
static hocket_lock_class audits = HOCKET_LOCK_CLASS_INIT("audit");

struct account {
    hocket_mutex mutex;
    long balance;
};

static struct account first = { HOCKET_MUTEX_INIT_CLASS(&accounts), 1000 };
static struct account second = { HOCKET_MUTEX_INIT_CLASS(&accounts), 1000 };
static hocket_mutex audit = HOCKET_MUTEX_INIT_CLASS(&audits);

static int move(struct account *from, struct account *to, long amount)
{
    int err = hocket_lock_all(&from->mutex, &to->mutex);
    if (err)
        return err; /* nothing is locked */
    from->balance -= amount;
    to->balance += amount;
    hocket_unlock_all(&from->mutex, &to->mutex);
    return 0;
}

static int mover(void *arg)
{
    int err = 0;
    for (int i = 0; i < 1000 && err == 0; i++)
        err = arg ? move(&first, &second, 1) : move(&second, &first, 2);
    return err;
}

static int program(void *arg)
{
    (void)arg;
    hocket_scope s;
    hocket_scope_open(&s, NULL);
    int err = hocket_spawn(&s, mover, NULL);
    if (err == 0)
        err = hocket_spawn(&s, mover, &first);
    int failed = hocket_scope_close(&s);
    printf("%ld + %ld = %ld\n", first.balance, second.balance, first.balance + second.balance);

    /* An audit is taken with an account held: from now on that is the order. */
    hocket_mutex_lock(&first.mutex);
    hocket_mutex_lock(&audit);
    hocket_mutex_unlock(&audit);
    hocket_mutex_unlock(&first.mutex);
    /* The other way round could deadlock with that, some day: refused. */
    hocket_mutex_lock(&audit);
    int order = hocket_lock_all(&first.mutex, &second.mutex);
    hocket_mutex_unlock(&audit);
    printf("out of order: %s\n", hocket_error_name(order));
    printf("twice: %s\n", hocket_error_name(hocket_lock_all(&audit, &audit)));
    return err ? err : failed;
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
