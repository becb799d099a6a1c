/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_BASE_ATOMIC_H
#define HOCKET_BASE_ATOMIC_H
/*
 * atomic - every atomic operation of the library, with a point before each
 *
 * The library never touches <stdatomic.h> directly.  It goes through these
 * macros, so that in the test build (-DHOCKET_TEST_POINTS) a hook is called
 * before each atomic operation: the schedule explorer switches there.  In a
 * release build a point is nothing at all.
 *
 *     hk_load(p)            relaxed      hk_store(p, v)         relaxed
 *     hk_load_acq(p)        acquire      hk_store_rel(p, v)     release
 *                                        hk_store_sc(p, v)      seq_cst
 *     hk_xchg(p, v)         acq_rel      hk_xchg_sc(p, v)       seq_cst
 *     hk_cas(p, &old, new)  acq_rel, strong; acquire on failure
 *     hk_cas_sc(p, &old, new)            seq_cst, strong
 *     hk_peek(p)            relaxed, and no point: for what no exploration changes
 *     hk_add hk_sub hk_or hk_and (p, v)  acq_rel; give the old value
 *     hk_fence_sc()         full barrier  hk_barrier()   compiler only
 *     hk_spin_pause()       one turn of a spin loop
 *
 * `p` points to an _Atomic object.  A word that lives in a public struct, where
 * C++ must be able to read the declaration, is a plain integer: reach it
 * by hk_word32(&o->word), hk_word64 or hk_wordptr.
 *
 * Each macro evaluates each argument once: the value first, then `p`, then
 * comes the point, then the operation.  Nothing lies between a point and its
 * operation, so nested uses lose no interleaving.
 *
 * Rejected: atomic_thread_fence(seq_cst).  Compilers emit mfence for it, which
 * costs 16 ns where a locked add on the own stack costs 2.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HK_NOINLINE    __attribute__((noinline))
#define HK_COLD        __attribute__((cold, noinline))
#define hk_likely(x)   __builtin_expect(!!(x), 1)
#define hk_unlikely(x) __builtin_expect(!!(x), 0)

/* What is about to happen at a point.  WAIT and WAKE are passed by src/sys
 * callers around a sleep in the kernel, YIELD by every turn of a spin loop. */
enum hocket__point_kind {
    HOCKET_POINT_LOAD,
    HOCKET_POINT_STORE,
    HOCKET_POINT_RMW,
    HOCKET_POINT_CAS,
    HOCKET_POINT_FENCE,
    HOCKET_POINT_YIELD,
    HOCKET_POINT_WAIT,
    HOCKET_POINT_WAKE,
};

#ifdef HOCKET_TEST_POINTS
/* Set it before the first use of the library by a second thread; NULL: off. */
extern void (*hocket__point_hook)(int kind, const volatile void *addr, const char *file, int line);
static inline void hocket__point(int kind, const volatile void *addr, const char *file, int line)
{
    if (hk_unlikely(hocket__point_hook != NULL))
        hocket__point_hook(kind, addr, file, line);
}
#define HOCKET_POINT(kind, addr) hocket__point((kind), (addr), __FILE__, __LINE__)

/*
 * Where the hook is the simulated world's (sim/atoms.h) it lets other tasks run on the same OS thread.
 * So nobody is given there what belongs to one thread (HOCKET_POINT_WORLD), and between ALONE and
 * TOGETHER, where a task works with what belongs to its worker, nobody else runs.  Neither lies
 * across a switch.
 */
extern bool hocket__point_world;     /* set before the runtime starts, for good */
extern unsigned hocket__point_alone; /* depth */
#define HOCKET_POINT_WORLD    hk_unlikely(hocket__point_world)
#define HOCKET_POINT_ALONE    ((void)(HOCKET_POINT_WORLD && hocket__point_alone++))
#define HOCKET_POINT_TOGETHER ((void)(HOCKET_POINT_WORLD && hocket__point_alone--))
#else
#define HOCKET_POINT(kind, addr) ((void)0)
#define HOCKET_POINT_WORLD       false
#define HOCKET_POINT_ALONE       ((void)0)
#define HOCKET_POINT_TOGETHER    ((void)0)
#endif

#define hk_word32(p)  ((_Atomic uint32_t *)(p))
#define hk_word64(p)  ((_Atomic uint64_t *)(p))
#define hk_wordptr(p) ((_Atomic uintptr_t *)(p))

/* Variables of nested macros get a number each, so that -Wshadow stays on. */
#define HK__CAT2(a, b) a##b
#define HK__CAT(a, b)  HK__CAT2(a, b)
#define HK__TMP(name)  HK__CAT(name, __COUNTER__)

