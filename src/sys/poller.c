/* SPDX-License-Identifier: MIT */
/* poller - see sys/poller.h */
#include "sys/poller.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>

#include "base/atomic.h"
#include "sys/kernel.h"

#define BATCH 64

static long control(const struct hocket__poller *p, int op, int fd, uint32_t events)
{
    struct epoll_event event = { .events = events, .data = { .fd = fd } };
    return hocket__syscall4(SYS_epoll_ctl, p->epoll, op, fd, (long)&event);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)hocket__syscall4(SYS_close, *fd, 0, 0, 0);
    *fd = -1;
}

HK_NOINLINE int hocket__poller_open(struct hocket__poller *p)
{
    int ends[2];
    *p = (struct hocket__poller){ -1, -1, -1 };
    long err = hocket__syscall4(SYS_epoll_create1, EPOLL_CLOEXEC, 0, 0, 0);
    if (err < 0)
        return (int)err;
    p->epoll = (int)err;
    err = hocket__syscall4(SYS_pipe2, (long)ends, O_CLOEXEC | O_NONBLOCK, 0, 0);
    if (err == 0) {
        p->wake_read = ends[0];
        p->wake_write = ends[1];
        err = control(p, EPOLL_CTL_ADD, p->wake_read, EPOLLIN);
    }
    if (err < 0)
        hocket__poller_close(p);
    return (int)err;
}

HK_NOINLINE void hocket__poller_close(struct hocket__poller *p)
{
    close_fd(&p->epoll);
    close_fd(&p->wake_read);
    close_fd(&p->wake_write);
}

HK_NOINLINE int hocket__poller_arm(struct hocket__poller *p, int fd, unsigned events)
{
    uint32_t mask = EPOLLONESHOT | (events & HOCKET__POLL_READ ? EPOLLIN | EPOLLRDHUP : 0u) |
                    (events & HOCKET__POLL_WRITE ? EPOLLOUT : 0u);
    /* The descriptor may have been closed and opened anew since it was last armed. */
    long err = control(p, EPOLL_CTL_MOD, fd, mask);
    if (err == -ENOENT)
        err = control(p, EPOLL_CTL_ADD, fd, mask);
    return (int)err;
}

HK_NOINLINE void hocket__poller_disarm(struct hocket__poller *p, int fd)
{
    (void)control(p, EPOLL_CTL_DEL, fd, 0);
}

HK_NOINLINE int hocket__poller_wait(struct hocket__poller *p, struct hocket__polled *ret, int count,
                                    int timeout_ms)
{
    struct epoll_event events[BATCH];
    int found = 0;
    long n = hocket__syscall6(SYS_epoll_pwait, p->epoll, (long)events,
                              count < BATCH ? count : BATCH, timeout_ms, 0, 8);
    for (long i = 0; i < n; i++) {
        uint32_t e = events[i].events;
        if (events[i].data.fd == p->wake_read) {
            char byte;
            (void)hocket__syscall4(SYS_read, p->wake_read, (long)&byte, 1, 0);
            continue;
        }
        bool broken = e & (EPOLLERR | EPOLLHUP);
        ret[found].fd = events[i].data.fd;
        ret[found++].ready = (e & (EPOLLIN | EPOLLRDHUP) || broken ? HOCKET__POLL_READ : 0u) |
                             (e & EPOLLOUT || broken ? HOCKET__POLL_WRITE : 0u);
    }
    return found;
}

HK_NOINLINE void hocket__poller_wake(struct hocket__poller *p)
{
    char byte = 0;
    (void)hocket__syscall4(SYS_write, p->wake_write, (long)&byte, 1, 0);
}

HK_NOINLINE int hocket__poll_now(int fd, unsigned events)
{
    struct pollfd p = { .fd = fd,
                        .events = (short)((events & HOCKET__POLL_READ ? POLLIN | POLLRDHUP : 0) |
                                          (events & HOCKET__POLL_WRITE ? POLLOUT : 0)) };
    struct timespec zero = { 0, 0 };
    long n = hocket__syscall6(SYS_ppoll, (long)&p, 1, (long)&zero, 0, 8, 0);
    if (n <= 0)
        return 0;
    if (p.revents & POLLNVAL)
        return -EBADF;
    bool broken = p.revents & (POLLERR | POLLHUP);
    unsigned ready = (p.revents & (POLLIN | POLLRDHUP) || broken ? HOCKET__POLL_READ : 0u) |
                     (p.revents & POLLOUT || broken ? HOCKET__POLL_WRITE : 0u);
    return (int)(ready & events);
}
