/* SPDX-License-Identifier: MIT */
/* put_many and get_many: what they give when all, some or nothing could be done. */
#include <errno.h>
#include <hocket/scope.h>

#include "support/modes.h"
#include "support/queues.h"

#include "base/atomic.h"

static const int numbers[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };

START_TEST(as_many_as_there_is_room_for)
{
    for (int order = HOCKET_FIFO; order <= HOCKET_PRIORITY; order++) {
        hocket_queue *q = queue_make(sizeof(int), order, 4);
        int out[10] = { 0 };
        for (int turn = 0; turn < 9; turn++) { /* at every place of a ring */
            HK_EXPECT_EQ(hocket_queue_put_many(q, numbers, 3, HOCKET_NOW), 3);
            HK_EXPECT_EQ(hocket_queue_put_many(q, numbers + 3, 7, HOCKET_NOW), 1);
            HK_EXPECT_EQ(hocket_queue_put_many(q, numbers, 1, HOCKET_NOW), -ETIMEDOUT);
            HK_EXPECT_EQ(hocket_queue_put_many(q, numbers, 0, HOCKET_NOW), 0);
            HK_EXPECT_EQ(hocket_queue_get_many(q, out, 0, HOCKET_NOW), 0);
            HK_EXPECT_EQ(hocket_queue_get_many(q, out, 3, HOCKET_NOW), 3);
            for (int i = 0; i < 3; i++)
                HK_EXPECT_EQ(out[i], order == HOCKET_LIFO ? 3 - i : i);
            HK_EXPECT_EQ(hocket_queue_get_many(q, out, 10, HOCKET_FOREVER), 1);
            HK_EXPECT_EQ(out[0], order == HOCKET_LIFO ? 0 : 3);
            HK_EXPECT_EQ(hocket_queue_get_many(q, out, 10, HOCKET_NOW), -ETIMEDOUT);
            HK_EXPECT_EQ(hocket_queue_get_many(q, out, 10, hocket_after(HOCKET_US)), -ETIMEDOUT);
            HK_EXPECT_EQ(hocket_queue_put_many(q, numbers, 1, HOCKET_FOREVER), 1);
            HK_EXPECT_EQ(hocket_queue_get_many(q, out, 1, HOCKET_FOREVER), 1);
        }
        HK_EXPECT_EQ(hocket_queue_put_many(q, numbers, 2, HOCKET_NOW), 2);
        HK_EXPECT_EQ(hocket_queue_close(q, HOCKET_CLOSE_DRAIN), 0);
        HK_EXPECT_EQ(hocket_queue_put_many(q, numbers, 1, HOCKET_NOW), -EPIPE);
        HK_EXPECT_EQ(hocket_queue_put_many(q, numbers, 0, HOCKET_NOW), 0);
        HK_EXPECT_EQ(hocket_queue_get_many(q, out, 10, HOCKET_FOREVER), 2);
        HK_EXPECT_EQ(hocket_queue_get_many(q, out, 10, HOCKET_FOREVER), -EPIPE);
        hocket_queue_free(q);
    }
}
END_TEST

START_TEST(thousands_without_bound)
{
    static int in[5000], out[5000];
    for (int i = 0; i < 5000; i++)
        in[i] = i;
    for (int order = HOCKET_FIFO; order <= HOCKET_PRIORITY; order++) {
        hocket_queue *q = queue_make(sizeof(int), order, HOCKET_UNBOUNDED);
        for (int turn = 0; turn < 3; turn++) {
            HK_EXPECT_EQ(hocket_queue_put_many(q, in, 5000, HOCKET_NOW), 5000);
            HK_EXPECT_EQ(hocket_queue_get_many(q, out, 5000, HOCKET_NOW), 5000);
            for (int i = 0; i < 5000; i++)
                HK_EXPECT_EQ(out[i], order == HOCKET_LIFO ? 4999 - i : i);
        }
        hocket_queue_free(q);
    }
}
END_TEST

struct shared {
    hocket_queue *q;
    ptrdiff_t put;
    _Atomic bool over;
    int got[16];
};

/* put_many waits for room as often as it must. */
static int trickle(int index, void *arg)
{
    struct shared *s = arg;
    if (index == 0) {
        s->put = hocket_queue_put_many(s->q, numbers, 10, HOCKET_FOREVER);
        return 0;
    }
    for (int i = 0; i < 10; i++)
        HK_EXPECT_EQ(hocket_queue_get(s->q, &s->got[i], HOCKET_FOREVER), 0);
    return 0;
}

START_TEST(put_many_waits_for_room)
{
    static const size_t capacities[] = { 1, 3, HOCKET_RENDEZVOUS, HOCKET_UNBOUNDED };
    for (int c = 0; c < 4; c++) {
        struct shared s = { .q = queue_make(sizeof(int), HOCKET_FIFO, capacities[c]) };
        mode_run(_i, 2, trickle, &s);
        HK_EXPECT_EQ(s.put, 10);
        for (int i = 0; i < 10; i++)
            HK_EXPECT_EQ(s.got[i], i);
        hocket_queue_free(s.q);
    }
}
END_TEST

