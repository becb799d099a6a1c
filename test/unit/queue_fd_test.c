/* SPDX-License-Identifier: MIT */
/* The descriptor of a queue: readable exactly while a value is in it, hung up once it is closed. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>

#include "support/modes.h"
#include "support/queues.h"

#include "base/atomic.h"

static int events(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    HK_EXPECT(poll(&p, 1, 0) >= 0);
    return p.revents;
}

START_TEST(readable_while_something_is_there)
{
    static const size_t capacities[] = { 2, 3, HOCKET_UNBOUNDED };
    for (int kind = 0; kind < 9; kind++) {
        hocket_queue *q = queue_make(sizeof(int), kind % 3, capacities[kind / 3]);
        int value = 1, some[2];
        HK_EXPECT_EQ(hocket_queue_put(q, &value, HOCKET_NOW), 0);
        int fd = hocket_queue_fd(q);
        HK_EXPECT(fd >= 0);
        HK_EXPECT_EQ(hocket_queue_fd(q), fd);
        HK_EXPECT(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        for (int turn = 0; turn < 10; turn++) {
            HK_EXPECT_EQ(events(fd), POLLIN);
            HK_EXPECT_EQ(hocket_queue_put(q, &value, HOCKET_NOW), 0);
            HK_EXPECT_EQ(events(fd), POLLIN);
            HK_EXPECT_EQ(hocket_queue_get(q, &value, HOCKET_NOW), 0);
            HK_EXPECT_EQ(events(fd), POLLIN);
            HK_EXPECT_EQ(hocket_queue_get(q, &value, HOCKET_NOW), 0);
            HK_EXPECT_EQ(events(fd), 0);
            HK_EXPECT_EQ(hocket_queue_get(q, &value, HOCKET_NOW), -ETIMEDOUT);
            HK_EXPECT_EQ(hocket_queue_put_many(q, (int[]){ 1, 2 }, 2, HOCKET_NOW), 2);
            HK_EXPECT_EQ(events(fd), POLLIN);
            HK_EXPECT_EQ(hocket_queue_get_many(q, some, 2, HOCKET_NOW), 2);
            HK_EXPECT_EQ(events(fd), 0);
            HK_EXPECT_EQ(hocket_queue_put(q, &value, HOCKET_NOW), 0);
        }
        HK_EXPECT_EQ(hocket_queue_close(q, HOCKET_CLOSE_DRAIN), 0);
        HK_EXPECT_EQ(events(fd), POLLIN | POLLHUP);
        HK_EXPECT_EQ(hocket_queue_get(q, &value, HOCKET_NOW), 0);
        HK_EXPECT_EQ(events(fd), POLLHUP);
        hocket_queue_free(q);
        HK_EXPECT_EQ(fcntl(fd, F_GETFD), -1);
    }
}
END_TEST

START_TEST(of_a_closed_queue)
{
    int value = 1;
    for (int how = 0; how < 2; how++)
        for (int early = 0; early < 2; early++) {
            hocket_queue *q = queue_make(sizeof(int), HOCKET_FIFO, 2);
            HK_EXPECT_EQ(hocket_queue_put(q, &value, HOCKET_NOW), 0);
            int fd = early ? hocket_queue_fd(q) : -1;
            HK_EXPECT_EQ(hocket_queue_close(q, how), 0);
            fd = hocket_queue_fd(q);
            HK_EXPECT_EQ(events(fd), how == HOCKET_CLOSE_DRAIN ? POLLIN | POLLHUP : POLLHUP);
            hocket_queue_free(q);
        }
}
END_TEST

START_TEST(of_a_rendezvous)
{
    hocket_queue *q = queue_make(sizeof(int), HOCKET_FIFO, HOCKET_RENDEZVOUS);
    int fd = hocket_queue_fd(q);
    HK_EXPECT_EQ(events(fd), 0);
    HK_EXPECT_EQ(hocket_queue_close(q, HOCKET_CLOSE_NOW), 0);
    HK_EXPECT_EQ(events(fd), POLLHUP);
    hocket_queue_free(q);
}
END_TEST

START_TEST(no_descriptors_left)
{
    hocket_queue *q = queue_make(sizeof(int), HOCKET_FIFO, 2);
    struct rlimit old, none;
    int value = 1;
    HK_EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
    none = old;
    for (int left = 0; left < 2; left++) { /* none at all, and just one */
        int lowest = dup(0);
        HK_EXPECT(lowest >= 0 && close(lowest) == 0);
        none.rlim_cur = (rlim_t)lowest + (rlim_t)left;
        HK_EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
        HK_EXPECT_EQ(hocket_queue_fd(q), -EMFILE);
        HK_EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &old), 0);
        HK_EXPECT_EQ(dup(0), lowest); /* nothing was left open */
        HK_EXPECT_EQ(close(lowest), 0);
    }
    HK_EXPECT_EQ(hocket_queue_put(q, &value, HOCKET_NOW), 0); /* works as before */
    int fd = hocket_queue_fd(q);
    HK_EXPECT(fd >= 0);
    HK_EXPECT_EQ(events(fd), POLLIN);
    hocket_queue_free(q);
}
END_TEST

