/* SPDX-License-Identifier: MIT */
/*
 * What Python's own tests of its queue module ask of a queue, asked of ours: the basic rules of each of
 * its three classes, blocking calls that another task ends, join, shutdown in all its forms, and
 * order among many tasks.
 *
 * Not asked, since there is nothing like it here: references to items, interrupted constructors,
 * a queue that is subclassed.  maxsize 0 is "no bound" there and the default bound here.
 */
#include <errno.h>
#include <hocket/event.h>

#include "support/modes.h"
#include "support/queues.h"

#include "base/atomic.h"

#define SIZE  5
#define KINDS 3 /* Queue, LifoQueue, PriorityQueue: the values of enum hocket_queue_order */

/* A PriorityQueue sorts by its items. */
static int put(hocket_queue *q, int order, int value, hocket_time deadline)
{
    return order == HOCKET_PRIORITY ? hocket_queue_put_with(q, &value, value, deadline)
                                    : hocket_queue_put(q, &value, deadline);
}

static int get(hocket_queue *q)
{
    int value = -1;
    HK_EXPECT_EQ(hocket_queue_get(q, &value, HOCKET_NOW), 0);
    return value;
}

static hocket_time soon(void)
{
    return hocket_after(100 * HOCKET_US);
}

struct shared {
    hocket_queue *q;
    int order;
    _Atomic int step, count, sum, refused;
    int got[8], rc[8];
    hocket_event go;
};

/* ---- basic: one task fills and drains it; a second one ends the waits ---- */

