/* SPDX-License-Identifier: MIT */

/*
 * The floor: what spawning and ending a fiber costs with nothing that makes it usable: no join, no
 * errors, no second worker. A pool of stacks, a list, and one switch in and one out for each fiber.
 * A library can approach this, not reach it.
 */

#include "../common/bench.h"
#include "../common/switch.h"

#ifdef BENCH_HAS_SWITCH

#define COUNT 1000
#define STACK 4096

struct fiber {
    struct fiber *next;
    void *sp;
    void (*fn)(void *);
    void *arg;
};

static struct fiber fibers[COUNT], *pool, *ready, **ready_tail = &ready, *current;
static char stacks[COUNT][STACK] __attribute__((aligned(64)));
static void *scheduler;

static void empty(void *arg)
{
    (*(int *)arg)++;
}

/* A pooled fiber stays in this loop: its stack is not set up again for the next task. */
static void entry(void)
{
    for (;;) {
        current->fn(current->arg);
        current->next = pool;
        pool = current;
        bench_switch(&current->sp, scheduler, NULL);
    }
}

static void batch(void *arg)
{
    for (int i = 0; i < COUNT; i++) {
        struct fiber *f = pool;
        pool = f->next;
        f->fn = empty;
        f->arg = arg;
        f->next = NULL;
        *ready_tail = f;
        ready_tail = &f->next;
    }
    while ((current = ready) != NULL) {
        ready = current->next;
        bench_switch(&scheduler, current->sp, NULL);
    }
    ready_tail = &ready;
}

int main(int argc, char **argv)
{
    int ran = 0;
    bench_start(argc, argv);
    if (!bench_is("batch-1"))
        return BENCH_SKIP;
    for (int i = 0; i < COUNT; i++) {
        fibers[i].sp = bench_stack(stacks[i], STACK, entry);
        fibers[i].next = pool;
        pool = &fibers[i];
    }
    bench_batches(batch, &ran, COUNT);
    bench_check(ran % COUNT == 0, "fibers were lost");
    return 0;
}

#else
int main(void)
{
    return BENCH_SKIP;
}
#endif
