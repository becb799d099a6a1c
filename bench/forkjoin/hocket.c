/* SPDX-License-Identifier: MIT */
/* bench-hocket: library */

/* hocket_fork and hocket_sync; task-N: a scope, a spawn with a handle and a join a call. */

#include <hocket/fork.h>
#include <hocket/runtime.h>
#include <hocket/scope.h>
#include <hocket/task.h>

#include "../common/bench.h"

static int fib(void *arg)
{
    intptr_t n = (intptr_t)arg;
    if (n < 2)
        return (int)n;
    hocket_branch left;
    hocket_fork(&left, fib, (void *)(n - 1));
    int right = fib((void *)(n - 2));
    return hocket_sync(&left) + right;
}

/* The scope is what lets the join call the child right there: a cancel reaches both. */
static int fib_task(void *arg)
{
    intptr_t n = (intptr_t)arg;
    if (n < 2)
        return (int)n;
    hocket_scope scope;
    hocket_task *task;
    int left = 0;
    hocket_scope_open(&scope, NULL);
    bench_check(hocket_spawn_task(&task, &scope, fib_task, (void *)(n - 1), NULL) == 0,
                "spawn failed");
    int right = fib_task((void *)(n - 2));
    bench_check(hocket_join(task, &left, HOCKET_FOREVER) == 0, "join failed");
    hocket_task_release(task);
    bench_check(hocket_scope_close(&scope) == 0, "a task failed");
    return left + right;
}

static void forks(void *arg)
{
    (void)arg;
    bench_check(fib((void *)30) == 832040, "wrong sum");
}

static void tasks(void *arg)
{
    (void)arg;
    bench_check(fib_task((void *)22) == 17711, "wrong sum");
}

static int root(void *arg)
{
    (void)arg;
    if (strncmp(bench_case, "fork-", 5) == 0)
        bench_batches(forks, NULL, 1346269);
    else
        bench_batches(tasks, NULL, 28657 - 1); /* a task for each call but those the caller makes */
    return 0;
}

int main(int argc, char **argv)
{
    bench_start(argc, argv);
    if (strncmp(bench_case, "fork-", 5) != 0 && strncmp(bench_case, "task-", 5) != 0)
        return BENCH_SKIP;
    return hocket_run_with(root, NULL, HOCKET_RUNTIME_OPTIONS(.workers = bench_case[5] - '0'));
}
