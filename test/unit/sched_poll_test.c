/* SPDX-License-Identifier: MIT */
/*
 * Descriptors in select: several waiters of one, several in one bucket, each direction, and the
 * thread behind them that comes and goes.
 */
#include "support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <hocket/select.h>

#include "support/process.h"

struct wish {
    int fd, events;
    hocket_time deadline;
    int ready; /* what came, or a negative error */
};

static int wants(void *arg)
{
    struct wish *w = arg;
    hocket_case c = hocket_case_fd(w->fd, w->events);
    int rc = hocket_select(&c, 1, w->deadline);
    w->ready = rc == 0 ? c.ready : rc;
    return 0;
}

static hocket_task *start_wish(struct wish *w, int fd, int events)
{
    *w = (struct wish){ fd, events, HOCKET_FOREVER, 0 };
    hocket_task *t = run_spawn(wants, w);
    RUN_UNTIL(run_parked(t));
    return t;
}

static void expect(hocket_task *t, const struct wish *w, int ready)
{
    run_finish(t, 0);
    HK_EXPECT_EQ(w->ready, ready);
}

/* Two ends of which the first has no room for what it would send. */
static void full_pair(int ends[2])
{
    char block[4096] = { 0 };
    HK_EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    while (write(ends[0], block, sizeof block) > 0)
        continue;
    HK_EXPECT_EQ(errno, EAGAIN);
}

static void drain(int fd)
{
    char block[4096];
    while (read(fd, block, sizeof block) > 0)
        continue;
}

static void close_both(const int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

/* One waits to read and one to write; each gets what is its own, and the other waits on. */
static int both_ways(void *arg)
{
    struct wish in, out;
    int ends[2];
    (void)arg;
    for (int first = 0; first < 2; first++) {
        full_pair(ends);
        hocket_task *reads = start_wish(&in, ends[0], HOCKET_READABLE);
        hocket_task *writes = start_wish(&out, ends[0], HOCKET_WRITABLE);
        for (int step = 0; step < 2; step++)
            if (step == first) {
                HK_EXPECT_EQ(write(ends[1], "x", 1), 1);
                expect(reads, &in, HOCKET_READABLE);
                HK_EXPECT(step == 1 || run_parked(writes));
            } else {
                drain(ends[1]);
                expect(writes, &out, HOCKET_WRITABLE);
                HK_EXPECT(step == 1 || run_parked(reads));
            }
        close_both(ends);
    }
    return 0;
}

/* An end that is gone is ready for all that anybody wanted. */
static int hang_up(void *arg)
{
    struct wish in, out, any;
    int ends[2];
    (void)arg;
    full_pair(ends);
    hocket_task *a = start_wish(&in, ends[0], HOCKET_READABLE);
    hocket_task *b = start_wish(&out, ends[0], HOCKET_WRITABLE);
    hocket_task *c = start_wish(&any, ends[0], HOCKET_READABLE | HOCKET_WRITABLE);
    close(ends[1]);
    expect(a, &in, HOCKET_READABLE);
    expect(b, &out, HOCKET_WRITABLE);
    run_finish(c, 0);
    HK_EXPECT(any.ready > 0 && (any.ready & ~(HOCKET_READABLE | HOCKET_WRITABLE)) == 0);
    close(ends[0]);
    return 0;
}

/* Those who give up leave the others their watch. */
static int some_give_up(void *arg)
{
    struct wish stays, late, told;
    int ends[2];
    (void)arg;
    full_pair(ends);
    hocket_task *a = start_wish(&stays, ends[0], HOCKET_READABLE);
    hocket_task *b = start_wish(&told, ends[0], HOCKET_WRITABLE);
    late = (struct wish){ ends[0], HOCKET_WRITABLE, hocket_after(HOCKET_MS), 0 };
    HK_EXPECT_EQ(wants(&late), 0);
    HK_EXPECT_EQ(late.ready, -ETIMEDOUT);
    hocket_cancel(b);
    expect(b, &told, -ECANCELED);
    HK_EXPECT(run_parked(a));
    HK_EXPECT_EQ(write(ends[1], "x", 1), 1);
    expect(a, &stays, HOCKET_READABLE);
    close_both(ends);
    return 0;
}

/* Numbers that are 256 apart share a bucket. */
static int neighbours(void *arg)
{
    enum { APART = 256, COUNT = 3 };
    struct wish w[COUNT];
    hocket_task *t[COUNT];
    int pipes[COUNT][2], fd[COUNT];
    (void)arg;
    for (int i = 0; i < COUNT; i++) {
        HK_EXPECT_EQ(pipe(pipes[i]), 0);
        fd[i] = fcntl(pipes[i][0], F_DUPFD, 100 + i * APART);
        HK_EXPECT_EQ(fd[i], 100 + i * APART);
        t[i] = start_wish(&w[i], fd[i], HOCKET_READABLE);
    }
    for (int i = COUNT - 1; i >= 0; i--) {
        HK_EXPECT_EQ(write(pipes[i][1], "x", 1), 1);
        expect(t[i], &w[i], HOCKET_READABLE);
        for (int other = 0; other < i; other++)
            HK_EXPECT(run_parked(t[other]));
    }
    for (int i = 0; i < COUNT; i++) {
        close_both(pipes[i]);
        close(fd[i]);
    }
    return 0;
}

static int (*const bodies[])(void *) = { both_ways, hang_up, some_give_up, neighbours };

START_TEST(all)
{
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        run_in(_i, bodies[i], NULL);
}
END_TEST

/* With nobody waiting for some seconds the thread ends; the next one to wait starts another. */
START_TEST(the_thread_ends)
{
    int ends[2];
    char byte;
    HK_EXPECT_EQ(pipe(ends), 0);
    int before = process_threads(), descriptors = process_descriptors();
    for (int i = 0; i < 2; i++) {
        struct wish late = { ends[0], HOCKET_READABLE, hocket_after(HOCKET_MS), 0 };
        HK_EXPECT_EQ(wants(&late), 0);
        HK_EXPECT_EQ(late.ready, -ETIMEDOUT);
        process_threads_become(before + 1); /* a thread has its name a moment later */
        process_threads_become(before);
        HK_EXPECT_EQ(process_descriptors(), descriptors);
    }
    HK_EXPECT_EQ(write(ends[1], "x", 1), 1);
    struct wish now = { ends[0], HOCKET_READABLE, HOCKET_FOREVER, 0 };
    HK_EXPECT_EQ(wants(&now), 0);
    HK_EXPECT_EQ(now.ready, HOCKET_READABLE);
    HK_EXPECT_EQ(read(ends[0], &byte, 1), 1);
    close_both(ends);
}
END_TEST

SUITE("poll", 60)
{
    suite_each(all);
    suite_once(the_thread_ends);
}
