/* SPDX-License-Identifier: MIT */
/*
 * switch_x86_64 - the switch of sys/switch.h for the System V ABI
 *
 * A stopped context, from its stack pointer up:
 *
 *      0  r15    8  r14    16  r13    24  r12    32  rbx    40  rbp
 *     48  return address
 *
 * A fresh one is the same with r12 = the entry function and the return address
 * = context_begin, and above it 16 bytes of zero, a place where a debugger
 * that reads memory finds no caller.  context_begin's frame says in its CFI
 * that the return address is undefined: there unwinding ends.
 *
 * mxcsr and the x87 control word are not saved (see switch.h).
 *
 * It leaves by ret, not by pop and jmp.  The processor predicts a ret from the
 * calls that led here on the stack that is left; when the two contexts stopped
 * in the same function, called from the same place, that is right all the way
 * up, and a jmp would shift the predictions of every ret that follows.  Round
 * of 64 fibers, three calls deep: 8.5 ns with ret, 40 with jmp.  Only a
 * ping-pong of two unlike frames likes jmp better (3 against 13 ns).  So: let
 * all parking go through one call chain.
 *
 * No shadow stack is claimed (no GNU property), so the loader keeps it off.
 */
#if defined(__x86_64__) && !defined(HOCKET_SWITCH_UCONTEXT)

#if defined(__CET__) && (__CET__ & 1)
#define LANDING endbr64
#else
#define LANDING
#endif

        .text

/* void *hocket__switch(void **save_sp, void *to_sp, void *arg) */
        .globl  hocket__switch
        .hidden hocket__switch
        .type   hocket__switch, @function
        .p2align 4
hocket__switch:
        .cfi_startproc
        LANDING
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbp, 0
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbx, 0
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r12, 0
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r13, 0
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r14, 0
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r15, 0
        movq    %rsp, (%rdi)
        movq    %rsi, %rsp
        /* The same layout on the other stack, so the CFI goes on holding. */
        movq    %rdx, %rax
        popq    %r15
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r15
        popq    %r14
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r14
        popq    %r13
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r13
        popq    %r12
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r12
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbx
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbp
        ret
        .cfi_endproc
        .size   hocket__switch, . - hocket__switch

/* Where a fresh context begins: rsp is a multiple of 16, rax the argument. */
        .type   context_begin, @function
        .p2align 4
context_begin:
        .cfi_startproc
        .cfi_undefined %rip
        movq    %rax, %rdi
        xorl    %ebp, %ebp
        call    *%r12
        ud2
        .cfi_endproc
        .size   context_begin, . - context_begin

/* void *hocket__switch_make(void *stack_top, void (*entry)(void *)) */
        .globl  hocket__switch_make
        .hidden hocket__switch_make
        .type   hocket__switch_make, @function
        .p2align 4
hocket__switch_make:
        .cfi_startproc
        LANDING
        andq    $-16, %rdi
        xorl    %eax, %eax
        movq    %rax, -8(%rdi)
        movq    %rax, -16(%rdi)
        leaq    context_begin(%rip), %rcx
        movq    %rcx, -24(%rdi)
        movq    %rax, -32(%rdi)         /* rbp */
        movq    %rax, -40(%rdi)         /* rbx */
        movq    %rsi, -48(%rdi)         /* r12: the entry */
        movq    %rax, -56(%rdi)         /* r13 */
        movq    %rax, -64(%rdi)         /* r14 */
        movq    %rax, -72(%rdi)         /* r15 */
        leaq    -72(%rdi), %rax
        ret
        .cfi_endproc
        .size   hocket__switch_make, . - hocket__switch_make

#endif
        .section .note.GNU-stack, "", @progbits
