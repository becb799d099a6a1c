/* SPDX-License-Identifier: MIT */
/*
 * The kernel refuses a call: what stands in for it, and what users are told.
 *
 * Each test is a process of its own (Check forks), in which the call is refused for good.
 */
#include "support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>

#include <hocket.h>

#include "support/process.h"
#include "support/refuse.h"
#include "sys/flag.h"
#include "sys/sys.h"

/* Nothing to see where filters cannot be had; but say so on a machine of ours. */
static bool refused(bool possible)
{
    if (!possible)
        fprintf(stderr, "no seccomp here: not tested\n");
    return possible;
}

/* ---- what the library asks for once ---- */

START_TEST(no_random_numbers)
{
    unsigned char a[64] = { 0 }, b[64] = { 0 };
    unsigned set = 0;
    if (!refused(refuse(SYS_getrandom, ENOSYS)))
        return;
    hocket__random(a, sizeof a);
    hocket__random(b, sizeof b);
    HK_EXPECT(memcmp(a, b, sizeof a) != 0);
    for (size_t i = 0; i < sizeof a; i++)
        set += (unsigned)__builtin_popcount(a[i]);
    HK_EXPECT(set > 128 && set < 384); /* of 512: 11 standard deviations */
}
END_TEST

START_TEST(no_number_of_cpus)
{
    if (refused(refuse(SYS_sched_getaffinity, EPERM)))
        HK_EXPECT_EQ(hocket__cpu_count(), 1);
}
END_TEST

START_TEST(no_limit_of_mappings)
{
    if (refused(refuse(SYS_openat, ENFILE)))
        HK_EXPECT_EQ(hocket__mapping_limit(), 65530);
}
END_TEST

START_TEST(an_empty_limit_of_mappings)
{
    if (refused(refuse(SYS_read, EIO)))
        HK_EXPECT_EQ(hocket__mapping_limit(), 65530);
}
END_TEST

/* An emulator takes any advice for done: the guard must be there, not only be promised. */
START_TEST(guards_that_are_none)
{
    void *memory;
    HK_EXPECT_OK(hocket__map(4 << 16, &memory));
    if (refused(refuse(SYS_faccessat, ENOENT)))
        HK_EXPECT_EQ(hocket__guard_pages(memory, 1 << 16, 0, 1), -EINVAL);
    hocket__unmap(memory, 4 << 16);
}
END_TEST

START_TEST(many_guards_one_by_one)
{
    enum { EACH = 1 << 16, COUNT = 20 };
    void *memory;
    HK_EXPECT_OK(hocket__map((size_t)2 * EACH * COUNT, &memory));
    int before = hocket__guard_pages(memory, EACH, 2 * EACH, COUNT);
    if (refused(refuse(SYS_process_madvise, ENOSYS)))
        HK_EXPECT_EQ(hocket__guard_pages(memory, EACH, 2 * EACH, COUNT), before);
    hocket__unmap(memory, (size_t)2 * EACH * COUNT);
}
END_TEST

/* ---- programs that go on without it ---- */

static int passes_on(void *arg)
{
    hocket_queue **queues = arg;
    int value, err;
    while ((err = hocket_queue_get(queues[0], &value, HOCKET_FOREVER)) == 0)
        HK_EXPECT_OK(hocket_queue_put(queues[1], &value, HOCKET_FOREVER));
    HK_EXPECT_EQ(err, -EPIPE);
    return hocket_queue_close(queues[1], HOCKET_CLOSE_DRAIN);
}

static int half(void *arg)
{
    *(int *)arg += 1;
    return 0;
}

