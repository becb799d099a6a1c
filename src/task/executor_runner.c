/* SPDX-License-Identifier: MIT */
/*
 * executor_runner - the workers of a pool; see task/executor_pool.h
 *
 * To the runtime a runner is one task, however many jobs it runs.  While they are tiny it
 * says that it moves, and so does who submits, so that nobody steals the next runner to fight over
 * the queue: two would be slower than one.  When jobs take longer they do not, and have
 * sleepers woken.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "sched/worker.h"
#include "sys/ticks.h"
#include "task/executor_pool.h"
#include "task/executor_usual.h"
#include "task/fail.h"
#include "task/task.h"

#define STRIDE_MAX 16
#define TINY       ((int64_t)HOCKET__TICKS_PER_US / 2) /* a job that is not worth a helper */

static const struct hocket__wait_class idle_class = { "idle", NULL };

/* ---- one runner ---- */

/* Every so many jobs: let helpers come if the jobs are worth it. */
HK_NOINLINE static void pace(struct hocket__pool_runner *r)
{
    struct hocket__worker *w = hocket__worker_here();
    int64_t now = hocket__ticks();
    bool tiny = r->since != 0 && now - r->since < TINY * (int64_t)r->stride;
    r->since = now;
    r->stride = !tiny ? 1 : r->stride < STRIDE_MAX ? r->stride * 2 : r->stride;
    r->jobs = r->stride;
    if (tiny != hk_load(&r->pool->base.tiny))
        hk_store(&r->pool->base.tiny, tiny);
    if (w == NULL)
        return;
    if (tiny)
        hocket__count(w->activity);
    else if (hk_load(&r->pool->base.queued_count) > 0 && hk_load(&hocket__rt.sleeping) > 0)
        hocket__pushed(w);
}

/*
 * Wait for a job to be handed over, to be told to look around, or for the deadline; entered
 * with the guard, left without it.  False: the deadline passed.
 */
static bool wait_idle(struct hocket__pool *p, hocket_task *self, hocket_time deadline)
{
    struct hocket__waiter node;
    hocket__sync_begin(&node, self, &idle_class, p, true);
    hocket__queue_push(&p->idle, &node.link);
    hocket__pool_unlock_to_wait(p);
    int err = hocket__wait_park(self, deadline);
    if (err != 0) {
        hocket__executor_lock(&p->base);
        hocket__queue_forget(&p->idle, &node);
        hocket__pool_unlock(p);
    }
    hocket__wait_end(self);
    return err != -ETIMEDOUT;
}

/* There are jobs, and none may start before next_start: see that one does then.  As wait_idle. */
static void wait_paced(struct hocket__pool *p, hocket_task *self)
{
    hocket_time until = p->pacing ? HOCKET_FOREVER : p->next_start;
    bool mine = !p->pacing;
    p->pacing = true;
    (void)wait_idle(p, self, until);
    if (mine) {
        hocket__executor_lock(&p->base);
        p->pacing = false;
        hocket__pool_unlock(p);
    }
}

/* A job was cancelled; the next one must not be.  In a shutdown there is no next one. */
HK_COLD static void renew_scope(struct hocket__pool_runner *r, hocket_task *self)
{
    hocket_executor *ex = &r->pool->base;
    hocket__executor_lock(ex);
    bool renew = r->renewing = !r->pool->base.cancelling;
    hocket__executor_unlock(ex);
    if (!renew)
        return;
    hocket__cancel_scope_leave(&r->scope, self);
    hocket__cancel_scope_enter(&r->scope, self, HOCKET_FOREVER, false);
    hocket__executor_lock(ex);
    r->renewing = false;
    hocket__executor_unlock(ex);
}

HK_COLD static void drop(struct hocket__pool_runner *r, hocket_task *self, hocket_future *job)
{
    if (r->pool->broken != 0) {
        hk_store(&r->busy, false);
        hocket__job_fail(job, self, r->pool->broken, r->pool->broken_words);
    } else {
        hocket__job_drop(job, self, &r->busy);
    }
}

