/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TEST_DEATH_H
#define HOCKET_TEST_DEATH_H
/*
 * death - how a program ends, and what it says on standard error
 *
 *     death_by_signal(double_release, NULL, SIGABRT, "hocket_task_release");
 *     death_by_exit(exits_from_a_fiber, NULL, 7, "");
 *
 * The function runs in a forked child, so call these before this process has a
 * runtime.  A child that returns from the function ends with status 0.
 *
 * Where the test itself is aborted meanwhile, by its time-out above all, what the child has said so
 * far is shown, and it is asked for a dump of its own.
 */
#include "support/expect.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>

/*
 * LSan does not scan the stack that a thread left for a fiber's, so where a fiber calls exit it
 * takes what main still knows for leaks.  It asks this function, which the programs define.
 */
static int death_child_runs;
__attribute__((visibility("default"))) int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return death_child_runs;
}

struct death {
    int status; /* as waitpid gives it */
    size_t length;
    char text[8192]; /* what it wrote to standard error, cut */
};

static inline void death_child(void (*fn)(void *), void *arg, int to)
{
    struct rlimit none = { 0, 0 };
    (void)setrlimit(RLIMIT_CORE, &none);
    death_child_runs = 1;
    dup2(to, 2);
    close(to);
    fn(arg);
    _exit(0);
}

/* The one that is waited for, for the handler. */
static struct {
    pid_t child;
    int from;
    const struct death *d;
} death_under_way;

#define DEATH_PATIENCE 2000 /* ms between two pieces of what it has to say */

static inline void death_say(const char *text, size_t size)
{
    if (write(2, text, size) < 0)
        _exit(1);
}

/* Of SIGABRT, in the parent.  The child has the handler of time-outs from us (hocket/dump.h). */
static inline void death_aborted(int signal)
{
    static const char head[] = "a child of this test has said so far, and when it was asked:\n";
    static const char end[] = "\nthat was all of it\n";
    struct pollfd p = { death_under_way.from, POLLIN, 0 };
    char text[1024];
    ssize_t n;
    (void)signal;
    death_say(head, sizeof head - 1);
    death_say(death_under_way.d->text, death_under_way.d->length);
    (void)kill(death_under_way.child, SIGRTMAX - 1);
    while (poll(&p, 1, DEATH_PATIENCE) > 0 && (n = read(p.fd, text, sizeof text)) > 0)
        death_say(text, (size_t)n);
    (void)kill(death_under_way.child, SIGKILL);
    death_say(end, sizeof end - 1);
}

static inline void death_watch(const struct death *d, pid_t child, int from)
{
    struct sigaction action;
    memset(&action, 0, sizeof action); /* this file is C++, too */
    action.sa_handler = death_aborted;
    death_under_way.child = child;
    death_under_way.from = from;
    death_under_way.d = d;
    HK_EXPECT_EQ(sigaction(SIGABRT, &action, NULL), 0);
}

/* `poke`, unless NULL, is called in the parent once the child has written something. */
static inline void death_of(struct death *d, void (*fn)(void *), void *arg, void (*poke)(pid_t))
{
    int ends[2];
    HK_EXPECT_EQ(pipe(ends), 0);
    fflush(NULL);
    pid_t pid = fork();
    HK_EXPECT(pid >= 0);
    if (pid == 0) {
        close(ends[0]);
        death_child(fn, arg, ends[1]);
    }
    close(ends[1]);
    d->length = 0;
    death_watch(d, pid, ends[0]);
    for (;;) {
        ssize_t n = read(ends[0], d->text + d->length, sizeof d->text - 1 - d->length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        d->length += (size_t)n;
        if (d->length == sizeof d->text - 1)
            d->length /= 2; /* keeps reading; nobody tests that much */
        if (poke != NULL)
            poke(pid);
    }
    d->text[d->length] = '\0';
    while (waitpid(pid, &d->status, 0) < 0)
        HK_EXPECT_EQ(errno, EINTR);
    (void)signal(SIGABRT, SIG_DFL);
    close(ends[0]);
}

static inline void death__wrong(const struct death *d, const char *wanted, int value)
{
    fprintf(stderr, "expected %s %d, got status 0x%x, and on stderr:\n%s\n", wanted, value,
            (unsigned)d->status, d->text);
    abort();
}

static inline void death__says(const struct death *d, const char *words)
{
    if (strstr(d->text, words) == NULL) {
        fprintf(stderr, "expected on stderr: %s\ngot: %s\n", words, d->text);
        abort();
    }
}

static inline void death_by_signal(void (*fn)(void *), void *arg, int signal, const char *words)
{
    struct death d;
    death_of(&d, fn, arg, NULL);
    if (!WIFSIGNALED(d.status) || WTERMSIG(d.status) != signal)
        death__wrong(&d, "signal", signal);
    death__says(&d, words);
}

static inline void death_by_exit(void (*fn)(void *), void *arg, int status, const char *words)
{
    struct death d;
    death_of(&d, fn, arg, NULL);
    if (!WIFEXITED(d.status) || WEXITSTATUS(d.status) != status)
        death__wrong(&d, "exit status", status);
    death__says(&d, words);
}

#endif
