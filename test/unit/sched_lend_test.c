/* SPDX-License-Identifier: MIT */
/* Lent workers: as many as are needed, and the books are right when they have stepped aside. */
#include "support/suite.h"

#include <hocket/runtime.h>

#include "sched/worker.h"

#define TOGETHER 4
#define ROUNDS   6

static _Atomic int inside;

/* Each keeps its worker until all have one. */
static int blocks(void *arg)
{
    (void)arg;
    hocket_blocking_begin();
    (void)hk_add(&inside, 1);
    HK_WAIT_UNTIL(hk_load(&inside) >= TOGETHER);
    hocket_blocking_end();
    return 0;
}

static int round_of_all(void *arg)
{
    hocket_scope scope;
    hk_store(&inside, 0);
    hocket_scope_open(&scope, NULL);
    for (int i = 0; i < TOGETHER; i++)
        HK_EXPECT_OK(hocket_spawn(&scope, blocks, arg));
    return hocket_scope_close(&scope);
}

/* What `active` should be: threads that neither block nor stand aside. */
static int at_work(void)
{
    int n = 0, count = hk_load_acq(&hocket__rt.count);
    for (int i = 0; i < count; i++) {
        const struct hocket__worker *w = hk_load_acq(&hocket__rt.workers[i]);
        n += hk_load(&w->started) && !hk_load(&w->gone) && !hk_load(&w->retire) &&
             !hk_load(&w->is_spare) && hk_load(&w->blocked) == 0;
    }
    return n;
}

START_TEST(the_books_are_right)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = 1 + _i;
    o.quiet_watchdog = true;
    HK_EXPECT_OK(hocket_runtime_start(&o));
    for (int i = 0; i < ROUNDS; i++) {
        hocket_task *t;
        HK_EXPECT_OK(hocket_spawn_task(&t, NULL, round_of_all, NULL, NULL));
        run_finish(t, 0);
        HK_WAIT_UNTIL(hk_load(&hocket__rt.active) == at_work());
        HK_EXPECT(at_work() >= o.workers);
    }
    hocket_runtime_stats stats;
    hocket_runtime_stats_get(&stats);
    HK_EXPECT(stats.lent >= (uint64_t)(TOGETHER - o.workers));
    HK_EXPECT_OK(hocket_runtime_stop(HOCKET_FOREVER));
    HK_EXPECT_EQ(hk_load(&hocket__rt.active), 0);
}
END_TEST

SUITE("lend", 30)
{
    tcase_add_loop_test(suite__case, the_books_are_right, 0, 3);
}
