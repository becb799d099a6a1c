/* SPDX-License-Identifier: MIT */
/*
 * stop_flag_and_queue - a consumer ends when it sees the flag and an empty queue: what is put
 * after that is lost
 *
 * Right: close the queue; put then says so, and get ends only when everything was got.
 */
#include "catalogue.h"

static hocket_queue *queue;
static bool stop;
static int put_ok, got;

static int produce(void *arg)
{
    (void)arg;
    int value = 1;
    if (hocket_queue_put(queue, &value, HOCKET_FOREVER) == 0)
        put_ok++;
    return 0;
}

static int ask_to_stop(void *arg)
{
    (void)arg;
    stop = true;
    return 0;
}

static int close_it(void *arg)
{
    (void)arg;
    return hocket_queue_close(queue, HOCKET_CLOSE_DRAIN);
}

static int consume_until_flag(void *arg)
{
    (void)arg;
    int value;
    for (;;) {
        if (hocket_queue_get(queue, &value, HOCKET_NOW) == 0)
            got++;
        else if (stop)
            return 0;
        else
            OK(hocket_yield());
    }
}

static int consume_until_closed(void *arg)
{
    (void)arg;
    int value;
    while (hocket_queue_get(queue, &value, HOCKET_FOREVER) == 0)
        got++;
    return 0;
}

static int finish(int failed)
{
    OK(failed);
    hocket_queue_free(queue);
    return got == put_ok ? 0 : 1;
}

static int wrong(void *arg)
{
    (void)arg;
    OK(hocket_queue_new(&queue, sizeof(int), NULL));
    return finish(TOGETHER(produce, ask_to_stop, consume_until_flag));
}

static int right(void *arg)
{
    (void)arg;
    OK(hocket_queue_new(&queue, sizeof(int), NULL));
    return finish(TOGETHER(produce, close_it, consume_until_closed));
}

const struct bug bug_stop_flag_and_queue = { "stop_flag_and_queue", wrong, right };
