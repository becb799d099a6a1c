/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_BASE_H
#define HOCKET_BASE_H

/*
 * base - what every other header needs: attributes, version, allocator
 *
 * Every call of the library that can fail returns a negative errno value; zero
 * or more means success.  `errno` itself is never set: a fiber may continue on
 * another thread, where it would be someone else's.
 *
 *   -ETIMEDOUT   the deadline passed (HOCKET_NOW: it could not be done at once)
 *   -ECANCELED   the calling task, or a scope around it, was cancelled
 *   -EPIPE       the object was closed
 *   -EAGAIN      only from `try` forms: not now
 *   -EDEADLK     this wait would close a cycle of waits
 *   -EOVERFLOW   beyond a bound
 *   -EPERM       not the owner
 *   -ENOMEM      no memory, no stack, no thread
 *   -EINVAL      an argument from outside makes no sense
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
#define HOCKET_END_DECLS }
#else
#define HOCKET_BEGIN_DECLS
#define HOCKET_END_DECLS
#endif

#define HOCKET_API __attribute__((visibility("default")))
#define HOCKET_MUST_CHECK __attribute__((warn_unused_result))
#define HOCKET_NORETURN __attribute__((noreturn))
#define HOCKET_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

#define HOCKET_VERSION_MAJOR 0
#define HOCKET_VERSION_MINOR 1
#define HOCKET_VERSION_PATCH 0
#define HOCKET_VERSION_STRING "0.1.0"

HOCKET_BEGIN_DECLS

/* The version of the library that runs, "0.1.0": may differ from HOCKET_VERSION_STRING. */
HOCKET_API const char *hocket_version(void);

/* The symbolic name of an error: hocket_error_name(-EPIPE) is "EPIPE"; "?" if unknown. */
HOCKET_API const char *hocket_error_name(int error);

/* A sentence for an error: hocket_error_text(-EPIPE) is "closed". Static, never NULL. */
HOCKET_API const char *hocket_error_text(int error);

/*
 * Replace malloc, realloc and free for everything the library allocates.
 *
 * Call it before any other function of the library.  The functions may be
 * called from any thread and must not call back into the library.  A NULL
 * member stands for the default.  0, or -EBUSY once something was allocated.
 */
typedef struct hocket_allocator {
    void *(*allocate)(size_t size, void *context);
    void *(*resize)(void *memory, size_t size, void *context);
    void (*release)(void *memory, void *context);
    void *context;
} hocket_allocator;

HOCKET_API HOCKET_MUST_CHECK int hocket_set_allocator(const hocket_allocator *allocator);

HOCKET_END_DECLS
#endif
