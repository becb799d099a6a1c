/* SPDX-License-Identifier: MIT */
/* trace: without memory who looks on says so and stays off; the program never suffers. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <hocket/lock_all.h>
#include <hocket/mutex.h>
#include <hocket/profile.h>
#include <hocket/time.h>
#include <hocket/trace.h>

#include "park/report.h"
#include "support/suite.h"
#include "sync/order.h"
#include "sys/sys.h"
#include "trace/ring.h"
#include "trace/share.h"
#include "trace/timeline.h"

static struct hocket__sys sys;
static _Atomic int maps_left;

static int map(size_t size, void **ret)
{
    if (hk_sub(&maps_left, 1) <= 0)
        return -ENOMEM;
    return hocket__sys_linux.map(size, ret);
}

static void few_maps(int n)
{
    sys = hocket__sys_linux;
    sys.map = map;
    hk_store(&maps_left, n);
    hocket__sys = &sys;
}

START_TEST(no_trace)
{
    few_maps(0);
    HK_EXPECT_EQ(hocket_trace_start("/dev/null", NULL), -ENOMEM);
    HK_EXPECT(!hocket_trace_active());
    hk_store(&maps_left, 100);
    HK_EXPECT_EQ(hocket_trace_start("/dev/null", NULL), 0);
    HK_EXPECT_EQ(hocket_trace_stop(), 0);
}
END_TEST

static int no_thread(struct hocket__thread *ret, void *(*fn)(void *), void *arg, size_t stack_size,
                     const char *name, unsigned flags)
{
    (void)ret;
    (void)fn;
    (void)arg;
    (void)stack_size;
    (void)name;
    (void)flags;
    return -EAGAIN;
}

/* Without the thread that would pause it a trace has everything. */
START_TEST(no_pacer)
{
    struct hocket_trace_options o = { sizeof o, 65536, 0, 1 };
    static struct hkt_pause pauses[HOCKET__SHARE_PAUSES];
    bool lost;
    few_maps(100);
    sys.thread_start = no_thread;
    HK_EXPECT_EQ(hocket_trace_start("/dev/null", &o), 0);
    for (uint64_t n = 0; n < 60 * HOCKET__SHARE_TURN; n++)
        hocket__event_put(HKT_SPAWN, n + 1, 0, 0);
    HK_EXPECT_EQ(hocket__share_pauses(pauses, &lost), 0);
    HK_EXPECT_EQ(hk_load(&hocket__share_edges), 0);
    HK_EXPECT_EQ(hocket_trace_stop(), 0);
}
END_TEST

static void *mark(void *arg)
{
    (void)arg;
    hocket_trace_mark("I am not there");
    hocket_trace_mark("nor now");
    return NULL;
}

START_TEST(no_ring)
{
    pthread_t t;
    few_maps(2); /* the writer's and ours */
    HK_EXPECT_EQ(hocket_trace_start("/dev/null", NULL), 0);
    hocket_trace_mark("I am");
    for (int i = 0; i < 3; i++) {
        HK_EXPECT_EQ(pthread_create(&t, NULL, mark, NULL), 0);
        HK_EXPECT_EQ(pthread_join(t, NULL), 0);
    }
    HK_EXPECT_EQ(hocket__rings_denied(), 3); /* threads, not events */
    HK_EXPECT_EQ(hk_load(&hocket__trace_ring_here()->next), 2);
    HK_EXPECT(hocket__trace_ring_at(1) == NULL);
    HK_EXPECT_EQ(hocket_trace_stop(), 0);
}
END_TEST

/* A thread that must wait for another's ring to be made loses nothing. */
enum { SLOW = 6 };
static pthread_barrier_t together;

static int map_slowly(size_t size, void **ret)
{
    for (int i = 0; i < 20000; i++)
        hocket__thread_yield();
    return hocket__sys_linux.map(size, ret);
}

static void *mark_together(void *arg)
{
    (void)arg;
    (void)pthread_barrier_wait(&together);
    hocket_trace_mark("one");
    (void)pthread_barrier_wait(&together); /* a ring for each */
    return NULL;
}

START_TEST(slow_ring)
{
    pthread_t t[SLOW];
    uint64_t events = 0;
    sys = hocket__sys_linux;
    sys.map = map_slowly;
    hocket__sys = &sys;
    HK_EXPECT_EQ(pthread_barrier_init(&together, NULL, SLOW), 0);
    HK_EXPECT_EQ(hocket_trace_start("/dev/null", NULL), 0);
    for (int i = 0; i < SLOW; i++)
        HK_EXPECT_EQ(pthread_create(&t[i], NULL, mark_together, NULL), 0);
    for (int i = 0; i < SLOW; i++)
        HK_EXPECT_EQ(pthread_join(t[i], NULL), 0);
    struct hocket__trace_ring *r;
    for (uint32_t i = 0; (r = hocket__trace_ring_at(i)) != NULL; i++)
        events += hk_load(&r->next);
    HK_EXPECT_EQ(events, 2 * SLOW); /* and its text */
    HK_EXPECT_EQ(hocket_trace_stop(), 0);
}
END_TEST

