/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_WALK_H
#define TOOLS_WALK_H
#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * walk - the log files that a command line stands for, one after the other
 *
 * A word that names a folder stands for the regular files below it called
 * *.log, *.log.N, access_log* or *.gz; any other word stands for itself,
 * whatever it is ("-" is standard input).  Below a folder symbolic links are
 * not followed, so that a file counts once and no link leads round in circles;
 * a link on the command line is.  The order is the folder's own.
 *
 * Takes the memory of one path and of the folders open at the moment, however
 * many files there are.
 */
enum { WALK_DEPTH = 128, WALK_PATH = 4096 };

struct walk {
    char **words;               /* what is left of the command line */
    DIR *folders[WALK_DEPTH];   /* open, outermost first */
    size_t lengths[WALK_DEPTH]; /* of `path` up to and with that folder's '/' */
    size_t depth;
    char path[WALK_PATH]; /* of the last file found */
    void (*failed)(void *arg, const char *path, int error);
    void *arg;
};

struct walk_file {
    const char *path; /* valid until the next call */
    uint64_t size;    /* 0 if that is not known */
};

/* `failed` is told of folders that cannot be read; `words` ends with NULL. */
void walk_start(struct walk *w, char **words,
                void (*failed)(void *arg, const char *path, int error), void *arg);

/* False when there are no more, and when the program is interrupted. */
bool walk_next(struct walk *w, struct walk_file *ret);

/* Also in the middle. */
void walk_end(struct walk *w);

/* Is this the name of a log? */
bool walk_is_log(const char *name);

#endif
