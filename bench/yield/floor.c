/* SPDX-License-Identifier: MIT */

/* The floor: fibers that switch straight to the next of a first-in first-out list, with nothing
 * around it. */

#include "../common/bench.h"
#include "../common/switch.h"

#ifdef BENCH_HAS_SWITCH

#define STACK 4096

struct fiber {
    struct fiber *next;
    void *sp;
};

static struct fiber fibers[1001], *ready, **ready_tail = &ready, *current;
static char stacks[1001][STACK] __attribute__((aligned(64)));
static int count = 2, rounds;
static long yields;

static void yield(void)
{
    struct fiber *self = current;
    self->next = NULL;
    *ready_tail = self;
    ready_tail = &self->next;
    current = ready;
    ready = current->next;
    yields++;
    bench_switch(&self->sp, current->sp, NULL);
}

static void entry(void)
{
    for (;;)
        yield();
}

/* The caller is one of the fibers. */
static void batch(void *arg)
{
    (void)arg;
    for (int i = 0; i < rounds; i++)
        yield();
}

int main(int argc, char **argv)
{
    bench_start(argc, argv);
    if (bench_is("fibers-1000"))
        count = 1000;
    else if (!bench_is("fibers-2"))
        return BENCH_SKIP;
    rounds = 20000 / count;
    current = &fibers[0];
    for (int i = 1; i < count; i++) {
        fibers[i].sp = bench_stack(stacks[i], STACK, entry);
        *ready_tail = &fibers[i];
        ready_tail = &fibers[i].next;
    }
    bench_batches(batch, NULL, (double)rounds * count);
    bench_check(yields % count == 0, "yields were lost");
    return 0;
}

#else
int main(void)
{
    return BENCH_SKIP;
}
#endif
