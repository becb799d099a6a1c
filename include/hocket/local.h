/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_LOCAL_H
#define HOCKET_LOCAL_H
#include <hocket/base.h>

/*
 * local - one value for each task
 *
 * What thread-local variables are to threads.  A fiber may continue on another
 * thread after any wait, so `thread_local` does not do for tasks.
 *
 *     static hocket_local request;                 // all-zero is valid
 *     hocket_local_set(&request, r);               // in this task
 *     struct request *r = hocket_local_get(&request);
 *
 * The destructor is called with each value that is not NULL when its task
 * ends, in the task; values set meanwhile are destroyed in up to 4 rounds.  A
 * thread Hocket did not start is a task, too, and ends with the thread; the first thread of
 * a process ends with the process, without destructors.
 * An inherited local is copied into each child at spawn: by reference (same
 * pointer, never destroyed by the child, so it must outlive it) or by the copy function, which is
 * called in the parent; if it gives NULL, the child starts without a value.
 *
 *   Callers    threads and fibers alike; each task sees its own value only.
 *   Blocks     never; not cancel points.
 *   Lifetime   a hocket_local is static: each one used takes a key for the life of the process.
 *              Its members must not change after first use.
 */
typedef struct hocket_local {
    uint32_t hocket__key;             /* assigned at first use */
    uint32_t flags;                   /* HOCKET_LOCAL_INHERIT */
    void (*destroy)(void *value);     /* or NULL */
    void *(*copy)(const void *value); /* with HOCKET_LOCAL_INHERIT; NULL = share the pointer */
} hocket_local;

#define HOCKET_LOCAL_INHERIT 1u

#define HOCKET_LOCAL_INIT(destroy_fn) \
    {                                 \
        0, 0, (destroy_fn), NULL      \
    }
#define HOCKET_LOCAL_INIT_INHERIT(destroy_fn, copy_fn)   \
    {                                                    \
        0, HOCKET_LOCAL_INHERIT, (destroy_fn), (copy_fn) \
    }

HOCKET_BEGIN_DECLS

/* The calling task's value, or NULL. */
HOCKET_API void *hocket_local_get(hocket_local *local);

/* Set it; the old value is not destroyed.  0, -ENOMEM (the old value stays). */
HOCKET_API HOCKET_MUST_CHECK int hocket_local_set(hocket_local *local, void *value);

HOCKET_END_DECLS
#endif
