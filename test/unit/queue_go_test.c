/* SPDX-License-Identifier: MIT */
/*
 * What Go's tests ask of its channels, asked of queues: blocking and not blocking at every capacity,
 * what a closed channel gives, order through many hands, the prime sieve, and fairness.
 *
 * A nil channel has no counterpart but in a select (a case that is disabled).  Closing twice or sending
 * on a closed channel panics there and is an error here.
 */
#include <errno.h>

#include "support/modes.h"
#include "support/queues.h"

#include "base/atomic.h"
#include "sys/sanitizer.h"

static hocket_queue *make(size_t capacity)
{
    return queue_make(sizeof(int), HOCKET_FIFO, capacity == 0 ? HOCKET_RENDEZVOUS : capacity);
}

struct shared {
    hocket_queue *q, *r, *chain[24];
    size_t capacity;
    _Atomic int step, sent, got[5];
    int first;
};

#define CAPACITIES 9 /* 0 .. 8, as Go's TestChan goes to 200 */

/* ---- each capacity ---- */

static int blocks(int index, void *arg)
{
    struct shared *s = arg;
    int value = -1;
    if (index == 1) { /* a receiver blocks on an empty channel */
        HK_EXPECT_EQ(hocket_queue_get(s->q, &value, HOCKET_FOREVER), 0);
        HK_EXPECT_EQ(value, 1);
        hk_store_rel(&s->step, 1);
        MODE_WAIT_UNTIL(hk_load_acq(&s->step) == 2);
        HK_EXPECT_EQ(hocket_queue_put(s->q, &value, HOCKET_FOREVER),
                     0); /* and a sender on a full one */
        hk_store_rel(&s->step, 3);
        return 0;
    }
    HK_EXPECT_EQ(hocket_queue_get(s->q, &value, HOCKET_NOW), -ETIMEDOUT);
    MODE_WAIT_UNTIL(mode_parked(1));
    value = 1;
    HK_EXPECT_EQ(hocket_queue_put(s->q, &value, HOCKET_FOREVER), 0);
    MODE_WAIT_UNTIL(hk_load_acq(&s->step) == 1);
    for (size_t i = 0; i < s->capacity; i++)
        HK_EXPECT_EQ(hocket_queue_put(s->q, &value, HOCKET_NOW), 0);
    HK_EXPECT_EQ(hocket_queue_put(s->q, &value, HOCKET_NOW), -ETIMEDOUT);
    hk_store_rel(&s->step, 2);
    MODE_WAIT_UNTIL(mode_parked(1));
    HK_EXPECT_EQ(hk_load(&s->step), 2);
    for (size_t i = 0; i <= s->capacity; i++)
        HK_EXPECT_EQ(hocket_queue_get(s->q, &value, HOCKET_FOREVER), 0);
    MODE_WAIT_UNTIL(hk_load_acq(&s->step) == 3);
    /* closed: what is in it comes out, then nothing, for as often as one asks */
    for (size_t i = 0; i < s->capacity; i++)
        HK_EXPECT_EQ(hocket_queue_put(s->q, &value, HOCKET_NOW), 0);
    HK_EXPECT_EQ(hocket_queue_close(s->q, HOCKET_CLOSE_DRAIN), 0);
    for (size_t i = 0; i < s->capacity; i++)
        HK_EXPECT_EQ(hocket_queue_get(s->q, &value, HOCKET_FOREVER), 0);
    for (int i = 0; i < 3; i++) {
        HK_EXPECT_EQ(hocket_queue_get(s->q, &value, HOCKET_FOREVER), -EPIPE);
        HK_EXPECT_EQ(hocket_queue_get(s->q, &value, HOCKET_NOW), -EPIPE);
        HK_EXPECT_EQ(hocket_queue_put(s->q, &value, HOCKET_FOREVER), -EPIPE);
        HK_EXPECT_EQ(hocket_queue_close(s->q, HOCKET_CLOSE_DRAIN), -EALREADY);
    }
    return 0;
}

START_TEST(blocks_when_empty_or_full)
{
    for (size_t capacity = 0; capacity < CAPACITIES; capacity++) {
        struct shared s = { .q = make(capacity), .capacity = capacity };
        mode_run(_i, 2, blocks, &s);
        hocket_queue_free(s.q);
    }
}
END_TEST

/* ---- several senders and receivers ---- */

#define SENDERS 2
#define EACH    100

