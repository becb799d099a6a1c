/* SPDX-License-Identifier: MIT */
/* runtime: how a program ends: results, daemons, at-exit functions, exit and _exit from tasks. */
#include <errno.h>
#include <pthread.h>

#include "support/death.h"
#include "support/suite.h"

static int give(void *arg)
{
    return (int)(intptr_t)arg;
}

START_TEST(run_returns_the_result)
{
    static const int results[] = { 0, 1, 42, -EIO, 255, INT32_MAX };
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = _i == 0 ? HOCKET_NO_WORKERS : _i;
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        HK_EXPECT_EQ(hocket_run_with(give, (void *)(intptr_t)results[i], &o), results[i]);
}
END_TEST

static int root(void *arg)
{
    char name[HOCKET_NAME_MAX];
    hocket_task *self = hocket_self();
    (void)arg;
    HK_EXPECT(hocket_main_task() == self);
    HK_EXPECT_STR(hocket_task_name(self, name, sizeof name), "main");
    HK_EXPECT(hocket_task_alive(self));
    HK_EXPECT(!hocket_task_daemon(self));
    return 0;
}

START_TEST(the_main_task)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    HK_EXPECT_EQ(hocket_run(root, NULL), 0);
    HK_EXPECT(hocket_main_task() == NULL);
    HK_EXPECT_OK(hocket_runtime_start(&o));
    HK_EXPECT(hocket_main_task() == NULL);
    HK_EXPECT_OK(hocket_runtime_stop(HOCKET_FOREVER));
}
END_TEST

static _Atomic int step; /* in which order things happen */

static void expect_step(int n)
{
    HK_EXPECT_EQ(hk_add(&step, 1), n);
}

static void at_exit_step(void *arg)
{
    expect_step((int)(intptr_t)arg);
}

static void nested_at_exit(void *arg)
{
    at_exit_step(arg);
    HK_EXPECT_OK(hocket_at_exit(at_exit_step, (void *)((intptr_t)arg + 1)));
}

static int daemon_of(void *arg)
{
    (void)arg;
    HK_EXPECT(hocket_task_daemon(hocket_self()));
    HK_EXPECT_EQ(hocket_sleep_until(HOCKET_FOREVER), -ECANCELED);
    expect_step(5); /* cancelled after everything else */
    return hocket_check();
}

static int last_task(void *arg)
{
    (void)arg;
    for (int i = 0; i < 20; i++)
        run_turn();
    expect_step(0);
    return 0;
}

static int ordered(void *arg)
{
    hocket_task *t;
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    (void)arg;
    o.daemon = true;
    o.placement = run_placement();
    HK_EXPECT_OK(hocket_at_exit(at_exit_step, (void *)(intptr_t)4));
    HK_EXPECT_OK(hocket_at_exit(nested_at_exit, (void *)(intptr_t)2));
    HK_EXPECT_OK(hocket_at_exit(at_exit_step, (void *)(intptr_t)1));
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, daemon_of, NULL, &o));
    RUN_UNTIL(run_parked(t));
    hocket_task_release(t);
    HK_EXPECT_OK(hocket_spawn(NULL, last_task, NULL));
    return 0;
}

/* Last in, first out; after the tasks, before the daemons are cancelled; once. */
START_TEST(order_at_the_end)
{
    for (int i = 0; i < 2; i++) {
        hk_store(&step, 0);
        run_in(_i, ordered, NULL);
        HK_EXPECT_EQ(step, 6);
    }
}
END_TEST

static int at_the_end(void *arg)
{
    for (int i = 0; i < 5; i++)
        run_turn();
    (void)hk_add((_Atomic int *)arg, 1);
    return 0;
}

static void spawns_at_exit(void *arg)
{
    HK_EXPECT_OK(hocket_spawn(NULL, at_the_end, arg));
}

