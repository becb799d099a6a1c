/* SPDX-License-Identifier: MIT */
/*
 * plugin - Hocket inside a program that has a main loop of its own
 *
 * hocket_runtime_start touches neither signals nor at-exit, and returns: the host goes on with its
 * loop and asks now and then whether the plug-in's tasks are done.
 */
#include <hocket.h>
#include <errno.h>
#include <stdio.h>

/* ---- the plug-in ---- */

static hocket_task *job;

static int compute(void *arg)
{
    long *sum = arg;
    for (long i = 1; i <= 1000; i++) {
        *sum += i;
        int err = i % 100 == 0 ? hocket_yield() : 0;
        if (err)
            return err; /* the host stops us */
    }
    return 0;
}

static int plugin_load(long *sum)
{
    int err = hocket_runtime_start(NULL); /* counted: others may have started it too */
    if (err)
        return err;
    err = hocket_spawn_task(&job, NULL, compute, sum, HOCKET_SPAWN_OPTIONS(.name = "plugin"));
    if (err == 0)
        return 0;
    int stopped = hocket_runtime_stop(HOCKET_FOREVER);
    return stopped ? stopped : err;
}

/* True when the job has ended.  With no workers the waiting caller is who runs the tasks. */
static bool plugin_poll(int *ret_result)
{
    return hocket_join(job, ret_result, hocket_after(HOCKET_MS)) == 0;
}

static int plugin_unload(void)
{
    hocket_cancel(job);
    hocket_task_release(job);
    return hocket_runtime_stop(hocket_after(HOCKET_SEC));
}

/* ---- the host ---- */

int main(void)
{
    long sum = 0;
    int result = 0, err = plugin_load(&sum);
    if (err) {
        fprintf(stderr, "plugin: %s\n", hocket_error_text(err));
        return 1;
    }
    while (!plugin_poll(&result))
        ; /* the host's own work */
    printf("the plug-in says %ld, result %d\n", sum, result);
    err = plugin_unload();
    printf("unloaded: %s\n", err ? hocket_error_name(err) : "all memory and threads given back");
    return err != 0;
}
