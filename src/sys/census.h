/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SYS_CENSUS_H
#define HOCKET_SYS_CENSUS_H

/*
 * census - what the process has that the library did not make
 */
#include <stdbool.h>

/* Threads of the process, without those of a sanitizer; -1 if the kernel does not say. */
int hocket__os_threads(void);

/*
 * Is a handler installed for a signal that somebody may send, but for the `count` handlers in
 * `ours`?  What such a handler does is unknown.  Handlers of faults do not count: these
 * signals come from what a thread that is awake does.
 */
bool hocket__foreign_handlers(void (*const *ours)(int), unsigned count);

#endif
