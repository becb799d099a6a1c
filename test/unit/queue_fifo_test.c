/* SPDX-License-Identifier: MIT */
/* The bounded queue: order, bounds, hand-over, deadlines, cancel, close; in every mode. */
#include <errno.h>
#include <hocket/scope.h>
#include <limits.h>

#include "support/death.h"
#include "support/modes.h"
#include "support/queues.h"

#include "base/atomic.h"

static hocket_time soon(void)
{
    return hocket_after(2 * HOCKET_MS);
}

/* ---- one task ---- */

START_TEST(first_in_first_out)
{
    for (size_t capacity = 1; capacity < 10; capacity++) {
        hocket_queue *q = queue_make(sizeof(int), HOCKET_FIFO, capacity);
        int in = 0, out = 0, value;
        for (int turn = 0; turn < 40; turn++) {
            while (hocket_queue_put(q, &in, HOCKET_NOW) == 0)
                in++;
            HK_EXPECT(hocket_queue_full(q));
            HK_EXPECT_EQ(in - out, capacity);
            for (int i = 0; i <= turn % (int)capacity; i++) {
                HK_EXPECT_EQ(hocket_queue_get(q, &value, HOCKET_NOW), 0);
                HK_EXPECT_EQ(value, out++);
                HK_EXPECT_EQ(hocket_queue_length(q), in - out);
            }
        }
        while (hocket_queue_get(q, &value, HOCKET_NOW) == 0)
            HK_EXPECT_EQ(value, out++);
        HK_EXPECT_EQ(in, out);
        HK_EXPECT(hocket_queue_empty(q) && !hocket_queue_full(q));
        hocket_queue_free(q);
    }
}
END_TEST

/* Values of every size from 1 byte, aligned or not, arrive as they were. */
START_TEST(any_size)
{
    for (size_t size = 1; size < 70; size++) {
        hocket_queue *q = queue_make(size, HOCKET_FIFO, 3);
        unsigned char in[70], out[70];
        for (int turn = 0; turn < 10; turn++) {
            memset(in, turn, sizeof in);
            memset(out, 255, sizeof out);
            HK_EXPECT_EQ(hocket_queue_put(q, in, HOCKET_NOW), 0);
            HK_EXPECT_EQ(hocket_queue_get(q, out, HOCKET_NOW), 0);
            HK_EXPECT(memcmp(in, out, size) == 0 && out[size] == 255);
        }
        hocket_queue_free(q);
    }
}
END_TEST

START_TEST(predicates)
{
    hocket_queue *q;
    int n = 1;
    HK_EXPECT_EQ(hocket_queue_new(&q, sizeof n, NULL), 0);
    HK_EXPECT_EQ(hocket_queue_capacity(q), HOCKET_QUEUE_CAPACITY);
    HK_EXPECT(hocket_queue_empty(q) && !hocket_queue_full(q) && !hocket_queue_closed(q));
    HK_EXPECT_EQ(hocket_queue_put(q, &n, HOCKET_NOW), 0);
    HK_EXPECT(!hocket_queue_empty(q));
    HK_EXPECT_EQ(hocket_queue_length(q), 1);
    HK_EXPECT_EQ(hocket_queue_getters(q), 0);
    HK_EXPECT_EQ(hocket_queue_putters(q), 0);
    hocket_queue_free(q);
    hocket_queue_free(NULL);
}
END_TEST

/* Sanitizers end the program when malloc is asked for absurd amounts. */
static void *modest(size_t size, void *context)
{
    (void)context;
    return size < SIZE_MAX / 64 ? malloc(size) : NULL;
}

