/* SPDX-License-Identifier: MIT */
/* live: the queues on the page: which are there, how full, who waits; and hocket_stats of them. */
#include "support/suite.h"

#include <errno.h>
#include <string.h>

#include <hocket.h>

#include "support/live.h"
#include "support/queues.h"

#define MANY 200

static struct live_page page; /* too large for a stack */

static int puts_one(void *arg)
{
    int value = 7;
    return hocket_queue_put(arg, &value, HOCKET_FOREVER);
}

static int gets_one(void *arg)
{
    int value, err = hocket_queue_get(arg, &value, HOCKET_FOREVER);
    return err == -EPIPE ? 0 : err;
}

static int gets_late(void *arg)
{
    int value, err = hocket_delay_queue_get(arg, &value, HOCKET_FOREVER);
    return err == -EPIPE ? 0 : err;
}

static void fill(hocket_queue *q, int count)
{
    for (int i = 0; i < count; i++)
        HK_EXPECT_OK(hocket_queue_put(q, &i, HOCKET_NOW));
}

static hocket_task *waiter(hocket_task_fn *fn, void *queue, const char *name)
{
    hocket_task *t = run_spawn(fn, queue);
    hocket_task_set_name(t, name);
    RUN_UNTIL(run_parked(t));
    return t;
}

static void expect(const void *q, const char *kind, uint64_t length, uint64_t capacity,
                   uint64_t putters, uint64_t getters)
{
    const struct live_queue *l = live_queue_of(&page, q);
    HK_EXPECT(l != NULL);
    HK_EXPECT_STR(l->kind, kind);
    HK_EXPECT_EQ(l->length, length);
    HK_EXPECT_EQ(l->capacity, capacity);
    HK_EXPECT_EQ(l->putters, putters);
    HK_EXPECT_EQ(l->getters, getters);
}

static void expect_waiter(const void *q, const char *name)
{
    const struct live_queue *l = live_queue_of(&page, q);
    HK_EXPECT(l != NULL);
    HK_EXPECT_STR(l->task, name);
}

/* ---- which are shown, and what of them ---- */

