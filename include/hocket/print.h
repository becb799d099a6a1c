/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_PRINT_H
#define HOCKET_PRINT_H
#include <hocket/base.h>
#include <stdio.h>

HOCKET_BEGIN_DECLS

/*
 * print - formatted output in whole lines
 *
 * As fprintf, but what one call writes is never mixed with what other tasks
 * write with hocket_print to the same stream.  The text is formatted first and
 * written under a lock of the library, so no stdio lock is held while a task
 * waits.  Not a cancel point.
 *
 *     hocket_print(stdout, "%s done\n", hocket_task_name(hocket_self(), name, sizeof name));
 *
 * Returns the number of bytes, or a negative errno value (-ENOMEM, or what the write gave).
 */
HOCKET_API int hocket_print(FILE *stream, const char *format, ...) HOCKET_PRINTF(2, 3);

HOCKET_END_DECLS
#endif
