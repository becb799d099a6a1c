/* SPDX-License-Identifier: MIT */
/* bench-hocket: library */

/* Tasks on fibers of one worker. */

#include <hocket/runtime.h>
#include <hocket/scope.h>
#include <hocket/task.h>

#include "../common/bench.h"

static int fibers = 2, rounds;

static int fiber(void *arg)
{
    (void)arg;
    for (int r = 0; r < rounds; r++)
        if (hocket_yield() != 0)
            return 1;
    return 0;
}

static void batch(void *arg)
{
    hocket_scope scope;
    (void)arg;
    hocket_scope_open(&scope, NULL);
    for (int i = 0; i < fibers; i++)
        bench_check(hocket_spawn(&scope, fiber, NULL) == 0, "spawn failed");
    bench_check(hocket_scope_close(&scope) == 0, "a task failed");
}

static int root(void *arg)
{
    (void)arg;
    bench_batches(batch, NULL, (double)rounds * fibers);
    return 0;
}

int main(int argc, char **argv)
{
    bench_start(argc, argv);
    if (bench_is("fibers-1000"))
        fibers = 1000;
    else if (!bench_is("fibers-2"))
        return BENCH_SKIP;
    rounds = 20000 / fibers;
    return hocket_run_with(root, NULL, HOCKET_RUNTIME_OPTIONS(.workers = 1));
}
