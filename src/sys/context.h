/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SYS_CONTEXT_H
#define HOCKET_SYS_CONTEXT_H
/*
 * context - where a function stands, so that others can walk up from there while it sleeps
 *
 * The registers that called functions keep, the stack pointer and an address in the function.  It
 * holds for as long as the function that saved it has not returned.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#define HOCKET__CONTEXT_REGS 6 /* rbp rbx r12 ... r15 */
#define HOCKET__CONTEXT_NUMBERS \
    {                           \
        6, 3, 12, 13, 14, 15    \
    } /* in DWARF */
#else
#define HOCKET__CONTEXT_REGS 11 /* x29 x19 ... x28 */
#define HOCKET__CONTEXT_NUMBERS                    \
    {                                              \
        29, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28 \
    }
#endif

struct hocket__context {
    uintptr_t pc, sp;
    uintptr_t reg[HOCKET__CONTEXT_REGS];
};

#define HOCKET__INLINE static inline __attribute__((always_inline))

HOCKET__INLINE void hocket__context_save(struct hocket__context *c)
{
#if defined(__x86_64__)
    __asm__ volatile("leaq 0f(%%rip), %%rax\n0:\tmovq %%rax, 0(%0)\n\tmovq %%rsp, 8(%0)\n\t"
                     "movq %%rbp, 16(%0)\n\tmovq %%rbx, 24(%0)\n\tmovq %%r12, 32(%0)\n\t"
                     "movq %%r13, 40(%0)\n\tmovq %%r14, 48(%0)\n\tmovq %%r15, 56(%0)"
                     :
                     : "r"(c)
                     : "rax", "memory");
#else
    __asm__ volatile(
        "adr x9, 0f\n0:\tmov x10, sp\n\tstp x9, x10, [%0]\n\tstp x29, x19, [%0, #16]\n\t"
        "stp x20, x21, [%0, #32]\n\tstp x22, x23, [%0, #48]\n\t"
        "stp x24, x25, [%0, #64]\n\tstp x26, x27, [%0, #80]\n\tstr x28, [%0, #96]"
        :
        : "r"(c)
        : "x9", "x10", "memory");
#endif
}

/* Read memory of this process that may not be there.  A system call; signal-safe. */
bool hocket__read_safely(uintptr_t from, void *to, size_t size);

#endif
