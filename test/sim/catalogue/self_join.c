/* SPDX-License-Identifier: MIT */
/*
 * self_join - a task joins whoever was registered last, which may be itself
 *
 * Right: not oneself.
 */
#include "catalogue.h"

static hocket_task *tasks[2];
static int registered = -1;

static int join_last(int me)
{
    registered = me;
    hocket_sim_point();
    int other = registered;
    if (me == 0)
        return 0;
    return hocket_join(tasks[other], NULL, HOCKET_FOREVER);
}

static int join_other(int me)
{
    return me == 0 ? 0 : hocket_join(tasks[0], NULL, HOCKET_FOREVER);
}

static int zero(void *arg)
{
    return arg != NULL ? join_other(0) : join_last(0);
}

static int one(void *arg)
{
    return arg != NULL ? join_other(1) : join_last(1);
}

static int run(void *arg)
{
    hocket_task_fn *fns[2] = { zero, one };
    int result = 0;
    hocket_scope s;
    hocket_scope_open(&s, HOCKET_SCOPE_OPTIONS(.keep_going = true));
    for (int i = 0; i < 2; i++)
        OK(hocket_spawn_task(&tasks[i], &s, fns[i], arg, NULL));
    OK(hocket_join(tasks[1], &result, HOCKET_FOREVER));
    for (int i = 0; i < 2; i++)
        hocket_task_release(tasks[i]);
    int failed = hocket_scope_close(&s);
    return result != 0 ? result : failed;
}

static int wrong(void *arg)
{
    (void)arg;
    return run(NULL);
}

static int right(void *arg)
{
    (void)arg;
    return run(&registered);
}

const struct bug bug_self_join = { "self_join", wrong, right };
