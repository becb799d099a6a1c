/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_INTERRUPT_H
#define TOOLS_INTERRUPT_H
#include <stdbool.h>

/*
 * interrupt - Ctrl-C and SIGTERM
 *
 * The first one is noted here (and handed on to the handler that was there
 * before, which is how the runtime gets to cancel the root task); everything
 * that may take long asks interrupt_pending() now and then and comes to an
 * end.  When all is cleaned up interrupt_raise() lets the signal do what it
 * would have done: the shell sees 130 and ends its loops.
 */

/* Watch for SIGINT and SIGTERM, unless they were ignored (nohup, background jobs). */
void interrupt_watch(void);

/* Has one come? */
bool interrupt_pending(void);

/* Do not return if one has come. */
void interrupt_raise(void);

#endif
