/* SPDX-License-Identifier: MIT */
/* bench-flags: -pthread */

/*
 * Two threads that hand a word to each other and back: by the cache line alone, by futex with both
 * on one core, on two cores, and on two cores when the waiter spins first. The figure is the round
 * trip.
 */

#include "limits.h"

static struct {
    atomic_int turn __attribute__((aligned(128)));
    atomic_int stop;
    int spin, futex, cpu;
} pair;

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

static void wait_for(int mine)
{
    int spins = 0;
    for (;;) {
        int turn = atomic_load_explicit(&pair.turn, memory_order_acquire);
        if (turn == mine)
            return;
        if (!pair.futex || spins++ < pair.spin)
            relax();
        else
            limits_futex(&pair.turn, FUTEX_WAIT, turn);
    }
}

static void give_to(int other)
{
    atomic_store(&pair.turn, other);
    if (pair.futex)
        limits_futex(&pair.turn, FUTEX_WAKE, 1);
}

static void *answer(void *arg)
{
    limits_pin(pair.cpu);
    for (;;) {
        wait_for(1);
        if (atomic_load(&pair.stop))
            return arg;
        give_to(0);
    }
}

static void batch(void *arg)
{
    int turns = *(int *)arg;
    for (int i = 0; i < turns; i++) {
        give_to(1);
        wait_for(0);
    }
}

static void row(const char *name, int cpu, int futex, int spin, int turns)
{
    pthread_t thread;
    pair.cpu = cpu;
    pair.futex = futex;
    pair.spin = spin;
    atomic_store(&pair.stop, 0);
    atomic_store(&pair.turn, 0);
    bench_check(pthread_create(&thread, NULL, answer, NULL) == 0, "pthread_create failed");
    bench_named(name, batch, &turns, turns);
    atomic_store(&pair.stop, 1);
    give_to(1);
    pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
    bench_start(argc, argv);
    limits_pin(0);
    row("futex-roundtrip-1", 0, 1, 0, 200);
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
        return 0;
    row("line-roundtrip", 1, 0, 0, 1000);
    row("futex-roundtrip-2", 1, 1, 0, 50);
    row("futex-roundtrip-2-spin", 1, 1, 2000, 1000);
    return 0;
}
