/* SPDX-License-Identifier: MIT */
/* A small program of someone else's: a task adds under a lock, the root task joins it. */
#include <hocket.h>
#include <stdio.h>
#include <string.h>

static hocket_mutex mutex;
static int sum;

static int add(void *arg)
{
    hocket_mutex_lock(&mutex);
    sum += *(int *)arg;
    hocket_mutex_unlock(&mutex);
    return 7;
}

static int root(void *arg)
{
    hocket_task *task;
    int result = 0;
    int err = hocket_spawn_task(&task, NULL, add, arg, NULL);
    if (err)
        return err;
    err = hocket_join(task, &result, HOCKET_FOREVER);
    hocket_task_release(task);
    return err ? err : result;
}

int main(int argc, char **argv)
{
    int amount = 5;
    if (argc > 1 && strcmp(argv[1], "version") == 0) {
        puts(hocket_version());
        return 0;
    }
    int result = hocket_run(root, &amount);
    if (result != 7 || sum != 5) {
        fprintf(stderr, "result %d, sum %d\n", result, sum);
        return 1;
    }
    return 0;
}
