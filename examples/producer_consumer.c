/* SPDX-License-Identifier: MIT */
/*
 * producer_consumer - a bounded queue that is closed when there is no more to come
 *
 * Two producers, three consumers, room for four values.  The producers have a scope of their own, so
 * that the queue is closed when the last of them has ended.  No sentinels are needed.
 */
#include <hocket.h>
#include <errno.h>
#include <stdio.h>

static hocket_queue *queue;
static hocket_mutex mutex;
static long sum, count;

static int produce(void *arg)
{
    int first = *(const int *)arg, err = 0;
    for (int n = first; n < first + 500 && err == 0; n++)
        err = hocket_queue_put(queue, &n, HOCKET_FOREVER); /* waits while it is full */
    return err;
}

static int consume(void *arg)
{
    (void)arg;
    int n, err;
    while ((err = hocket_queue_get(queue, &n, HOCKET_FOREVER)) == 0) {
        HOCKET_WITH(&mutex) {
            sum += n;
            count++;
        }
    }
    return err == -EPIPE ? 0 : err; /* closed and empty */
}

static int program(void *arg)
{
    static const int firsts[] = { 1, 501 };
    hocket_scope producers, consumers;
    (void)arg;
    int err = hocket_queue_new(&queue, sizeof(int), HOCKET_QUEUE_OPTIONS(.capacity = 4));
    if (err)
        return err;
    hocket_scope_open(&consumers, NULL);
    for (int i = 0; i < 3 && err == 0; i++)
        err = hocket_spawn(&consumers, consume, NULL);
    hocket_scope_open(&producers, NULL);
    for (int i = 0; i < 2 && err == 0; i++)
        err = hocket_spawn(&producers, produce, (void *)(uintptr_t)&firsts[i]);
    int made = hocket_scope_close(&producers);
    (void)hocket_queue_close(queue, HOCKET_CLOSE_DRAIN);
    int used = hocket_scope_close(&consumers);
    printf("%ld values, sum %ld, %zu left\n", count, sum, hocket_queue_length(queue));
    hocket_queue_free(queue);
    return err ? err : made ? made : used;
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
