/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_HOOKS_H
#define HOCKET_HOOKS_H
#include <hocket/task.h>

/*
 * hooks - see what happens to every task
 *
 * One table of functions, called for every task.  Any may be NULL.
 *
 *   spawn    in the spawning task, before the task can run
 *   start    in the new task, before its function
 *   park     in the task, before it waits; kind is a static word ("mutex")
 *   unpark   in the task, after it waited; result as the wait returns it
 *   exit     in the task, after its function, with its result
 *   error    for a failure nobody looked at, in whichever task released the handle, closed
 *            the scope or freed the future; if there was neither handle nor scope, in the
 *            failed task itself at its end.  Default: one line on standard error.
 *
 * A thread that Hocket did not start has no spawn, start and exit.
 *
 * For one task: spawn happens before start, start before park/unpark pairs,
 * those before exit, exit before error.  Hooks run on the task's own stack,
 * must not wait in the library and must leave the table alone.
 */
typedef struct hocket_hooks {
    size_t size; /* sizeof(hocket_hooks); 0 = the fields of version 0.1 */
    void *context;
    void (*spawn)(hocket_task *task, void *context);
    void (*start)(hocket_task *task, void *context);
    void (*park)(hocket_task *task, const char *kind, const void *object, void *context);
    void (*unpark)(hocket_task *task, int result, void *context);
    void (*exit)(hocket_task *task, int result, void *context);
    void (*error)(const hocket_error *error, void *context);
} hocket_hooks;

#define HOCKET_HOOKS_DEFAULT                                           \
    {                                                                  \
        sizeof(hocket_hooks), NULL, NULL, NULL, NULL, NULL, NULL, NULL \
    }

HOCKET_BEGIN_DECLS

/*
 * Install a table (copied) in place of the one before, which is stored into
 * *ret_old unless NULL.  NULL removes all hooks.  Install before the tasks to be seen are
 * spawned.  0, -ENOMEM, -EINVAL.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_hooks_set(const hocket_hooks *hooks, hocket_hooks *ret_old);

HOCKET_END_DECLS
#endif
