/* SPDX-License-Identifier: MIT */
/* watch: every event is told once, to those who want it, and locks are seen uncontended. */
#include <errno.h>

#include <hocket/hooks.h>
#include <hocket/mutex.h>
#include <hocket/runtime.h>
#include <hocket/rwlock.h>
#include <hocket/scope.h>
#include <hocket/time.h>

#include "park/watch.h"
#include "support/expect.h"
#include "support/suite.h"

static _Atomic int seen[HOCKET__EVENTS], others;

static void count(enum hocket__event event, hocket_task *task, const void *object, int64_t value)
{
    (void)task;
    (void)object;
    (void)value;
    (void)hk_add(&seen[event], 1);
}

static void count_other(enum hocket__event event, hocket_task *task, const void *object,
                        int64_t value)
{
    (void)task;
    (void)object;
    (void)value;
    HK_EXPECT(event == HOCKET__EVENT_EXIT);
    (void)hk_add(&others, 1);
}

static int child(void *arg)
{
    hocket_mutex *m = arg;
    hocket_mutex_lock(m);
    hocket_mutex_unlock(m);
    return 0;
}

static int body(void *arg)
{
    (void)arg;
    hocket_mutex m = HOCKET_MUTEX_INIT;
    hocket_rwlock l = HOCKET_RWLOCK_INIT;
    hocket_task *t;
    HK_EXPECT_EQ(hocket_spawn_task(&t, NULL, child, &m, NULL), 0);
    HK_EXPECT_EQ(hocket_join(t, NULL, HOCKET_FOREVER), 0);
    hocket_task_release(t);
    HK_EXPECT_EQ(hocket_sleep(HOCKET_MS), 0);
    HK_EXPECT_EQ(hocket_mutex_trylock(&m), 0);
    HK_EXPECT_EQ(hocket_mutex_trylock(&m), -EAGAIN);
    hocket_mutex_unlock(&m);
    hocket_rwlock_rdlock(&l);
    hocket_rwlock_unlock(&l);
    return 0;
}

START_TEST(each_once)
{
    hocket__onlook(HOCKET__WATCH_TRACE, ~0u, count);
    hocket__onlook(HOCKET__WATCH_LIVE, HOCKET__EVENT_BIT(HOCKET__EVENT_EXIT), count_other);
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = 1;
    HK_EXPECT_EQ(hocket_run_with(body, NULL, &o), 0);
    hocket__onlook(HOCKET__WATCH_TRACE, 0, NULL);
    hocket__onlook(HOCKET__WATCH_LIVE, 0, NULL);
    HK_EXPECT_EQ(hk_load(&hocket__watching), 0);
    HK_EXPECT_EQ(hk_load(&seen[HOCKET__EVENT_SPAWN]), 2); /* the root task too */
    HK_EXPECT_EQ(hk_load(&seen[HOCKET__EVENT_START]), 2);
    HK_EXPECT_EQ(hk_load(&seen[HOCKET__EVENT_EXIT]), 2);
    HK_EXPECT_EQ(hk_load(&others), 2);
    HK_EXPECT_EQ(hk_load(&seen[HOCKET__EVENT_WANT]), 4);
    HK_EXPECT_EQ(hk_load(&seen[HOCKET__EVENT_TAKEN]), 3);
    HK_EXPECT_EQ(hk_load(&seen[HOCKET__EVENT_GIVE]), 3);
    HK_EXPECT(hk_load(&seen[HOCKET__EVENT_PARK]) >= 1);
    HK_EXPECT_EQ(hk_load(&seen[HOCKET__EVENT_PARK]), hk_load(&seen[HOCKET__EVENT_UNPARK]));
    HK_EXPECT(hk_load(&seen[HOCKET__EVENT_READY]) >= 1);
}
END_TEST

static _Atomic int spawned;

static void spawns(hocket_task *task, void *context)
{
    (void)task;
    (void)context;
    (void)hk_add(&spawned, 1);
}

START_TEST(beside_hooks)
{
    hocket_hooks h = HOCKET_HOOKS_DEFAULT;
    h.spawn = spawns;
    HK_EXPECT_EQ(hocket_hooks_set(&h, NULL), 0);
    hocket__onlook(HOCKET__WATCH_TRACE, HOCKET__EVENT_BIT(HOCKET__EVENT_SPAWN), count);
    HK_EXPECT_EQ(hocket_run(body, NULL), 0);
    hocket__onlook(HOCKET__WATCH_TRACE, 0, NULL);
    HK_EXPECT_EQ(hk_load(&spawned), 2);
    HK_EXPECT_EQ(hk_load(&seen[HOCKET__EVENT_SPAWN]), 2);
    HK_EXPECT_EQ(hocket_hooks_set(NULL, NULL), 0);
    HK_EXPECT_EQ(hk_load(&hocket__watching), 0);
}
END_TEST

SUITE("watch", 20)
{
    suite_once(each_once);
    suite_once(beside_hooks);
}
