/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TEST_WAITS_H
#define HOCKET_TEST_WAITS_H
/*
 * waits - exactly the n-th wait of a program is cancelled, or the n-th call times out, for every n
 *
 *     waits_sweep(mode, by_deadline, TASKS, 40, once, form);    // once(mode, form) calls mode_run
 *     ...
 *     err = waits_repeat(index, call, arg);                     // in its tasks
 *
 * The park hook counts the waits.  In the n-th one it cancels the scope that its own task is in: the
 * task is linked as a waiter by then, and has not left the CPU.  Only waits that `waits_counted`
 * takes count.
 */
#include <errno.h>
#include <hocket/hooks.h>
#include <hocket/scope.h>

#include "support/modes.h"

#include "base/atomic.h"

#define WAITS_TASKS 8

static struct waits {
    int tasks, target; /* which wait; 0 = none */
    bool by_deadline;
    _Atomic int count, struck;
    hocket_scope *scopes[WAITS_TASKS]; /* each written and read by its own task */
} waits;

static bool (*waits_counted)(const char *kind, const void *object);

static void waits__park(hocket_task *task, const char *kind, const void *object, void *context)
{
    (void)context;
    if (!waits_counted(kind, object))
        return;
    for (int i = 0; i < waits.tasks; i++)
        if (mode_task(i) == task && hk_add(&waits.count, 1) + 1 == waits.target &&
            waits.scopes[i] != NULL)
            hocket_scope_cancel(waits.scopes[i]);
}

/* What has been struck is repeated.  0 or -EPIPE. */
static inline int waits_repeat(int index, int (*call)(int, void *, hocket_time), void *arg)
{
    for (;;) {
        hocket_scope scope;
        hocket_time deadline = HOCKET_FOREVER;
        hocket_scope_open(&scope, NULL);
        waits.scopes[index] = &scope;
        /* This call is the one: if it has to wait, its deadline passes at once. */
        if (waits.by_deadline && hk_add(&waits.count, 1) + 1 == waits.target)
            deadline = hocket_now() + 1;
        int err = call(index, arg, deadline);
        waits.scopes[index] = NULL;
        HK_EXPECT_EQ(hocket_scope_close(&scope), 0);
        if (err == 0 || err == -EPIPE)
            return err;
        HK_EXPECT_EQ(err, waits.by_deadline ? -ETIMEDOUT : -ECANCELED);
        HK_EXPECT(hk_add(&waits.struck, 1) == 0 || !waits.by_deadline);
    }
}

static inline void waits_sweep(int mode, bool by_deadline, int tasks, int targets,
                               void (*once)(int mode, int form), int form)
{
    hocket_hooks h = HOCKET_HOOKS_DEFAULT;
    int struck = 0;
    h.park = waits__park;
    HK_EXPECT(tasks <= WAITS_TASKS);
    if (!by_deadline)
        HK_EXPECT_EQ(hocket_hooks_set(&h, NULL), 0);
    for (int target = 0; target < targets; target++) {
        memset(&waits, 0, sizeof waits);
        waits.tasks = tasks;
        waits.target = target;
        waits.by_deadline = by_deadline;
        once(mode, form);
        struck += hk_load(&waits.struck);
    }
    HK_EXPECT(mode != MODE_FIBERS_1 || by_deadline || struck > 3); /* others depend on timing */
    HK_EXPECT_EQ(hocket_hooks_set(NULL, NULL), 0);
}

#endif
