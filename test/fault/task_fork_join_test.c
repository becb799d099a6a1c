/* SPDX-License-Identifier: MIT */
/* Branches when stacks and records cannot be had: each runs all the same, in its sync if nowhere else. */
#include <errno.h>
#include <hocket/fork.h>
#include <hocket/parallel.h>

#include "support/inject.h"
#include "support/suite.h"

static _Atomic int ran;

static int add_one(void *arg)
{
    (void)arg;
    (void)hk_add(&ran, 1);
    return 3;
}

static int waits(void *arg)
{
    int err = hocket_sleep(HOCKET_US);
    HK_EXPECT(err == 0);
    return add_one(arg);
}

/* A branch that is declined is called by its forker, below what the forker waited on. */
static int forks(void *arg)
{
    hocket_branch b[40];
    (void)arg;
    hk_store(&ran, 0);
    for (int i = 0; i < 40; i++)
        hocket_fork(&b[i], i % 2 ? waits : add_one, NULL);
    HK_EXPECT_EQ(hocket_sleep(HOCKET_US), 0);
    for (int i = 40; i-- > 0;)
        HK_EXPECT_EQ(hocket_sync(&b[i]), 3);
    HK_EXPECT_EQ(ran, 40);
    return 0;
}

static int deeper(void *arg)
{
    intptr_t left = (intptr_t)arg;
    volatile char frame[200];
    frame[0] = 1;
    if (left == 0)
        return 0;
    hocket_branch b;
    hocket_fork(&b, deeper, (void *)(left - 1));
    return hocket_sync(&b) + frame[0];
}

/* More than one stack holds, less than the whole of it: without memory it is called there. */
static int deep(void *arg)
{
    (void)arg;
    HK_EXPECT_EQ(deeper((void *)(intptr_t)run_scaled(120, 60)), run_scaled(120, 60));
    return 0;
}

static int chunk(size_t begin, size_t end, void *arg)
{
    (void)arg;
    (void)hk_add(&ran, (int)(end - begin));
    return hocket_yield();
}

static int loops(void *arg)
{
    (void)arg;
    hk_store(&ran, 0);
    HK_EXPECT_EQ(hocket_parallel_for(0, 500, 10, chunk, NULL), 0);
    HK_EXPECT_EQ(ran, 500);
    return 0;
}

static int program(void *arg)
{
    (void)arg;
    static hocket_task_fn *const bodies[] = { forks, deep, loops };
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = 2;
    o.no_signals = true;
    o.quiet_watchdog = true;
    int err = 0;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0] && err == 0; i++)
        err = hocket_run_with(bodies[i], NULL, &o);
    return err;
}

START_TEST(without_memory)
{
    inject_install();
    HK_EXPECT(inject_sweep(_i ? INJECT_ALLOC : INJECT_MAP, program, NULL) > 0);
}
END_TEST

SUITE("branches without memory", 60)
{
    tcase_add_loop_test(suite__case, without_memory, 0, 2);
}
