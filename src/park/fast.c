/* SPDX-License-Identifier: MIT */
/*
 * fast - the thread-local word of the inline locks, where it takes a call
 *
 * Compilers keep the address of a thread-local across calls, and a fiber may come back from
 * one on another thread.  A function that is never inlined computes the address anew each
 * time.  (x86-64 with glibc needs no call: see the header.)
 */
#include "base/atomic.h"

#include <hocket/detail/fast.h>

#ifndef HOCKET__INLINE_LOCKS

HK_NOINLINE uint32_t hocket__fast_id(void)
{
    hk_barrier();
    return hocket__fast.lock_id;
}

HK_NOINLINE void hocket__fast_hold(void)
{
    hk_barrier();
    hocket__fast.held++;
}

HK_NOINLINE void hocket__fast_drop(void)
{
    hk_barrier();
    hocket__fast.held--;
}

#endif