static void starts_at_exit(void *arg)
{
    HK_EXPECT_EQ(hocket_runtime_start(NULL), 0);
    HK_EXPECT_EQ(hocket_runtime_stop(HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(hocket_runtime_stop(HOCKET_FOREVER), -EPERM); /* the last one is under way */
    HK_EXPECT_EQ(hocket_run(at_the_end, arg), -EBUSY);
}

static int with_busy_at_exit(void *arg)
{
    HK_EXPECT_OK(hocket_at_exit(spawns_at_exit, arg));
    HK_EXPECT_OK(hocket_at_exit(starts_at_exit, arg));
    return 0;
}

/* An at-exit function may spawn, which is waited for, and starts and stops nest. */
START_TEST(at_exit_functions_use_the_runtime)
{
    _Atomic int n = 0;
    for (int i = 1; i <= 3; i++) {
        run_in(_i, with_busy_at_exit, &n);
        HK_EXPECT_EQ(n, i);
    }
}
END_TEST

/* ---- exit(n) and _exit(n), in children ---- */

static int exit_fn(void *arg)
{
    exit((int)(intptr_t)arg);
}

static int quick_fn(void *arg)
{
    _exit((int)(intptr_t)arg);
}

static int idle_fn(void *arg)
{
    (void)arg;
    return hocket_sleep_until(HOCKET_FOREVER);
}

static int spin_fn(void *arg)
{
    (void)arg;
    while (!hocket_cancelled())
        continue;
    return 0;
}

static void say(void *arg)
{
    HK_EXPECT(write(2, arg, strlen(arg)) > 0);
}

struct ending {
    hocket_task_fn *how;
    int mode;
};

static int end_from_a_task(void *arg)
{
    struct ending *e = arg;
    (void)run_spawn(idle_fn, NULL);
    if (run_mode->workers > 1)
        (void)run_spawn(spin_fn, NULL);
    HK_EXPECT_OK(hocket_at_exit(say, "(first)"));
    HK_EXPECT_OK(hocket_at_exit(say, "(second)"));
    (void)run_spawn(e->how, (void *)(intptr_t)7);
    return hocket_sleep_until(HOCKET_FOREVER);
}

static void ending_child(void *arg)
{
    struct ending *e = arg;
    run_in(e->mode, end_from_a_task, e);
}

/* The program ends with n, the functions run once, nothing hangs on those that go on. */
START_TEST(exit_from_a_task)
{
    struct ending e = { exit_fn, _i };
    struct death d;
    death_of(&d, ending_child, &e, NULL);
    HK_EXPECT(WIFEXITED(d.status));
    HK_EXPECT_EQ(WEXITSTATUS(d.status), 7);
    HK_EXPECT_STR(d.text, "(second)(first)");
}
END_TEST

START_TEST(quick_exit_from_a_task)
{
    struct ending e = { quick_fn, _i };
    struct death d;
    death_of(&d, ending_child, &e, NULL);
    HK_EXPECT(WIFEXITED(d.status));
    HK_EXPECT_EQ(WEXITSTATUS(d.status), 7);
    HK_EXPECT_STR(d.text, "");
}
END_TEST

static int exit_of_root(void *arg)
{
    HK_EXPECT_OK(hocket_at_exit(say, "(once)"));
    exit(*(int *)arg);
}

static void exit_of_root_child(void *arg)
{
    (void)hocket_run(exit_of_root, arg);
}

START_TEST(exit_from_the_main_task)
{
    int status = 9;
    death_by_exit(exit_of_root_child, &status, 9, "(once)");
}
END_TEST

static int register_only(void *arg)
{
    (void)arg;
    return hocket_at_exit(say, "(once)");
}

static void normal_end_child(void *arg)
{
    (void)arg;
    HK_EXPECT_EQ(hocket_run(register_only, NULL), 0);
    say("(then)");
    exit(3); /* they ran already */
}

START_TEST(once_when_both_end)
{
    struct death d;
    death_of(&d, normal_end_child, NULL, NULL);
    HK_EXPECT_EQ(WEXITSTATUS(d.status), 3);
    HK_EXPECT_STR(d.text, "(once)(then)");
}
END_TEST

static void without_runtime_child(void *arg)
{
    (void)arg;
    HK_EXPECT_OK(hocket_at_exit(say, "(a)"));
    HK_EXPECT_OK(hocket_at_exit(say, "(b)"));
    exit(0);
}

/* Registered though no runtime ever ran: exit(3) calls them. */
START_TEST(without_a_runtime)
{
    struct death d;
    death_of(&d, without_runtime_child, NULL, NULL);
    HK_EXPECT_STR(d.text, "(b)(a)");
}
END_TEST

static int fork_and_exit(void *arg)
{
    int status;
    (void)arg;
    HK_EXPECT_OK(hocket_at_exit(say, "(parent)"));
    pid_t pid = fork();
    if (pid == 0)
        exit(0); /* not our functions: they are the parent's */
    HK_EXPECT_EQ(waitpid(pid, &status, 0), pid);
    HK_EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return 0;
}

static void fork_child(void *arg)
{
    (void)arg;
    HK_EXPECT_EQ(hocket_run(fork_and_exit, NULL), 0);
    _exit(0);
}

START_TEST(a_forked_child_leaves_them_alone)
{
    struct death d;
    death_of(&d, fork_child, NULL, NULL);
    HK_EXPECT(WIFEXITED(d.status) && WEXITSTATUS(d.status) == 0);
    HK_EXPECT_STR(d.text, "(parent)");
}
END_TEST

static void *exit_thread(void *arg)
{
    exit((int)(intptr_t)arg);
}

static int while_others_run(void *arg)
{
    pthread_t thread;
    for (int i = 0; i < 50; i++)
        (void)run_spawn(i % 2 ? idle_fn : spin_fn, NULL);
    HK_EXPECT_EQ(pthread_create(&thread, NULL, exit_thread, arg), 0);
    return spin_fn(NULL);
}

static void foreign_exit_child(void *arg)
{
    run_in(3, while_others_run, arg);
}

/* exit from a foreign thread while tasks compute and wait. */
START_TEST(exit_from_a_foreign_thread)
{
    death_by_exit(foreign_exit_child, (void *)(intptr_t)11, 11, "");
}
END_TEST

static int cancel_main(void *arg)
{
    (void)arg;
    hocket_cancel(hocket_main_task());
    return 0;
}

static int root_cancelled(void *arg)
{
    (void)arg;
    hocket_task *other = run_spawn(idle_fn, NULL);
    HK_EXPECT_OK(hocket_spawn(NULL, cancel_main, NULL));
    HK_EXPECT_EQ(hocket_sleep_until(HOCKET_FOREVER), -ECANCELED);
    hocket_task_release(other); /* it is cancelled with us */
    return 5;
}

/* Cancelling the main task is cancelling the program. */
START_TEST(cancel_of_the_main_task)
{
    HK_EXPECT_EQ(hocket_run(root_cancelled, NULL), 5);
}
END_TEST

static int slow_one(void *arg)
{
    for (int i = 0; i < 20; i++)
        run_turn();
    (void)hk_add((_Atomic int *)arg, 1);
    return 0;
}

static int root_ends_first(void *arg)
{
    for (int i = 0; i < 3; i++)
        HK_EXPECT_OK(hocket_spawn(NULL, slow_one, arg));
    return 6;
}

/* run returns when all tasks have ended, not when the root task has. */
START_TEST(others_outlive_the_main_task)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = _i == 0 ? HOCKET_NO_WORKERS : _i;
    for (int k = 0; k < 20; k++) {
        _Atomic int n = 0;
        HK_EXPECT_EQ(hocket_run_with(root_ends_first, &n, &o), 6);
        HK_EXPECT_EQ(n, 3);
    }
}
END_TEST

SUITE("runtime_exit", 20)
{
    tcase_add_loop_test(suite__case, run_returns_the_result, 0, 5);
    suite_once(the_main_task);
    suite_each(order_at_the_end);
    suite_each(at_exit_functions_use_the_runtime);
    suite_each(exit_from_a_task);
    suite_each(quick_exit_from_a_task);
    suite_once(exit_from_the_main_task);
    suite_once(once_when_both_end);
    suite_once(without_a_runtime);
    suite_once(a_forked_child_leaves_them_alone);
    suite_once(exit_from_a_foreign_thread);
    suite_once(cancel_of_the_main_task);
    tcase_add_loop_test(suite__case, others_outlive_the_main_task, 0, 4);
}
