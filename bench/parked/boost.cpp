// SPDX-License-Identifier: MIT
// bench-include: boost/fiber/all.hpp
// bench-flags: -lboost_fiber -lboost_context
// bench-package: libboost-fiber-dev

// Boost.Fiber on one thread, fibers that wait for a condition; stacks of 64 KiB without guards, since a
// million with guards are more mappings than the system allows.

#include <boost/fiber/all.hpp>
#include <vector>

#include "parked.h"

namespace bf = boost::fibers;

static bf::mutex mutex;
static bf::condition_variable gate;
static bool open_gate;
static long waiting;
static std::vector<bf::fiber> all;
static bf::pooled_fixedsize_stack stacks(64 * 1024);

static void park(long n)
{
    waiting = 0;
    open_gate = false;
    all.reserve(n);
    for (long i = 0; i < n; i++)
        all.emplace_back(bf::launch::post, std::allocator_arg, stacks, [] {
            std::unique_lock<bf::mutex> lock(mutex);
            waiting++;
            gate.wait(lock, [] { return open_gate; });
        });
    while (waiting < n)
        boost::this_fiber::yield();
}

static void release()
{
    {
        std::unique_lock<bf::mutex> lock(mutex);
        open_gate = true;
    }
    gate.notify_all();
    for (auto &f : all)
        f.join();
    all.clear();
}

int main(int argc, char **argv)
{
    bench_start(argc, argv);
    parked_run(park, release);
    return 0;
}
