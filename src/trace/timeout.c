/* SPDX-License-Identifier: MIT */
/*
 * timeout - a test that hangs says where, and ends
 *
 * The kernel's timer sends a signal of its own, the last but one of the real-time signals, whose
 * handler writes the dump where it stands and aborts.  Nothing else has to run for that, so it
 * works when all threads of the program are stuck, as long as one of them lets the signal
 * through.
 */
#include <hocket/dump.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "sys/alarm.h"
#include "task/signals.h"
#include "trace/dump.h"
#include "trace/timeout.h"

#define SIGNAL (SIGRTMAX - 1)

static hocket__guard guard; /* the timer */

void hocket__timeout_handler(int signal, siginfo_t *info, void *context)
{
    static const char line[] = "hocket: the time of the test is over\n";
    (void)signal, (void)info;
    if (write(STDERR_FILENO, line, sizeof line - 1) >= 0)
        (void)hocket__dump_to(STDERR_FILENO, context);
    abort();
}

int hocket_test_timeout(hocket_time timeout)
{
    struct sigaction action = { .sa_sigaction = hocket__timeout_handler,
                                .sa_flags = SA_SIGINFO | SA_ONSTACK };
    if (timeout < 0)
        return -EINVAL;
    (void)sigemptyset(&action.sa_mask);
    hocket__guard_lock(&guard);
    int err = timeout > 0 && sigaction(SIGNAL, &action, NULL) != 0 ? -EINVAL : 0;
    if (err == 0)
        err = hocket__alarm_set(SIGNAL, timeout == HOCKET_FOREVER ? 0 : timeout);
    (void)hocket__guard_unlock(&guard);
    return err;
}

/* "30", "30s", "500ms", "2m"; 0 if it is none of these. */
static hocket_time parse(const char *text)
{
    char *unit;
    errno = 0;
    long n = strtol(text, &unit, 10);
    if (errno != 0 || unit == text || n <= 0 || n > 1000000)
        return 0;
    if (strcmp(unit, "ms") == 0)
        return n * HOCKET_MS;
    if (strcmp(unit, "m") == 0)
        return n * 60 * HOCKET_SEC;
    return *unit == '\0' || strcmp(unit, "s") == 0 ? n * HOCKET_SEC : 0;
}

void hocket__timeout_by_env(void)
{
    static _Atomic bool done;
    const char *text = hocket__env("HOCKET_TEST_TIMEOUT");
    if (text == NULL || hk_xchg(&done, true))
        return;
    static const char wrong[] = "hocket: HOCKET_TEST_TIMEOUT is a time such as 30s: ignored\n";
    static const char none[] = "hocket: HOCKET_TEST_TIMEOUT: no timer can be had: ignored\n";
    hocket_time timeout = parse(text);
    if (timeout == 0 && write(STDERR_FILENO, wrong, sizeof wrong - 1) < 0)
        return; /* nobody to tell */
    if (timeout > 0 && hocket_test_timeout(timeout) != 0 &&
        write(STDERR_FILENO, none, sizeof none - 1) < 0)
        return;
}