START_TEST(new_refuses_nonsense)
{
    hocket_allocator a = { modest, NULL, NULL, NULL };
    HK_EXPECT_EQ(hocket_set_allocator(&a), 0);
    hocket_queue *q = NULL;
    hocket_queue_options o = HOCKET_QUEUE_OPTIONS_DEFAULT;
    HK_EXPECT_EQ(hocket_queue_new(&q, 0, NULL), -EINVAL);
    o.order = 3;
    HK_EXPECT_EQ(hocket_queue_new(&q, 4, &o), -EINVAL);
    o.order = -1;
    HK_EXPECT_EQ(hocket_queue_new(&q, 4, &o), -EINVAL);
    o.order = HOCKET_PRIORITY;
    o.first = 2;
    HK_EXPECT_EQ(hocket_queue_new(&q, 4, &o), -EINVAL);
    o.first = HOCKET_HIGHEST_FIRST;
    o.capacity = HOCKET_RENDEZVOUS;
    HK_EXPECT_EQ(hocket_queue_new(&q, 4, &o), -EINVAL);
    o.order = HOCKET_LIFO;
    HK_EXPECT_EQ(hocket_queue_new(&q, 4, &o), -EINVAL);
    o.order = HOCKET_FIFO;
    o.size = 3;
    HK_EXPECT_EQ(hocket_queue_new(&q, 4, &o), -EINVAL);
    o.size = 0;
    for (int order = HOCKET_FIFO; order <= HOCKET_PRIORITY; order++) {
        o.order = order;
        o.capacity = SIZE_MAX - 2; /* the two above have a meaning */
        HK_EXPECT_EQ(hocket_queue_new(&q, 4, &o), -EINVAL);
        HK_EXPECT_EQ(hocket_queue_new(&q, SIZE_MAX, &o), -EINVAL);
        o.capacity = SIZE_MAX / 48;
        HK_EXPECT_EQ(hocket_queue_new(&q, 16, &o), -ENOMEM);
    }
    HK_EXPECT(q == NULL);
}
END_TEST

/* ---- several tasks ---- */

struct shared {
    hocket_queue *q;
    _Atomic int step;
    int got[8];
    int rc[8];
};

#define AT(s, n) MODE_WAIT_UNTIL(hk_load_acq(&(s)->step) == (n))
#define NEXT(s)  ((void)hk_add(&(s)->step, 1))

/* Getters park one after the other, and are served in that order by hand-over. */
static int serve(int index, void *arg)
{
    struct shared *s = arg;
    if (index > 0) {
        AT(s, index - 1);
        s->rc[index] = hocket_queue_get(s->q, &s->got[index], HOCKET_FOREVER);
        return 0;
    }
    for (int i = 1; i < 5; i++) {
        MODE_WAIT_UNTIL(mode_parked(i));
        HK_EXPECT_EQ(hocket_queue_getters(s->q), i);
        NEXT(s);
    }
    for (int i = 1; i < 5; i++) {
        HK_EXPECT_EQ(hocket_queue_put(s->q, &i, HOCKET_NOW), 0);
        HK_EXPECT_EQ(hocket_queue_length(s->q), 0); /* handed over, not stored */
        HK_EXPECT_EQ(hocket_queue_getters(s->q), 4 - i);
    }
    return 0;
}

START_TEST(getters_are_served_in_order)
{
    struct shared s = { .q = queue_make(sizeof(int), HOCKET_FIFO, 2) };
    mode_run(_i, 5, serve, &s);
    for (int i = 1; i < 5; i++)
        HK_EXPECT(s.rc[i] == 0 && s.got[i] == i);
    hocket_queue_free(s.q);
}
END_TEST

static int admit(int index, void *arg)
{
    struct shared *s = arg;
    if (index > 0) {
        AT(s, index - 1);
        int value = index;
        s->rc[index] = hocket_queue_put(s->q, &value, HOCKET_FOREVER);
        return 0;
    }
    int value = 0;
    for (int i = 1; i < 5; i++) {
        MODE_WAIT_UNTIL(mode_parked(i));
        HK_EXPECT_EQ(hocket_queue_putters(s->q), i);
        NEXT(s);
    }
    for (int i = 0; i < 5; i++) {
        HK_EXPECT_EQ(hocket_queue_get(s->q, &value, HOCKET_NOW), 0);
        HK_EXPECT_EQ(value, i);
        HK_EXPECT_EQ(hocket_queue_putters(s->q), i < 4 ? 3 - i : 0);
        HK_EXPECT_EQ(hocket_queue_length(s->q), i < 4); /* one goes in for each that comes out */
    }
    return 0;
}

START_TEST(putters_are_served_in_order)
{
    struct shared s = { .q = queue_make(sizeof(int), HOCKET_FIFO, 1) };
    int zero = 0;
    HK_EXPECT_EQ(hocket_queue_put(s.q, &zero, HOCKET_NOW), 0);
    mode_run(_i, 5, admit, &s);
    for (int i = 1; i < 5; i++)
        HK_EXPECT_EQ(s.rc[i], 0);
    hocket_queue_free(s.q);
}
END_TEST

