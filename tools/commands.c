/* SPDX-License-Identifier: MIT */
#include "command.h"
#include "common/message.h"
#include "common/output.h"
#include "common/terminal.h"

#include <string.h>

const struct command *const commands[] = { &command_dump, &command_robots, &command_sim,
                                           &command_top,  &command_trace,  &command_help,
                                           NULL };

enum { COMMANDS = sizeof commands / sizeof commands[0] };

const struct command *command_find(const char *name)
{
    for (size_t i = 0; commands[i] != NULL; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

int command_unknown(const char *name)
{
    const char *names[COMMANDS];
    for (size_t i = 0; i < COMMANDS; i++)
        names[i] = commands[i] != NULL ? commands[i]->name : NULL;
    const char *near = options_nearest(name, names);
    if (near != NULL)
        return message_usage(NULL, "unknown command '%s'; did you mean '%s'?", name, near);
    return message_usage(NULL, "unknown command '%s'", name);
}

int commands_help(int fd)
{
    struct output out;
    bool color = terminal_color(fd);
    output_open(&out, fd);
    output_printf(&out, "%sUsage:%s hocket COMMAND [OPTION...] [WORD...]\n\n",
                  color ? "\033[1m" : "", color ? "\033[0m" : "");
    for (size_t i = 0; commands[i] != NULL; i++)
        output_printf(&out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    output_text(&out,
                "\n"
                "  --color auto|always|never   also by NO_COLOR in the environment\n"
                "  --version                   version and what was built in\n"
                "  --help                      this text; 'hocket COMMAND --help' for one of them\n"
                "\n"
                "Exit status: 0 done, 1 part of it failed, 2 wrong usage.\n");
    return output_finish(&out, NULL, 0);
}
