/* SPDX-License-Identifier: MIT */
/*
 * Dumps, one after the other and several at once, while tasks come, wait in all ways, move between
 * workers and end, and runtimes start and stop.
 */
#include "support/seeded.h"
#include "support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>

#include <hocket.h>

#include "support/dumped.h"

static _Atomic bool over, under_way;
static _Atomic unsigned dumps;
static hocket_mutex mutex;
static hocket_rwlock rwlock;
static hocket_sem sem = HOCKET_SEM_INIT(2);

static int leaf(void *arg)
{
    struct seeded r = { (uintptr_t)arg };
    int err = 0;
    for (int i = 0; i < 6 && err == 0; i++) {
        switch (seeded_below(&r, 6)) {
        case 0:
            hocket_mutex_lock(&mutex);
            err = hocket_yield();
            hocket_mutex_unlock(&mutex);
            break;
        case 1:
            err = hocket_rwlock_rdlock_until(&rwlock, hocket_after(HOCKET_SEC));
            if (err == 0)
                hocket_rwlock_unlock(&rwlock);
            break;
        case 2:
            err = hocket_rwlock_wrlock_until(&rwlock, hocket_after(HOCKET_SEC));
            if (err == 0)
                hocket_rwlock_unlock(&rwlock);
            break;
        case 3:
            err = hocket_sem_acquire(&sem, HOCKET_FOREVER);
            if (err == 0)
                hocket_sem_release(&sem);
            break;
        case 4: err = hocket_sleep(20 * HOCKET_US); break;
        default: err = hocket_yield();
        }
    }
    return err == -ETIMEDOUT || err == -ECANCELED ? 0 : err;
}

static int branch(void *arg)
{
    struct seeded r = { (uintptr_t)arg };
    hocket_scope s;
    hocket_task *t = NULL;
    hocket_scope_open(&s, HOCKET_SCOPE_OPTIONS(.name = "branch"));
    for (int i = 0; i < 8; i++)
        HK_EXPECT_OK(hocket_spawn(&s, leaf, (void *)(uintptr_t)seeded_below(&r, 1u << 30)));
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    o.placement = seeded_below(&r, 8) == 0 ? HOCKET_ON_THREAD : HOCKET_ON_FIBER;
    HK_EXPECT_OK(hocket_spawn_task(&t, &s, leaf, arg, &o));
    if (seeded_below(&r, 4) == 0)
        hocket_scope_cancel(&s);
    int err = hocket_join(t, NULL, HOCKET_FOREVER);
    hocket_task_release(t);
    int failed = hocket_scope_close(&s);
    if (err == 0)
        err = failed;
    return err == -ECANCELED ? 0 : err;
}

static int trunk(void *arg)
{
    struct seeded r = { *(uint64_t *)arg };
    for (int i = 0; i < 20; i++) {
        hocket_scope s;
        hocket_scope_open(&s, NULL);
        for (int k = 0; k < 4; k++)
            HK_EXPECT_OK(hocket_spawn(&s, branch, (void *)(uintptr_t)seeded_below(&r, 1u << 30)));
        HK_EXPECT_OK(hocket_scope_close(&s));
    }
    return 0;
}

static void *dumper(void *arg)
{
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    HK_EXPECT(fd >= 0);
    while (!hk_load(&over)) {
        int err = hocket_dump(fd);
        HK_EXPECT(err == 0 || err == -EBUSY);
        (void)hk_add(&dumps, 1);
    }
    close(fd);
    return arg;
}

START_TEST(dumps_of_all_that_moves)
{
    pthread_t threads[2];
    uint64_t seed = seeded_begin("trace_dump");
    for (int i = 0; i < 2; i++)
        HK_EXPECT_EQ(pthread_create(&threads[i], NULL, dumper, NULL), 0);
    double end = hk__expect_seconds() + 3;
    for (int round = 0; hk__expect_seconds() < end; round++) {
        hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
        o.workers = round % 3 == 0 ? HOCKET_NO_WORKERS : 1 + round % 4;
        o.no_signals = true;
        o.quiet_watchdog = true;
        seed++;
        HK_EXPECT_EQ(hocket_run_with(trunk, &seed, &o), 0);
    }
    hk_store(&over, true);
    for (int i = 0; i < 2; i++)
        HK_EXPECT_EQ(pthread_join(threads[i], NULL), 0);
    HK_EXPECT(hk_load(&dumps) > 0);
}
END_TEST

/* ---- while tasks compute: their threads are asked ---- */

static int computes(void *arg)
{
    struct seeded r = { (uintptr_t)arg };
    for (int i = 0; i < 20; i++) {
        double until = hk__expect_seconds() + seeded_below(&r, 300) / 1e6;
        while (hk__expect_seconds() < until)
            ;
        int err = seeded_below(&r, 2) ? hocket_yield() : hocket_sleep(50 * HOCKET_US);
        if (err)
            return err;
    }
    return 0;
}

static int computing(void *arg)
{
    struct seeded r = { *(uint64_t *)arg };
    while (!hk_load(&over)) {
        hocket_scope s;
        hocket_scope_open(&s, NULL);
        for (int k = 0; k < 12; k++) {
            void *number = (void *)(uintptr_t)seeded_below(&r, 1u << 30);
            hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
            o.placement = seeded_below(&r, 6) == 0 ? HOCKET_ON_THREAD : HOCKET_ON_FIBER;
            hocket_task *t = NULL;
            HK_EXPECT_OK(hocket_spawn_task(&t, &s, computes, number, &o));
            hocket_task_release(t);
        }
        hk_store(&under_way, true);
        HK_EXPECT_OK(hocket_scope_close(&s));
    }
    return 0;
}

static void *dumps_200(void *arg)
{
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    HK_EXPECT(fd >= 0);
    HK_WAIT_UNTIL(hk_load(&under_way));
    for (int i = 0; i < 200; i++) {
        int err = hocket_dump(fd);
        HK_EXPECT(err == 0 || err == -EBUSY);
    }
    close(fd);
    hk_store(&over, true);
    return arg;
}

START_TEST(dumps_of_those_who_compute)
{
    pthread_t thread;
    uint64_t seed = seeded_begin("trace_dump_computing");
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = 4;
    o.no_signals = true;
    o.quiet_watchdog = true;
    HK_EXPECT_EQ(pthread_create(&thread, NULL, dumps_200, NULL), 0);
    HK_EXPECT_EQ(hocket_run_with(computing, &seed, &o), 0);
    HK_EXPECT_EQ(pthread_join(thread, NULL), 0);
}
END_TEST

SUITE("trace_dump", 60)
{
    suite_once(dumps_of_those_who_compute);
    suite_once(dumps_of_all_that_moves);
}
