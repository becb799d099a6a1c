/* SPDX-License-Identifier: MIT */
/* The delay queue: nothing before its time, in the order of time, bounds, deadlines, cancel, close. */
#include <errno.h>
#include <hocket/delay_queue.h>
#include <hocket/scope.h>

#include "support/death.h"
#include "support/modes.h"
#include "support/seeded.h"

#include "base/atomic.h"

static hocket_delay_queue *make(size_t capacity)
{
    hocket_delay_queue *q = NULL;
    hocket_delay_queue_options o = HOCKET_DELAY_QUEUE_OPTIONS_DEFAULT;
    o.capacity = capacity;
    HK_EXPECT_EQ(hocket_delay_queue_new(&q, sizeof(int), &o), 0);
    return q;
}

static void put(hocket_delay_queue *q, int value, hocket_time due)
{
    HK_EXPECT_EQ(hocket_delay_queue_put(q, &value, due, HOCKET_NOW), 0);
}

START_TEST(in_the_order_of_time)
{
    hocket_delay_queue *q = make(0);
    hocket_time now = hocket_now();
    int value = -1;
    HK_EXPECT_EQ(hocket_delay_queue_get(q, &value, HOCKET_NOW), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_delay_queue_next(q), HOCKET_FOREVER);
    put(q, 3, now + 4 * HOCKET_MS);
    put(q, 2, now + 2 * HOCKET_MS);
    put(q, 0, HOCKET_NOW);
    put(q, 1, HOCKET_NOW);
    put(q, 4, now + 4 * HOCKET_MS);
    put(q, 5, HOCKET_FOREVER);
    HK_EXPECT_EQ(hocket_delay_queue_length(q), 6);
    for (int i = 0; i < 5; i++) {
        hocket_time due = hocket_delay_queue_next(q);
        HK_EXPECT_EQ(hocket_delay_queue_get(q, &value, HOCKET_FOREVER), 0);
        HK_EXPECT_EQ(value, i);
        HK_EXPECT(hocket_now() >= due);
    }
    HK_EXPECT_EQ(hocket_delay_queue_get(q, &value, HOCKET_NOW), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_delay_queue_get(q, &value, hocket_after(HOCKET_US)), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_delay_queue_length(q), 1);
    hocket_delay_queue_free(q);
    hocket_delay_queue_free(NULL);
}
END_TEST

/* Who asks with HOCKET_NOW, or too short a deadline, does not get what is not due. */
START_TEST(not_before_its_time)
{
    hocket_delay_queue *q = make(0);
    hocket_time due = hocket_after(20 * HOCKET_MS);
    int value = -1, err;
    put(q, 1, due);
    while ((err = hocket_delay_queue_get(q, &value, HOCKET_NOW)) != 0) {
        HK_EXPECT_EQ(err, -ETIMEDOUT);
        err = hocket_delay_queue_get(q, &value, hocket_after(HOCKET_MS));
        HK_EXPECT(err == 0 || err == -ETIMEDOUT);
        if (err == 0)
            break;
    }
    HK_EXPECT(value == 1 && hocket_now() >= due);
    hocket_delay_queue_free(q);
}
END_TEST

static int dropped[8], drops;

static void drop(void *value)
{
    dropped[drops++] = *(int *)value;
}

START_TEST(nonsense_bounds_and_close)
{
    hocket_delay_queue *q = NULL;
    hocket_delay_queue_options o = HOCKET_DELAY_QUEUE_OPTIONS_DEFAULT;
    int value = 9;
    HK_EXPECT_EQ(hocket_delay_queue_new(&q, 0, NULL), -EINVAL);
    o.capacity = HOCKET_RENDEZVOUS;
    HK_EXPECT_EQ(hocket_delay_queue_new(&q, 4, &o), -EINVAL);
    o.size = 1;
    o.capacity = 3;
    HK_EXPECT_EQ(hocket_delay_queue_new(&q, 4, &o), -EINVAL);
    o.size = 0;
    o.drop = drop;
    for (int how = 0; how < 2; how++) {
        drops = 0;
        HK_EXPECT_EQ(hocket_delay_queue_new(&q, sizeof(int), &o), 0);
        put(q, 2, hocket_after(2 * HOCKET_SEC));
        put(q, 0, HOCKET_NOW);
        put(q, 1, hocket_after(HOCKET_MS));
        HK_EXPECT_EQ(hocket_delay_queue_put(q, &value, HOCKET_NOW, HOCKET_NOW), -ETIMEDOUT);
        HK_EXPECT_EQ(hocket_delay_queue_put(q, &value, HOCKET_NOW, hocket_after(HOCKET_US)),
                     -ETIMEDOUT);
        HK_EXPECT_EQ(hocket_delay_queue_close(q, 2), -EINVAL);
        HK_EXPECT(!hocket_delay_queue_closed(q));
        HK_EXPECT_EQ(hocket_delay_queue_close(q, how), 0);
        HK_EXPECT(hocket_delay_queue_closed(q));
        HK_EXPECT_EQ(hocket_delay_queue_close(q, how), -EALREADY);
        HK_EXPECT_EQ(hocket_delay_queue_put(q, &value, HOCKET_NOW, HOCKET_FOREVER), -EPIPE);
        for (int i = 0; i < 2 && how == HOCKET_CLOSE_DRAIN; i++) {
            HK_EXPECT_EQ(hocket_delay_queue_get(q, &value, HOCKET_FOREVER), 0);
            HK_EXPECT_EQ(value, i);
        }
        HK_EXPECT_EQ(hocket_delay_queue_get(q, &value, HOCKET_NOW),
                     how == HOCKET_CLOSE_DRAIN ? -ETIMEDOUT : -EPIPE);
        HK_EXPECT_EQ(hocket_delay_queue_close(q, HOCKET_CLOSE_NOW),
                     how == HOCKET_CLOSE_DRAIN ? 0 : -EALREADY);
        HK_EXPECT_EQ(hocket_delay_queue_get(q, &value, HOCKET_FOREVER), -EPIPE);
        HK_EXPECT_EQ(drops, how == HOCKET_CLOSE_DRAIN ? 1 : 3);
        for (int i = 0; i < drops; i++)
            HK_EXPECT_EQ(dropped[i], 3 - drops + i);
        hocket_delay_queue_free(q);
    }
}
END_TEST

