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
 * When the program is interrupted no more pieces are asked for and those that
 * run are waited for (they ask interrupt_pending() themselves), but there is no
 * done for them.
 */
struct jobs {
    const char *on; /* "inline", "threads" or "fibers" */
    int workers;    /* pieces that run at a time */
    void *(*next)(void *arg);
    void (*run)(void *arg, void *piece);
    void (*done)(void *arg, void *piece);
    void *arg;
};

/* Is there an executor of this name? */
bool jobs_on_known(const char *on);

/* 0, or a negative errno value when the executor could not be made or failed. */
int jobs_run(const struct jobs *jobs);

/*
 * Run a command inside a runtime that suits `workers` pieces `on` that executor (0: as many as there
 * are CPUs to use); what `main` returns is returned, or 1 after a message.  Ctrl-C is watched from
 * here on (interrupt.h).
 */
int jobs_main(const char *command, const char *on, int workers, int (*main)(void *arg), void *arg);

/* In there: what 0 workers stands for. */
int jobs_workers_default(void);

/*
 * Around a system call that may wait for somebody outside for long: other pieces go on meanwhile.
 * Nothing of the library may be called between the two.
 */
void jobs_blocking_begin(void);
void jobs_blocking_end(void);

#endif