/* Queues, forks and tasks on several workers: the places where barriers are saved. */
static int program(void *arg)
{
    enum { VALUES = 2000 };
    hocket_queue *queues[2];
    hocket_scope scope;
    int value, sum = 0, parts[2] = { 0, 0 };
    (void)arg;
    for (int i = 0; i < 2; i++)
        HK_EXPECT_OK(hocket_queue_new(&queues[i], sizeof value, NULL));
    hocket_scope_open(&scope, NULL);
    HK_EXPECT_OK(hocket_spawn(&scope, passes_on, queues));
    for (int i = 1; i <= VALUES; i++) {
        HK_EXPECT_OK(hocket_queue_put(queues[0], &i, HOCKET_FOREVER));
        HK_EXPECT_OK(hocket_queue_get(queues[1], &value, HOCKET_FOREVER));
        sum += value;
        hocket_branch branch;
        hocket_fork(&branch, half, &parts[0]);
        half(&parts[1]);
        HK_EXPECT_OK(hocket_sync(&branch));
    }
    HK_EXPECT_OK(hocket_queue_close(queues[0], HOCKET_CLOSE_DRAIN));
    HK_EXPECT_EQ(hocket_queue_get(queues[1], &value, HOCKET_FOREVER), -EPIPE);
    HK_EXPECT_OK(hocket_scope_close(&scope));
    HK_EXPECT_EQ(sum, VALUES * (VALUES + 1) / 2);
    HK_EXPECT_EQ(parts[0] + parts[1], 2 * VALUES);
    for (int i = 0; i < 2; i++)
        hocket_queue_free(queues[i]);
    return 0;
}

static void it_runs(void)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = 4;
    HK_EXPECT_EQ(hocket_run_with(program, NULL, &o), 0);
}

START_TEST(no_barriers)
{
    if (!refused(refuse(SYS_membarrier, ENOSYS)))
        return;
    HK_EXPECT_EQ(hocket__membarrier(), -ENOSYS);
    it_runs();
}
END_TEST

/* Overflows are then bare SIGSEGVs, nothing else changes. */
START_TEST(no_alternate_stacks)
{
    if (!HOCKET_ASAN && !HOCKET_TSAN && refused(refuse(SYS_sigaltstack, EPERM)))
        it_runs();
}
END_TEST

START_TEST(no_cgroups_and_no_proc)
{
    if (!HOCKET_ASAN && refused(refuse(SYS_openat, EACCES))) /* LSan needs to open files */
        it_runs();
}
END_TEST

/* ---- descriptors ---- */

static int select_one(int fd)
{
    hocket_case c = hocket_case_fd(fd, HOCKET_READABLE);
    return hocket_select(&c, 1, hocket_after(HOCKET_SEC));
}

/* Each refusal is told, and leaves no waiter and no descriptor behind. */
static void select_says(bool possible, int fd, int error)
{
    int before = process_descriptors();
    if (!refused(possible))
        return;
    HK_EXPECT_EQ(select_one(fd), error);
    HK_EXPECT_EQ(select_one(fd), error);
    HK_EXPECT_EQ(process_descriptors(), before);
}

static int quiet_pipe(void)
{
    int ends[2];
    HK_EXPECT_EQ(pipe(ends), 0);
    return ends[0];
}

START_TEST(select_without_a_poller)
{
    int fd = quiet_pipe();
    select_says(refuse(SYS_epoll_create1, EMFILE), fd, -EMFILE);
}
END_TEST

START_TEST(select_without_a_pipe)
{
    int fd = quiet_pipe();
    select_says(refuse(SYS_pipe2, ENFILE), fd, -ENFILE);
}
END_TEST

START_TEST(select_without_any_watch)
{
    int fd = quiet_pipe();
    select_says(refuse(SYS_epoll_ctl, ENOMEM), fd, -ENOMEM);
}
END_TEST

/* The poller itself is made, but the user's watches are more than this user may have. */
START_TEST(select_without_another_watch)
{
    int fd = quiet_pipe();
    if (!refused(refuse_with(SYS_epoll_ctl, 2, (uint32_t)fd, ENOSPC)))
        return;
    HK_EXPECT_EQ(select_one(fd), -ENOMEM);
    HK_EXPECT_EQ(select_one(fd), -ENOMEM);
    HK_EXPECT_EQ(select_one(quiet_pipe()), -ETIMEDOUT); /* others are none the worse */
}
END_TEST

