/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SYS_ALARM_H
#define HOCKET_SYS_ALARM_H
/*
 * alarm - a signal to this process after some time, and what the kernel knows of pages
 */
#include <stddef.h>
#include <stdint.h>

/* One timer a process, of real time; `ns` 0 takes it away.  0 or -errno. */
int hocket__alarm_set(int signal, int64_t ns);

/* Which of `count` pages from `addr` on are in memory: bit 0 of each byte.  0 or -errno. */
int hocket__pages_in_memory(const void *addr, size_t count, unsigned char *ret);

#endif
