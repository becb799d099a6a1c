/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_FORK_H
#define HOCKET_FORK_H
#include <hocket/detail/fork.h>
#include <hocket/task.h>

/*
 * fork - a call that may run beside the caller, for the price of a few instructions
 *
 * A fork says that a function may run from now on; the sync that belongs to it says that
 * its result is needed.  The branch lies in the caller's own frame and nothing is
 * allocated.  If no worker was idle in between, sync simply calls the function.
 * If one was, it has taken the branch and made a task of it, and sync waits for that.
 *
 *   Callers    everything that can wait.  On a fiber branches may be taken; on threads and without
 *              a runtime each runs inside its sync.
 *   Blocks     sync, for a branch that was taken.  It is no cancel point.
 *   Order      nested: the newest branch is synced first, and each in the task and the
 *              function that forked it.  The fork happens before the branch, its end before sync
 *              returns.
 *   Lifetime   storage is the caller's, need not be initialised, and lives until sync
 *              has returned.
 *   Mistakes   sync of anything but the newest branch (so also twice, or of one that was never
 *              forked), ending a task with a branch that was not synced: panic.
 *
 * A branch may do what any task may: wait, fork, open scopes, fail with words.  Where it runs is
 * not known: in the task that forked it, or as a task of its own, in the scope that was
 * innermost then.  So it must give back the locks that it takes and close the scopes that it
 * opens, must not take a lock that the caller keeps over the sync, and should not depend
 * on hocket_self or on task locals but inherited ones.  A cancel of the caller reaches it.
 * While it is a task of its own it is counted and listed as one.  In C++ no exception may leave it.
 *
 * A fiber that waits for something hands its branches to the workers first: what a
 * branch does may be waited for before its sync.  (Not on threads and without a
 * runtime, where it has not begun then.)
 *
 *     int sum(void *arg)
 *     {
 *         struct range r = *(struct range *)arg, left, right;
 *         if (r.end - r.begin < 1000)
 *             return add_up(&r);
 *         halve(&r, &left, &right);
 *         hocket_branch branch;
 *         hocket_fork(&branch, sum, &right);
 *         int a = sum(&left), b = hocket_sync(&branch);
 *         return a < 0 ? a : b < 0 ? b : a + b;
 *     }
 */
typedef struct hocket_branch hocket_branch;

struct hocket_branch {
    struct hocket_branch *hocket__newer; /* stays first: hocket__forks.first */
    struct hocket_branch *hocket__older;
    hocket_task_fn *hocket__fn;
    void *hocket__arg;
    /* of a branch that was taken only */
    hocket_task *hocket__forker;
    hocket_task *hocket__task;
    void *hocket__words;
    uint32_t hocket__state;
    int hocket__result;
};

HOCKET_BEGIN_DECLS

/*
 * From now on fn(arg) may run, at the latest inside the sync of `branch`.  Cannot fail: without
 * memory for a task it runs there.  Not a cancel point.
 */
HOCKET_API void hocket_fork(hocket_branch *branch, hocket_task_fn *fn, void *arg);

/*
 * The result of the newest branch of the calling task: run now, or waited for if somebody has
 * taken it.  A negative result is the branch's failure, whose words are the
 * caller's then, wherever it ran.  What a branch returns is up to it; sync has no errors of its own.
 *
 * Waits to the end also if the caller is cancelled: the branch may use the caller's frame.
 * Not a cancel point.
 */
HOCKET_API int hocket_sync(hocket_branch *branch);

/*
 * The inline fast paths; src/task/fork.c has the protocol.  HOCKET_NO_INLINE leaves them out.
 */
#if defined(HOCKET__INLINE_LOCKS) && !defined(HOCKET_NO_INLINE)

/* The slow halves, behind a failed fast path. */
HOCKET_API void hocket__fork_slow(hocket_branch *branch, hocket_task_fn *fn, void *arg);
HOCKET_API int hocket__sync_slow(hocket_branch *branch);

HOCKET__INLINE_TWIN void hocket_fork(hocket_branch *branch, hocket_task_fn *fn, void *arg)
{
    struct hocket__forks *f = hocket__forks_here();
    if (__builtin_expect(
            f == NULL || __atomic_load_n(&f->attention, __ATOMIC_ACQUIRE) != HOCKET__FORKS_ON, 0)) {
        hocket__fork_slow(branch, fn, arg);
        return;
    }
    struct hocket_branch *older = __atomic_load_n(&f->newest, __ATOMIC_RELAXED);
    branch->hocket__fn = fn;
    branch->hocket__arg = arg;
    branch->hocket__older = older;
    __atomic_store_n(&older->hocket__newer, branch, __ATOMIC_RELAXED);
    __atomic_store_n(&f->newest, branch, __ATOMIC_RELEASE); /* pairs with who takes it */
}

HOCKET__INLINE_TWIN int hocket_sync(hocket_branch *branch)
{
    struct hocket__forks *f = hocket__forks_here();
    if (__builtin_expect(f != NULL && __atomic_load_n(&f->newest, __ATOMIC_RELAXED) == branch &&
                             (uintptr_t)__builtin_frame_address(0) >= f->limit,
                         1)) {
        __atomic_store_n(&f->newest, branch->hocket__older, __ATOMIC_RELAXED);
        __asm__ __volatile__("" ::: "memory"); /* who takes by force makes it a full fence */
        if (__builtin_expect(__atomic_load_n(&f->attention, __ATOMIC_ACQUIRE) == HOCKET__FORKS_ON &&
                                 __atomic_load_n(&f->taken, __ATOMIC_RELAXED) != branch,
                             1))
            return branch->hocket__fn(branch->hocket__arg);
        __atomic_store_n(&f->newest, branch, __ATOMIC_RELAXED);
    }
    return hocket__sync_slow(branch);
}

#endif

HOCKET_END_DECLS
#endif
