/* SPDX-License-Identifier: MIT */
/*
 * missed_close - the last producer should close the queue, but the count of producers is not
 * atomic
 *
 * Right: the count under a lock.
 */
#include "catalogue.h"

static hocket_queue *queue;
static int producers = 2;
static hocket_mutex lock;

static bool last_one(void)
{
    int left = producers - 1;
    hocket_sim_point();
    producers = left;
    return left == 0;
}

static int produce(void *arg)
{
    (void)arg;
    return last_one() ? hocket_queue_close(queue, HOCKET_CLOSE_DRAIN) : 0;
}

static int produce_locked(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&lock);
    bool last = last_one();
    hocket_mutex_unlock(&lock);
    return last ? hocket_queue_close(queue, HOCKET_CLOSE_DRAIN) : 0;
}

static int consume(void *arg)
{
    (void)arg;
    int value;
    while (hocket_queue_get(queue, &value, HOCKET_FOREVER) == 0)
        continue;
    return 0;
}

static int run(hocket_task_fn *producer)
{
    OK(hocket_queue_new(&queue, sizeof(int), NULL));
    int rc = TOGETHER(producer, producer, consume);
    hocket_queue_free(queue);
    return rc;
}

static int wrong(void *arg)
{
    (void)arg;
    return run(produce);
}

static int right(void *arg)
{
    (void)arg;
    return run(produce_locked);
}

const struct bug bug_missed_close = { "missed_close", wrong, right };
