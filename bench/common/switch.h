/* SPDX-License-Identifier: MIT */
#ifndef BENCH_SWITCH_H
#define BENCH_SWITCH_H

/*
 * switch - the least that a change of stacks can cost: for limits and floors only
 *
 * Pushes the registers that a called function must keep, swaps the stack pointer, pops them. It
 * jumps where others return: the processor predicts a return to the stack that it came from, and
 * pays 10 ns for being wrong. No floating point control words, no unwind tables, no sanitizers: no
 * library can offer this as it is, but none can be faster.
 */

#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#define BENCH_HAS_SWITCH 1
void *bench_switch(void **save, void *to, void *value);
__asm__(".text\n"
        ".p2align 4\n"
        "bench_switch:\n"
        " pushq %rbp\n pushq %rbx\n pushq %r12\n pushq %r13\n pushq %r14\n pushq %r15\n"
        " movq %rsp, (%rdi)\n"
        " movq %rsi, %rsp\n"
        " movq %rdx, %rax\n"
        " popq %r15\n popq %r14\n popq %r13\n popq %r12\n popq %rbx\n popq %rbp\n"
        " popq %rcx\n"
        " jmp *%rcx\n");

/* A stack on which `entry` begins at the first switch to it. `entry` must never return. */
static inline void *bench_stack(void *base, size_t size, void (*entry)(void))
{
    void **top = (void **)(((uintptr_t)base + size) & ~(uintptr_t)63);
    *--top = NULL; /* a called function finds its stack 8 off a multiple of 16 */
    *--top = (void *)entry;
    for (int i = 0; i < 6; i++)
        *--top = NULL;
    return top;
}

#elif defined(__aarch64__)
#define BENCH_HAS_SWITCH 1
void *bench_switch(void **save, void *to, void *value);
__asm__(
    ".text\n"
    ".p2align 4\n"
    "bench_switch:\n"
    " sub sp, sp, #160\n"
    " stp x19, x20, [sp, #0]\n stp x21, x22, [sp, #16]\n stp x23, x24, [sp, #32]\n"
    " stp x25, x26, [sp, #48]\n stp x27, x28, [sp, #64]\n stp x29, x30, [sp, #80]\n"
    " stp d8, d9, [sp, #96]\n stp d10, d11, [sp, #112]\n stp d12, d13, [sp, #128]\n stp d14, d15, [sp, #144]\n"
    " mov x9, sp\n str x9, [x0]\n mov sp, x1\n mov x0, x2\n"
    " ldp x19, x20, [sp, #0]\n ldp x21, x22, [sp, #16]\n ldp x23, x24, [sp, #32]\n"
    " ldp x25, x26, [sp, #48]\n ldp x27, x28, [sp, #64]\n ldp x29, x30, [sp, #80]\n"
    " ldp d8, d9, [sp, #96]\n ldp d10, d11, [sp, #112]\n ldp d12, d13, [sp, #128]\n ldp d14, d15, [sp, #144]\n"
    " add sp, sp, #160\n"
    " ret\n");

static inline void *bench_stack(void *base, size_t size, void (*entry)(void))
{
    void **top = (void **)(((uintptr_t)base + size) & ~(uintptr_t)63);
    top -= 20;
    for (int i = 0; i < 20; i++)
        top[i] = NULL;
    top[11] = (void *)entry;
    return top;
}
#endif

#endif
