/* SPDX-License-Identifier: MIT */
/* The checker of test/support/linear.h itself: histories that are linearizable, and that are not. */
#include "support/linear.h"
#include "support/suite.h"

static struct linear h;

static void op(uint64_t start, uint64_t end, int kind, int value, int result)
{
    unsigned i = hk_add(&h.count, 1);
    h.ops[i] = (struct linear_op){ start, end, kind, value, result, value % 10 };
}

START_TEST(sequential)
{
    linear_begin(&h, HOCKET_FIFO, 2);
    op(1, 2, LINEAR_PUT, 1, 0);
    op(3, 4, LINEAR_PUT, 2, 0);
    op(5, 6, LINEAR_PUT, 3, -ETIMEDOUT);
    op(7, 8, LINEAR_GET, 1, 0);
    op(9, 10, LINEAR_GET, 2, 0);
    op(11, 12, LINEAR_GET, 0, -ETIMEDOUT);
    op(13, 14, LINEAR_CLOSE, 0, 0);
    op(15, 16, LINEAR_CLOSE, 0, -EALREADY);
    op(17, 18, LINEAR_PUT, 5, -EPIPE);
    op(19, 20, LINEAR_GET, 0, -EPIPE);
    HK_EXPECT(linear_check(&h));
    h.order = HOCKET_LIFO;
    HK_EXPECT(!linear_check_quiet(&h));
    h.order = HOCKET_PRIORITY;
    HK_EXPECT(linear_check(&h));
    h.order = HOCKET_FIFO;
    h.capacity = 3; /* then the third put had room */
    HK_EXPECT(!linear_check_quiet(&h));
}
END_TEST

/* Two puts at the same time may count in either order, one after the other may not. */
START_TEST(overlapping)
{
    for (int apart = 0; apart < 2; apart++) {
        linear_begin(&h, HOCKET_FIFO, 4);
        op(1, apart ? 2 : 4, LINEAR_PUT, 1, 0);
        op(3, 5, LINEAR_PUT, 2, 0);
        op(6, 7, LINEAR_GET, 2, 0);
        op(8, 9, LINEAR_GET, 1, 0);
        HK_EXPECT_EQ(linear_check_quiet(&h), !apart);
    }
}
END_TEST

START_TEST(lost_and_doubled)
{
    linear_begin(&h, HOCKET_FIFO, 4);
    op(1, 2, LINEAR_PUT, 1, 0);
    op(3, 4, LINEAR_GET, 0, -ETIMEDOUT); /* it was there */
    HK_EXPECT(!linear_check_quiet(&h));
    linear_begin(&h, HOCKET_FIFO, 4);
    op(1, 2, LINEAR_PUT, 1, 0);
    op(3, 6, LINEAR_GET, 1, 0);
    op(4, 5, LINEAR_GET, 1, 0);
    HK_EXPECT(!linear_check_quiet(&h));
    linear_begin(&h, HOCKET_FIFO, 4);
    op(1, 2, LINEAR_GET, 1, 0); /* before it was put */
    op(3, 4, LINEAR_PUT, 1, 0);
    HK_EXPECT(!linear_check_quiet(&h));
}
END_TEST

/* Closed and empty, and then a value all the same. */
START_TEST(closed)
{
    linear_begin(&h, HOCKET_FIFO, 4);
    op(1, 2, LINEAR_CLOSE, 0, 0);
    op(3, 9, LINEAR_PUT, 1, 0);
    HK_EXPECT(!linear_check_quiet(&h));
    linear_begin(&h, HOCKET_FIFO, 4);
    op(1, 4, LINEAR_CLOSE, 0, 0);
    op(2, 3, LINEAR_GET, 0, -EPIPE);
    op(5, 6, LINEAR_GET, 1, 0);
    op(1, 9, LINEAR_PUT, 1, 0);
    HK_EXPECT(!linear_check_quiet(&h));
    linear_begin(&h, HOCKET_FIFO, 4);
    op(1, 2, LINEAR_PUT, 1, 0);
    op(3, 4, LINEAR_CLOSE_NOW, 0, 0);
    op(5, 6, LINEAR_GET, 0, -EPIPE);
    HK_EXPECT(linear_check(&h));
}
END_TEST

SUITE("queue_linear", 30)
{
    suite_once(sequential);
    suite_once(overlapping);
    suite_once(lost_and_doubled);
    suite_once(closed);
}
