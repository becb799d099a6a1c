/* SPDX-License-Identifier: MIT */
/*
 * The stand-in for Check: a list of suites, each test in a child of its own that leads a process
 * group, killed with everything it started when its time is up.
 *
 * The runner waits for SIGCHLD with sigtimedwait; the signal is blocked for the whole run, so a
 * child that ends before the wait starts is not missed.
 */
#include "check.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FIXTURES 4

struct fixture {
    SFun setup, teardown;
};

struct entry {
    struct entry *next;
    const TTest *test;
    int signal, exit, from, to;
};

struct TCase {
    TCase *next;
    const char *name;
    double timeout;
    struct entry *first, **tail;
    struct fixture checked[FIXTURES], unchecked[FIXTURES];
    int checked_count, unchecked_count;
};

struct Suite {
    Suite *next;
    const char *name;
    TCase *first, **tail;
};

struct SRunner {
    Suite *first, **tail;
    int run, failed;
};

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);
    if (!memory) {
        perror("check");
        exit(2);
    }
    return memory;
}

static double number_from_environment(const char *name, double otherwise)
{
    const char *text = getenv(name);
    double value = text ? atof(text) : 0;
    return value > 0 ? value : otherwise;
}

Suite *suite_create(const char *name)
{
    Suite *suite = allocate(sizeof(*suite));
    suite->name = name;
    suite->tail = &suite->first;
    return suite;
}

TCase *tcase_create(const char *name)
{
    TCase *tcase = allocate(sizeof(*tcase));
    tcase->name = name;
    tcase->tail = &tcase->first;
    tcase->timeout = number_from_environment("CK_DEFAULT_TIMEOUT", 4);
    return tcase;
}

void suite_add_tcase(Suite *suite, TCase *tcase)
{
    *suite->tail = tcase;
    suite->tail = &tcase->next;
}

void tcase_add_ranged(TCase *tcase, const TTest *test, int signal, int exit, int from, int to)
{
    struct entry *entry = allocate(sizeof(*entry));
    *entry = (struct entry){ NULL, test, signal, exit, from, to };
    *tcase->tail = entry;
    tcase->tail = &entry->next;
}

static void fixture_add(struct fixture *list, int *count, SFun setup, SFun teardown)
{
    if (*count == FIXTURES) {
        fprintf(stderr, "check: more than %d fixtures\n", FIXTURES);
        exit(2);
    }
    list[(*count)++] = (struct fixture){ setup, teardown };
}

void tcase_add_checked_fixture(TCase *tcase, SFun setup, SFun teardown)
{
    fixture_add(tcase->checked, &tcase->checked_count, setup, teardown);
}

void tcase_add_unchecked_fixture(TCase *tcase, SFun setup, SFun teardown)
{
    fixture_add(tcase->unchecked, &tcase->unchecked_count, setup, teardown);
}

void tcase_set_timeout(TCase *tcase, double seconds)
{
    tcase->timeout = seconds;
}

SRunner *srunner_create(Suite *suite)
{
    SRunner *runner = allocate(sizeof(*runner));
    runner->tail = &runner->first;
    if (suite)
        srunner_add_suite(runner, suite);
    return runner;
}

void srunner_add_suite(SRunner *runner, Suite *suite)
{
    *runner->tail = suite;
    runner->tail = &suite->next;
}

void srunner_set_fork_status(SRunner *runner, enum fork_status status)
{
    (void)runner;
    (void)status;
}

int srunner_ntests_run(SRunner *runner)
{
    return runner->run;
}

int srunner_ntests_failed(SRunner *runner)
{
    return runner->failed;
}

/* _exit, not exit: the caller may be a fiber whose runtime would wait for itself. */
void standin_fail(const char *file, int line, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    dprintf(STDOUT_FILENO, "%s:%d: %s\n", file, line, text);
    _exit(1);
}

