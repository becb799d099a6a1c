// SPDX-License-Identifier: MIT
// bench-include: boost/fiber/all.hpp
// bench-flags: -lboost_fiber -lboost_context
// bench-package: libboost-fiber-dev

// Boost.Fiber with pooled stacks; two workers share work by its work stealing scheduler.

#include <boost/fiber/algo/work_stealing.hpp>
#include <boost/fiber/all.hpp>
#include <thread>

#include "../common/bench.h"

namespace bf = boost::fibers;

static bf::pooled_fixedsize_stack stacks(64 * 1024);

struct shape {
    std::vector<bf::fiber> fibers;
    int count, repeat;
};

static void batch(void *arg)
{
    auto *s = static_cast<shape *>(arg);
    for (int r = 0; r < s->repeat; r++) {
        for (int i = 0; i < s->count; i++)
            s->fibers.emplace_back(bf::launch::post, std::allocator_arg, stacks, [] {});
        for (auto &f : s->fibers)
            f.join();
        s->fibers.clear();
    }
}

static void run(int count, int repeat)
{
    shape s{ {}, count, repeat };
    s.fibers.reserve(count);
    bench_batches(batch, &s, count * repeat);
}

// pooled_fixedsize_stack is not safe between threads, so two workers take their stacks from malloc.
static void batch_shared(void *arg)
{
    auto *s = static_cast<shape *>(arg);
    for (int i = 0; i < s->count; i++)
        s->fibers.emplace_back(bf::launch::post, std::allocator_arg, bf::fixedsize_stack(64 * 1024),
                               [] {});
    for (auto &f : s->fibers)
        f.join();
    s->fibers.clear();
}

static void run_shared()
{
    bf::mutex lock;
    bf::condition_variable_any over;
    bool done = false;
    std::thread second([&] {
        bf::use_scheduling_algorithm<bf::algo::work_stealing>(2, true);
        std::unique_lock<bf::mutex> hold(lock);
        over.wait(hold, [&] { return done; });
    });
    bf::use_scheduling_algorithm<bf::algo::work_stealing>(2, true);
    shape s{ {}, 1000, 1 };
    s.fibers.reserve(1000);
    bench_batches(batch_shared, &s, 1000);
    {
        std::unique_lock<bf::mutex> hold(lock);
        done = true;
    }
    over.notify_all();
    second.join();
}

int main(int argc, char **argv)
{
    bench_start(argc, argv);
    if (bench_is("one-1"))
        run(1, 100);
    else if (bench_is("batch-1"))
        run(1000, 1);
    else if (bench_is("batch-2"))
        run_shared();
    else
        return BENCH_SKIP;
    return 0;
}
