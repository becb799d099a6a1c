/* SPDX-License-Identifier: MIT */
/*
 * In hocket_run the calling thread alone is worker 0: another thread that waits must not find itself
 * below a fiber that computes.
 */
#include "support/suite.h"

#include <errno.h>
#include <pthread.h>

#include <hocket/park.h>
#include <hocket/scope.h>
#include <hocket/task.h>
#include <hocket/time.h>

enum { ROUNDS = 200, COMPUTING = 4, TURNS = 3 };

static _Atomic uint32_t turns; /* of who waits */
static _Atomic bool over;
static hocket_word word;

/* Nothing here lets another task on. */
static int computes(void *arg)
{
    uint32_t before = hk_load_acq(&turns);
    (void)arg;
    HK_WAIT_UNTIL(hk_load_acq(&turns) - before >= TURNS);
    return 0;
}

/* Short waits, one after the other. */
static int waits(void *arg)
{
    (void)arg;
    while (!hk_load_acq(&over)) {
        HK_EXPECT_EQ(hocket_wait_on(&word, 0, hocket_after(20 * HOCKET_US)), -ETIMEDOUT);
        (void)hk_add(&turns, 1);
    }
    return 0;
}

static void *stranger(void *arg)
{
    (void)waits(arg);
    return NULL;
}

static int all_compute(void *arg)
{
    hocket_scope scope;
    (void)arg;
    hocket_scope_open(&scope, NULL);
    for (int i = 0; i < COMPUTING; i++)
        HK_EXPECT_EQ(hocket_spawn(&scope, computes, NULL), 0);
    return hocket_scope_close(&scope);
}

static int beside_a_thread(void *arg)
{
    hocket_task *t;
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    o.placement = HOCKET_ON_THREAD;
    hk_store(&over, false);
    HK_EXPECT_EQ(hocket_spawn_task(&t, NULL, waits, NULL, &o), 0);
    HK_EXPECT_EQ(all_compute(arg), 0);
    hk_store_rel(&over, true);
    HK_EXPECT_EQ(hocket_join(t, NULL, HOCKET_FOREVER), 0);
    hocket_task_release(t);
    return 0;
}

static void run(hocket_task_fn *fn)
{
    for (int i = 0; i < run_scaled(ROUNDS, ROUNDS / 4); i++) {
        hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
        o.workers = 1 + i % 2;
        o.no_signals = true;
        HK_EXPECT_EQ(hocket_run_with(fn, NULL, &o), 0);
    }
}

START_TEST(a_thread_of_its_own)
{
    run(beside_a_thread);
}
END_TEST

START_TEST(a_stranger)
{
    pthread_t t;
    HK_EXPECT_EQ(pthread_create(&t, NULL, stranger, NULL), 0);
    run(all_compute);
    hk_store_rel(&over, true);
    HK_EXPECT_EQ(pthread_join(t, NULL), 0);
}
END_TEST

SUITE("seat", 120)
{
    suite_once(a_thread_of_its_own);
    suite_once(a_stranger);
}