/* True: it has ended well and clean, and is not DONE yet. */
static inline bool run(struct hocket__pool_runner *r, hocket_task *self, hocket_future *job,
                       void *arg, uint32_t held)
{
    uint32_t watched = HOCKET__EVENT_BIT(HOCKET__EVENT_JOB) |
                       HOCKET__EVENT_BIT(HOCKET__EVENT_JOB_END);
    if (hk_unlikely(job->kind != HOCKET__JOB_FN || self->words != NULL ||
                    hocket__watched(watched))) {
        hocket__job_run(job, self, arg, &r->busy);
        return false;
    }
    int result = job->result = job->fn(arg);
    if (hk_likely(result >= 0 && self->scopes == &r->scope && hocket__self_held() == held &&
                  self->words == NULL && !hocket__watched(watched)))
        return true;
    hocket__job_ended(job, self, held, &r->busy);
    return false;
}

/*
 * There is no job for now.  With the guard; true: wait, which has released it; false: leave.
 */
static bool stays(struct hocket__pool *p, hocket_task *self, bool cancelled, bool *stayed)
{
    bool paced = p->rate != 0 && !hocket__list_empty(&p->base.queued);
    if (cancelled || hocket__pool_over(p) || p->broken != 0)
        return false;
    if (paced && !p->pacing) {
        wait_paced(p, self);
        return true;
    }
    if (*stayed || p->stay == 0 || hk_load(&p->base.closing))
        return false;
    hocket_time until = p->stay == HOCKET_FOREVER ? HOCKET_FOREVER : hocket_after(p->stay);
    *stayed = !wait_idle(p, self, until);
    return true;
}

static HK_NOINLINE void end_any(struct hocket__pool_runner *r, hocket_task *self,
                                hocket_future *job)
{
    hk_store(&r->busy, false);
    hocket__future_publish(job, self, HOCKET__PIN_STAYS);
}

/*
 * The long way to the next job, which is the runner's then; or it has waited, and there may be none.
 * False: it leaves, and holds the guard.
 */
static HK_NOINLINE bool next_job(struct hocket__pool *p, struct hocket__pool_runner *r,
                                 hocket_task *self, bool *stayed, bool *ret_drop)
{
    struct hocket__wakes wakes = { NULL, NULL };
    hocket_future *job = NULL;
    if (hk_load(&r->scope.cancelled))
        renew_scope(r, self);
    bool cancelled = hocket__cancelled(self);
    *ret_drop = false;
    hocket__executor_lock(&p->base);
    bool surplus = hocket__pool_places(p) > hk_load(&p->base.workers);
    if (!surplus)
        job = hocket__pool_take(p, cancelled, ret_drop, &wakes);
    if (job != NULL) {
        hocket__runner_assign(r, job);
        if (hk_unlikely(hocket__pool_wants(p)))
            (void)hocket__runner_start_wanted(p); /* we are left to run the queue */
        else
            hocket__pool_unlock(p);
    } else if (surplus || !stays(p, self, cancelled, stayed)) {
        return false;
    }
    if (hk_unlikely(wakes.first != NULL))
        hocket__wakes_run(&wakes);
    return true;
}

/* Run jobs until there is nothing to do any more.  Left with the guard held. */
static void serve(struct hocket__pool *p, struct hocket__pool_runner *r, hocket_task *self)
{
    const uint32_t held = hocket__self_held();
    hocket_future *ended = NULL;
    bool stayed = false, dropped = false;
    for (;;) {
        void *arg = NULL;
        hocket_future *job = NULL;
        if (hk_likely(!hocket__cancel_suspected(self)))
            job = hocket__usual_turn(&p->base, r, self, &ended, &arg);
        if (hk_unlikely(job == NULL)) {
            if (ended != NULL)
                end_any(r, self, ended);
            ended = NULL;
            if (!next_job(p, r, self, &stayed, &dropped))
                return;
            if ((job = r->job) == NULL)
                continue;
            r->job = NULL;
            arg = r->arg;
        }
        stayed = false;
        if (--r->jobs == 0)
            pace(r);
        if (hk_unlikely(dropped))
            drop(r, self, job);
        else if (hk_likely(run(r, self, job, arg, held)))
            ended = job;
        dropped = false;
    }
}

/* With the guard, also at the end: nobody uses our scope, and nobody finds it any more. */
static void leave_list(struct hocket__pool_runner *r, hocket_task *self)
{
    hocket_executor *ex = &r->pool->base;
    while (r->pinned) {
        struct hocket__waiter node;
        hocket__sync_begin(&node, self, &idle_class, r->pool, false);
        r->unpinned = self;
        hocket__pool_unlock_to_wait(r->pool);
        (void)hocket__wait_park(self, HOCKET_FOREVER);
        hocket__wait_end(self);
        hocket__executor_lock(ex);
    }
    hocket__list_remove(&r->link);
}

