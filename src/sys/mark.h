/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SYS_MARK_H
#define HOCKET_SYS_MARK_H
/*
 * mark - a word about this process that others can read: a page that /proc/PID/maps shows by name
 *
 * It takes a descriptor for a moment only.  Signal-safe, keeps errno.
 */
#include <stdbool.h>

/* Show `name` (then as /memfd:NAME).  NULL: it cannot be had. */
void *hocket__mark_set(const char *name);
void hocket__mark_clear(void *mark);

/* Open descriptor `fd` of process `pid`, which is a file, for appending; -errno. */
int hocket__open_of(int pid, int fd);
void hocket__close(int fd);

/* Does the process run with other rights than its caller's (setuid and such)? */
bool hocket__rights_differ(void);

#endif
