/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SCHED_UNWIND_H
#define HOCKET_SCHED_UNWIND_H

/*
 * unwind - what must not leave a task, and C++ exceptions across a park
 *
 * A stack may carry frames of several tasks (joins in place) above a loop of ours.  An
 * exception that no frame of the task catches must not be caught by another task's, and
 * the forced unwinding of pthread_exit and pthread_cancel must not take the loop away.  So
 * the frame that calls a task's function has a personality: it stops the search, which
 * makes the C++ runtime call std::terminate as for any uncaught exception, and it panics on a
 * forced unwinding.
 *
 * The C++ runtime keeps the exceptions being handled in a thread-local list.  A task may
 * wait inside of a catch block, so the list belongs to the stack that is left: it is taken off
 * the thread before a switch and put back after it, on whichever thread that is.  Without
 * a C++ runtime the symbol is NULL and this costs one load.
 */
#include "base/atomic.h"
#include "sys/sanitizer.h"

/* In a function, once: no exception leaves the calls made from it. */
#if defined(__GCC_HAVE_DWARF2_CFI_ASM) && (defined(__x86_64__) || defined(__aarch64__))
#define HOCKET__UNWIND_BARRIER() __asm__ volatile(".cfi_personality 0x1b, hocket__personality")
#else
#define HOCKET__UNWIND_BARRIER() ((void)0)
#endif

/* The Itanium C++ ABI's __cxa_eh_globals (2.2.2). */
struct hocket__cxx {
    void *caught;
    unsigned uncaught;
};

struct hocket__cxx *__cxa_get_globals(void) __attribute__((weak));

HOCKET_UNSEEN static inline struct hocket__cxx hocket__cxx_take(void)
{
    struct hocket__cxx mine = { NULL, 0 };
    if (hk_unlikely(__cxa_get_globals != NULL)) {
        struct hocket__cxx *globals = __cxa_get_globals();
        mine = *globals;
        *globals = (struct hocket__cxx){ NULL, 0 };
    }
    return mine;
}

/* Perhaps on another thread. */
HOCKET_UNSEEN static inline void hocket__cxx_put(struct hocket__cxx mine)
{
    if (hk_unlikely(__cxa_get_globals != NULL))
        *__cxa_get_globals() = mine;
}

#endif
