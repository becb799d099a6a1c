/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TRACE_CFI_H
#define HOCKET_TRACE_CFI_H

/*
 * cfi - from a frame to its caller's, by the tables that compilers write for exceptions
 *
 * Every object that gcc or clang makes for x86-64 and aarch64 has them (.eh_frame), with or without
 * frame pointers and debug information.  What is understood is what compilers emit for
 * ordinary functions; anything else makes the walk fall back on the frame pointer.
 *
 * Nothing here allocates, locks or keeps state but a table of answers that threads share:
 * signal-safe as far as hocket__module_find is.
 */
#include "base/atomic.h"

#if defined(__x86_64__)
#define HOCKET__REG_FP  6 /* rbp */
#define HOCKET__REG_SP  7
#define HOCKET__REG_RA  16
#define HOCKET__REGS    17
#define HOCKET__PC_MASK UINTPTR_MAX
#else /* aarch64 */
#define HOCKET__REG_FP  29
#define HOCKET__REG_SP  31
#define HOCKET__REG_RA  30
#define HOCKET__REGS    32
#define HOCKET__PC_MASK ((UINT64_C(1) << 48) - 1) /* signed return addresses carry more above */
#endif

/* The registers of a frame, as the function at `pc` sees them, and where its stack lies. */
struct hocket__frame {
    uintptr_t pc;
    uintptr_t reg[HOCKET__REGS];
    uint32_t known;      /* bit a register */
    uintptr_t low, high; /* nothing outside is read */
    const uint8_t *copy; /* of what lies between these; NULL: it is read where it lies */
    bool in_handler;
    bool of_thread; /* its stack may be gone at any time: read by the kernel */
    bool strict;    /* where there are no tables, no guess by the frame pointer */
};

/*
 * Go to the caller.  `pc` is then a return address: look up pc - 1.  False at the outermost
 * frame, or when nothing more is known.
 */
bool hocket__frame_up(struct hocket__frame *f);

/*
 * The same in short for functions whose frame has one size at `pc`, which are nearly all: the CFA is
 * a register and `cfa`; the return address, and the caller's frame pointer if it was saved, lie
 * `ra` and `fp` from the CFA.  False: it is none of them.
 */
struct hocket__step {
    int32_t cfa, ra, fp;
    bool by_fp;    /* of the two registers */
    bool fp_saved; /* else the caller's is the same */
};
bool hocket__frame_step(uintptr_t pc, struct hocket__step *ret);

/* A word of the stack.  It may change under our hands: the caller finds out. */
bool hocket__frame_peek(const struct hocket__frame *f, uintptr_t at, uintptr_t *ret);

#endif
