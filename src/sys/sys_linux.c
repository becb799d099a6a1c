/* SPDX-License-Identifier: MIT */
/*
 * sys_linux - the table of src/sys/sys.h on Linux
 *
 * Threads come from pthreads, since TLS and libc need them made there; all else
 * is raw system calls.  Nothing here is locked or keeps state.
 *
 * Oldest kernel: 4.4 (all calls but the two below).  membarrier needs 4.14 and
 * may be filtered in containers; guard needs 6.13; both say so to the caller,
 * who has another way.
 */
#include "sys/sys.h"
#include "base/alloc.h"
#include "sys/cpus.h"
#include "sys/kernel.h"
#include "sys/sanitizer.h"
#include "sys/ticks.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* The kernel's words for it, which its older headers (and musl) lack. */
enum {
    FUTEX_OP_WAKE = 1 | 128,       /* FUTEX_WAKE | FUTEX_PRIVATE_FLAG */
    FUTEX_OP_WAIT_UNTIL = 9 | 128, /* FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG */
    CMD_PRIVATE_EXPEDITED = 1 << 3,
    CMD_REGISTER_PRIVATE_EXPEDITED = 1 << 4,
    ADVICE_POPULATE_WRITE = 23,
    ADVICE_GUARD_INSTALL = 102,
    PIDFD_OF_SELF = -10001, /* the thread group */
    RANDOM_NONBLOCK = 1,
    NS_PER_SEC = 1000000000,
};
#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif

static int64_t read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * NS_PER_SEC + t.tv_nsec;
}

