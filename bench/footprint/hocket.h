/* SPDX-License-Identifier: MIT */
#ifndef FOOTPRINT_HOCKET_H
#define FOOTPRINT_HOCKET_H

/* hocket - the hello program of the contenders hocket and hocket-static, which are linked otherwise */

#include <hocket/runtime.h>
#include <hocket/task.h>

#include "hello.h"

static int work(void *arg)
{
    return hello(arg);
}

static int root(void *arg)
{
    hocket_task *task;
    int err = hocket_spawn_task(&task, NULL, work, arg, NULL);
    if (err == 0) {
        err = hocket_join(task, NULL, HOCKET_FOREVER);
        hocket_task_release(task);
    }
    return err;
}

int main(int argc, char **argv)
{
    return hocket_run(root, argc > 1 ? argv[1] : "");
}

#endif