static int kinds_body(void *arg)
{
    hocket_stats_info s;
    hocket_task *t[5];
    hocket_delay_queue *delay = NULL;
    (void)arg;
    hocket_queue *fifo = queue_make(sizeof(int), HOCKET_FIFO, 2);
    hocket_queue *unbounded = queue_make(sizeof(int), HOCKET_FIFO, HOCKET_UNBOUNDED);
    hocket_queue *meeting = queue_make(sizeof(int), HOCKET_FIFO, HOCKET_RENDEZVOUS);
    hocket_queue *lifo = queue_make(sizeof(int), HOCKET_LIFO, 8);
    hocket_queue *priority = queue_make(sizeof(int), HOCKET_PRIORITY, 5);
    hocket_queue *idle = queue_make(sizeof(int), HOCKET_FIFO, 4);
    HK_EXPECT_OK(hocket_delay_queue_new(&delay, sizeof(int), NULL));
    fill(fifo, 2);
    fill(unbounded, 100);
    fill(lifo, 5);
    HK_EXPECT_OK(hocket_queue_close(lifo, HOCKET_CLOSE_DRAIN));
    for (int i = 0; i < 4; i++)
        HK_EXPECT_OK(
            hocket_delay_queue_put(delay, &i, hocket_after(1000 * HOCKET_SEC), HOCKET_NOW));
    t[0] = waiter(puts_one, fifo, "putter");
    t[1] = waiter(puts_one, meeting, "giver");
    t[2] = waiter(gets_one, priority, "getter");
    t[3] = waiter(gets_one, priority, "getter");
    t[4] = waiter(gets_late, delay, "late");

    live_picture(&page);
    HK_EXPECT_EQ(page.queues, 7);
    HK_EXPECT_EQ(page.queue_values, 2 + 100 + 5 + 4);
    HK_EXPECT_EQ(page.queues_shown, 6);
    expect(fifo, "fifo", 2, 2, 1, 0);
    expect(unbounded, "fifo", 100, UINT64_MAX, 0, 0);
    expect(meeting, "rendezvous", 0, 0, 1, 0);
    expect(lifo, "lifo", 5, 8, 0, 0);
    expect(priority, "priority", 0, 5, 0, 2);
    expect(delay, "delay", 4, HOCKET_QUEUE_CAPACITY, 0, 1);
    HK_EXPECT(live_queue_of(&page, idle) == NULL); /* nothing in it, and nobody waits */
    HK_EXPECT(live_queue_of(&page, lifo)->closed && !live_queue_of(&page, fifo)->closed);
    /* By what waits to be got, then by those who wait to get. */
    const void *order[] = { unbounded, lifo, delay, fifo, meeting, priority };
    for (int i = 0; i < 6; i++)
        HK_EXPECT_EQ(page.queue[i].object, (uintptr_t)order[i]);
    expect_waiter(fifo, "putter");
    expect_waiter(meeting, "giver");
    expect_waiter(priority, "getter");
    expect_waiter(delay, "late");
    expect_waiter(unbounded, "");
    hocket_stats(&s);
    HK_EXPECT_EQ(s.queues, 7);
    HK_EXPECT_EQ(s.queue_values, 111);
    HK_EXPECT_EQ(s.queue_values_most, 100);

    int value;
    HK_EXPECT_OK(hocket_queue_get(fifo, &value, HOCKET_NOW));
    HK_EXPECT_OK(hocket_queue_get(meeting, &value, HOCKET_NOW));
    (void)hocket_queue_close(priority, HOCKET_CLOSE_NOW);
    (void)hocket_delay_queue_close(delay, HOCKET_CLOSE_NOW);
    (void)hocket_queue_close(unbounded, HOCKET_CLOSE_NOW);
    for (int i = 0; i < 5; i++)
        run_finish(t[i], 0);
    live_picture(&page);
    HK_EXPECT_EQ(page.queues, 7);
    HK_EXPECT_EQ(page.queues_shown, 2);
    expect(fifo, "fifo", 2, 2, 0, 0);
    expect(lifo, "lifo", 5, 8, 0, 0);
    hocket_queue_free(fifo);
    hocket_queue_free(lifo);
    hocket_queue_free(unbounded);
    hocket_queue_free(meeting);
    hocket_queue_free(priority);
    hocket_queue_free(idle);
    hocket_delay_queue_free(delay);
    live_picture(&page);
    HK_EXPECT_EQ(page.queues + page.queues_shown + page.queue_values, 0);
    return 0;
}

START_TEST(every_kind)
{
    run_in(_i, kinds_body, NULL);
}
END_TEST

/* ---- readers of broadcasts ---- */

static int broadcasts_one(void *arg)
{
    int value = 9;
    return hocket_broadcast_put(arg, &value, HOCKET_FOREVER);
}

static int reads_all(void *arg)
{
    int value, err = 0;
    while (err == 0)
        err = hocket_reader_get(arg, &value, NULL, HOCKET_FOREVER);
    return err == -EPIPE ? 0 : err;
}

