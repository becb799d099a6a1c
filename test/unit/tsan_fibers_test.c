/* SPDX-License-Identifier: MIT */
/*
 * tsan_fibers: a race between two fibers of one worker is a race to TSan where switches order
 * nothing (-DHOCKET_TSAN_NO_SYNC=ON), and what the library orders is none.  A test of the
 * annotations; in other builds the racy ones say nothing.
 */
#include "support/suite.h"

#include <hocket/event.h>
#include <hocket/mutex.h>

#include "support/death.h"

#define TSAN_FOUND 66 /* its exit status */

static long plain;
static hocket_mutex mutex;
static hocket_event event;

static int bump(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++) {
        plain++;
        HK_EXPECT_OK(hocket_yield());
    }
    return 0;
}

static int bump_locked(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++) {
        hocket_mutex_lock(&mutex);
        plain++;
        HK_EXPECT_OK(hocket_yield());
        hocket_mutex_unlock(&mutex);
    }
    return 0;
}

static int bump_first(void *arg)
{
    (void)arg;
    plain += 3;
    hocket_event_set(&event);
    return 0;
}

static int bump_second(void *arg)
{
    (void)arg;
    HK_EXPECT_OK(hocket_event_wait(&event, HOCKET_FOREVER));
    plain += 3;
    return 0;
}

/* A lock that is not the other one's. */
static int bump_other_lock(void *arg)
{
    (void)arg;
    hocket_mutex other = HOCKET_MUTEX_INIT;
    for (int i = 0; i < 3; i++) {
        hocket_mutex_lock(&other);
        plain++;
        hocket_mutex_unlock(&other);
        HK_EXPECT_OK(hocket_yield());
    }
    hocket_mutex_destroy(&other);
    return 0;
}

struct pair {
    hocket_task_fn *a, *b;
    bool racy;
};

static const struct pair pairs[] = {
    { bump, bump, true },
    { bump_locked, bump, true },
    { bump_locked, bump_other_lock, true },
    { bump_locked, bump_locked, false },
    { bump_second, bump_first, false },
};

static int two(void *arg)
{
    const struct pair *p = arg;
    hocket_task *a = run_spawn(p->a, NULL), *b = run_spawn(p->b, NULL);
    run_finish(a, 0);
    run_finish(b, 0);
    HK_EXPECT_EQ(plain, 6);
    return 0;
}

static void on_one_worker(void *arg)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = 1;
    o.quiet_watchdog = true;
    exit(hocket_run_with(two, arg, &o));
}

START_TEST(fibers_of_one_worker)
{
    struct pair p = pairs[_i];
    if (!p.racy)
        death_by_exit(on_one_worker, &p, 0, "");
    else if (HOCKET_NO_SYNC)
        death_by_exit(on_one_worker, &p, TSAN_FOUND, "data race");
}
END_TEST

SUITE("tsan_fibers", 20)
{
    tcase_add_loop_test(suite__case, fibers_of_one_worker, 0, sizeof pairs / sizeof *pairs);
}
