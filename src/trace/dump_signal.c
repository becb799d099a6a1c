/* SPDX-License-Identifier: MIT */
/*
 * dump_signal - a signal that makes a dump
 *
 * The handler only notes what is wanted and interrupts a worker, which makes the dump between two
 * tasks.  Where all workers are busy the monitor does at its next tick but one.  Without threads
 * of the runtime nobody else would, so the handler makes it itself: all of the dump is
 * signal-safe but that it may find a guard taken, and then leaves out what that protects.
 *
 * A request of `hocket dump` names a file by its process and descriptor.  Only one's own user is
 * heard, and nobody by a program that has more rights than its caller: it would write where the
 * caller could not.
 *
 * Shells start what is in the background of a script with SIGQUIT ignored; it stays so, but
 * `hocket dump` is heard.
 *
 * `wanted` and `asked` are exchanged by the handler and whoever serves; each request is served
 * once.
 */
#include <hocket/dump.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "sched/worker.h"
#include "sys/mark.h"
#include "task/signals.h"
#include "trace/dump.h"
#include "trace/dump_signal.h"

#define AGAIN_WITHIN (2 * HOCKET_SEC)

static _Atomic bool wanted;        /* to standard error */
static _Atomic uint64_t asked;     /* pid << 32 | descriptor + 1; 0: nobody asks */
static _Atomic hocket_time last;   /* when somebody pressed the key */
static _Atomic bool ignores;       /* it was ignored: only `hocket dump` is heard */
static _Atomic int installed;      /* the signal, or 0; changed under change_guard */
static hocket__guard change_guard; /* all below */
static struct sigaction before;
static void *mark;

static void write_to(int fd, const void *context)
{
    static const char other[] = "hocket: another dump is being made\nhocket: end of dump\n";
    if (hocket__dump_to(fd, context) == -EBUSY && write(fd, other, sizeof other - 1) < 0)
        return; /* nobody to tell */
}

/* In the handler with its context, else NULL. */
static void serve(const void *context)
{
    int saved = errno;
    if (hk_load(&wanted) && hk_xchg(&wanted, false))
        write_to(STDERR_FILENO, context);
    uint64_t request = hk_load(&asked) != 0 ? hk_xchg(&asked, 0) : 0;
    if (request != 0) {
        int fd = hocket__open_of((int)(request >> 32), (int)(request & UINT32_MAX) - 1);
        if (fd >= 0) {
            write_to(fd, context);
            hocket__close(fd);
        }
    }
    errno = saved;
}

void hocket__dump_serve(void)
{
    serve(NULL);
}

/* The default action, now that the handler is going to return. */
static void give_up(int signal)
{
    struct sigaction plain = { .sa_handler = SIG_DFL };
    (void)sigemptyset(&plain.sa_mask);
    (void)sigaction(signal, &plain, NULL);
    (void)kill(getpid(), signal);
}

static bool from_the_tool(const siginfo_t *info)
{
    uintptr_t value = (uintptr_t)info->si_value.sival_ptr;
    return info->si_code == SI_QUEUE && value >> 32 == HOCKET__DUMP_VALUE;
}

void hocket__dump_signal_handler(int signal, siginfo_t *info, void *context)
{
    int saved = errno;
    if (from_the_tool(info)) {
        uint32_t fd = (uint32_t)(uintptr_t)info->si_value.sival_ptr;
        if (info->si_uid == geteuid() && !hocket__rights_differ() && fd < INT32_MAX)
            hk_store_rel(&asked, (uint64_t)(uint32_t)info->si_pid << 32 | (fd + 1));
    } else if (hk_load(&ignores)) {
        return;
    } else {
        hocket_time now = hocket__clock(), then = hk_xchg(&last, now);
        if (then != 0 && now - then < AGAIN_WITHIN) {
            give_up(signal);
            errno = saved;
            return;
        }
        hk_store_rel(&wanted, true);
    }
    if (hk_load_acq(&hocket__rt.running) && hk_load(&hocket__rt.threads))
        hocket__sched_interrupt();
    else
        serve(context);
    errno = saved;
}

static void write_mark(int signal)
{
    char name[32] = HOCKET__DUMP_MARK;
    size_t n = strlen(name);
    if (signal >= 10)
        name[n++] = (char)('0' + signal / 10);
    name[n++] = (char)('0' + signal % 10);
    name[n] = '\0';
    mark = hocket__mark_set(name);
}

static void take_away(void)
{
    struct sigaction now;
    int signal = hk_load(&installed);
    if (signal == 0)
        return;
    hk_store(&installed, 0);
    hocket__mark_clear(mark);
    mark = NULL;
    /* Somebody may have put another handler over ours, which stays. */
    if (sigaction(signal, NULL, &now) == 0 && now.sa_sigaction == hocket__dump_signal_handler)
        (void)sigaction(signal, &before, NULL);
}

static int put_on(int signal, bool keep_ignored)
{
    struct sigaction action = { .sa_sigaction = hocket__dump_signal_handler,
                                .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK };
    (void)sigemptyset(&action.sa_mask);
    /* Whoever is asked for its calls meanwhile answers with those that we have interrupted. */
    (void)sigaddset(&action.sa_mask, HOCKET__SAMPLE_SIGNAL);
    if (sigaction(signal, NULL, &before) != 0)
        return -EINVAL;
    hk_store(&ignores, keep_ignored && before.sa_handler == SIG_IGN);
    hk_store(&last, 0);
    hk_store(&wanted, false);
    hk_store(&asked, 0);
    if (sigaction(signal, &action, NULL) != 0)
        return -EINVAL;
    hk_store(&installed, signal);
    write_mark(signal);
    return 0;
}

int hocket__dump_signal_on(int signal)
{
    hocket__guard_lock(&change_guard);
    int err = hk_load(&installed) != 0 ? -EBUSY : put_on(signal, true);
    (void)hocket__guard_unlock(&change_guard);
    return err;
}

void hocket__dump_signal_off(void)
{
    hocket__guard_lock(&change_guard);
    take_away();
    (void)hocket__guard_unlock(&change_guard);
}

int hocket_dump_on_signal(int signal)
{
    if (signal < 0 || signal > SIGRTMAX || signal == SIGKILL || signal == SIGSTOP)
        return -EINVAL;
    hocket__guard_lock(&change_guard);
    take_away();
    int err = signal == 0 ? 0 : put_on(signal, false);
    (void)hocket__guard_unlock(&change_guard);
    return err;
}
