/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_MESSAGE_H
#define TOOLS_MESSAGE_H
#include <stddef.h>

/*
 * message - lines on standard error, and a status line below them
 *
 *     hocket: robots: old.log.gz: truncated
 *
 * Everything the program says on standard error passes here, so that lines
 * from several tasks never mix and the status line (a progress bar) is out of
 * the way while one is written.  `subject` may be any bytes a file name has:
 * what a terminal would obey is written as \xNN.
 */

/* `command` (or NULL), `subject` (or NULL), then the cause. */
void message(const char *command, const char *subject, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* For wrong usage: the message, then where help is to be had.  Returns the exit status, 2. */
int message_usage(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Show `line` in place of the last one; "" takes it away.  Skipped while a message is written. */
void message_status(const char *line);

#endif
