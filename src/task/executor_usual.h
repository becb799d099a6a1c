/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TASK_EXECUTOR_USUAL_H
#define HOCKET_TASK_EXECUTOR_USUAL_H

/*
 * executor_usual - a job of which nothing is unusual, from submit to free
 *
 * It is a function with an argument, submitted to a pool by a task on the worker whom the pool's
 * guard belongs to (task/bias.h), run there, and ended without anybody waiting for it.  Such a job
 * costs no locked instruction.  Each step is here: it calls nothing, and where something is not
 * as usual it does nothing and says so.  Then the caller goes the long way.
 *
 * What a pool must not have for it is not asked job by job, but where it changes, by
 * hocket__pool_review:
 *
 *   usual_take   the first job of the queue may be taken, and nothing has to follow: there is no
 *                rate and no priority, nobody waits for room, and no runner is wanted
 *   usual_room   so many jobs make the queue full; below that, one may go to its end, and nothing
 *                has to follow: as above, the pool is open, and nobody is idle.  0: not so
 *
 * False negatives cost time and nothing else, so where the guard is released after a change that
 * can only make more usual, nobody needs to look.
 */
#include "task/executor_pool.h"

#define HOCKET__USUAL_STRIDE 16 /* of so many tiny jobs one counts as a move of its worker */

/* Submit.  *ret_future (NULL: nobody wants it) is the job. */
static inline bool hocket__usual_put(hocket_executor *ex, hocket_future **ret_future,
                                     hocket_task_fn *fn, void *arg)
{
    const struct hocket__request rq = { .fn = fn, .arg = arg, .handle = ret_future != NULL };
    struct hocket__job_memory *m = ex->memory;
    if (hk_unlikely(!hocket__bias_enter(&m->lock)))
        return false;
    hocket_future *job = m->free;
    size_t queued = hk_load(&ex->queued_count);
    if (hk_unlikely(HOCKET_ASAN || queued >= ex->usual_room || job == NULL)) {
        hocket__bias_leave(&m->lock);
        return false;
    }
    m->free = hocket__job_next(job);
    __builtin_prefetch(m->free, 1);
    hocket__job_fill(job, &rq);
    hocket__list_push_back(&ex->queued, &job->link);
    hk_store(&ex->queued_count, queued + 1);
    if (++ex->submitted % HOCKET__USUAL_STRIDE == 0 && hk_load(&ex->tiny) &&
        queued < HOCKET__TINY_MAX)
        hocket__count(hocket__worker_here()->activity);
    if (ret_future != NULL)
        *ret_future = job;
    hocket__bias_leave(&m->lock);
    return true;
}

/* The last reference to a job that has not failed, of a kind that hocket__job_take knows. */
static inline bool hocket__usual_free(hocket_future *job)
{
    return hk_likely(job->home != (void *)&job->link) && hocket__job_free_here(job, job->home);
}

/*
 * Inside: a job that has ended well and clean is DONE, with the executor's reference.  False: it is
 * as it was.
 */
static inline bool hocket__usual_end(struct hocket__job_memory *m, hocket_future *job)
{
    if (HOCKET_ASAN) /* its block is none of the memory's, see hocket__job_hold */
        return false;
    uint32_t s = hk_load_acq(&job->state); /* pairs with the release of the future's own */
    if (hk_likely(s == 2 * HOCKET__JOB_REF)) {
        hk_store(&job->runner, 0);
        hk_store_rel(&job->state, HOCKET__JOB_REF | HOCKET__JOB_DONE); /* as the CAS of publish */
    } else if (s == HOCKET__JOB_REF) {
        hocket__job_set_next(job, m->free);
        m->free = job;
    } else {
        return false;
    }
    return true;
}

/*
 * A runner goes on: *ended, the job that it has run well, if any, is DONE and *ended NULL; the next
 * is returned, to be run, as by hocket__runner_assign.  NULL: there is none.  Either may not be as usual.
 */
static inline hocket_future *hocket__usual_turn(hocket_executor *ex, struct hocket__pool_runner *r,
                                                const hocket_task *self, hocket_future **ended,
                                                void **ret_arg)
{
    struct hocket__job_memory *m = ex->memory;
    if (hk_unlikely(!hocket__bias_enter(&m->lock)))
        return NULL;
    if (*ended != NULL && hk_likely(hocket__usual_end(m, *ended)))
        *ended = NULL;
    struct hocket__link *first = ex->queued.next;
    hocket_future *job = NULL;
    if (hk_likely(ex->usual_take && first != &ex->queued && *ended == NULL)) {
        job = hk_container_of(first, hocket_future, link);
        __builtin_prefetch(first->next->next, 1);
        hk_store(&ex->queued_count, hk_load(&ex->queued_count) - 1);
        hocket__list_remove(first);
        ex->started++;
        *ret_arg = hocket__job_take(job, self, &r->scope, HOCKET_ASAN ? NULL : m);
    }
    hk_store(&r->busy, job != NULL || *ended != NULL);
    hocket__bias_leave(&m->lock);
    return job;
}

#endif
