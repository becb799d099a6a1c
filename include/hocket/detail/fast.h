/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_DETAIL_FAST_H
#define HOCKET_DETAIL_FAST_H
#include <hocket/base.h>

/*
 * fast - what the inline lock functions read of the running task
 *
 * Not for use by programs: everything here is private to the headers beside it.
 *
 * `lock_id` is the number that the running task writes into the locks it owns.  It
 * is 0 for threads that the library has not seen yet and inside the
 * simulated world, and 0 means: call the exported function, which
 * knows what to do.  `held` counts the owned locks that the running task holds; the
 * scheduler saves and restores both with the task.  `self` is its record, NULL where the library
 * has not seen the thread (detail/fork.h).
 *
 * A fiber may continue on another thread after any wait, and compilers like to
 * keep the address of a thread-local in a register.  On x86-64 with glibc the
 * functions below therefore name the segment register in assembly: what may
 * be kept is an offset, the same for every thread.  Elsewhere they are calls: musl
 * refuses to dlopen a library whose thread-locals have such fixed offsets.
 */
struct hocket__fast {
    uint32_t lock_id;
    uint32_t held;
    void *self;
};

/* The bits of a lock word that hold a lock_id.  Ids lie between 1 and this. */
#define HOCKET__LOCK_OWNER 0x0fffffffu

HOCKET_BEGIN_DECLS

#if defined(__x86_64__) && !defined(__ILP32__) && defined(__GLIBC__)
#define HOCKET__INLINE_LOCKS 1

HOCKET_API extern __thread struct hocket__fast hocket__fast
    __attribute__((tls_model("initial-exec")));

/* An inline twin of an exported function: never emitted, never replaces the symbol. */
#define HOCKET__INLINE_TWIN extern inline __attribute__((gnu_inline))
/* What such a twin may call; it has no symbol. */
#define HOCKET__INLINE_ONLY extern inline __attribute__((gnu_inline, always_inline))

/* The running task's lock_id. */
HOCKET__INLINE_ONLY uint32_t hocket__fast_id(void)
{
    uint64_t id;
    __asm__ __volatile__("{movq hocket__fast@gottpoff(%%rip), %0\n\tmovl %%fs:(%0), %k0|"
                         "mov %0, QWORD PTR hocket__fast@gottpoff[rip]\n\t"
                         "mov %k0, DWORD PTR fs:[%0]}"
                         : "=r"(id)
                         :
                         : "memory");
    return (uint32_t)id;
}

/* It took one more lock, or gave one back. */
HOCKET__INLINE_ONLY void hocket__fast_hold(void)
{
    uint64_t offset;
    __asm__ __volatile__("{movq hocket__fast@gottpoff(%%rip), %0\n\taddl $1, %%fs:4(%0)|"
                         "mov %0, QWORD PTR hocket__fast@gottpoff[rip]\n\t"
                         "add DWORD PTR fs:[%0 + 4], 1}"
                         : "=&r"(offset)
                         :
                         : "memory", "cc");
}

HOCKET__INLINE_ONLY void hocket__fast_drop(void)
{
    uint64_t offset;
    __asm__ __volatile__("{movq hocket__fast@gottpoff(%%rip), %0\n\tsubl $1, %%fs:4(%0)|"
                         "mov %0, QWORD PTR hocket__fast@gottpoff[rip]\n\t"
                         "sub DWORD PTR fs:[%0 + 4], 1}"
                         : "=&r"(offset)
                         :
                         : "memory", "cc");
}

#else

HOCKET_API extern __thread struct hocket__fast hocket__fast;
uint32_t hocket__fast_id(void);
void hocket__fast_hold(void);
void hocket__fast_drop(void);

#endif

HOCKET_END_DECLS
#endif
