/* SPDX-License-Identifier: MIT */
/*
 * map_queues - a pool between queues: each value that is got becomes a job, which puts its result
 *
 * The mapping task only gets and submits, so a result never waits for the next input.  Jobs are in
 * a list until their watch has taken them out; whoever ends early cancels those in it and
 * waits, as everybody does in the end, until it is empty.
 */
#include <errno.h>

#include "base/alloc.h"
#include "task/fail.h"
#include "task/map.h"

static const struct hocket__wait_class relay_class = { "map", NULL };

struct relay {
    hocket_call *call;
    hocket_queue *output, *errors;
    size_t value_size;
    _Atomic int failed;       /* what the first put that failed has returned */
    hocket__guard guard;      /* all below */
    struct hocket__link jobs; /* submitted, and their watches not called */
    hocket_task *waiting;     /* for that to be empty */
};

struct job {
    struct hocket__watch watch;
    struct hocket__link link; /* in `jobs` */
    struct relay *relay;
    hocket_future *future;
    size_t index;
    bool cancelled; /* by the mapping task; under the guard */
    _Alignas(max_align_t) unsigned char value[];
};

/* ---- the job ---- */

static void deliver(struct relay *r, const hocket_map_result *result, struct hocket__words *words)
{
    hocket_map_result *kept = hocket__map_result_keep(result, words);
    hocket_queue *queue = result->result < 0 && r->errors != NULL ? r->errors : r->output;
    int none = 0, err = kept != NULL ? hocket_queue_put(queue, &kept, HOCKET_FOREVER) : -ENOMEM;
    if (err == 0)
        return;
    hocket_map_result_free(kept);
    (void)hk_cas(&r->failed, &none, err);
}

static int run(void *arg)
{
    struct job *j = arg;
    hocket_task *self = hocket__self_or_null();
    hocket_buffer output = { 0 };
    int result = j->relay->call(j->value, j->relay->value_size, &output);
    struct hocket__words *words = result < 0 ? hocket__words_for(self, result) : NULL;
    hocket_error plain = { .code = result, .message = hocket_error_text(result), .task = "" };
    const hocket_map_result r = {
        .index = j->index,
        .input = j->value,
        .input_size = j->relay->value_size,
        .result = result,
        .output = output.data,
        .output_size = output.size,
        .error = result >= 0     ? NULL
                 : words != NULL ? hocket__words_error(words)
                                 : &plain,
    };
    hocket_fail_clear();
    deliver(j->relay, &r, words);
    hocket__words_unref(words);
    hocket_buffer_free(&output);
    return 0;
}

static void job_done(struct hocket__watch *watch, hocket_future *future)
{
    struct job *j = hk_container_of(watch, struct job, watch);
    struct relay *r = j->relay;
    hocket__guard_lock(&r->guard);
    hocket__list_remove(&j->link);
    hocket_task *task = hocket__list_empty(&r->jobs) ? r->waiting : NULL;
    if (task != NULL) {
        r->waiting = NULL;
        if (!hocket__claim(task))
            hocket__panic("hocket_map_queues: internal error: the mapping task is gone");
    }
    (void)hocket__guard_unlock(&r->guard);
    if (task != NULL)
        hocket__complete(task);
    hocket_future_free(future);
    hocket__free(j);
}

/* ---- the mapping task ---- */

static int relay_one(struct relay *r, hocket_executor *ex, hocket_queue *input, size_t index,
                     hocket_time deadline)
{
    struct job *j = hocket__alloc(sizeof *j + r->value_size);
    if (j == NULL)
        return -ENOMEM;
    *j = (struct job){ .watch.done = job_done, .relay = r, .index = index };
    int err = hocket_queue_get(input, j->value, deadline);
    if (err == 0)
        err = hocket_submit_fn_until(ex, &j->future, run, j, deadline);
    else if (err == -EPIPE)
        err = 1; /* closed, which is no failure */
    if (err != 0) {
        hocket__free(j);
        return err;
    }
    hocket__guard_lock(&r->guard);
    hocket__list_push_back(&r->jobs, &j->link);
    (void)hocket__guard_unlock(&r->guard);
    hocket__future_watch(j->future, &j->watch);
    return hk_load(&r->failed);
}

static void cancel_all(struct relay *r)
{
    for (;;) {
        hocket_future *f = NULL;
        hocket__guard_lock(&r->guard);
        hocket__list_each(link, &r->jobs) {
            struct job *j = hk_container_of(link, struct job, link);
            if (f == NULL && !j->cancelled) {
                j->cancelled = true;
                f = hocket__future_ref(j->future);
            }
        }
        (void)hocket__guard_unlock(&r->guard);
        if (f == NULL)
            return;
        (void)hocket_future_cancel(f);
        hocket__future_unref(f);
    }
}

/* Until all jobs are done; a cancel or the deadline ends them. */
static int await_all(struct relay *r, hocket_task *self, hocket_time deadline, bool cancel)
{
    struct hocket__waiter node;
    hocket__guard_lock(&r->guard);
    bool empty = hocket__list_empty(&r->jobs);
    if (!empty) {
        hocket__sync_begin(&node, self, &relay_class, r, cancel);
        r->waiting = self;
    }
    (void)hocket__guard_unlock(&r->guard);
    if (empty)
        return 0;
    int err = hocket__wait_park(self, deadline);
    if (err != 0) {
        hocket__guard_lock(&r->guard);
        r->waiting = NULL;
        (void)hocket__guard_unlock(&r->guard);
    }
    hocket__wait_end(self);
    return err;
}

int hocket_map_queues(hocket_executor *executor, hocket_call *call, hocket_queue *input,
                      size_t value_size, hocket_queue *output, hocket_queue *errors,
                      hocket_time deadline)
{
    hocket_task *self = hocket__self_attach();
    struct hocket__pool_runner *lent;
    struct relay r = {
        .call = call,
        .output = output,
        .errors = errors,
        .value_size = value_size,
    };
    hocket__list_init(&r.jobs);
    int err = self != NULL ? hocket__cancel_point(self) : -ENOMEM;
    for (size_t index = 0; err == 0; index++)
        err = relay_one(&r, executor, input, index, deadline);
    if (self == NULL)
        return err;
    int no_place = hocket__pool_lend(self, &lent);
    if (err == 1)
        err = no_place != 0 ? no_place : await_all(&r, self, deadline, true);
    if (err != 0)
        cancel_all(&r);
    (void)await_all(&r, self, HOCKET_FOREVER, false);
    hocket__pool_back(lent);
    return err != 0 ? err : hk_load(&r.failed);
}
