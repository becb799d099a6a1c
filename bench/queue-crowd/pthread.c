/* SPDX-License-Identifier: MIT */
/* bench-flags: -pthread */

/* A mutex and two conditions. */

#include <stdbool.h>

#include "../common/ring.h"

static struct ring ring = RING_INIT;

static inline void put(uint64_t n)
{
    ring_put(&ring, n);
}

static inline uint64_t get(void)
{
    return ring_get(&ring);
}

static inline bool try_put(uint64_t n)
{
    (void)n;
    return false;
}

static inline bool try_get(uint64_t *ret_n)
{
    (void)ret_n;
    return false;
}

#include "shape.h"

int main(int argc, char **argv)
{
    bench_start(argc, argv);
    return shape_run(false) ? 0 : BENCH_SKIP;
}
