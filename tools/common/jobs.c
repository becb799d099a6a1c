/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "common/jobs.h"
#include "common/interrupt.h"
#include "common/message.h"

#include <hocket/executor.h>
#include <hocket/runtime.h>

#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* What an executor gets as a job's input: pointers, for all of them share our memory. */
struct job {
    const struct jobs *jobs;
    void *piece;
};

struct feed {
    const struct jobs *jobs;
    struct job last;
};

bool jobs_on_known(const char *on)
{
    static const char *const names[] = { "inline", "threads", "fibers" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(on, names[i]) == 0)
            return true;
    return false;
}

int jobs_workers_default(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return n > 0 ? n : 1;
}

static int job_call(const void *input, size_t size, hocket_buffer *output)
{
    const struct job *job = input;
    (void)size;
    (void)output;
    job->jobs->run(job->jobs->arg, job->piece);
    return 0;
}

static int job_next(void *context, const void **ret_input, size_t *ret_size)
{
    struct feed *feed = context;
    void *piece = interrupt_pending() ? NULL : feed->jobs->next(feed->jobs->arg);
    if (piece == NULL)
        return 0;
    feed->last = (struct job){ feed->jobs, piece };
    *ret_input = &feed->last;
    *ret_size = sizeof feed->last;
    return 1;
}

static int job_take(void *context, const hocket_map_result *result)
{
    const struct job *job = result->input;
    (void)context;
    if (result->result == 0)
        job->jobs->done(job->jobs->arg, job->piece);
    return result->result;
}

int jobs_run(const struct jobs *jobs)
{
    hocket_executor *executor;
    struct feed feed = { .jobs = jobs };
    int err = hocket_executor_new(&executor, jobs->on,
                                  HOCKET_EXECUTOR_OPTIONS(.workers = jobs->workers));
    if (err != 0)
        return err;
    err = hocket_map(executor, job_call, job_next, job_take, &feed,
                     HOCKET_MAP_OPTIONS(.as_completed = true), HOCKET_FOREVER);
    hocket_executor_free(executor);
    return err;
}

struct root {
    int (*main)(void *arg);
    void *arg;
};

static int root_main(void *arg)
{
    struct root *root = arg;
    interrupt_watch();
    return root->main(root->arg);
}

int jobs_main(const char *command, const char *on, int workers, int (*main)(void *arg), void *arg)
{
    struct root root = { main, arg };
    /* Pieces compute for long, which is no reason to report them or to lend them threads. */
    hocket_runtime_options options = { .size = sizeof options, .watchdog = HOCKET_FOREVER };
    /* No more workers than pieces can run on; what the user says in the environment goes first. */
    if (getenv("HOCKET_WORKERS") == NULL) {
        if (strcmp(on, "inline") == 0)
            options.workers = HOCKET_NO_WORKERS;
        else if (strcmp(on, "threads") == 0)
            options.workers = 1;
        else if (workers < jobs_workers_default())
            options.workers = workers;
    }
    int status = hocket_run_with(root_main, &root, &options);
    if (status < 0) {
        message(command, NULL, "no runtime: %s", strerror(-status));
        return 1;
    }
    return status;
}

void jobs_blocking_begin(void)
{
    hocket_blocking_begin();
}

void jobs_blocking_end(void)
{
    hocket_blocking_end();
}
