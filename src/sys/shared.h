/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SYS_SHARED_H
#define HOCKET_SYS_SHARED_H

/*
 * shared - memory that other processes of the same user can find and read
 *
 * They see it as a descriptor in /proc/PID/fd, called /memfd:NAME.  It is gone with the process, however that
 * ends, with exec, and is not inherited by a forked child but for the descriptor.
 */
#include <stddef.h>

struct hocket__shared {
    void *memory; /* zeroed */
    size_t size;
    int fd;
};

/* 0, -ENOSYS, -ENOMEM, -EMFILE, -ENFILE. */
int hocket__shared_make(struct hocket__shared *ret, const char *name, size_t size);
void hocket__shared_free(struct hocket__shared *s);

#endif
