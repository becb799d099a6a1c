/* SPDX-License-Identifier: MIT */
/* Queues of every kind, and select, under many seeds: nothing lost, nothing twice, nobody left. */
#include "support/world.h"

static hocket_queue *queue, *back;
static hocket_delay_queue *delayed;
static hocket_broadcast *cast;
static int seen[32], total, ended;

static void open_queue(hocket_queue **q, int order, size_t capacity)
{
    HK_EXPECT_OK(hocket_queue_new(q, sizeof(int),
                                  HOCKET_QUEUE_OPTIONS(.order = order, .capacity = capacity)));
}

/* ---- two put 1..4 and 11..14, two get ---- */

static int putter(void *arg)
{
    for (int i = 1; i <= 4; i++) {
        int value = (int)(intptr_t)arg * 10 + i;
        HK_EXPECT_OK(hocket_queue_put(queue, &value, HOCKET_FOREVER));
    }
    return 0;
}

static int getter(void *arg)
{
    bool fifo = (intptr_t)arg & 1;
    int value, of[2] = { 0, 0 };
    for (int i = 0; i < 4; i++) {
        HK_EXPECT_OK(hocket_queue_get(queue, &value, HOCKET_FOREVER));
        HK_EXPECT_EQ(seen[value]++, 0);
        if (fifo)
            HK_EXPECT(value > of[value / 10]); /* of one putter in its order */
        of[value / 10] = value;
        total++;
    }
    return 0;
}

static int both_fifo(void *arg)
{
    return (intptr_t)arg < 2 ? putter(arg) : getter((void *)1);
}

static int both_any(void *arg)
{
    return (intptr_t)arg < 2 ? putter(arg) : getter((void *)2);
}

static int transfer(int order, size_t capacity)
{
    open_queue(&queue, order, capacity);
    world_tasks(order == HOCKET_FIFO ? both_fifo : both_any, 4);
    HK_EXPECT_EQ(total, 8);
    HK_EXPECT(hocket_queue_empty(queue));
    HK_EXPECT_EQ(hocket_queue_getters(queue) + hocket_queue_putters(queue), 0);
    hocket_queue_free(queue);
    return 0;
}

WORLD(fifo_of_one)
{
    return transfer(HOCKET_FIFO, 1);
}

WORLD(fifo_of_two)
{
    return transfer(HOCKET_FIFO, 2);
}

WORLD(fifo_without_bound)
{
    return transfer(HOCKET_FIFO, HOCKET_UNBOUNDED);
}

WORLD(rendezvous)
{
    return transfer(HOCKET_FIFO, HOCKET_RENDEZVOUS);
}

WORLD(lifo_of_two)
{
    return transfer(HOCKET_LIFO, 2);
}

WORLD(lifo_without_bound)
{
    return transfer(HOCKET_LIFO, HOCKET_UNBOUNDED);
}

WORLD(priority_of_two)
{
    return transfer(HOCKET_PRIORITY, 2);
}

/* ---- by priority ---- */

static int put_priorities(void *arg)
{
    for (int i = 0; i < 3; i++) {
        int value = (int)(intptr_t)arg * 3 + i;
        HK_EXPECT_OK(hocket_queue_put_with(queue, &value, 9 - value, HOCKET_FOREVER));
    }
    return 0;
}

WORLD(priority_order)
{
    int value;
    open_queue(&queue, HOCKET_PRIORITY, HOCKET_UNBOUNDED);
    world_tasks(put_priorities, 3);
    for (int i = 8; i >= 0; i--) {
        HK_EXPECT_OK(hocket_queue_get(queue, &value, HOCKET_NOW));
        HK_EXPECT_EQ(value, i);
    }
    hocket_queue_free(queue);
    return 0;
}

/* ---- closing ---- */

static int until_closed(void *arg)
{
    int value, err;
    (void)arg;
    while ((err = hocket_queue_get(queue, &value, HOCKET_FOREVER)) == 0) {
        HK_EXPECT_EQ(seen[value]++, 0);
        total++;
    }
    HK_EXPECT_EQ(err, -EPIPE);
    ended++;
    return 0;
}

static int put_and_close(void *arg)
{
    (void)arg;
    (void)putter(NULL);
    HK_EXPECT_OK(hocket_queue_close(queue, HOCKET_CLOSE_DRAIN));
    return 0;
}

static int closing(void *arg)
{
    return (intptr_t)arg == 0 ? put_and_close(NULL) : until_closed(NULL);
}

