/* SPDX-License-Identifier: MIT */
/*
 * No wake-up is lost: whatever is queued runs, although workers go to sleep meanwhile.
 *
 * The monitor is held (it would mend a lost wake after a tick), so a task that
 * nobody is woken for shows as a deadlock.
 */
#include "support/explored.h"

static _Atomic int count;

static int add_one(void *arg)
{
    (void)arg;
    atomic_fetch_add(&count, 1);
    return 0;
}

/* A foreign thread gives tasks to workers that are about to fall asleep. */
static void inject(int workers)
{
    hocket_task *t[3];
    atomic_store(&count, 0);
    explored_runtime(workers);
    for (int i = 0; i < 3; i++)
        t[i] = explored_spawn(add_one, NULL);
    for (int i = 0; i < 3; i++)
        explored_finish(t[i], 0);
    HK_EXPECT_EQ(atomic_load(&count), 3);
    explored_runtime_end();
}

EXPLORED(inject_1, &explored_held)
{
    inject(1);
}

EXPLORED(inject_2, &explored_held)
{
    inject(2);
}

/* Two foreign threads at once. */
static void *injector(void *arg)
{
    (void)arg;
    for (int i = 0; i < 2; i++)
        explored_finish(explored_spawn(add_one, NULL), 0);
    return NULL;
}

EXPLORED(inject_from_two, &explored_held)
{
    atomic_store(&count, 0);
    explored_runtime(2);
    int a = explore_start(injector, NULL), b = explore_start(injector, NULL);
    explore_join(a);
    explore_join(b);
    HK_EXPECT_EQ(atomic_load(&count), 4);
    explored_runtime_end();
}

/* Tasks spawned by a task: other workers may take them, the own one does at last. */
static int spawner(void *arg)
{
    hocket_scope scope;
    (void)arg;
    hocket_scope_open(&scope, NULL);
    for (int i = 0; i < 3; i++)
        HK_EXPECT_OK(hocket_spawn(&scope, add_one, NULL));
    return hocket_scope_close(&scope);
}

EXPLORED(spawn_inside, &explored_held)
{
    atomic_store(&count, 0);
    explored_runtime(2);
    explored_finish(explored_spawn(spawner, NULL), 0);
    HK_EXPECT_EQ(atomic_load(&count), 3);
    explored_runtime_end();
}

EXPLORED(spawn_in_run, &explored_held)
{
    atomic_store(&count, 0);
    explored_run(2, spawner, NULL);
    HK_EXPECT_EQ(atomic_load(&count), 3);
}

/* With the monitor, and workers that steal: nobody is stuck, no task runs twice. */
static int busy(void *arg)
{
    (void)arg;
    for (int i = 0; i < 20; i++)
        explore_pause();
    atomic_fetch_add(&count, 1);
    return 0;
}

static int busy_family(void *arg)
{
    hocket_scope scope;
    (void)arg;
    hocket_scope_open(&scope, NULL);
    for (int i = 0; i < 4; i++)
        HK_EXPECT_OK(hocket_spawn(&scope, busy, NULL));
    for (int i = 0; i < 20; i++)
        explore_pause();
    return hocket_scope_close(&scope);
}

EXPLORED(steal, NULL)
{
    atomic_store(&count, 0);
    explored_run(2, busy_family, NULL);
    HK_EXPECT_EQ(atomic_load(&count), 4);
}

/* Two tasks wake each other on words; each wake is a task made ready by another worker. */
static hocket_word turn;

static int player(void *arg)
{
    uint32_t me = (uint32_t)(uintptr_t)arg;
    for (uint32_t round = 0; round < 3; round++) {
        uint32_t now;
        while ((now = atomic_load((_Atomic uint32_t *)&turn)) != 2 * round + me)
            HK_EXPECT_OK(hocket_wait_on(&turn, now, HOCKET_FOREVER));
        atomic_fetch_add((_Atomic uint32_t *)&turn, 1);
        (void)hocket_wake(&turn, INT32_MAX);
    }
    return 0;
}

EXPLORED(ping_pong, &explored_held)
{
    atomic_store((_Atomic uint32_t *)&turn, 0);
    explored_runtime(2);
    hocket_task *a = explored_spawn(player, (void *)0), *b = explored_spawn(player, (void *)1);
    explored_finish(a, 0);
    explored_finish(b, 0);
    explored_runtime_end();
}

static void *player_thread(void *arg)
{
    HK_EXPECT_EQ(player(arg), 0);
    return NULL;
}

EXPLORED(ping_pong_thread, &explored_held)
{
    atomic_store((_Atomic uint32_t *)&turn, 0);
    explored_runtime(1);
    hocket_task *a = explored_spawn(player, (void *)0);
    int b = explore_start(player_thread, (void *)1);
    explored_finish(a, 0);
    explore_join(b);
    explored_runtime_end();
}

/* No worker: whoever waits runs the tasks, also when the one who did has gone. */
static void *joiner(void *arg)
{
    explored_finish(arg, 0);
    return NULL;
}

EXPLORED(no_workers, NULL)
{
    atomic_store(&count, 0);
    explored_runtime(HOCKET_NO_WORKERS);
    int a = explore_start(joiner, explored_spawn(add_one, NULL));
    int b = explore_start(joiner, explored_spawn(spawner, NULL));
    explore_join(a);
    explore_join(b);
    HK_EXPECT_EQ(atomic_load(&count), 4);
    explored_runtime_end();
}

SUITE("sched_wake", explored_limit())
{
    suite_once(inject_1);
    suite_once(inject_2);
    suite_once(inject_from_two);
    suite_once(spawn_inside);
    suite_once(spawn_in_run);
    suite_once(steal);
    suite_once(ping_pong);
    suite_once(ping_pong_thread);
    suite_once(no_workers);
}