static int times_out(int index, void *arg)
{
    struct shared *s = arg;
    int value = 5;
    (void)index;
    HK_EXPECT_EQ(hocket_queue_get(s->q, &value, HOCKET_NOW), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_queue_get(s->q, &value, 1), -ETIMEDOUT); /* long ago */
    hocket_time until = soon();
    HK_EXPECT_EQ(hocket_queue_get(s->q, &value, until), -ETIMEDOUT);
    HK_EXPECT(hocket_now() >= until);
    HK_EXPECT_EQ(value, 5);
    return 0;
}

static int times_out_full(int index, void *arg)
{
    struct shared *s = arg;
    int value = 5;
    (void)index;
    HK_EXPECT_EQ(hocket_queue_put(s->q, &value, HOCKET_NOW), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_queue_put(s->q, &value, 1), -ETIMEDOUT);
    hocket_time until = soon();
    HK_EXPECT_EQ(hocket_queue_put(s->q, &value, until), -ETIMEDOUT);
    HK_EXPECT(hocket_now() >= until);
    return 0;
}

START_TEST(deadlines)
{
    struct shared s = { .q = queue_make(sizeof(int), HOCKET_FIFO, 1) };
    int value = 7;
    mode_run(_i, 4, times_out, &s);
    HK_EXPECT_EQ(hocket_queue_getters(s.q), 0);
    HK_EXPECT_EQ(hocket_queue_put(s.q, &value, HOCKET_NOW), 0); /* to nobody who has left */
    mode_run(_i, 4, times_out_full, &s);
    HK_EXPECT_EQ(hocket_queue_putters(s.q), 0);
    HK_EXPECT_EQ(hocket_queue_get(s.q, &value, HOCKET_NOW), 0);
    HK_EXPECT_EQ(value, 7);
    HK_EXPECT_EQ(hocket_queue_get(s.q, &value, HOCKET_NOW), -ETIMEDOUT); /* nothing was put */
    hocket_queue_free(s.q);
}
END_TEST

/* The second of three waiting getters is cancelled: the values go to the others. */
static int cancel_in_the_middle(int index, void *arg)
{
    struct shared *s = arg;
    if (index > 0) {
        AT(s, index - 1);
        s->rc[index] = hocket_queue_get(s->q, &s->got[index], HOCKET_FOREVER);
        return 0;
    }
    for (int i = 1; i < 4; i++) {
        MODE_WAIT_UNTIL(mode_parked(i));
        NEXT(s);
    }
    hocket_cancel(mode_task(2));
    for (int i = 1; i < 3; i++)
        HK_EXPECT_EQ(hocket_queue_put(s->q, &i, HOCKET_NOW), 0);
    return 0;
}

START_TEST(cancelled_getter_eats_nothing)
{
    struct shared s = { .q = queue_make(sizeof(int), HOCKET_FIFO, 1) };
    mode_run(_i, 4, cancel_in_the_middle, &s);
    HK_EXPECT(s.rc[1] == 0 && s.got[1] == 1);
    HK_EXPECT(s.rc[2] == -ECANCELED && s.got[2] == 0);
    HK_EXPECT(s.rc[3] == 0 && s.got[3] == 2);
    HK_EXPECT(hocket_queue_empty(s.q));
    hocket_queue_free(s.q);
}
END_TEST

static int cancel_putter(int index, void *arg)
{
    struct shared *s = arg;
    if (index > 0) {
        AT(s, index - 1);
        int value = index;
        s->rc[index] = hocket_queue_put(s->q, &value, HOCKET_FOREVER);
        return 0;
    }
    int value;
    for (int i = 1; i < 4; i++) {
        MODE_WAIT_UNTIL(mode_parked(i));
        NEXT(s);
    }
    hocket_cancel(mode_task(1));
    static const int expected[] = { 0, 2, 3 };
    for (int i = 0; i < 3; i++) {
        HK_EXPECT_EQ(hocket_queue_get(s->q, &value, HOCKET_NOW), 0);
        HK_EXPECT_EQ(value, expected[i]);
    }
    return 0;
}

