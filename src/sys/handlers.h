/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SYS_HANDLERS_H
#define HOCKET_SYS_HANDLERS_H
/*
 * handlers - handlers of signals under TSan, at a switch of stacks
 *
 * TSan notes a signal in its record of the fiber that runs, and calls the handler when that fiber
 * next calls a function that it knows.  A fiber that parks first would keep the signal for itself,
 * perhaps for ever.  So no signal is let in from here to the other side of the switch, and what
 * came before is handled first.  Other builds do nothing.
 */
#include "sys/sanitizer.h"

#if HOCKET_TSAN
void hocket__handlers_hold(void);
void hocket__handlers_let(void);
#else
static inline void hocket__handlers_hold(void)
{
}

static inline void hocket__handlers_let(void)
{
}
#endif

#endif