static void fixtures_up(const struct fixture *list, int count)
{
    for (int i = 0; i < count; i++)
        if (list[i].setup)
            list[i].setup();
}

static void fixtures_down(const struct fixture *list, int count)
{
    while (count-- > 0)
        if (list[count].teardown)
            list[count].teardown();
}

static void run_in_child(const TCase *tcase, const struct entry *entry, int i, sigset_t *mask)
{
    setpgid(0, 0);
    sigprocmask(SIG_SETMASK, mask, NULL);
    fixtures_up(tcase->checked, tcase->checked_count);
    entry->test->fn(i);
    fixtures_down(tcase->checked, tcase->checked_count);
    exit(0);
}

/* True when the child ended within `seconds`; else it and its group are killed. */
static bool wait_for(pid_t pid, double seconds, int *ret_status)
{
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    struct timespec now, end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += (time_t)seconds + 1;
    while (waitpid(pid, ret_status, WNOHANG) == 0) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        struct timespec left = { end.tv_sec - now.tv_sec, 0 };
        if (left.tv_sec <= 0) {
            kill(-pid, SIGKILL);
            waitpid(pid, ret_status, 0);
            return false;
        }
        sigtimedwait(&child, NULL, &left);
    }
    kill(-pid, SIGKILL);
    return true;
}

static bool judge(const struct entry *entry, int i, bool in_time, int status)
{
    const TTest *test = entry->test;
    if (!in_time)
        printf("%s:%d: %s:%d: timed out\n", test->file, test->line, test->name, i);
    else if (WIFSIGNALED(status) && WTERMSIG(status) != entry->signal)
        printf("%s:%d: %s:%d: signal %d (%s)\n", test->file, test->line, test->name, i,
               WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (entry->signal && !WIFSIGNALED(status))
        printf("%s:%d: %s:%d: no signal %d\n", test->file, test->line, test->name, i,
               entry->signal);
    else if (WIFEXITED(status) && WEXITSTATUS(status) != entry->exit)
        printf("%s:%d: %s:%d: exit status %d\n", test->file, test->line, test->name, i,
               WEXITSTATUS(status));
    else
        return true;
    return false;
}

static void run_entry(SRunner *runner, const TCase *tcase, const struct entry *entry,
                      sigset_t *mask)
{
    double factor = number_from_environment("CK_TIMEOUT_MULTIPLIER", 1);
    for (int i = entry->from; i < entry->to; i++) {
        int status = 0;
        fflush(NULL);
        pid_t pid = fork();
        if (pid < 0) {
            perror("check: fork");
            exit(2);
        }
        if (pid == 0)
            run_in_child(tcase, entry, i, mask);
        setpgid(pid, pid);
        bool in_time = wait_for(pid, tcase->timeout * factor, &status);
        runner->run++;
        runner->failed += !judge(entry, i, in_time, status);
    }
}

void srunner_run_all(SRunner *runner, enum print_output mode)
{
    sigset_t child, before;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, &before);
    for (Suite *suite = runner->first; suite; suite = suite->next) {
        for (TCase *tcase = suite->first; tcase; tcase = tcase->next) {
            fixtures_up(tcase->unchecked, tcase->unchecked_count);
            for (struct entry *entry = tcase->first; entry; entry = entry->next)
                run_entry(runner, tcase, entry, &before);
            fixtures_down(tcase->unchecked, tcase->unchecked_count);
        }
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (mode != CK_SILENT)
        printf("%d checks, %d failures\n", runner->run, runner->failed);
}

void srunner_free(SRunner *runner)
{
    while (runner->first) {
        Suite *suite = runner->first;
        runner->first = suite->next;
        while (suite->first) {
            TCase *tcase = suite->first;
            suite->first = tcase->next;
            while (tcase->first) {
                struct entry *entry = tcase->first;
                tcase->first = entry->next;
                free(entry);
            }
            free(tcase);
        }
        free(suite);
    }
    free(runner);
}
