/* SPDX-License-Identifier: MIT */
/* stats: what there is, by state and by kind of wait; time-outs of tests; quiet programs. */
#include "support/suite.h"

#include <errno.h>

#include <hocket.h>

#include "support/death.h"

static hocket_event opened;

static int waits(void *arg)
{
    (void)arg;
    return hocket_event_wait(&opened, HOCKET_FOREVER);
}

static int sleeps(void *arg)
{
    (void)arg;
    int err = hocket_sleep_until(HOCKET_FOREVER);
    return err == -ECANCELED ? 0 : err;
}

static size_t waits_for(const hocket_stats_info *s, const char *kind)
{
    for (size_t i = 0; i < s->wait_kinds; i++)
        if (strcmp(s->waits[i].kind, kind) == 0)
            return s->waits[i].count;
    return 0;
}

static int stats_body(void *arg)
{
    hocket_stats_info s, after;
    hocket_scope scope;
    hocket_task *t[8], *held = NULL;
    (void)arg;
    hocket_event_clear(&opened);
    hocket_scope_open(&scope, NULL);
    for (int i = 0; i < 8; i++)
        t[i] = run_spawn_in(&scope, i < 5 ? waits : sleeps, NULL);
    HK_EXPECT_OK(hocket_spawn_task(&held, &scope, waits, NULL, HOCKET_SPAWN_OPTIONS(.held = true)));
    for (int i = 0; i < 8; i++)
        RUN_UNTIL(run_parked(t[i]));
    hocket_stats(&s);
    HK_EXPECT(s.size > offsetof(hocket_stats_info, lent) && s.size < sizeof s);
    HK_EXPECT_EQ(s.tasks, s.fibers + s.threads + s.foreign);
    HK_EXPECT_EQ(s.tasks, s.running + s.ready + s.waiting + s.held);
    HK_EXPECT_EQ(s.tasks, hocket_task_count());
    HK_EXPECT_EQ(waits_for(&s, "event"), 5);
    HK_EXPECT_EQ(waits_for(&s, "sleep"), 3);
    HK_EXPECT_EQ(s.held, 1);
    HK_EXPECT(s.running >= 1);
    HK_EXPECT_EQ(s.waits_other, 0);
    HK_EXPECT(s.queued_most <= s.queued);
    if (run_mode->body == RUN_FIBER && run_mode->children == RUN_FIBER)
        HK_EXPECT(s.spawned >= 8); /* by workers, and not the held one */
    if (s.fibers > 0 && s.stacks > 0)
        HK_EXPECT(s.stack_peak >= 4096 && s.stack_peak <= (size_t)9 << 20);
    HK_EXPECT_OK(hocket_task_start(held));
    hocket_event_set(&opened);
    for (int i = 0; i < 5; i++)
        HK_EXPECT_OK(hocket_join(t[i], NULL, HOCKET_FOREVER));
    hocket_scope_cancel(&scope);
    HK_EXPECT_EQ(hocket_scope_close(&scope), 0);
    for (int i = 0; i < 8; i++)
        hocket_task_release(t[i]);
    hocket_task_release(held);
    hocket_stats(&after);
    HK_EXPECT_EQ(after.tasks, s.tasks - 9);
    HK_EXPECT_EQ(waits_for(&after, "event"), 0);
    HK_EXPECT(after.switches >= s.switches);
    return 0;
}

START_TEST(by_state_and_kind)
{
    run_in(_i, stats_body, NULL);
}
END_TEST

static _Atomic bool deep;

/* Each call looks at the array of its caller, so that all of them must be there at once. */
static HK_NOINLINE size_t goes_deep(size_t bytes, const volatile char *above)
{
    volatile char big[8192];
    memset((void *)big, 1, sizeof big);
    size_t below = bytes <= sizeof big ? 0 : goes_deep(bytes - sizeof big, big);
    return below + (size_t)big[9] + (above != NULL ? (size_t)above[7] : 0);
}

static int deep_task(void *arg)
{
    size_t sum = goes_deep(*(size_t *)arg, NULL);
    hk_store(&deep, true);
    int err = waits(NULL);
    return sum > 0 ? err : -EINVAL;
}

static int peak_body(void *arg)
{
    hocket_stats_info before, s;
    size_t bytes = (size_t)300 << 10;
    hocket_task *t = NULL;
    (void)arg;
    hocket_event_clear(&opened);
    hocket_stats(&before);
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, deep_task, &bytes,
                                   HOCKET_SPAWN_OPTIONS(.stack_size = 1 << 20)));
    RUN_UNTIL(hk_load(&deep));
    hocket_stats(&s);
    HK_EXPECT(before.stack_peak < bytes);
    HK_EXPECT(s.stack_peak >= bytes);
    hocket_event_set(&opened);
    run_finish(t, 0);
    return 0;
}

