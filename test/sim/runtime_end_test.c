/* SPDX-License-Identifier: MIT */
/*
 * Starts and stops of the runtime while others spawn, start, stop, cancel and send signals: what
 * spawn accepted runs, the rest is refused, and nothing of it outlives the last stop.
 */
#include "support/explored.h"

#include <signal.h>

static _Atomic int accepted, ran;

static int runs(void *arg)
{
    (void)arg;
    atomic_fetch_add(&ran, 1);
    return 0;
}

static void reset(void)
{
    atomic_store(&accepted, 0);
    atomic_store(&ran, 0);
}

static void *spawner(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++) {
        hocket_task *t = NULL;
        hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
        o.placement = explore_choice(4) ? HOCKET_ON_FIBER : HOCKET_ON_THREAD;
        o.daemon = explore_choice(2);
        int err = hocket_spawn_task(&t, NULL, runs, NULL, &o);
        HK_EXPECT(err == 0 || err == -ENOSYS || err == -ECANCELED);
        if (err == 0) {
            atomic_fetch_add(&accepted, 1);
            hocket_task_release(t);
        }
    }
    return NULL;
}

EXPLORED(spawn_and_stop, NULL)
{
    reset();
    explored_runtime(1 + (int)explore_choice(2));
    int a = explore_start(spawner, NULL);
    explored_runtime_end();
    explore_join(a);
    HK_EXPECT_EQ(atomic_load(&ran), atomic_load(&accepted));
}

EXPLORED(spawn_and_stop_no_workers, NULL)
{
    reset();
    explored_runtime(HOCKET_NO_WORKERS);
    int a = explore_start(spawner, NULL);
    explored_runtime_end();
    explore_join(a);
    HK_EXPECT_EQ(atomic_load(&ran), atomic_load(&accepted));
}

/* Two libraries in one program: each starts and stops, and uses it in between. */
static void *library(void *arg)
{
    (void)arg;
    for (int i = 0; i < 2; i++) {
        explored_runtime(1);
        explored_finish(explored_spawn(runs, NULL), 0);
        HK_EXPECT_OK(hocket_runtime_stop(HOCKET_FOREVER));
    }
    return NULL;
}

EXPLORED(two_libraries, NULL)
{
    reset();
    int a = explore_start(library, NULL), b = explore_start(library, NULL);
    explore_join(a);
    explore_join(b);
    HK_EXPECT_EQ(atomic_load(&ran), 4);
    HK_EXPECT(!hocket_running());
}

/* Stop with a deadline: what sleeps is cancelled when it has passed. */
static int sleeps(void *arg)
{
    (void)arg;
    HK_EXPECT_EQ(hocket_sleep_until(HOCKET_FOREVER), -ECANCELED);
    return -ECANCELED;
}

EXPLORED(stop_with_deadline, NULL)
{
    reset();
    explored_runtime(explore_choice(2) ? 2 : HOCKET_NO_WORKERS);
    HK_EXPECT_OK(hocket_spawn(NULL, runs, NULL));
    bool waits = explore_choice(2);
    if (waits)
        HK_EXPECT_OK(hocket_spawn(NULL, sleeps, NULL));
    int err = hocket_runtime_stop(hocket_after(50 * HOCKET_US));
    HK_EXPECT(err == -ETIMEDOUT || (!waits && err == 0));
    HK_EXPECT_EQ(atomic_load(&ran), 1);
}

/* Ctrl-C on the thread of hocket_run, at any point of it: everything is cancelled. */
static void interrupt(void *arg)
{
    (void)arg;
    HK_EXPECT_EQ(raise(SIGINT), 0);
}

static int sleeping_root(void *arg)
{
    hocket_scope scope;
    (void)arg;
    hocket_scope_open(&scope, NULL);
    int err = hocket_spawn(&scope, sleeps, NULL);
    HK_EXPECT(err == 0 || err == -ECANCELED);
    err = hocket_spawn(NULL, sleeps, NULL);
    HK_EXPECT(err == 0 || err == -ECANCELED);
    (void)sleeps(NULL);
    err = hocket_scope_close(&scope);
    HK_EXPECT(err == 0 || err == -ECANCELED);
    return 3;
}

static int interrupted_root(void *arg)
{
    explore_interrupt(0, interrupt, NULL);
    return sleeping_root(arg);
}

EXPLORED(interrupted, &explored_held)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = explore_choice(3) ? 1 + (int)explore_choice(2) : HOCKET_NO_WORKERS;
    o.quiet_watchdog = true;
    HK_EXPECT_EQ(hocket_run_with(interrupted_root, NULL, &o), 3);
}

SUITE("runtime_end", explored_limit())
{
    suite_once(spawn_and_stop);
    suite_once(spawn_and_stop_no_workers);
    suite_once(two_libraries);
    suite_once(stop_with_deadline);
    suite_once(interrupted);
}
