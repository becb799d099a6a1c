/* SPDX-License-Identifier: MIT */
/* queue: declared producers that end without closing are reported to those who wait in vain. */
#include <errno.h>
#include <hocket/queue.h>

#include "park/report.h"
#include "queue/queue.h"
#include "support/suite.h"

static _Atomic int reports;

static void on_report(const char *line)
{
    HK_EXPECT(strstr(line, "whose producers have all ended") != NULL);
    hk_add(&reports, 1);
}

static hocket_queue *new_queue(void)
{
    hocket_queue *q;
    HK_EXPECT_OK(hocket_queue_new(&q, sizeof(int), NULL));
    hocket__report_hook = on_report;
    hk_store(&reports, 0);
    return q;
}

static int produce(void *queue)
{
    int value = 1;
    return hocket_queue_put(queue, &value, HOCKET_FOREVER);
}

static int produce_and_close(void *queue)
{
    HK_EXPECT_OK(produce(queue));
    return hocket_queue_close(queue, HOCKET_CLOSE_DRAIN);
}

static int consume(void *queue)
{
    int value, err;
    while ((err = hocket_queue_get(queue, &value, HOCKET_FOREVER)) == 0)
        ;
    HK_EXPECT(err == -EPIPE || err == -ECANCELED);
    return 0;
}

static hocket_task *declared(hocket_queue *q, hocket_task_fn *fn)
{
    hocket_task *t;
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    o.placement = run_placement();
    o.held = true;
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, fn, q, &o));
    HK_EXPECT_EQ(hocket_queue_declare(q, t), 0);
    return t;
}

static void run(hocket_task *t)
{
    HK_EXPECT_OK(hocket_task_start(t));
    run_finish(t, 0);
}

/* The getter waits before the last producer ends, or begins to after it. */
static int ends_without_closing(void *arg)
{
    bool first = *(bool *)arg;
    hocket_queue *q = new_queue();
    hocket_task *a = declared(q, produce), *b = declared(q, produce), *getter = NULL;
    HK_EXPECT_EQ(hocket_queue_declare(q, b), 0); /* twice is as good as once */
    if (first)
        getter = run_spawn(consume, q);
    run(a);
    HK_EXPECT_EQ(hk_load(&reports), 0);
    if (first)
        RUN_UNTIL(run_parked(getter));
    run(b);
    if (!first)
        getter = run_spawn(consume, q);
    RUN_UNTIL(hk_load(&reports) > 0);
    RUN_UNTIL(run_parked(getter) && hocket_queue_empty(q));
    hocket_task *again = run_spawn(consume, q);
    RUN_UNTIL(run_parked(again));
    HK_EXPECT_EQ(hk_load(&reports), 1); /* once a queue */
    HK_EXPECT_EQ(hocket_queue_close(q, HOCKET_CLOSE_DRAIN), 0);
    run_finish(getter, 0);
    run_finish(again, 0);
    hocket_queue_free(q);
    hocket__report_hook = NULL;
    return 0;
}

START_TEST(it_is_reported_once)
{
    bool first = true;
    run_in(_i, ends_without_closing, &first);
}
END_TEST

START_TEST(also_to_later_getters)
{
    bool first = false;
    run_in(_i, ends_without_closing, &first);
}
END_TEST

static int not_in_vain(void *arg)
{
    (void)arg;
    /* Closed by the producer. */
    hocket_queue *q = new_queue();
    hocket_task *t = declared(q, produce_and_close), *getter = run_spawn(consume, q);
    run(t);
    run_finish(getter, 0);
    hocket_queue_free(q);
    /* With a deadline. */
    int value;
    q = new_queue();
    run(declared(q, produce));
    HK_EXPECT_EQ(hocket_queue_get(q, &value, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(hocket_queue_get(q, &value, hocket_after(HOCKET_MS)), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_queue_get(q, &value, HOCKET_NOW), -ETIMEDOUT);
    hocket_queue_free(q);
    /* Nobody waits; freed before its producer ends. */
    q = new_queue();
    run(declared(q, produce));
    hocket_queue_free(q);
    q = new_queue();
    hocket_queue *other = new_queue();
    t = declared(q, produce);
    HK_EXPECT_EQ(hocket_queue_declare(other, t), 0);
    hocket_queue_free(other);
    run(t);
    hocket_queue_free(q);
    /* Nothing is declared: nothing is known. */
    q = new_queue();
    getter = run_spawn(consume, q);
    run_finish(run_spawn(produce, q), 0);
    RUN_UNTIL(run_parked(getter) && hocket_queue_empty(q));
    HK_EXPECT_EQ(hocket_queue_close(q, HOCKET_CLOSE_NOW), 0);
    run_finish(getter, 0);
    HK_EXPECT_EQ(hocket_queue_declare(q, NULL), -EINVAL);
    hocket_queue_free(q);
    HK_EXPECT_EQ(hk_load(&reports), 0);
    hocket__report_hook = NULL;
    return 0;
}

START_TEST(nothing_is_said_without_need)
{
    run_in(_i, not_in_vain, NULL);
}
END_TEST

SUITE("queue_producers", 30)
{
    suite_each(it_is_reported_once);
    suite_each(also_to_later_getters);
    suite_each(nothing_is_said_without_need);
}
