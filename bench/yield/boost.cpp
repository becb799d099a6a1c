// SPDX-License-Identifier: MIT
// bench-include: boost/fiber/all.hpp
// bench-flags: -lboost_fiber -lboost_context
// bench-package: libboost-fiber-dev

// Boost.Fiber with its round robin scheduler.

#include <boost/fiber/all.hpp>

#include "../common/bench.h"

namespace bf = boost::fibers;

static int fibers = 2, rounds;
static bf::pooled_fixedsize_stack stacks(64 * 1024);

static void batch(void *)
{
    std::vector<bf::fiber> all;
    all.reserve(fibers);
    for (int i = 0; i < fibers; i++)
        all.emplace_back(bf::launch::post, std::allocator_arg, stacks, [] {
            for (int r = 0; r < rounds; r++)
                boost::this_fiber::yield();
        });
    for (auto &f : all)
        f.join();
}

int main(int argc, char **argv)
{
    bench_start(argc, argv);
    if (bench_is("fibers-1000"))
        fibers = 1000;
    else if (!bench_is("fibers-2"))
        return BENCH_SKIP;
    rounds = 20000 / fibers;
    bench_batches(batch, nullptr, rounds * fibers);
    return 0;
}
