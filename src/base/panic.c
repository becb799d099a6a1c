/* SPDX-License-Identifier: MIT */
/*
 * panic - the end of a program that misuses the library
 *
 * `who` is stored once, by whichever thread makes the first task record, and
 * always with the same value; relaxed order is enough, because a thread that panics as a task has
 * stored or seen it before it became one, and any other panics well without.
 */
#include "base/panic.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/atomic.h"

static _Atomic(hocket__panic_who_fn *) panic_who;

void hocket__panic_set_who(hocket__panic_who_fn *who)
{
    hk_store(&panic_who, who);
}

static void (*_Atomic last_act)(void);

void hocket__at_death(void (*fn)(void))
{
    hk_store_rel(&last_act, fn); /* pairs with hocket__dying */
}

void hocket__dying(void)
{
    void (*fn)(void) = hk_xchg(&last_act, NULL);
    if (fn != NULL)
        fn();
}

/* One write would do for a pipe or a terminal; a full disk or a signal may cut it short. */
static void write_all(const char *text, size_t length)
{
    while (length > 0) {
        ssize_t n = write(STDERR_FILENO, text, length);
        if (n <= 0)
            return; /* nobody is left to tell; EINTR before the first byte is not worth a loop */
        text += n;
        length -= (size_t)n;
    }
}

void hocket__panic(const char *format, ...)
{
    /* Room for the longest message of ours with a task name; longer ones are cut, never lost. */
    char line[512] = "hocket: panic: ";
    const size_t room = sizeof line - 80;
    size_t length = strlen(line);
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(line + length, room - length, format, arguments);
    va_end(arguments);
    if (n > 0)
        length += (size_t)n < room - length ? (size_t)n : room - length - 1;

    char task[72];
    hocket__panic_who_fn *who = hk_load(&panic_who);
    if (who != NULL && who(task, sizeof task))
        n = snprintf(line + length, sizeof line - length, " (%s)\n", task);
    else
        n = snprintf(line + length, sizeof line - length, "\n");
    if (n > 0)
        length += (size_t)n;
    write_all(line, length);
    hocket__dying();
    abort();
}
