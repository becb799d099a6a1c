/* SPDX-License-Identifier: MIT */
/*
 * tls - the thread-local words, and their accessors where those are calls; see park/tls.h
 */
#include "park/tls.h"

__thread struct hocket__tls hocket__tls HOCKET__TLS_MODEL;
__thread struct hocket__fast hocket__fast;

#ifndef HOCKET__INLINE_LOCKS

HK_NOINLINE struct hocket_task *hocket__tls_self(void)
{
    hk_barrier();
    return hocket__fast.self;
}

HK_NOINLINE struct hocket__worker *hocket__tls_worker(void)
{
    hk_barrier();
    return hocket__tls.worker;
}

HK_NOINLINE void hocket__tls_self_put(struct hocket_task *self)
{
    hocket__fast.self = self;
    hk_barrier();
}

HK_NOINLINE void hocket__tls_worker_put(struct hocket__worker *worker)
{
    hocket__tls.worker = worker;
    hk_barrier();
}

HK_NOINLINE void hocket__tls_fast_put(uint32_t lock_id, uint32_t held)
{
    hocket__fast.lock_id = lock_id;
    hocket__fast.held = held;
    hk_barrier();
}

HK_NOINLINE uint64_t hocket__tls_fast_get(void)
{
    hk_barrier();
    return (uint64_t)hocket__fast.held << 32 | hocket__fast.lock_id;
}

HK_NOINLINE void hocket__tls_fast_back(uint64_t fast)
{
    hk_barrier();
    hocket__fast.lock_id = (uint32_t)fast;
    hocket__fast.held = (uint32_t)(fast >> 32);
}

#endif
