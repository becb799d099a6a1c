/* SPDX-License-Identifier: MIT */
/* deadlocks: programs that only look so, because something outside ends their waits; and what is done about real ones. */
#include "support/hanging.h"

static hocket_queue *q1;
static hocket_event event;

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int timer_sets(hocket_timer *timer, void *e)
{
    (void)timer;
    hocket_event_set(e);
    return 0;
}

/* A process that is not ours does something later. */
static void outsider(int fd, int signal)
{
    pid_t parent = getpid();
    if (fork() != 0)
        return;
    outside_for_a_while();
    if (fd >= 0 && write(fd, "x", 1) < 0)
        _exit(1);
    if (signal != 0)
        (void)kill(parent, signal);
    _exit(0);
}

static int sleeps_and_puts(void *queue)
{
    HK_EXPECT_OK(hocket_sleep(OUTSIDE));
    return put(queue);
}

static int a_sleep(void *arg)
{
    (void)arg;
    go(sleeps_and_puts, q1 = queue_of(1));
    return get(q1);
}

static int a_timer(void *arg)
{
    (void)arg;
    hocket_timer *t;
    HK_EXPECT_OK(hocket_timer_new(&t, timer_sets, &event));
    HK_EXPECT_OK(hocket_timer_start(t, hocket_after(OUTSIDE)));
    int err = wait_event(&event);
    hocket_timer_free(t);
    return err;
}

static int a_descriptor(void *arg)
{
    (void)arg;
    int ends[2];
    HK_EXPECT_EQ(pipe(ends), 0);
    outsider(ends[1], 0);
    hocket_case cases[] = { hocket_case_fd(ends[0], HOCKET_READABLE) };
    return hocket_select(cases, 1, HOCKET_FOREVER);
}

static int a_read_on_a_helper(void *fd)
{
    char c;
    return read((int)(intptr_t)fd, &c, 1) == 1 ? 0 : -EIO;
}

static int a_blocking_call(void *arg)
{
    (void)arg;
    int ends[2];
    HK_EXPECT_EQ(pipe(ends), 0);
    outsider(ends[1], 0);
    return hocket_blocking(a_read_on_a_helper, (void *)(intptr_t)ends[0]);
}

static int a_blocked_worker(void *arg)
{
    (void)arg;
    int ends[2];
    HK_EXPECT_EQ(pipe(ends), 0);
    outsider(ends[1], 0);
    hocket_blocking_begin();
    int err = a_read_on_a_helper((void *)(intptr_t)ends[0]);
    hocket_blocking_end();
    return err;
}

static void *sets_later(void *e)
{
    outside_for_a_while();
    hocket_event_set(e);
    return NULL;
}

static int a_foreign_thread(void *arg)
{
    (void)arg;
    pthread_t t = foreign(sets_later, &event);
    int err = wait_event(&event);
    HK_EXPECT_EQ(pthread_join(t, NULL), 0);
    return err;
}

static void *known_and_sets_later(void *e)
{
    HK_EXPECT(hocket_self() != NULL);
    return sets_later(e);
}

static int a_known_thread(void *arg)
{
    (void)arg;
    pthread_t t = foreign(known_and_sets_later, &event);
    int err = wait_event(&event);
    HK_EXPECT_EQ(pthread_join(t, NULL), 0);
    return err;
}

static int sleeps_elsewhere(void *e)
{
    (void)sets_later(e);
    return 0;
}

static int a_thread_task(void *arg)
{
    (void)arg;
    hocket_task_release(on_thread(sleeps_elsewhere, &event));
    return wait_event(&event);
}

static void sets_event(int signal)
{
    (void)signal;
    hocket_event_set(&event);
}

static int a_handler(void *arg)
{
    (void)arg;
    HK_EXPECT(signal(SIGUSR1, sets_event) != SIG_ERR);
    outsider(-1, SIGUSR1);
    return wait_event(&event);
}

static int the_end_signal(void *arg)
{
    (void)arg;
    outsider(-1, SIGTERM);
    go(wait_event, &event);
    return hocket_sleep_until(HOCKET_FOREVER) == -ECANCELED ? 0 : -1;
}

static int a_deadline(void *arg)
{
    (void)arg;
    int value;
    go(get, q1 = queue_of(1));
    HK_EXPECT_EQ(hocket_queue_get(q1, &value, hocket_after(OUTSIDE)), -ETIMEDOUT);
    return put(q1);
}

static int a_scope_with_deadline(void *arg)
{
    (void)arg;
    hocket_scope s;
    hocket_scope_open(&s, HOCKET_SCOPE_OPTIONS(.deadline = hocket_after(OUTSIDE)));
    HK_EXPECT_OK(hocket_spawn(&s, wait_event, &event));
    HK_EXPECT_EQ(wait_event(&event), -ECANCELED);
    HK_EXPECT(hocket_scope_close(&s) <= 0);
    return 0;
}

static int a_delayed_value(void *arg)
{
    (void)arg;
    hocket_delay_queue *q;
    int value = 1;
    HK_EXPECT_OK(hocket_delay_queue_new(&q, sizeof(int), NULL));
    HK_EXPECT_OK(hocket_delay_queue_put(q, &value, hocket_after(OUTSIDE), HOCKET_NOW));
    int err = hocket_delay_queue_get(q, &value, HOCKET_FOREVER);
    hocket_delay_queue_free(q);
    return err;
}

