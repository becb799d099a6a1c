/* SPDX-License-Identifier: MIT */
/*
 * Crowds in front of one lock: 100,000 fibers, 10,000 OS threads; and of one event.
 *
 * Everybody is seen to wait before the lock is given up, and all get it.  Skipped where the
 * machine does not allow so many threads, and scaled down under sanitizers.
 */
#include <errno.h>
#include <pthread.h>

#include <hocket/event.h>
#include <hocket/mutex.h>

#include "support/suite.h"

static struct {
    hocket_mutex mutex;
    hocket_event event;
    _Atomic long came;
    long entered; /* under the mutex */
    _Atomic long woken;
} x;

static void reset(void)
{
    memset(&x, 0, sizeof x);
    HK_EXPECT_EQ(hocket__parked_count(), 0);
}

static void enter(void)
{
    (void)hk_add(&x.came, 1);
    hocket_mutex_lock(&x.mutex);
    x.entered++;
    hocket_mutex_unlock(&x.mutex);
    HK_EXPECT_OK(hocket_event_wait(&x.event, HOCKET_FOREVER));
    (void)hk_add(&x.woken, 1);
}

/* Counting who is parked does not say so: one who waited for the lock when it was counted may be on its way. */
static bool all_entered(long n)
{
    hocket_mutex_lock(&x.mutex);
    bool all = x.entered == n;
    hocket_mutex_unlock(&x.mutex);
    return all;
}

/* ---- fibers ---- */

static int fiber(void *arg)
{
    (void)arg;
    enter();
    return 0;
}

/*
 * Who waits spins first, and with many workers some do for a while: let them.  Counting who is parked
 * looks at every record, so that comes last.
 */
static void until_parked(size_t n)
{
    RUN_UNTIL(hk_load(&x.came) >= (long)n);
    RUN_UNTIL(hocket__parked_count() >= n);
}

static int fibers(void *arg)
{
    hocket_scope scope;
    long n = (long)(intptr_t)arg;
    hocket_scope_open(&scope, NULL);
    hocket_mutex_lock(&x.mutex);
    for (long i = 0; i < n; i++)
        HK_EXPECT_OK(hocket_spawn(&scope, fiber, NULL));
    until_parked((size_t)n);
    HK_EXPECT_EQ(x.entered, 0);
    hocket_mutex_unlock(&x.mutex);
    RUN_UNTIL(hocket_mutex_trylock(&x.mutex) == 0);
    hocket_mutex_unlock(&x.mutex);
    RUN_UNTIL(all_entered(n));
    until_parked((size_t)n); /* now before the event */
    hocket_event_set(&x.event);
    HK_EXPECT_OK(hocket_scope_close(&scope));
    HK_EXPECT_EQ(hk_load(&x.woken), n);
    return 0;
}

START_TEST(fibers_on_a_mutex)
{
    /* gcc's TSan ends at 8,128 fibers. */
    long n = run_scaled(100000, HOCKET_TSAN ? 4000 : 10000);
    reset();
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = _i;
    o.quiet_watchdog = true;
    HK_EXPECT_EQ(hocket_run_with(fibers, (void *)(intptr_t)n, &o), 0);
    hocket_mutex_destroy(&x.mutex);
    hocket_event_destroy(&x.event);
}
END_TEST

/* ---- OS threads ---- */

static void *thread(void *arg)
{
    (void)arg;
    enter();
    return NULL;
}

#define THREADS 10000

static pthread_t threads[THREADS];

/* Fewer than `n` only if the system refuses: then what there is must work. */
static int start_threads(int n)
{
    pthread_attr_t attr;
    int started = 0;
    long size = sysconf(_SC_THREAD_STACK_MIN); /* 128 KiB on aarch64 */
    size = size > 64 * 1024 ? size : 64 * 1024;
    HK_EXPECT_EQ(pthread_attr_init(&attr), 0);
    HK_EXPECT_EQ(pthread_attr_setstacksize(&attr, (size_t)size), 0);
    while (started < n && pthread_create(&threads[started], &attr, thread, NULL) == 0)
        started++;
    HK_EXPECT_EQ(pthread_attr_destroy(&attr), 0);
    return started;
}

START_TEST(threads_on_a_mutex)
{
    int wanted = run_scaled(THREADS, 200);
    reset();
    hocket_mutex_lock(&x.mutex);
    int n = start_threads(wanted);
    HK_WAIT_UNTIL(hocket__parked_count() >= (size_t)n);
    HK_EXPECT_EQ(x.entered, 0);
    hocket_mutex_unlock(&x.mutex);
    HK_WAIT_UNTIL(all_entered(n));
    HK_WAIT_UNTIL(hocket__parked_count() >= (size_t)n); /* now before the event */
    hocket_event_set(&x.event);
    for (int i = 0; i < n; i++)
        HK_EXPECT_EQ(pthread_join(threads[i], NULL), 0);
    HK_EXPECT_EQ(hk_load(&x.woken), n);
    hocket_mutex_destroy(&x.mutex);
    hocket_event_destroy(&x.event);
    if (n < wanted)
        fprintf(stderr, "sync_crowd: only %d of %d threads to be had\n", n, wanted);
}
END_TEST

SUITE("sync_crowd", 120)
{
    tcase_add_loop_test(suite__case, fibers_on_a_mutex, 1, 3);
    suite_once(threads_on_a_mutex);
}
