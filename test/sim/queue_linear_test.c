/* SPDX-License-Identifier: MIT */
/*
 * Every kind of queue under every schedule: what the calls give is what a plain queue would give in
 * some order of the calls (support/linear.h); batches lose nothing; join waits for the last task_done.
 */
#include "support/explored.h"

#include "support/linear.h"

static hocket_queue *queue;
static struct linear history;
static bool by_number;

static void start(int order, size_t capacity)
{
    hocket_queue_options o = HOCKET_QUEUE_OPTIONS_DEFAULT;
    o.order = order;
    o.capacity = capacity;
    by_number = order == HOCKET_PRIORITY;
    HK_EXPECT_OK(hocket_queue_new(&queue, sizeof(int), &o));
    linear_begin(&history, order, capacity);
}

static void put(int value, hocket_time limit)
{
    struct linear_op *op = linear_call(&history, LINEAR_PUT, value, -value % 3);
    hocket_time until = limit < 0 ? HOCKET_FOREVER : hocket_after(limit);
    int err = by_number ? hocket_queue_put_with(queue, &value, op->priority, until)
                        : hocket_queue_put(queue, &value, until);
    linear_return(&history, op, err);
}

static int get(hocket_time limit)
{
    struct linear_op *op = linear_call(&history, LINEAR_GET, -1, 0);
    int err = hocket_queue_get(queue, &op->value, limit < 0 ? HOCKET_FOREVER : hocket_after(limit));
    linear_return(&history, op, err);
    return err;
}

static void end_of(int how)
{
    struct linear_op *op = linear_call(&history, LINEAR_CLOSE, 0, 0);
    op->kind = how == HOCKET_CLOSE_NOW ? LINEAR_CLOSE_NOW : LINEAR_CLOSE;
    linear_return(&history, op, hocket_queue_close(queue, how));
}

static void finish(void)
{
    HK_EXPECT(linear_check(&history));
    HK_EXPECT_EQ(hocket_queue_getters(queue) + hocket_queue_putters(queue), 0);
    hocket_queue_free(queue);
}

/* ---- tries: full and empty are told only when it is so ---- */

static void *try_both(void *arg)
{
    int first = (int)(intptr_t)arg;
    for (int i = 0; i < 3; i++) {
        put(first + i, 0);
        (void)get(0);
    }
    return NULL;
}

static void tries(int order, size_t capacity)
{
    start(order, capacity);
    int a = explore_start(try_both, (void *)10), b = explore_start(try_both, (void *)20);
    explore_join(a);
    explore_join(b);
    finish();
}

EXPLORED(tries_ring_1, NULL)
{
    tries(HOCKET_FIFO, 1);
}

EXPLORED(tries_ring_2, NULL)
{
    tries(HOCKET_FIFO, 2);
}

EXPLORED(tries_lifo, NULL)
{
    tries(HOCKET_LIFO, 1);
}

/* Three threads, of which one only looks into an empty or full queue. */
static void *put_three(void *arg)
{
    (void)arg;
    for (int i = 1; i <= 3; i++)
        put(i, 0);
    return NULL;
}

static void *get_three(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++)
        (void)get(0);
    return NULL;
}

EXPLORED(tries_of_three, NULL)
{
    start(HOCKET_FIFO, 2);
    int a = explore_start(put_three, NULL), b = explore_start(get_three, NULL);
    int c = explore_start(explore_choice(2) ? get_three : put_three, NULL);
    explore_join(a);
    explore_join(b);
    explore_join(c);
    finish();
}

/* One thread owns the queue, for nobody else was there; in the middle of its calls another one comes. */
static void *put_then_get(void *arg)
{
    int first = (int)(intptr_t)arg;
    put(first, 0);
    put(first + 1, 0);
    (void)get(0);
    (void)get(0);
    return NULL;
}

static void taken_over(size_t capacity)
{
    start(HOCKET_FIFO, capacity);
    for (int i = 0; i < 4; i++)
        (void)get(1); /* each holds the queue once */
    int a = explore_start(explore_choice(2) ? put_then_get : try_both, (void *)10);
    (void)put_then_get((void *)20);
    (void)put_then_get((void *)30);
    explore_join(a);
    finish();
}

EXPLORED(owner_loses_1, NULL)
{
    taken_over(1);
}

EXPLORED(owner_loses_3, NULL)
{
    taken_over(3);
}

/* ---- waits, deadlines and a close ---- */

static void *put_some(void *arg)
{
    int first = (int)(intptr_t)arg;
    put(first, -1);
    put(first + 1, explore_choice(2) ? 2 * HOCKET_US : -1);
    put(first + 2, -1);
    return NULL;
}

static void *get_some(void *arg)
{
    (void)arg;
    while (get(explore_choice(3) == 0 ? 2 * HOCKET_US : -1) != -EPIPE &&
           hk_load(&history.count) < 40)
        continue;
    return NULL;
}

