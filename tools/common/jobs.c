/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "common/jobs.h"
#include "common/interrupt.h"

#include <sched.h>
#include <stddef.h>
#include <string.h>

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

int jobs_run(const struct jobs *jobs)
{
    for (void *piece; !interrupt_pending() && (piece = jobs->next(jobs->arg)) != NULL;) {
        jobs->run(jobs->arg, piece);
        jobs->done(jobs->arg, piece);
    }
    return 0;
}

int jobs_main(int workers, int (*main)(void *arg), void *arg)
{
    (void)workers;
    interrupt_watch();
    return main(arg);
}

void jobs_blocking_begin(void)
{
}

void jobs_blocking_end(void)
{
}
