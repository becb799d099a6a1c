/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TRACE_SITE_H
#define HOCKET_TRACE_SITE_H

/*
 * site - where in the program the running task is about to wait
 *
 * The return address of a wait lies inside the library and says little.  A site is the chain of
 * calls up to the program's own; which of them is the program's is found out when somebody wants
 * to know, by the names of the functions.  Sites are numbered and never forgotten.
 */
#include "base/atomic.h"

/*
 * The site of the running task, which is in a wait; 0: not known, there are too many, or no memory.
 * Dear only where nobody has been lately.  Not signal-safe.
 */
uint32_t hocket__site_here(void);

/*
 * The address in the program of a site, inside the call; 0 if nothing is known.  For who has
 * the right to use trace/names.h (trace/dump.h).
 */
uint64_t hocket__site_address(uint32_t site, bool in_handler);

/*
 * The calls of the program at a site, innermost first: from that address on until the library called it.  How
 * many.  As above.
 */
#define HOCKET__SITE_CALLS 10
unsigned hocket__site_calls(uint32_t site, uintptr_t calls[HOCKET__SITE_CALLS]);

#endif
