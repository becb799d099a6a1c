/* SPDX-License-Identifier: MIT */
/*
 * The delay queue and the broadcast under every schedule: nothing before its time, nothing lost when
 * the one who watches the clock gives up, every reader sees everything.
 */
#include "support/explored.h"

#include <hocket/broadcast.h>
#include <hocket/delay_queue.h>

/* ---- delay queue ---- */

static hocket_delay_queue *queue;
static hocket_time due[8];
static _Atomic int put, got;

static void *put_two(void *arg)
{
    int first = (int)(intptr_t)arg;
    for (int i = first; i < first + 2; i++) {
        due[i] = hocket_after((hocket_time)explore_choice(4) * HOCKET_US);
        int err = hocket_delay_queue_put(
            queue, &i, due[i], explore_choice(3) ? HOCKET_FOREVER : hocket_after(HOCKET_US));
        HK_EXPECT(err == 0 || err == -ETIMEDOUT || err == -EPIPE);
        atomic_fetch_add(&put, err == 0);
    }
    return NULL;
}

static void *get_all(void *arg)
{
    int value = -1, err;
    (void)arg;
    for (;;) {
        err = hocket_delay_queue_get(
            queue, &value, explore_choice(3) ? HOCKET_FOREVER : hocket_after(2 * HOCKET_US));
        if (err == -EPIPE)
            return NULL;
        HK_EXPECT(err == 0 || err == -ETIMEDOUT);
        if (err == 0) {
            HK_EXPECT(hocket_now() >= due[value]);
            atomic_fetch_add(&got, 1);
        }
    }
}

static int fiber_gets(void *arg)
{
    int value, err;
    (void)arg;
    while ((err = hocket_delay_queue_get(queue, &value, HOCKET_FOREVER)) == 0)
        atomic_fetch_add(&got, 1);
    HK_EXPECT(err == -EPIPE || err == -ECANCELED);
    return 0;
}

static void start(size_t capacity)
{
    hocket_delay_queue_options o = HOCKET_DELAY_QUEUE_OPTIONS_DEFAULT;
    o.capacity = capacity;
    HK_EXPECT_OK(hocket_delay_queue_new(&queue, sizeof(int), &o));
    atomic_store(&put, 0);
    atomic_store(&got, 0);
}

EXPLORED(delayed, NULL)
{
    start(1 + explore_choice(3));
    int a = explore_start(put_two, (void *)0), b = explore_start(put_two, (void *)2);
    int c = explore_start(get_all, NULL), d = explore_start(get_all, NULL);
    explore_join(a);
    explore_join(b);
    HK_EXPECT_OK(hocket_delay_queue_close(queue, HOCKET_CLOSE_DRAIN));
    explore_join(c);
    explore_join(d);
    HK_EXPECT_EQ(atomic_load(&got), atomic_load(&put));
    hocket_delay_queue_free(queue);
}

/* The fiber that watches the clock may be cancelled: the other one takes over. */
EXPLORED(delayed_cancelled, &explored_held)
{
    start(2);
    explored_runtime(2);
    hocket_task *f = explored_spawn(fiber_gets, NULL), *g = explored_spawn(fiber_gets, NULL);
    int a = explore_start(put_two, (void *)0);
    hocket_cancel(f);
    explore_join(a);
    HK_EXPECT_OK(hocket_delay_queue_close(queue, HOCKET_CLOSE_DRAIN));
    explored_finish(f, 0);
    explored_finish(g, 0);
    HK_EXPECT_EQ(atomic_load(&got), atomic_load(&put));
    hocket_delay_queue_free(queue);
    explored_runtime_end();
}

/* ---- broadcast ---- */

#define VALUES 3

static hocket_broadcast *broadcast;
static bool drops;

static void *write_all(void *arg)
{
    int value = (int)(intptr_t)arg;
    for (int i = 0; i < VALUES; i++, value++)
        HK_EXPECT_OK(hocket_broadcast_put(broadcast, &value, HOCKET_FOREVER));
    return NULL;
}

static void *read_all(void *arg)
{
    hocket_reader *r = arg;
    int value, last[2] = { -1, -1 }, err;
    uint64_t seen = 0, missed;
    while ((err = hocket_reader_get(r, &value, &missed,
                                    explore_choice(4) ? HOCKET_FOREVER
                                                      : hocket_after(HOCKET_US))) != -EPIPE) {
        HK_EXPECT(err == 0 || err == -ETIMEDOUT);
        if (err != 0)
            continue;
        HK_EXPECT(value > last[value >= VALUES]);
        last[value >= VALUES] = value;
        HK_EXPECT(drops || missed == 0);
        seen += 1 + missed;
    }
    HK_EXPECT_EQ(seen, 2 * VALUES);
    return NULL;
}

static void *leave(void *arg)
{
    int value, err = hocket_reader_get(arg, &value, NULL, HOCKET_NOW);
    HK_EXPECT(err == 0 || err == -ETIMEDOUT || err == -EPIPE);
    hocket_reader_free(arg);
    return NULL;
}

static void broadcasts(int lag)
{
    hocket_broadcast_options o = HOCKET_BROADCAST_OPTIONS_DEFAULT;
    hocket_reader *r, *s, *gone;
    o.capacity = 1 + explore_choice(2);
    o.lag = lag;
    drops = lag == HOCKET_LAG_DROP_OLDEST;
    HK_EXPECT_OK(hocket_broadcast_new(&broadcast, sizeof(int), &o));
    HK_EXPECT_OK(hocket_broadcast_subscribe(broadcast, &r));
    HK_EXPECT_OK(hocket_broadcast_subscribe(broadcast, &s));
    HK_EXPECT_OK(hocket_broadcast_subscribe(broadcast, &gone));
    int a = explore_start(write_all, (void *)0), b = explore_start(write_all, (void *)VALUES);
    int c = explore_start(read_all, r), d = explore_start(read_all, s);
    int e = explore_start(leave, gone);
    explore_join(a);
    explore_join(b);
    HK_EXPECT_OK(hocket_broadcast_close(broadcast));
    explore_join(c);
    explore_join(d);
    explore_join(e);
    hocket_reader_free(r);
    hocket_reader_free(s);
    hocket_broadcast_free(broadcast);
}

EXPLORED(broadcast_blocks, NULL)
{
    broadcasts(HOCKET_LAG_BLOCK);
}

EXPLORED(broadcast_drops, NULL)
{
    broadcasts(HOCKET_LAG_DROP_OLDEST);
}

SUITE("queue_delay", explored_limit())
{
    suite_once(delayed);
    suite_once(delayed_cancelled);
    suite_once(broadcast_blocks);
    suite_once(broadcast_drops);
}
