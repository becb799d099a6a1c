// SPDX-License-Identifier: MIT
// bench-include: tbb/task_group.h
// bench-flags: -ltbb
// bench-package: libtbb-dev

// oneTBB task groups: tasks that cannot be joined one by one.

#include <future>
#include <tbb/global_control.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include "../common/bench.h"

static void batch(void *)
{
    tbb::task_group group;
    for (int i = 0; i < 10000; i++)
        group.run([] {});
    group.wait();
}

static void grain()
{
    uint64_t x = 1;
    for (int i = 0; i < BENCH_GRAIN; i++)
        x = x * 6364136223846793005u + 1;
    BENCH_KEEP(x);
}

static void grains(void *)
{
    tbb::task_group group;
    for (int i = 0; i < 1000; i++)
        group.run(grain);
    group.wait();
}

// A thread that waited for a group would enter the arena and run the task itself, so it waits for
// a future, as a thread outside of the pool does.
static void outside(int64_t pause)
{
    tbb::task_arena arena(2, 0);
    size_t count = 0;
    for (int64_t start = bench_now(); count < 3 || bench_now() - start < bench_ns;) {
        if (pause > 0)
            bench_sleep(pause);
        int64_t before = bench_now();
        std::promise<void> done;
        arena.enqueue([&] { done.set_value(); });
        done.get_future().wait();
        if (count < BENCH_MAX_SAMPLES)
            bench_samples[count++] = (double)(bench_now() - before);
    }
    bench_print("time", count, "ns");
}

int main(int argc, char **argv)
{
    bench_start(argc, argv);
    if (bench_is("tasks-1") || bench_is("tasks-2")) {
        size_t workers = (size_t)(argv[1][6] - '0');
        tbb::global_control limit(tbb::global_control::max_allowed_parallelism, workers);
        tbb::task_arena((int)workers).execute([] { bench_batches(batch, nullptr, 10000); });
    } else if (bench_is("grain-1") || bench_is("grain-2")) {
        size_t workers = (size_t)(argv[1][6] - '0');
        tbb::global_control limit(tbb::global_control::max_allowed_parallelism, workers);
        tbb::task_arena((int)workers).execute([] { bench_batches(grains, nullptr, 1000); });
    } else if (bench_is("outside-awake")) {
        outside(0);
    } else if (bench_is("outside-asleep")) {
        outside(2000000);
    } else {
        return BENCH_SKIP;
    }
    return 0;
}
