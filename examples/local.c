/* SPDX-License-Identifier: MIT */
/*
 * local - one value for each task, inherited by the tasks that it spawns
 *
 * A server keeps the number of the request that a task works for.  Thread-local variables would not
 * do: a fiber may continue on another thread after any wait.
 */
#include <hocket.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static void *copy_number(const void *value)
{
    int *copy = malloc(sizeof *copy);
    if (copy)
        *copy = *(const int *)value;
    return copy; /* NULL: the child starts without a value */
}

static hocket_local request = HOCKET_LOCAL_INIT_INHERIT(free, copy_number);
static atomic_int served[4];

static int helper(void *arg)
{
    (void)arg;
    int err = hocket_yield();
    const int *number = hocket_local_get(&request); /* the parent's, copied at the spawn */
    if (number == NULL)
        return -ENOMEM;
    atomic_fetch_add(&served[*number], 1);
    return err;
}

static int serve(void *arg)
{
    hocket_scope s;
    int *number = copy_number(arg);
    if (number == NULL)
        return -ENOMEM;
    int err = hocket_local_set(&request, number); /* freed at this task's end */
    if (err) {
        free(number);
        return err;
    }
    hocket_scope_open(&s, NULL);
    for (int i = 0; i <= *number && err == 0; i++)
        err = hocket_spawn(&s, helper, NULL);
    int failed = hocket_scope_close(&s);
    return err ? err : failed;
}

static int program(void *arg)
{
    (void)arg;
    hocket_scope s;
    int err = 0;
    hocket_scope_open(&s, NULL);
    for (int n = 1; n < 4 && err == 0; n++)
        err = hocket_spawn_copy(&s, serve, &n, sizeof n);
    int failed = hocket_scope_close(&s);
    for (int n = 1; n < 4; n++)
        printf("request %d: %d helpers\n", n, served[n]);
    printf("here: %s\n", hocket_local_get(&request) ? "a value" : "none");
    return err ? err : failed;
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
