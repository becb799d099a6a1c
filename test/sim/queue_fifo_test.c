/* SPDX-License-Identifier: MIT */
/*
 * The bounded queue under every schedule: nothing is lost, nothing comes twice, each producer's
 * items come in its order, and whoever waits is told of a close.
 */
#include "support/explored.h"

#define PRODUCERS 2
#define ITEMS     3

static hocket_queue *queue;
static _Atomic int put[PRODUCERS], dropped;
static _Atomic int seen[PRODUCERS][ITEMS];
static _Atomic int got;

static void drop(void *value)
{
    (void)value;
    atomic_fetch_add(&dropped, 1);
}

static void start(size_t capacity)
{
    hocket_queue_options o = HOCKET_QUEUE_OPTIONS_DEFAULT;
    o.capacity = capacity;
    o.drop = drop;
    HK_EXPECT_OK(hocket_queue_new(&queue, sizeof(int), &o));
    memset((void *)put, 0, sizeof put);
    memset((void *)seen, 0, sizeof seen);
    atomic_store(&got, 0);
    atomic_store(&dropped, 0);
}

static hocket_time limit_of(intptr_t limit)
{
    return limit ? hocket_after(limit) : HOCKET_FOREVER;
}

struct role {
    int producer;
    intptr_t limit; /* ns a call; 0 = none */
};

static int produce(void *arg)
{
    struct role *r = arg;
    for (int i = 0; i < ITEMS; i++) {
        int item = r->producer * ITEMS + i;
        int err = hocket_queue_put(queue, &item, limit_of(r->limit));
        if (err) {
            HK_EXPECT(err == -EPIPE || err == -ECANCELED || (r->limit && err == -ETIMEDOUT));
            return 0;
        }
        atomic_fetch_add(&put[r->producer], 1);
    }
    return 0;
}

static int consume(void *arg)
{
    struct role *r = arg;
    int last[PRODUCERS] = { -1, -1 }, err, item = -1;
    while ((err = hocket_queue_get(queue, &item, limit_of(r->limit))) == 0) {
        int who = item / ITEMS, which = item % ITEMS;
        HK_EXPECT(item >= 0 && who < PRODUCERS);
        HK_EXPECT(which > last[who]);
        last[who] = which;
        HK_EXPECT_EQ(atomic_fetch_add(&seen[who][which], 1), 0);
        atomic_fetch_add(&got, 1);
        item = -1;
    }
    HK_EXPECT(err == -EPIPE || err == -ECANCELED || (r->limit && err == -ETIMEDOUT));
    HK_EXPECT_EQ(item, -1);
    return 0;
}

static void *produce_thread(void *arg)
{
    (void)produce(arg);
    return NULL;
}

static void *consume_thread(void *arg)
{
    (void)consume(arg);
    return NULL;
}

/* What was put was got, or dropped, or is still there. */
static void end(void)
{
    int all = 0;
    size_t left = hocket_queue_length(queue);
    for (int p = 0; p < PRODUCERS; p++) {
        all += atomic_load(&put[p]);
        for (int i = 0; i < ITEMS; i++)
            HK_EXPECT(atomic_load(&seen[p][i]) <= (i < atomic_load(&put[p])));
    }
    HK_EXPECT_EQ(all, atomic_load(&got) + atomic_load(&dropped) + (int)left);
    hocket_queue_free(queue);
    HK_EXPECT_EQ(all, atomic_load(&got) + atomic_load(&dropped));
}

EXPLORED(one_to_one, NULL)
{
    struct role p = { 0, 0 }, c = { 0, 0 };
    start(1);
    int a = explore_start(produce_thread, &p), b = explore_start(consume_thread, &c);
    explore_join(a);
    HK_EXPECT_OK(hocket_queue_close(queue, HOCKET_CLOSE_DRAIN));
    explore_join(b);
    HK_EXPECT_EQ(atomic_load(&got), ITEMS);
    end();
}

static void two_to_two(size_t capacity)
{
    struct role p[2] = { { 0, 0 }, { 1, 0 } }, c = { 0, 0 };
    start(capacity);
    int a = explore_start(produce_thread, &p[0]), b = explore_start(produce_thread, &p[1]);
    int x = explore_start(consume_thread, &c), y = explore_start(consume_thread, &c);
    explore_join(a);
    explore_join(b);
    HK_EXPECT_OK(hocket_queue_close(queue, HOCKET_CLOSE_DRAIN));
    explore_join(x);
    explore_join(y);
    HK_EXPECT_EQ(atomic_load(&got), 2 * ITEMS);
    end();
}

EXPLORED(two_to_two_1, NULL)
{
    two_to_two(1);
}

EXPLORED(two_to_two_2, NULL)
{
    two_to_two(2);
}

/* Some lose patience. */
EXPLORED(timed, NULL)
{
    struct role p[2] = { { 0, 5 * HOCKET_US }, { 1, 0 } },
                c[2] = { { 0, 4 * HOCKET_US }, { 0, 0 } };
    start(1);
    int a = explore_start(produce_thread, &p[0]), b = explore_start(produce_thread, &p[1]);
    int x = explore_start(consume_thread, &c[0]), y = explore_start(consume_thread, &c[1]);
    explore_join(a);
    explore_join(b);
    HK_EXPECT_OK(hocket_queue_close(queue, HOCKET_CLOSE_DRAIN));
    explore_join(x);
    explore_join(y);
    HK_EXPECT_EQ(atomic_load(&put[1]), ITEMS);
    end();
}

/* Closed under the hands of all. */
EXPLORED(closed_at_once, NULL)
{
    struct role p[2] = { { 0, 0 }, { 1, 0 } }, c = { 0, 0 };
    start(1);
    int a = explore_start(produce_thread, &p[0]), b = explore_start(produce_thread, &p[1]);
    int x = explore_start(consume_thread, &c);
    HK_EXPECT_OK(
        hocket_queue_close(queue, explore_choice(2) ? HOCKET_CLOSE_NOW : HOCKET_CLOSE_DRAIN));
    explore_join(a);
    explore_join(b);
    explore_join(x);
    end();
}

/* Fibers on two workers and a thread, some of them cancelled. */
EXPLORED(mixed_cancelled, &explored_held)
{
    struct role p[2] = { { 0, 0 }, { 1, 0 } }, c = { 0, 0 };
    start(1);
    explored_runtime(2);
    hocket_task *f = explored_spawn(produce, &p[0]), *g = explored_spawn(consume, &c);
    hocket_task *h = explored_spawn(consume, &c);
    int a = explore_start(produce_thread, &p[1]);
    hocket_cancel(explore_choice(2) ? f : g);
    explore_join(a);
    explored_finish(f, 0);
    HK_EXPECT_OK(hocket_queue_close(queue, HOCKET_CLOSE_DRAIN));
    explored_finish(g, 0);
    explored_finish(h, 0);
    HK_EXPECT_EQ(atomic_load(&put[1]), ITEMS);
    HK_EXPECT_EQ(hocket_queue_length(queue), 0);
    end();
    explored_runtime_end();
}

SUITE("queue_fifo", explored_limit())
{
    suite_once(one_to_one);
    suite_once(two_to_two_1);
    suite_once(two_to_two_2);
    suite_once(timed);
    suite_once(closed_at_once);
    suite_once(mixed_cancelled);
}
