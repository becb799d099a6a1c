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

#include "base/panic.h"
#include "sched/sched.h"
#include "task/task.h"

static const int signals[2] = { SIGINT, SIGTERM };
static struct sigaction old[2];
static _Atomic int received;
static _Atomic bool pending, installed;

void hocket__signals_handler(int signal)
{
    (void)signal;
    int saved = errno;
    if (hk_add(&received, 1) > 0) {
        hocket__dying();
        _exit(130);
    }
    hocket__cancel_scope_mark(&hocket__root_scope.cancel);
    hk_store_rel(&pending, true); /* pairs with signals_pending */
    hocket__sched_interrupt();
    errno = saved;
}

int hocket__signals_install(void)
{
    struct sigaction action = { .sa_handler = hocket__signals_handler, .sa_flags = SA_RESTART };
    (void)sigemptyset(&action.sa_mask);
    hk_store(&received, 0);
    hk_store(&pending, false);
    hk_store(&installed, true);
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

static sigset_t outside;

void hocket__signals_remember(void)
{
    (void)pthread_sigmask(SIG_SETMASK, NULL, &outside);
}

/* Is this the mask of a thread of ours?  Users block some signals, but hardly these and not SEGV. */
static bool is_ours(const sigset_t *mask)
{
    static const int blocked[] = { SIGINT,  SIGTERM, SIGHUP,  SIGQUIT,
                                   SIGCHLD, SIGPIPE, SIGUSR1, SIGWINCH };
    for (size_t i = 0; i < sizeof blocked / sizeof *blocked; i++)
        if (sigismember(mask, blocked[i]) != 1)
            return false;
    return sigismember(mask, SIGSEGV) == 0;
}

void hocket__signals_in_child(void)
{
    sigset_t now;
    if (pthread_sigmask(SIG_SETMASK, NULL, &now) == 0 && is_ours(&now))
        (void)pthread_sigmask(SIG_SETMASK, &outside, NULL);
}

bool hocket__signals_on(void)
{
    return hk_load(&installed);
}

void hocket__signals_restore(void)
{
    hk_store(&installed, false);
    for (int i = 0; i < 2; i++)
        (void)sigaction(signals[i], &old[i], NULL);
}

void hocket__signals_pending(void)
{
    if (hk_xchg(&pending, false))
        hocket__cancel_scope(&hocket__root_scope.cancel);
}
