/* SPDX-License-Identifier: MIT */
/*
 * executor_pool - "threads" and "fibers": workers that take jobs from one queue
 *
 * A worker ("runner") is a daemon task with a loop: take the oldest job, run it in a cancel
 * scope of its own, take the next.  Without a job a fiber ends, since the next one
 * costs next to nothing; a thread waits in `idle` for a job to be handed to it.
 *
 * A runner whose job waits for a future is *blocked*: its place is lent.  Places taken are
 * active - blocked, and at most `workers`.  When a job comes back from its wait there may be one
 * too many for a moment; whoever ends a job next and sees that retires.  So a job may
 * wait for jobs of its own pool, at any depth.
 *
 * Invariants, whenever the guard is free:
 *   - if the queue holds a job, some runner that is not blocked is active, or is just being
 *     started: so the job will be taken
 *   - a runner is in `idle` only if the queue is empty
 *   - somebody who can still be woken waits in `room` only if the queue is full
 *
 * When the runtime cancels its daemons, runners drop what is queued instead of running it.
 *
 * Lock order: a job's guard, then the pool's.  Runners are started without guards.
 */
#include <errno.h>
#include <stdio.h>

#include <hocket/runtime.h>

#include "base/alloc.h"
#include "sys/stack.h"
#include "task/executor.h"
#include "task/task.h"

#define FIBERS_DEFAULT 256

struct pool {
    hocket_executor base;
    int placement;
    size_t bound; /* most jobs in the queue, but for those that jobs submit */
    size_t stack_size;
    int blocked;               /* active runners whose job waits for jobs */
    unsigned started;          /* runners ever, for their names */
    struct hocket__link *idle; /* runners; node->data: the job handed over, NULL to look again */
    struct hocket__link *room; /* submitters; node->data: the job */
};

struct hocket__pool_runner {
    struct pool *pool;
    unsigned waits; /* tasks in its job that wait for jobs; under the pool's guard */
};

/* What a waker did to a submitter: node->done. */
enum { ROOM_SERVED = 1, ROOM_CLOSED = 2, ROOM_RETRY = 3 };

static const struct hocket__wait_class idle_class = { "idle", NULL };
static const struct hocket__wait_class room_class = { "executor", NULL };

static struct pool *pool_of(hocket_executor *ex)
{
    return (struct pool *)(void *)ex;
}

/* ---- the queue, under the guard ---- */

static void enqueue(struct pool *p, hocket_future *job)
{
    hocket__list_push_back(&p->base.queued, &job->link);
    job->in_queue = true;
    hk_store(&p->base.queued_count, hk_load(&p->base.queued_count) + 1);
}

static void unqueue(struct pool *p, hocket_future *job)
{
    hocket__list_remove(&job->link);
    job->in_queue = false;
    hk_store(&p->base.queued_count, hk_load(&p->base.queued_count) - 1);
}

/* There is room for one: the oldest who waits for it goes in. */
static void admit(struct pool *p, struct hocket__wakes *wakes)
{
    if (p->room == NULL || hk_load(&p->base.queued_count) >= p->bound)
        return;
    struct hocket__waiter *node = hocket__queue_claim(&p->room);
    if (node == NULL)
        return;
    enqueue(p, node->data);
    node->done = ROOM_SERVED;
    hocket__wakes_add(wakes, node->task);
}

static int places(const struct pool *p)
{
    return p->base.active - p->blocked;
}

/* ---- runners ---- */

/* A job to run, or to drop (*ret_drop), or NULL: the queue is empty.  Under the guard. */
static hocket_future *take(struct pool *p, bool cancelled, bool *ret_drop,
                           struct hocket__wakes *wakes)
{
    struct hocket__link *link = hocket__list_front(&p->base.queued);
    if (link == NULL)
        return NULL;
    hocket_future *job = hk_container_of(link, hocket_future, link);
    unqueue(p, job);
    admit(p, wakes);
    *ret_drop = cancelled || p->base.cancelling;
    if (!*ret_drop)
        hocket__executor_running_add(&p->base, job);
    return job;
}

