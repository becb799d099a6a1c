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

/* The site of the caller; 0: not known, or there are too many.  Some 20 ns.  Not signal-safe. */
uint32_t hocket__site_here(void);

/*
 * The address in the program of a site, inside the call; 0 if nothing is known.  For who has
 * the right to use trace/names.h (trace/dump.h).
 */
uint64_t hocket__site_address(uint32_t site, bool in_handler);

#endif
