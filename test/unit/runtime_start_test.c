/* SPDX-License-Identifier: MIT */
/* runtime: start and stop, nesting, options, the environment, no workers. */
#include <errno.h>
#include <pthread.h>

#include "support/process.h"
#include "support/suite.h"
#include "sys/sys.h"

static int add_one(void *arg)
{
    (void)hk_add((_Atomic int *)arg, 1);
    return 0;
}

static int for_ever(void *arg)
{
    (void)arg;
    return hocket_sleep_until(HOCKET_FOREVER);
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

START_TEST(not_started)
{
    hocket_runtime_stats stats;
    HK_EXPECT(!hocket_running());
    HK_EXPECT_EQ(hocket_workers(), 0);
    HK_EXPECT(hocket_main_task() == NULL);
    HK_EXPECT_EQ(hocket_runtime_stop(HOCKET_FOREVER), -EINVAL);
    memset(&stats, 1, sizeof stats);
    hocket_runtime_stats_get(&stats);
    HK_EXPECT(stats.spawned == 0 && stats.threads == 0 && stats.stacks == 0 && stats.tasks == 0);
}
END_TEST

START_TEST(starts_are_counted)
{
    _Atomic int n = 0;
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = 2;
    for (int i = 0; i < 3; i++)
        HK_EXPECT_EQ(hocket_runtime_start(&o), 0);
    HK_EXPECT(hocket_running());
    HK_EXPECT_EQ(hocket_workers(), 2);
    HK_EXPECT_EQ(hocket_run(nothing, NULL), -EBUSY);
    HK_EXPECT_EQ(hocket_run_with(nothing, NULL, &o), -EBUSY);
    for (int i = 0; i < 3; i++) {
        HK_EXPECT_OK(hocket_spawn(NULL, add_one, &n));
        HK_EXPECT(hocket_running());
        HK_EXPECT_EQ(hocket_runtime_stop(HOCKET_FOREVER), 0);
    }
    HK_EXPECT(!hocket_running());
    HK_EXPECT_EQ(n, 3);
    HK_EXPECT_EQ(hocket_workers(), 0);
    HK_EXPECT_EQ(hocket_runtime_stop(HOCKET_FOREVER), -EINVAL);
}
END_TEST

static int stop_inside(void *arg)
{
    (void)arg;
    return hocket_runtime_stop(HOCKET_FOREVER);
}

/* A task would wait for itself. */
static int no_stop_by_tasks(void *arg)
{
    hocket_task *t;
    int result;
    (void)arg;
    for (int place = 0; place < 2; place++) {
        hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
        o.placement = place ? HOCKET_ON_THREAD : HOCKET_ON_FIBER;
        HK_EXPECT_OK(hocket_spawn_task(&t, NULL, stop_inside, NULL, &o));
        HK_EXPECT_EQ(hocket_join(t, &result, HOCKET_FOREVER), 0);
        HK_EXPECT_EQ(result, -EPERM);
        hocket_task_release(t);
    }
    HK_EXPECT(hocket_running());
    return 0;
}

START_TEST(tasks_cannot_stop_it)
{
    run_in(_i, no_stop_by_tasks, NULL);
}
END_TEST

static int start_inside(void *arg)
{
    (void)arg;
    HK_EXPECT_EQ(hocket_runtime_start(NULL), 0);
    HK_EXPECT_EQ(hocket_run(nothing, NULL), -EBUSY);
    HK_EXPECT_EQ(hocket_runtime_stop(HOCKET_FOREVER), 0); /* not the last one */
    HK_EXPECT(hocket_running());
    return 0;
}

/* A library that starts and stops Hocket for itself may be called by a task of it. */
static int nested_by_tasks(void *arg)
{
    (void)arg;
    for (int i = 0; i < 8; i++)
        run_finish(run_spawn(start_inside, NULL), 0);
    return 0;
}

START_TEST(tasks_nest_starts)
{
    run_in(_i, nested_by_tasks, NULL);
}
END_TEST

static int start_late(void *arg)
{
    while (hocket_sleep(HOCKET_MS) == 0) /* until the stop below cancels us */
        (void)hk_add((_Atomic int *)arg, 1);
    return start_inside(NULL);
}

/* Also while somebody waits in the last stop. */
START_TEST(tasks_nest_starts_during_the_stop)
{
    _Atomic int turns = 0;
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = _i == 0 ? HOCKET_NO_WORKERS : _i;
    HK_EXPECT_EQ(hocket_runtime_start(&o), 0);
    HK_EXPECT_OK(hocket_spawn(NULL, start_late, &turns));
    HK_EXPECT_EQ(hocket_runtime_stop(hocket_after(5 * HOCKET_MS)), -ETIMEDOUT);
    HK_EXPECT(!hocket_running());
}
END_TEST

START_TEST(options)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    static const int bad_workers[] = { -2, -1000, 1001, INT32_MAX, INT32_MIN };
    for (size_t i = 0; i < sizeof bad_workers / sizeof *bad_workers; i++) {
        o.workers = bad_workers[i];
        HK_EXPECT_EQ(hocket_runtime_start(&o), -EINVAL);
        HK_EXPECT_EQ(hocket_run_with(nothing, NULL, &o), -EINVAL);
    }
    o.workers = 1;
    o.max_blocking = -1;
    HK_EXPECT_EQ(hocket_runtime_start(&o), -EINVAL);
    o.max_blocking = 0;
    o.watchdog = -1;
    HK_EXPECT_EQ(hocket_runtime_start(&o), -EINVAL);
    o.watchdog = HOCKET_FOREVER;
    o.size = sizeof o - 1;
    HK_EXPECT_EQ(hocket_runtime_start(&o), -EINVAL);
    HK_EXPECT(!hocket_running());
    o.size = 0;
    HK_EXPECT_EQ(hocket_run_with(nothing, NULL, &o), 0);
    o.size = sizeof o + 16;
    HK_EXPECT_EQ(hocket_run_with(nothing, NULL, &o), 0);
}
END_TEST

