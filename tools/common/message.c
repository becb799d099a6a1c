/* SPDX-License-Identifier: MIT */
#include "common/message.h"
#include "common/output.h"
#include "common/terminal.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * Guards the three below.  Held while writing to standard error, never while
 * a task waits in the library, so a plain mutex is right also on fibers.
 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct output out;
static char status[512];

static void start(void)
{
    pthread_mutex_lock(&lock);
    output_open(&out, STDERR_FILENO);
    out.waits = false; /* what is said after Ctrl-C is said too */
}

static void finish(void)
{
    output_flush(&out);
    pthread_mutex_unlock(&lock);
}

static void status_clear(void)
{
    if (status[0] != '\0')
        output_text(&out, "\r\033[K");
}

static void line_put(const char *command, const char *subject, const char *format, va_list list)
{
    char cause[1024];
    vsnprintf(cause, sizeof cause, format, list);
    output_text(&out, "hocket: ");
    if (command != NULL)
        output_printf(&out, "%s: ", command);
    if (subject != NULL) {
        bool color = terminal_color(STDERR_FILENO);
        output_text(&out, color ? "\033[1m" : "");
        output_escaped(&out, subject, strlen(subject));
        output_text(&out, color ? "\033[0m: " : ": ");
    }
    output_escaped(&out, cause, strlen(cause));
    output_text(&out, "\n");
}

void message(const char *command, const char *subject, const char *format, ...)
{
    va_list list;
    start();
    status_clear();
    va_start(list, format);
    line_put(command, subject, format, list);
    va_end(list);
    output_text(&out, status);
    finish();
}

int message_usage(const char *command, const char *format, ...)
{
    va_list list;
    start();
    va_start(list, format);
    line_put(command, NULL, format, list);
    va_end(list);
    output_printf(&out, "Try 'hocket %s%s--help'.\n", command != NULL ? command : "",
                  command != NULL ? " " : "");
    finish();
    return 2;
}

void message_status(const char *line)
{
    if (pthread_mutex_trylock(&lock) != 0)
        return;
    output_open(&out, STDERR_FILENO);
    out.waits = false;
    status_clear();
    snprintf(status, sizeof status, "%s", line);
    output_text(&out, status);
    finish();
}
