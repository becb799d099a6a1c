/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_PARK_TLS_H
#define HOCKET_PARK_TLS_H

/*
 * tls - the words of a thread that change when the running task changes
 *
 * After any wait a fiber may be on another thread.  Compilers do not know: they
 * may compute the address of a thread-local before a call and use it after, and under
 * ThreadSanitizer they do.  So no code touches these variables by name.  On
 * x86-64 with glibc the accessors name the segment register in assembly, where what may be kept is
 * an offset, the same for every thread; elsewhere they are functions that are never inlined.
 *
 * The words of the inline locks (hocket__fast) follow the same rule: hocket/detail/fast.h.
 */
#include <hocket/detail/fast.h>

#include "base/atomic.h"

struct hocket_task;
struct hocket__worker;

/* The running task is hocket__fast.self, for the inline forks. */
struct hocket__tls {
    struct hocket__worker *worker; /* worker this thread is, or NULL */
};

#if defined(HOCKET__INLINE_LOCKS)
#define HOCKET__TLS_MODEL __attribute__((tls_model("initial-exec")))
extern __thread struct hocket__tls hocket__tls HOCKET__TLS_MODEL;

/* 64-bit accessors for one word of a thread-local: offset `at` of `variable`. */
#define HOCKET__TLS_GET64(variable, at)                                                          \
    __extension__({                                                                              \
        uint64_t hk_value;                                                                       \
        __asm__ __volatile__("movq " variable "@gottpoff(%%rip), %0\n\tmovq %%fs:" at "(%0), %0" \
                             : "=r"(hk_value));                                                  \
        hk_value;                                                                                \
    })
#define HOCKET__TLS_PUT64(variable, at, value)                                                   \
    do {                                                                                         \
        uint64_t hk_offset;                                                                      \
        __asm__ __volatile__("movq " variable "@gottpoff(%%rip), %0\n\tmovq %1, %%fs:" at "(%0)" \
                             : "=&r"(hk_offset)                                                  \
                             : "r"((uint64_t)(value)));                                          \
    } while (0)

static inline struct hocket_task *hocket__tls_self(void)
{
    return (struct hocket_task *)HOCKET__TLS_GET64("hocket__fast", "8");
}

static inline struct hocket__worker *hocket__tls_worker(void)
{
    return (struct hocket__worker *)HOCKET__TLS_GET64("hocket__tls", "0");
}

static inline void hocket__tls_self_put(struct hocket_task *self)
{
    HOCKET__TLS_PUT64("hocket__fast", "8", self);
}

static inline void hocket__tls_worker_put(struct hocket__worker *worker)
{
    HOCKET__TLS_PUT64("hocket__tls", "0", worker);
}

/* lock_id and held of hocket__fast together. */
static inline void hocket__tls_fast_put(uint32_t lock_id, uint32_t held)
{
    HOCKET__TLS_PUT64("hocket__fast", "0", (uint64_t)held << 32 | lock_id);
}

/* Both as one word, to be kept and put back. */
static inline uint64_t hocket__tls_fast_get(void)
{
    return HOCKET__TLS_GET64("hocket__fast", "0");
}

static inline void hocket__tls_fast_back(uint64_t fast)
{
    HOCKET__TLS_PUT64("hocket__fast", "0", fast);
}

#else
#define HOCKET__TLS_MODEL
extern __thread struct hocket__tls hocket__tls;
struct hocket_task *hocket__tls_self(void);
struct hocket__worker *hocket__tls_worker(void);
void hocket__tls_self_put(struct hocket_task *self);
void hocket__tls_worker_put(struct hocket__worker *worker);
void hocket__tls_fast_put(uint32_t lock_id, uint32_t held);
uint64_t hocket__tls_fast_get(void);
void hocket__tls_fast_back(uint64_t fast);
#endif

static inline uint32_t hocket__tls_held(void)
{
    return (uint32_t)(hocket__tls_fast_get() >> 32);
}

#endif
