/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SYS_SWITCH_H
#define HOCKET_SYS_SWITCH_H
/*
 * switch - leave one stack and go on with another
 *
 * A context that does not run is one pointer, the stack pointer it stopped at;
 * everything else lies on its stack.  A switch saves the registers that a
 * called function must keep, and nothing else: not the signal mask (masks
 * belong to threads) and not the floating-point control words (mxcsr, x87,
 * fpcr: whoever changes them restores them before any wait).  That is what
 * makes it 2 ns instead of 5, or 200 with a mask.
 *
 * Compiled from switch_x86_64.S or switch_aarch64.S; elsewhere, or with
 * -DHOCKET_SWITCH_UCONTEXT, from switch_ucontext.c.
 */
#include <stddef.h>

#if !defined(__x86_64__) && !defined(__aarch64__) && !defined(HOCKET_SWITCH_UCONTEXT)
#define HOCKET_SWITCH_UCONTEXT 1
#endif

/*
 * Stop here and go on with `to_sp`.
 *
 * Stores the stopped context in *save_sp *before* it resumes the other, so the
 * resumed side may hand *save_sp to anyone.  `arg` is what the call of
 * hocket__switch in the resumed context returns (or what its entry gets).  The
 * return value is the `arg` of whoever switches back.  A context is resumed at
 * most once for each time it was saved; the resumer must have seen the store
 * of *save_sp (by its own acquire, or by being on the same thread).
 */
void *hocket__switch(void **save_sp, void *to_sp, void *arg);

/*
 * Make a context at `stack_top` (any alignment; memory below it is used) whose
 * first resume calls entry(arg) with the `arg` of that switch.  `entry` must
 * never return: doing so traps.  Unwinders and debuggers stop below `entry`.
 */
void *hocket__switch_make(void *stack_top, void (*entry)(void *arg));

/* Bytes of stack that a stopped context takes beyond its frames, at most. */
#ifdef HOCKET_SWITCH_UCONTEXT
#define HOCKET__SWITCH_FRAME 5120
#else
#define HOCKET__SWITCH_FRAME 176
#endif

#endif