/* The user's initializer: if it fails, so do all jobs, now and to come. */
HK_COLD static bool initialize(struct hocket__pool *p, hocket_task *self)
{
    struct hocket__wakes wakes = { NULL, NULL };
    int result = p->worker_start(p->worker_arg);
    if (result >= 0)
        return true;
    struct hocket__words *words = hocket__words_for(self, result);
    hocket__executor_lock(&p->base);
    bool first = p->broken == 0, open = !hk_load(&p->base.closing);
    if (first) {
        p->broken = result;
        p->broken_words = words;
    }
    hk_store(&p->base.closing, true);
    if (open)
        p->base.class->close(&p->base, &wakes);
    hocket__pool_unlock(p);
    hocket__wakes_run(&wakes);
    if (!first)
        hocket__words_unref(words);
    hocket__words_unref(self->words);
    self->words = NULL;
    return false;
}

static int runner_main(void *arg)
{
    struct hocket__pool_runner *r = arg;
    struct hocket__pool *p = r->pool;
    struct hocket__wakes wakes = { NULL, NULL };
    hocket_task *self = hocket__self_or_null();
    r->task = self;
    hocket__cancel_scope_enter(&r->scope, self, HOCKET_FOREVER, false);
    hocket__executor_lock(&p->base);
    hocket__list_push_back(&p->runners, &r->link);
    if (p->placement == HOCKET_ON_FIBER)
        p->starting--;
    if (p->worker_start != NULL)
        (void)hocket__runner_start_wanted(p); /* do not wait for one after the other */
    else
        hocket__pool_unlock(p);
    bool good = p->worker_start == NULL || initialize(p, self);
    serve(p, r, self);
    p->leaving++;
    leave_list(r, self);
    hocket__pool_unlock(p);
    hocket__cancel_scope_leave(&r->scope, self);
    if (good && p->worker_end != NULL)
        p->worker_end(p->worker_arg);
    hocket__executor_lock(&p->base);
    r->next_spare = p->spare;
    p->spare = r;
    p->leaving--;
    hocket__executor_left(&p->base, &wakes);
    hocket__pool_unlock(p);
    hocket__wakes_run(&wakes);
    return 0;
}

void hocket__runners_cancel(struct hocket__pool *p)
{
    hocket_executor *ex = &p->base;
    hocket__executor_lock(ex);
    struct hocket__link *link = p->runners.next;
    while (link != &p->runners) {
        struct hocket__pool_runner *r = hk_container_of(link, struct hocket__pool_runner, link);
        link = link->next;
        if (r->cancelled || r->renewing)
            continue;
        r->cancelled = r->pinned = true;
        hocket__executor_unlock(ex);
        hocket__cancel_scope(&r->scope);
        hocket__executor_lock(ex);
        r->pinned = false;
        hocket_task *waiting = r->unpinned;
        if (waiting != NULL && !hocket__claim(waiting))
            hocket__panic("executor: internal error: the runner is gone");
        if (waiting != NULL) {
            hocket__executor_unlock(ex);
            hocket__complete(waiting);
            hocket__executor_lock(ex);
        }
        link = p->runners.next; /* the list may be another one */
    }
    hocket__executor_unlock(ex);
}

/*
 * There was no stack for it.  If nobody else is there to run the queue, the jobs in it fail.  Those
 * who wait for them may be told here, so nothing in this may wait.
 */
void hocket__runner_not_started(hocket_task *task, int error)
{
    struct hocket__pool_runner *r = hocket__runner_is(task);
    struct hocket__wakes wakes = { NULL, NULL };
    bool drop;
    if (r == NULL)
        return;
    struct hocket__pool *p = r->pool;
    hocket__executor_lock(&p->base);
    p->starting--;
    p->leaving++;
    while (hocket__pool_places(p) <= 0) {
        hocket_future *job = hocket__pool_take(p, true, &drop, &wakes);
        if (job == NULL)
            break;
        (void)hocket__job_take(job, task, NULL, NULL);
        hocket__pool_unlock(p);
        hocket__wakes_run(&wakes);
        hocket__job_fail(job, task, error, NULL);
        hocket__executor_lock(&p->base);
    }
    r->next_spare = p->spare;
    p->spare = r;
    p->leaving--;
    hocket__executor_left(&p->base, &wakes);
    hocket__pool_unlock(p);
    hocket__wakes_run(&wakes);
}