#define HK__LOAD1(p, order, P)              \
    __extension__({                         \
        __auto_type P = (p);                \
        HOCKET_POINT(HOCKET_POINT_LOAD, P); \
        atomic_load_explicit(P, order);     \
    })
#define HK__LOAD(p, order) HK__LOAD1(p, order, HK__TMP(hk_p))

/* The comma turns the _Atomic lvalue type into the plain type. */
#define HK__RMW2(kind, op, p, v, order, P, V) \
    __extension__({                           \
        __typeof__((void)0, *(p)) V = (v);    \
        __auto_type P = (p);                  \
        HOCKET_POINT(kind, P);                \
        op(P, V, order);                      \
    })
#define HK__RMW1(kind, op, p, v, order, P, V) HK__RMW2(kind, op, p, v, order, P, V)
#define HK__RMW(op, p, v, order) \
    HK__RMW1(HOCKET_POINT_RMW, op, p, v, order, HK__TMP(hk_p), HK__TMP(hk_v))
#define HK__STORE(p, v, order) \
    HK__RMW1(HOCKET_POINT_STORE, atomic_store_explicit, p, v, order, HK__TMP(hk_p), HK__TMP(hk_v))
/* fetch_add on pointers counts bytes or elements by compiler: integers only,
 * so the operand keeps its own type. */
#define HK__CAS2(p, e, d, good, bad, P, E, D)                        \
    __extension__({                                                  \
        __typeof__((void)0, *(p)) D = (d);                           \
        __auto_type E = (e);                                         \
        __auto_type P = (p);                                         \
        HOCKET_POINT(HOCKET_POINT_CAS, P);                           \
        atomic_compare_exchange_strong_explicit(P, E, D, good, bad); \
    })
#define HK__CAS1(p, e, d, good, bad, P, E, D) HK__CAS2(p, e, d, good, bad, P, E, D)
#define HK__CAS(p, e, d, good, bad) \
    HK__CAS1(p, e, d, good, bad, HK__TMP(hk_p), HK__TMP(hk_e), HK__TMP(hk_d))

#define hk_peek(p)         atomic_load_explicit((p), memory_order_relaxed)
#define hk_load(p)         HK__LOAD(p, memory_order_relaxed)
#define hk_load_acq(p)     HK__LOAD(p, memory_order_acquire)
#define hk_load_sc(p)      HK__LOAD(p, memory_order_seq_cst)
#define hk_store(p, v)     HK__STORE(p, v, memory_order_relaxed)
#define hk_store_rel(p, v) HK__STORE(p, v, memory_order_release)
#define hk_store_sc(p, v)  HK__STORE(p, v, memory_order_seq_cst)
#define hk_xchg(p, v)      HK__RMW(atomic_exchange_explicit, p, v, memory_order_acq_rel)
#define hk_xchg_sc(p, v)   HK__RMW(atomic_exchange_explicit, p, v, memory_order_seq_cst)
#define hk_cas(p, expected, desired) \
    HK__CAS(p, expected, desired, memory_order_acq_rel, memory_order_acquire)
#define hk_cas_sc(p, expected, desired) \
    HK__CAS(p, expected, desired, memory_order_seq_cst, memory_order_seq_cst)
#define hk_add(p, v) HK__RMW(atomic_fetch_add_explicit, p, v, memory_order_acq_rel)
#define hk_sub(p, v) HK__RMW(atomic_fetch_sub_explicit, p, v, memory_order_acq_rel)
#define hk_or(p, v)  HK__RMW(atomic_fetch_or_explicit, p, v, memory_order_acq_rel)
#define hk_and(p, v) HK__RMW(atomic_fetch_and_explicit, p, v, memory_order_acq_rel)

/* Keeps the compiler, not the processor, from moving memory accesses. */
#define hk_barrier() __asm__ __volatile__("" ::: "memory")

static inline void hocket__fence_sc(void)
{
#if defined(__x86_64__)
    /* Any locked instruction is a full barrier; below the stack pointer it
     * does not depend on the return address.  Adding 0 keeps a red zone. */
    __asm__ __volatile__("lock addl $0, -4(%%rsp)" ::: "memory", "cc");
#else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}
#define hk_fence_sc() (HOCKET_POINT(HOCKET_POINT_FENCE, NULL), hocket__fence_sc())

static inline void hocket__cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
    __asm__ __volatile__("yield" ::: "memory");
#else
    hk_barrier();
#endif
}
#define hk_spin_pause() (HOCKET_POINT(HOCKET_POINT_YIELD, NULL), hocket__cpu_relax())

#endif
