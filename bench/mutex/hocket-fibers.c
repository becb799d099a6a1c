/* SPDX-License-Identifier: MIT */
/* bench-hocket: library */

/* Our mutex between fibers, on as many workers as the machine has processors. */

#include <hocket/mutex.h>
#include <hocket/runtime.h>
#include <hocket/scope.h>
#include <hocket/task.h>
#include <pthread.h>

static hocket_mutex mutex;

static inline void lock(void)
{
    hocket_mutex_lock(&mutex);
}

static inline void unlock(void)
{
    hocket_mutex_unlock(&mutex);
}

#include "shape.h"

static int fiber(void *arg)
{
    shape_worker((int)(intptr_t)arg);
    return 0;
}

/* Not a fiber: the others need never yield to it. */
static void *timekeeper(void *arg)
{
    *(int64_t *)arg = shape_time();
    return NULL;
}

static void pass(_Bool timed)
{
    hocket_scope scope;
    pthread_t thread;
    int64_t elapsed = 0;

    shape_reset(timed);
    hocket_scope_open(&scope, NULL);
    /* Nobody gets far before all are there. */
    hocket_mutex_lock(&mutex);
    for (int i = 0; i < shape.tasks; i++)
        bench_check(hocket_spawn(&scope, fiber, (void *)(intptr_t)i) == 0, "spawn failed");
    bench_check(pthread_create(&thread, NULL, timekeeper, &elapsed) == 0, "no thread");
    hocket_mutex_unlock(&mutex);
    bench_check(hocket_scope_close(&scope) == 0, "a task failed");
    pthread_join(thread, NULL);
    shape_report(elapsed);
}

static int root(void *arg)
{
    (void)arg;
    if (bench_is("uncontended")) {
        bench_batches(shape_uncontended, NULL, SHAPE_UNCONTENDED);
    } else {
        pass(0);
        pass(1);
    }
    return 0;
}

int main(int argc, char **argv)
{
    bench_start(argc, argv);
    if (!bench_is("uncontended") && !shape_parse())
        return BENCH_SKIP;
    return hocket_run_with(root, NULL, HOCKET_RUNTIME_OPTIONS(.quiet_watchdog = true));
}
