/* SPDX-License-Identifier: MIT */
#include "command.h"
#include "common/message.h"

#include <unistd.h>

static int help_run(const struct command *self, char **argv)
{
    struct options o;
    const char *topic = NULL;
    options_start(&o, self, argv);
    for (int id; (id = options_next(&o)) != OPTION_END;) {
        if (id != OPTION_WORD)
            return o.status;
        if (topic != NULL)
            return message_usage(self->name, "one command at a time");
        topic = o.value;
    }
    if (topic == NULL)
        return commands_help(STDOUT_FILENO);
    const struct command *command = command_find(topic);
    return command != NULL ? options_help(command) : command_unknown(topic);
}

const struct command command_help = {
    .name = "help",
    .synopsis = "[COMMAND]",
    .summary = "list the commands, or say what one does",
    .run = help_run,
};