static int workers_are(void *arg)
{
    HK_EXPECT_EQ(hocket_workers(), *(int *)arg);
    return 0;
}

START_TEST(the_environment)
{
    static const char *const bad[] = {
        "x", "-1", "1.5", "3x", "99999999999999999999", "1001", "-"
    };
    int expected;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        setenv("HOCKET_WORKERS", bad[i], 1);
        HK_EXPECT_EQ(hocket_run(nothing, NULL), -EINVAL);
        HK_EXPECT_EQ(hocket_runtime_start(NULL), -EINVAL);
        HK_EXPECT(!hocket_running());
    }
    setenv("HOCKET_WORKERS", "3", 1);
    expected = 3;
    HK_EXPECT_EQ(hocket_run(workers_are, &expected), 0);
    setenv("HOCKET_WORKERS", "0", 1);
    expected = 0;
    HK_EXPECT_EQ(hocket_run(workers_are, &expected), 0);
    setenv("HOCKET_WORKERS", "", 1);
    expected = hocket__cpu_count();
    HK_EXPECT_EQ(hocket_run(workers_are, &expected), 0);
    unsetenv("HOCKET_WORKERS");
    HK_EXPECT_EQ(hocket_run(workers_are, &expected), 0);
    setenv("HOCKET_WORKERS", "x", 1); /* the option goes before it */
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = expected = 2;
    HK_EXPECT_EQ(hocket_run_with(workers_are, &expected, &o), 0);
}
END_TEST

/* Nothing starts before first use, and nothing stays. */
START_TEST(nothing_stays)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    int before = process_threads(), files = process_descriptors();
    HK_EXPECT_EQ(hocket_sleep(1000), 0);
    HK_EXPECT(hocket_self() != NULL);
    HK_EXPECT_EQ(process_threads(), before);
    o.workers = 3;
    HK_EXPECT_EQ(hocket_runtime_start(&o), 0);
    hocket_runtime_stats stats;
    hocket_runtime_stats_get(&stats);
    HK_EXPECT_EQ(stats.threads, 4);     /* and the monitor */
    process_threads_become(before + 4); /* each names itself, and under TSan names are counted */
    HK_EXPECT_EQ(hocket_runtime_stop(HOCKET_FOREVER), 0);
    process_threads_become(before);
    HK_EXPECT_EQ(process_descriptors(), files);
}
END_TEST

