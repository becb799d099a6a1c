/* SPDX-License-Identifier: MIT */
/* trace: what known small programs did is in the file, all of it and in order. */
#include <check.h>
#include <errno.h>
#include <stdbool.h>

#include <hocket.h>

#include "support/expect.h"
#include "trace/model.h"

static char file[64];

static void name_file(void)
{
    (void)snprintf(file, sizeof file, "/tmp/hocket-trace-%d", (int)getpid());
}

static void read_file(struct trace *t)
{
    char why[TRACE_WHY] = "";
    bool good = trace_open(t, file, why);
    HK_EXPECT_STR(why, "");
    HK_EXPECT(good);
    (void)unlink(file);
}

static void run(hocket_task_fn *fn, void *arg, int workers)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = workers;
    o.no_signals = true;
    o.quiet_watchdog = true;
    HK_EXPECT_EQ(hocket_run_with(fn, arg, &o), 0);
}

/* The same with a trace of it, which is then read. */
static void traced(struct trace *t, hocket_task_fn *fn, void *arg, int workers, unsigned events)
{
    hocket_trace_options o = HOCKET_TRACE_OPTIONS_DEFAULT;
    o.events = events;
    name_file();
    HK_EXPECT_EQ(hocket_trace_start(file, &o), 0);
    HK_EXPECT(hocket_trace_active());
    run(fn, arg, workers);
    HK_EXPECT_EQ(hocket_trace_stop(), 0);
    HK_EXPECT(!hocket_trace_active());
    read_file(t);
}

/* ---- one event after the other ---- */

static uint64_t ids[2];
static hocket_queue *queue;

static int getter(void *arg)
{
    int value;
    (void)arg;
    return hocket_queue_get(queue, &value, HOCKET_FOREVER);
}

static int one_get(void *arg)
{
    int value = 7;
    (void)arg;
    ids[0] = hocket_task_id(hocket_self());
    hocket_task *t;
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    o.name = "getter";
    HK_EXPECT_EQ(hocket_queue_new(&queue, sizeof(int), NULL), 0);
    HK_EXPECT_EQ(hocket_spawn_task(&t, NULL, getter, NULL, &o), 0);
    ids[1] = hocket_task_id(t);
    HK_EXPECT_EQ(hocket_sleep(HOCKET_MS), 0); /* one worker: the getter runs now, and waits */
    HK_EXPECT_EQ(hocket_queue_put(queue, &value, HOCKET_NOW), 0);
    HK_EXPECT_EQ(hocket_join(t, NULL, HOCKET_FOREVER), 0);
    hocket_task_release(t);
    hocket_queue_free(queue);
    return 0;
}

struct expected {
    enum hkt_event_kind kind;
    uint64_t task;
    const char *wait; /* PARK */
    uint64_t value;   /* READY, SPAWN: who */
};

START_TEST(all_and_in_order)
{
    struct trace t;
    traced(&t, one_get, NULL, 1, 0);
    const struct expected expected[] = {
        { HKT_START, ids[0], NULL, 0 },       { HKT_SPAWN, ids[1], NULL, ids[0] },
        { HKT_PARK, ids[0], "sleep", 0 },     { HKT_START, ids[1], NULL, 0 },
        { HKT_PARK, ids[1], "queue", 0 },     { HKT_READY, ids[0], NULL, 0 },
        { HKT_RESUME, ids[0], NULL, 0 },      { HKT_READY, ids[1], NULL, ids[0] },
        { HKT_HOLDER, ids[0], NULL, ids[1] }, { HKT_PARK, ids[0], "join", 0 },
        { HKT_RESUME, ids[1], NULL, 0 },      { HKT_EXIT, ids[1], NULL, 0 },
        { HKT_READY, ids[0], NULL, ids[1] },  { HKT_RESUME, ids[0], NULL, 0 },
        { HKT_EXIT, ids[0], NULL, 0 },
    };
    struct trace_cursor c;
    struct trace_item i;
    size_t n = 0, all = sizeof expected / sizeof expected[0];
    HK_EXPECT(trace_cursor_start(&c, &t));
    int64_t before = 0;
    while (trace_cursor_next(&c, &i)) {
        const struct hkt_event *e = i.event;
        HK_EXPECT(i.ns >= before);
        before = i.ns;
        if ((e->task != ids[0] && e->task != ids[1]) || (n == 0 && HKT_KIND(e) != HKT_START))
            continue;
        HK_EXPECT(n < all);
        HK_EXPECT_EQ(HKT_KIND(e), expected[n].kind);
        HK_EXPECT_EQ(e->task, expected[n].task);
        if (expected[n].wait != NULL)
            HK_EXPECT_STR(trace_kind_name(&t, HKT_PARK_KIND(e->value)), expected[n].wait);
        if (HKT_KIND(e) == HKT_READY || HKT_KIND(e) == HKT_SPAWN || HKT_KIND(e) == HKT_HOLDER)
            HK_EXPECT_EQ(e->value, expected[n].value);
        n++;
    }
    HK_EXPECT_EQ(n, all);
    HK_EXPECT_STR(trace_task_name(&t, ids[1]), "getter");
    HK_EXPECT_STR(trace_task_name(&t, ids[0]), "main");
    HK_EXPECT_EQ(t.lost, 0);
    trace_cursor_end(&c);
    trace_close(&t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trace events");
    TCase *tc = tcase_create("trace events");
    tcase_add_test(tc, all_and_in_order);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
