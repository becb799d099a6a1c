/* SPDX-License-Identifier: MIT */
/*
 * signals - see task/signals.h
 *
 * The handler marks the root scope cancelled and advances the epoch, so a computing
 * task sees it at its next check at once, and interrupts a worker, which wakes what
 * waits.  It allocates nothing, locks nothing and keeps errno.
 */
#include "task/signals.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "sched/sched.h"
#include "task/task.h"

static const int signals[2] = {SIGINT, SIGTERM};
static struct sigaction old[2];
static _Atomic int received;
static _Atomic bool pending;

static void handler(int signal)
{
    (void)signal;
    int saved = errno;
    if (hk_add(&received, 1) > 0)
        _exit(130);
    hocket__cancel_scope_mark(&hocket__root_scope.cancel);
    hk_store_rel(&pending, true); /* pairs with signals_pending */
    hocket__sched_interrupt();
    errno = saved;
}

int hocket__signals_install(void)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    (void)sigemptyset(&action.sa_mask);
    hk_store(&received, 0);
    hk_store(&pending, false);
    for (int i = 0; i < 2; i++) {
        if (sigaction(signals[i], NULL, &old[i]) != 0)
            return -errno;
        /* Ignored by the parent (nohup, a background job of a shell script): stay so. */
        if (old[i].sa_handler == SIG_IGN)
            continue;
        if (sigaction(signals[i], &action, NULL) != 0)
            return -errno;
    }
    return 0;
}

void hocket__signals_restore(void)
{
    for (int i = 0; i < 2; i++)
        (void)sigaction(signals[i], &old[i], NULL);
}

void hocket__signals_pending(void)
{
    if (hk_xchg(&pending, false))
        hocket__cancel_scope(&hocket__root_scope.cancel);
}
