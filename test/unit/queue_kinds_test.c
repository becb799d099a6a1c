/* SPDX-License-Identifier: MIT */
/* Queues that are no bounded FIFO: last in first out, by priority, without bound, rendezvous. */
#include <errno.h>
#include <hocket/scope.h>

#include "support/modes.h"
#include "support/queues.h"
#include "support/seeded.h"

#include "base/atomic.h"

static void put(hocket_queue *q, int value)
{
    HK_EXPECT_EQ(hocket_queue_put(q, &value, HOCKET_NOW), 0);
}

static int get(hocket_queue *q)
{
    int value = -1;
    HK_EXPECT_EQ(hocket_queue_get(q, &value, HOCKET_NOW), 0);
    return value;
}

static void put_with(hocket_queue *q, int value, int64_t priority)
{
    HK_EXPECT_EQ(hocket_queue_put_with(q, &value, priority, HOCKET_NOW), 0);
}

/* ---- orders ---- */

START_TEST(last_in_first_out)
{
    hocket_queue *q = queue_make(sizeof(int), HOCKET_LIFO, 3);
    int value = 9;
    for (int i = 0; i < 3; i++)
        put(q, i);
    HK_EXPECT_EQ(hocket_queue_put(q, &value, HOCKET_NOW), -ETIMEDOUT);
    HK_EXPECT(hocket_queue_full(q));
    HK_EXPECT_EQ(get(q), 2);
    put(q, 7);
    HK_EXPECT_EQ(get(q), 7);
    HK_EXPECT_EQ(get(q), 1);
    HK_EXPECT_EQ(get(q), 0);
    HK_EXPECT(hocket_queue_empty(q));
    HK_EXPECT_EQ(hocket_queue_get(q, &value, HOCKET_NOW), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_queue_put_with(q, &value, 1, HOCKET_NOW), -EINVAL);
    hocket_queue_free(q);
}
END_TEST

START_TEST(lowest_first_is_the_default)
{
    hocket_queue *q = queue_make(sizeof(int), HOCKET_PRIORITY, 0);
    HK_EXPECT_EQ(hocket_queue_capacity(q), HOCKET_QUEUE_CAPACITY);
    put_with(q, 1, 5);
    put_with(q, 2, -5);
    put(q, 3); /* priority 0 */
    put_with(q, 4, INT64_MIN);
    put_with(q, 5, INT64_MAX);
    put_with(q, 6, 5);
    static const int expected[] = { 4, 2, 3, 1, 6, 5 };
    for (int i = 0; i < 6; i++)
        HK_EXPECT_EQ(get(q), expected[i]);
    hocket_queue_free(q);
}
END_TEST

START_TEST(highest_first_on_request)
{
    hocket_queue *q;
    hocket_queue_options o = HOCKET_QUEUE_OPTIONS_DEFAULT;
    o.order = HOCKET_PRIORITY;
    o.first = HOCKET_HIGHEST_FIRST;
    HK_EXPECT_EQ(hocket_queue_new(&q, sizeof(int), &o), 0);
    for (int i = 0; i < 20; i++)
        put_with(q, i, i / 4);
    for (int i = 0; i < 20; i++) /* first in first out among equals all the same */
        HK_EXPECT_EQ(get(q), 16 - i / 4 * 4 + i % 4);
    hocket_queue_free(q);
}
END_TEST

struct job {
    char name[8];
    int rank;
};

static int by_rank(const void *a, const void *b, void *context)
{
    const struct job *x = a, *y = b;
    ++*(int *)context;
    return x->rank - y->rank;
}

START_TEST(a_comparison_of_ones_own)
{
    int calls = 0;
    hocket_queue *q;
    hocket_queue_options o = HOCKET_QUEUE_OPTIONS_DEFAULT;
    o.order = HOCKET_PRIORITY;
    o.compare = by_rank;
    o.context = &calls;
    struct job jobs[] = { { "c", 3 }, { "a", 1 }, { "b", 2 }, { "a2", 1 }, { "c2", 3 } }, job;
    static const char *const expected[2][5] = { { "a", "a2", "b", "c", "c2" },
                                                { "c", "c2", "b", "a", "a2" } };
    for (int first = 0; first < 2; first++) {
        o.first = first;
        HK_EXPECT_EQ(hocket_queue_new(&q, sizeof job, &o), 0);
        for (int i = 0; i < 5; i++)
            HK_EXPECT_EQ(hocket_queue_put(q, &jobs[i], HOCKET_NOW), 0);
        HK_EXPECT_EQ(hocket_queue_put_with(q, &job, 1, HOCKET_NOW), -EINVAL);
        for (int i = 0; i < 5; i++) {
            HK_EXPECT_EQ(hocket_queue_get(q, &job, HOCKET_NOW), 0);
            HK_EXPECT_STR(job.name, expected[first][i]);
        }
        hocket_queue_free(q);
    }
    HK_EXPECT(calls > 0);
}
END_TEST