static int a_ticker(void *arg)
{
    (void)arg;
    hocket_ticker *t;
    HK_EXPECT_OK(hocket_ticker_new(&t, OUTSIDE));
    int err = hocket_ticker_wait(t, NULL, NULL, HOCKET_FOREVER);
    hocket_ticker_free(t);
    return err;
}

static int a_select_with_timer(void *arg)
{
    (void)arg;
    int value;
    hocket_case cases[] = { hocket_case_get(q1 = queue_of(1), &value),
                            hocket_case_timer(hocket_after(OUTSIDE)) };
    return hocket_select(cases, 2, HOCKET_FOREVER) == 1 ? 0 : -1;
}

static int counts_and_stops(hocket_timer *timer, void *arg)
{
    (void)timer;
    if (++*(int *)arg == 3)
        hocket_event_set(&event);
    return 0;
}

static int a_periodic_timer(void *arg)
{
    (void)arg;
    static int calls;
    hocket_timer *t;
    HK_EXPECT_OK(hocket_timer_new(&t, counts_and_stops, &calls));
    HK_EXPECT_OK(hocket_timer_start_every(t, hocket_after(OUTSIDE / 3), OUTSIDE / 3, 0));
    int err = wait_event(&event);
    hocket_timer_free(t);
    return err;
}

static const struct program live[] = {
    PROGRAM(a_sleep),          PROGRAM(a_timer),          PROGRAM(a_descriptor),
    PROGRAM(a_blocking_call),  PROGRAM(a_blocked_worker), PROGRAM(a_foreign_thread),
    PROGRAM(a_known_thread),   PROGRAM(a_thread_task),    PROGRAM(a_handler),
    PROGRAM(the_end_signal),   PROGRAM(a_deadline),       PROGRAM(a_scope_with_deadline),
    PROGRAM(a_delayed_value),  PROGRAM(a_ticker),         PROGRAM(a_select_with_timer),
    PROGRAM(a_periodic_timer),
};

START_TEST(nothing_is_found)
{
    in_both(&live[_i], false);
}
END_TEST

/* ---- what is done about it ---- */

/* The report is what the parent reads first; it ends the wait from outside then, once. */
static pid_t told_to_end;

static void end_it(pid_t pid)
{
    if (told_to_end != pid)
        (void)kill(pid, SIGTERM);
    told_to_end = pid;
}

static int waits_for_cancel(void *arg)
{
    (void)arg;
    return wait_event(&event) == -ECANCELED ? 0 : -1;
}

static void report_child(void *arg)
{
    (void)arg;
    action_of_child = HOCKET_DEADLOCK_REPORT;
    child(&(struct program){ "", waits_for_cancel });
}

START_TEST(a_report_ends_nothing)
{
    struct death d;
    for (int i = 0; i < 2; i++) {
        workers_of_child = i == 0 ? 2 : HOCKET_NO_WORKERS;
        death_of(&d, report_child, NULL, end_it);
        HK_EXPECT(WIFEXITED(d.status) && WEXITSTATUS(d.status) == 0);
        death__says(&d, "hocket: report: deadlock");
    }
}
END_TEST

static void in_a_library(void *arg)
{
    (void)arg;
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    hocket_task *t;
    plain_signals();
    o.workers = 2;
    q1 = queue_of(1);
    HK_EXPECT_OK(hocket_runtime_start(&o));
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, wait_event, &event, NULL));
    (void)get(q1);
    _exit(1);
}

static void kill_it(pid_t pid)
{
    (void)kill(pid, SIGKILL);
}

START_TEST(a_library_only_reports)
{
    struct death d;
    death_of(&d, in_a_library, NULL, kill_it);
    HK_EXPECT(WIFSIGNALED(d.status) && WTERMSIG(d.status) == SIGKILL);
    death__says(&d, "hocket: report: deadlock");
}
END_TEST

static void off_child(void *arg)
{
    (void)arg;
    action_of_child = HOCKET_DEADLOCK_OFF;
    outsider(-1, SIGTERM);
    child(&(struct program){ "", waits_for_cancel });
}

static void off_by_variable(void *arg)
{
    (void)arg;
    (void)setenv("HOCKET_DEADLOCK", "off", 1);
    outsider(-1, SIGTERM);
    child(&(struct program){ "", waits_for_cancel });
}

static void wrong_variable(void *arg)
{
    (void)arg;
    (void)setenv("HOCKET_DEADLOCK", "perhaps", 1);
    _exit(hocket_run(nothing, NULL) == -EINVAL ? 0 : 1);
}

START_TEST(it_can_be_switched_off)
{
    death_by_exit(off_child, NULL, 0, "");
    death_by_exit(off_by_variable, NULL, 0, "");
    death_by_exit(wrong_variable, NULL, 0, "");
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.on_deadlock = 4;
    HK_EXPECT_EQ(hocket_run_with(nothing, NULL, &o), -EINVAL);
    o.on_deadlock = -1;
    HK_EXPECT_EQ(hocket_run_with(nothing, NULL, &o), -EINVAL);
}
END_TEST

SUITE("task_deadlock_live", 30)
{
    if (getenv("HOCKET_EMULATOR") != NULL)
        HK_SKIP("the emulator has threads of its own");
    tcase_add_loop_test(suite__case, nothing_is_found, 0, COUNT(live));
    suite_once(a_report_ends_nothing);
    suite_once(a_library_only_reports);
    suite_once(it_can_be_switched_off);
}