static void waits(int order, size_t capacity)
{
    start(order, capacity);
    int a = explore_start(put_some, (void *)10), b = explore_start(put_some, (void *)20);
    int c = explore_start(get_some, NULL);
    bool late = explore_choice(2);
    if (late) {
        explore_join(a);
        explore_join(b);
    }
    end_of(explore_choice(2) ? HOCKET_CLOSE_NOW : HOCKET_CLOSE_DRAIN);
    explore_join(c);
    (void)get(0);
    put(99, 0);
    if (!late) {
        explore_join(a);
        explore_join(b);
    }
    finish();
}

EXPLORED(waits_fifo, NULL)
{
    waits(HOCKET_FIFO, 1 + explore_choice(3));
}

EXPLORED(waits_lifo, NULL)
{
    waits(HOCKET_LIFO, 1 + explore_choice(2));
}

EXPLORED(waits_priority, NULL)
{
    waits(HOCKET_PRIORITY, 1 + explore_choice(2));
}

EXPLORED(waits_unbounded, NULL)
{
    waits((int)explore_choice(3), HOCKET_UNBOUNDED);
}

EXPLORED(waits_spurious, &explored_spurious)
{
    waits(HOCKET_FIFO, 1);
}

/* ---- rendezvous ---- */

static _Atomic int offered, accepted; /* sums of what was put, and got */

static hocket_time patience(void)
{
    return explore_choice(3) ? HOCKET_FOREVER : hocket_after(HOCKET_US);
}

static void *offer(void *arg)
{
    int first = (int)(intptr_t)arg;
    for (int value = first; value < 100 * first; value *= 10) {
        int err = hocket_queue_put(queue, &value, patience());
        if (err == 0)
            atomic_fetch_add(&offered, value);
        else
            HK_EXPECT(err == -EPIPE || err == -ETIMEDOUT);
    }
    return NULL;
}

static void *accept_all(void *arg)
{
    int value = 0, err;
    (void)arg;
    while ((err = hocket_queue_get(queue, &value, patience())) != -EPIPE)
        if (err == 0)
            atomic_fetch_add(&accepted, value);
        else
            HK_EXPECT_EQ(err, -ETIMEDOUT);
    return NULL;
}

EXPLORED(rendezvous, NULL)
{
    start(HOCKET_FIFO, HOCKET_RENDEZVOUS);
    atomic_store(&offered, 0);
    atomic_store(&accepted, 0);
    int a = explore_start(offer, (void *)1), b = explore_start(offer, (void *)3);
    int c = explore_start(accept_all, NULL), d = explore_start(accept_all, NULL);
    bool early = explore_choice(4) == 0;
    if (early)
        HK_EXPECT_OK(hocket_queue_close(queue, HOCKET_CLOSE_DRAIN));
    explore_join(a);
    explore_join(b);
    if (!early)
        HK_EXPECT_OK(hocket_queue_close(queue, HOCKET_CLOSE_DRAIN));
    explore_join(c);
    explore_join(d);
    HK_EXPECT_EQ(atomic_load(&offered), atomic_load(&accepted));
    HK_EXPECT_EQ(hocket_queue_unfinished(queue) > 0, atomic_load(&offered) > 0);
    hocket_queue_free(queue);
}

/* One thread owns the queue when others come, and waits in it with them. */
EXPLORED(rendezvous_owner_loses, NULL)
{
    int value, others = 1 + (int)explore_choice(2);
    start(HOCKET_FIFO, HOCKET_RENDEZVOUS);
    atomic_store(&offered, 0);
    atomic_store(&accepted, 0);
    for (int i = 0; i < 4; i++) /* each holds the queue once */
        HK_EXPECT_EQ(hocket_queue_get(queue, &value, HOCKET_NOW), -ETIMEDOUT);
    int a = explore_start(accept_all, NULL), b = -1;
    if (others == 2)
        b = explore_start(offer, (void *)3);
    offer((void *)1);
    if (others == 2)
        explore_join(b);
    HK_EXPECT_OK(hocket_queue_close(queue, HOCKET_CLOSE_DRAIN));
    explore_join(a);
    HK_EXPECT_EQ(atomic_load(&offered), atomic_load(&accepted));
    hocket_queue_free(queue);
}

/* ---- batches ---- */

static _Atomic int batch_put, batch_got;

static void *put_batch(void *arg)
{
    int values[5], first = (int)(intptr_t)arg;
    for (int i = 0; i < 5; i++)
        values[i] = first + i;
    ptrdiff_t n = hocket_queue_put_many(
        queue, values, 5, explore_choice(3) ? HOCKET_FOREVER : hocket_after(2 * HOCKET_US));
    HK_EXPECT(n > 0 || n == -EPIPE || n == -ETIMEDOUT);
    for (ptrdiff_t i = 0; i < n; i++)
        atomic_fetch_add(&batch_put, first + (int)i);
    return NULL;
}

