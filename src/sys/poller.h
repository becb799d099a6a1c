/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SYS_POLLER_H
#define HOCKET_SYS_POLLER_H

/*
 * poller - which of many descriptors are ready
 *
 * An epoll instance whose watches last for one report: after that the descriptor is silent until it
 * is armed again.  No function changes errno or allocates.  arm, disarm and wake may be called
 * while another thread is in wait; the caller's lock keeps them apart.
 */
#include "sys/flag.h"

/* The bits of HOCKET_READABLE and HOCKET_WRITABLE. */
enum { HOCKET__POLL_READ = 1, HOCKET__POLL_WRITE = 2 };

struct hocket__poller {
    int epoll;
    struct hocket__flag wake;
};

struct hocket__polled {
    int fd;
    unsigned ready;
};

/* 0, -EMFILE, -ENFILE, -ENOMEM. */
int hocket__poller_open(struct hocket__poller *p);
void hocket__poller_close(struct hocket__poller *p);

/*
 * Report `fd` once as soon as it is ready for one of `events`, in place of what was asked before.
 * 0, -EBADF, -EPERM (a file on disk: always ready), -ENOMEM, -ENOSPC.
 */
int hocket__poller_arm(struct hocket__poller *p, int fd, unsigned events);
void hocket__poller_disarm(struct hocket__poller *p, int fd);

/* Wait for up to `count` reports; 0 after `timeout_ms` (-1: never), and at once while it is to wake. */
int hocket__poller_wait(struct hocket__poller *p, struct hocket__polled *ret, int count,
                        int timeout_ms);
void hocket__poller_wake(struct hocket__poller *p, bool wake);

/* What one descriptor is ready for now: bits, 0, or -EBADF. */
int hocket__poll_now(int fd, unsigned events);

#endif
