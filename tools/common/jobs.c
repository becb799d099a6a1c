/* SPDX-License-Identifier: MIT */
#include "common/jobs.h"
#include "common/interrupt.h"
#include "common/message.h"

#include <hocket/executor.h>
#include <hocket/map.h>
#include <hocket/runtime.h>

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
    int n = hocket_workers();
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
    hocket_executor_options options = { .size = sizeof options, .workers = jobs->workers };
    if (strcmp(jobs->on, "threads") == 0)
        options.stack_size = 256 << 10; /* no need for the system's 8 MiB */
    int err = hocket_executor_new(&executor, jobs->on, &options);
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
    bool ran;
};

static int root_main(void *arg)
{
    struct root *root = arg;
    root->ran = true;
    interrupt_watch();
    return root->main(root->arg);
}

int jobs_main(const char *command, const char *on, int workers, int (*main)(void *arg), void *arg)
{
    struct root root = { main, arg, false };
    /* Pieces compute for long, which is no reason to report them or to lend them threads. */
    hocket_runtime_options options = { .size = sizeof options, .watchdog = HOCKET_FOREVER };
    /* As many as pieces can run on; what the environment says goes first. */
    if (getenv("HOCKET_WORKERS") == NULL && strcmp(on, "inline") == 0)
        options.workers = HOCKET_NO_WORKERS;
    else if (getenv("HOCKET_WORKERS") == NULL && workers > 0)
        options.workers = strcmp(on, "threads") == 0 ? 1 : workers;
    int status = hocket_run_with(root_main, &root, &options);
    if (root.ran)
        return status;
    message(command, NULL, "no runtime: %s", status < 0 ? strerror(-status) : "no memory");
    return 1;
}

void jobs_blocking_begin(void)
{
    hocket_blocking_begin();
}

void jobs_blocking_end(void)
{
    hocket_blocking_end();
}
