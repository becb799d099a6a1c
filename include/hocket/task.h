/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TASK_H
#define HOCKET_TASK_H
#include <hocket/error.h>
#include <hocket/time.h>

/*
 * task - a function that runs concurrently
 *
 * Where it runs is an option of the spawn, not another API: on a fiber of the
 * runtime's workers (default), or on an OS thread of its own.  A task takes no
 * stack until it has to wait.
 *
 *   Callers    threads and fibers alike, also threads Hocket did not start.
 *   Blocks     join and stop; both are cancel points on every call.
 *   Order      a spawn happens before the task starts, its end before a join
 *              that returns 0.
 *   Lifetime   a handle from hocket_spawn_task is valid until
 *              hocket_task_release; the result stays until then.  The handle
 *              from hocket_self is borrowed: valid while that task runs, and not to
 *              be released.
 *   Mistakes   ending a task while it holds a lock or has a scope open, releasing a handle twice
 *              or before a held task was started: panic.
 *   Names      up to HOCKET_NAME_MAX - 1 bytes, longer ones are cut; unnamed
 *              tasks are called "task-N", N being the id.
 *
 *     hocket_task *t;
 *     int err = hocket_spawn_task(&t, NULL, work, &job, HOCKET_SPAWN_OPTIONS(.name = "work"));
 *     ...
 *     int result;
 *     err = hocket_join(t, &result, hocket_after(HOCKET_SEC));
 *     hocket_task_release(t);
 */
typedef struct hocket_task hocket_task;
typedef struct hocket_scope hocket_scope;

/* What a task runs.  Negative results are failures (see error.h). */
typedef int hocket_task_fn(void *arg);

#define HOCKET_NAME_MAX 32

enum hocket_placement {
    HOCKET_ON_FIBER = 0, /* on the workers, many tasks a thread */
    HOCKET_ON_THREAD = 1 /* an OS thread of its own */
};

typedef struct hocket_spawn_options {
    size_t size;      /* sizeof(hocket_spawn_options); 0 = the fields of version 0.1 */
    const char *name; /* copied; NULL = "task-N" */
    int placement;    /* enum hocket_placement */
    int priority;     /* hint: > 0 is taken before, < 0 after equals that wait on the same worker */
    size_t stack_size; /* bytes of stack the task may need, up to 1 GiB; 0 = hocket_stack_size(),
                          on a thread the system's default */
    bool daemon;       /* the program's end does not wait for it, but cancels it; scope NULL only */
    bool held;         /* does not start before hocket_task_start; its scope waits for it, too */
} hocket_spawn_options;

#define HOCKET_SPAWN_OPTIONS_DEFAULT                                            \
    {                                                                           \
        sizeof(hocket_spawn_options), NULL, HOCKET_ON_FIBER, 0, 0, false, false \
    }
#ifndef __cplusplus
#define HOCKET_SPAWN_OPTIONS(...) \
    (&(hocket_spawn_options){ .size = sizeof(hocket_spawn_options), __VA_ARGS__ })
#endif

HOCKET_BEGIN_DECLS

/*
 * Start fn(arg) as a task of `scope`; NULL is the root scope.
 *
 * There is no handle: the scope waits for the task and keeps its failure.
 * 0, -ENOMEM, -ENOSYS (no runtime: see runtime.h), -ECANCELED (the runtime is
 * about to end).  On error fn was not and will not be called.  A task whose stack
 * cannot be had later, when it is started, ends with -ENOMEM.
 *
 * Not a cancel point: in a cancelled scope the task is started as well, and fails at
 * its own first cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_spawn(hocket_scope *scope, hocket_task_fn *fn, void *arg);

/*
 * The same with a handle and options (NULL: defaults).  The caller owns
 * *ret_task, which is set before the task runs, and must release it.  Errors as
 * hocket_spawn; -EINVAL for options that make no sense (also a daemon in a scope);
 * -EAGAIN when an OS thread cannot be had.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_spawn_task(hocket_task **ret_task, hocket_scope *scope,
                                                   hocket_task_fn *fn, void *arg,
                                                   const hocket_spawn_options *options);

/*
 * As hocket_spawn, with a private copy of `size` bytes at `args`, which the
 * task's argument points to; aligned for any type, freed when the task has ended.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_spawn_copy(hocket_scope *scope, hocket_task_fn *fn,
                                                   const void *args, size_t size);

/*
 * Start a task spawned with .held.  0, -EALREADY if it was started before.  A held task must be
 * started sooner or later, if only to be cancelled: its scope, or the end of the
 * runtime, waits for it.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_task_start(hocket_task *task);

/*
 * Wait until the task has ended.  Any number of tasks may join one, repeatedly.
 *
 *   0           ended; *ret_result (may be NULL) is what its function returned
 *   -ETIMEDOUT  the deadline passed (HOCKET_NOW: it has not ended yet)
 *   -ECANCELED  the caller was cancelled
 *   -EDEADLK    the task is the caller, or waits for the caller for ever
 *
 * A cancel point.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_join(hocket_task *task, int *ret_result,
                                             hocket_time deadline);

/* hocket_cancel, then hocket_join without the result.  A cancel point. */
HOCKET_API HOCKET_MUST_CHECK int hocket_stop(hocket_task *task, hocket_time deadline);

