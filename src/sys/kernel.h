/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SYS_KERNEL_H
#define HOCKET_SYS_KERNEL_H
/*
 * kernel - enter the kernel without touching errno
 *
 * syscall(2) of libc writes errno on failure, which a wake from a signal
 * handler must not do, and would do it on whatever thread the caller began on.
 * These return -errno.  (Not called syscall.h: -Isrc would hide <sys/syscall.h>.)
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "sys/sanitizer.h"

#if defined(__x86_64__)
static inline long hocket__syscall6(long n, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long ret;
    __asm__ __volatile__("syscall"
                         : "=a"(ret)
                         : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                         : "rcx", "r11", "memory");
    return ret;
}
#elif defined(__aarch64__)
static inline long hocket__syscall6(long n, long a, long b, long c, long d, long e, long f)
{
    register long x8 __asm__("x8") = n;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ __volatile__("svc 0"
                         : "+r"(x0)
                         : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                         : "memory", "cc");
    return x0;
}
#else
#include <unistd.h>
static inline long hocket__syscall6(long n, long a, long b, long c, long d, long e, long f)
{
    int saved = errno;
    long ret = syscall(n, a, b, c, d, e, f);
    if (ret == -1) {
        ret = -errno;
        errno = saved;
    }
    return ret;
}
#endif

static inline long hocket__syscall4(long n, long a, long b, long c, long d)
{
    return hocket__syscall6(n, a, b, c, d, 0, 0);
}

/* TSan hears of it: what comes to lie in the same place later is not what lay there. */
static inline void hocket__munmap(const void *addr, size_t size)
{
#if HOCKET_TSAN
    int saved = errno;
    (void)munmap((void *)(uintptr_t)addr, size);
    errno = saved;
#else
    (void)hocket__syscall4(SYS_munmap, (long)addr, (long)size, 0, 0);
#endif
}

#endif
