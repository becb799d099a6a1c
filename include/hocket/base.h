/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_BASE_H
#define HOCKET_BASE_H

/*
 * base - what every other header needs: attributes, version, allocator
 *
 * Every call of the library that can fail returns a negative errno value; zero
 * or more means success.  Nothing is ever reported by `errno`: a fiber may continue
 * on another thread, where it would be someone else's.  So read `errno` of your own
 * system calls before you call the library again; afterwards it may hold anything.
 *
 *   -ETIMEDOUT   the deadline passed (HOCKET_NOW: it could not be done at once)
 *   -ECANCELED   the calling task, or a scope around it, was cancelled
 *   -EPIPE       the object was closed
 *   -EAGAIN      from `try` forms: not now; elsewhere: no OS thread can be had
 *   -EDEADLK     this wait would close a cycle of waits
 *   -EOVERFLOW   beyond a bound
 *   -EPERM       not the owner
 *   -EALREADY    that was done before
 *   -EBUSY       too late or too early: something is in use
 *   -ENOENT      there is no such thing
 *   -ENOSYS      there is no runtime (runtime.h)
 *   -ENOMEM      no memory, no stack
 *   -EINVAL      an argument from outside makes no sense
 *
 * What a task, job or callback of the program returns may be any negative value.
 *
 * Misuse that can only be a bug in the caller (unlocking a lock one does not
 * hold, freeing an object with waiters) panics: one line on standard error
 * that names function, object and task, then abort().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define HOCKET_BEGIN_DECLS extern "C" {
#define HOCKET_END_DECLS   }
#else
#define HOCKET_BEGIN_DECLS
#define HOCKET_END_DECLS
#endif

#define HOCKET_API                __attribute__((visibility("default")))
#define HOCKET_MUST_CHECK         __attribute__((warn_unused_result))
#define HOCKET_NORETURN           __attribute__((noreturn))
#define HOCKET_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

#define HOCKET_VERSION_MAJOR  0
#define HOCKET_VERSION_MINOR  1
#define HOCKET_VERSION_PATCH  0
#define HOCKET_VERSION_STRING "0.1.0"

HOCKET_BEGIN_DECLS

/* The version of the library that runs, "0.1.0": may differ from HOCKET_VERSION_STRING. */
HOCKET_API const char *hocket_version(void);

/*
 * The symbolic name of an error: hocket_error_name(-EPIPE) is "EPIPE".  "OK" for 0, "?" for
 * what is no negative errno value.  Static, never NULL.
 */
HOCKET_API const char *hocket_error_name(int error);

/* A sentence for an error: hocket_error_text(-EPIPE) is "closed". Static, never NULL. */
HOCKET_API const char *hocket_error_text(int error);

/*
 * What stands for malloc, realloc and free.  The functions may be called from any thread, several
 * at a time, and must not call back into the library.  `size` is never 0, `memory` of
 * `release` never NULL.  A NULL member stands for the default.
 */
typedef struct hocket_allocator {
    void *(*allocate)(size_t size, void *context);
    void *(*resize)(void *memory, size_t size, void *context);
    void (*release)(void *memory, void *context);
    void *context;
} hocket_allocator;

/*
 * Replace malloc, realloc and free for everything the library allocates (hocket-memory(7) says
 * what that is).  NULL: the defaults again.  Call it before any other function of the library.
 * 0, or -EBUSY once something was allocated: then nothing has changed.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_set_allocator(const hocket_allocator *allocator);

HOCKET_END_DECLS
#endif
