/* SPDX-License-Identifier: MIT */
/* A plug-in that uses Hocket for itself, in a program that may know nothing of it. */
#include <hocket/event.h>
#include <hocket/runtime.h>
#include <hocket/scope.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT int plugin_work(int workers, int tasks);
EXPORT int plugin_lock_only(void);

static int add(void *arg)
{
    int err = hocket_sleep(HOCKET_US);
    __atomic_add_fetch((int *)arg, 1, __ATOMIC_RELAXED);
    return err;
}

/* How many tasks ran, or a negative error. */
int plugin_work(int workers, int tasks)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    hocket_scope s;
    int n = 0;
    o.workers = workers;
    o.quiet_watchdog = true;
    int err = hocket_runtime_start(&o);
    if (err)
        return err;
    hocket_scope_open(&s, NULL);
    for (int i = 0; i < tasks && err == 0; i++)
        err = hocket_spawn(&s, add, &n);
    int closed = hocket_scope_close(&s);
    int stopped = hocket_runtime_stop(HOCKET_FOREVER);
    return err ? err : closed ? closed : stopped ? stopped : n;
}

int plugin_lock_only(void)
{
    hocket_event e = HOCKET_EVENT_INIT;
    hocket_event_set(&e);
    return hocket_event_wait(&e, HOCKET_NOW);
}
