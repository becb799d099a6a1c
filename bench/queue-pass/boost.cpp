// SPDX-License-Identifier: MIT
// bench-include: boost/fiber/all.hpp
// bench-flags: -lboost_fiber -lboost_context
// bench-package: libboost-fiber-dev

// The channels of Boost.Fiber.

#include <boost/fiber/all.hpp>

#include "../common/bench.h"

namespace bf = boost::fibers;

static int count;
static bf::pooled_fixedsize_stack stacks(64 * 1024);

template <typename F, typename G> static void both(F f, G g)
{
    bf::fiber a(bf::launch::post, std::allocator_arg, stacks, f);
    bf::fiber b(bf::launch::post, std::allocator_arg, stacks, g);
    a.join();
    b.join();
}

static void ping_pong(void *)
{
    bf::unbuffered_channel<uint64_t> there, back;
    both(
        [&] {
            uint64_t n = 0;
            for (int i = 0; i < count; i++) {
                there.push(n);
                back.pop(n);
            }
            bench_check(n == (uint64_t)count, "wrong sum");
        },
        [&] {
            uint64_t n = 0;
            for (int i = 0; i < count; i++) {
                there.pop(n);
                back.push(n + 1);
            }
        });
}

static void pass(void *)
{
    /* Its ring holds one value less than its size, which must be a power of two. */
    bf::buffered_channel<uint64_t> channel(128);
    both(
        [&] {
            for (uint64_t n = 0; n < (uint64_t)count; n++)
                channel.push(n);
        },
        [&] {
            uint64_t n = 0, sum = 0;
            for (int i = 0; i < count; i++) {
                channel.pop(n);
                sum += n;
            }
            bench_check(sum == (uint64_t)count * (count - 1) / 2, "wrong sum");
        });
}

int main(int argc, char **argv)
{
    bench_start(argc, argv);
    if (bench_is("unbuffered")) {
        count = 10000;
        bench_batches(ping_pong, nullptr, count);
    } else if (bench_is("cap128-fibers")) {
        count = 50000;
        bench_batches(pass, nullptr, count);
    } else {
        return BENCH_SKIP;
    }
    return 0;
}
