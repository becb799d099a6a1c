/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SYS_SYS_H
#define HOCKET_SYS_SYS_H
/*
 * sys - the porting contract: all that Hocket asks of an operating system
 *
 * A port fills one `struct hocket__sys`.  Everything above src/sys calls
 * through `hocket__sys`, and nothing above it makes a system call that could
 * block or tell the time, so a simulated world that replaces the table
 * controls time, sleep, threads and chance.  (Stacks, switches and the
 * overflow handler are src/sys too, but not part of a world: see stack.h,
 * switch.h, overflow.h.)
 *
 * Rules for every function of the table:
 *   - Errors are -errno in the return value.  errno itself is left unchanged.
 *   - Noinline: callers may be fibers that move to another thread between two
 *     calls, and a compiler must not cache addresses of thread-locals (errno
 *     is one) across them.
 *   - No cancellation point of pthreads, no allocation unless stated.
 *   - Callable from any thread, also from ones that Hocket did not start.
 *   - "signal-safe" means: may be called from a signal handler.
 *
 * Time is nanoseconds of CLOCK_MONOTONIC, INT64_MAX is "never".
 *
 * Replacing the table: store to `hocket__sys` while no other thread uses the
 * library.  A test usually copies `hocket__sys_linux` and changes one function.
 */
#include "base/atomic.h"

#include <stddef.h>
#include <stdint.h>

/* A thread that was started by thread_start.  `handle` belongs to the port. */
struct hocket__thread {
    uintptr_t handle;
};

/* Flags of thread_start. */
enum {
    /* The new thread has the mask of its creator.  Without it the new thread
     * blocks every signal but those that a fault or a profiler raises on the
     * thread itself (SEGV BUS FPE ILL TRAP SYS ABRT PROF). */
    HOCKET__THREAD_INHERIT_SIGNALS = 1,
};

struct hocket__sys {
    /* The monotonic clock in ns, > 0.  Signal-safe. */
    int64_t (*clock)(void);

    /* The same clock at tick resolution (1-10 ms behind), several times
     * cheaper.  Never ahead of clock(). */
    int64_t (*clock_coarse)(void);

    /*
     * Sleep while *addr == expected, until the absolute `deadline`
     * (INT64_MAX: none; one in the past: no sleep).  Private to the process.
     *
     *   0           woken, or spurious
     *   -EAGAIN     *addr had another value
     *   -ETIMEDOUT  the deadline passed; never before it
     *   -EINTR      a signal handler ran
     *
     * The comparison is a full barrier against futex_wake on `addr`.
     */
    int (*futex_wait)(const _Atomic uint32_t *addr, uint32_t expected, int64_t deadline);

    /* Wake at most `n` sleepers on `addr` (INT32_MAX: all), in order of their
     * sleep.  How many were woken.  `addr` is not read: it may be freed memory.
     * Signal-safe, keeps errno. */
    int (*futex_wake)(const _Atomic uint32_t *addr, int n);

    /*
     * Start a thread that runs fn(arg).  `stack_size` 0 is the system's
     * default; it is rounded up to what the system needs.  `name` (may be
     * NULL) is cut to 15 bytes.  Allocates.  Each started thread is joined or detached
     * once.  0, -EAGAIN, -ENOMEM; on error nothing runs and *ret is unchanged.
     */
    int (*thread_start)(struct hocket__thread *ret, void *(*fn)(void *), void *arg,
                        size_t stack_size, const char *name, unsigned flags);
    void (*thread_join)(struct hocket__thread t);
    void (*thread_detach)(struct hocket__thread t);

    /* Let another thread run. */
    void (*thread_yield)(void);

    /* The kernel's id of the calling thread.  Signal-safe. */
    int (*thread_id)(void);

    /*
     * Every running thread of the process passes a full memory barrier before
     * this returns.  0, or -ENOSYS where that can't be had: then the caller
     * needs a protocol with a fence on both sides, and so it asks once at
     * start, before it relies on it.
     */
    int (*membarrier)(void);

    /* Reserve `size` bytes (whole pages) of zeroed, readable and writable
     * memory that takes no pages until touched.  0, -ENOMEM. */
    int (*map)(size_t size, void **ret);
    void (*unmap)(void *addr, size_t size);

