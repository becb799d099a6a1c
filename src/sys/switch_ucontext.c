/* SPDX-License-Identifier: MIT */
/*
 * switch_ucontext - the switch of sys/switch.h over swapcontext(3)
 *
 * For processors without an assembly file, and for tests of this file itself
 * (-DHOCKET_SWITCH_UCONTEXT).  The "stack pointer" of a stopped context is the
 * address of its ucontext_t: on its own stack for a running context that
 * stops, at the top of the stack for a fresh one.  swapcontext changes the signal mask, by a
 * system call (about 200 ns).  A mask belongs to its thread and must not
 * travel with a fiber, so the mask of the thread is written into the target
 * before the switch.
 */
#include "sys/switch.h"

#ifdef HOCKET_SWITCH_UCONTEXT
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <ucontext.h>

struct context {
    ucontext_t registers;
    void *arg; /* set by the resumer, taken by the resumed */
};

/* makecontext passes ints only, so the pointers come in two halves each. */
static void context_begin(unsigned self_high, unsigned self_low, unsigned entry_high,
                          unsigned entry_low)
{
    struct context *self = (void *)(uintptr_t)((uint64_t)self_high << 32 | self_low);
    void (*entry)(void *) = (void (*)(void *))(uintptr_t)((uint64_t)entry_high << 32 | entry_low);

    entry(self->arg);
    abort();
}

void *hocket__switch(void **save_sp, void *to_sp, void *arg)
{
    struct context here, *to = to_sp;

    to->arg = arg;
    *save_sp = &here;
    pthread_sigmask(SIG_SETMASK, NULL, &to->registers.uc_sigmask);
    swapcontext(&here.registers, &to->registers);
    return here.arg;
}

/* The context lies at the top; the stack that makecontext knows of is what is
 * below it.  Its true size is not known here and not looked at: only the upper
 * end of that range matters to makecontext on a stack that grows down. */
void *hocket__switch_make(void *stack_top, void (*entry)(void *arg))
{
    enum { ASSUMED = 8192 };
    uintptr_t at = ((uintptr_t)stack_top - sizeof(struct context)) & ~(uintptr_t)63;
    struct context *fresh = (void *)at;
    uint64_t e = (uint64_t)(uintptr_t)entry, f = (uint64_t)at;

    if (getcontext(&fresh->registers) != 0)
        abort();
    fresh->registers.uc_stack.ss_sp = (void *)(at - ASSUMED);
    fresh->registers.uc_stack.ss_size = ASSUMED;
    fresh->registers.uc_link = NULL;
    makecontext(&fresh->registers, (void (*)(void))context_begin, 4, (unsigned)(f >> 32),
                (unsigned)f, (unsigned)(e >> 32), (unsigned)e);
    return fresh;
}
#else
/* ISO C wants a translation unit to declare something. */
typedef int hocket__switch_ucontext_absent;
#endif
