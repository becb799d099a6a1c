/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SIM_SESSION_H
#define HOCKET_SIM_SESSION_H

/*
 * session - the process that starts the runs: what its files share
 *
 *   run.c      seeds, one child each, and what came of them
 *   search.c   which schedule is next in the exhaustive search
 *   shrink.c   a shorter schedule that fails, too
 *   report.c   what happened, for people
 *   file.c     choices in a file
 */
#include "sim/shared.h"
#include "sys/child.h"

struct sim_session {
    struct sim_shared *shared;
    hocket_sim_options options; /* with the defaults filled in */
    hocket_task_fn *fn;
    void *arg;
    int output;          /* what the runs write, or -1 */
    int64_t output_from; /* where the last run's begins */
    hocket_sim_result result;
    struct sim_choice *choices; /* of the failing run, as far as it was shortened */
    uint32_t choice_count;
    char *const *argv; /* a program instead of fn */
    int shared_fd;     /* the file behind `shared`, for a program */
    int sweep;         /* enum hocket_sim_event, 0: none */
    bool differs;      /* the failing schedule does not fail when it is repeated */
};

/* run.c: one run by the plan in shared memory.  0, or -errno: there was none. */
int hocket__sim_once(struct sim_session *x);

/* run.c, also for a world that the environment asks for.  0, -EINVAL, -ENAMETOOLONG. */
int hocket__sim_options_env(hocket_sim_options *o);
void hocket__sim_options_defaults(hocket_sim_options *o);
int hocket__sim_plan_fill(struct sim_plan *plan, const hocket_sim_options *o);

/*
 * shrink.c: make x->choices, those of the failing run, as short as possible.  False: they do not make it
 * fail again.  Shared memory has the last run of the shortest list.
 */
bool hocket__sim_shrink(struct sim_session *x);

/* report.c */
void hocket__sim_report(struct sim_session *x);

/* file.c: 0, -EINVAL (told on standard error unless quiet), -errno. */
int hocket__sim_save(const char *path, const struct sim_plan *plan,
                     const struct sim_choice *choices, uint32_t count);
int hocket__sim_load(const char *path, struct sim_plan *plan, struct sim_choice *choices,
                     uint32_t *ret_count, char *why, size_t size);

#endif
