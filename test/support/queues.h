/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TEST_QUEUES_H
#define HOCKET_TEST_QUEUES_H
/*
 * queues - what tests of queues share
 *
 *     hocket_queue *q = queue_make(sizeof(int), HOCKET_LIFO, 3);
 */
#include <hocket/queue.h>

#include "support/expect.h"

static inline hocket_queue *queue_make(size_t size, int order, size_t capacity)
{
    hocket_queue *q = NULL;
    hocket_queue_options o = HOCKET_QUEUE_OPTIONS_DEFAULT;
    o.order = order;
    o.capacity = capacity;
    HK_EXPECT_EQ(hocket_queue_new(&q, size, &o), 0);
    return q;
}

#endif
