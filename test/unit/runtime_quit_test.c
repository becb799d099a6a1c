/* SPDX-License-Identifier: MIT */
/* runtime: SIGQUIT writes a dump and the program goes on; a second one ends it. */
#include "support/suite.h"

#include <errno.h>

#include <hocket/dump.h>

#include "support/death.h"

static int sent, to_send = 1;

static void quit(pid_t pid)
{
    if (sent++ < to_send)
        HK_EXPECT_EQ(kill(pid, SIGQUIT), 0);
}

static void ready(void)
{
    HK_EXPECT_EQ(write(2, "ready\n", 6), 6);
}

/* A shell starts what is in the background with SIGQUIT ignored, and the dump respects that. */
static void heard_again(void)
{
    HK_EXPECT(signal(SIGQUIT, SIG_DFL) != SIG_ERR);
}

static hocket_runtime_options options(int workers)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    static const int numbers[] = { 1, 4, HOCKET_NO_WORKERS };
    o.workers = numbers[workers];
    o.quiet_watchdog = true;
    return o;
}

static int sleeper(void *arg)
{
    (void)arg;
    return hocket_sleep_until(HOCKET_FOREVER);
}

static int sleeps(void *arg)
{
    hocket_task *t = NULL;
    (void)arg;
    HK_EXPECT_OK(
        hocket_spawn_task(&t, NULL, sleeper, NULL, HOCKET_SPAWN_OPTIONS(.name = "sleeper")));
    RUN_UNTIL(run_parked(t));
    ready();
    int err = hocket_sleep_until(
        HOCKET_FOREVER); /* the parent sends SIGTERM when it has the dump */
    hocket_task_release(t);
    return err == -ECANCELED ? 44 : 45;
}

static void sleeps_child(void *arg)
{
    hocket_runtime_options o = options(*(int *)arg);
    _exit(hocket_run_with(sleeps, NULL, &o));
}

/* SIGQUIT first, SIGTERM once the end of the dump was seen: as text comes in, `poke` is called. */
static struct death seen;

static void quit_then_term(pid_t pid)
{
    static bool terminated;
    quit(pid);
    if (!terminated && memmem(seen.text, sizeof seen.text, "end of dump", 11) != NULL) {
        terminated = true;
        HK_EXPECT_EQ(kill(pid, SIGTERM), 0);
    }
}

static void expect_dump(void (*child)(void *), int mode, int status, const char *words)
{
    sent = 0;
    memset(seen.text, 0, sizeof seen.text);
    death_of(&seen, child, &mode, quit_then_term);
    if (!WIFEXITED(seen.status) || WEXITSTATUS(seen.status) != status)
        death__wrong(&seen, "exit status", status);
    death__says(&seen, "hocket: dump of ");
    death__says(&seen, words);
}

START_TEST(a_dump_and_it_goes_on)
{
    expect_dump(sleeps_child, _i, 44, "sleeper [");
}
END_TEST

static int computes(void *arg)
{
    (void)arg;
    ready();
    while (!hocket_cancelled())
        if (HOCKET_TSAN)
            (void)hocket_now(); /* it runs handlers only where a function is called that it knows */
    return 44;
}

static void computes_child(void *arg)
{
    hocket_runtime_options o = options(*(int *)arg);
    _exit(hocket_run_with(computes, NULL, &o));
}

/* No worker comes to it: the monitor does, or the handler where there is none. */
START_TEST(all_workers_are_busy)
{
    expect_dump(computes_child, _i, 44, "main [");
}
END_TEST

START_TEST(the_second_ends_it)
{
    struct death d;
    int mode = _i;
    sent = 0;
    to_send = 100; /* whenever it has written something */
    death_of(&d, sleeps_child, &mode, quit);
    HK_EXPECT(WIFSIGNALED(d.status));
    HK_EXPECT_EQ(WTERMSIG(d.status), SIGQUIT);
    death__says(&d, "hocket: dump of ");
}
END_TEST

static void no_dump_child(void *arg)
{
    hocket_runtime_options o = options(*(int *)arg);
    o.no_dump = *(int *)arg == 0;
    o.no_signals = *(int *)arg != 0;
    _exit(hocket_run_with(sleeps, NULL, &o));
}

START_TEST(off_by_an_option)
{
    struct death d;
    int mode = _i;
    sent = 0;
    death_of(&d, no_dump_child, &mode, quit);
    HK_EXPECT(WIFSIGNALED(d.status));
    HK_EXPECT_EQ(WTERMSIG(d.status), SIGQUIT);
    HK_EXPECT(strstr(d.text, "hocket: dump of ") == NULL);
}
END_TEST

static void quit_and_term(pid_t pid)
{
    HK_EXPECT_EQ(kill(pid, SIGQUIT), 0);
    HK_EXPECT_EQ(kill(pid, SIGTERM), 0);
}

static void ignoring_child(void *arg)
{
    HK_EXPECT(signal(SIGQUIT, SIG_IGN) != SIG_ERR);
    sleeps_child(arg);
}

