/* SPDX-License-Identifier: MIT */
/*
 * hocket trace: what a timeline shows.  The word after it says in which form.
 */
#include "command.h"
#include "common/message.h"
#include "trace/trace.h"

#include <string.h>

const struct command *const trace_actions[] = { &command_trace_json, &command_trace_view, NULL };

enum { ACTIONS = sizeof trace_actions / sizeof trace_actions[0] };

static const char *what(const struct command *action)
{
    return action->name + strlen("trace ");
}

static int unknown(const struct command *self, const char *word)
{
    const char *names[ACTIONS];
    for (size_t i = 0; i < ACTIONS; i++)
        names[i] = trace_actions[i] != NULL ? what(trace_actions[i]) : NULL;
    const char *near = options_nearest(word, names);
    if (near != NULL)
        return message_usage(self->name, "unknown action '%s'; did you mean '%s'?", word, near);
    return message_usage(self->name, "unknown action '%s'", word);
}

static int trace_run(const struct command *self, char **argv)
{
    if (argv[0] != NULL && argv[0][0] != '-') {
        for (size_t i = 0; trace_actions[i] != NULL; i++)
            if (strcmp(what(trace_actions[i]), argv[0]) == 0)
                return trace_actions[i]->run(trace_actions[i], argv + 1);
        return unknown(self, argv[0]);
    }
    struct options o;
    options_start(&o, self, argv);
    int id = options_next(&o);
    if (id == OPTION_EXIT)
        return o.status;
    return message_usage(self->name, "what shall it be made into?");
}

const struct command command_trace = {
    .name = "trace",
    .synopsis = "ACTION FILE [OPTION...]",
    .summary = "what a program did and waited for, from HOCKET_TRACE=FILE",
    .about = "A program that was started with HOCKET_TRACE=FILE in its environment, or calls\n"
             "hocket_trace_start, writes a timeline. Actions:\n"
             "\n"
             "  json FILE   for ui.perfetto.dev and chrome://tracing\n"
             "  view FILE   as one HTML page that needs nothing else\n"
             "\n"
             "'hocket trace ACTION --help' for one of them.\n",
    .run = trace_run,
};
