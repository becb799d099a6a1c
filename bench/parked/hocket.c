/* SPDX-License-Identifier: MIT */
/* bench-hocket: library */

/* Fibers of one worker that wait for an event. */

#include <hocket/event.h>
#include <hocket/runtime.h>
#include <hocket/scope.h>
#include <hocket/task.h>

#include "parked.h"

static hocket_event gate;
static hocket_scope scope;
static _Atomic long waiting; /* the monitor may lend a second worker */

static int fiber(void *arg)
{
    (void)arg;
    waiting++;
    return hocket_event_wait(&gate, HOCKET_FOREVER);
}

static void park(long n)
{
    waiting = 0;
    hocket_scope_open(&scope, NULL);
    for (long i = 0; i < n; i++)
        bench_check(hocket_spawn(&scope, fiber, NULL) == 0, "spawn failed");
    while (waiting < n)
        bench_check(hocket_yield() == 0, "cancelled");
}

static void release(void)
{
    hocket_event_set(&gate);
    bench_check(hocket_scope_close(&scope) == 0, "a task failed");
    hocket_event_clear(&gate);
}

static int root(void *arg)
{
    (void)arg;
    parked_run(park, release);
    return 0;
}

int main(int argc, char **argv)
{
    bench_start(argc, argv);
    return hocket_run_with(root, NULL,
                           HOCKET_RUNTIME_OPTIONS(.workers = 1, .quiet_watchdog = true));
}
