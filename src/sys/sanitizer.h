/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SYS_SANITIZER_H
#define HOCKET_SYS_SANITIZER_H
/*
 * sanitizer - what ASan, TSan and valgrind must be told about stacks
 *
 * In a plain build every function here is empty and every macro false.
 *
 * Around a switch from stack A to stack B, on A and then on B:
 *
 *     hocket__asan_leave(&a->asan_fake_stack, b->base, b_size);
 *     hocket__tsan_switch(b_task_fiber);
 *     arg = hocket__switch(&a->sp, b->sp, arg);
 *     hocket__asan_enter(a->asan_fake_stack);      // we are back on A
 *
 * and the entry function of a fresh stack starts with hocket__asan_enter(NULL).
 * Leaving for good passes NULL as the first argument: the fake frames of A are
 * then freed.  tsan_switch must be the last thing before the switch, in a
 * function that is marked HOCKET_NO_TSAN, as is the entry of a fresh stack; what
 * these call is called on one stack and returns on it.
 */
#include <stddef.h>
#include <stdint.h>

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#ifndef __has_include
#define __has_include(x) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define HOCKET_ASAN 1
#else
#define HOCKET_ASAN 0
#endif
/* HOCKET_UNDER_TSAN: this file is not instrumented, but the program is. */
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer) || defined(HOCKET_UNDER_TSAN)
#define HOCKET_TSAN 1
#else
#define HOCKET_TSAN 0
#endif

/* The job in which a switch orders nothing for TSan and src/sched and src/sys are not seen, so
 * that races between fibers of one worker show (doc/adr/0004).  What the scheduler orders
 * is said by hocket__nosync_*; HOCKET_UNSEEN is for its inline functions. */
#if HOCKET_TSAN && defined(HOCKET_TSAN_NO_SYNC)
#define HOCKET_NO_SYNC 1
#else
#define HOCKET_NO_SYNC 0
#endif

#if HOCKET_ASAN
#define HOCKET_NO_ASAN __attribute__((no_sanitize_address))
#else
#define HOCKET_NO_ASAN
#endif
/* For functions that are entered on one stack and left on another: TSan keeps a
 * stack of calls for each fiber, so it must see neither end.  clang's
 * no_sanitize_thread leaves those events in; the second attribute does not. */
#ifndef __has_attribute
#define __has_attribute(x) 0
#endif
#if HOCKET_TSAN && __has_attribute(disable_sanitizer_instrumentation)
#define HOCKET_NO_TSAN __attribute__((no_sanitize_thread, disable_sanitizer_instrumentation))
#elif HOCKET_TSAN
#define HOCKET_NO_TSAN __attribute__((no_sanitize_thread))
#else
#define HOCKET_NO_TSAN
#endif

#if HOCKET_NO_SYNC
#define HOCKET_UNSEEN HOCKET_NO_TSAN
#else
#define HOCKET_UNSEEN
#endif

/* The runtimes' entry points are declared here instead of included: the
 * headers under <sanitizer/> are not installed with every compiler. */
#if HOCKET_ASAN
void __sanitizer_start_switch_fiber(void **fake_stack_save, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *fake_stack_save, const void **bottom_old,
                                     size_t *size_old);
void __asan_unpoison_memory_region(void const volatile *addr, size_t size);
void __asan_handle_no_return(void);
void __lsan_register_root_region(const void *begin, size_t size) __attribute__((weak));
#endif
#if HOCKET_TSAN
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
void __tsan_set_fiber_name(void *fiber, const char *name);
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
#endif

/* Valgrind's requests are a few no-op instructions when it is not running, and
 * made only when a slot is carved or unmapped, never in a switch. */
#if __has_include(<valgrind/valgrind.h>) && !defined(HOCKET_NO_VALGRIND)
#include <valgrind/valgrind.h>
#define HOCKET_VALGRIND 1
#else
#define HOCKET_VALGRIND 0
#endif

/* The next stack is [bottom, bottom + size).  `save` NULL: never coming back. */
static inline void hocket__asan_leave(void **save, const void *bottom, size_t size)
{
#if HOCKET_ASAN
    __sanitizer_start_switch_fiber(save, bottom, size);
#else
    (void)save, (void)bottom, (void)size;
#endif
}