static int close_drained(size_t capacity)
{
    open_queue(&queue, HOCKET_FIFO, capacity);
    world_tasks(closing, 3);
    HK_EXPECT_EQ(total, 4);
    HK_EXPECT_EQ(ended, 2);
    hocket_queue_free(queue);
    return 0;
}

WORLD(close_drains_a_bounded_queue)
{
    return close_drained(2);
}

WORLD(close_drains_an_unbounded_queue)
{
    return close_drained(HOCKET_UNBOUNDED);
}

WORLD(close_ends_a_rendezvous)
{
    return close_drained(HOCKET_RENDEZVOUS);
}

static int put_until_closed(void *arg)
{
    int err = 0;
    for (int i = 1; i <= 4 && err == 0; i++) {
        int value = (int)(intptr_t)arg * 10 + i;
        err = hocket_queue_put(queue, &value, HOCKET_FOREVER);
        total += err == 0;
    }
    HK_EXPECT(err == 0 || err == -EPIPE);
    return 0;
}

static int closes_now(void *arg)
{
    (void)arg;
    HK_EXPECT_OK(hocket_yield());
    HK_EXPECT_OK(hocket_queue_close(queue, HOCKET_CLOSE_NOW));
    return 0;
}

static int close_now_any(void *arg)
{
    intptr_t n = (intptr_t)arg;
    return n == 0   ? closes_now(NULL)
           : n == 1 ? until_closed(NULL)
                    : put_until_closed((void *)(n - 2));
}

WORLD(close_now_ends_putters_and_getters)
{
    int value;
    open_queue(&queue, HOCKET_FIFO, 1);
    world_tasks(close_now_any, 4);
    HK_EXPECT_EQ(ended, 1);
    HK_EXPECT_EQ(hocket_queue_get(queue, &value, HOCKET_NOW), -EPIPE);
    hocket_queue_free(queue);
    return 0;
}

/* ---- time-outs and cancels ---- */

static int timed_putter(void *arg)
{
    int value = (int)(intptr_t)arg, err = hocket_queue_put(queue, &value, hocket_after(HOCKET_MS));
    HK_EXPECT(err == 0 || err == -ETIMEDOUT);
    total += err == 0;
    return 0;
}

static int timed_getter(void *arg)
{
    int value, err = hocket_queue_get(queue, &value, hocket_after(HOCKET_MS));
    HK_EXPECT(err == 0 || err == -ETIMEDOUT);
    (void)arg;
    if (err == 0) {
        HK_EXPECT_EQ(seen[value]++, 0);
        ended++;
    }
    return 0;
}

static int timed_any(void *arg)
{
    return (intptr_t)arg % 2 ? timed_putter(arg) : timed_getter(arg);
}

static int timed(size_t capacity)
{
    int value;
    open_queue(&queue, HOCKET_FIFO, capacity);
    world_tasks(timed_any, 6);
    while (hocket_queue_get(queue, &value, HOCKET_NOW) == 0)
        ended++;
    HK_EXPECT_EQ(total, ended); /* what was put was got: no value of a timed-out put */
    hocket_queue_free(queue);
    return 0;
}

WORLD(time_outs_lose_nothing)
{
    return timed(1);
}

WORLD(time_outs_at_a_rendezvous)
{
    return timed(HOCKET_RENDEZVOUS);
}

static int cancelled_getter(void *arg)
{
    int value, err = hocket_queue_get(queue, &value, HOCKET_FOREVER);
    (void)arg;
    HK_EXPECT(err == 0 || err == -ECANCELED);
    ended += err == 0;
    return err;
}

WORLD(cancelled_getters_lose_nothing)
{
    hocket_task *t[3];
    int value = 1;
    open_queue(&queue, HOCKET_FIFO, 4);
    for (int i = 0; i < 3; i++)
        t[i] = world_spawn(cancelled_getter, NULL);
    hocket_cancel(t[0]);
    HK_EXPECT_OK(hocket_queue_put(queue, &value, HOCKET_FOREVER));
    hocket_cancel(t[1]);
    HK_EXPECT_OK(hocket_queue_put(queue, &value, HOCKET_FOREVER));
    hocket_cancel(t[2]);
    for (int i = 0; i < 3; i++)
        (void)world_join(t[i]);
    HK_EXPECT_EQ(ended + (int)hocket_queue_length(queue), 2);
    hocket_queue_free(queue);
    return 0;
}

/* ---- many at once, task_done ---- */

