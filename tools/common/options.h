/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_OPTIONS_H
#define TOOLS_OPTIONS_H
#include <stdbool.h>
#include <stddef.h>

/*
 * options - command lines, and the help that comes from the same table
 *
 * -x, -x VALUE, -xVALUE, -xyz, --name, --name VALUE, --name=VALUE; options and
 * words in any order; "--" ends the options; "-" is a word.  --help and --color
 * are everybody's and done here.
 *
 *     struct options o;
 *     options_start(&o, command, argv);
 *     for (int id; (id = options_next(&o)) != OPTION_END;) {
 *         switch (id) {
 *         case OPTION_WORD: paths[n++] = o.value; break;
 *         case OPTION_JOBS: ... o.value ...; break;
 *         default: return o.status;       // help was asked for, or wrong usage
 *         }
 *     }
 */
struct option {
    int id;            /* > 0: what options_next returns */
    char letter;       /* or '\0' */
    const char *name;  /* without the dashes */
    const char *value; /* what its value is called in the help; NULL: takes none */
    const char *help;  /* one line, or several with '\n' between */
};

struct command; /* command.h */

enum {
    OPTION_END = 0,   /* nothing left */
    OPTION_WORD = -1, /* no option but a word: .value */
    OPTION_EXIT = -2, /* the command ends with .status: help or a complaint was written */
};

struct options {
    const struct command *command;
    char **words;        /* what is left, up to a NULL */
    const char *cluster; /* rest of -xyz, or NULL */
    bool no_more;        /* "--" was there */
    const char *value;
    int status;
};

/* `argv` is what follows the command's name and ends with NULL. */
void options_start(struct options *o, const struct command *command, char **argv);
int options_next(struct options *o);

/* Write the help of `command` to standard output; the exit status. */
int options_help(const struct command *command);

/*
 * The name out of `names` (ends with NULL) that a slip of the finger made
 * `typed` of, or NULL when none is near.
 */
const char *options_nearest(const char *typed, const char *const *names);

#endif