/* Larger rings than before need more of the writer too. */
START_TEST(larger)
{
    hocket_trace_options o = HOCKET_TRACE_OPTIONS_DEFAULT;
    few_maps(100);
    o.buffer = 65536;
    HK_EXPECT_EQ(hocket_trace_start("/dev/null", &o), 0);
    HK_EXPECT_EQ(hocket_trace_stop(), 0);
    hk_store(&maps_left, 0);
    HK_EXPECT_EQ(hocket_trace_start("/dev/null", &o), 0); /* it has what it needs */
    HK_EXPECT_EQ(hocket_trace_stop(), 0);
    o.buffer = 131072;
    HK_EXPECT_EQ(hocket_trace_start("/dev/null", &o), -ENOMEM);
    hk_store(&maps_left, 100);
    HK_EXPECT_EQ(hocket_trace_start("/dev/null", &o), 0);
    HK_EXPECT_EQ(hocket_trace_stop(), 0);
}
END_TEST

/* The file goes away, its folder too: an error for who stops, nothing else. */
START_TEST(no_folder)
{
    char folder[] = "/tmp/hocket-trace-XXXXXX", file[64];
    HK_EXPECT(mkdtemp(folder) != NULL);
    (void)snprintf(file, sizeof file, "%s/t", folder);
    HK_EXPECT_EQ(hocket_trace_start(file, NULL), 0);
    HK_EXPECT_EQ(unlink(file), 0);
    HK_EXPECT_EQ(rmdir(folder), 0);
    HK_EXPECT_EQ(hocket_trace_write(), -ENOENT);
    HK_EXPECT(!hocket_trace_active());
}
END_TEST

static char said[4096];

static void listen(const char *line)
{
    size_t used = strlen(said);
    (void)snprintf(said + used, sizeof said - used, "%s", line);
}

static void take_both(hocket_mutex *first, hocket_mutex *second)
{
    hocket_mutex_lock(first);
    hocket_mutex_lock(second);
    hocket_mutex_unlock(second);
    hocket_mutex_unlock(first);
}

/* Its tables are mapped when it is switched on: without them it stays off, and may be tried again. */
START_TEST(no_lock_order)
{
    static hocket_mutex a, b;
    bool had = hk_load(&hocket__order_checked); /* a debug build begins with it */
    take_both(&a, &b);
    hocket_lock_order_check(false);
    hocket__report_hook = listen;
    bool learned = false;
    for (int maps = 0; maps <= 3; maps++) { /* of locks, of tasks, of what these tasks hold */
        few_maps(maps);
        hocket_lock_order_check(true);
        take_both(&a, &b);
        take_both(&b, &a);
        HK_EXPECT(had || (strstr(said, "there is no memory to check it") != NULL) == (maps == 0));
        learned = learned || strstr(said, "the other way round was seen before") != NULL;
        HK_EXPECT(had || maps > 0 || !learned);
        said[0] = '\0';
        hocket_lock_order_check(false);
    }
    HK_EXPECT(had || learned);
}
END_TEST

/* How many waits the profile has counted. */
static uint64_t counted(void)
{
    hocket_profile_entry e[8];
    ptrdiff_t n = hocket_profile_list(HOCKET_PROFILE_PLACES, e, 8);
    HK_EXPECT(n == 0 || n == 1);
    return n == 1 ? e[0].count : 0;
}

/* Each table that it lacks costs it the wait, or the place, and nobody else anything. */
START_TEST(no_profile)
{
    HK_EXPECT_OK(hocket_sleep(HOCKET_US)); /* a record for this thread */
    hocket__report_hook = listen;
    for (int maps = 0; maps <= 4; maps++) {
        few_maps(maps);
        hocket_profile_start();
        HK_EXPECT_EQ(strstr(said, "wait profile: there is no memory") != NULL, maps == 0);
        said[0] = '\0';
        HK_EXPECT_OK(hocket_sleep(HOCKET_US));
        hocket_profile_stop();
    }
    hocket__sys = &hocket__sys_linux;
    HK_EXPECT(counted() > 0);
}
END_TEST

SUITE("trace without memory", 20)
{
    suite_once(no_lock_order);
    suite_once(no_profile);
    suite_once(no_trace);
    suite_once(no_ring);
    suite_once(no_pacer);
    suite_once(slow_ring);
    suite_once(larger);
    suite_once(no_folder);
}
