/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TRACE_BACKTRACE_H
#define HOCKET_TRACE_BACKTRACE_H

/*
 * backtrace - the calls on the stack of a task that is off the CPU, on one's own, and of a sample
 *
 * The stack of a parked fiber is read where it lies, while the program goes on.  What was read
 * counts only if the task is in the same wait afterwards, on the same stack.  Stacks stay mapped
 * between hocket__stacks_pin and _unpin (sys/stack.h), which the caller sees to.  Signal-safe.
 */
#include "park/record.h"
#include "sys/sample.h"

#define HOCKET__FRAMES_MAX 64

struct hocket__frames {
    unsigned count;
    bool more;                        /* there were more than fit */
    bool running;                     /* not of a wait */
    uintptr_t pc[HOCKET__FRAMES_MAX]; /* addresses inside the calls, innermost first */
};

/* False: it runs, has no stack, or moved while we looked. */
bool hocket__backtrace_task(hocket_task *task, bool in_handler, struct hocket__frames *ret);

/*
 * The caller's own calls; nothing above `high`, the end of its stack, is read (0: 64 KiB more at
 * most).
 */
void hocket__backtrace_here(uintptr_t high, bool in_handler, struct hocket__frames *ret);

/* Of a thread that was asked; a sample without a copy of the stack is of one's own. */
void hocket__backtrace_sample(const struct hocket__sample *s, bool in_handler,
                              struct hocket__frames *ret);

#endif
