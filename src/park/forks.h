/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_PARK_FORKS_H
#define HOCKET_PARK_FORKS_H

/*
 * forks - the branches of a task, as others than src/task/fork.c see them
 *
 * The scheduler asks for them and takes them by force; a cancel goes down to those that were
 * taken.  The protocol stands in src/task/fork.c, which registers itself at the first fork of
 * the process, so that programs without forks do not link it.
 */
#include <hocket/fork.h>

#include "park/record.h"

/* Bits of `attention`; HOCKET__FORKS_ON: branches may be taken. */
#define HOCKET__FORKS_ASKED  2u /* somebody would take one */
#define HOCKET__FORKS_THIEF  4u /* somebody takes one by force right now */
#define HOCKET__FORKS_FENCED 8u /* no membarrier: the owner pays for its fences */

/* A branch that was taken: `hocket__state`. */
enum hocket__branch_state {
    HOCKET__BRANCH_TAKEN,    /* it is a task */
    HOCKET__BRANCH_WAITED,   /* likewise, and its forker waits for it */
    HOCKET__BRANCH_DONE,     /* the result is there */
    HOCKET__BRANCH_DECLINED, /* there was no stack for it: the forker calls it after all */
};

#define hk_branch(p) ((_Atomic(hocket_branch *) *)(p))

/* Below all branches. */
static inline hocket_branch *hocket__forks_base(struct hocket__forks *f)
{
    return (hocket_branch *)(void *)&f->first;
}

static inline bool hocket__forked_any(hocket_task *t)
{
    return (hk_load(&t->flags) & HOCKET__TASK_FORKED) != 0;
}

/* Are there branches that nobody has taken?  A glance from any thread. */
static inline bool hocket__forks_waiting(hocket_task *t)
{
    struct hocket__forks *f = &t->forks;
    return hocket__forked_any(t) && hk_load(hk_branch(&f->newest)) != hk_load(hk_branch(&f->taken));
}

struct hocket__fork_ops {
    /*
     * The task leaves the CPU, or opens, waits for or leaves a scope: its branches become tasks,
     * counted by the scope of now.  By the task itself.
     */
    void (*hand_out)(hocket_task *self);
    /* The oldest branch of `victim` into the queue of worker `w`; true if there was one. */
    bool (*rob)(struct hocket__worker *w, hocket_task *victim);
    /* `branch`, a task that was made of one, cannot be started. */
    void (*decline)(hocket_task *branch);
    /* The task ends without having returned: wait for the branches that it has forked. */
    void (*abandon)(hocket_task *self);
    /* Likewise `branch`, a task that was made of one: its forker gets the result. */
    void (*lose)(hocket_task *branch, int result);
    /* The task ends. */
    void (*end)(hocket_task *self);
};

/* NULL before the first fork; set before any task is marked HOCKET__TASK_FORKED. */
extern const struct hocket__fork_ops *_Atomic hocket__fork_ops;

static inline const struct hocket__fork_ops *hocket__fork_ops_get(void)
{
    return hk_load_acq(&hocket__fork_ops); /* pairs with the registration */
}

#endif
