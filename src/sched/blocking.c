/* SPDX-License-Identifier: MIT */
/*
 * blocking - calls that may block their thread, off the workers
 *
 * hocket_blocking hands the call to a thread of a pool that grows on demand and
 * shrinks after some seconds without work.  The caller parks; its job lies on its
 * stack, so nothing is allocated for a call.  When a thread cannot be had and none exists,
 * the call fails; when some exist, it waits for one of them.
 *
 * Each call has a thread of its own as long as there may be more: under the guard a
 * caller queues its job and either takes an idle thread off the list or counts one that it
 * is about to start.  So `threads` > 0 means that somebody will look at the queue again.
 *
 * hocket_blocking_begin marks the worker blocked: its queue is then open to all
 * thieves at once, and another worker takes its place.
 */
#include <errno.h>

#include "base/panic.h"
#include "base/alloc.h"
#include "park/forks.h"
#include "park/world.h"
#include "sched/quiet.h"
#include "sched/worker.h"
#include "sys/sanitizer.h"

#define IDLE_TIME (5 * HOCKET_SEC)

struct job {
    struct job *next;
    hocket_task_fn *fn;
    void *arg;
    int result;
    hocket_task *task;
};

struct helper {
    struct hocket__thread thread;
    struct helper *next_idle;
    struct helper *next;   /* all of them, until joined */
    _Atomic uint32_t wake; /* futex: 1 = look at the jobs */
    bool ended;
};

static hocket__guard guard; /* everything below */
static struct job *jobs, **jobs_tail = &jobs;
static struct helper *idle, *all;
static int threads, max_threads;
static bool ending;

static const struct hocket__wait_class blocking_class = { "blocking", NULL };

void hocket__blocking_init(int max)
{
    max_threads = max;
    ending = false;
    jobs = NULL;
    jobs_tail = &jobs;
}

static struct job *job_take(void)
{
    struct job *j = jobs;
    if (j) {
        jobs = j->next;
        if (!jobs)
            jobs_tail = &jobs;
    }
    return j;
}

static void idle_remove(struct helper *h)
{
    for (struct helper **p = &idle; *p; p = &(*p)->next_idle)
        if (*p == h) {
            *p = h->next_idle;
            return;
        }
}

static void job_run(struct job *j)
{
    hocket__nosync_acquire(j);
    j->result = j->fn(j->arg);
    if (!hocket__claim(j->task)) /* nobody else can decide this wait */
        hocket__panic("hocket_blocking: the waiting task is gone");
    hocket__complete(j->task);
}

/* Wait for work; false when it is time to end.  The guard is held before and after. */
static bool helper_wait(struct helper *h)
{
    h->next_idle = idle;
    idle = h;
    hk_store(&h->wake, 0);
    (void)hocket__guard_unlock(&guard);
    hocket_time until = hocket_after(IDLE_TIME);
    int err = 0;
    while (hk_load_acq(&h->wake) == 0 && err != -ETIMEDOUT)
        err = hocket__futex_wait(&h->wake, 0, until);
    hocket__guard_lock(&guard);
    if (hk_load_acq(&h->wake))
        return true;
    idle_remove(h);
    return false;
}

static void *helper_main(void *arg)
{
    struct helper *h = arg;
    hocket__guard_lock(&guard);
    for (;;) {
        struct job *j = job_take();
        if (j) {
            (void)hocket__guard_unlock(&guard);
            job_run(j);
            hocket__guard_lock(&guard);
        } else if (ending || !helper_wait(h)) {
            break;
        }
    }
    h->ended = true;
    threads--;
    (void)hocket__guard_unlock(&guard);
    return NULL;
}

/* Join those that ended; all of them when `every`.  Not under the guard. */
static void helpers_reap(bool every)
{
    for (;;) {
        hocket__guard_lock(&guard);
        struct helper **p = &all;
        while (*p && !every && !(*p)->ended)
            p = &(*p)->next;
        struct helper *h = *p;
        if (h)
            *p = h->next;
        (void)hocket__guard_unlock(&guard);
        if (!h)
            return;
        hocket__thread_join(h->thread);
        hocket__free(h);
    }
}

