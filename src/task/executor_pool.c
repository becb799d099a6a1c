/* SPDX-License-Identifier: MIT */
/*
 * executor_pool - the queue of a pool, and what executors do with it; see task/executor_pool.h
 */
#include <errno.h>

#include <hocket/runtime.h>

#include "base/alloc.h"
#include "sys/stack.h"
#include "task/executor_pool.h"
#include "task/fail.h"
#include "task/task.h"

#define FIBERS_DEFAULT 256
#define RATE_MAX       ((size_t)1 << 20)

/* What a waker did to a submitter: node->done. */
enum { ROOM_SERVED = 1, ROOM_CLOSED = 2, ROOM_RETRY = 3 };

static const struct hocket__wait_class room_class = { "executor", NULL };

/* ---- the queue, under the guard ---- */

/* Behind its equals: the number of jobs that come later is looked through. */
HK_COLD static struct hocket__link *place_of(struct hocket__pool *p, const hocket_future *job)
{
    struct hocket__link *at = &p->base.queued;
    while (at->prev != &p->base.queued &&
           hk_container_of(at->prev, hocket_future, link)->priority > job->priority)
        at = at->prev;
    return at;
}

static void enqueue(struct hocket__pool *p, hocket_future *job)
{
    struct hocket__link *at = &p->base.queued;
    p->base.submitted++;
    if (hk_unlikely(job->priority != 0 || p->prioritized > 0))
        at = place_of(p, job);
    p->prioritized += job->priority != 0;
    hocket__list_insert_before(at, &job->link);
    hk_store(&p->base.queued_count, hk_load(&p->base.queued_count) + 1);
}

static void unqueue(struct hocket__pool *p, hocket_future *job)
{
    hocket__list_remove(&job->link);
    p->prioritized -= job->priority != 0;
    hk_store(&p->base.queued_count, hk_load(&p->base.queued_count) - 1);
}

/* There is room for one: the oldest who waits for it goes in. */
static void admit(struct hocket__pool *p, struct hocket__wakes *wakes)
{
    if (hk_likely(p->room == NULL) || hk_load(&p->base.queued_count) >= p->bound)
        return;
    struct hocket__waiter *node = hocket__queue_claim(&p->room);
    if (node == NULL)
        return;
    enqueue(p, node->data);
    node->done = ROOM_SERVED;
    hocket__wakes_add(wakes, node->task);
}

/* May a job start now?  Then it is counted as one. */
HK_COLD static bool may_start(struct hocket__pool *p)
{
    hocket_time now = hocket__clock(), *oldest = &p->starts[p->oldest_start];
    p->next_start = *oldest + p->period;
    if (*oldest != 0 && now < p->next_start)
        return false;
    *oldest = now;
    p->oldest_start = (p->oldest_start + 1) % p->rate;
    return true;
}

hocket_future *hocket__pool_take(struct hocket__pool *p, bool cancelled, bool *ret_drop,
                                 struct hocket__wakes *wakes)
{
    struct hocket__link *link = hocket__list_front(&p->base.queued);
    *ret_drop = cancelled || p->base.cancelling || p->broken != 0;
    if (link == NULL || (p->rate != 0 && !*ret_drop && (p->pacing || !may_start(p))))
        return NULL;
    hocket_future *job = hk_container_of(link, hocket_future, link);
    __builtin_prefetch(link->next->next, 1);
    unqueue(p, job);
    admit(p, wakes);
    return job;
}

/* ---- submit ---- */

/* Entered with the guard held, left without it.  What became of it, or an error. */
static int wait_room(struct hocket__pool *p, hocket_future *job, const struct hocket__request *rq)
{
    struct hocket__waiter node;
    hocket__sync_begin(&node, rq->self, &room_class, p, true);
    node.data = job;
    hocket__queue_push(&p->room, &node.link);
    hocket__pool_unlock_to_wait(p);
    int err = hocket__wait_park(rq->self, rq->deadline);
    if (err != 0) {
        hocket__executor_lock(&p->base);
        hocket__queue_forget(&p->room, &node);
        hocket__pool_unlock(p);
    }
    hocket__wait_end(rq->self);
    return err != 0 ? err : (int)node.done;
}