    /* Make `count` ranges of `size` bytes, `stride` apart, fault on access,
     * without mappings of their own; `discard` leaves them in place.  0, or
     * -EINVAL (not available), -ENOMEM: some may be in place then. */
    int (*guard)(void *addr, size_t size, size_t stride, size_t count);

    /* The same for one range by page protection: costs two mappings.
     * 0, -ENOMEM. */
    int (*protect)(void *addr, size_t size);

    /* How many mappings the process may have; what is left is unknown. */
    size_t (*mapping_limit)(void);

    /* Take pages for `count` ranges now, in one go: a hint. */
    void (*populate)(void *addr, size_t size, size_t stride, size_t count);

    /* Give the pages back; they read as zero afterwards. */
    void (*discard)(void *addr, size_t size);

    /* Keep huge pages out of a mapping: one touch would take 2 MiB.  A hint. */
    void (*small_pages)(void *addr, size_t size);

    /* Fill `buf` with unpredictable bytes.  Can't fail, may not block. */
    void (*random)(void *buf, size_t size);

    /* CPUs that this process may use: the smaller of the affinity mask and the
     * CPU quota of its cgroups (v1 or v2; a part of a CPU counts as one).
     * At least 1.  Opens files: ask once. */
    int (*cpu_count)(void);

    /* CPUs in the affinity mask: the part of it that costs one system call and little stack. */
    int (*cpu_mask)(void);
};

extern const struct hocket__sys hocket__sys_linux;
extern const struct hocket__sys *hocket__sys;

static inline int64_t hocket__clock(void)
{
    return hocket__sys->clock();
}

static inline int64_t hocket__clock_coarse(void)
{
    return hocket__sys->clock_coarse();
}

static inline int hocket__futex_wait(const _Atomic uint32_t *addr, uint32_t expected,
                                     int64_t deadline)
{
    HOCKET_POINT(HOCKET_POINT_WAIT, addr);
    return hocket__sys->futex_wait(addr, expected, deadline);
}

static inline int hocket__futex_wake(const _Atomic uint32_t *addr, int n)
{
    HOCKET_POINT(HOCKET_POINT_WAKE, addr);
    return hocket__sys->futex_wake(addr, n);
}

static inline int hocket__thread_start(struct hocket__thread *ret, void *(*fn)(void *), void *arg,
                                       size_t stack_size, const char *name, unsigned flags)
{
    return hocket__sys->thread_start(ret, fn, arg, stack_size, name, flags);
}

static inline void hocket__thread_join(struct hocket__thread t)
{
    HOCKET_POINT(HOCKET_POINT_WAIT, NULL);
    hocket__sys->thread_join(t);
}

static inline void hocket__thread_detach(struct hocket__thread t)
{
    hocket__sys->thread_detach(t);
}

static inline void hocket__thread_yield(void)
{
    HOCKET_POINT(HOCKET_POINT_YIELD, NULL);
    hocket__sys->thread_yield();
}

static inline int hocket__thread_id(void)
{
    return hocket__sys->thread_id();
}

static inline int hocket__membarrier(void)
{
    HOCKET_POINT(HOCKET_POINT_FENCE, NULL);
    return hocket__sys->membarrier();
}

static inline int hocket__map(size_t size, void **ret)
{
    return hocket__sys->map(size, ret);
}

static inline void hocket__unmap(void *addr, size_t size)
{
    hocket__sys->unmap(addr, size);
}

static inline int hocket__guard_pages(void *addr, size_t size, size_t stride, size_t count)
{
    return hocket__sys->guard(addr, size, stride, count);
}

static inline void hocket__populate(void *addr, size_t size, size_t stride, size_t count)
{
    hocket__sys->populate(addr, size, stride, count);
}

static inline size_t hocket__mapping_limit(void)
{
    return hocket__sys->mapping_limit();
}

static inline int hocket__protect(void *addr, size_t size)
{
    return hocket__sys->protect(addr, size);
}

static inline void hocket__discard(void *addr, size_t size)
{
    hocket__sys->discard(addr, size);
}

static inline void hocket__small_pages(void *addr, size_t size)
{
    hocket__sys->small_pages(addr, size);
}

static inline void hocket__random(void *buf, size_t size)
{
    hocket__sys->random(buf, size);
}

static inline int hocket__cpu_mask(void)
{
    return hocket__sys->cpu_mask();
}

static inline int hocket__cpu_count(void)
{
    return hocket__sys->cpu_count();
}

#endif
