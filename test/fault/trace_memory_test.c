/* SPDX-License-Identifier: MIT */
/* trace: without memory there is no trace, or a thread is not in it; the program never suffers. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <hocket/trace.h>

#include "support/suite.h"
#include "sys/sys.h"
#include "trace/ring.h"
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
    HK_EXPECT_EQ(hk_load(&hocket__ring_here()->next), 2);
    HK_EXPECT(hocket__ring_at(1) == NULL);
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

SUITE("trace without memory", 20)
{
    suite_once(no_trace);
    suite_once(no_ring);
    suite_once(larger);
    suite_once(no_folder);
}
