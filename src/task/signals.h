/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TASK_SIGNALS_H
#define HOCKET_TASK_SIGNALS_H

/*
 * signals - SIGINT and SIGTERM cancel the root scope; the second ends the program with 130
 */
int hocket__signals_install(void);
void hocket__signals_restore(void);

/* The part that a handler cannot do; called by a worker. */
void hocket__signals_pending(void);

#endif
