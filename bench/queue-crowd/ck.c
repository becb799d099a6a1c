/* SPDX-License-Identifier: MIT */
/* bench-include: ck_ring.h */
/* bench-flags: -pthread -lck */
/* bench-package: libck-dev */

/*
 * The ring of Concurrency Kit, where nobody waits: its form for one producer and one consumer
 * where there are no more, else the one for many.  It holds pointers; numbers fit into them.
 */

#include <ck_ring.h>
#include <stdbool.h>
#include <stdint.h>

#define SIZE 256 /* holds one less; a power of two, so 128 would be too few */

static ck_ring_t ring;
static ck_ring_buffer_t slots[SIZE];
static bool alone;

static inline bool try_put(uint64_t n)
{
    void *value = (void *)(uintptr_t)(n + 1);
    return alone ? ck_ring_enqueue_spsc(&ring, slots, value)
                 : ck_ring_enqueue_mpmc(&ring, slots, value);
}

static inline bool try_get(uint64_t *ret_n)
{
    void *value;
    if (!(alone ? ck_ring_dequeue_spsc(&ring, slots, &value)
                : ck_ring_dequeue_mpmc(&ring, slots, &value)))
        return false;
    *ret_n = (uint64_t)(uintptr_t)value - 1;
    return true;
}

static inline void put(uint64_t n)
{
    (void)n;
}

static inline uint64_t get(void)
{
    return 0;
}

#include "shape.h"

int main(int argc, char **argv)
{
    bench_start(argc, argv);
    if (strncmp(bench_case, "try-", 4) != 0)
        return BENCH_SKIP;
    alone = bench_is("try-1p1c");
    ck_ring_init(&ring, SIZE);
    return shape_run(true) ? 0 : BENCH_SKIP;
}