START_TEST(ignored_it_stays_ignored)
{
    struct death d;
    int mode = _i;
    death_of(&d, ignoring_child, &mode, quit_and_term);
    HK_EXPECT(WIFEXITED(d.status));
    HK_EXPECT_EQ(WEXITSTATUS(d.status), 44);
    HK_EXPECT(strstr(d.text, "hocket: dump of ") == NULL);
}
END_TEST

static void on_quit(int signal)
{
    (void)signal;
}

static int no_op(void *arg)
{
    struct sigaction now;
    HK_EXPECT_EQ(sigaction(SIGQUIT, NULL, &now), 0);
    HK_EXPECT((now.sa_handler == on_quit) == *(bool *)arg);
    return 0;
}

START_TEST(the_handler_before_comes_back)
{
    struct sigaction now;
    bool mine = false;
    HK_EXPECT(signal(SIGQUIT, on_quit) != SIG_ERR);
    for (int i = 0; i < 3; i++) {
        HK_EXPECT_EQ(hocket_run(no_op, &mine), 0);
        HK_EXPECT_EQ(sigaction(SIGQUIT, NULL, &now), 0);
        HK_EXPECT(now.sa_handler == on_quit);
    }
    mine = true;
    HK_EXPECT_EQ(hocket_dump_on_signal(SIGUSR1),
                 0); /* one signal at a time: the program's choice */
    HK_EXPECT_EQ(hocket_run(no_op, &mine), 0);
    HK_EXPECT_EQ(sigaction(SIGUSR1, NULL, &now), 0);
    HK_EXPECT(now.sa_handler != SIG_DFL);
    HK_EXPECT_EQ(hocket_dump_on_signal(0), 0);
    HK_EXPECT_EQ(sigaction(SIGUSR1, NULL, &now), 0);
    HK_EXPECT(now.sa_handler == SIG_DFL);
    HK_EXPECT_EQ(hocket_dump_on_signal(SIGKILL), -EINVAL);
    HK_EXPECT_EQ(hocket_dump_on_signal(-1), -EINVAL);
    HK_EXPECT_EQ(hocket_dump_on_signal(1000), -EINVAL);
}
END_TEST

/* In the handler, on whatever stack. */
static void no_runtime_child(void *arg)
{
    (void)arg;
    (void)hocket_self();
    HK_EXPECT_OK(hocket_dump_on_signal(SIGUSR2));
    HK_EXPECT_EQ(raise(SIGUSR2), 0);
    HK_EXPECT_OK(hocket_dump_on_signal(0));
    _exit(3);
}

START_TEST(without_a_runtime)
{
    death_by_exit(no_runtime_child, NULL, 3, ": 1 task (0 waiting, 1 running, 0 ready, 0 held)\n");
}
END_TEST

static void workers_too_child(void *arg)
{
    hocket_runtime_options o = options(*(int *)arg);
    o.no_signals = true;
    HK_EXPECT_OK(hocket_dump_on_signal(SIGUSR1));
    HK_EXPECT_OK(hocket_runtime_start(&o));
    ready();
    hocket_task *t = NULL;
    HK_EXPECT_OK(
        hocket_spawn_task(&t, NULL, sleeper, NULL, HOCKET_SPAWN_OPTIONS(.name = "sleeper")));
    HK_EXPECT_EQ(hocket_join(t, NULL, hocket_after(200 * HOCKET_SEC)), 0);
    hocket_task_release(t);
    _exit(0);
}

static void usr1_then_kill(pid_t pid)
{
    if (sent++ == 0)
        HK_EXPECT_EQ(kill(pid, SIGUSR1), 0);
    if (memmem(seen.text, sizeof seen.text, "end of dump", 11) != NULL)
        HK_EXPECT_EQ(kill(pid, SIGKILL), 0);
}

START_TEST(programs_with_a_loop_of_their_own)
{
    int mode = _i;
    sent = 0;
    memset(seen.text, 0, sizeof seen.text);
    death_of(&seen, workers_too_child, &mode, usr1_then_kill);
    HK_EXPECT(WIFSIGNALED(seen.status));
    HK_EXPECT_EQ(WTERMSIG(seen.status), SIGKILL);
    death__says(&seen, "hocket: dump of ");
}
END_TEST

SUITE("runtime_quit", 30)
{
    tcase_add_checked_fixture(suite__case, heard_again, NULL);
    tcase_add_loop_test(suite__case, a_dump_and_it_goes_on, 0, 3);
    tcase_add_loop_test(suite__case, all_workers_are_busy, 0, 3);
    tcase_add_loop_test(suite__case, the_second_ends_it, 0, 3);
    tcase_add_loop_test(suite__case, off_by_an_option, 0, 2);
    tcase_add_loop_test(suite__case, ignored_it_stays_ignored, 0, 3);
    suite_once(the_handler_before_comes_back);
    suite_once(without_a_runtime);
    tcase_add_loop_test(suite__case, programs_with_a_loop_of_their_own, 0, 3);
}
