/* SPDX-License-Identifier: MIT */
/*
 * thread_task - tasks placed on an OS thread of their own
 *
 * A thread that has ended is joined by the next one that starts, or when the
 * runtime stops: nobody else waits for the thread itself, only for the task.
 */
#include <errno.h>

#include "base/alloc.h"
#include "sched/quiet.h"
#include "sched/sched.h"
#include "sys/sys.h"
#include "task/task.h"

struct thread_task {
    struct hocket__thread thread;
    struct thread_task *next; /* in `ended` */
    hocket_task *task;
    _Atomic uint32_t ready; /* futex: `thread` is filled in */
};

static hocket__guard guard;
static struct thread_task *ended;
static _Atomic uint32_t alive; /* futex: threads not yet in `ended` */

static void *thread_main(void *arg)
{
    struct thread_task *th = arg;
    hocket_task *t = th->task;
    hk_store(&t->tid, hocket__thread_id());
    while (hk_load_acq(&th->ready) == 0)
        (void)hocket__futex_wait(&th->ready, 0, HOCKET_FOREVER);
    uint32_t life;
    while ((life = hk_load_acq(&t->life)) & HOCKET__LIFE_HELD)
        (void)hocket__futex_wait(&t->life, life, HOCKET_FOREVER);
    hocket__self_set(t, 0);
    hocket__native_enter(false);
    hocket__task_run(t);
    hocket__native_leave();
    hocket__self_set(NULL, 0);
    hocket__guard_lock(&guard);
    th->next = ended;
    ended = th;
    (void)hocket__guard_unlock(&guard);
    hocket__quiet_poke(); /* before the runtime may stop */
    if (hk_sub(&alive, 1) == 1)
        (void)hocket__futex_wake(&alive, 1);
    return NULL;
}

void hocket__thread_tasks_reap(bool every)
{
    uint32_t n;
    while (every && (n = hk_load_acq(&alive)) > 0)
        (void)hocket__futex_wait(&alive, n, HOCKET_FOREVER);
    hocket__guard_lock(&guard);
    struct thread_task *list = ended;
    ended = NULL;
    (void)hocket__guard_unlock(&guard);
    while (list) {
        struct thread_task *th = list;
        list = th->next;
        hocket__thread_join(th->thread);
        hocket__free(th);
    }
}

int hocket__thread_task_start(hocket_task *task, size_t stack_size)
{
    hocket__thread_tasks_reap(false);
    struct thread_task *th = hocket__calloc(1, sizeof *th);
    if (!th)
        return -ENOMEM;
    char name[HOCKET_NAME_MAX];
    th->task = task;
    (void)hk_add(&alive, 1);
    int err = hocket__thread_start(&th->thread, thread_main, th, stack_size,
                                   hocket__task_name(task, name, sizeof name), 0);
    if (err) {
        (void)hk_sub(&alive, 1);
        hocket__free(th);
        return err;
    }
    hk_store_rel(&th->ready, 1); /* pairs with thread_main: the thread may end and be joined now */
    (void)hocket__futex_wake(&th->ready, 1);
    return 0;
}
