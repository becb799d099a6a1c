// SPDX-License-Identifier: MIT
// bench-include: tbb/task_group.h
// bench-flags: -ltbb
// bench-package: libtbb-dev

// oneTBB: parallel_invoke, its call for a fixed number of branches.

#include <tbb/global_control.h>
#include <tbb/parallel_invoke.h>
#include <tbb/task_arena.h>

#include "../common/bench.h"

static int fib(int n)
{
    if (n < 2)
        return n;
    int left, right;
    tbb::parallel_invoke([&] { right = fib(n - 2); }, [&] { left = fib(n - 1); });
    return left + right;
}

static void batch(void *)
{
    bench_check(fib(30) == 832040, "wrong sum");
}

int main(int argc, char **argv)
{
    bench_start(argc, argv);
    if (!bench_is("fork-1") && !bench_is("fork-2"))
        return BENCH_SKIP;
    size_t workers = (size_t)(argv[1][5] - '0');
    tbb::global_control limit(tbb::global_control::max_allowed_parallelism, workers);
    tbb::task_arena((int)workers).execute([] { bench_batches(batch, nullptr, 1346269); });
    return 0;
}
