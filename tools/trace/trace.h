/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_TRACE_TRACE_H
#define TOOLS_TRACE_TRACE_H
#include "command.h"

/*
 * trace - `hocket trace WHAT ...`: one file an action, each a command of its own
 *
 * An action's name is "trace WHAT", so that help and complaints say what was called.
 */
extern const struct command command_trace_json;
extern const struct command command_trace_view;

/* All of them; ends with NULL. */
extern const struct command *const trace_actions[];

#endif
