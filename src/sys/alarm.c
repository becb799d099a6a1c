/* SPDX-License-Identifier: MIT */
/*
 * alarm - see sys/alarm.h.  A timer of the kernel's is not inherited by fork, so each process has
 * to make its own.
 */
#include "sys/alarm.h"

#include "base/atomic.h"
#include "sys/kernel.h"

#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static _Atomic int owner; /* the process whose timer it is */
static int timer;         /* the kernel's number of it; under the caller's lock */

int hocket__alarm_set(int signal, int64_t ns)
{
    int self = (int)getpid();
    struct sigevent event;
    struct itimerspec when = { .it_value = { ns / 1000000000, ns % 1000000000 } };
    if (hk_load(&owner) != self) {
        memset(&event, 0, sizeof event);
        event.sigev_notify = SIGEV_SIGNAL;
        event.sigev_signo = signal;
        long err = hocket__syscall4(SYS_timer_create, CLOCK_MONOTONIC, (long)&event, (long)&timer,
                                    0);
        if (err < 0)
            return (int)err;
        hk_store(&owner, self);
    }
    return (int)hocket__syscall4(SYS_timer_settime, timer, 0, (long)&when, 0);
}

int hocket__pages_in_memory(const void *addr, size_t count, unsigned char *ret)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (int)hocket__syscall4(SYS_mincore, (long)addr, (long)(count * page), (long)ret, 0);
}
