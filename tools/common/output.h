/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_OUTPUT_H
#define TOOLS_OUTPUT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * output - bytes on their way to a descriptor
 *
 * Errors stick: after the first one nothing more is written, and whoever
 * closes sees it.  A write that would wait for a slow reader gives up when
 * the program is interrupted (interrupt.h), so a full pipe never holds up
 * Ctrl-C.
 */
enum { OUTPUT_BUFFER = 16384 };

struct output {
    int fd;
    int error;  /* errno of the first failure, 0 so far */
    bool waits; /* pipe, socket or terminal: ask before each write */
    size_t used;
    char buffer[OUTPUT_BUFFER];
};

void output_open(struct output *o, int fd);
void output_put(struct output *o, const void *bytes, size_t size);
void output_text(struct output *o, const char *text);
void output_printf(struct output *o, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Write what is buffered.  0 or the errno of the first failure. */
int output_flush(struct output *o);

/*
 * Bytes of strangers, safe for a terminal and for a line: control characters
 * (C0, DEL, C1) and what is no UTF-8 become \xNN, everything else stays.
 */
void output_escaped(struct output *o, const char *bytes, size_t size);

/*
 * Flush standard output as the last thing a command does, and turn `status`
 * into the exit status: a reader that went away is nothing to speak of, any
 * other failure is reported and makes it 1.
 */
int output_finish(struct output *o, const char *command, int status);

/*
 * What a command makes, into a file or, without a path, to standard output.  begin: false, and told, if the
 * file cannot be written.  end: as output_finish, and a file is closed.
 */
bool output_begin(struct output *o, const char *command, const char *path);
int output_end(struct output *o, const char *command, const char *path, int status);

#endif
