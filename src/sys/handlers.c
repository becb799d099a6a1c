/* SPDX-License-Identifier: MIT */
/* handlers - see sys/handlers.h */
#include "sys/handlers.h"

#if HOCKET_TSAN
#include <poll.h>
#include <signal.h>
#include <stdint.h>

#include "sys/kernel.h"

/* A switch of stacks is none of threads: what was held is let by the same one. */
static _Thread_local uint64_t before;

/* Raw calls: those of libc are known to TSan, which would run handlers in them. */
void hocket__handlers_hold(void)
{
    uint64_t all = UINT64_MAX;
    (void)hocket__syscall4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&before, sizeof all);
    (void)poll(NULL, 0, 0); /* what TSan has held back runs here; and nothing is written */
}

void hocket__handlers_let(void)
{
    (void)hocket__syscall4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before, 0, sizeof before);
}
#else
/* ISO C wants a translation unit to declare something. */
typedef int hocket__handlers_absent;
#endif
