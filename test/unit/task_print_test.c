/* SPDX-License-Identifier: MIT */
/* Print: whole lines from many tasks, order with stdio, broken and slow streams. */
#include "support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <hocket/print.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>

#define TASKS 8

static int lines; /* a task */
static FILE *out;

static int prints(void *arg)
{
    int n = (int)(intptr_t)arg;
    char filler[120];
    for (int i = 0; i < lines; i++) {
        /* Also lines longer than what print formats without memory of its own. */
        int width = i % 50 == 0 ? 700 : (i * 7 + n) % 100;
        snprintf(filler, sizeof filler, "%*d", width % 100, i);
        int length = hocket_print(out, "%d %d %*s%s.\n", n, i, width, "", filler);
        HK_EXPECT(length > width);
        if (i % 64 == 0)
            (void)hocket_yield();
    }
    return 0;
}

/* Each line whole, and each task's in order. */
static void check(FILE *in)
{
    int next[TASKS] = { 0 }, total = 0, n, i, value;
    char line[2048];
    rewind(in);
    while (fgets(line, sizeof line, in) != NULL) {
        HK_EXPECT_EQ(sscanf(line, "%d %d %d.", &n, &i, &value), 3);
        HK_EXPECT(n >= 0 && n < TASKS);
        HK_EXPECT_EQ(i, next[n]++);
        HK_EXPECT_EQ(value, i);
        HK_EXPECT(strcmp(line + strlen(line) - 2, ".\n") == 0);
        total++;
    }
    HK_EXPECT_EQ(total, TASKS * lines);
}

struct storm {
    pthread_t victim;
    _Atomic int over;
};

/*
 * It takes a breath: a victim whose handlers cost more than the pause would never go on.  And it blows
 * only while nobody joins threads: clang's ThreadSanitizer runs handlers in the middle of pthread_join,
 * which frees memory, with its own locks taken, and waits for itself then.
 */
static void *storm(void *arg)
{
    struct storm *s = arg;
    const struct timespec breath = { 0, 20 * HOCKET_US };
    while (!hk_load(&s->over)) {
        (void)pthread_kill(s->victim, SIGUSR1);
        (void)ppoll(NULL, 0, &breath, NULL);
    }
    return NULL;
}

static int many_print(void *weather)
{
    hocket_task *t[TASKS];
    for (int i = 0; i < TASKS; i++)
        t[i] = run_spawn(prints, (void *)(intptr_t)i);
    pthread_t other;
    if (weather != NULL)
        HK_EXPECT_EQ(pthread_create(&other, NULL, storm, weather), 0);
    for (int i = 0; i < TASKS; i++)
        run_finish(t[i], 0);
    if (weather != NULL) {
        struct storm *s = weather;
        hk_store(&s->over, 1);
        HK_EXPECT_EQ(pthread_join(other, NULL), 0);
    }
    return 0;
}

START_TEST(whole_lines)
{
    lines = run_scaled(10000, 1000);
    out = tmpfile();
    run_in(_i, many_print, NULL);
    check(out);
    fclose(out);
}
END_TEST

/* A pipe that is full most of the time. */
static FILE *pipe_in;

static void *drain_pipe(void *copy)
{
    char block[333];
    ssize_t n;
    while ((n = read(fileno(pipe_in), block, sizeof block)) > 0 || (n < 0 && errno == EINTR))
        if (n > 0)
            fwrite(block, 1, (size_t)n, copy);
    return NULL;
}

static void ignore(int signal)
{
    (void)signal;
}

/* Blocking or not, and with signals that interrupt the writes: nothing is lost. */
START_TEST(slow_pipe)
{
    int ends[2];
    pthread_t reader;
    struct storm s = { pthread_self(), 0 };
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = ignore; /* no SA_RESTART */
    HK_EXPECT_EQ(sigaction(SIGUSR1, &action, NULL), 0);
    HK_EXPECT_EQ(pipe(ends), 0);
    if (_i % 2 == 1)
        HK_EXPECT_EQ(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    pipe_in = fdopen(ends[0], "r");
    out = fdopen(ends[1], "w");
    FILE *copy = tmpfile();
    HK_EXPECT_EQ(pthread_create(&reader, NULL, drain_pipe, copy), 0);
    lines = 500;
    run_in(_i / 2, many_print, &s);
    fclose(out);
    HK_EXPECT_EQ(pthread_join(reader, NULL), 0);
    check(copy);
    fclose(copy);
    fclose(pipe_in);
}
END_TEST

START_TEST(in_order_with_stdio)
{
    FILE *f = tmpfile();
    char text[32] = "";
    HK_EXPECT(fputs("one ", f) >= 0);
    HK_EXPECT_EQ(hocket_print(f, "%s ", "two"), 4);
    HK_EXPECT(fputs("three", f) >= 0);
    rewind(f);
    HK_EXPECT(fgets(text, sizeof text, f) != NULL);
    HK_EXPECT_STR(text, "one two three");
    fclose(f);
}
END_TEST

START_TEST(stream_in_memory)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    HK_EXPECT_EQ(hocket_print(f, "%d%c", 12, 'x'), 3);
    HK_EXPECT_EQ(hocket_print(f, "%s", ""), 0);
    fclose(f);
    HK_EXPECT_STR(text, "12x");
    free(text);

    char small[4];
    f = fmemopen(small, sizeof small, "w");
    setbuf(f, NULL);
    HK_EXPECT(hocket_print(f, "far too long") < 0);
    fclose(f);
}
END_TEST

START_TEST(errors)
{
    FILE *full = fopen("/dev/full", "w"), *in = fopen("/dev/null", "r");
    HK_EXPECT_EQ(hocket_print(full, "x\n"), -ENOSPC);
    HK_EXPECT_EQ(hocket_print(in, "x\n"), -EBADF);
    fclose(full);
    fclose(in);
    static const wchar_t none[] = { 0xd800, 0 }; /* half of a pair: no character at all */
    HK_EXPECT_EQ(hocket_print(stdout, "%ls", none), -EINVAL);
    int ends[2];
    HK_EXPECT_EQ(pipe(ends), 0);
    HK_EXPECT(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    FILE *f = fdopen(ends[1], "w");
    close(ends[0]);
    HK_EXPECT_EQ(hocket_print(f, "x\n"), -EPIPE);
    fclose(f);
}
END_TEST

SUITE("print", 30)
{
    suite_each(whole_lines);
    tcase_add_loop_test(suite__case, slow_pipe, 0, 2 * RUN_MODES);
    suite_once(in_order_with_stdio);
    suite_once(stream_in_memory);
    suite_once(errors);
}