static int many(int index, void *arg)
{
    struct shared *s = arg;
    int value, err;
    if (index < SENDERS) {
        for (value = 0; value < EACH; value++)
            HK_EXPECT_EQ(hocket_queue_put(s->q, &value, HOCKET_FOREVER), 0);
        if (hk_add(&s->sent, 1) == SENDERS - 1)
            HK_EXPECT_EQ(hocket_queue_close(s->q, HOCKET_CLOSE_DRAIN), 0);
        return 0;
    }
    while ((err = hocket_queue_get(s->q, &value, HOCKET_FOREVER)) == 0)
        (void)hk_add(&s->got[value % 5], 1);
    HK_EXPECT_EQ(err, -EPIPE);
    return 0;
}

START_TEST(every_value_as_often_as_it_was_sent)
{
    for (size_t capacity = 0; capacity < CAPACITIES; capacity += 2) {
        struct shared s = { .q = make(capacity) };
        mode_run(_i, SENDERS + 3, many, &s);
        for (int i = 0; i < 5; i++)
            HK_EXPECT_EQ(hk_load(&s.got[i]), SENDERS * EACH / 5);
        hocket_queue_free(s.q);
    }
}
END_TEST

/* ---- a value and a close right after it: who only tries sees the value first ---- */

static int race(int index, void *arg)
{
    struct shared *s = arg;
    int value = 1, err;
    for (int round = 0; round < 24; round++) {
        hocket_queue *q = s->chain[round];
        if (index == 0) {
            HK_EXPECT_EQ(hocket_queue_put(q, &value, HOCKET_NOW), 0);
            HK_EXPECT_EQ(hocket_queue_close(q, HOCKET_CLOSE_DRAIN), 0);
        } else {
            while ((err = hocket_queue_get(q, &value, HOCKET_NOW)) == -ETIMEDOUT)
                mode_yield();
            HK_EXPECT_EQ(err, 0);
        }
    }
    return 0;
}

START_TEST(nonblocking_receive_races_with_close)
{
    struct shared s = { .step = 0 };
    for (int turn = 0; turn < 20; turn++) {
        for (int i = 0; i < 24; i++)
            s.chain[i] = make(1);
        mode_run(_i, 2, race, &s);
        for (int i = 0; i < 24; i++)
            hocket_queue_free(s.chain[i]);
    }
}
END_TEST

/* ---- through many hands, in order ---- */

#define HANDS 8

static int hand_on(int index, void *arg)
{
    struct shared *s = arg;
    int value, expected = 0, err;
    if (index == 0) {
        for (value = 0; value < 50; value++)
            HK_EXPECT_EQ(hocket_queue_put(s->chain[0], &value, HOCKET_FOREVER), 0);
        return hocket_queue_close(s->chain[0], HOCKET_CLOSE_DRAIN);
    }
    while ((err = hocket_queue_get(s->chain[index - 1], &value, HOCKET_FOREVER)) == 0) {
        HK_EXPECT_EQ(value, expected++);
        if (index < HANDS)
            HK_EXPECT_EQ(hocket_queue_put(s->chain[index], &value, HOCKET_FOREVER), 0);
    }
    HK_EXPECT(err == -EPIPE && expected == 50);
    return index < HANDS ? hocket_queue_close(s->chain[index], HOCKET_CLOSE_DRAIN) : 0;
}

START_TEST(in_order_through_many_hands)
{
    for (size_t capacity = 0; capacity < 3; capacity++) {
        struct shared s = { .step = 0 };
        for (int i = 0; i < HANDS; i++)
            s.chain[i] = make(capacity);
        mode_run(_i, HANDS + 1, hand_on, &s);
        for (int i = 0; i < HANDS; i++)
            hocket_queue_free(s.chain[i]);
    }
}
END_TEST

/* ---- the sieve: each stage keeps the first number it sees and strikes out its multiples ---- */

#define PRIMES 16

static int sieve(int index, void *arg)
{
    struct shared *s = arg;
    int value, prime, err = 0;
    if (index == 0) {
        for (value = 2; err == 0; value++)
            err = hocket_queue_put(s->chain[0], &value, HOCKET_FOREVER);
        HK_EXPECT_EQ(err, -EPIPE);
        return 0;
    }
    HK_EXPECT_EQ(hocket_queue_get(s->chain[index - 1], &prime, HOCKET_FOREVER), 0);
    static const int primes[PRIMES] = {
        2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53
    };
    HK_EXPECT_EQ(prime, primes[index - 1]);
    while (index < PRIMES && err == 0 &&
           (err = hocket_queue_get(s->chain[index - 1], &value, HOCKET_FOREVER)) == 0)
        if (value % prime != 0)
            err = hocket_queue_put(s->chain[index], &value, HOCKET_FOREVER);
    /* Enough: the end goes back from stage to stage. */
    (void)hocket_queue_close(s->chain[index - 1], HOCKET_CLOSE_NOW);
    return 0;
}

