/* SPDX-License-Identifier: MIT */
/*
 * switch_aarch64 - the switch of sys/switch.h for AAPCS64
 *
 * A stopped context, from its stack pointer up (160 bytes):
 *
 *       0 x29 x30    16 x19 x20    32 x21 x22    48 x23 x24
 *      64 x25 x26    80 x27 x28    96 d8 d9     112 d10 d11
 *     128 d12 d13   144 d14 d15
 *
 * x30 is where it goes on.  A fresh context is the same with x19 = the entry
 * function and x30 = context_begin, whose CFI says that its caller is
 * undefined: there unwinding ends.  fpcr is not saved (see switch.h).
 *
 * With branch protection (BTI) the switch is entered through a call and leaves
 * by ret, which needs no landing pad.  x30 is signed by nobody here (PAC): the
 * saved word lies on the fiber's own stack as in any unsigned frame.
 */
#if defined(__aarch64__) && !defined(HOCKET_SWITCH_UCONTEXT)

        .text

/* void *hocket__switch(void **save_sp, void *to_sp, void *arg) */
        .globl  hocket__switch
        .hidden hocket__switch
        .type   hocket__switch, %function
        .p2align 4
hocket__switch:
        .cfi_startproc
        hint    #34                     /* bti c */
        stp     x29, x30, [sp, #-160]!
        .cfi_adjust_cfa_offset 160
        .cfi_rel_offset x29, 0
        .cfi_rel_offset x30, 8
        stp     x19, x20, [sp, #16]
        .cfi_rel_offset x19, 16
        .cfi_rel_offset x20, 24
        stp     x21, x22, [sp, #32]
        .cfi_rel_offset x21, 32
        .cfi_rel_offset x22, 40
        stp     x23, x24, [sp, #48]
        .cfi_rel_offset x23, 48
        .cfi_rel_offset x24, 56
        stp     x25, x26, [sp, #64]
        .cfi_rel_offset x25, 64
        .cfi_rel_offset x26, 72
        stp     x27, x28, [sp, #80]
        .cfi_rel_offset x27, 80
        .cfi_rel_offset x28, 88
        stp     d8, d9, [sp, #96]
        stp     d10, d11, [sp, #112]
        stp     d12, d13, [sp, #128]
        stp     d14, d15, [sp, #144]
        mov     x9, sp
        str     x9, [x0]
        mov     sp, x1
        /* The same layout on the other stack, so the CFI goes on holding. */
        mov     x0, x2
        ldp     d14, d15, [sp, #144]
        ldp     d12, d13, [sp, #128]
        ldp     d10, d11, [sp, #112]
        ldp     d8, d9, [sp, #96]
        ldp     x27, x28, [sp, #80]
        .cfi_restore x27
        .cfi_restore x28
        ldp     x25, x26, [sp, #64]
        .cfi_restore x25
        .cfi_restore x26
        ldp     x23, x24, [sp, #48]
        .cfi_restore x23
        .cfi_restore x24
        ldp     x21, x22, [sp, #32]
        .cfi_restore x21
        .cfi_restore x22
        ldp     x19, x20, [sp, #16]
        .cfi_restore x19
        .cfi_restore x20
        ldp     x29, x30, [sp], #160
        .cfi_restore x29
        .cfi_restore x30
        .cfi_adjust_cfa_offset -160
        ret
        .cfi_endproc
        .size   hocket__switch, . - hocket__switch

/* Where a fresh context begins: x0 is the argument already. */
        .type   context_begin, %function
        .p2align 4
context_begin:
        .cfi_startproc
        .cfi_undefined x30
        mov     x29, xzr
        mov     x30, xzr
        blr     x19
        brk     #1
        .cfi_endproc
        .size   context_begin, . - context_begin

/* void *hocket__switch_make(void *stack_top, void (*entry)(void *)) */
        .globl  hocket__switch_make
        .hidden hocket__switch_make
        .type   hocket__switch_make, %function
        .p2align 4
hocket__switch_make:
        .cfi_startproc
        hint    #34                     /* bti c */
        and     x0, x0, #-16
        sub     x0, x0, #160
        adr     x9, context_begin
        stp     xzr, x9, [x0]
        stp     x1, xzr, [x0, #16]      /* x19: the entry */
        stp     xzr, xzr, [x0, #32]
        stp     xzr, xzr, [x0, #48]
        stp     xzr, xzr, [x0, #64]
        stp     xzr, xzr, [x0, #80]
        stp     xzr, xzr, [x0, #96]
        stp     xzr, xzr, [x0, #112]
        stp     xzr, xzr, [x0, #128]
        stp     xzr, xzr, [x0, #144]
        ret
        .cfi_endproc
        .size   hocket__switch_make, . - hocket__switch_make

#if defined(__ARM_FEATURE_BTI_DEFAULT)
        /* This object keeps branch target identification on in the program. */
        .section .note.gnu.property, "a", %note
        .p2align 3
        .long   4, 16, 5
        .asciz  "GNU"
        .long   0xc0000000, 4, 1, 0
#endif

#endif
        .section .note.GNU-stack, "", %progbits