static int no_thread_ever(void *arg)
{
    int threads = *(int *)arg;
    _Atomic int n = 0;
    hocket_scope s;
    hocket_scope_open(&s, NULL);
    for (int i = 0; i < 50; i++)
        HK_EXPECT_OK(hocket_spawn(&s, add_one, &n));
    HK_EXPECT_EQ(hocket_sleep(HOCKET_MS), 0);
    HK_EXPECT_EQ(hocket_blocking(add_one, &n), 0); /* right here */
    hocket_blocking_begin();
    HK_EXPECT_EQ(process_threads(), threads);
    hocket_blocking_end();
    HK_EXPECT_EQ(hocket_scope_close(&s), 0);
    HK_EXPECT_EQ(n, 51);
    HK_EXPECT_EQ(process_threads(), threads);
    return 0;
}

static int no_threads_to_be_had(struct hocket__thread *ret, void *(*fn)(void *), void *arg,
                                size_t stack_size, const char *name, unsigned flags)
{
    (void)ret, (void)fn, (void)arg, (void)stack_size, (void)name, (void)flags;
    return -EAGAIN;
}

/* Without workers a program runs where threads cannot be had; with them it is told. */
START_TEST(no_thread_can_be_had)
{
    struct hocket__sys sys = *hocket__sys;
    sys.thread_start = no_threads_to_be_had;
    hocket__sys = &sys;
    int threads = process_threads();
    setenv("HOCKET_WORKERS", "0", 1);
    for (int i = 0; i < 3; i++) {
        HK_EXPECT_EQ(hocket_run(no_thread_ever, &threads), 0);
        hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
        o.workers = 2;
        HK_EXPECT_EQ(hocket_runtime_start(&o), -EAGAIN);
        HK_EXPECT(!hocket_running());
        HK_EXPECT_EQ(hocket_spawn(NULL, nothing, NULL), -ENOSYS);
        HK_EXPECT(hocket_run_with(nothing, NULL, &o) < 0);
    }
    hocket__sys = &hocket__sys_linux;
}
END_TEST

static int threads_left;

static int nth_thread(struct hocket__thread *ret, void *(*fn)(void *), void *arg, size_t stack_size,
                      const char *name, unsigned flags)
{
    if (threads_left-- == 0)
        return -EAGAIN;
    return hocket__sys_linux.thread_start(ret, fn, arg, stack_size, name, flags);
}

/* Whichever thread is the one too many: nothing half-built stays. */
START_TEST(the_nth_thread_fails)
{
    struct hocket__sys sys = *hocket__sys;
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    int before = process_threads();
    sys.thread_start = nth_thread;
    hocket__sys = &sys;
    o.workers = 3;
    for (int n = 0; n < 5; n++) {
        threads_left = n;
        int err = hocket_runtime_start(&o);
        HK_EXPECT_EQ(err, n < 4 ? -EAGAIN : 0);
        if (err == 0)
            HK_EXPECT_EQ(hocket_runtime_stop(HOCKET_FOREVER), 0);
        process_threads_become(before);
    }
    hocket__sys = &hocket__sys_linux;
}
END_TEST

static void *start_and_stop(void *arg)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = 1;
    for (int i = 0; i < 30; i++) {
        HK_EXPECT_EQ(hocket_runtime_start(&o), 0);
        HK_EXPECT_OK(hocket_spawn(NULL, add_one, arg));
        HK_EXPECT_EQ(hocket_runtime_stop(HOCKET_FOREVER), 0);
    }
    return NULL;
}