START_TEST(prime_sieve)
{
    for (size_t capacity = 0; capacity < 3; capacity++) {
        struct shared s = { .step = 0 };
        for (int i = 0; i < PRIMES; i++)
            s.chain[i] = make(capacity);
        mode_run(_i, PRIMES + 1, sieve, &s);
        for (int i = 0; i < PRIMES; i++)
            hocket_queue_free(s.chain[i]);
    }
}
END_TEST

/* ---- fairness: those who wait again and again have their turns in turn ---- */

#define RIVALS 4
#define ROUNDS 20

static int rival(int index, void *arg)
{
    struct shared *s = arg;
    int value = index, turn[RIVALS] = { 0 };
    if (index > 0) {
        for (int i = 0; i < ROUNDS; i++) {
            int err = s->first ? hocket_queue_get(s->q, &value, HOCKET_FOREVER)
                               : hocket_queue_put(s->q, &value, HOCKET_FOREVER);
            HK_EXPECT_EQ(err, 0);
            if (s->first)
                HK_EXPECT_EQ(hocket_queue_put(s->r, &index, HOCKET_FOREVER), 0);
        }
        return 0;
    }
    for (int i = 0; i < RIVALS * ROUNDS; i++) {
        int waiting = RIVALS; /* in the last round they become fewer */
        if (i > RIVALS * (ROUNDS - 1))
            waiting = RIVALS * ROUNDS - i;
        if (s->first) {
            MODE_WAIT_UNTIL(hocket_queue_getters(s->q) == (size_t)waiting);
            HK_EXPECT_EQ(hocket_queue_put(s->q, &value, HOCKET_NOW), 0);
            HK_EXPECT_EQ(hocket_queue_get(s->r, &value, HOCKET_FOREVER), 0);
        } else {
            MODE_WAIT_UNTIL(hocket_queue_putters(s->q) == (size_t)waiting);
            HK_EXPECT_EQ(hocket_queue_get(s->q, &value, HOCKET_NOW), 0);
        }
        if (i < RIVALS)
            turn[i] = value;
        HK_EXPECT_EQ(value, turn[i % RIVALS]);
    }
    return 0;
}

START_TEST(in_turn)
{
    for (int gets = 0; gets < 2; gets++) {
        struct shared s = { .q = make(0), .r = make(1), .first = gets };
        mode_run(_i, RIVALS + 1, rival, &s);
        hocket_queue_free(s.q);
        hocket_queue_free(s.r);
    }
}
END_TEST

/* ---- no growth: many calls that cannot be done at once leave nothing behind ---- */

START_TEST(no_growth)
{
    hocket_queue *q = make(1);
    int value = 1, turns = HOCKET_ASAN || HOCKET_TSAN ? 2000 : 200000;
    for (int i = 0; i < turns; i++) {
        HK_EXPECT_EQ(hocket_queue_get(q, &value, HOCKET_NOW), -ETIMEDOUT);
        HK_EXPECT_EQ(hocket_queue_put(q, &value, HOCKET_NOW), 0);
        HK_EXPECT_EQ(hocket_queue_put(q, &value, 1), -ETIMEDOUT);
        HK_EXPECT_EQ(hocket_queue_get(q, &value, HOCKET_NOW), 0);
    }
    HK_EXPECT_EQ(hocket_queue_getters(q) + hocket_queue_putters(q), 0);
    hocket_queue_free(q);
}
END_TEST

static void add(TCase *tc)
{
    MODE_TESTS(tc, blocks_when_empty_or_full);
    MODE_TESTS(tc, every_value_as_often_as_it_was_sent);
    MODE_TESTS(tc, nonblocking_receive_races_with_close);
    MODE_TESTS(tc, in_order_through_many_hands);
    MODE_TESTS(tc, prime_sieve);
    MODE_TESTS(tc, in_turn);
    tcase_add_test(tc, no_growth);
}

int main(void)
{
    return mode_main("queue_go", add);
}
