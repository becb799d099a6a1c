/* SPDX-License-Identifier: MIT */
/*
 * queue_transfer - two stages hand over to each other through full queues: each puts before it
 * gets
 *
 * Right: get first what makes room.
 */
#include "catalogue.h"

static hocket_queue *there, *back;

static int put(hocket_queue *q)
{
    int value = 1;
    return hocket_queue_put(q, &value, HOCKET_FOREVER);
}

static int get(hocket_queue *q)
{
    int value;
    return hocket_queue_get(q, &value, HOCKET_FOREVER);
}

static int left(void *arg)
{
    (void)arg;
    return put(there) + put(there) + get(back) + get(back);
}

static int middle(void *arg)
{
    (void)arg;
    return put(back) + put(back) + get(there) + get(there);
}

static int middle_right(void *arg)
{
    (void)arg;
    return get(there) + put(back) + get(there) + put(back);
}

static int left_right(void *arg)
{
    (void)arg;
    return put(there) + get(back) + put(there) + get(back);
}

static int run(hocket_task_fn *a, hocket_task_fn *b, size_t capacity)
{
    OK(hocket_queue_new(&there, sizeof(int), HOCKET_QUEUE_OPTIONS(.capacity = capacity)));
    OK(hocket_queue_new(&back, sizeof(int), HOCKET_QUEUE_OPTIONS(.capacity = capacity)));
    int rc = TOGETHER(a, b);
    hocket_queue_free(there);
    hocket_queue_free(back);
    return rc;
}

static int wrong(void *arg)
{
    (void)arg;
    return run(left, middle, 1);
}

static int right(void *arg)
{
    (void)arg;
    return run(left_right, middle_right, 1);
}

const struct bug bug_queue_transfer = { "queue_transfer", wrong, right };
