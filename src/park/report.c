/* SPDX-License-Identifier: MIT */
#include "park/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void (*hocket__report_hook)(const char *line);

void hocket__report(const char *format, ...)
{
    char line[512] = "hocket: report: ";
    const size_t room = sizeof line - 2; /* for the end of the line */
    size_t length = strlen(line);
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(line + length, room - length, format, arguments);
    va_end(arguments);
    if (n > 0)
        length += (size_t)n < room - length ? (size_t)n : room - length - 1;
    line[length++] = '\n';
    line[length] = '\0';
    if (hocket__report_hook) {
        hocket__report_hook(line);
        return;
    }
    /* Nobody to tell when this fails. */
    if (write(STDERR_FILENO, line, length) < 0)
        return;
}
