/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_COMMAND_H
#define TOOLS_COMMAND_H
#include "common/options.h"

/*
 * command - the words after `hocket`
 *
 * One file a command (cmd_NAME.c), one table of them all (commands.c).  What a
 * command says of itself here is its --help; `run` gets the words after its
 * name, up to a NULL, and returns the exit status: 0 done, 1 part of it
 * failed, 2 wrong usage.
 */
struct command {
    const char *name;
    const char *synopsis;         /* after "hocket NAME " */
    const char *summary;          /* one line, no full stop */
    const char *about;            /* paragraphs for --help, ends with '\n', or NULL */
    const struct option *options; /* ends with an id of 0, or NULL */
    int (*run)(const struct command *self, char **argv);
};

extern const struct command command_dump;
extern const struct command command_help;
extern const struct command command_robots;
extern const struct command command_sim;
extern const struct command command_top;
extern const struct command command_trace;

/* All of them in the order of `hocket help`; ends with NULL. */
extern const struct command *const commands[];

const struct command *command_find(const char *name);

/* Complain about a name that is none, with the nearest one that is.  The exit status. */
int command_unknown(const char *name);

/* `hocket help`: all commands, to `fd`. */
int commands_help(int fd);

#endif
