// SPDX-License-Identifier: MIT
// bench-include: concurrentqueue/concurrentqueue.h
// bench-flags: -pthread
// bench-package: libconcurrentqueue-dev

// moodycamel::ConcurrentQueue: unbounded, nobody waits; with a token for each side, in bulk.

#include <concurrentqueue/concurrentqueue.h>

#include <sched.h>
#include <thread>

#include "../common/bench.h"

static constexpr size_t batch_size = 64, all = batch_size * 3000;

static void batches(void *)
{
    moodycamel::ConcurrentQueue<uint64_t> queue(all);
    std::thread producer([&queue] {
        moodycamel::ProducerToken token(queue);
        uint64_t values[batch_size];
        for (uint64_t n = 0; n < all; n += batch_size) {
            for (uint64_t i = 0; i < batch_size; i++)
                values[i] = n + i;
            bench_check(queue.enqueue_bulk(token, values, batch_size), "put failed");
        }
    });
    moodycamel::ConsumerToken token(queue);
    uint64_t values[batch_size], sum = 0;
    unsigned tries = 0;
    for (size_t got = 0; got < all;) {
        size_t n = queue.try_dequeue_bulk(token, values, batch_size);
        if (n == 0 && ++tries % 64 == 0)
            sched_yield();
        for (size_t i = 0; i < n; i++)
            sum += values[i];
        got += n;
    }
    producer.join();
    bench_check(sum == all * (all - 1) / 2, "wrong sum");
}

int main(int argc, char **argv)
{
    bench_start(argc, argv);
    if (!bench_is("batch-64"))
        return BENCH_SKIP;
    bench_batches(batches, nullptr, (double)all);
    return 0;
}
