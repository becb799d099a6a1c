/* SPDX-License-Identifier: MIT */
/* Queues that have to grow, when the n-th allocation fails: a put that failed has put nothing. */
#include <errno.h>
#include <hocket/queue.h>

#include "queue/queue.h"
#include "support/inject.h"
#include "support/suite.h"

#define VALUES 3000

struct grown {
    int order;
    bool many;
};

/* Puts values until memory fails; then everything that was put comes out, in order. */
static int grow(void *arg)
{
    const struct grown *g = arg;
    hocket_queue *q;
    hocket_queue_options o = HOCKET_QUEUE_OPTIONS_DEFAULT;
    static int in[VALUES];
    o.order = g->order;
    o.capacity = HOCKET_UNBOUNDED;
    int err = hocket_queue_new(&q, sizeof(int), &o), put = 0, value = -1;
    if (err != 0)
        return err;
    for (int i = 0; i < VALUES; i++)
        in[i] = i;
    while (put < VALUES && err == 0) {
        if (g->many) {
            ptrdiff_t n = hocket_queue_put_many(q, in + put, (size_t)(VALUES - put), HOCKET_NOW);
            err = n < 0 ? (int)n : 0;
            put += n > 0 ? (int)n : 0;
        } else {
            err = hocket_queue_put(q, &in[put], HOCKET_NOW);
            put += err == 0;
        }
        HK_EXPECT_EQ(hocket_queue_length(q), put);
        HK_EXPECT_EQ(hocket_queue_unfinished(q), put);
    }
    HK_EXPECT(err == 0 || err == -ENOMEM);
    for (int i = 0; i < put; i++) {
        HK_EXPECT_EQ(hocket_queue_get(q, &value, HOCKET_NOW), 0);
        HK_EXPECT_EQ(value, g->order == HOCKET_LIFO ? put - 1 - i : i);
    }
    HK_EXPECT_EQ(hocket_queue_put(q, &value, HOCKET_NOW), 0); /* that much memory it has */
    hocket_queue_free(q);
    return err;
}

START_TEST(growing)
{
    struct grown g = { _i % 3, _i >= 3 };
    inject_install();
    unsigned calls = inject_sweep(INJECT_ALLOC, grow, &g);
    HK_EXPECT(calls > 2 && calls < 100);
}
END_TEST

/* A queue with a bound takes its memory at once, and its calls none. */
static int bounded(void *arg)
{
    hocket_queue *q;
    hocket_queue_options o = HOCKET_QUEUE_OPTIONS_DEFAULT;
    int value = 1;
    o.order = *(const int *)arg;
    o.capacity = 100;
    int err = hocket_queue_new(&q, sizeof(int), &o);
    if (err != 0)
        return err;
    inject_fail(INJECT_ALLOC, 1, true);
    for (int i = 0; i < 100; i++)
        HK_EXPECT_EQ(hocket_queue_put(q, &value, HOCKET_NOW), 0);
    for (int i = 0; i < 100; i++)
        HK_EXPECT_EQ(hocket_queue_get(q, &value, HOCKET_NOW), 0);
    HK_EXPECT(!inject_off());
    hocket_queue_free(q);
    return 0;
}

START_TEST(bounded_take_no_memory)
{
    int order = _i, value;
    hocket_queue *q;
    inject_install();
    HK_EXPECT_EQ(hocket_queue_new(&q, sizeof(int), NULL), 0);
    HK_EXPECT_EQ(hocket_queue_get(q, &value, HOCKET_NOW), -ETIMEDOUT); /* this thread's record */
    hocket_queue_free(q);
    HK_EXPECT_EQ(bounded(&order), 0);
    struct inject_counts before = inject_counts();
    for (unsigned nth = 1; nth <= (order == HOCKET_FIFO ? 1 : 2); nth++) {
        inject_fail(INJECT_ALLOC, nth, false);
        hocket_queue_options o = HOCKET_QUEUE_OPTIONS_DEFAULT;
        o.order = order;
        HK_EXPECT_EQ(hocket_queue_new(&q, sizeof(int), &o), -ENOMEM);
        HK_EXPECT(inject_off());
    }
    HK_EXPECT_EQ(inject_counts().blocks, before.blocks);
}
END_TEST

/* A declaration without memory declares nothing: the queue is one without known producers. */
static int declare(void *arg)
{
    hocket_queue *q = arg;
    inject_fail(INJECT_ALLOC, 1, false);
    HK_EXPECT_EQ(hocket_queue_declare(q, hocket_self()), -ENOMEM);
    HK_EXPECT(inject_off());
    HK_EXPECT_EQ(hk_load(&q->producers), 0);
    HK_EXPECT_EQ(hocket_queue_declare(q, hocket_self()), 0);
    HK_EXPECT(hk_load(&q->producers) != 0);
    return 0;
}

START_TEST(declaring)
{
    hocket_queue *q;
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = HOCKET_NO_WORKERS; /* nobody else allocates meanwhile */
    inject_install();
    HK_EXPECT_OK(hocket_queue_new(&q, sizeof(int), NULL));
    HK_EXPECT_EQ(hocket_run_with(declare, q, &o), 0);
    hocket_queue_free(q);
}
END_TEST

SUITE("queue_memory", 60)
{
    tcase_add_loop_test(suite__case, growing, 0, 6);
    tcase_add_loop_test(suite__case, bounded_take_no_memory, 0, 3);
    suite_once(declaring);
}
