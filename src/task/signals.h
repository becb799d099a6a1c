/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TASK_SIGNALS_H
#define HOCKET_TASK_SIGNALS_H

/*
 * signals - SIGINT and SIGTERM cancel the root scope; the second ends the program with 130
 */
#include <signal.h>

#include <stdbool.h>

int hocket__signals_install(void);
void hocket__signals_restore(void);

/* Are they installed?  And what is installed. */
bool hocket__signals_on(void);
void hocket__signals_handler(int signal);

/*
 * Threads of the library block nearly all signals, which the child of a fork must not inherit: what
 * it executes would be deaf.  remember: the mask of the thread that starts the runtime.
 */
void hocket__signals_remember(void);
void hocket__signals_in_child(void);

/*
 * A signal that makes a dump (trace/dump_signal.c).  on: 0, -EBUSY (the program has chosen
 * another one), -EINVAL.  serve: make what was asked for; by a worker, or by the monitor where
 * none comes to it.
 */
void hocket__dump_signal_handler(int signal, siginfo_t *info, void *context);
void hocket__timeout_handler(int signal, siginfo_t *info, void *context); /* trace/timeout.c */
int hocket__dump_signal_on(int signal);
void hocket__dump_signal_off(void);
void hocket__dump_serve(void);

/* The part that a handler cannot do; called by a worker. */
void hocket__signals_pending(void);

#endif
