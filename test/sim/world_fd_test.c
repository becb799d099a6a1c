/* SPDX-License-Identifier: MIT */
/*
 * Pipes and sockets between simulated tasks: the kernel keeps the bytes, the world says who goes on, so a
 * seed does the same each time, to the byte; and time stands still while a descriptor is ready.
 */
#include <errno.h>
#include <fcntl.h>
#include <hocket.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/expect.h"
#include "support/suite.h"

#define RECORDS 6
#define RECORD  1500
#define PIPE    4096

static FILE *tasks_log;
static int into_pipe, out_of_pipe, client[2], server[2];
static hocket_queue *queue;

/* What a task has seen: a line. */
static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *format, ...)
{
    va_list args;
    if (tasks_log == NULL)
        return;
    fprintf(tasks_log, "%llu %lld ", (unsigned long long)hocket_task_id(hocket_self()),
            (long long)hocket_now());
    va_start(args, format);
    vfprintf(tasks_log, format, args);
    va_end(args);
    fputc('\n', tasks_log);
}

static int until_ready(int fd, unsigned events)
{
    hocket_case cases[] = { hocket_case_fd(fd, events) };
    return hocket_select(cases, 1, HOCKET_FOREVER);
}

static void write_all(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, text, size);
        if (n < 0) {
            HK_EXPECT_EQ(errno, EAGAIN);
            note("it is full");
            HK_EXPECT_EQ(until_ready(fd, HOCKET_WRITABLE), 0);
            continue;
        }
        note("wrote %zd", n);
        text += n;
        size -= (size_t)n;
    }
}

/* Producers: records into the pipe, each whole or not at all. */
static int produce(void *arg)
{
    char text[RECORD];
    memset(text, 'a' + (int)(intptr_t)arg, sizeof text);
    for (int i = 0; i < RECORDS; i++) {
        write_all(into_pipe, text, sizeof text);
        if (hocket_sim_choice(3) == 0)
            HK_EXPECT_OK(hocket_sleep(HOCKET_MS));
    }
    return 0;
}

/* The other end: until there is nothing for a long time, or a word in the queue says so. */
static int consume(void *arg)
{
    char text[1000];
    int word, *ret_sum = arg;
    for (;;) {
        hocket_case cases[] = { hocket_case_fd(out_of_pipe, HOCKET_READABLE),
                                hocket_case_get(queue, &word) };
        int which = hocket_select(cases, 2, hocket_after(HOCKET_SEC));
        note("select %d", which);
        if (which == 1)
            return 0;
        HK_EXPECT_EQ(which, 0);
        ssize_t n = read(out_of_pipe, text, sizeof text);
        HK_EXPECT(n > 0 || (n < 0 && errno == EAGAIN)); /* another consumer was first */
        note("read %zd of '%c'", n, n > 0 ? text[0] : '-');
        *ret_sum += n > 0 ? (int)n : 0;
    }
}

/* Echo over a socket, until the other side closes. */
static int serve(void *arg)
{
    char text[64];
    int fd = server[(intptr_t)arg];
    for (;;) {
        HK_EXPECT_EQ(until_ready(fd, HOCKET_READABLE), 0);
        ssize_t n = read(fd, text, sizeof text);
        note("served %zd", n);
        if (n == 0)
            return close(fd);
        HK_EXPECT(n > 0);
        write_all(fd, text, (size_t)n);
    }
}

static int call(void *arg)
{
    int fd = client[(intptr_t)arg];
    char text[64];
    for (int i = 0; i < 4; i++) {
        (void)snprintf(text, sizeof text, "call %d of %d", i, (int)(intptr_t)arg);
        size_t size = strlen(text) + 1, got = 0;
        write_all(fd, text, size);
        while (got < size) {
            HK_EXPECT_EQ(until_ready(fd, HOCKET_READABLE), 0);
            ssize_t n = read(fd, text + got, size - got);
            HK_EXPECT(n > 0);
            got += (size_t)n;
        }
        note("%s", text);
    }
    return close(fd);
}

