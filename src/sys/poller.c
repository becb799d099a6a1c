/* SPDX-License-Identifier: MIT */
/* poller - see sys/poller.h */
#include "sys/poller.h"

#include <errno.h>
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

HK_NOINLINE int hocket__poller_open(struct hocket__poller *p)
{
    *p = (struct hocket__poller){ -1, HOCKET__FLAG_INIT };
    long err = hocket__syscall4(SYS_epoll_create1, EPOLL_CLOEXEC, 0, 0, 0);
    if (err < 0)
        return (int)err;
    p->epoll = (int)err;
    err = hocket__flag_open(&p->wake);
    if (err == 0)
        err = control(p, EPOLL_CTL_ADD, p->wake.read_end, EPOLLIN);
    if (err < 0)
        hocket__poller_close(p);
    return (int)err;
}

HK_NOINLINE void hocket__poller_close(struct hocket__poller *p)
{
    (void)hocket__syscall4(SYS_close, p->epoll, 0, 0, 0);
    hocket__flag_close(&p->wake);
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
        if (events[i].data.fd == p->wake.read_end)
            continue;
        bool broken = e & (EPOLLERR | EPOLLHUP);
        ret[found].fd = events[i].data.fd;
        ret[found++].ready = (e & (EPOLLIN | EPOLLRDHUP) || broken ? HOCKET__POLL_READ : 0u) |
                             (e & EPOLLOUT || broken ? HOCKET__POLL_WRITE : 0u);
    }
    return found;
}

void hocket__poller_wake(struct hocket__poller *p, bool wake)
{
    hocket__flag_set(&p->wake, wake);
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