/* One more thread, which is counted already. */
static int helper_start(void)
{
    helpers_reap(false);
    struct helper *h = hocket__calloc(1, sizeof *h);
    if (!h)
        return -ENOMEM;
    int err = hocket__thread_start(&h->thread, helper_main, h, 0, "hocket-block", 0);
    if (err) {
        hocket__free(h);
        return err;
    }
    hocket__guard_lock(&guard); /* it may have ended: it is joined all the same */
    h->next = all;
    all = h;
    (void)hocket__guard_unlock(&guard);
    return 0;
}

/* False if it is not in the queue any more.  Under the guard. */
static bool job_remove(struct job *j)
{
    for (struct job **p = &jobs; *p; p = &(*p)->next) {
        if (*p == j) {
            *p = j->next;
            if (!*p)
                jobs_tail = p;
            return true;
        }
    }
    return false;
}

/* Queue the job and see to it that somebody does it.  On failure nobody will. */
static int job_hand_out(struct job *j)
{
    hocket__nosync_release(j);
    hocket__guard_lock(&guard);
    *jobs_tail = j;
    jobs_tail = &j->next;
    struct helper *h = idle;
    bool grow = !h && threads < max_threads;
    if (h) {
        idle = h->next_idle;
        hk_store_rel(&h->wake, 1);
    }
    threads += grow;
    (void)hocket__guard_unlock(&guard);
    if (h)
        (void)hocket__futex_wake(&h->wake, 1);
    int err = grow ? helper_start() : 0;
    if (err == 0)
        return 0;
    hocket__guard_lock(&guard);
    bool nobody = --threads == 0 && job_remove(j);
    (void)hocket__guard_unlock(&guard);
    return !nobody ? 0 : err == -ENOMEM ? err : -EAGAIN;
}

int hocket__sched_blocking(hocket_task *self, hocket_task_fn *fn, void *arg, int *ret_result)
{
    if (self->kind != HOCKET__FIBER || max_threads == 0) {
        *ret_result = fn(arg);
        return 0;
    }
    struct job j = { NULL, fn, arg, 0, self };
    struct hocket__waiter node;
    hocket__wait_begin(&node, self, &blocking_class, (const void *)(uintptr_t)fn, 0);
    int err = job_hand_out(&j);
    if (err == 0)
        (void)hocket__wait_park(self, HOCKET_FOREVER);
    hocket__wait_end(self);
    *ret_result = j.result;
    return err;
}

bool hocket__blocking_quiet(unsigned *ret_threads)
{
    int n = 0;
    hocket__guard_lock(&guard);
    for (struct helper *h = idle; h; h = h->next_idle)
        n++;
    bool quiet = jobs == NULL && n == threads;
    (void)hocket__guard_unlock(&guard);
    *ret_threads += (unsigned)n;
    return quiet;
}

void hocket__blocking_stop(void)
{
    hocket__guard_lock(&guard);
    ending = true;
    for (struct helper *h = idle; h; h = h->next_idle) {
        hk_store_rel(&h->wake, 1);
        (void)hocket__futex_wake(&h->wake, 1);
    }
    idle = NULL;
    (void)hocket__guard_unlock(&guard);
    helpers_reap(true);
}

size_t hocket__blocking_threads(void)
{
    hocket__guard_lock(&guard);
    size_t n = (size_t)threads;
    (void)hocket__guard_unlock(&guard);
    return n;
}

void hocket__sched_blocking_begin(void)
{
    struct hocket__worker *w = hocket__worker_here();
    if (!w || hocket__in_world())
        return;
    hocket_task *self = hocket__self_or_null();
    if (self && hk_load(&w->blocked) == 0 && hocket__forked_any(self))
        hocket__fork_ops_get()->hand_out(self);
    if (hk_add(&w->blocked, 1) > 0)
        return;
    int active = hk_sub(&hocket__rt.active, 1) - 1;
    if (hocket__runq_depth(&w->q) == 0)
        return;
    hk_fence_sc(); /* `blocked` before the look: pairs with that of a worker that goes to sleep */
    if (hk_load(&hocket__rt.sleeping) > 0)
        hocket__wake_one(); /* also if enough are active: all of these may be asleep */
    else if (active < hk_load(&hocket__rt.target))
        hocket__lend();
}

void hocket__sched_blocking_end(void)
{
    struct hocket__worker *w = hocket__worker_here();
    if (!w || hocket__in_world())
        return;
    if (hk_load(&w->blocked) == 0)
        hocket__panic("hocket_blocking_end: without hocket_blocking_begin");
    if (hk_sub(&w->blocked, 1) == 1)
        (void)hk_add(&hocket__rt.active, 1);
}