/* We are on a stack that hocket__asan_leave stored `saved` for (NULL: fresh). */
static inline void hocket__asan_enter(void *saved)
{
#if HOCKET_ASAN
    __sanitizer_finish_switch_fiber(saved, NULL, NULL);
#else
    (void)saved;
#endif
}

/* As hocket__asan_enter; tells the bounds of the stack we came from, which is
 * how a native stack (main, pthread) becomes known.  0 and NULL without ASan. */
static inline void hocket__asan_enter_from(void *saved, const void **ret_bottom, size_t *ret_size)
{
#if HOCKET_ASAN
    __sanitizer_finish_switch_fiber(saved, ret_bottom, ret_size);
#else
    (void)saved;
    *ret_bottom = NULL;
    *ret_size = 0;
#endif
}

/* Frames that were abandoned, not returned from, left poison behind. */
static inline void hocket__asan_unpoison(const void *addr, size_t size)
{
#if HOCKET_ASAN
    __asan_unpoison_memory_region(addr, size);
#else
    (void)addr, (void)size;
#endif
}

/* Mapped memory that holds pointers to allocated blocks, for the search for leaks. */
static inline void hocket__lsan_root(const void *addr, size_t size)
{
#if HOCKET_ASAN
    if (__lsan_register_root_region != NULL)
        __lsan_register_root_region(addr, size);
#else
    (void)addr, (void)size;
#endif
}

static inline void *hocket__tsan_current(void)
{
#if HOCKET_TSAN
    return __tsan_get_current_fiber();
#else
    return NULL;
#endif
}

static inline void *hocket__tsan_create(const char *name)
{
#if HOCKET_TSAN
    void *fiber = __tsan_create_fiber(0);
    if (name != NULL)
        __tsan_set_fiber_name(fiber, name);
    return fiber;
#else
    (void)name;
    return NULL;
#endif
}

static inline void hocket__tsan_destroy(void *fiber)
{
#if HOCKET_TSAN
    if (fiber != NULL)
        __tsan_destroy_fiber(fiber);
#else
    (void)fiber;
#endif
}

/* `sync` false: the switch itself orders nothing (flag no_sync).  Not seen by
 * TSan even where it is not inlined. */
HOCKET_NO_TSAN static inline void hocket__tsan_switch(void *fiber, int sync)
{
#if HOCKET_TSAN
    __tsan_switch_to_fiber(fiber, sync ? 0 : 1);
#else
    (void)fiber, (void)sync;
#endif
}

static inline void hocket__tsan_acquire(void *addr)
{
#if HOCKET_TSAN
    __tsan_acquire(addr);
#else
    (void)addr;
#endif
}

static inline void hocket__tsan_release(void *addr)
{
#if HOCKET_TSAN
    __tsan_release(addr);
#else
    (void)addr;
#endif
}

static inline void hocket__nosync_acquire(const volatile void *addr)
{
    if (HOCKET_NO_SYNC)
        hocket__tsan_acquire((void *)(uintptr_t)addr);
}

static inline void hocket__nosync_release(const volatile void *addr)
{
    if (HOCKET_NO_SYNC)
        hocket__tsan_release((void *)(uintptr_t)addr);
}

/* Between these, what the caller and the libc functions that it calls do to memory is not seen. */
static inline void hocket__tsan_ignore_begin(void)
{
#if HOCKET_TSAN
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
#endif
}

static inline void hocket__tsan_ignore_end(void)
{
#if HOCKET_TSAN
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
#endif
}

/* Valgrind knows the system calls of its time only. */
static inline int hocket__valgrind_running(void)
{
#if HOCKET_VALGRIND
    return (int)RUNNING_ON_VALGRIND;
#else
    return 0;
#endif
}

static inline uint32_t hocket__valgrind_register(const void *low, const void *high)
{
#if HOCKET_VALGRIND
    return (uint32_t)VALGRIND_STACK_REGISTER(low, high);
#else
    (void)low, (void)high;
    return 0;
#endif
}

static inline void hocket__valgrind_deregister(uint32_t id)
{
#if HOCKET_VALGRIND
    VALGRIND_STACK_DEREGISTER(id);
#else
    (void)id;
#endif
}

#endif
