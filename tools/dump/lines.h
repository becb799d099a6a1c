/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_LINES_H
#define TOOLS_LINES_H
#include <stdbool.h>
#include <stddef.h>

#include "common/output.h"

/*
 * lines - the source lines of the calls in a dump
 *
 *     at consume+0x89 (press+0x5308)     becomes     at consume (/home/me/press.c:50)
 *
 * A dump ends with the files that its addresses count in, and their build ids.  A file that is not
 * there any more, is another one by now or has no debug information changes nothing, and so does
 * all text that is no call.  Without libdw (elfutils) nothing is changed.
 */
extern const bool lines_known; /* built with libdw */

/* Any text, with any number of dumps in it. */
void lines_write(struct output *o, const char *text, size_t size);

#endif
