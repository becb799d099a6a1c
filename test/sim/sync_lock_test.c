/* SPDX-License-Identifier: MIT */
/*
 * Locks under every schedule: mutex, rmutex, rwlock, cond.
 *
 * Between fibers of one and two workers, plain threads, and both on one object.  Every wait
 * has a deadline or a cancel in some of the bodies; what it was handed must not be lost.
 */
#include "support/explored.h"

static hocket_mutex mutex;
static int inside, entered;

static void start(int entries)
{
    hocket_mutex_init(&mutex, 0, NULL);
    inside = 0;
    entered = entries;
}

static void section(void)
{
    HK_EXPECT_EQ(inside++, 0);
    explore_point();
    entered--;
    HK_EXPECT_EQ(--inside, 0);
}

/* ---- mutex ---- */

static int locker(void *arg)
{
    (void)arg;
    for (int i = 0; i < 2; i++) {
        hocket_mutex_lock(&mutex);
        section();
        if (explore_choice(2) && hocket_running())
            (void)hocket_yield();
        hocket_mutex_unlock(&mutex);
    }
    return 0;
}

static void *locker_thread(void *arg)
{
    HK_EXPECT_EQ(locker(arg), 0);
    return NULL;
}

EXPLORED(mutex_threads, NULL)
{
    start(6);
    int a = explore_start(locker_thread, NULL), b = explore_start(locker_thread, NULL);
    locker(NULL);
    explore_join(a);
    explore_join(b);
    HK_EXPECT_EQ(entered, 0);
    hocket_mutex_destroy(&mutex);
}

EXPLORED(mutex_threads_spurious, &explored_spurious)
{
    mutex_threads_body(explored_arg);
}

EXPLORED(mutex_mixed, &explored_held)
{
    start(8);
    explored_runtime(2);
    hocket_task *f = explored_spawn(locker, NULL), *g = explored_spawn(locker, NULL);
    int a = explore_start(locker_thread, NULL);
    locker(NULL);
    explored_finish(f, 0);
    explored_finish(g, 0);
    explore_join(a);
    HK_EXPECT_EQ(entered, 0);
    hocket_mutex_destroy(&mutex);
    explored_runtime_end();
}

/* Held for more than a millisecond: then it is handed over instead of let go. */
static void *slow_locker(void *arg)
{
    (void)arg;
    for (int i = 0; i < 2; i++) {
        hocket_mutex_lock(&mutex);
        section();
        (void)hocket_sleep(2 * HOCKET_MS);
        hocket_mutex_unlock(&mutex);
    }
    return NULL;
}

EXPLORED(mutex_handed_over, NULL)
{
    start(8);
    int a = explore_start(slow_locker, NULL), b = explore_start(locker_thread, NULL);
    int c = explore_start(locker_thread, NULL);
    locker(NULL);
    explore_join(a);
    explore_join(b);
    explore_join(c);
    HK_EXPECT_EQ(entered, 0);
    hocket_mutex_destroy(&mutex);
}

/* Some give up; the others get it all the same. */
static _Atomic int gave_up;

static int impatient(void *arg)
{
    for (int i = 0; i < 2; i++) {
        int err = hocket_mutex_lock_until(&mutex, hocket_after((hocket_time)(intptr_t)arg));
        if (err == 0) {
            section();
            hocket_mutex_unlock(&mutex);
        } else {
            HK_EXPECT(err == -ETIMEDOUT || err == -ECANCELED);
            atomic_fetch_add(&gave_up, 1);
        }
    }
    return 0;
}

static void *impatient_thread(void *arg)
{
    HK_EXPECT_EQ(impatient(arg), 0);
    return NULL;
}

EXPLORED(mutex_timed, NULL)
{
    start(6);
    atomic_store(&gave_up, 0);
    int a = explore_start(impatient_thread, (void *)(intptr_t)(5 * HOCKET_US));
    int b = explore_start(impatient_thread, (void *)(intptr_t)(2 * HOCKET_MS));
    locker(NULL);
    explore_join(a);
    explore_join(b);
    HK_EXPECT_EQ(entered, atomic_load(&gave_up));
    hocket_mutex_destroy(&mutex);
}

EXPLORED(mutex_cancelled, &explored_held)
{
    start(6);
    atomic_store(&gave_up, 0);
    explored_runtime(2);
    hocket_task *f = explored_spawn(impatient, (void *)(intptr_t)HOCKET_SEC);
    hocket_task *g = explored_spawn(locker, NULL);
    hocket_cancel(f);
    locker(NULL);
    explored_finish(f, 0);
    explored_finish(g, 0);
    HK_EXPECT_EQ(entered, atomic_load(&gave_up));
    hocket_mutex_destroy(&mutex);
    explored_runtime_end();
}

/* The mutex is in freed memory as soon as the last one has unlocked it. */
static void *last_locker(void *arg)
{
    hocket_mutex *m = arg;
    hocket_mutex_lock(m);
    bool last = --entered == 0;
    hocket_mutex_unlock(m);
    if (last) {
        hocket_mutex_destroy(m);
        memset(m, 0x5a, sizeof *m);
    }
    return NULL;
}

