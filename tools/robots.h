/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_ROBOTS_H
#define TOOLS_ROBOTS_H
#include "common/hosts.h"
#include "common/progress.h"

/*
 * robots - the work of `hocket robots`
 *
 * One file is one job.  A job unpacks and scans with buffers of its own, keeps
 * the hosts it finds in a small set, and adds that to the one set of all when
 * the file is done or the small set is full.  Big files are begun first, so
 * that no worker is left alone with one at the end.
 *
 * Memory: at most 64 MiB for the set of all, the list of files and the
 * program, and 4 MiB for each job, whatever the logs are.
 */
enum { ROBOTS_JOBS_MAX = 512 };

struct robots_options {
    const char *on;
    int jobs; /* files read at a time */
    const char *path;
    enum progress_when progress;
    char **words; /* files, folders, "-"; ends with NULL */
};

struct robots;

/* 0 or an errno value. */
int robots_new(struct robots **ret, const struct robots_options *options);
void robots_free(struct robots *r);

/* Read everything.  The exit status: 0, or 1 if a file was not read to its end. */
int robots_run(struct robots *r);

/* The hosts in order, see hosts_each. */
int robots_each(struct robots *r, hosts_each_fn *fn, void *arg);

/* For Ctrl-C: one line about what was read so far. */
void robots_tell_how_far(struct robots *r);

#endif
