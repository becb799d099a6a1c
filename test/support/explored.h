/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TEST_EXPLORED_H
#define HOCKET_TEST_EXPLORED_H
/*
 * explored - what the tests in test/sim have in common
 *
 *     EXPLORED(two_writers, NULL)
 *     {
 *         ...
 *     }
 *     SUITE("sync_mutex", 60) {
 *         suite_once(two_writers);
 *     }
 *
 * The inline locks have no points: they are left out here.
 */
#ifdef HOCKET__LOCK_H
#error "include support/explored.h before the library's headers"
#endif
#define HOCKET_NO_INLINE
#include <errno.h>
#include <hocket.h>
#include <stdatomic.h>
#include <stdio.h>

#include "support/expect.h"
#include "support/explore.h"
#include "support/suite.h"

/* A body and the test that explores it. */
#define EXPLORED(name, options)                       \
    static void name##_body(void *explored_arg);      \
    START_TEST(name)                                  \
    {                                                 \
        explore(#name, name##_body, NULL, (options)); \
    }                                                 \
    END_TEST                                          \
    static void name##_body(void *explored_arg __attribute__((unused)))

/* The monitor gets no time: a lost wake-up that it would mend shows as a deadlock. */
static const struct explore_options explored_held
    __attribute__((unused)) = { .hold_monitor = true };

/* Futex waits end early. */
static const struct explore_options explored_spurious
    __attribute__((unused)) = { .spurious = 4, .hold_monitor = true };

/* Seconds for one test, of SUITE. */
static inline double explored_limit(void)
{
    const char *factor = getenv("HOCKET_SEEDS");
    return 60 * (factor && atof(factor) > 1 ? atof(factor) : 1);
}

/* workers: HOCKET_NO_WORKERS or 1, 2, ... */
static inline void explored_runtime(int workers)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = workers;
    o.no_signals = true;
    o.quiet_watchdog = true;
    HK_EXPECT_OK(hocket_runtime_start(&o));
}

static inline void explored_runtime_end(void)
{
    HK_EXPECT_OK(hocket_runtime_stop(HOCKET_FOREVER));
    HK_EXPECT(!hocket_running());
}

static inline void explored_run(int workers, hocket_task_fn *fn, void *arg)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = workers;
    o.no_signals = true;
    o.quiet_watchdog = true;
    HK_EXPECT_EQ(hocket_run_with(fn, arg, &o), 0);
}

static inline hocket_task *explored_spawn(hocket_task_fn *fn, void *arg)
{
    hocket_task *t = NULL;
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, fn, arg, NULL));
    return t;
}

static inline void explored_finish(hocket_task *t, int expected)
{
    int result = INT32_MIN;
    HK_EXPECT_OK(hocket_join(t, &result, HOCKET_FOREVER));
    HK_EXPECT_EQ(result, expected);
    hocket_task_release(t);
}

#endif