static HK_NOINLINE int64_t linux_clock(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

static HK_NOINLINE int64_t linux_clock_coarse(void)
{
    return read_clock(CLOCK_MONOTONIC_COARSE);
}

/* The plain FUTEX_WAIT takes a relative time, so a wait that is interrupted
 * and repeated would drift; the bitset form takes an absolute one. */
static int futex_wait_until(const _Atomic uint32_t *addr, uint32_t expected, int64_t deadline)
{
    struct timespec until, *limit = NULL;

    if (deadline != INT64_MAX) {
        if (deadline < 0)
            deadline = 0;
        until.tv_sec = (time_t)(deadline / NS_PER_SEC);
        until.tv_nsec = (long)(deadline % NS_PER_SEC);
        limit = &until;
    }
    return (int)hocket__syscall6(SYS_futex, (long)addr, FUTEX_OP_WAIT_UNTIL, (long)expected,
                                 (long)limit, 0, -1);
}

/* TSan holds handlers back until the thread calls a function that it knows, here the clock's, and
 * under SA_RESTART an endless sleep just goes on.  So sleep in slices, longer and longer ones. */
static int futex_wait_sliced(const _Atomic uint32_t *addr, uint32_t expected, int64_t deadline)
{
    int64_t until;
    int rc;

    for (int64_t slice = NS_PER_SEC / 200;; slice += slice < NS_PER_SEC / 4 ? slice : 0) {
        until = read_clock(CLOCK_MONOTONIC) + slice;
        rc = futex_wait_until(addr, expected, until < deadline ? until : deadline);
        if (rc == -EINTR)
            (void)read_clock(CLOCK_MONOTONIC);
        if (rc != -ETIMEDOUT || until >= deadline)
            return rc;
    }
}

static HK_NOINLINE int linux_futex_wait(const _Atomic uint32_t *addr, uint32_t expected,
                                        int64_t deadline)
{
    return HOCKET_TSAN ? futex_wait_sliced(addr, expected, deadline)
                       : futex_wait_until(addr, expected, deadline);
}

static HK_NOINLINE int linux_futex_wake(const _Atomic uint32_t *addr, int n)
{
    long woken = hocket__syscall4(SYS_futex, (long)addr, FUTEX_OP_WAKE, n, 0);
    return woken > 0 ? (int)woken : 0;
}

struct thread_begin {
    void *(*fn)(void *);
    void *arg;
    char name[16];
};

static void *thread_main(void *arg)
{
    struct thread_begin begin = *(struct thread_begin *)arg;

    hocket__free(arg);
    if (begin.name[0] != '\0')
        hocket__syscall4(SYS_prctl, PR_SET_NAME, (long)begin.name, 0, 0);
    return begin.fn(begin.arg);
}

/* What a thread of ours takes: only what the thread itself causes. */
static void worker_mask(sigset_t *ret)
{
    static const int own[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, SIGPROF };

    sigfillset(ret);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        sigdelset(ret, own[i]);
}

/* Static TLS is taken out of the requested size, and how much that is can't be
 * asked; pthread_create then says EINVAL.  So ask for more until it fits. */
static int create_thread(pthread_t *ret, struct thread_begin *begin, size_t stack_size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    long least = sysconf(_SC_THREAD_STACK_MIN);
    pthread_attr_t attr;
    int rc = pthread_attr_init(&attr);

    if (rc != 0)
        return -rc;
    if (stack_size == 0) {
        rc = pthread_create(ret, &attr, thread_main, begin);
    } else {
        if (least > 0 && stack_size < (size_t)least)
            stack_size = (size_t)least;
        do {
            stack_size = (stack_size + page - 1) & ~(page - 1);
            rc = pthread_attr_setstacksize(&attr, stack_size);
            if (rc == 0)
                rc = pthread_create(ret, &attr, thread_main, begin);
            stack_size *= 2;
        } while (rc == EINVAL && stack_size < (size_t)64 << 20);
    }
    pthread_attr_destroy(&attr);
    return -rc;
}

/* The mask is set on the creator, because a new thread inherits it: were it
 * set by the new thread, a signal could arrive there first. */
static HK_NOINLINE int linux_thread_start(struct hocket__thread *ret, void *(*fn)(void *),
                                          void *arg, size_t stack_size, const char *name,
                                          unsigned flags)
{
    struct thread_begin *begin = hocket__alloc(sizeof *begin);
    sigset_t mask, saved;
    pthread_t thread;
    int rc;

    if (begin == NULL)
        return -ENOMEM;
    begin->fn = fn;
    begin->arg = arg;
    begin->name[0] = '\0';
    if (name != NULL) {
        strncpy(begin->name, name, sizeof begin->name - 1);
        begin->name[sizeof begin->name - 1] = '\0';
    }
    if (!(flags & HOCKET__THREAD_INHERIT_SIGNALS)) {
        worker_mask(&mask);
        pthread_sigmask(SIG_SETMASK, &mask, &saved);
    }
    rc = create_thread(&thread, begin, stack_size);
    if (!(flags & HOCKET__THREAD_INHERIT_SIGNALS))
        pthread_sigmask(SIG_SETMASK, &saved, NULL);
    if (rc != 0) {
        hocket__free(begin);
        return rc;
    }
    ret->handle = (uintptr_t)thread;
    return 0;
}

static HK_NOINLINE void linux_thread_join(struct hocket__thread t)
{
    pthread_join((pthread_t)t.handle, NULL);
}

static HK_NOINLINE void linux_thread_detach(struct hocket__thread t)
{
    pthread_detach((pthread_t)t.handle);
}

static HK_NOINLINE void linux_thread_yield(void)
{
    hocket__syscall4(SYS_sched_yield, 0, 0, 0, 0);
}

static HK_NOINLINE int linux_thread_id(void)
{
    return (int)hocket__syscall4(SYS_gettid, 0, 0, 0, 0);
}

/* A process registers once; the first call of all finds it missing. */
static HK_NOINLINE int linux_membarrier(void)
{
    long rc = hocket__syscall4(SYS_membarrier, CMD_PRIVATE_EXPEDITED, 0, 0, 0);

    if (rc == -EPERM &&
        hocket__syscall4(SYS_membarrier, CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0, 0) == 0)
        rc = hocket__syscall4(SYS_membarrier, CMD_PRIVATE_EXPEDITED, 0, 0, 0);
    return rc == 0 ? 0 : -ENOSYS;
}

static HK_NOINLINE int linux_map(size_t size, void **ret)
{
    long addr = hocket__syscall6(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

    if (addr < 0 && addr > -4096)
        return -ENOMEM;
    *ret = (void *)addr;
    return 0;
}

static HK_NOINLINE void linux_unmap(void *addr, size_t size)
{
    hocket__munmap(addr, size);
}

/* One call for many ranges where the kernel lets a process advise itself that
 * way (6.13), which halves the price of a range; else one by one. */
static int advise(void *addr, size_t size, size_t stride, size_t count, int advice)
{
    struct iovec ranges[16];
    char *at = addr;

    while (count > 0) {
        size_t n = count < 16 ? count : 16;
        long done = 0;
        for (size_t i = 0; i < n; i++)
            ranges[i] = (struct iovec){ at + i * stride, size };
        if (n > 1 && !hocket__valgrind_running())
            done = hocket__syscall6(SYS_process_madvise, PIDFD_OF_SELF, (long)ranges, (long)n,
                                    advice, 0, 0);
        for (size_t i = done > 0 ? (size_t)done / size : 0; i < n; i++) {
            long rc = hocket__syscall4(SYS_madvise, (long)(at + i * stride), (long)size, advice, 0);
            if (rc < 0)
                return (int)rc;
        }
        at += n * stride;
        count -= n;
    }
    return 0;
}

/* Emulators (qemu-user) take any advice for done.  So let the kernel read a
 * file name from the last guard: it must be told that there is no such memory. */
static HK_NOINLINE int linux_guard(void *addr, size_t size, size_t stride, size_t count)
{
    char *last = (char *)addr + (count - 1) * stride;
    int rc = advise(addr, size, stride, count, ADVICE_GUARD_INSTALL);

    if (rc == 0 && hocket__syscall4(SYS_faccessat, AT_FDCWD, (long)last, 0, 0) != -EFAULT)
        rc = -EINVAL;
    return rc;
}

static HK_NOINLINE void linux_populate(void *addr, size_t size, size_t stride, size_t count)
{
    advise(addr, size, stride, count, ADVICE_POPULATE_WRITE);
}

static HK_NOINLINE size_t linux_mapping_limit(void)
{
    enum { USUAL = 65530 };
    char text[32];
    long fd = hocket__syscall4(SYS_openat, AT_FDCWD, (long)"/proc/sys/vm/max_map_count",
                               O_RDONLY | O_CLOEXEC, 0);
    long got, limit;

    if (fd < 0)
        return USUAL;
    got = hocket__syscall4(SYS_read, fd, (long)text, sizeof text - 1, 0);
    hocket__syscall4(SYS_close, fd, 0, 0, 0);
    text[got > 0 ? got : 0] = '\0';
    limit = strtol(text, NULL, 10);
    return limit > 0 ? (size_t)limit : USUAL;
}

static HK_NOINLINE int linux_protect(void *addr, size_t size)
{
    return (int)hocket__syscall4(SYS_mprotect, (long)addr, (long)size, PROT_NONE, 0);
}

static HK_NOINLINE void linux_discard(void *addr, size_t size)
{
    hocket__syscall4(SYS_madvise, (long)addr, (long)size, MADV_DONTNEED, 0);
}

static HK_NOINLINE void linux_small_pages(void *addr, size_t size)
{
    hocket__syscall4(SYS_madvise, (long)addr, (long)size, MADV_NOHUGEPAGE, 0);
}

/* Where the kernel has no getrandom, or no entropy yet: the 16 bytes it gave
 * the process at exec, stirred with clock and address (splitmix64). */
static void weak_random(unsigned char *buf, size_t size)
{
    uint64_t state = (uint64_t)read_clock(CLOCK_MONOTONIC) ^ (uint64_t)(uintptr_t)buf;
    const void *seed = (const void *)getauxval(AT_RANDOM);
    uint64_t words[2] = { 0, 0 };

    if (seed != NULL)
        memcpy(words, seed, sizeof words);
    for (size_t i = 0; i < size; i++) {
        uint64_t z = (state += 0x9e3779b97f4a7c15u + words[i & 1]);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        buf[i] = (unsigned char)(z >> 56);
    }
}

static HK_NOINLINE void linux_random(void *buf, size_t size)
{
    unsigned char *at = buf;

    while (size > 0) {
        long got = hocket__syscall4(SYS_getrandom, (long)at, (long)size, RANDOM_NONBLOCK, 0);
        if (got == -EINTR)
            continue;
        if (got <= 0) {
            weak_random(at, size);
            return;
        }
        at += got;
        size -= (size_t)got;
    }
}

static HK_NOINLINE int linux_cpu_count(void)
{
    int affinity = hocket__cpus_by_affinity();
    int quota = hocket__cpus_by_quota("");

    return quota > 0 && quota < affinity ? quota : affinity;
}

const struct hocket__sys hocket__sys_linux = {
    .clock = linux_clock,
    .clock_coarse = linux_clock_coarse,
    .futex_wait = linux_futex_wait,
    .futex_wake = linux_futex_wake,
    .thread_start = linux_thread_start,
    .thread_join = linux_thread_join,
    .thread_detach = linux_thread_detach,
    .thread_yield = linux_thread_yield,
    .thread_id = linux_thread_id,
    .membarrier = linux_membarrier,
    .map = linux_map,
    .unmap = linux_unmap,
    .guard = linux_guard,
    .protect = linux_protect,
    .mapping_limit = linux_mapping_limit,
    .populate = linux_populate,
    .discard = linux_discard,
    .small_pages = linux_small_pages,
    .random = linux_random,
    .cpu_count = linux_cpu_count,
    .cpu_mask = hocket__cpus_by_affinity,
};

const struct hocket__sys *hocket__sys = &hocket__sys_linux;
bool hocket__ticks_by_clock;
