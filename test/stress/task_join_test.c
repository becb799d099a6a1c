/* SPDX-License-Identifier: MIT */
/*
 * A fiber runs its children on top of itself by joining them, and two threads join them too, at any moment:
 * each gets the result, and nobody is left waiting.
 *
 * Such a child ends without a locked instruction, so this is where the membarrier of the other joiners
 * meets a real processor.
 */
#include <hocket/runtime.h>
#include <hocket/scope.h>
#include <pthread.h>
#include <sched.h>

#include "support/seeded.h"
#include "support/suite.h"

#include "base/atomic.h"
#include "sys/sanitizer.h"

#define THREADS 2
#define ROUNDS  (HOCKET_ASAN || HOCKET_TSAN ? 5000u : 50000u)

static _Atomic(hocket_task *) child;
static _Atomic uint32_t round_now, joined;
static uint64_t seed;

static void pause_for(uint32_t turns)
{
    for (; turns > 0; turns--)
        hk_spin_pause();
}

struct work {
    uint32_t round, turns;
};

static int work(void *arg)
{
    struct work *w = arg;
    pause_for(w->turns);
    return (int)(w->round & 0xffff);
}

static void await(_Atomic uint32_t *what, uint32_t number)
{
    for (unsigned i = 1; hk_load_acq(what) != number; i++)
        if (i % 64 == 0)
            (void)sched_yield();
}

static void expect_joined(hocket_task *t, uint32_t round)
{
    int result = -1;
    HK_EXPECT_OK(hocket_join(t, &result, HOCKET_FOREVER));
    HK_EXPECT_EQ(result, (int)(round & 0xffff));
}

static void *thread(void *arg)
{
    struct seeded r = seeded_of(seed, (int)(intptr_t)arg);
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        await(&round_now, round);
        pause_for(seeded_below(&r, 60));
        expect_joined(hk_load_acq(&child), round);
        (void)hk_add(&joined, 1);
    }
    return NULL;
}

static int parent(void *arg)
{
    struct seeded *r = arg;
    hocket_scope scope;
    hocket_scope_open(&scope, NULL); /* a cancel of ours reaches them too, or they ran elsewhere */
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        hocket_task *t = NULL;
        struct work w = { round, seeded_below(r, 60) };
        hk_store(&joined, 0u);
        HK_EXPECT_OK(hocket_spawn_task(&t, &scope, work, &w, NULL));
        hk_store_rel(&child, t);
        hk_store_rel(&round_now, round);
        expect_joined(t, round);
        await(&joined, THREADS);
        hocket_task_release(t);
    }
    HK_EXPECT_OK(hocket_scope_close(&scope));
    return 0;
}

START_TEST(others_join)
{
    seed = seeded_begin("task_join");
    struct seeded r = seeded_of(seed, 100);
    pthread_t threads[THREADS];
    hk_store(&round_now, 0u);
    HK_EXPECT_OK(hocket_runtime_start(HOCKET_RUNTIME_OPTIONS(.workers = _i)));
    for (int i = 0; i < THREADS; i++)
        HK_EXPECT(pthread_create(&threads[i], NULL, thread, (void *)(intptr_t)i) == 0);
    hocket_task *t = NULL;
    int result = -1;
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, parent, &r, NULL));
    HK_EXPECT_OK(hocket_join(t, &result, HOCKET_FOREVER));
    HK_EXPECT_EQ(result, 0);
    hocket_task_release(t);
    for (int i = 0; i < THREADS; i++)
        HK_EXPECT(pthread_join(threads[i], NULL) == 0);
    HK_EXPECT_OK(hocket_runtime_stop(HOCKET_FOREVER));
}
END_TEST

SUITE("task_join", 60)
{
    tcase_add_loop_test(suite__case, others_join, 1, 3);
}