START_TEST(the_deepest_stack)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = 2;
    o.no_signals = true;
    HK_EXPECT_EQ(hocket_run_with(peak_body, NULL, &o), 0);
}
END_TEST

START_TEST(without_a_runtime)
{
    hocket_stats_info s;
    hocket_stats(&s);
    HK_EXPECT_EQ(s.tasks, 0);
    HK_EXPECT_EQ(s.workers, 0);
    (void)hocket_self();
    hocket_stats(&s);
    HK_EXPECT_EQ(s.tasks, 1);
    HK_EXPECT_EQ(s.foreign, 1);
    HK_EXPECT_EQ(s.running, 1);
}
END_TEST

/* ---- time-outs ---- */

static void hangs(void *arg)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    static const int workers[] = { 1, 4, HOCKET_NO_WORKERS };
    o.workers = workers[*(int *)arg];
    o.on_deadlock = HOCKET_DEADLOCK_OFF;
    o.no_signals = true;
    HK_EXPECT_OK(hocket_test_timeout(100 * HOCKET_MS));
    _exit(hocket_run_with(waits, NULL, &o));
}

START_TEST(a_test_that_hangs_says_where)
{
    struct death d;
    int mode = _i;
    death_of(&d, hangs, &mode, NULL);
    HK_EXPECT(WIFSIGNALED(d.status));
    HK_EXPECT_EQ(WTERMSIG(d.status), SIGABRT);
    death__says(&d, "hocket: the time of the test is over\n");
    death__says(&d, "main [");
    death__says(&d, " for event 0x");
    death__says(&d, "hocket: end of dump\n");
}
END_TEST

/* Tells standard error that it hangs, once the first task does. */
static int tells(void *main_task)
{
    static const char line[] = "now I hang\n";
    while (!run_parked(main_task))
        (void)hocket_yield();
    return write(2, line, sizeof line - 1) < 0;
}

static int waits_and_tells(void *arg)
{
    HK_EXPECT_OK(hocket_spawn(NULL, tells, hocket_self()));
    return waits(arg);
}

static void hangs_and_tells(void *arg)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    (void)arg;
    o.workers = 1;
    o.on_deadlock = HOCKET_DEADLOCK_OFF;
    o.no_signals = true;
    _exit(hocket_run_with(waits_and_tells, NULL, &o));
}

static void time_is_over(pid_t child)
{
    (void)child;
    (void)raise(SIGRTMAX - 1);
}

/* A test whose child hangs. */
static void waits_for_a_child(void *arg)
{
    struct death d;
    (void)arg;
    HK_EXPECT_OK(hocket_test_timeout(1000 * HOCKET_SEC));
    death_of(&d, hangs_and_tells, NULL, time_is_over);
}

START_TEST(a_child_that_hangs_says_where)
{
    struct death d;
    death_of(&d, waits_for_a_child, NULL, NULL);
    HK_EXPECT(WIFSIGNALED(d.status));
    HK_EXPECT_EQ(WTERMSIG(d.status), SIGABRT);
    death__says(&d, "a child of this test has said so far, and when it was asked:\nnow I hang\n");
    death__says(&d, " for event 0x");
    death__says(&d, "that was all of it\n");
}
END_TEST

static void hangs_by_environment(void *arg)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    (void)arg;
    HK_EXPECT_EQ(setenv("HOCKET_TEST_TIMEOUT", "50ms", 1), 0);
    o.workers = 2;
    o.on_deadlock = HOCKET_DEADLOCK_OFF;
    _exit(hocket_run_with(waits, NULL, &o));
}

static int ends(void *arg)
{
    (void)arg;
    return 5;
}

static void wrong_environment(void *arg)
{
    HK_EXPECT_EQ(setenv("HOCKET_TEST_TIMEOUT", arg, 1), 0);
    _exit(hocket_run(ends, NULL));
}

START_TEST(by_the_environment)
{
    static const char *const wrong[] = { "x", "-1", "0", "5h", "1.5s", "99999999999999999999" };
    death_by_signal(hangs_by_environment, NULL, SIGABRT, "main [");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        death_by_exit(wrong_environment, (void *)(uintptr_t)wrong[i], 5,
                      "hocket: HOCKET_TEST_TIMEOUT is a time such as 30s: ignored\n");
}
END_TEST

static void in_time(void *arg)
{
    (void)arg;
    HK_EXPECT_OK(hocket_test_timeout(20 * HOCKET_MS));
    HK_EXPECT_OK(hocket_test_timeout(0));
    HK_EXPECT_OK(hocket_test_timeout(HOCKET_FOREVER));
    HK_EXPECT_EQ(hocket_test_timeout(-1), -EINVAL);
    HK_EXPECT_OK(hocket_sleep(60 * HOCKET_MS));
    _exit(7);
}