/* Values that are handed over were never in the queue; those of waiting putters come in. */
struct shared {
    hocket_queue *q;
    int fd;
    _Atomic int step;
};

static int handed(int index, void *arg)
{
    struct shared *s = arg;
    int value = 7;
    if (index == 1)
        return hocket_queue_get(s->q, &value, HOCKET_FOREVER);
    if (index == 2) {
        MODE_WAIT_UNTIL(hk_load_acq(&s->step) == 1);
        return hocket_queue_put(s->q, &value, HOCKET_FOREVER);
    }
    MODE_WAIT_UNTIL(mode_parked(1));
    HK_EXPECT_EQ(hocket_queue_put(s->q, &value, HOCKET_NOW), 0);
    HK_EXPECT_EQ(events(s->fd), 0);
    HK_EXPECT_EQ(hocket_queue_put(s->q, &value, HOCKET_NOW), 0);
    hk_store_rel(&s->step, 1);
    MODE_WAIT_UNTIL(mode_parked(2));
    HK_EXPECT_EQ(hocket_queue_get(s->q, &value, HOCKET_NOW), 0);
    HK_EXPECT_EQ(events(s->fd), POLLIN);
    HK_EXPECT_EQ(hocket_queue_get(s->q, &value, HOCKET_NOW), 0);
    HK_EXPECT_EQ(events(s->fd), 0);
    return 0;
}

START_TEST(with_waiters)
{
    struct shared s = { .q = queue_make(sizeof(int), HOCKET_FIFO, 1) };
    s.fd = hocket_queue_fd(s.q);
    mode_run(_i, 3, handed, &s);
    hocket_queue_free(s.q);
}
END_TEST

/* All ask for it at once, while values flow: one descriptor, and right in the end. */
static int ask(int index, void *arg)
{
    struct shared *s = arg;
    int value = index;
    for (int i = 0; i < 100; i++) {
        if (i == 50) {
            int fd = hocket_queue_fd(s->q), none = 0;
            HK_EXPECT(fd >= 0);
            if (!hk_cas(&s->step, &none, fd))
                HK_EXPECT_EQ(none, fd);
        }
        int err = index % 2 ? hocket_queue_put(s->q, &value, HOCKET_FOREVER)
                            : hocket_queue_get(s->q, &value, HOCKET_FOREVER);
        HK_EXPECT_EQ(err, 0);
    }
    return 0;
}

START_TEST(asked_for_by_all)
{
    struct shared s = { .q = queue_make(sizeof(int), HOCKET_FIFO, 3) };
    mode_run(_i, 4, ask, &s);
    HK_EXPECT_EQ(events(hk_load(&s.step)), 0);
    hocket_queue_free(s.q);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, readable_while_something_is_there);
    tcase_add_test(tc, of_a_closed_queue);
    tcase_add_test(tc, of_a_rendezvous);
    tcase_add_test(tc, no_descriptors_left);
    MODE_TESTS(tc, with_waiters);
    MODE_TESTS(tc, asked_for_by_all);
}

int main(void)
{
    return mode_main("queue_fd", add);
}
