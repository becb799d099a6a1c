/* SPDX-License-Identifier: MIT */

/*
 * The floor: a push and a pop of a private stack of jobs with a flag that a thief would raise, and no
 * thief; the calls are not inlined into each other.
 */

#include "../common/bench.h"

struct job {
    int (*fn)(intptr_t n);
    intptr_t n;
};

static struct job jobs[64], *top = jobs;
static volatile int asked;

static __attribute__((noinline)) int fib(intptr_t n)
{
    if (n < 2)
        return (int)n;
    *top++ = (struct job){ fib, n - 1 };
    if (asked)
        abort();
    BENCH_KEEP(top);
    int right = fib(n - 2);
    top--;
    BENCH_KEEP(top);
    if (asked)
        abort();
    return top->fn(top->n) + right;
}

static void batch(void *arg)
{
    (void)arg;
    bench_check(fib(30) == 832040, "wrong sum");
}

int main(int argc, char **argv)
{
    bench_start(argc, argv);
    if (!bench_is("fork-1"))
        return BENCH_SKIP;
    bench_batches(batch, NULL, 1346269);
    return 0;
}