struct hocket__pool_runner *hocket__runner_is(const hocket_task *task)
{
    return task->fn == runner_main ? task->arg : NULL;
}

/* ---- starting one ---- */

/* NAME-N; without snprintf, which costs more than all the rest. */
static void name_it(char to[2 * HOCKET_NAME_MAX], const char name[HOCKET_NAME_MAX], unsigned number)
{
    char digits[12];
    size_t n = sizeof digits, length = strnlen(name, HOCKET_NAME_MAX - 1);
    do
        digits[--n] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    memcpy(to, name, length);
    to[length] = '-';
    memcpy(to + length + 1, digits + n, sizeof digits - n);
    to[length + 1 + sizeof digits - n] = '\0';
}

int hocket__runner_spawn(struct hocket__pool *p, unsigned number)
{
    hocket__executor_lock(&p->base);
    struct hocket__pool_runner *r = p->spare;
    if (r != NULL)
        p->spare = r->next_spare;
    hocket__pool_unlock(p);
    if (r == NULL && (r = hocket__alloc(sizeof *r)) == NULL)
        return -ENOMEM;
    memset(r, 0, sizeof *r);
    r->pool = p;
    r->stride = r->jobs = 1;
    char name[2 * HOCKET_NAME_MAX];
    name_it(name, p->base.name, number);
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    o.name = name;
    o.placement = p->placement;
    o.stack_size = p->stack_size;
    o.daemon = p->home == &hocket__daemon_scope;
    int err = hocket__spawn(NULL, p->home, runner_main, r, &o, HOCKET__TASK_SERVICE);
    if (err != 0)
        hocket__free(r);
    return err;
}

int hocket__runner_start_wanted(struct hocket__pool *p)
{
    if (!hocket__pool_wants(p)) {
        hocket__pool_unlock(p);
        return 0;
    }
    bool fiber = p->placement == HOCKET_ON_FIBER;
    p->base.active++;
    p->starting += fiber;
    unsigned number = ++p->started;
    hocket__pool_unlock(p);
    int err = hocket__runner_spawn(p, number);
    if (err == 0)
        return 0;
    struct hocket__wakes wakes = { NULL, NULL };
    hocket__executor_lock(&p->base);
    p->starting -= fiber;
    hocket__executor_left(&p->base, &wakes);
    if (hocket__pool_places(p) > 0 || hocket__list_empty(&p->base.queued))
        err = 0;
    hocket__pool_unlock(p);
    hocket__wakes_run(&wakes);
    return err;
}

/* ---- lending a place ---- */

bool hocket__pool_stuck(const hocket_task *self, const hocket_future *job)
{
    for (const hocket_task *t = self; t != NULL; t = hocket__task_around(t)) {
        const struct hocket__pool_runner *r = hocket__runner_is(t);
        if (r != NULL && r->pool->serial && &r->pool->base == job->more->executor)
            return true;
    }
    return false;
}

int hocket__pool_lend(hocket_task *self, struct hocket__pool_runner **ret_runner)
{
    struct hocket__pool_runner *r = NULL;
    for (const hocket_task *t = self; t != NULL && r == NULL; t = hocket__task_around(t))
        r = hocket__runner_is(t);
    if (r != NULL && r->pool->serial)
        r = NULL; /* the next job must not start before this one has ended */
    *ret_runner = r;
    if (r == NULL)
        return 0;
    struct hocket__pool *p = r->pool;
    hocket__executor_lock(&p->base);
    if (r->waits++ == 0)
        p->blocked++;
    int err = hocket__runner_start_wanted(p);
    if (err != 0) {
        hocket__pool_back(r);
        *ret_runner = NULL;
    }
    return err;
}

void hocket__pool_back(struct hocket__pool_runner *r)
{
    if (r == NULL)
        return;
    struct hocket__pool *p = r->pool;
    hocket_task *surplus = NULL;
    hocket__executor_lock(&p->base);
    if (--r->waits == 0)
        p->blocked--;
    if (hocket__pool_places(p) > hk_load(&p->base.workers) && p->idle != NULL) {
        struct hocket__waiter *node = hocket__queue_claim(&p->idle);
        surplus = node != NULL ? node->task : NULL; /* it sees that it is one too many */
    }
    hocket__pool_unlock(p);
    if (surplus != NULL)
        hocket__complete(surplus);
}