START_TEST(cancelled_putter_puts_nothing)
{
    struct shared s = { .q = queue_make(sizeof(int), HOCKET_FIFO, 1) };
    int zero = 0;
    HK_EXPECT_EQ(hocket_queue_put(s.q, &zero, HOCKET_NOW), 0);
    mode_run(_i, 4, cancel_putter, &s);
    HK_EXPECT(s.rc[1] == -ECANCELED && s.rc[2] == 0 && s.rc[3] == 0);
    HK_EXPECT(hocket_queue_empty(s.q));
    hocket_queue_free(s.q);
}
END_TEST

/* A cancel point on every call: a cancelled task neither puts nor gets, ready or not. */
static int cancelled_calls(int index, void *arg)
{
    struct shared *s = arg;
    int value = 1;
    hocket_scope scope;
    (void)index;
    hocket_scope_open(&scope, NULL);
    hocket_scope_cancel(&scope);
    HK_EXPECT_EQ(hocket_queue_put(s->q, &value, HOCKET_NOW), -ECANCELED);
    HK_EXPECT_EQ(hocket_queue_put(s->q, &value, HOCKET_FOREVER), -ECANCELED);
    HK_EXPECT_EQ(hocket_queue_get(s->q, &value, HOCKET_NOW), -ECANCELED);
    HK_EXPECT_EQ(hocket_queue_get(s->q, &value, HOCKET_FOREVER), -ECANCELED);
    HK_EXPECT_EQ(hocket_scope_close(&scope), 0);
    return 0;
}

START_TEST(every_call_is_a_cancel_point)
{
    struct shared s = { .q = queue_make(sizeof(int), HOCKET_FIFO, 2) };
    int value = 1;
    HK_EXPECT_EQ(hocket_queue_put(s.q, &value, HOCKET_NOW), 0);
    mode_run(_i, 4, cancelled_calls, &s);
    HK_EXPECT_EQ(hocket_queue_length(s.q), 1);
    hocket_queue_free(s.q);
}
END_TEST

/* ---- close ---- */

static int dropped_sum, dropped_count;

static void drop(void *value)
{
    dropped_sum += *(int *)value;
    dropped_count++;
}

START_TEST(close_drains_or_drops)
{
    for (int how = 0; how < 2; how++) {
        hocket_queue *q;
        hocket_queue_options o = HOCKET_QUEUE_OPTIONS_DEFAULT;
        o.capacity = 4;
        o.drop = drop;
        dropped_sum = dropped_count = 0;
        HK_EXPECT_EQ(hocket_queue_new(&q, sizeof(int), &o), 0);
        int value;
        for (int i = 0; i < 6; i++) { /* so that the ring wraps around */
            value = i;
            HK_EXPECT_EQ(hocket_queue_put(q, &value, HOCKET_NOW), 0);
            if (i < 3)
                HK_EXPECT_EQ(hocket_queue_get(q, &value, HOCKET_NOW), 0);
        }
        HK_EXPECT_EQ(hocket_queue_close(q, 2), -EINVAL);
        HK_EXPECT(!hocket_queue_closed(q));
        HK_EXPECT_EQ(hocket_queue_close(q, how), 0);
        HK_EXPECT(hocket_queue_closed(q));
        HK_EXPECT_EQ(hocket_queue_close(q, how), -EALREADY);
        HK_EXPECT_EQ(hocket_queue_put(q, &value, HOCKET_NOW), -EPIPE);
        HK_EXPECT_EQ(hocket_queue_put(q, &value, HOCKET_FOREVER), -EPIPE);
        if (how == HOCKET_CLOSE_DRAIN) {
            HK_EXPECT_EQ(hocket_queue_get(q, &value, HOCKET_NOW), 0);
            HK_EXPECT_EQ(value, 3);
            HK_EXPECT_EQ(hocket_queue_close(q, HOCKET_CLOSE_NOW), 0); /* drops what is left */
            HK_EXPECT_EQ(hocket_queue_close(q, HOCKET_CLOSE_NOW), -EALREADY);
        }
        HK_EXPECT_EQ(hocket_queue_length(q), 0);
        HK_EXPECT_EQ(hocket_queue_get(q, &value, HOCKET_NOW), -EPIPE);
        HK_EXPECT_EQ(hocket_queue_get(q, &value, HOCKET_FOREVER), -EPIPE);
        HK_EXPECT_EQ(dropped_count, how == HOCKET_CLOSE_DRAIN ? 2 : 3);
        HK_EXPECT_EQ(dropped_sum, how == HOCKET_CLOSE_DRAIN ? 9 : 12);
        hocket_queue_free(q);
        HK_EXPECT_EQ(dropped_count, how == HOCKET_CLOSE_DRAIN ? 2 : 3);
    }
}
END_TEST

