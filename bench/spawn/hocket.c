/* SPDX-License-Identifier: MIT */
/* bench-hocket: library */

/* Tasks on fibers, each with a handle but for tasks-N and grain-N, where a scope waits for all. */

#include <hocket/runtime.h>
#include <hocket/scope.h>
#include <hocket/task.h>

#include "../common/bench.h"

#define BATCH  1000
#define TASKS  10000
#define GRAINS 1000
#define ONES   100

static hocket_task *handles[BATCH];

static int empty(void *arg)
{
    (void)arg;
    return 0;
}

static void one(void)
{
    hocket_task *task;
    bench_check(hocket_spawn_task(&task, NULL, empty, NULL, NULL) == 0, "spawn failed");
    bench_check(hocket_join(task, NULL, HOCKET_FOREVER) == 0, "join failed");
    hocket_task_release(task);
}

static void ones(void *arg)
{
    (void)arg;
    for (int i = 0; i < ONES; i++)
        one();
}

static void batch(void *arg)
{
    (void)arg;
    for (int i = 0; i < BATCH; i++)
        bench_check(hocket_spawn_task(&handles[i], NULL, empty, NULL, NULL) == 0, "spawn failed");
    for (int i = 0; i < BATCH; i++) {
        bench_check(hocket_join(handles[i], NULL, HOCKET_FOREVER) == 0, "join failed");
        hocket_task_release(handles[i]);
    }
}

static void tasks(void *arg)
{
    hocket_scope scope;
    (void)arg;
    hocket_scope_open(&scope, NULL);
    for (int i = 0; i < TASKS; i++)
        bench_check(hocket_spawn(&scope, empty, NULL) == 0, "spawn failed");
    bench_check(hocket_scope_close(&scope) == 0, "a task failed");
}

static int grain(void *arg)
{
    uint64_t x = 1;
    (void)arg;
    for (int i = 0; i < BENCH_GRAIN; i++)
        x = x * 6364136223846793005u + 1;
    BENCH_KEEP(x);
    return 0;
}

static void grains(void *arg)
{
    hocket_scope scope;
    (void)arg;
    hocket_scope_open(&scope, NULL);
    for (int i = 0; i < GRAINS; i++)
        bench_check(hocket_spawn(&scope, grain, NULL) == 0, "spawn failed");
    bench_check(hocket_scope_close(&scope) == 0, "a task failed");
}

static int root(void *arg)
{
    (void)arg;
    if (bench_is("one-1"))
        bench_batches(ones, NULL, ONES);
    else if (bench_is("batch-1") || bench_is("batch-2"))
        bench_batches(batch, NULL, BATCH);
    else if (strncmp(bench_case, "grain-", 6) == 0)
        bench_batches(grains, NULL, GRAINS);
    else
        bench_batches(tasks, NULL, TASKS);
    return 0;
}

/* From the main thread, which is no worker of a runtime that was started beside it. */
static int outside(int64_t pause)
{
    size_t count = 0;
    bench_check(hocket_runtime_start(HOCKET_RUNTIME_OPTIONS(.workers = 2)) == 0, "start failed");
    for (int64_t start = bench_now(); count < 3 || bench_now() - start < bench_ns;) {
        if (pause > 0)
            bench_sleep(pause);
        int64_t before = bench_now();
        one();
        if (count < BENCH_MAX_SAMPLES)
            bench_samples[count++] = (double)(bench_now() - before);
    }
    bench_print("time", count, "ns");
    return hocket_runtime_stop(HOCKET_FOREVER) != 0;
}

int main(int argc, char **argv)
{
    bench_start(argc, argv);
    if (bench_is("outside-awake"))
        return outside(0);
    if (bench_is("outside-asleep"))
        return outside(2000000);
    if (!bench_is("one-1") && strncmp(bench_case, "batch-", 6) != 0 &&
        strncmp(bench_case, "tasks-", 6) != 0 && strncmp(bench_case, "grain-", 6) != 0)
        return BENCH_SKIP;
    int workers = bench_case[strlen(bench_case) - 1] - '0';
    return hocket_run_with(root, NULL, HOCKET_RUNTIME_OPTIONS(.workers = workers));
}