/* No runner could be started for a job: take it back, unless somebody has it after all. */
static int take_back(struct hocket__pool *p, hocket_future *job, int err)
{
    struct hocket__wakes wakes = { NULL, NULL };
    hocket__executor_lock(&p->base);
    if (!hocket__list_empty(&job->link)) {
        unqueue(p, job);
        p->base.submitted--;
        struct hocket__waiter *node = hocket__queue_claim(&p->room);
        if (node != NULL) { /* it has to try for itself, and to see the error */
            node->done = ROOM_RETRY;
            hocket__wakes_add(&wakes, node->task);
        }
    } else {
        err = 0;
    }
    hocket__pool_unlock(p);
    hocket__wakes_run(&wakes);
    return err;
}

/* Hand the job to a runner that waits for one.  With the guard, which is released if it is true. */
static bool hand_over(struct hocket__pool *p, hocket_future *job)
{
    if (p->idle == NULL || p->rate != 0)
        return false;
    struct hocket__waiter *idle = hocket__queue_claim(&p->idle);
    if (idle == NULL)
        return false;
    hocket_task *task = idle->task;
    p->base.submitted++;
    hocket__runner_assign(hocket__runner_is(task), job);
    hocket__pool_unlock(p);
    hocket__complete(task);
    return true;
}

/* Somebody idle is to see what the rate allows.  With the guard, released if it is true. */
HK_COLD static bool wake_pacer(struct hocket__pool *p)
{
    if (p->pacing || p->idle == NULL)
        return false;
    struct hocket__waiter *idle = hocket__queue_claim(&p->idle);
    if (idle == NULL)
        return false;
    hocket_task *task = idle->task;
    hocket__pool_unlock(p);
    hocket__complete(task);
    return true;
}

/*
 * Into the queue, and see that somebody runs it.  With the guard, which is released.  On error the
 * job is the caller's again, with one reference more.
 */
static int put(struct hocket__pool *p, hocket_future *job)
{
    struct hocket__worker *w = hocket__worker_here();
    enqueue(p, job);
    if (w != NULL && hk_load(&p->base.tiny) && hk_load(&p->base.queued_count) < HOCKET__TINY_MAX)
        hocket__count(w->activity);
    if (hk_unlikely(p->rate != 0) && wake_pacer(p))
        return 0;
    if (hk_likely(!hocket__pool_wants(p))) {
        hocket__pool_unlock(p);
        return 0;
    }
    (void)hocket__future_ref_locked(job); /* it may be done before we come to look */
    int err = hocket__runner_start_wanted(p);
    if (err != 0)
        err = take_back(p, job, err);
    if (err == 0)
        hocket__future_unref(job);
    return err;
}

static int pool_admit(hocket_executor *ex, hocket_future *job, hocket_task *self)
{
    struct hocket__pool *p = hocket__pool_of(ex);
    (void)self;
    hocket__executor_lock(ex);
    bool cancelled = job->taken;
    int err = 0;
    if (!cancelled && !hk_load(&ex->closing)) {
        if (hand_over(p, job) || (err = put(p, job)) == 0)
            return 0;
        hocket__future_unref(job); /* put's; there are others */
        hocket__executor_lock(ex);
        cancelled = job->taken;
    } else if (!cancelled) {
        err = -EPIPE;
    }
    job->taken = true;
    hocket__pool_unlock(p);
    return cancelled ? 0 : err;
}