/* Each kind against a plain list, with values of several sizes, up to some thousands of them. */
struct entry {
    int64_t priority;
    uint32_t value;
};

static size_t model_next(const struct entry *list, size_t n, int order)
{
    size_t best = order == HOCKET_LIFO ? n - 1 : 0;
    for (size_t i = 1; order == HOCKET_PRIORITY && i < n; i++)
        if (list[i].priority < list[best].priority)
            best = i;
    return best;
}

static void against_model(int order, size_t capacity, size_t size, struct seeded *r)
{
    static struct entry list[4000];
    unsigned char in[100], out[100];
    hocket_queue *q = queue_make(size, order, capacity);
    size_t n = 0, bound = capacity < 4000 ? capacity : 3000, turns = 4 * bound + 100;
    uint32_t lean = 5; /* of 8: first more puts, then more gets */
    for (size_t turn = 0; turn < turns; turn++) {
        if (turn == turns / 2)
            lean = 3;
        if (n < 3999 && seeded_below(r, 8) < lean) {
            struct entry e = { seeded_below(r, 9), seeded_below(r, 256) };
            memset(in, (int)e.value, size);
            int err = order == HOCKET_PRIORITY
                          ? hocket_queue_put_with(q, in, e.priority, HOCKET_NOW)
                          : hocket_queue_put(q, in, HOCKET_NOW);
            HK_EXPECT_EQ(err, n < capacity ? 0 : -ETIMEDOUT);
            if (err == 0)
                list[n++] = e;
        } else {
            memset(out, 0xee, sizeof out);
            int err = hocket_queue_get(q, out, HOCKET_NOW);
            HK_EXPECT_EQ(err, n > 0 ? 0 : -ETIMEDOUT);
            if (err == 0) {
                size_t i = model_next(list, n, order);
                memset(in, (int)list[i].value, size);
                HK_EXPECT(memcmp(in, out, size) == 0 && out[size] == 0xee);
                memmove(list + i, list + i + 1, (--n - i) * sizeof *list);
            }
        }
        HK_EXPECT_EQ(hocket_queue_length(q), n);
    }
    hocket_queue_free(q);
}

START_TEST(like_a_list)
{
    struct seeded r = seeded_of(1, _i);
    static const size_t capacities[] = { 1, 2, 5, 64, HOCKET_UNBOUNDED },
                        sizes[] = { 1, 4, 8, 16, 24, 33, 99 };
    for (size_t c = 0; c < 5; c++)
        for (size_t s = 0; s < 7; s++)
            against_model(_i, capacities[c], sizes[s], &r);
}
END_TEST

START_TEST(without_bound)
{
    for (int order = HOCKET_FIFO; order <= HOCKET_PRIORITY; order++) {
        hocket_queue *q = queue_make(sizeof(int), order, HOCKET_UNBOUNDED);
        HK_EXPECT_EQ(hocket_queue_capacity(q), HOCKET_UNBOUNDED);
        for (int i = 0; i < 10000; i++)
            put(q, i);
        HK_EXPECT(!hocket_queue_full(q));
        HK_EXPECT_EQ(hocket_queue_length(q), 10000);
        for (int i = 0; i < 5000; i++)
            HK_EXPECT_EQ(get(q), order == HOCKET_LIFO ? 9999 - i : i);
        hocket_queue_free(q); /* with values, in several chunks */
    }
}
END_TEST

/* ---- close ---- */

static int dropped[16], drops;

static void drop(void *value)
{
    dropped[drops++] = *(int *)value;
}

START_TEST(values_are_dropped_in_order)
{
    for (int order = HOCKET_FIFO; order <= HOCKET_PRIORITY; order++)
        for (int bound = 0; bound < 2; bound++)
            for (int by_free = 0; by_free < 2; by_free++) {
                hocket_queue *q;
                hocket_queue_options o = HOCKET_QUEUE_OPTIONS_DEFAULT;
                int value = 8;
                o.order = order;
                o.capacity = bound ? 8 : HOCKET_UNBOUNDED;
                o.drop = drop;
                drops = 0;
                HK_EXPECT_EQ(hocket_queue_new(&q, sizeof(int), &o), 0);
                for (int i = 0; i < 5; i++)
                    put(q, i);
                HK_EXPECT_EQ(get(q), order == HOCKET_LIFO ? 4 : 0);
                if (!by_free) {
                    HK_EXPECT_EQ(hocket_queue_close(q, HOCKET_CLOSE_NOW), 0);
                    HK_EXPECT_EQ(hocket_queue_length(q), 0);
                    HK_EXPECT_EQ(drops, 4);
                    HK_EXPECT_EQ(hocket_queue_get(q, &value, HOCKET_NOW), -EPIPE);
                    HK_EXPECT_EQ(hocket_queue_put(q, &value, HOCKET_NOW), -EPIPE);
                    HK_EXPECT_EQ(hocket_queue_close(q, HOCKET_CLOSE_NOW), -EALREADY);
                }
                hocket_queue_free(q);
                HK_EXPECT_EQ(drops, 4);
                for (int i = 0; i < 4; i++)
                    HK_EXPECT_EQ(dropped[i], order == HOCKET_LIFO ? 3 - i : i + 1);
            }
}
END_TEST