struct shared {
    hocket_delay_queue *q;
    _Atomic int step, got, sum, ended;
    int rc[8], value[8];
    hocket_time when[8];
};

#define AT(s, n) MODE_WAIT_UNTIL(hk_load_acq(&(s)->step) == (n))
#define NEXT(s)  ((void)hk_add(&(s)->step, 1))

/* A value that comes earlier than the one somebody waits for is not late. */
static int earlier(int index, void *arg)
{
    struct shared *s = arg;
    if (index == 0) {
        MODE_WAIT_UNTIL(mode_parked(1) && mode_parked(2));
        put(s->q, 1, hocket_after(HOCKET_MS));
        put(s->q, 2, HOCKET_NOW);
        return 0;
    }
    s->rc[index] = hocket_delay_queue_get(s->q, &s->value[index], HOCKET_FOREVER);
    return 0;
}

START_TEST(an_earlier_one_comes_first)
{
    struct shared s = { .q = make(0) };
    put(s.q, 3, hocket_after(3600 * HOCKET_SEC));
    mode_run(_i, 3, earlier, &s);
    HK_EXPECT(s.rc[1] == 0 && s.rc[2] == 0);
    HK_EXPECT_EQ(s.value[1] + s.value[2], 3);
    HK_EXPECT_EQ(hocket_delay_queue_length(s.q), 1);
    hocket_delay_queue_free(s.q);
}
END_TEST

/* The leader goes away, by cancel or deadline: another one watches the clock. */
static int leader(int index, void *arg)
{
    struct shared *s = arg;
    if (index == 0) {
        MODE_WAIT_UNTIL(mode_parked(1) || hk_load_acq(&s->ended) > 0);
        NEXT(s);
        MODE_WAIT_UNTIL(mode_parked(2) || hk_load_acq(&s->ended) > 0);
        if (s->rc[0] && hk_load_acq(&s->ended) == 0)
            hocket_cancel(mode_task(1));
        return 0;
    }
    AT(s, index - 1);
    s->rc[index] = hocket_delay_queue_get(s->q, &s->value[index],
                                          index == 2 || s->rc[0] ? HOCKET_FOREVER
                                                                 : hocket_after(2 * HOCKET_MS));
    if (index == 1 && s->rc[1] == 0) /* no value is left for the other one */
        HK_EXPECT_EQ(hocket_delay_queue_close(s->q, HOCKET_CLOSE_DRAIN), 0);
    (void)hk_add(&s->ended, 1);
    return 0;
}

START_TEST(a_leader_that_gives_up)
{
    for (int cancel = 0; cancel < 2; cancel++) {
        struct shared s = { .q = make(0), .rc = { cancel } };
        put(s.q, 7, hocket_after(300 * HOCKET_MS)); /* the other two give up before */
        mode_run(_i, 3, leader, &s);
        if (s.rc[1] == 0) { /* a machine so busy that the value was due first */
            hocket_delay_queue_free(s.q);
            HK_EXPECT_EQ(s.value[1], 7);
            return;
        }
        HK_EXPECT_EQ(s.rc[1], cancel ? -ECANCELED : -ETIMEDOUT);
        HK_EXPECT(s.rc[2] == 0 && s.value[2] == 7);
        hocket_delay_queue_free(s.q);
    }
}
END_TEST

