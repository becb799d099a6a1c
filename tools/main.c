/* SPDX-License-Identifier: MIT */
/*
 * hocket: the programs on top of the library.  `hocket COMMAND ...` runs the
 * command of that name from the table in commands.c; the frame around it sees
 * to what is the same for all of them.
 */
#include "command.h"
#include "common/inflate.h"
#include "common/interrupt.h"
#include "common/message.h"
#include "common/output.h"
#include "common/terminal.h"

#include <hocket/base.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * A program started without descriptor 0, 1 or 2 must not get a log file
 * there.  The stand-ins cannot be read; what is written to them is gone, as
 * whoever closed them wanted.
 */
static void standard_descriptors(void)
{
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_WRONLY) != fd)
            _Exit(1);
}

static int version(void)
{
    struct output out;
    output_open(&out, STDOUT_FILENO);
    output_printf(&out, "hocket %s\ngzip by %s\n", hocket_version(), inflate_names());
    return output_finish(&out, NULL, 0);
}

int main(int argc, char **argv)
{
    standard_descriptors();
    /* A reader that went away is an error of write(2), not the end of the process. */
    signal(SIGPIPE, SIG_IGN);

    /* What stands before the command's name. */
    char **words = argc > 0 ? argv + 1 : argv;
    for (; *words != NULL && (*words)[0] == '-'; words++) {
        const char *word = *words, *when = NULL;
        if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
            return commands_help(STDOUT_FILENO);
        if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
            return version();
        if (strcmp(word, "--") == 0) {
            words++;
            break;
        }
        if (strncmp(word, "--color=", 8) == 0)
            when = word + 8;
        else if (strcmp(word, "--color") == 0 && words[1] != NULL)
            when = *++words;
        else
            return message_usage(NULL, "unknown option '%s'", word);
        if (!terminal_set_color(when))
            return message_usage(NULL, "--color is auto, always or never, not '%s'", when);
    }
    if (*words == NULL) {
        commands_help(STDERR_FILENO);
        return 2;
    }
    const struct command *command = command_find(*words);
    if (command == NULL)
        return command_unknown(*words);
    int status = command->run(command, words + 1);
    interrupt_raise();
    return status;
}
