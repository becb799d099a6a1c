/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_VIEW_PACK_H
#define TOOLS_VIEW_PACK_H
#include "trace/reader.h"
#include "view/columns.h"

/*
 * pack - a trace as the page has it: columns of numbers, see page/data.js
 *
 * What the page draws are changes of state, in order of time: a task becomes ready, runs, waits,
 * is gone.  Names of tasks, objects, kinds and places are numbered and stored once.
 */

/* Appends to `to`.  False: no memory. */
bool view_pack(const struct trace *t, struct columns *to);

#endif
