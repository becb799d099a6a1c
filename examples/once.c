/* SPDX-License-Identifier: MIT */
/*
 * once - something that is made at first use, by whoever comes first
 *
 * If making it fails, the next one tries again: here the first attempt does.
 */
#include <hocket.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>

static hocket_once made;
static int attempts; /* by the one who runs make() */
static int table[3];
static atomic_int failures;

static int make(void *arg)
{
    (void)arg;
    if (++attempts == 1)
        return hocket_fail(-EIO, "the first attempt fails");
    int err = hocket_yield(); /* it may wait; the others wait for it */
    for (int i = 0; i < 3 && err == 0; i++)
        table[i] = i + 1;
    return err;
}

static int user(void *arg)
{
    (void)arg;
    int err;
    while (!hocket_once_done(&made) &&
           (err = hocket_once_do(&made, make, NULL, HOCKET_FOREVER)) < 0)
        if (err != -EIO || atomic_fetch_add(&failures, 1) > 0)
            return err;
    hocket_fail_clear(); /* the failed attempt was made good */
    return table[0] + table[1] + table[2] == 6 ? 0 : -EPROTO;
}

static int program(void *arg)
{
    (void)arg;
    hocket_scope s;
    int err = 0;
    hocket_scope_open(&s, NULL);
    for (int i = 0; i < 10 && err == 0; i++)
        err = hocket_spawn(&s, user, NULL);
    int failed = hocket_scope_close(&s);
    printf("%d attempts, %d failed\n", attempts, failures);
    return err ? err : failed;
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