static void connect_all(void)
{
    int ends[2];
    HK_EXPECT_EQ(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    out_of_pipe = ends[0];
    into_pipe = ends[1];
    (void)fcntl(into_pipe, F_SETPIPE_SZ, PIPE);
    for (int i = 0; i < 2; i++) {
        HK_EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
        client[i] = ends[0];
        server[i] = ends[1];
    }
}

/* arg: where the log goes, or NULL. */
static int traffic(void *arg)
{
    hocket_scope all, producers;
    int sum[2] = { 0, 0 }, stop = 0;
    if (arg != NULL)
        HK_EXPECT((tasks_log = fopen(arg, "w")) != NULL);
    connect_all();
    HK_EXPECT_OK(hocket_queue_new(&queue, sizeof stop, NULL));
    hocket_scope_open(&all, NULL);
    for (intptr_t i = 0; i < 2; i++) {
        HK_EXPECT_OK(hocket_spawn(&all, serve, (void *)i));
        HK_EXPECT_OK(hocket_spawn(&all, call, (void *)i));
        HK_EXPECT_OK(hocket_spawn(&all, consume, &sum[i]));
    }
    hocket_scope_open(&producers, NULL);
    for (intptr_t i = 0; i < 2; i++)
        HK_EXPECT_OK(hocket_spawn(&producers, produce, (void *)i));
    HK_EXPECT_OK(hocket_scope_close(&producers));
    while (sum[0] + sum[1] < 2 * RECORDS * RECORD)
        HK_EXPECT_OK(hocket_sleep(HOCKET_MS));
    for (int i = 0; i < 2; i++)
        HK_EXPECT_OK(hocket_queue_put(queue, &stop, HOCKET_FOREVER));
    HK_EXPECT_OK(hocket_scope_close(&all));
    HK_EXPECT_EQ(sum[0] + sum[1], 2 * RECORDS * RECORD);
    hocket_queue_free(queue);
    (void)close(into_pipe);
    (void)close(out_of_pipe);
    if (tasks_log != NULL)
        HK_EXPECT_EQ(fclose(tasks_log), 0);
    return 0;
}

/* ---- the same as a program that knows of no world ---- */

__attribute__((constructor)) static void be_the_program(void)
{
    if (getenv("WORLD_FD_LOG") != NULL)
        exit(hocket_run(traffic, getenv("WORLD_FD_LOG")));
    (void)unsetenv("HOCKET_SIM_SEEDS"); /* here the number matters */
}

/* ---- twice ---- */

static char folder[] = "/tmp/hocket-fd-XXXXXX", trace[64], said[64];

/* The whole of a file, with its size in front. */
static char *contents(const char *path, size_t *ret_size)
{
    struct stat st;
    FILE *f = fopen(path, "r");
    HK_EXPECT(f != NULL && fstat(fileno(f), &st) == 0);
    char *text = malloc((size_t)st.st_size + 1);
    *ret_size = fread(text, 1, (size_t)st.st_size, f);
    HK_EXPECT(fclose(f) == 0 && *ret_size == (size_t)st.st_size);
    return text;
}

struct seen {
    char *text[2];
    size_t size[2];
    uint64_t hash;
};

static struct seen once(uint64_t seed, int strategy, bool program)
{
    hocket_sim_result r;
    struct seen seen;
    hocket_sim_options o = HOCKET_SIM_OPTIONS_DEFAULT;
    o.first = seed;
    o.seeds = 1;
    o.strategy = strategy;
    o.trace = trace;
    o.result = &r;
    char *argv[] = { (char *)"/proc/self/exe", NULL };
    HK_EXPECT_EQ(program ? hocket_sim_exec(argv, &o) : hocket_sim_run(traffic, said, &o), 0);
    seen.text[0] = contents(trace, &seen.size[0]);
    seen.text[1] = contents(said, &seen.size[1]);
    seen.hash = r.hash;
    return seen;
}

static void forget(struct seen *s)
{
    free(s->text[0]);
    free(s->text[1]);
}

static void twice(unsigned seeds, bool program)
{
    uint64_t last = 0;
    unsigned different = 0;
    for (uint64_t seed = 0; seed < seeds; seed++) {
        int strategy = seed % 2 ? HOCKET_SIM_PCT : HOCKET_SIM_RANDOM;
        struct seen a = once(seed, strategy, program);
        int moves_the_numbers = dup(2);
        struct seen b = once(seed, strategy, program);
        (void)close(moves_the_numbers);
        for (int i = 0; i < 2; i++) {
            HK_EXPECT_EQ(a.size[i], b.size[i]);
            HK_EXPECT(memcmp(a.text[i], b.text[i], a.size[i]) == 0);
            HK_EXPECT(a.size[i] > 1000);
        }
        HK_EXPECT_EQ(a.hash, b.hash);
        different += a.hash != last;
        last = a.hash;
        forget(&a);
        forget(&b);
    }
    HK_EXPECT(different > seeds - seeds / 10); /* and other seeds are other runs */
}

static void open_folder(void)
{
    HK_EXPECT(mkdtemp(folder) != NULL);
    (void)snprintf(trace, sizeof trace, "%s/trace", folder);
    (void)snprintf(said, sizeof said, "%s/said", folder);
}

static void close_folder(void)
{
    (void)unlink(trace);
    (void)unlink(said);
    (void)rmdir(folder);
}

START_TEST(a_hundred_seeds_twice)
{
    open_folder();
    twice(100, false);
    close_folder();
}
END_TEST

START_TEST(a_program_twice)
{
    open_folder();
    HK_EXPECT_EQ(setenv("WORLD_FD_LOG", said, 1), 0);
    twice((unsigned)run_scaled(100, 20), true);
    close_folder();
}
END_TEST

/* ---- time ---- */

static int writes_at_once(void *arg)
{
    (void)arg;
    HK_EXPECT_EQ(write(into_pipe, "x", 1), 1);
    return 0;
}

/* What is written before all sleep is there before the clock jumps, however short the deadline. */
static int body_no_jump(void *arg)
{
    hocket_scope scope;
    char byte;
    (void)arg;
    connect_all();
    for (int i = 0; i < 5; i++) {
        hocket_scope_open(&scope, NULL);
        HK_EXPECT_OK(hocket_spawn(&scope, writes_at_once, NULL));
        hocket_case cases[] = { hocket_case_fd(out_of_pipe, HOCKET_READABLE) };
        HK_EXPECT_EQ(hocket_select(cases, 1, hocket_after(HOCKET_SEC)), 0);
        HK_EXPECT_EQ(read(out_of_pipe, &byte, 1), 1);
        HK_EXPECT_OK(hocket_scope_close(&scope));
    }
    return 0;
}

static hocket_time deadline;
static bool in_time;

static int writes_and_goes_on(void *arg)
{
    (void)arg;
    HK_EXPECT_EQ(write(into_pipe, "x", 1), 1);
    in_time = hocket_now() < deadline;
    for (int i = 0; i < 100; i++)
        hocket_sim_point();
    return 0;
}

/* A near deadline may pass while others could run, but not that of a wait that may end. */
static int body_near_deadline(void *arg)
{
    hocket_scope scope;
    (void)arg;
    connect_all();
    deadline = hocket_after(100 * HOCKET_US);
    hocket_scope_open(&scope, NULL);
    HK_EXPECT_OK(hocket_spawn(&scope, writes_and_goes_on, NULL));
    hocket_case cases[] = { hocket_case_fd(out_of_pipe, HOCKET_READABLE) };
    int which = hocket_select(cases, 1, deadline);
    HK_EXPECT(which == 0 || (which == -ETIMEDOUT && !in_time));
    HK_EXPECT_OK(hocket_scope_close(&scope));
    return 0;
}

START_TEST(time_does_not_pass_a_ready_descriptor)
{
    hocket_task_fn *bodies[] = { body_no_jump, body_near_deadline };
    for (int i = 0; i < 4; i++)
        HK_EXPECT_EQ(hocket_sim_run(bodies[i / 2], NULL,
                                    HOCKET_SIM_OPTIONS(.seeds = 200, .strategy = i % 2)),
                     0);
}
END_TEST

/* ---- who spins ---- */

static bool got_it;

static int reads_one(void *arg)
{
    (void)arg;
    HK_EXPECT_EQ(until_ready(out_of_pipe, HOCKET_READABLE), 0);
    got_it = true;
    return 0;
}

static int spins(void *arg)
{
    (void)arg;
    while (!got_it)
        HK_EXPECT_OK(hocket_yield());
    return 0;
}

/* Nobody waits or ends before the reader has run: there is always one who could go on. */
static int body_spins(void *arg)
{
    hocket_scope scope;
    (void)arg;
    connect_all();
    hocket_scope_open(&scope, NULL);
    HK_EXPECT_OK(hocket_spawn(&scope, reads_one, NULL));
    HK_EXPECT_OK(hocket_spawn(&scope, spins, NULL));
    for (int i = 0; i < 20; i++) /* mostly enough for the reader to wait */
        HK_EXPECT_OK(hocket_yield());
    HK_EXPECT_OK(writes_at_once(NULL));
    spins(NULL);
    HK_EXPECT_OK(hocket_scope_close(&scope));
    return 0;
}

START_TEST(a_descriptor_is_seen_by_who_spins)
{
    for (int strategy = HOCKET_SIM_RANDOM; strategy <= HOCKET_SIM_PCT; strategy++)
        HK_EXPECT_EQ(
            hocket_sim_run(body_spins, NULL, HOCKET_SIM_OPTIONS(.seeds = 50, .strategy = strategy)),
            0);
}
END_TEST

static int body_nobody_writes(void *arg)
{
    (void)arg;
    connect_all();
    return until_ready(out_of_pipe, HOCKET_READABLE);
}

START_TEST(nobody_writes)
{
    hocket_sim_result r = { 0 };
    HK_EXPECT_EQ(hocket_sim_run(body_nobody_writes, NULL,
                                HOCKET_SIM_OPTIONS(.seeds = 1, .quiet = true, .no_shrink = true,
                                                   .result = &r)),
                 -EDEADLK);
    HK_EXPECT_EQ(r.failure, HOCKET_SIM_DEADLOCK);
}
END_TEST

SUITE("world_fd", 120)
{
    suite_once(a_hundred_seeds_twice);
    suite_once(a_program_twice);
    suite_once(time_does_not_pass_a_ready_descriptor);
    suite_once(a_descriptor_is_seen_by_who_spins);
    suite_once(nobody_writes);
}
