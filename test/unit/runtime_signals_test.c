/* SPDX-License-Identifier: MIT */
/* runtime: SIGINT and SIGTERM: the first cancels, the second ends with 130. */
#include <errno.h>

#include "support/death.h"
#include "support/suite.h"

static int signal_to_send;

/* The child says it is ready by writing, each time it waits for a signal. */
static void send_it(pid_t pid)
{
    HK_EXPECT_EQ(kill(pid, signal_to_send), 0);
}

static void ready(void)
{
    HK_EXPECT_EQ(write(2, "r", 1), 1);
}

static int wait_long(void *arg)
{
    (void)arg;
    return hocket_sleep_until(HOCKET_FOREVER);
}

static int first_cancels(void *arg)
{
    (void)arg;
    hocket_task *t[3];
    for (int i = 0; i < 3; i++)
        t[i] = run_spawn(wait_long, NULL);
    for (int i = 0; i < 3; i++)
        RUN_UNTIL(run_parked(t[i]));
    ready();
    HK_EXPECT_EQ(hocket_sleep_until(HOCKET_FOREVER), -ECANCELED);
    for (int i = 0; i < 3; i++)
        hocket_task_release(t[i]);
    return 33;
}

static void run_child(void *arg)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    static const int workers[] = { 1, 4, HOCKET_NO_WORKERS };
    o.workers = workers[*(int *)arg];
    o.quiet_watchdog = true;
    _exit(hocket_run_with(first_cancels, NULL, &o));
}

static void expect_status(int mode, int signal, void (*child)(void *), int status)
{
    struct death d;
    signal_to_send = signal;
    death_of(&d, child, &mode, send_it);
    HK_EXPECT(WIFEXITED(d.status));
    HK_EXPECT_EQ(WEXITSTATUS(d.status), status);
}

START_TEST(the_first_cancels)
{
    expect_status(_i, SIGINT, run_child, 33);
    expect_status(_i, SIGTERM, run_child, 33);
}
END_TEST

static int computes(void *arg)
{
    (void)arg;
    ready();
    while (!hocket_cancelled())
        if (HOCKET_TSAN)
            (void)hocket_now(); /* it runs handlers only where a function is called that it knows */
    return 34;
}

static void compute_child(void *arg)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = *(int *)arg == 0 ? HOCKET_NO_WORKERS : *(int *)arg;
    o.quiet_watchdog = true;
    _exit(hocket_run_with(computes, NULL, &o));
}

START_TEST(a_computing_program_sees_it)
{
    expect_status(_i, SIGINT, compute_child, 34);
}
END_TEST

static int deaf(void *arg)
{
    (void)arg;
    ready();
    HK_EXPECT_EQ(hocket_sleep_until(HOCKET_FOREVER), -ECANCELED);
    ready();
    for (;;) {
        hocket_scope s;
        hocket_scope_open(&s, HOCKET_SCOPE_OPTIONS(.shield = true));
        (void)hocket_sleep_until(HOCKET_FOREVER);
        HK_EXPECT_EQ(hocket_scope_close(&s), 0);
    }
    return 0;
}

static void deaf_child(void *arg)
{
    (void)arg;
    _exit(hocket_run(deaf, NULL));
}

START_TEST(the_second_ends_hard)
{
    expect_status(0, SIGINT, deaf_child, 130);
    expect_status(0, SIGTERM, deaf_child, 130);
}
END_TEST

static void ignoring_child(void *arg)
{
    signal(SIGINT, SIG_IGN);
    run_child(arg);
}

static void sends_term_after_int(pid_t pid)
{
    HK_EXPECT_EQ(kill(pid, SIGINT), 0);
    HK_EXPECT_EQ(kill(pid, SIGTERM), 0);
}

/* A program under nohup, or in the background of a script: SIGINT stays ignored. */
START_TEST(ignored_signals_stay_ignored)
{
    struct death d;
    int mode = 1;
    death_of(&d, ignoring_child, &mode, sends_term_after_int);
    HK_EXPECT(WIFEXITED(d.status));
    HK_EXPECT_EQ(WEXITSTATUS(d.status), 33); /* one signal counted */
}
END_TEST

static int no_op(void *arg)
{
    (void)arg;
    return 0;
}

static void on_int(int signal)
{
    (void)signal;
}

START_TEST(the_handlers_before_come_back)
{
    struct sigaction mine = { .sa_handler = on_int }, term, now;
    HK_EXPECT_EQ(sigaction(SIGINT, &mine, NULL), 0);
    HK_EXPECT_EQ(sigaction(SIGTERM, NULL, &term), 0);
    for (int i = 0; i < 3; i++) {
        HK_EXPECT_EQ(hocket_run(no_op, NULL), 0);
        HK_EXPECT_EQ(sigaction(SIGINT, NULL, &now), 0);
        HK_EXPECT(now.sa_handler == on_int);
        HK_EXPECT_EQ(sigaction(SIGTERM, NULL, &now), 0);
        HK_EXPECT(now.sa_handler == term.sa_handler);
    }
}
END_TEST

static int handler_is(void *arg)
{
    struct sigaction now;
    HK_EXPECT_EQ(sigaction(SIGINT, NULL, &now), 0);
    HK_EXPECT((now.sa_handler == on_int) == *(bool *)arg);
    return 0;
}

START_TEST(no_signals)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    bool untouched = true;
    signal(SIGINT, on_int);
    o.no_signals = true;
    HK_EXPECT_EQ(hocket_run_with(handler_is, &untouched, &o), 0);
    HK_EXPECT_OK(hocket_runtime_start(NULL)); /* never touches them */
    HK_EXPECT_EQ(handler_is(&untouched), 0);
    HK_EXPECT_OK(hocket_runtime_stop(HOCKET_FOREVER));
    untouched = false;
    HK_EXPECT_EQ(hocket_run(handler_is, &untouched), 0);
}
END_TEST

static int counts_again(void *arg)
{
    (void)arg;
    kill(getpid(), SIGINT); /* raise would ask this worker, which takes no signals */
    HK_EXPECT_EQ(hocket_sleep_until(HOCKET_FOREVER), -ECANCELED);
    return 0;
}

static void twice_child(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++) /* each run counts anew */
        HK_EXPECT_EQ(hocket_run(counts_again, NULL), 0);
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    HK_EXPECT_OK(hocket_runtime_start(&o)); /* and leaves nothing for the next runtime */
    HK_EXPECT_OK(hocket_spawn(NULL, no_op, NULL));
    HK_EXPECT_EQ(hocket_check(), 0);
    HK_EXPECT_OK(hocket_runtime_stop(HOCKET_FOREVER));
    _exit(0);
}

START_TEST(each_run_counts_anew)
{
    death_by_exit(twice_child, NULL, 0, "");
}
END_TEST

SUITE("runtime_signals", 20)
{
    tcase_add_loop_test(suite__case, the_first_cancels, 0, 3);
    tcase_add_loop_test(suite__case, a_computing_program_sees_it, 0, 3);
    suite_once(the_second_ends_hard);
    suite_once(ignored_signals_stay_ignored);
    suite_once(the_handlers_before_come_back);
    suite_once(no_signals);
    suite_once(each_run_counts_anew);
}