static int simple(int index, void *arg)
{
    struct shared *s = arg;
    hocket_queue *q = s->q;
    int value;
    if (index == 1) {
        /* it waits for a put that is blocked, and takes one value; then the same the other way */
        MODE_WAIT_UNTIL(hk_load_acq(&s->step) == 1 && hocket_queue_putters(q) == 1);
        s->got[0] = get(q);
        MODE_WAIT_UNTIL(hk_load_acq(&s->step) == 2 && hocket_queue_getters(q) == 1);
        HK_EXPECT_EQ(put(q, s->order, 10, HOCKET_NOW), 0);
        return 0;
    }
    HK_EXPECT(hocket_queue_empty(q));
    static const int in[] = { 111, 333, 222 },
                     out[KINDS][3] = { { 111, 333, 222 }, { 222, 333, 111 }, { 111, 222, 333 } };
    for (int i = 0; i < 3; i++)
        HK_EXPECT_EQ(put(q, s->order, in[i], HOCKET_NOW), 0);
    for (int i = 0; i < 3; i++)
        HK_EXPECT_EQ(get(q), out[s->order][i]);
    for (int i = 0; i < SIZE - 1; i++) {
        HK_EXPECT_EQ(put(q, s->order, i, HOCKET_NOW), 0);
        HK_EXPECT(!hocket_queue_empty(q) && !hocket_queue_full(q));
    }
    HK_EXPECT_EQ(put(q, s->order, SIZE - 1, HOCKET_NOW), 0);
    HK_EXPECT(hocket_queue_full(q));
    HK_EXPECT_EQ(put(q, s->order, 99, HOCKET_NOW), -ETIMEDOUT);
    HK_EXPECT_EQ(put(q, s->order, 99, soon()), -ETIMEDOUT);
    hk_store_rel(&s->step, 1);
    HK_EXPECT_EQ(put(q, s->order, 50, HOCKET_FOREVER), 0); /* the other one makes room */
    for (int i = 0; i < SIZE; i++)
        (void)get(q);
    HK_EXPECT(hocket_queue_empty(q));
    HK_EXPECT_EQ(hocket_queue_get(q, &value, HOCKET_NOW), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_queue_get(q, &value, soon()), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_queue_get(q, &value, -5), -ETIMEDOUT); /* a negative timeout */
    hk_store_rel(&s->step, 2);
    HK_EXPECT_EQ(hocket_queue_get(q, &value, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(value, 10);
    return 0;
}

START_TEST(simple_queue)
{
    for (int order = 0; order < KINDS; order++) {
        struct shared s = { .q = queue_make(sizeof(int), order, SIZE), .order = order };
        for (int twice = 0; twice < 2; twice++) { /* it is as good as new afterwards */
            hk_store(&s.step, 0);
            mode_run(_i, 2, simple, &s);
            HK_EXPECT_EQ(s.got[0], order == HOCKET_LIFO ? SIZE - 1 : 0);
        }
        hocket_queue_free(s.q);
    }
}
END_TEST

/* ---- join ---- */

static int cumulate(int index, void *arg)
{
    struct shared *s = arg;
    int value;
    if (index > 0) {
        while (hocket_queue_get(s->q, &value, HOCKET_FOREVER) == 0 && value >= 0) {
            (void)hk_add(&s->sum, value);
            HK_EXPECT_EQ(hocket_queue_task_done(s->q), 0);
        }
        HK_EXPECT_EQ(hocket_queue_task_done(s->q), 0); /* the sentinel */
        return 0;
    }
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 100; i++)
            HK_EXPECT_EQ(put(s->q, s->order, i, HOCKET_FOREVER), 0);
        HK_EXPECT_EQ(hocket_queue_join(s->q, HOCKET_FOREVER), 0);
        HK_EXPECT_EQ(hk_load(&s->sum), (round + 1) * 99 * 100 / 2);
    }
    for (int i = 0; i < 2; i++)
        HK_EXPECT_EQ(put(s->q, s->order, -1, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(hocket_queue_join(s->q, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(hocket_queue_task_done(s->q), -EOVERFLOW);
    return 0;
}

START_TEST(task_done_and_join)
{
    for (int order = 0; order < KINDS; order++) {
        struct shared s = { .q = queue_make(sizeof(int), order, SIZE), .order = order };
        mode_run(_i, 3, cumulate, &s);
        hocket_queue_free(s.q);
    }
}
END_TEST

/* ---- shutdown ---- */

/* All methods in one task: what they give before and after, at once and drained. */
START_TEST(shutdown_all_methods)
{
    for (int order = 0; order < KINDS; order++)
        for (int how = 0; how < 2; how++) {
            hocket_queue *q = queue_make(sizeof(int), order, SIZE);
            int value;
            HK_EXPECT_EQ(put(q, order, 1, HOCKET_NOW), 0);
            HK_EXPECT_EQ(put(q, order, 2, HOCKET_NOW), 0);
            HK_EXPECT_EQ(hocket_queue_close(q, how), 0);
            HK_EXPECT_EQ(put(q, order, 3, HOCKET_FOREVER), -EPIPE);
            HK_EXPECT_EQ(put(q, order, 3, HOCKET_NOW), -EPIPE);
            if (how == HOCKET_CLOSE_NOW) {
                HK_EXPECT_EQ(hocket_queue_length(q), 0);
                HK_EXPECT_EQ(hocket_queue_get(q, &value, HOCKET_FOREVER), -EPIPE);
                HK_EXPECT_EQ(hocket_queue_get(q, &value, HOCKET_NOW), -EPIPE);
                HK_EXPECT_EQ(hocket_queue_task_done(q), -EOVERFLOW); /* dropped counts as done */
            } else {
                HK_EXPECT_EQ(hocket_queue_length(q), 2);
                HK_EXPECT_EQ(get(q), order == HOCKET_LIFO ? 2 : 1);
                HK_EXPECT_EQ(hocket_queue_task_done(q), 0);
                HK_EXPECT_EQ(hocket_queue_join(q, HOCKET_NOW), -ETIMEDOUT);
                (void)get(q);
                HK_EXPECT_EQ(hocket_queue_get(q, &value, HOCKET_FOREVER), -EPIPE);
                HK_EXPECT_EQ(hocket_queue_task_done(q), 0);
                HK_EXPECT_EQ(hocket_queue_task_done(q), -EOVERFLOW);
            }
            HK_EXPECT_EQ(hocket_queue_join(q, HOCKET_FOREVER), 0);
            hocket_queue_free(q);
        }
}
END_TEST

/* Tasks that put, get and join in the moment of the shutdown: all of them come to an end. */
static int in_the_middle(int index, void *arg)
{
    struct shared *s = arg;
    int value, err = 0;
    HK_EXPECT_EQ(hocket_event_wait(&s->go, HOCKET_FOREVER), 0);
    switch (index % 4) {
    case 0:
        for (int i = 0; i < 20; i++)
            mode_yield();
        err = hocket_queue_close(s->q, s->rc[0]);
        HK_EXPECT(err == 0 || err == -EALREADY);
        return 0;
    case 1:
        for (int i = 0; err == 0; i++)
            if ((err = put(s->q, s->order, i, HOCKET_FOREVER)) == 0)
                (void)hk_add(&s->count, 1);
        break;
    case 2:
        while ((err = hocket_queue_get(s->q, &value, HOCKET_FOREVER)) == 0) {
            (void)hk_add(&s->sum, 1);
            HK_EXPECT_EQ(hocket_queue_task_done(s->q), 0);
        }
        break;
    default: HK_EXPECT_EQ(hocket_queue_join(s->q, HOCKET_FOREVER), 0); return 0;
    }
    HK_EXPECT_EQ(err, -EPIPE);
    (void)hk_add(&s->refused, 1);
    return 0;
}

static int released(int index, void *arg)
{
    struct shared *s = arg;
    if (index == 8) {
        hocket_event_set(&s->go);
        return 0;
    }
    return in_the_middle(index, arg);
}

START_TEST(shutdown_among_many)
{
    for (int order = 0; order < KINDS; order++)
        for (int how = 0; how < 2; how++) {
            struct shared s = { .q = queue_make(sizeof(int), order, SIZE),
                                .order = order,
                                .rc = { how } };
            mode_run(_i, 9, released, &s);
            HK_EXPECT_EQ(hk_load(&s.refused), 4);
            HK_EXPECT(how == HOCKET_CLOSE_NOW || hk_load(&s.sum) == hk_load(&s.count));
            HK_EXPECT_EQ(hocket_queue_length(s.q), 0);
            HK_EXPECT_EQ(hocket_queue_unfinished(s.q), 0);
            hocket_queue_free(s.q);
        }
}
END_TEST

/* A getter and a putter that wait when it is shut down, and a joiner whom a shutdown at once frees. */
static int waits(int index, void *arg)
{
    struct shared *s = arg;
    int value;
    if (index == 0) {
        MODE_WAIT_UNTIL(mode_parked(1) && mode_parked(2));
        HK_EXPECT_EQ(hocket_queue_close(s->q, HOCKET_CLOSE_NOW), 0);
        return s->got[0] ? hocket_queue_task_done(s->q) : 0;
    }
    s->rc[index] = index == 2       ? hocket_queue_join(s->q, HOCKET_FOREVER)
                   : s->got[0] == 0 ? put(s->q, s->order, 1, HOCKET_FOREVER)
                                    : hocket_queue_get(s->q, &value, HOCKET_FOREVER);
    return 0;
}

START_TEST(shutdown_frees_those_who_wait)
{
    for (int order = 0; order < KINDS; order++) {
        struct shared s = { .q = queue_make(sizeof(int), order, 1), .order = order };
        HK_EXPECT_EQ(put(s.q, order, 0, HOCKET_NOW), 0);
        mode_run(_i, 3, waits, &s);
        HK_EXPECT(s.rc[1] == -EPIPE && s.rc[2] == 0);
        hocket_queue_free(s.q);
        s = (struct shared){ .q = queue_make(sizeof(int), order, 1), .order = order, .got = { 1 } };
        HK_EXPECT_EQ(put(s.q, order, 0, HOCKET_NOW), 0);
        (void)get(s.q); /* fetched and not done: the joiner waits on, and so does the getter */
        mode_run(_i, 3, waits, &s);
        HK_EXPECT(s.rc[1] == -EPIPE && s.rc[2] == 0);
        hocket_queue_free(s.q);
    }
}
END_TEST

/* ---- many tasks ---- */

#define FEEDERS 3
#define EACH    200

static int feed_or_consume(int index, void *arg)
{
    struct shared *s = arg;
    int value, last[FEEDERS] = { -1, -1, -1 }, err;
    if (index < FEEDERS) {
        for (int i = 0; i < EACH; i++) {
            HK_EXPECT_EQ(put(s->q, HOCKET_FIFO, index * EACH + i, HOCKET_FOREVER), 0);
            if (i % 10 == index)
                mode_yield();
        }
        if (hk_add(&s->count, 1) == FEEDERS - 1)
            HK_EXPECT_EQ(hocket_queue_close(s->q, HOCKET_CLOSE_DRAIN), 0);
        return 0;
    }
    for (;;) { /* one consumer waits, one tries, one has a deadline */
        err = hocket_queue_get(s->q, &value,
                               index % 3 == 0   ? HOCKET_FOREVER
                               : index % 3 == 1 ? HOCKET_NOW
                                                : hocket_after(10 * HOCKET_US));
        if (err == -EPIPE)
            return 0;
        if (err == -ETIMEDOUT) {
            mode_yield();
            continue;
        }
        HK_EXPECT_EQ(err, 0);
        HK_EXPECT(value % EACH > last[value / EACH]); /* each feeder's values in its order */
        last[value / EACH] = value % EACH;
        (void)hk_add(&s->sum, value);
    }
}

START_TEST(many_tasks_in_order)
{
    struct shared s = { .q = queue_make(sizeof(int), HOCKET_FIFO, HOCKET_UNBOUNDED) };
    int all = FEEDERS * EACH;
    mode_run(_i, 6, feed_or_consume, &s);
    HK_EXPECT_EQ(hk_load(&s.sum), all * (all - 1) / 2);
    hocket_queue_free(s.q);
}
END_TEST

static void add(TCase *tc)
{
    MODE_TESTS(tc, simple_queue);
    MODE_TESTS(tc, task_done_and_join);
    tcase_add_test(tc, shutdown_all_methods);
    MODE_TESTS(tc, shutdown_among_many);
    MODE_TESTS(tc, shutdown_frees_those_who_wait);
    MODE_TESTS(tc, many_tasks_in_order);
}

int main(void)
{
    return mode_main("queue_python", add);
}