START_TEST(many_threads_start_and_stop)
{
    pthread_t t[4];
    _Atomic int n = 0;
    for (int i = 0; i < 4; i++)
        HK_EXPECT_EQ(pthread_create(&t[i], NULL, start_and_stop, &n), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    HK_EXPECT_EQ(n, 120);
    HK_EXPECT(!hocket_running());
}
END_TEST

struct waiter {
    hocket_word *word;
    _Atomic int *at; /* how many are about to wait */
};

static void *wait_for_word(void *arg)
{
    struct waiter *w = arg;
    (void)hk_add(w->at, 1);
    while (hk_load_acq(w->word) == 0)
        HK_EXPECT_EQ(hocket_wait_on(w->word, 0, HOCKET_FOREVER), 0);
    return NULL;
}

static int set_word(void *arg)
{
    hk_store_rel((hocket_word *)arg, 1);
    (void)hocket_wake(arg, INT32_MAX);
    return 0;
}

/* No workers, several threads that wait: whoever waits runs the tasks, one after the other. */
START_TEST(waiting_threads_take_turns)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = HOCKET_NO_WORKERS;
    HK_EXPECT_EQ(hocket_runtime_start(&o), 0);
    for (int round = 0; round < 50; round++) {
        hocket_word words[4] = { 0 };
        struct waiter waiters[4];
        _Atomic int at = 0;
        pthread_t t[4];
        for (int i = 0; i < 4; i++) {
            waiters[i] = (struct waiter){ &words[i], &at };
            HK_EXPECT_EQ(pthread_create(&t[i], NULL, wait_for_word, &waiters[i]), 0);
        }
        HK_WAIT_UNTIL(hk_load(&at) == 4);
        for (int i = 0; i < 4; i++) {
            int which = (i + round) % 4;
            HK_EXPECT_OK(hocket_spawn(NULL, set_word, &words[which]));
            pthread_join(t[which], NULL);
        }
    }
    HK_EXPECT_EQ(hocket_runtime_stop(HOCKET_FOREVER), 0);
}
END_TEST

static int wait_long(void *arg)
{
    (void)hk_add((_Atomic int *)arg, 1);
    int err = for_ever(NULL);
    (void)hk_add((_Atomic int *)arg, 1);
    return err;
}

/* The deadline of stop cancels everything, and stop returns when it has ended. */
START_TEST(stop_with_a_deadline)
{
    _Atomic int n = 0;
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = _i == 0 ? HOCKET_NO_WORKERS : _i;
    HK_EXPECT_EQ(hocket_runtime_start(&o), 0);
    for (int i = 0; i < 10; i++)
        HK_EXPECT_OK(hocket_spawn(NULL, wait_long, &n));
    hocket_time until = hocket_after(2 * HOCKET_MS);
    HK_EXPECT_EQ(hocket_runtime_stop(until), -ETIMEDOUT);
    HK_EXPECT(hocket_now() >= until);
    HK_EXPECT_EQ(n, 20);
    HK_EXPECT(!hocket_running());
    HK_EXPECT_EQ(hocket_runtime_start(&o), 0);
    HK_EXPECT_OK(hocket_spawn(NULL, add_one, &n));
    HK_EXPECT_EQ(hocket_runtime_stop(hocket_after(50 * HOCKET_SEC)), 0);
    HK_EXPECT_EQ(n, 21);
    HK_EXPECT_EQ(hocket_runtime_start(&o), 0);
    HK_EXPECT_EQ(hocket_runtime_stop(HOCKET_NOW), 0); /* nothing to wait for */
}
END_TEST

SUITE("runtime_start", 20)
{
    suite_once(not_started);
    suite_once(starts_are_counted);
    suite_each(tasks_cannot_stop_it);
    suite_each(tasks_nest_starts);
    tcase_add_loop_test(suite__case, tasks_nest_starts_during_the_stop, 0, 3);
    suite_once(options);
    suite_once(the_environment);
    suite_once(nothing_stays);
    suite_once(no_thread_can_be_had);
    suite_once(the_nth_thread_fails);
    suite_once(many_threads_start_and_stop);
    suite_once(waiting_threads_take_turns);
    tcase_add_loop_test(suite__case, stop_with_a_deadline, 0, 4);
}