static int pool_submit(hocket_executor *ex, const struct hocket__request *rq,
                       hocket_future **ret_job)
{
    struct hocket__pool *p = hocket__pool_of(ex);
    int inside = -1; /* not known */
    hocket_future *job = hocket__executor_job(ex, rq);
    if (job == NULL)
        return -ENOMEM;
    *ret_job = job;
    int err = 0;
    for (;; hocket__executor_lock(&p->base)) {
        if (hk_unlikely(hk_load(&p->base.closing))) {
            hocket__pool_unlock(p);
            err = -EPIPE;
            break;
        }
        if (hand_over(p, job))
            return 0;
        if (inside == 1 || hk_load(&p->base.queued_count) < p->bound) {
            err = put(p, job);
            break;
        }
        if (inside < 0) {
            hocket__pool_unlock(p);
            inside = hocket__executor_inside(ex, rq->self);
            continue;
        }
        if (rq->deadline <= HOCKET_NOW) {
            hocket__pool_unlock(p);
            err = -ETIMEDOUT;
            break;
        }
        err = wait_room(p, job, rq);
        if (err != ROOM_RETRY) {
            err = err == ROOM_SERVED ? 0 : err == ROOM_CLOSED ? -EPIPE : err;
            break;
        }
    }
    if (hk_unlikely(err != 0))
        hocket__job_free(job); /* nobody has seen it */
    return err;
}

static void pool_withdraw(hocket_executor *ex, hocket_future *job, struct hocket__wakes *wakes)
{
    struct hocket__pool *p = hocket__pool_of(ex);
    unqueue(p, job);
    admit(p, wakes);
}

static void pool_close(hocket_executor *ex, struct hocket__wakes *wakes)
{
    struct hocket__pool *p = hocket__pool_of(ex);
    struct hocket__waiter *node;
    while ((node = hocket__queue_claim(&p->room)) != NULL) {
        node->done = ROOM_CLOSED;
        hocket__wakes_add(wakes, node->task);
    }
    while ((node = hocket__queue_claim(&p->idle)) != NULL)
        hocket__wakes_add(wakes, node->task);
}

/* ---- what runs ---- */

static void pool_cancel_running(hocket_executor *ex)
{
    hocket__runners_cancel(hocket__pool_of(ex));
}

static size_t pool_running(hocket_executor *ex)
{
    size_t n = 0;
    hocket__list_each(link, &hocket__pool_of(ex)->runners)
        n += hk_load(&hk_container_of(link, struct hocket__pool_runner, link)->busy);
    return n;
}

static bool pool_runs_in(hocket_executor *ex, const hocket_task *task)
{
    struct hocket__pool_runner *r = hocket__runner_is(task);
    return r != NULL && r->pool == hocket__pool_of(ex);
}

/* ---- making one ---- */

static void pool_free(hocket_executor *ex)
{
    struct hocket__pool *p = hocket__pool_of(ex);
    hocket__words_unref(p->broken_words);
    hocket__free(p->starts);
    while (p->spare != NULL) {
        struct hocket__pool_runner *r = p->spare;
        p->spare = r->next_spare;
        hocket__free(r);
    }
    hocket__free(p);
}

static int default_workers(int placement)
{
    if (placement == HOCKET_ON_FIBER)
        return FIBERS_DEFAULT;
    int n = hocket_workers();
    return n > 0 ? n : 1;
}

static int resize(hocket_executor *ex, int workers)
{
    struct hocket__pool *p = hocket__pool_of(ex);
    struct hocket__wakes wakes = { NULL, NULL };
    if (p->serial)
        return -EINVAL;
    hocket__executor_lock(ex);
    hk_store(&ex->workers, workers);
    for (int n = hocket__pool_places(p) - workers; n > 0;
         n--) { /* they see that they are too many */
        struct hocket__waiter *node = hocket__queue_claim(&p->idle);
        if (node != NULL)
            hocket__wakes_add(&wakes, node->task);
    }
    for (size_t n = hk_load(&ex->queued_count); n > 0 && hocket__pool_wants(p); n--) {
        (void)hocket__runner_start_wanted(p); /* there are others */
        hocket__executor_lock(ex);
    }
    hocket__pool_unlock(p);
    hocket__wakes_run(&wakes);
    return 0;
}

