/* SPDX-License-Identifier: MIT */

/* Fresh memory: the first touch of a page, and a stack with a guard made and thrown away. */

#include "limits.h"

#define PAGES 1024
#define PAGE  4096
#define STACK (64 * 1024)

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

static void touch(void *arg)
{
    volatile char *pages = arg;
    for (size_t i = 0; i < PAGES; i++)
        pages[i * PAGE] = 1;
}

static void *map(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    bench_check(p != MAP_FAILED, "mmap failed");
    return p;
}

/* Giving the pages back is not part of the figure. */
static void first_touch(void)
{
    char *pages = map((size_t)PAGES * PAGE);
    size_t count = 0;
    madvise(pages, (size_t)PAGES * PAGE, MADV_NOHUGEPAGE);
    for (int64_t start = bench_now(); count < 3 || bench_now() - start < bench_ns;) {
        int64_t before = bench_now();
        touch(pages);
        bench_samples[count++] = (double)(bench_now() - before) / PAGES;
        madvise(pages, (size_t)PAGES * PAGE, MADV_DONTNEED);
    }
    bench_print("page-touch", count, "ns");
    munmap(pages, (size_t)PAGES * PAGE);
}

static void stack_mapped(void *arg)
{
    char *stack = map(2 * STACK);
    (void)arg;
    mprotect(stack, STACK, PROT_NONE);
    ((volatile char *)stack)[2 * STACK - 1] = 1;
    munmap(stack, 2 * STACK);
}

/* One page touched and one guard in a slab that is there already. */
static void stack_guarded(void *arg)
{
    char *stack = arg;
    madvise(stack, STACK, MADV_GUARD_INSTALL);
    ((volatile char *)stack)[2 * STACK - 1] = 1;
    madvise(stack, 2 * STACK, MADV_DONTNEED);
}

int main(int argc, char **argv)
{
    bench_start(argc, argv);
    limits_pin(0);
    first_touch();
    bench_named("stack-mmap-guard-unmap", stack_mapped, NULL, 1);
    char *slab = map(2 * STACK);
    madvise(slab, 2 * STACK, MADV_NOHUGEPAGE);
    if (madvise(slab, STACK, MADV_GUARD_INSTALL) == 0)
        bench_named("stack-guard-touch-drop", stack_guarded, slab, 1);
    return 0;
}