/* Wait for a job to be handed over; entered with the guard, left without it.  *ret_job stays NULL
 * if the runner is to look around again.  -ECANCELED: the runtime ends. */
static int wait_idle(struct pool *p, hocket_task *self, hocket_future **ret_job)
{
    struct hocket__waiter node;
    hocket__sync_begin(&node, self, &idle_class, p, true);
    hocket__queue_push(&p->idle, &node.link);
    (void)hocket__guard_unlock(&p->base.guard);
    int err = hocket__wait_park(self, HOCKET_FOREVER);
    if (err != 0) {
        hocket__guard_lock(&p->base.guard);
        hocket__queue_forget(&p->idle, &node);
        (void)hocket__guard_unlock(&p->base.guard);
    } else {
        *ret_job = node.data;
    }
    hocket__wait_end(self);
    return err;
}

/* The guard is held, and held again at the end. */
static void run_or_drop(struct pool *p, hocket_future *job, bool drop, hocket_task *self,
                        struct hocket__wakes *wakes)
{
    (void)hocket__guard_unlock(&p->base.guard);
    hocket__wakes_run(wakes);
    if (drop)
        (void)hocket__job_drop(job);
    else
        hocket__job_run(job, self);
    hocket__guard_lock(&p->base.guard);
    hocket__list_remove(&job->link);
    (void)hocket__guard_unlock(&p->base.guard);
    hocket__future_unref(job);
    hocket__guard_lock(&p->base.guard);
}

static int runner_main(void *arg)
{
    struct hocket__pool_runner *runner = arg;
    struct pool *p = runner->pool;
    struct hocket__wakes wakes = { NULL, NULL };
    hocket_task *self = hocket__self_or_null();
    hocket__guard_lock(&p->base.guard);
    while (places(p) <= p->base.workers) {
        bool drop = false, cancelled = hocket__cancelled(self);
        hocket_future *job = take(p, cancelled, &drop, &wakes);
        if (job == NULL) {
            if (p->placement == HOCKET_ON_FIBER || hk_load(&p->base.closing) || cancelled)
                break;
            int err = wait_idle(p, self, &job);
            hocket__guard_lock(&p->base.guard);
            if (err != 0 || job == NULL)
                continue;
        }
        run_or_drop(p, job, drop, self, &wakes);
    }
    hocket__executor_left(&p->base, &wakes);
    (void)hocket__guard_unlock(&p->base.guard);
    hocket__wakes_run(&wakes);
    hocket__free(runner);
    return 0;
}

/* `active` counts it already. */
static int spawn_runner(struct pool *p, unsigned number)
{
    struct hocket__pool_runner *runner = hocket__alloc(sizeof *runner);
    if (runner == NULL)
        return -ENOMEM;
    *runner = (struct hocket__pool_runner){ .pool = p };
    char name[2 * HOCKET_NAME_MAX];
    (void)snprintf(name, sizeof name, "%s-%u", p->base.name, number);
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    o.name = name;
    o.placement = p->placement;
    o.stack_size = p->stack_size;
    o.daemon = true;
    int err = hocket__spawn(NULL, &hocket__daemon_scope, runner_main, runner, &o, 0);
    if (err != 0)
        hocket__free(runner);
    return err;
}

/*
 * Start a runner if the queue holds a job and a place is free.  Entered with the guard held, left
 * without it.  An error only if nobody at all is left to run the queue.
 */
static int start_runner(struct pool *p)
{
    if (hocket__list_empty(&p->base.queued) || places(p) >= p->base.workers) {
        (void)hocket__guard_unlock(&p->base.guard);
        return 0;
    }
    p->base.active++;
    unsigned number = ++p->started;
    (void)hocket__guard_unlock(&p->base.guard);
    int err = spawn_runner(p, number);
    if (err == 0)
        return 0;
    struct hocket__wakes wakes = { NULL, NULL };
    hocket__guard_lock(&p->base.guard);
    hocket__executor_left(&p->base, &wakes);
    if (places(p) > 0 || hocket__list_empty(&p->base.queued))
        err = 0;
    (void)hocket__guard_unlock(&p->base.guard);
    hocket__wakes_run(&wakes);
    return err;
}