EXPLORED(mutex_dies_early, NULL)
{
    hocket_mutex m = HOCKET_MUTEX_INIT;
    start(3);
    int a = explore_start(last_locker, &m), b = explore_start(last_locker, &m);
    last_locker(&m);
    explore_join(a);
    explore_join(b);
    for (size_t i = 0; i < sizeof m; i++)
        HK_EXPECT_EQ(((unsigned char *)&m)[i], 0x5a);
}

/* ---- rmutex ---- */

static hocket_rmutex rmutex;

static void *nester(void *arg)
{
    (void)arg;
    hocket_rmutex_lock(&rmutex);
    hocket_rmutex_lock(&rmutex);
    section();
    hocket_rmutex_unlock(&rmutex);
    explore_point();
    section();
    hocket_rmutex_unlock(&rmutex);
    return NULL;
}

EXPLORED(rmutex_threads, NULL)
{
    start(6);
    memset(&rmutex, 0, sizeof rmutex);
    int a = explore_start(nester, NULL), b = explore_start(nester, NULL);
    nester(NULL);
    explore_join(a);
    explore_join(b);
    HK_EXPECT_EQ(entered, 0);
    hocket_rmutex_destroy(&rmutex);
}

/* ---- rwlock ---- */

static hocket_rwlock rwlock;
static _Atomic int readers, writers;

static void read_section(void)
{
    atomic_fetch_add(&readers, 1);
    HK_EXPECT_EQ(atomic_load(&writers), 0);
    explore_point();
    HK_EXPECT_EQ(atomic_load(&writers), 0);
    atomic_fetch_sub(&readers, 1);
}

static void write_section(void)
{
    HK_EXPECT_EQ(atomic_fetch_add(&writers, 1), 0);
    HK_EXPECT_EQ(atomic_load(&readers), 0);
    explore_point();
    HK_EXPECT_EQ(atomic_load(&readers), 0);
    atomic_fetch_sub(&writers, 1);
}

static int reader(void *arg)
{
    hocket_time limit = (hocket_time)(intptr_t)arg;
    for (int i = 0; i < 2; i++) {
        if (limit == 0) {
            hocket_rwlock_rdlock(&rwlock);
        } else if (hocket_rwlock_rdlock_until(&rwlock, hocket_after(limit)) != 0) {
            continue;
        }
        read_section();
        hocket_rwlock_unlock(&rwlock);
    }
    return 0;
}

static int writer(void *arg)
{
    hocket_time limit = (hocket_time)(intptr_t)arg;
    for (int i = 0; i < 2; i++) {
        if (limit == 0) {
            hocket_rwlock_wrlock(&rwlock);
        } else if (hocket_rwlock_wrlock_until(&rwlock, hocket_after(limit)) != 0) {
            continue;
        }
        write_section();
        hocket_rwlock_unlock(&rwlock);
    }
    return 0;
}

static void *reader_thread(void *arg)
{
    (void)reader(arg);
    return NULL;
}

static void *writer_thread(void *arg)
{
    (void)writer(arg);
    return NULL;
}

static void rwlock_end(void)
{
    HK_EXPECT(!hocket_rwlock_locked(&rwlock));
    HK_EXPECT_EQ(rwlock.hocket__word, 0);
    hocket_rwlock_destroy(&rwlock);
}

EXPLORED(rwlock_threads, NULL)
{
    hocket_rwlock_init(&rwlock, NULL);
    int a = explore_start(reader_thread, NULL), b = explore_start(writer_thread, NULL);
    int c = explore_start(reader_thread, NULL);
    (void)writer(NULL);
    explore_join(a);
    explore_join(b);
    explore_join(c);
    rwlock_end();
}

EXPLORED(rwlock_timed, NULL)
{
    void *brief = (void *)(intptr_t)(5 * HOCKET_US);
    hocket_rwlock_init(&rwlock, NULL);
    int a = explore_start(reader_thread, NULL), b = explore_start(writer_thread, brief);
    int c = explore_start(reader_thread, explore_choice(2) ? brief : NULL);
    int d = explore_start(writer_thread, explore_choice(2) ? brief : NULL);
    explore_join(a);
    explore_join(b);
    explore_join(c);
    explore_join(d);
    rwlock_end();
}

EXPLORED(rwlock_mixed, &explored_held)
{
    hocket_rwlock_init(&rwlock, NULL);
    explored_runtime(2);
    hocket_task *f = explored_spawn(reader, NULL), *g = explored_spawn(writer, NULL);
    hocket_task *h = explored_spawn(writer, (void *)(intptr_t)HOCKET_SEC);
    int a = explore_start(reader_thread, NULL);
    hocket_cancel(h);
    explored_finish(f, 0);
    explored_finish(g, 0);
    explored_finish(h, 0);
    explore_join(a);
    rwlock_end();
    explored_runtime_end();
}

SUITE("sync_lock", explored_limit())
{
    suite_once(mutex_threads);
    suite_once(mutex_threads_spurious);
    suite_once(mutex_mixed);
    suite_once(mutex_handed_over);
    suite_once(mutex_timed);
    suite_once(mutex_cancelled);
    suite_once(mutex_dies_early);
    suite_once(rmutex_threads);
    suite_once(rwlock_threads);
    suite_once(rwlock_timed);
    suite_once(rwlock_mixed);
}
