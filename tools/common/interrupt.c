/* SPDX-License-Identifier: MIT */
#include "common/interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>

static const int watched[] = { SIGINT, SIGTERM };
enum { WATCHED = sizeof watched / sizeof watched[0] };

/*
 * Written by the handler, on whichever thread the signal came to, and read by
 * all.  Relaxed: nothing else is published with it.
 */
static int noted;
static struct sigaction before[WATCHED];

static void note(int number)
{
    __atomic_store_n(&noted, number, __ATOMIC_RELAXED);
    for (int i = 0; i < WATCHED; i++)
        if (watched[i] == number && before[i].sa_handler != SIG_DFL &&
            before[i].sa_handler != SIG_IGN)
            before[i].sa_handler(number);
}

void interrupt_watch(void)
{
    for (int i = 0; i < WATCHED; i++) {
        sigaction(watched[i], NULL, &before[i]);
        struct sigaction now = { .sa_handler = note, .sa_flags = before[i].sa_flags & SA_RESTART };
        sigemptyset(&now.sa_mask);
        if (before[i].sa_handler != SIG_IGN)
            sigaction(watched[i], &now, NULL);
    }
}

bool interrupt_pending(void)
{
    return __atomic_load_n(&noted, __ATOMIC_RELAXED) != 0;
}

void interrupt_raise(void)
{
    int number = __atomic_load_n(&noted, __ATOMIC_RELAXED);
    if (number == 0)
        return;
    struct sigaction now = { .sa_handler = SIG_DFL };
    sigset_t set;
    sigemptyset(&now.sa_mask);
    sigaction(number, &now, NULL);
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
    _Exit(128 + number);
}
