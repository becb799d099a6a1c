/* SPDX-License-Identifier: MIT */

/* A call, a switch of stacks, locked instructions, fences: on one core, nobody else near the
 * memory. */

#include "limits.h"

#include "../common/switch.h"

static int nothing(int x)
{
    return x;
}

static int (*volatile indirect)(int) = nothing;
static _Atomic uint64_t word __attribute__((aligned(64)));
static _Atomic uint64_t other __attribute__((aligned(64)));

__attribute__((noinline)) static int direct(int x)
{
    __asm__ volatile("");
    return x;
}

LIMITS_BATCH(call, direct(i))
LIMITS_BATCH(call_indirect, indirect(i))
LIMITS_BATCH(add, atomic_fetch_add(&word, 1))
LIMITS_BATCH(xchg, atomic_exchange(&word, (uint64_t)i))
LIMITS_BATCH(cas, uint64_t old = atomic_load_explicit(&word, memory_order_relaxed);
             atomic_compare_exchange_strong(&word, &old, (uint64_t)i))
LIMITS_BATCH(fence, atomic_store_explicit(&word, (uint64_t)i, memory_order_relaxed);
             __sync_synchronize(); BENCH_KEEP(atomic_load_explicit(&other, memory_order_relaxed)))
LIMITS_BATCH(plain, atomic_store_explicit(&word, (uint64_t)i, memory_order_release);
             BENCH_KEEP(atomic_load_explicit(&other, memory_order_acquire)))

#ifdef BENCH_HAS_SWITCH
static void *here, *there;
static char stack[4096] __attribute__((aligned(64)));

static void entry(void)
{
    for (;;)
        bench_switch(&there, here, NULL);
}

/* Two switches a turn. */
LIMITS_BATCH(turn, bench_switch(&here, there, NULL))
#endif

int main(int argc, char **argv)
{
    bench_start(argc, argv);
    LIMITS_ROW("call", call);
    LIMITS_ROW("call-indirect", call_indirect);
#ifdef BENCH_HAS_SWITCH
    there = bench_stack(stack, sizeof stack, entry);
    bench_named("switch", turn, NULL, 2.0 * LIMITS_LOOP);
#endif
    LIMITS_ROW("rmw-add", add);
    LIMITS_ROW("rmw-xchg", xchg);
    LIMITS_ROW("rmw-cas", cas);
    LIMITS_ROW("fence", fence);
    LIMITS_ROW("release-acquire", plain);
    return 0;
}