static int readers_body(void *arg)
{
    hocket_stats_info s;
    hocket_broadcast *blocks, *drops;
    hocket_reader *slow, *fast, *late;
    int value = 0;
    (void)arg;
    HK_EXPECT_OK(
        hocket_broadcast_new(&blocks, sizeof value, HOCKET_BROADCAST_OPTIONS(.capacity = 4)));
    HK_EXPECT_OK(hocket_broadcast_new(
        &drops, sizeof value,
        HOCKET_BROADCAST_OPTIONS(.capacity = 8, .lag = HOCKET_LAG_DROP_OLDEST)));
    HK_EXPECT_OK(hocket_broadcast_subscribe(blocks, &slow));
    HK_EXPECT_OK(hocket_broadcast_subscribe(blocks, &fast));
    HK_EXPECT_OK(hocket_broadcast_subscribe(drops, &late));
    for (int i = 0; i < 4; i++)
        HK_EXPECT_OK(hocket_broadcast_put(blocks, &i, HOCKET_NOW));
    for (int i = 0; i < 20; i++)
        HK_EXPECT_OK(hocket_broadcast_put(drops, &i, HOCKET_NOW));
    hocket_task *gets = waiter(reads_all, fast, "gets"),
                *puts = waiter(broadcasts_one, blocks, "puts");

    live_picture(&page);
    HK_EXPECT_EQ(page.queues, 3);
    expect(slow, "reader", 4, 4, 1, 0); /* the one that is waited for */
    expect(fast, "reader", 0, 4, 0, 1);
    expect(late, "reader", 8, 8, 0, 0); /* the rest it has missed */
    expect_waiter(slow, "puts");
    hocket_stats(&s);
    HK_EXPECT_EQ(s.queues, 3);
    HK_EXPECT_EQ(s.queue_values, 12);

    HK_EXPECT_OK(hocket_reader_get(slow, &value, NULL, HOCKET_NOW));
    run_finish(puts, 0);
    HK_EXPECT_OK(hocket_broadcast_close(blocks));
    run_finish(gets, 0);
    live_picture(&page);
    expect(slow, "reader", 4, 4, 0, 0);
    HK_EXPECT(live_queue_of(&page, slow)->closed && !live_queue_of(&page, late)->closed);
    hocket_reader_free(slow);
    hocket_reader_free(fast);
    hocket_reader_free(late);
    live_picture(&page);
    HK_EXPECT_EQ(page.queues, 0);
    hocket_broadcast_free(blocks);
    hocket_broadcast_free(drops);
    return 0;
}

START_TEST(readers_of_broadcasts_are_queues)
{
    run_in(_i, readers_body, NULL);
}
END_TEST

START_TEST(the_fullest_of_many)
{
    hocket_queue *q[MANY];
    hocket_stats_info s;
    /* In an order that is neither up nor down; more than are looked at without a pause. */
    for (int i = 0; i < MANY; i++) {
        q[i] = queue_make(sizeof(int), HOCKET_FIFO, MANY);
        fill(q[i], i * 77 % MANY);
    }
    live_picture(&page);
    HK_EXPECT_EQ(page.queues, MANY);
    HK_EXPECT_EQ(page.queue_values, MANY * (MANY - 1) / 2);
    HK_EXPECT_EQ(page.queues_shown, LIVE_LINES);
    for (unsigned i = 0; i < LIVE_LINES; i++)
        HK_EXPECT_EQ(page.queue[i].length, MANY - 1 - i);
    /* From the middle, the front and the end. */
    for (int i = 1; i < MANY; i += 2)
        hocket_queue_free(q[i]);
    hocket_stats(&s);
    HK_EXPECT_EQ(s.queues, MANY / 2);
    for (int i = MANY - 2; i > 0; i -= 4)
        hocket_queue_free(q[i]);
    hocket_stats(&s);
    HK_EXPECT_EQ(s.queues, MANY / 4);
    for (int i = 0; i < MANY; i += 4)
        hocket_queue_free(q[i]);
    hocket_stats(&s);
    HK_EXPECT_EQ(s.queues + s.queue_values + s.queue_values_most, 0);
}
END_TEST

/* While it is on, the page follows. */
START_TEST(queues_come_and_go)
{
    hocket_queue *q = queue_make(sizeof(int), HOCKET_FIFO, 3), *r;
    double begun = 0;
    HK_EXPECT_OK(hocket_live_start());
    live_page_read(&page);
    HK_EXPECT_EQ(page.queues, 1);
    HK_EXPECT_EQ(page.queues_shown, 0);
    r = queue_make(sizeof(int), HOCKET_LIFO, 3);
    fill(r, 2);
    for (; page.queues_shown == 0; live_page_read(&page))
        hk__expect_turn(__FILE__, __LINE__, "a queue comes", &begun);
    expect(r, "lifo", 2, 3, 0, 0);
    hocket_queue_free(q);
    hocket_queue_free(r);
    for (begun = 0; page.queues != 0; live_page_read(&page))
        hk__expect_turn(__FILE__, __LINE__, "both go", &begun);
    hocket_live_stop();
}
END_TEST

SUITE("trace_live", 40)
{
    suite_each(every_kind);
    suite_each(readers_of_broadcasts_are_queues);
    suite_once(the_fullest_of_many);
    suite_once(queues_come_and_go);
}
