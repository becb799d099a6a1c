/* SPDX-License-Identifier: MIT */
/* bench-hocket: library */

/* Jobs of the executor "fibers", each with a future that is read and freed. */

#include <hocket/executor.h>
#include <hocket/runtime.h>

#include "../common/bench.h"

#define TASKS 10000

static hocket_executor *executor;
static hocket_future *futures[TASKS];

static int empty(void *arg)
{
    (void)arg;
    return 0;
}

static void run(int count)
{
    for (int i = 0; i < count; i++)
        bench_check(hocket_submit_fn(executor, &futures[i], empty, NULL) == 0, "submit failed");
    for (int i = 0; i < count; i++) {
        bench_check(hocket_future_get(futures[i], NULL, HOCKET_FOREVER) == 0, "get failed");
        hocket_future_free(futures[i]);
    }
}

static void tasks(void *arg)
{
    (void)arg;
    run(TASKS);
}

static void open_executor(void)
{
    bench_check(hocket_executor_new(&executor, "fibers", HOCKET_EXECUTOR_OPTIONS(.queue = TASKS)) ==
                    0,
                "no executor");
}

static int root(void *arg)
{
    (void)arg;
    open_executor();
    bench_batches(tasks, NULL, TASKS);
    hocket_executor_free(executor);
    return 0;
}

/* From the main thread, which is no worker of a runtime that was started beside it. */
static int outside(int64_t pause)
{
    size_t count = 0;
    bench_check(hocket_runtime_start(HOCKET_RUNTIME_OPTIONS(.workers = 2)) == 0, "start failed");
    open_executor();
    for (int64_t start = bench_now(); count < 3 || bench_now() - start < bench_ns;) {
        if (pause > 0)
            bench_sleep(pause);
        int64_t before = bench_now();
        run(1);
        if (count < BENCH_MAX_SAMPLES)
            bench_samples[count++] = (double)(bench_now() - before);
    }
    bench_print("time", count, "ns");
    hocket_executor_free(executor);
    return hocket_runtime_stop(HOCKET_FOREVER) != 0;
}

int main(int argc, char **argv)
{
    bench_start(argc, argv);
    if (bench_is("outside-awake"))
        return outside(0);
    if (bench_is("outside-asleep"))
        return outside(2000000);
    if (!bench_is("tasks-1") && !bench_is("tasks-2"))
        return BENCH_SKIP;
    return hocket_run_with(root, NULL, HOCKET_RUNTIME_OPTIONS(.workers = bench_case[6] - '0'));
}
