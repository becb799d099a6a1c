/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SYS_TICKS_H
#define HOCKET_SYS_TICKS_H
/*
 * ticks - a cheap clock of unknown rate, for decisions like "not again so soon"
 *
 * The processor's counter costs a third of clock_gettime.  It is never shown to
 * users and never compared between CPUs more finely than some microseconds.
 * The test build reads the table's clock, and so does everybody in a simulated world.
 */
#include "sys/sys.h"

extern bool hocket__ticks_by_clock; /* set before any other thread uses the library */

#define HOCKET__TICKS_OF(ns) ((ns)*HOCKET__TICKS_PER_US / 1000)

/* Roughly: current x86 counts 2-4 a nanosecond, aarch64 counters 0.02-1. */
#if defined(HOCKET_TEST_POINTS) || !(defined(__x86_64__) || defined(__aarch64__))
#define HOCKET__TICKS_PER_US 1000
static inline int64_t hocket__ticks_counter(void)
{
    return hocket__clock();
}
static inline int64_t hocket__ticks(void)
{
    return hocket__clock();
}
#else
/* The counter itself: for who has asked hocket__ticks_by_clock. */
static inline int64_t hocket__ticks_counter(void)
{
#if defined(__x86_64__)
#define HOCKET__TICKS_PER_US 2500
    return (int64_t)__builtin_ia32_rdtsc();
#else
#define HOCKET__TICKS_PER_US 25
    int64_t t;
    __asm__ __volatile__("mrs %0, cntvct_el0" : "=r"(t));
    return t;
#endif
}

static inline int64_t hocket__ticks(void)
{
    if (hk_unlikely(hocket__ticks_by_clock))
        return HOCKET__TICKS_OF(hocket__clock());
    return hocket__ticks_counter();
}
#endif

#endif