START_TEST(taken_away_in_time)
{
    death_by_exit(in_time, NULL, 7, "");
}
END_TEST

/* A timer of the kernel's counts as a signal that is pending. */
static void without_a_timer(void *arg)
{
    struct rlimit limit, none;
    (void)arg;
    HK_EXPECT_EQ(getrlimit(RLIMIT_SIGPENDING, &limit), 0);
    none = (struct rlimit){ 0, limit.rlim_max };
    HK_EXPECT_EQ(setrlimit(RLIMIT_SIGPENDING, &none), 0);
    HK_EXPECT_EQ(hocket_test_timeout(1000 * HOCKET_SEC), -EAGAIN);
    HK_EXPECT_EQ(setrlimit(RLIMIT_SIGPENDING, &limit), 0);
    HK_EXPECT_OK(hocket_test_timeout(1000 * HOCKET_SEC));
    _exit(7);
}

START_TEST(no_timer_of_the_kernel)
{
    death_by_exit(without_a_timer, NULL, 7, "");
}
END_TEST

/* ---- quiet ---- */

static int nothing(hocket_timer *timer, void *arg)
{
    (void)timer;
    (void)arg;
    return 0;
}

static int quiet_body(void *arg)
{
    hocket_scope s;
    hocket_timer *timer = NULL;
    (void)arg;
    hocket_assert_quiet(NULL);
    hocket_scope_open(&s, NULL);
    hocket_assert_quiet(&s);
    for (int i = 0; i < 10; i++)
        HK_EXPECT_OK(hocket_spawn(&s, ends, NULL)); /* 5 is no failure */
    HK_EXPECT_EQ(hocket_scope_wait(&s), 0);
    hocket_assert_quiet(&s);
    HK_EXPECT_EQ(hocket_scope_close(&s), 0);
    hocket_assert_quiet(&s);
    HK_EXPECT_OK(hocket_timer_new(&timer, nothing, NULL));
    HK_EXPECT_OK(hocket_timer_start(timer, hocket_after(1000 * HOCKET_SEC)));
    HK_EXPECT_EQ(hocket_timer_stop(timer, HOCKET_FOREVER), 1);
    hocket_timer_free(timer);
    hocket_assert_quiet(NULL);
    return 0;
}

START_TEST(quiet_ones)
{
    run_in(_i, quiet_body, NULL);
}
END_TEST

static int loud_body(void *arg)
{
    static hocket_scope s;
    hocket_event_clear(&opened);
    hocket_scope_open(&s, NULL);
    hocket_task *t = run_spawn_in(&s, waits, NULL);
    hocket_task_set_name(t, "forgotten");
    RUN_UNTIL(run_parked(t));
    hocket_assert_quiet(arg != NULL ? &s : NULL);
    return 0;
}

static int timer_body(void *arg)
{
    hocket_timer *timer = NULL;
    HK_EXPECT_OK(hocket_timer_new(&timer, nothing, arg));
    HK_EXPECT_OK(hocket_timer_start(timer, hocket_after(1000 * HOCKET_SEC)));
    hocket_assert_quiet(NULL);
    return 0;
}

static void ticking(void *arg)
{
    _exit(hocket_run(timer_body, arg));
}

static void loud(void *arg)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = 2;
    _exit(hocket_run_with(loud_body, arg, &o));
}

START_TEST(what_is_left_is_named)
{
    int some = 1;
    death_by_signal(loud, &some, SIGABRT, "1 task(s) left, 1 of them waiting");
    death_by_signal(loud, NULL, SIGABRT,
                    "hocket_assert_quiet: 1 task(s) are left, 1 of them waiting, and no timer");
    death_by_signal(loud, NULL, SIGABRT, "forgotten [");
    death_by_signal(ticking, NULL, SIGABRT, "0 task(s) are left, 0 of them waiting, and a timer");
}
END_TEST

SUITE("trace_stats", 30)
{
    suite_each(by_state_and_kind);
    suite_once(the_deepest_stack);
    suite_once(without_a_runtime);
    bool emulated = getenv("HOCKET_EMULATOR") != NULL; /* which has not all signals */
    if (!HOCKET_TSAN && !emulated) { /* it holds signals back until a function it knows is called */
        tcase_add_loop_test(suite__case, a_test_that_hangs_says_where, 0, 3);
        suite_once(by_the_environment);
        suite_once(a_child_that_hangs_says_where);
    }
    if (!emulated) {
        suite_once(taken_away_in_time);
        suite_once(no_timer_of_the_kernel);
    }
    suite_each(quiet_ones);
    suite_once(what_is_left_is_named);
}