START_TEST(free_drops_what_is_left)
{
    hocket_queue *q;
    hocket_queue_options o = HOCKET_QUEUE_OPTIONS_DEFAULT;
    o.drop = drop;
    HK_EXPECT_EQ(hocket_queue_new(&q, sizeof(int), &o), 0);
    for (int i = 1; i < 4; i++)
        HK_EXPECT_EQ(hocket_queue_put(q, &i, HOCKET_NOW), 0);
    hocket_queue_free(q);
    HK_EXPECT(dropped_count == 3 && dropped_sum == 6);
}
END_TEST

static int turned_away(int index, void *arg)
{
    struct shared *s = arg;
    int value = index;
    if (index == 0) {
        for (int i = 1; i < 6; i++)
            MODE_WAIT_UNTIL(mode_parked(i));
        return hocket_queue_close(s->q, s->rc[0]);
    }
    s->rc[index] = hocket_queue_full(s->q) ? hocket_queue_put(s->q, &value, HOCKET_FOREVER)
                                           : hocket_queue_get(s->q, &value, HOCKET_FOREVER);
    HK_EXPECT_EQ(value, index);
    return 0;
}

START_TEST(close_turns_waiters_away)
{
    for (int how = 0; how < 2; how++)
        for (int full = 0; full < 2; full++) {
            struct shared s = { .q = queue_make(sizeof(int), HOCKET_FIFO, 1), .rc = { how } };
            int value = 7;
            if (full)
                HK_EXPECT_EQ(hocket_queue_put(s.q, &value, HOCKET_NOW), 0);
            mode_run(_i, 6, turned_away, &s);
            for (int i = 1; i < 6; i++)
                HK_EXPECT_EQ(s.rc[i], -EPIPE);
            HK_EXPECT_EQ(hocket_queue_length(s.q), full && how == HOCKET_CLOSE_DRAIN);
            HK_EXPECT_EQ(hocket_queue_getters(s.q) + hocket_queue_putters(s.q), 0);
            hocket_queue_free(s.q);
        }
}
END_TEST

/* ---- misuse ---- */

static int free_under_waiters(int index, void *arg)
{
    struct shared *s = arg;
    int value = 0;
    if (index == 0) {
        MODE_WAIT_UNTIL(mode_parked(1));
        hocket_queue_free(s->q);
        return 0;
    }
    return s->step == 0 ? hocket_queue_get(s->q, &value, HOCKET_FOREVER)
                        : hocket_queue_put(s->q, &value, HOCKET_FOREVER);
}

static void free_in_use(void *arg)
{
    struct shared s = { .q = queue_make(sizeof(int), HOCKET_FIFO, 1) };
    s.step = *(int *)arg;
    if (s.step == 1)
        HK_EXPECT_EQ(hocket_queue_put(s.q, arg, HOCKET_NOW), 0);
    mode_run(MODE_FIBERS_1, 2, free_under_waiters, &s);
}

START_TEST(free_with_waiters_panics)
{
    for (int put = 0; put < 2; put++)
        death_by_signal(free_in_use, &put, SIGABRT, "hocket_queue_free: task task-");
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, first_in_first_out);
    tcase_add_test(tc, any_size);
    tcase_add_test(tc, predicates);
    tcase_add_test(tc, new_refuses_nonsense);
    MODE_TESTS(tc, getters_are_served_in_order);
    MODE_TESTS(tc, putters_are_served_in_order);
    MODE_TESTS(tc, deadlines);
    MODE_TESTS(tc, cancelled_getter_eats_nothing);
    MODE_TESTS(tc, cancelled_putter_puts_nothing);
    MODE_TESTS(tc, every_call_is_a_cancel_point);
    tcase_add_test(tc, close_drains_or_drops);
    tcase_add_test(tc, free_drops_what_is_left);
    MODE_TESTS(tc, close_turns_waiters_away);
    tcase_add_test(tc, free_with_waiters_panics);
}

int main(void)
{
    return mode_main("queue_fifo", add);
}