/*
 * Ask a task to end: the wait it is in, and each cancel point from now on,
 * fails with -ECANCELED, except inside a shield.  Returns at once.  A task that
 * has ended already is left alone.  Cancelling the root task (hocket_main_task) cancels all
 * tasks but daemons.  From any thread, not from signal handlers.
 */
HOCKET_API void hocket_cancel(hocket_task *task);

/*
 * Give the handle back: nobody may use it afterwards, nor still be in hocket_join with it.  The
 * task itself goes on if it has not ended.  NULL is ignored.  If the task belongs to the root
 * scope and failed, and nobody has looked, the error hook is told.
 */
HOCKET_API void hocket_task_release(hocket_task *task);

/* Has the calling task been cancelled, so that its next cancel point will fail?  Cheap. */
HOCKET_API bool hocket_cancelled(void);

/* A cancel point for tasks that compute: 0 or -ECANCELED.  Never waits. */
HOCKET_API HOCKET_MUST_CHECK int hocket_check(void);

/* The calling task; a thread that Hocket did not start becomes one.  NULL only without memory. */
HOCKET_API hocket_task *hocket_self(void);

/* The root task of hocket_run while that runs, or NULL.  Borrowed, as hocket_self's. */
HOCKET_API hocket_task *hocket_main_task(void);

/* A number that no other task of this process ever had or gets.  Never 0. */
HOCKET_API uint64_t hocket_task_id(const hocket_task *task);

/* Copy the name into `buffer` (always terminated when size > 0) and return `buffer`. */
HOCKET_API char *hocket_task_name(const hocket_task *task, char *buffer, size_t size);

/* Change the name, also while the task runs.  NULL or "" means "task-N" again. */
HOCKET_API void hocket_task_set_name(hocket_task *task, const char *name);

/* Not ended yet, and not held: it runs, waits, or is about to. */
HOCKET_API bool hocket_task_alive(const hocket_task *task);

/* Was it spawned as a daemon? */
HOCKET_API bool hocket_task_daemon(const hocket_task *task);

/* enum hocket_placement; a foreign thread is HOCKET_ON_THREAD. */
HOCKET_API int hocket_task_placement(const hocket_task *task);

/*
 * The words of a task that ended with a failure, or NULL.  Only after a join
 * that returned 0; valid until the handle is released.  Counts as looked at,
 * as does a hocket_join that took the result.
 */
HOCKET_API const hocket_error *hocket_task_error(hocket_task *task);

/*
 * How many tasks there are: spawned and not ended, held ones and the root task included, and
 * threads Hocket did not start that have used it and not ended.
 */
HOCKET_API size_t hocket_task_count(void);

/* A snapshot of one task, see hocket_task_list. */
typedef struct hocket_task_info {
    uint64_t id;
    char name[HOCKET_NAME_MAX];
    int placement;         /* enum hocket_placement */
    bool daemon;           /* as spawned */
    bool waiting;          /* parked in the library */
    const char *wait_kind; /* static word: "mutex", "queue", "join", ... or NULL */
    const void *object;    /* what it waits for, or NULL */
    hocket_time deadline;  /* of that wait */
} hocket_task_info;

/*
 * Fill up to `max` infos, one for each task that hocket_task_count counts, in no order, and
 * return how many there are (which may be more than `max`).  Other tasks go on
 * meanwhile: each info is a consistent picture, the list as a whole is not.
 */
HOCKET_API size_t hocket_task_list(hocket_task_info *ret_infos, size_t max);

HOCKET_END_DECLS
#endif
