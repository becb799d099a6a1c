/* SPDX-License-Identifier: MIT */
#include "common/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static enum { AUTO, ALWAYS, NEVER } color = AUTO;

bool terminal_set_color(const char *when)
{
    static const char *const names[] = { "auto", "always", "never" };
    for (int i = 0; i < 3; i++) {
        if (strcmp(when, names[i]) == 0) {
            color = i;
            return true;
        }
    }
    return false;
}

bool terminal_color(int fd)
{
    if (color != AUTO)
        return color == ALWAYS;
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(fd) && (no == NULL || *no == '\0') && (term == NULL || strcmp(term, "dumb") != 0);
}

int terminal_width(int fd)
{
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}