static int many_putter(void *arg)
{
    int values[5];
    for (int i = 0; i < 5; i++)
        values[i] = (int)(intptr_t)arg * 10 + i;
    HK_EXPECT_EQ(hocket_queue_put_many(queue, values, 5, HOCKET_FOREVER), 5);
    return 0;
}

static int many_getter(void *arg)
{
    int values[3];
    (void)arg;
    while (total < 10) {
        ptrdiff_t n = hocket_queue_get_many(queue, values, 3, HOCKET_FOREVER);
        HK_EXPECT(n >= 1 && n <= 3);
        for (ptrdiff_t i = 0; i < n; i++)
            HK_EXPECT_EQ(seen[values[i]]++, 0);
        total += (int)n;
    }
    return 0;
}

static int many_any(void *arg)
{
    return (intptr_t)arg < 2 ? many_putter(arg) : many_getter(NULL);
}

WORLD(many_at_once)
{
    open_queue(&queue, HOCKET_FIFO, 2);
    world_tasks(many_any, 3);
    HK_EXPECT_EQ(total, 10);
    hocket_queue_free(queue);
    return 0;
}

static int done_getter(void *arg)
{
    int value;
    (void)arg;
    for (int i = 0; i < 4; i++) {
        HK_EXPECT_OK(hocket_queue_get(queue, &value, HOCKET_FOREVER));
        total++;
        HK_EXPECT_OK(hocket_queue_task_done(queue));
    }
    return 0;
}

WORLD(join_waits_for_what_was_got)
{
    open_queue(&queue, HOCKET_FIFO, 2);
    hocket_task *a = world_spawn(done_getter, NULL), *b = world_spawn(done_getter, NULL);
    (void)putter(NULL);
    (void)putter((void *)1);
    HK_EXPECT_OK(hocket_queue_join(queue, HOCKET_FOREVER));
    HK_EXPECT_EQ(total, 8);
    (void)world_join(a);
    (void)world_join(b);
    hocket_queue_free(queue);
    return 0;
}

/* ---- select ---- */

static int selecting(void *arg)
{
    int value = -1;
    (void)arg;
    for (int i = 0; i < 4; i++) {
        hocket_case cases[2] = { hocket_case_get(queue, &value), hocket_case_get(back, &value) };
        int k = hocket_select(cases, 2, HOCKET_FOREVER);
        HK_EXPECT(k == 0 || k == 1);
        HK_EXPECT_EQ(value / 10, k);
        HK_EXPECT_EQ(seen[value]++, 0);
        total++;
    }
    return 0;
}

static int select_any(void *arg)
{
    intptr_t n = (intptr_t)arg;
    hocket_queue *to = n == 0 ? queue : back;
    if (n > 1)
        return selecting(NULL);
    for (int i = 1; i <= 4; i++) {
        int value = (int)n * 10 + i;
        HK_EXPECT_OK(hocket_queue_put(to, &value, HOCKET_FOREVER));
    }
    return 0;
}

static int select_of(size_t capacity)
{
    open_queue(&queue, HOCKET_FIFO, capacity);
    open_queue(&back, HOCKET_FIFO, capacity);
    world_tasks(select_any, 4);
    HK_EXPECT_EQ(total, 8);
    hocket_queue_free(queue);
    hocket_queue_free(back);
    return 0;
}

WORLD(select_of_two_queues)
{
    return select_of(1);
}

WORLD(select_of_two_rendezvous)
{
    return select_of(HOCKET_RENDEZVOUS);
}

static int swaps(void *arg)
{
    bool first = (intptr_t)arg == 0;
    int mine = (int)(intptr_t)arg + 1, theirs = 0;
    bool sent = false, got = false;
    while (!sent || !got) {
        hocket_case cases[2] = {
            sent ? hocket_case_none() : hocket_case_put(first ? queue : back, &mine),
            got ? hocket_case_none() : hocket_case_get(first ? back : queue, &theirs)
        };
        int k = hocket_select(cases, 2, HOCKET_FOREVER);
        HK_EXPECT(k == 0 || k == 1);
        sent = sent || k == 0;
        got = got || k == 1;
    }
    HK_EXPECT_EQ(theirs, 3 - mine);
    return 0;
}

WORLD(select_puts_and_gets_crosswise)
{
    open_queue(&queue, HOCKET_FIFO, HOCKET_RENDEZVOUS);
    open_queue(&back, HOCKET_FIFO, HOCKET_RENDEZVOUS);
    world_tasks(swaps, 2);
    hocket_queue_free(queue);
    hocket_queue_free(back);
    return 0;
}

