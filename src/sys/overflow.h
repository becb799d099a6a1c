/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SYS_OVERFLOW_H
#define HOCKET_SYS_OVERFLOW_H
/*
 * overflow - say whose stack overflowed, then die as usual
 *
 * When a fiber runs into the guard of its own stack, one line on descriptor 2
 *
 *     hocket: stack overflow in task 'parse' (stack of 64 KiB; ask for more
 *     with .stack_size)                                     [on one line]
 *
 * and then the default action of the signal at the faulting instruction, so
 * core files and exit status are those of a plain overflow.  Every other
 * fault goes to the action that was installed before ours, as the kernel
 * would deliver it.
 *
 * The handler runs on an alternate stack, which each thread that runs fibers
 * must have: hocket__altstack_on/off.  Under ASan and TSan nothing is
 * installed, they report overflows themselves.
 */
#include "sys/stack.h"

/* The name to print for a stack; may give NULL.  Called in a signal handler. */
typedef const char *hocket__stack_namer(struct hocket__stack *s);

/* Install for SIGSEGV and SIGBUS; counted, so nested installs are fine. */
void hocket__overflow_install(hocket__stack_namer *name_of);

/* Undo one install.  The last one restores the previous actions, unless
 * somebody else installed theirs over ours meanwhile: then ours stays, since
 * theirs may chain to it, and passes everything on. */
void hocket__overflow_uninstall(void);

struct hocket__altstack {
    void *memory; /* NULL: the thread had one already, which is left alone */
    size_t size;
};

/* Give the calling thread an alternate signal stack.  0, -ENOMEM. */
int hocket__altstack_on(struct hocket__altstack *ret);

/* On the same thread: take it away and free it.  If another one was set
 * meanwhile, that one stays. */
void hocket__altstack_off(struct hocket__altstack *a);

#endif