static void *get_batch(void *arg)
{
    int values[3], last[2] = { 0, 0 };
    ptrdiff_t n;
    (void)arg;
    while ((n = hocket_queue_get_many(queue, values, 3, HOCKET_FOREVER)) > 0)
        for (ptrdiff_t i = 0; i < n; i++) {
            int *seen = &last[values[i] >= 20];
            HK_EXPECT(values[i] > *seen);
            *seen = values[i];
            atomic_fetch_add(&batch_got, values[i]);
        }
    HK_EXPECT_EQ(n, -EPIPE);
    return NULL;
}

static void batches(size_t capacity)
{
    start(HOCKET_FIFO, capacity);
    atomic_store(&batch_put, 0);
    atomic_store(&batch_got, 0);
    int a = explore_start(put_batch, (void *)10), b = explore_start(put_batch, (void *)20);
    int c = explore_start(get_batch, NULL), d = explore_start(get_batch, NULL);
    explore_join(a);
    explore_join(b);
    HK_EXPECT_OK(hocket_queue_close(queue, HOCKET_CLOSE_DRAIN));
    explore_join(c);
    explore_join(d);
    HK_EXPECT_EQ(atomic_load(&batch_got), atomic_load(&batch_put));
    HK_EXPECT_EQ(hocket_queue_length(queue), 0);
    hocket_queue_free(queue);
}

EXPLORED(batches_ring, NULL)
{
    batches(1 + explore_choice(4));
}

EXPLORED(batches_others, NULL)
{
    batches(explore_choice(2) ? HOCKET_RENDEZVOUS : HOCKET_UNBOUNDED);
}

/* ---- join ---- */

static _Atomic int finished;

static void *work(void *arg)
{
    int value;
    (void)arg;
    while (hocket_queue_get(queue, &value, HOCKET_FOREVER) == 0) {
        atomic_fetch_add(&finished, 1);
        HK_EXPECT_OK(hocket_queue_task_done(queue));
    }
    return NULL;
}

static void *join(void *arg)
{
    int err = hocket_queue_join(queue, patience());
    (void)arg;
    HK_EXPECT(err == 0 || err == -ETIMEDOUT);
    return NULL;
}

static void joins(size_t capacity)
{
    start(HOCKET_FIFO, capacity);
    atomic_store(&finished, 0);
    int a = explore_start(work, NULL), b = explore_start(work, NULL);
    int c = explore_start(join, NULL);
    for (int i = 0; i < 3; i++)
        HK_EXPECT_OK(hocket_queue_put(queue, &i, HOCKET_FOREVER));
    HK_EXPECT_OK(hocket_queue_join(queue, HOCKET_FOREVER));
    HK_EXPECT_EQ(atomic_load(&finished), 3);
    HK_EXPECT_EQ(hocket_queue_task_done(queue), -EOVERFLOW);
    explore_join(c);
    HK_EXPECT_OK(hocket_queue_close(queue, HOCKET_CLOSE_DRAIN));
    explore_join(a);
    explore_join(b);
    hocket_queue_free(queue);
}

EXPLORED(joins_ring, NULL)
{
    joins(2);
}

EXPLORED(joins_others, NULL)
{
    joins(explore_choice(2) ? HOCKET_RENDEZVOUS : HOCKET_UNBOUNDED);
}

/* ---- fibers ---- */

static int fiber_puts(void *arg)
{
    (void)put_some(arg);
    return 0;
}

static int fiber_gets(void *arg)
{
    (void)get_some(arg);
    return 0;
}

static void fibers(int order, size_t capacity)
{
    start(order, capacity);
    explored_runtime(2);
    hocket_task *f = explored_spawn(fiber_puts, (void *)10);
    hocket_task *g = explored_spawn(fiber_gets, NULL);
    int a = explore_start(put_some, (void *)20);
    explore_join(a);
    explored_finish(f, 0);
    end_of(HOCKET_CLOSE_DRAIN);
    explored_finish(g, 0);
    finish();
    explored_runtime_end();
}

EXPLORED(fibers_ring, &explored_held)
{
    fibers(HOCKET_FIFO, 2);
}

EXPLORED(fibers_priority, &explored_held)
{
    fibers(HOCKET_PRIORITY, 1);
}

SUITE("queue_linear", explored_limit())
{
    suite_once(tries_ring_1);
    suite_once(tries_ring_2);
    suite_once(tries_lifo);
    suite_once(tries_of_three);
    suite_once(owner_loses_1);
    suite_once(owner_loses_3);
    suite_once(waits_fifo);
    suite_once(waits_lifo);
    suite_once(waits_priority);
    suite_once(waits_unbounded);
    suite_once(waits_spurious);
    suite_once(rendezvous);
    suite_once(rendezvous_owner_loses);
    suite_once(batches_ring);
    suite_once(batches_others);
    suite_once(joins_ring);
    suite_once(joins_others);
    suite_once(fibers_ring);
    suite_once(fibers_priority);
}