static int select_timed(void *arg)
{
    int value = 0;
    hocket_case cases[2] = { hocket_case_get(queue, &value),
                             hocket_case_timer(hocket_after(HOCKET_MS)) };
    int k = hocket_select(cases, 2, HOCKET_FOREVER);
    (void)arg;
    HK_EXPECT(k == 0 || k == 1);
    total += k == 0;
    return 0;
}

static int select_timed_any(void *arg)
{
    return (intptr_t)arg % 2 ? timed_putter(arg) : select_timed(NULL);
}

WORLD(select_with_a_timer)
{
    int value;
    open_queue(&queue, HOCKET_FIFO, HOCKET_RENDEZVOUS);
    world_tasks(select_timed_any, 4);
    HK_EXPECT_EQ(total % 2, 0); /* each put has its get */
    HK_EXPECT_EQ(hocket_queue_get(queue, &value, HOCKET_NOW), -ETIMEDOUT);
    hocket_queue_free(queue);
    return 0;
}

/* ---- delay queue, broadcast ---- */

static int delay_putter(void *arg)
{
    for (int i = 1; i <= 3; i++) {
        int value = (int)(intptr_t)arg * 10 + i;
        HK_EXPECT_OK(hocket_delay_queue_put(delayed, &value, hocket_after((4 - i) * HOCKET_MS),
                                            HOCKET_FOREVER));
    }
    return 0;
}

static int delay_getter(void *arg)
{
    int value;
    (void)arg;
    for (int i = 0; i < 3; i++) {
        HK_EXPECT_OK(hocket_delay_queue_get(delayed, &value, HOCKET_FOREVER));
        HK_EXPECT_EQ(seen[value]++, 0);
        total++;
    }
    return 0;
}

static int delay_any(void *arg)
{
    return (intptr_t)arg < 2 ? delay_putter(arg) : delay_getter(NULL);
}

WORLD(delay_queue)
{
    HK_EXPECT_OK(hocket_delay_queue_new(&delayed, sizeof(int), NULL));
    world_tasks(delay_any, 4);
    HK_EXPECT_EQ(total, 6);
    hocket_delay_queue_free(delayed);
    return 0;
}

static int cast_reader(void *arg)
{
    hocket_reader *r = arg;
    int value, before = 0, err;
    while ((err = hocket_reader_get(r, &value, NULL, HOCKET_FOREVER)) == 0) {
        HK_EXPECT_EQ(value, before + 1);
        before = value;
        total++;
    }
    HK_EXPECT_EQ(err, -EPIPE);
    hocket_reader_free(r);
    return 0;
}

WORLD(broadcast_to_all)
{
    hocket_scope scope;
    HK_EXPECT_OK(hocket_broadcast_new(&cast, sizeof(int), HOCKET_BROADCAST_OPTIONS(.capacity = 2)));
    hocket_scope_open(&scope, NULL);
    for (int i = 0; i < 3; i++) {
        hocket_reader *r;
        HK_EXPECT_OK(hocket_broadcast_subscribe(cast, &r));
        HK_EXPECT_OK(hocket_spawn(&scope, cast_reader, r));
    }
    for (int i = 1; i <= 4; i++)
        HK_EXPECT_OK(hocket_broadcast_put(cast, &i, HOCKET_FOREVER));
    HK_EXPECT_OK(hocket_broadcast_close(cast));
    HK_EXPECT_OK(hocket_scope_close(&scope));
    HK_EXPECT_EQ(total, 12);
    hocket_broadcast_free(cast);
    return 0;
}

SUITE("world_queue", world_limit())
{
    suite_once(fifo_of_one);
    suite_once(fifo_of_two);
    suite_once(fifo_without_bound);
    suite_once(rendezvous);
    suite_once(lifo_of_two);
    suite_once(lifo_without_bound);
    suite_once(priority_of_two);
    suite_once(priority_order);
    suite_once(close_drains_a_bounded_queue);
    suite_once(close_drains_an_unbounded_queue);
    suite_once(close_ends_a_rendezvous);
    suite_once(close_now_ends_putters_and_getters);
    suite_once(time_outs_lose_nothing);
    suite_once(time_outs_at_a_rendezvous);
    suite_once(cancelled_getters_lose_nothing);
    suite_once(many_at_once);
    suite_once(join_waits_for_what_was_got);
    suite_once(select_of_two_queues);
    suite_once(select_of_two_rendezvous);
    suite_once(select_puts_and_gets_crosswise);
    suite_once(select_with_a_timer);
    suite_once(delay_queue);
    suite_once(broadcast_to_all);
}