/* Closed after the first look and before the wait. */
START_TEST(select_of_what_was_closed)
{
    int fd = quiet_pipe();
    if (!refused(refuse_with(SYS_epoll_ctl, 2, (uint32_t)fd, EBADF)))
        return;
    hocket_case c = hocket_case_fd(fd, HOCKET_READABLE);
    HK_EXPECT_EQ(hocket_select(&c, 1, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(c.error, -EBADF);
}
END_TEST

START_TEST(select_of_what_never_blocks)
{
    int fd = quiet_pipe();
    if (!refused(refuse_with(SYS_epoll_ctl, 2, (uint32_t)fd, EPERM)))
        return;
    hocket_case c = hocket_case_fd(fd, HOCKET_READABLE);
    HK_EXPECT_EQ(hocket_select(&c, 1, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(c.ready, HOCKET_READABLE);
}
END_TEST

/* gets: hocket_select -EMFILE -ENFILE -ENOMEM, hocket_queue_fd -EMFILE -ENFILE -ENOMEM */
static void queue_fd_says(int error)
{
    hocket_queue *q;
    int value = 3;
    HK_EXPECT_OK(hocket_queue_new(&q, sizeof value, NULL));
    if (refused(refuse(SYS_pipe2, -error))) {
        HK_EXPECT_EQ(hocket_queue_fd(q), error);
        HK_EXPECT_EQ(hocket_queue_fd(q), error);
        HK_EXPECT_OK(hocket_queue_put(q, &value, HOCKET_NOW));
        HK_EXPECT_OK(hocket_queue_get(q, &value, HOCKET_NOW));
    }
    hocket_queue_free(q);
}

START_TEST(queue_without_a_descriptor)
{
    queue_fd_says(-EMFILE);
}
END_TEST

START_TEST(queue_without_a_descriptor_in_all_the_system)
{
    queue_fd_says(-ENFILE);
}
END_TEST

START_TEST(queue_without_a_pipe)
{
    queue_fd_says(-ENOMEM);
}
END_TEST

/* ---- output ---- */

START_TEST(print_that_cannot_wait)
{
    int ends[2];
    char block[4096] = { 0 };
    HK_EXPECT_EQ(pipe2(ends, O_NONBLOCK), 0);
    while (write(ends[1], block, sizeof block) > 0)
        continue;
    FILE *f = fdopen(ends[1], "w");
    HK_EXPECT(f != NULL);
#ifdef SYS_poll
    bool possible = refuse(SYS_poll, ENOMEM);
#else
    bool possible = true;
#endif
    if (refused(possible && refuse(SYS_ppoll, ENOMEM)))
        HK_EXPECT_EQ(hocket_print(f, "%s\n", "a line for which there is no room"), -ENOMEM);
}
END_TEST

START_TEST(panic_that_nobody_hears)
{
    close(STDERR_FILENO);
    hocket_mutex m = HOCKET_MUTEX_INIT;
    hocket_mutex_unlock(&m);
}
END_TEST

SUITE("system_calls", 30)
{
    suite_once(no_random_numbers);
    suite_once(no_number_of_cpus);
    suite_once(no_limit_of_mappings);
    suite_once(an_empty_limit_of_mappings);
    suite_once(guards_that_are_none);
    suite_once(many_guards_one_by_one);
    suite_once(no_barriers);
    suite_once(no_alternate_stacks);
    suite_once(no_cgroups_and_no_proc);
    suite_once(select_without_a_poller);
    suite_once(select_without_a_pipe);
    suite_once(select_without_any_watch);
    suite_once(select_without_another_watch);
    suite_once(select_of_what_was_closed);
    suite_once(select_of_what_never_blocks);
    suite_once(queue_without_a_descriptor);
    suite_once(queue_without_a_descriptor_in_all_the_system);
    suite_once(queue_without_a_pipe);
    suite_once(print_that_cannot_wait);
    tcase_add_test_raise_signal(suite__case, panic_that_nobody_hears, SIGABRT);
}
