/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TASK_TASK_H
#define HOCKET_TASK_TASK_H

/*
 * task - what the files of src/task share: scopes from the inside, ends of tasks
 *
 * The life word of a record (bits of enum hocket__life) and who may set them:
 *
 *   HELD       spawn; cleared once by hocket_task_start
 *   JOINERS    a joiner, under the record's guard, while not DONE
 *   DONE       the task's end, once; the result is final before
 *   FINISHED   the task's end, as the last thing it does to the record
 *   RELEASED   hocket_task_release, or the spawn when nobody wants a handle
 *   UNSEEN     the end of a task that failed and of which no scope keeps the words; cleared
 *              by whoever takes the result or the words
 *
 * A record is free when it is FINISHED and RELEASED: whoever sets the second frees it.
 *
 * Most tasks with a handle are fresh when they are joined, and run on top of their joiner.  Such a one ends
 * quietly, without a locked instruction, if it was spawned on a worker, without options, and never left
 * that worker's queue before: a plain store of DONE and FINISHED into queued_on, then a look for JOINERS.
 * Another joiner sets JOINERS, then makes all threads pass a barrier (membarrier), then looks at queued_on:
 * one of the two sees the other.  Only who finds the task queued on another worker, or on top of its joiner, has
 * to: a task that comes to a queue by another way, or is stolen, says so (LOUD), and one that was begun
 * by a worker's loop is in no queue (0) for good; both end by a locked instruction.
 *
 * Counting the tasks of a scope costs no locked instruction where one task does
 * it all: `mine` is touched by the owner only (its spawns, less the children it
 * ran in place), `others` by everybody.  Outstanding is their sum, less the bias that keeps
 * `others` from reaching zero before the owner has added its part and waits.
 */
#include <hocket/scope.h>

#include "park/cancel.h"
#include "park/forked.h"

#define HOCKET__SCOPE_BIAS (INT64_C(1) << 40)

struct hocket__words;

struct hocket__failure {
    struct hocket__failure *next;
    struct hocket__words *words;
    bool seen;
};

/* Something that ends with a scope, before its tasks are waited for: called by the owner, once. */
struct hocket__scope_end {
    struct hocket__scope_end *next;
    void (*end)(struct hocket__scope_end *end, hocket_task *self);
};

struct hocket__scope {
    struct hocket__cancel_scope cancel;
    _Atomic(hocket_task *) counter; /* the task that owns `mine`; NULL: nobody */
    int64_t mine;
    _Atomic int64_t others;
    _Atomic(hocket_task *) closer; /* waits for zero */
    const char *name;
    bool keep_going;
    hocket__guard guard; /* the failures, and `ends` */
    struct hocket__scope_end *ends;
    struct hocket__failure *failures, **failures_tail;
    _Atomic uint32_t failed; /* number of failures */
    int first;               /* result of the first */
};

_Static_assert(sizeof(struct hocket__scope) <= sizeof(hocket_scope), "hocket_scope is too small");

static inline struct hocket__scope *hocket__scope_of(hocket_scope *scope)
{
    return (struct hocket__scope *)(void *)scope;
}

static inline struct hocket__scope *hocket__scope_of_cancel(struct hocket__cancel_scope *cancel)
{
    return hk_container_of(cancel, struct hocket__scope, cancel);
}

/* The scopes of the runtime (run.c). */
extern struct hocket__scope hocket__root_scope;   /* tasks that the program's end waits for */
extern struct hocket__scope hocket__daemon_scope; /* daemons */

/* Somebody is about to wait for the end of `t`, whose guard it has.  True: that is over. */
bool hocket__join_announce(hocket_task *t);

void hocket__scope_init(struct hocket__scope *s, hocket_task *counter);

/* Wait until no task of it is left.  `self` may spawn into it again afterwards. */
void hocket__scope_drain(struct hocket__scope *s, hocket_task *self);

/* Cancel, end and leave all scopes that `self` has open. */
void hocket__scopes_abandon(hocket_task *self);

void hocket__scope_add_end(struct hocket__scope *s, struct hocket__scope_end *end);
void hocket__scope_forget_end(struct hocket__scope *s, const struct hocket__scope_end *end);

/* Keep a failure (words may be NULL; the reference is taken over) and cancel the rest. */
void hocket__scope_failed(struct hocket__scope *s, int code, struct hocket__words *words);

/* So many tasks less.  The scope may be gone when this returns. */
void hocket__scope_leave_others(struct hocket__cancel_scope *scope, uint32_t count);

/* in_place_of: the task on top of which it ran, or NULL. */
static inline void hocket__scope_leave_task(struct hocket__scope *s, const hocket_task *in_place_of)
{
    if (in_place_of && hk_load(&s->counter) == in_place_of)
        s->mine--;
    else
        hocket__scope_leave_others(&s->cancel, 1);
}

/* Report what nobody looked at and free the list. */
void hocket__scope_report(struct hocket__scope *s, bool but_the_first);

/*
 * For a simulated world: the calling task is over, with a result but without having returned.  Its
 * branches and the tasks of its open scopes are cancelled and waited for first; nothing else of it
 * is undone.  Then whoever waits for it goes on.  Its record and its stack stay as they are for ever, since locks
 * name the one and others may know addresses in the other: it must leave the CPU for good.
 */
void hocket__task_lose(hocket_task *self, int result);

/* Call the function of a task and end it: what sched and threads do with a task. */
void hocket__task_run(hocket_task *task);
void hocket__task_start_failed(hocket_task *task, int error);

/*
 * Called for a task that has got no stack and ends without having begun, as that task and before
 * its end; it must not wait.  For executors, whose workers are counted before they run.  A pointer,
 * so that programs without executors do not link them.
 */
extern void (*_Atomic hocket__not_started)(hocket_task *task, int error);

/* Run a task that the caller has claimed (hocket__sched_claim) on top of itself. */
void hocket__join_in_place(hocket_task *self, hocket_task *task);

/* Spawn with everything explicit. */
int hocket__spawn(hocket_task **ret_task, struct hocket__scope *scope, hocket_task_fn *fn,
                  void *arg, const hocket_spawn_options *options, unsigned flags);

/* Give a record back that nobody but its spawn has seen. */
void hocket__task_unmake(hocket_task *task);

/* Start the OS thread of a HOCKET_ON_THREAD task; join those that ended. */
int hocket__thread_task_start(hocket_task *task, size_t stack_size);
void hocket__thread_tasks_reap(bool every);

/* Is a runtime there, and may tasks be spawned?  0, -ENOSYS, -ECANCELED; panics after fork. */
enum { HOCKET__RUNTIME_OFF, HOCKET__RUNTIME_ON, HOCKET__RUNTIME_STOPPING, HOCKET__RUNTIME_FORKED };
extern _Atomic int hocket__runtime_state;
int hocket__runtime_why_not(void);

static inline int hocket__runtime_check(void)
{
    if (hk_likely(hk_load(&hocket__runtime_state) == HOCKET__RUNTIME_ON))
        return 0;
    return hocket__runtime_why_not();
}

/* Size class of the stacks of tasks that do not ask for another (hocket_stack_size). */
extern _Atomic uint8_t hocket__default_class;

#endif
