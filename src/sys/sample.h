/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SYS_SAMPLE_H
#define HOCKET_SYS_SAMPLE_H
/*
 * sample - where another thread of this process stands: its registers and a copy of its stack
 *
 * A thread that sleeps in a system call is not disturbed: the kernel says where it stands, and its
 * stack is read from outside.  One that runs is asked by SIGPROF, the signal that profilers take
 * samples by: threads of the library let it through already, and debuggers pass it on.  The handler
 * copies registers and stack, nothing else, and is installed from the first question to
 * hocket__sample_end, only where the signal had its default action.  Whoever does not answer is let
 * be after 50 ms, one that would run if it had a processor after half a second, for all together.
 *
 * One user at a time, who may be a signal handler.  No allocation.
 */
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#define HOCKET__SAMPLE_REGS 16 /* as DWARF numbers them: rax rdx rcx rbx rsi rdi rbp rsp r8 ... */
#define HOCKET__SAMPLE_SP   7
#else
#define HOCKET__SAMPLE_REGS 32 /* x0 ... x30, sp */
#define HOCKET__SAMPLE_SP   31
#endif

#define HOCKET__SAMPLE_SIGNAL SIGPROF
#define HOCKET__SAMPLE_STACK  ((size_t)256 << 10) /* more is not copied */

struct hocket__sample {
    uintptr_t pc;
    uintptr_t reg[HOCKET__SAMPLE_REGS];
    uint32_t known;       /* bit a register; of a thread that sleeps the stack pointer alone */
    const uint8_t *stack; /* copied from the stack pointer on, until the next question */
    size_t size;
    const void *subject; /* what `who` said on that thread; NULL of one that sleeps */
    bool asleep;
    char state; /* of one that did not answer, as the kernel calls it: R, D, ...; or '?' */
};

enum hocket__sample_answer {
    HOCKET__SAMPLE_GOOD,
    HOCKET__SAMPLE_GONE,    /* there is no such thread */
    HOCKET__SAMPLE_BLOCKED, /* it blocks the signal */
    HOCKET__SAMPLE_IN_USE,  /* the program has another use for the signal */
    HOCKET__SAMPLE_SILENT,  /* it did not answer */
    HOCKET__SAMPLE_LATE     /* it was not asked, as others have taken all the time there is */
};

/* `who` is called by the handler, on the thread that is asked. */
enum hocket__sample_answer hocket__sample_take(int tid, const void *(*who)(void), bool in_handler,
                                               struct hocket__sample *ret);

/* No more questions for now: the signal's action is put back. */
void hocket__sample_end(void);

/* The registers that a signal handler has interrupted; the stack is not copied. */
void hocket__sample_of_context(const void *context, struct hocket__sample *ret);

void hocket__sample_handler(int signal, siginfo_t *info, void *context);

#endif