/* ---- several tasks ---- */

struct shared {
    hocket_queue *q;
    int order;
    _Atomic int step;
    int got[8], rc[8];
};

#define AT(s, n) MODE_WAIT_UNTIL(hk_load_acq(&(s)->step) == (n))
#define NEXT(s)  ((void)hk_add(&(s)->step, 1))

/* Getters wait in the empty queue: each value goes to the one that waits longest. */
static int waiting_getters(int index, void *arg)
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
    HK_EXPECT_EQ(hocket_queue_getters(s->q), 3);
    for (int i = 1; i < 4; i++)
        put(s->q, 10 - i);
    HK_EXPECT_EQ(hocket_queue_length(s->q), 0);
    return 0;
}

START_TEST(getters_wait)
{
    for (int order = HOCKET_FIFO; order <= HOCKET_PRIORITY; order++)
        for (int bound = 0; bound < 3; bound++) {
            if (bound == 2 && order != HOCKET_FIFO)
                continue;
            struct shared s = { .q = queue_make(sizeof(int), order,
                                                bound == 0   ? 1
                                                : bound == 1 ? HOCKET_UNBOUNDED
                                                             : HOCKET_RENDEZVOUS) };
            mode_run(_i, 4, waiting_getters, &s);
            for (int i = 1; i < 4; i++)
                HK_EXPECT(s.rc[i] == 0 && s.got[i] == 10 - i);
            hocket_queue_free(s.q);
        }
}
END_TEST

/* Putters wait at the full queue; a get lets the longest waiting one in, whatever its priority. */
static int waiting_putters(int index, void *arg)
{
    struct shared *s = arg;
    if (index > 0) {
        AT(s, index - 1);
        s->rc[index] = s->order == HOCKET_PRIORITY
                           ? hocket_queue_put_with(s->q, &index, 10 - index, HOCKET_FOREVER)
                           : hocket_queue_put(s->q, &index, HOCKET_FOREVER);
        return 0;
    }
    for (int i = 1; i < 4; i++) {
        MODE_WAIT_UNTIL(mode_parked(i));
        NEXT(s);
    }
    HK_EXPECT_EQ(hocket_queue_putters(s->q), 3);
    for (int i = 0; i < 5; i++)
        s->got[i] = get(s->q);
    return 0;
}

START_TEST(putters_wait)
{
    static const int expected[3][5] = { { 100, 101, 1, 2, 3 },
                                        { 101, 1, 2, 3, 100 },
                                        { 100, 101, 2, 3, 1 } };
    for (int order = HOCKET_FIFO; order <= HOCKET_PRIORITY; order++) {
        struct shared s = { .q = queue_make(sizeof(int), order, 2), .order = order };
        put(s.q, 100);
        put(s.q, 101);
        mode_run(_i, 4, waiting_putters, &s);
        for (int i = 0; i < 5; i++)
            HK_EXPECT_EQ(s.got[i], expected[order][i]);
        hocket_queue_free(s.q);
    }
}
END_TEST

/* A put with a priority that waits, and one that is cancelled meanwhile. */
static int waiting_priority(int index, void *arg)
{
    struct shared *s = arg;
    if (index > 0) {
        AT(s, index - 1);
        s->rc[index] = hocket_queue_put_with(s->q, &index, -index, HOCKET_FOREVER);
        return 0;
    }
    for (int i = 1; i < 4; i++) {
        MODE_WAIT_UNTIL(mode_parked(i));
        NEXT(s);
    }
    hocket_cancel(mode_task(2));
    MODE_WAIT_UNTIL(hocket_queue_putters(s->q) == 2);
    HK_EXPECT_EQ(get(s->q), 100);
    HK_EXPECT_EQ(get(s->q), 1);
    HK_EXPECT_EQ(get(s->q), 3);
    HK_EXPECT(hocket_queue_empty(s->q));
    return 0;
}

