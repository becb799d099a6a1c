/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_JOBS_H
#define TOOLS_JOBS_H
#include <stdbool.h>

/*
 * jobs - many like pieces of work, on an executor chosen by name
 *
 * The only place that knows the library's executors: commands say what there
 * is to do, one piece how, and what becomes of the result.
 *
 *   next   the next piece, or NULL when there are no more; asked as late as possible,
 *          so that the pieces need not all exist at once
 *   run    do it: on a worker, several at a time
 *   done   a piece has run; in the order in which they end
 *
 * next and done are called by the task that called jobs_run, one at a time.
 * When the program is interrupted no more pieces are asked for; those that
 * have begun are waited for (they ask interrupt_pending() themselves) and each
 * gets its done.
 */
struct jobs {
    const char *on; /* "inline", "threads" or "fibers" */
    int workers;    /* at a time; 0: as many as there are usable CPUs */
    void *(*next)(void *arg);
    void (*run)(void *arg, void *piece);
    void (*done)(void *arg, void *piece);
    void *arg;
};

/* Is there an executor of this name? */
bool jobs_on_known(const char *on);

/* What 0 workers stands for. */
int jobs_workers_default(void);

/* 0, or an errno value when the executor could not be made or failed. */
int jobs_run(const struct jobs *jobs);

/*
 * Run a command inside the runtime: what `main` returns is returned.  Ctrl-C is
 * watched from here on (interrupt.h).
 */
int jobs_main(int workers, int (*main)(void *arg), void *arg);

/* Around a call that may wait for somebody outside for long (a pipe). */
void jobs_blocking_begin(void);
void jobs_blocking_end(void);

#endif