/* Putters wait for room, getters for time, and a close ends those that would wait for ever. */
static int flow(int index, void *arg)
{
    struct shared *s = arg;
    struct seeded r = seeded_of(1, index);
    int value, err;
    if (index < 2) {
        for (int i = 1; i <= 50; i++)
            HK_EXPECT_EQ(hocket_delay_queue_put(s->q, &i,
                                                hocket_after(seeded_below(&r, 200) * HOCKET_US),
                                                HOCKET_FOREVER),
                         0);
        if (hk_add(&s->ended, 1) == 1)
            HK_EXPECT_EQ(hocket_delay_queue_close(s->q, HOCKET_CLOSE_DRAIN), 0);
        return 0;
    }
    while ((err = hocket_delay_queue_get(s->q, &value, HOCKET_FOREVER)) == 0) {
        (void)hk_add(&s->got, 1);
        (void)hk_add(&s->sum, value);
    }
    HK_EXPECT_EQ(err, -EPIPE);
    return 0;
}

START_TEST(all_come_through)
{
    static const size_t capacities[] = { 1, 5, HOCKET_UNBOUNDED };
    for (int c = 0; c < 3; c++) {
        struct shared s = { .q = make(capacities[c]) };
        mode_run(_i, 5, flow, &s);
        HK_EXPECT_EQ(hk_load(&s.got), 100);
        HK_EXPECT_EQ(hk_load(&s.sum), 2 * 50 * 51 / 2);
        hocket_delay_queue_free(s.q);
    }
}
END_TEST

static int turned_away(int index, void *arg)
{
    struct shared *s = arg;
    int value = 1;
    if (index == 0) {
        MODE_WAIT_UNTIL(mode_parked(1) && mode_parked(2));
        return hocket_delay_queue_close(s->q, HOCKET_CLOSE_NOW);
    }
    s->rc[index] = index == 1 ? hocket_delay_queue_get(s->q, &value, HOCKET_FOREVER)
                              : hocket_delay_queue_put(s->q, &value, HOCKET_NOW, HOCKET_FOREVER);
    return 0;
}

START_TEST(close_ends_every_wait)
{
    struct shared s = { .q = make(1) };
    put(s.q, 1, HOCKET_FOREVER);
    mode_run(_i, 3, turned_away, &s);
    HK_EXPECT(s.rc[1] == -EPIPE && s.rc[2] == -EPIPE);
    hocket_delay_queue_free(s.q);
}
END_TEST

static void *nothing(size_t size, void *context)
{
    return size > *(size_t *)context ? NULL : malloc(size);
}

START_TEST(no_memory)
{
    size_t most = 1;
    hocket_allocator a = { nothing, NULL, NULL, &most };
    hocket_delay_queue *q = NULL;
    HK_EXPECT_EQ(hocket_set_allocator(&a), 0);
    HK_EXPECT_EQ(hocket_delay_queue_new(&q, 8, NULL), -ENOMEM);
    most = sizeof(int) * 64; /* too little for the heap */
    HK_EXPECT_EQ(hocket_delay_queue_new(&q, 8, NULL), -ENOMEM);
    most = SIZE_MAX;
    q = make(HOCKET_UNBOUNDED);
    int value = 1, put_count = 0, err;
    HK_EXPECT_EQ(hocket_delay_queue_get(q, &value, HOCKET_NOW), -ETIMEDOUT);
    most = 1;
    while ((err = hocket_delay_queue_put(q, &value, HOCKET_NOW, HOCKET_NOW)) == 0)
        put_count++;
    HK_EXPECT_EQ(err, -ENOMEM);
    HK_EXPECT_EQ(hocket_delay_queue_length(q), put_count);
    for (; put_count > 0; put_count--)
        HK_EXPECT_EQ(hocket_delay_queue_get(q, &value, HOCKET_NOW), 0);
    most = SIZE_MAX;
    hocket_delay_queue_free(q);
}
END_TEST

static int free_under_waiter(int index, void *arg)
{
    struct shared *s = arg;
    int value;
    if (index > 0)
        return hocket_delay_queue_get(s->q, &value, HOCKET_FOREVER);
    MODE_WAIT_UNTIL(mode_parked(1));
    hocket_delay_queue_free(s->q);
    return 0;
}

static void free_in_use(void *arg)
{
    struct shared s = { .q = make(1) };
    (void)arg;
    mode_run(MODE_FIBERS_1, 2, free_under_waiter, &s);
}

START_TEST(free_with_waiters_panics)
{
    death_by_signal(free_in_use, NULL, SIGABRT, "hocket_delay_queue_free: ");
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, in_the_order_of_time);
    tcase_add_test(tc, not_before_its_time);
    tcase_add_test(tc, nonsense_bounds_and_close);
    MODE_TESTS(tc, an_earlier_one_comes_first);
    MODE_TESTS(tc, a_leader_that_gives_up);
    MODE_TESTS(tc, all_come_through);
    MODE_TESTS(tc, close_ends_every_wait);
    tcase_add_test(tc, no_memory);
    tcase_add_test(tc, free_with_waiters_panics);
}

int main(void)
{
    return mode_main("queue_delay", add);
}