/* ---- submit ---- */

/* Entered with the guard held, left without it.  What became of it, or an error. */
static int wait_room(struct pool *p, hocket_future *job, hocket_task *self, hocket_time deadline)
{
    struct hocket__waiter node;
    hocket__sync_begin(&node, self, &room_class, p, true);
    node.data = job;
    hocket__queue_push(&p->room, &node.link);
    (void)hocket__guard_unlock(&p->base.guard);
    int err = hocket__wait_park(self, deadline);
    if (err != 0) {
        hocket__guard_lock(&p->base.guard);
        hocket__queue_forget(&p->room, &node);
        (void)hocket__guard_unlock(&p->base.guard);
    }
    hocket__wait_end(self);
    return err != 0 ? err : (int)node.done;
}

/* No runner could be started for a job: take it back, unless somebody has it after all. */
static int take_back(struct pool *p, hocket_future *job, int err)
{
    struct hocket__wakes wakes = { NULL, NULL };
    hocket__guard_lock(&p->base.guard);
    if (job->in_queue) {
        unqueue(p, job);
        struct hocket__waiter *node = hocket__queue_claim(&p->room);
        if (node != NULL) { /* it has to try for itself, and to see the error */
            node->done = ROOM_RETRY;
            hocket__wakes_add(&wakes, node->task);
        }
    } else {
        err = 0;
    }
    (void)hocket__guard_unlock(&p->base.guard);
    hocket__wakes_run(&wakes);
    return err;
}

static int pool_submit(hocket_executor *ex, hocket_future *job, hocket_task *self,
                       hocket_time deadline)
{
    struct pool *p = pool_of(ex);
    int inside = -1; /* not known */
    for (;;) {
        hocket__guard_lock(&p->base.guard);
        if (hk_load(&p->base.closing)) {
            (void)hocket__guard_unlock(&p->base.guard);
            return -EPIPE;
        }
        struct hocket__waiter *idle = hocket__queue_claim(&p->idle);
        if (idle != NULL) {
            hocket_task *task = idle->task;
            idle->data = job;
            hocket__executor_running_add(&p->base, job);
            (void)hocket__guard_unlock(&p->base.guard);
            hocket__complete(task);
            return 0;
        }
        if (inside == 1 || hk_load(&p->base.queued_count) < p->bound)
            break;
        if (inside < 0) {
            (void)hocket__guard_unlock(&p->base.guard);
            inside = hocket__executor_inside(ex, self);
            continue;
        }
        if (deadline <= HOCKET_NOW) {
            (void)hocket__guard_unlock(&p->base.guard);
            return -ETIMEDOUT;
        }
        int rc = wait_room(p, job, self, deadline);
        if (rc != ROOM_RETRY)
            return rc == ROOM_SERVED ? 0 : rc == ROOM_CLOSED ? -EPIPE : rc;
    }
    (void)hocket__future_ref(job); /* it may be done before we come to look */
    enqueue(p, job);
    int err = start_runner(p);
    if (err != 0)
        err = take_back(p, job, err);
    hocket__future_unref(job);
    return err;
}

static void pool_withdrawn(hocket_executor *ex, struct hocket__wakes *wakes)
{
    admit(pool_of(ex), wakes);
}

static void pool_close(hocket_executor *ex, struct hocket__wakes *wakes)
{
    struct pool *p = pool_of(ex);
    struct hocket__waiter *node;
    while ((node = hocket__queue_claim(&p->room)) != NULL) {
        node->done = ROOM_CLOSED;
        hocket__wakes_add(wakes, node->task);
    }
    while ((node = hocket__queue_claim(&p->idle)) != NULL)
        hocket__wakes_add(wakes, node->task);
}