static int options_check(const hocket_executor_options *o)
{
    if (o->stack_size > HOCKET__STACK_MAX || o->idle < 0 || o->rate > RATE_MAX)
        return -EINVAL;
    if (o->rate != 0 && o->period <= 0)
        return -EINVAL;
    return o->serial && o->workers > 1 ? -EINVAL : 0;
}

/* How long a runner without a job stays. */
static hocket_time stay(const hocket_executor_options *o, int placement)
{
    if (o->idle != 0)
        return o->idle;
    bool cheap = placement == HOCKET_ON_FIBER && o->worker_start == NULL && o->worker_end == NULL;
    return cheap ? 0 : HOCKET_FOREVER;
}

/* The scope is one that the caller has open. */
static int join_scope(struct hocket__pool *p, hocket_scope *scope)
{
    hocket_task *self = hocket__self_must("hocket_executor_new");
    p->home = &hocket__daemon_scope;
    if (scope == NULL)
        return 0;
    struct hocket__scope *s = hocket__scope_of(scope);
    struct hocket__cancel_scope *c = self->scopes;
    while (c != NULL && c != &s->cancel)
        c = c->outer;
    if (c == NULL)
        return -EINVAL;
    p->home = p->base.scope = s;
    return 0;
}

static int pool_open(hocket_executor **ret_executor, const hocket_executor_options *o,
                     const struct hocket__executor_class *class, int placement)
{
    int err = hocket__runtime_check();
    if (err != 0)
        return err;
    err = options_check(o);
    if (err != 0)
        return err;
    struct hocket__pool *p = hocket__calloc(1, sizeof *p);
    if (p == NULL || hocket__executor_init(&p->base, class, o) != 0) {
        hocket__free(p);
        return -ENOMEM;
    }
    hocket__list_init(&p->runners);
    hk_store_rel(&hocket__not_started, hocket__runner_not_started);
    hk_store(&p->base.workers, o->workers > 0 ? o->workers : default_workers(placement));
    p->placement = placement;
    p->bound = o->queue != 0 ? o->queue : HOCKET_EXECUTOR_QUEUE;
    p->stack_size = o->stack_size;
    p->serial = o->serial;
    if (o->serial)
        hk_store(&p->base.workers, 1);
    p->stay = stay(o, placement);
    p->worker_start = o->worker_start;
    p->worker_end = o->worker_end;
    p->worker_arg = o->worker_arg;
    p->rate = o->rate;
    p->period = o->period;
    err = join_scope(p, o->scope);
    if (err == 0 && o->rate != 0 &&
        (p->starts = hocket__calloc(o->rate, sizeof *p->starts)) == NULL)
        err = -ENOMEM;
    if (err == 0 && placement == HOCKET_ON_THREAD) { /* the one that proves that there can be any */
        p->base.active = 1;
        err = hocket__runner_spawn(p, ++p->started);
    }
    if (err != 0) {
        hocket__job_memory_leave(p->base.memory);
        pool_free(&p->base);
    } else {
        *ret_executor = &p->base;
    }
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
    .admit = pool_admit,
    .withdraw = pool_withdraw,
    .interrupt = hocket__job_interrupt,
    .close = pool_close,
    .cancel_running = pool_cancel_running,
    .resize = resize,
    .running = pool_running,
    .runs_in = pool_runs_in,
    .free = pool_free,
};

const struct hocket__executor_class hocket__executor_fibers = {
    .scheme = "fibers",
    .open = fibers_open,
    .submit = pool_submit,
    .admit = pool_admit,
    .withdraw = pool_withdraw,
    .interrupt = hocket__job_interrupt,
    .close = pool_close,
    .cancel_running = pool_cancel_running,
    .resize = resize,
    .running = pool_running,
    .runs_in = pool_runs_in,
    .free = pool_free,
};