START_TEST(putters_with_priority_wait)
{
    struct shared s = { .q = queue_make(sizeof(int), HOCKET_PRIORITY, 1) };
    put(s.q, 100);
    mode_run(_i, 4, waiting_priority, &s);
    HK_EXPECT(s.rc[1] == 0 && s.rc[2] == -ECANCELED && s.rc[3] == 0);
    hocket_queue_free(s.q);
}
END_TEST

/* ---- rendezvous ---- */

static int meet(int index, void *arg)
{
    struct shared *s = arg;
    int value = index;
    if (index > 0) {
        AT(s, index - 1);
        s->rc[index] = index < 4 ? hocket_queue_put(s->q, &value, HOCKET_FOREVER)
                                 : hocket_queue_put(s->q, &value, hocket_after(2 * HOCKET_MS));
        if (index == 4)
            NEXT(s);
        return 0;
    }
    for (int i = 1; i < 4; i++) {
        MODE_WAIT_UNTIL(mode_parked(i));
        NEXT(s);
    }
    AT(s, 4);
    HK_EXPECT_EQ(s->rc[4], -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_queue_putters(s->q), 3);
    HK_EXPECT_EQ(hocket_queue_length(s->q), 0);
    for (int i = 1; i < 4; i++)
        HK_EXPECT_EQ(get(s->q), i);
    HK_EXPECT_EQ(hocket_queue_get(s->q, &value, HOCKET_NOW), -ETIMEDOUT);
    return 0;
}

START_TEST(rendezvous_of_putters)
{
    struct shared s = { .q = queue_make(sizeof(int), HOCKET_FIFO, HOCKET_RENDEZVOUS) };
    int value = 1;
    HK_EXPECT_EQ(hocket_queue_capacity(s.q), 0);
    HK_EXPECT(hocket_queue_empty(s.q) && hocket_queue_full(s.q));
    HK_EXPECT_EQ(hocket_queue_put(s.q, &value, HOCKET_NOW), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_queue_put(s.q, &value, hocket_after(HOCKET_MS)), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_queue_get(s.q, &value, HOCKET_NOW), -ETIMEDOUT);
    mode_run(_i, 5, meet, &s);
    HK_EXPECT(s.rc[1] == 0 && s.rc[2] == 0 && s.rc[3] == 0);
    HK_EXPECT_EQ(hocket_queue_close(s.q, HOCKET_CLOSE_NOW), 0);
    HK_EXPECT_EQ(hocket_queue_close(s.q, HOCKET_CLOSE_NOW), -EALREADY);
    HK_EXPECT_EQ(hocket_queue_put(s.q, &value, HOCKET_FOREVER), -EPIPE);
    HK_EXPECT_EQ(hocket_queue_get(s.q, &value, HOCKET_FOREVER), -EPIPE);
    hocket_queue_free(s.q);
}
END_TEST

static int turned_away(int index, void *arg)
{
    struct shared *s = arg;
    int value = index;
    if (index == 0) {
        MODE_WAIT_UNTIL(mode_parked(1) && mode_parked(2));
        return hocket_queue_close(s->q, HOCKET_CLOSE_DRAIN);
    }
    s->rc[index] = s->order ? hocket_queue_put(s->q, &value, HOCKET_FOREVER)
                            : hocket_queue_get(s->q, &value, HOCKET_FOREVER);
    return 0;
}

START_TEST(close_ends_every_wait)
{
    for (int order = HOCKET_FIFO; order <= HOCKET_PRIORITY; order++)
        for (int puts = 0; puts < 2; puts++)
            for (int meets = 0; meets < 2; meets++) {
                if (meets && order != HOCKET_FIFO)
                    continue;
                struct shared s = { .order = puts };
                s.q = queue_make(sizeof(int), order, meets ? HOCKET_RENDEZVOUS : 1);
                if (puts && !meets)
                    put(s.q, 1);
                mode_run(_i, 3, turned_away, &s);
                HK_EXPECT(s.rc[1] == -EPIPE && s.rc[2] == -EPIPE);
                HK_EXPECT_EQ(hocket_queue_length(s.q), puts && !meets);
                hocket_queue_free(s.q);
            }
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, last_in_first_out);
    tcase_add_test(tc, lowest_first_is_the_default);
    tcase_add_test(tc, highest_first_on_request);
    tcase_add_test(tc, a_comparison_of_ones_own);
    tcase_add_loop_test(tc, like_a_list, 0, 3);
    tcase_add_test(tc, without_bound);
    tcase_add_test(tc, values_are_dropped_in_order);
    MODE_TESTS(tc, getters_wait);
    MODE_TESTS(tc, putters_wait);
    MODE_TESTS(tc, putters_with_priority_wait);
    MODE_TESTS(tc, rendezvous_of_putters);
    MODE_TESTS(tc, close_ends_every_wait);
}

int main(void)
{
    return mode_main("queue_kinds", add);
}