/* get_many waits for one value and does not wait for more. */
static int first_of_many(int index, void *arg)
{
    struct shared *s = arg;
    if (index == 0) {
        s->put = hocket_queue_get_many(s->q, s->got, 16, HOCKET_FOREVER);
        return 0;
    }
    MODE_WAIT_UNTIL(mode_parked(0));
    HK_EXPECT_EQ(hocket_queue_put_many(s->q, numbers + 7, 3, HOCKET_NOW), 3);
    return 0;
}

START_TEST(get_many_waits_for_one)
{
    struct shared s = { .q = queue_make(sizeof(int), HOCKET_FIFO, 4) };
    mode_run(_i, 2, first_of_many, &s);
    HK_EXPECT_EQ(s.put, 1);
    HK_EXPECT_EQ(s.got[0], 7);
    HK_EXPECT_EQ(hocket_queue_get_many(s.q, s.got, 16, HOCKET_NOW), 2);
    HK_EXPECT(s.got[0] == 8 && s.got[1] == 9);
    hocket_queue_free(s.q);
}
END_TEST

/* What ends a put of many in the middle: the count says how far it came, the next call why. */
static int cut_short(int index, void *arg)
{
    struct shared *s = arg;
    if (index == 0) {
        s->put = hocket_queue_put_many(s->q, numbers, 10, HOCKET_FOREVER);
        hk_store_rel(&s->over, true);
        return 0;
    }
    MODE_WAIT_UNTIL(mode_parked(0));
    HK_EXPECT_EQ(hocket_queue_get(s->q, &s->got[0], HOCKET_NOW), 0);
    MODE_WAIT_UNTIL(mode_parked(0) && hocket_queue_putters(s->q) == 1);
    if (s->got[15])
        hocket_cancel(mode_task(0));
    else
        HK_EXPECT_EQ(hocket_queue_close(s->q, HOCKET_CLOSE_DRAIN), 0);
    MODE_WAIT_UNTIL(hk_load_acq(&s->over));
    HK_EXPECT_EQ(hocket_queue_get_many(s->q, s->got, 15, HOCKET_NOW), 3);
    return 0;
}

START_TEST(put_many_tells_how_far_it_came)
{
    for (int cancel = 0; cancel < 2; cancel++) {
        struct shared s = { .q = queue_make(sizeof(int), HOCKET_FIFO, 3) };
        s.got[15] = cancel;
        mode_run(_i, 2, cut_short, &s);
        HK_EXPECT_EQ(s.put, 4);
        for (int i = 0; i < 3; i++)
            HK_EXPECT_EQ(s.got[i], i + 1);
        HK_EXPECT_EQ(hocket_queue_length(s.q), 0);
        hocket_queue_free(s.q);
    }
    hocket_queue *q = queue_make(sizeof(int), HOCKET_FIFO, 3);
    HK_EXPECT_EQ(hocket_queue_put_many(q, numbers, 10, hocket_after(HOCKET_MS)), 3);
    HK_EXPECT_EQ(hocket_queue_put_many(q, numbers, 10, hocket_after(HOCKET_MS)), -ETIMEDOUT);
    hocket_queue_free(q);
}
END_TEST

/* Cancelled callers do nothing, ready or not. */
static int cancelled(int index, void *arg)
{
    struct shared *s = arg;
    hocket_scope scope;
    int value = index;
    hocket_scope_open(&scope, NULL);
    hocket_scope_cancel(&scope);
    HK_EXPECT_EQ(hocket_queue_put_many(s->q, numbers, 2, HOCKET_FOREVER), -ECANCELED);
    HK_EXPECT_EQ(hocket_queue_put_many(s->q, numbers, 0, HOCKET_FOREVER), -ECANCELED);
    HK_EXPECT_EQ(hocket_queue_get_many(s->q, &value, 1, HOCKET_FOREVER), -ECANCELED);
    HK_EXPECT_EQ(hocket_queue_get_many(s->q, &value, 0, HOCKET_FOREVER), -ECANCELED);
    HK_EXPECT_EQ(hocket_scope_close(&scope), 0);
    return 0;
}

START_TEST(cancel_points)
{
    struct shared s = { .q = queue_make(sizeof(int), HOCKET_FIFO, 4) };
    HK_EXPECT_EQ(hocket_queue_put_many(s.q, numbers, 2, HOCKET_NOW), 2);
    mode_run(_i, 2, cancelled, &s);
    HK_EXPECT_EQ(hocket_queue_length(s.q), 2);
    hocket_queue_free(s.q);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, as_many_as_there_is_room_for);
    tcase_add_test(tc, thousands_without_bound);
    MODE_TESTS(tc, put_many_waits_for_room);
    MODE_TESTS(tc, get_many_waits_for_one);
    MODE_TESTS(tc, put_many_tells_how_far_it_came);
    MODE_TESTS(tc, cancel_points);
}

int main(void)
{
    return mode_main("queue_many", add);
}
