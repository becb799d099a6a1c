/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SCOPE_H
#define HOCKET_SCOPE_H
#include <hocket/task.h>

/*
 * scope - tasks that end together
 *
 * Tasks are spawned into a scope; closing it waits for them, so no task
 * outlives the block that started it.  The first task that fails cancels the
 * others; all failures are kept.  A scope may carry a deadline: when it passes,
 * the scope is cancelled.  Scopes nest; a cancel reaches everything inside,
 * except what is in a shield.
 *
 *   Callers    opened and closed by one task, in nested order; spawning into it
 *              is for the owner and the tasks inside it; cancel is for everyone
 *              who knows that it is still open.
 *   Blocks     only close.  It is no cancel point: the tasks inside are
 *              cancelled if the owner is, and close waits until they ended.
 *   Lifetime   storage is the caller's and lives until close has returned.
 *   Mistakes   waiting for or closing a scope that is not the innermost open one of the calling
 *              task, ending a task that has one open: panic.
 *
 * A scope without tasks is of use as well: its deadline or shield holds for the calls
 * between open and close.  That needs no runtime.
 *
 *     hocket_scope s;
 *     hocket_scope_open(&s, NULL);
 *     for (int i = 0; i < n && err == 0; i++)
 *         err = hocket_spawn(&s, fetch, &urls[i]);
 *     if (err)
 *         hocket_scope_cancel(&s);
 *     int first = hocket_scope_close(&s);
 */
struct hocket_scope {
    uint64_t hocket__private[32];
};

typedef struct hocket_scope_options {
    size_t size;          /* sizeof(hocket_scope_options); 0 = the fields of version 0.1 */
    const char *name;     /* static or outliving the scope; for dumps */
    hocket_time deadline; /* cancel the scope then; 0 (also HOCKET_NOW) = none */
    bool shield;          /* cancels from outside do not reach in (pair it with a deadline) */
    bool keep_going;      /* a failing task does not cancel the others */
} hocket_scope_options;

#define HOCKET_SCOPE_OPTIONS_DEFAULT                        \
    {                                                       \
        sizeof(hocket_scope_options), NULL, 0, false, false \
    }
#ifndef __cplusplus
#define HOCKET_SCOPE_OPTIONS(...) \
    (&(hocket_scope_options){ .size = sizeof(hocket_scope_options), __VA_ARGS__ })
#endif

HOCKET_BEGIN_DECLS

/* Open a scope in the calling task.  Cannot fail.  NULL options: defaults. */
HOCKET_API void hocket_scope_open(hocket_scope *scope, const hocket_scope_options *options);

/*
 * Wait until every task of the scope has ended, then leave it.
 *
 *   0           no task failed
 *   -ETIMEDOUT  no task failed, but the scope's deadline passed and cancelled it
 *   otherwise   the result of the first task that failed
 *
 * A task that was cancelled, from wherever, and returned -ECANCELED did as told: that is no
 * failure.  So after a cancel from outside close returns 0 as well; the owner, who is
 * cancelled too, sees it at its next cancel point:
 *
 *     int failed = hocket_scope_close(&s);
 *     return failed ? failed : hocket_check();
 *
 * Failures nobody has read with hocket_scope_error go to the error hook, but
 * for the first, which is what is returned.  Not a cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_scope_close(hocket_scope *scope);

/*
 * Wait as close does, without leaving the scope: errors can be read, more tasks spawned.
 * Returns what close would.  Not a cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_scope_wait(hocket_scope *scope);

/*
 * Cancel everything inside, now and to come, the owner's own waits included.  Level-triggered: it
 * lasts until the scope is left.  From any thread, not from signal handlers.
 */
HOCKET_API void hocket_scope_cancel(hocket_scope *scope);

/* Was the scope itself cancelled (by a call, a failure or its deadline)? */
HOCKET_API bool hocket_scope_cancelled(const hocket_scope *scope);

/*
 * How many tasks of it have not ended.  For the owner; others may be told fewer.  A worker that has
 * ended some and goes on with the next of the same scope may still be counted with all of them.
 */
HOCKET_API size_t hocket_scope_count(const hocket_scope *scope);

/* How many of its tasks failed so far. */
HOCKET_API size_t hocket_scope_failures(const hocket_scope *scope);

/*
 * Copy the words of the n-th failure (0 is the first).  Owner only; the words
 * are valid until close.  0, or -ENOENT when there are fewer.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_scope_error(hocket_scope *scope, size_t n,
                                                    const hocket_error **ret_error);

HOCKET_END_DECLS
#endif