/* ---- lending a place ---- */

/* The runner in whose job a task is, however deep; NULL if in none. */
static struct hocket__pool_runner *runner_of(const hocket_task *task)
{
    for (const hocket_task *t = task; t != NULL; t = hocket__task_around(t))
        if (t->fn == runner_main)
            return t->arg;
    return NULL;
}

int hocket__pool_lend(hocket_task *self, struct hocket__pool_runner **ret_runner)
{
    struct hocket__pool_runner *runner = runner_of(self);
    *ret_runner = runner;
    if (runner == NULL)
        return 0;
    struct pool *p = runner->pool;
    hocket__guard_lock(&p->base.guard);
    if (runner->waits++ == 0)
        p->blocked++;
    int err = start_runner(p);
    if (err != 0) {
        hocket__pool_back(runner);
        *ret_runner = NULL;
    }
    return err;
}

void hocket__pool_back(struct hocket__pool_runner *runner)
{
    if (runner == NULL)
        return;
    struct pool *p = runner->pool;
    hocket_task *spare = NULL;
    hocket__guard_lock(&p->base.guard);
    if (--runner->waits == 0)
        p->blocked--;
    if (places(p) > p->base.workers && p->idle != NULL) {
        struct hocket__waiter *node = hocket__queue_claim(&p->idle);
        spare = node != NULL ? node->task : NULL; /* it sees that it is one too many */
    }
    (void)hocket__guard_unlock(&p->base.guard);
    if (spare != NULL)
        hocket__complete(spare);
}

/* ---- making one ---- */

static void pool_free(hocket_executor *ex)
{
    hocket__free(pool_of(ex));
}

static int default_workers(int placement)
{
    if (placement == HOCKET_ON_FIBER)
        return FIBERS_DEFAULT;
    int n = hocket_workers();
    return n > 0 ? n : 1;
}

static int pool_open(hocket_executor **ret_executor, const hocket_executor_options *o,
                     const struct hocket__executor_class *class, int placement)
{
    int err = hocket__runtime_check();
    if (err != 0)
        return err;
    if (o->stack_size > HOCKET__STACK_MAX)
        return -EINVAL;
    struct pool *p = hocket__calloc(1, sizeof *p);
    if (p == NULL)
        return -ENOMEM;
    hocket__executor_init(&p->base, class, o);
    p->base.workers = o->workers > 0 ? o->workers : default_workers(placement);
    p->placement = placement;
    p->bound = o->queue != 0 ? o->queue : HOCKET_EXECUTOR_QUEUE;
    p->stack_size = o->stack_size;
    if (placement == HOCKET_ON_THREAD) { /* the one that proves that there can be any */
        p->base.active = 1;
        err = spawn_runner(p, ++p->started);
    }
    if (err != 0)
        hocket__free(p);
    else
        *ret_executor = &p->base;
    return err;
}

static int threads_open(hocket_executor **ret_executor, const hocket_executor_options *options)
{
    return pool_open(ret_executor, options, &hocket__executor_threads, HOCKET_ON_THREAD);
}

static int fibers_open(hocket_executor **ret_executor, const hocket_executor_options *options)
{
    return pool_open(ret_executor, options, &hocket__executor_fibers, HOCKET_ON_FIBER);
}

const struct hocket__executor_class hocket__executor_threads = {
    .scheme = "threads",
    .open = threads_open,
    .submit = pool_submit,
    .withdrawn = pool_withdrawn,
    .interrupt = hocket__job_interrupt,
    .close = pool_close,
    .free = pool_free,
};

const struct hocket__executor_class hocket__executor_fibers = {
    .scheme = "fibers",
    .open = fibers_open,
    .submit = pool_submit,
    .withdrawn = pool_withdrawn,
    .interrupt = hocket__job_interrupt,
    .close = pool_close,
    .free = pool_free,
};
