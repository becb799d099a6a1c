/* SPDX-License-Identifier: MIT */
/* The broadcast: every reader sees every value, or is told how many it missed. */
#include <errno.h>
#include <hocket/broadcast.h>
#include <hocket/scope.h>

#include "support/death.h"
#include "support/modes.h"

#include "base/atomic.h"

static hocket_broadcast *make(size_t capacity, int lag)
{
    hocket_broadcast *b = NULL;
    hocket_broadcast_options o = HOCKET_BROADCAST_OPTIONS_DEFAULT;
    o.capacity = capacity;
    o.lag = lag;
    HK_EXPECT_EQ(hocket_broadcast_new(&b, sizeof(int), &o), 0);
    return b;
}

static hocket_reader *subscribe(hocket_broadcast *b)
{
    hocket_reader *r = NULL;
    HK_EXPECT_EQ(hocket_broadcast_subscribe(b, &r), 0);
    return r;
}

static void put(hocket_broadcast *b, int value)
{
    HK_EXPECT_EQ(hocket_broadcast_put(b, &value, HOCKET_NOW), 0);
}

static int get(hocket_reader *r, uint64_t expected_missed)
{
    int value = -1;
    uint64_t missed = 99;
    HK_EXPECT_EQ(hocket_reader_get(r, &value, &missed, HOCKET_NOW), 0);
    HK_EXPECT_EQ(missed, expected_missed);
    return value;
}

START_TEST(everybody_sees_everything)
{
    hocket_broadcast *b = make(3, HOCKET_LAG_BLOCK);
    int value = 9;
    put(b, 0); /* for nobody: gone, and no wait */
    put(b, 0);
    put(b, 0);
    put(b, 0);
    hocket_reader *r = subscribe(b), *late;
    HK_EXPECT_EQ(hocket_reader_get(r, &value, NULL, HOCKET_NOW), -ETIMEDOUT);
    put(b, 1);
    put(b, 2);
    late = subscribe(b);
    HK_EXPECT_EQ(hocket_broadcast_readers(b), 2);
    put(b, 3);
    HK_EXPECT_EQ(hocket_reader_pending(r), 3);
    HK_EXPECT_EQ(hocket_reader_pending(late), 1);
    HK_EXPECT_EQ(hocket_broadcast_put(b, &value, HOCKET_NOW), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_broadcast_put(b, &value, hocket_after(HOCKET_US)), -ETIMEDOUT);
    HK_EXPECT_EQ(get(late, 0), 3);
    HK_EXPECT_EQ(hocket_broadcast_put(b, &value, HOCKET_NOW), -ETIMEDOUT); /* the other one */
    HK_EXPECT_EQ(get(r, 0), 1);
    put(b, 4);
    for (int i = 2; i < 5; i++)
        HK_EXPECT_EQ(get(r, 0), i);
    HK_EXPECT_EQ(get(late, 0), 4);
    hocket_reader_free(r);
    put(b, 5);
    HK_EXPECT_EQ(hocket_broadcast_close(b), 0);
    HK_EXPECT_EQ(hocket_broadcast_close(b), -EALREADY);
    HK_EXPECT_EQ(hocket_broadcast_put(b, &value, HOCKET_FOREVER), -EPIPE);
    HK_EXPECT_EQ(hocket_broadcast_subscribe(b, &r), -EPIPE);
    HK_EXPECT_EQ(get(late, 0), 5);
    HK_EXPECT_EQ(hocket_reader_get(late, &value, NULL, HOCKET_FOREVER), -EPIPE);
    hocket_reader_free(late);
    hocket_reader_free(NULL);
    HK_EXPECT_EQ(hocket_broadcast_readers(b), 0);
    hocket_broadcast_free(b);
    hocket_broadcast_free(NULL);
}
END_TEST

START_TEST(slow_readers_are_told)
{
    hocket_broadcast *b = make(4, HOCKET_LAG_DROP_OLDEST);
    hocket_reader *fast = subscribe(b), *slow = subscribe(b);
    for (int i = 0; i < 10; i++) {
        put(b, i);
        HK_EXPECT_EQ(get(fast, 0), i);
    }
    HK_EXPECT_EQ(hocket_reader_pending(slow), 4);
    HK_EXPECT_EQ(get(slow, 6), 6);
    HK_EXPECT_EQ(get(slow, 0), 7);
    put(b, 10);
    put(b, 11);
    put(b, 12);
    HK_EXPECT_EQ(get(slow, 1), 9);
    hocket_reader_free(fast);
    hocket_reader_free(slow);
    hocket_broadcast_free(b);
}
END_TEST

START_TEST(nonsense)
{
    hocket_broadcast *b = NULL;
    hocket_broadcast_options o = HOCKET_BROADCAST_OPTIONS_DEFAULT;
    HK_EXPECT_EQ(hocket_broadcast_new(&b, 0, NULL), -EINVAL);
    o.lag = 2;
    HK_EXPECT_EQ(hocket_broadcast_new(&b, 1, &o), -EINVAL);
    o.lag = 0;
    o.size = 3;
    HK_EXPECT_EQ(hocket_broadcast_new(&b, 1, &o), -EINVAL);
    o.size = 0;
    o.capacity = SIZE_MAX / 2;
    HK_EXPECT_EQ(hocket_broadcast_new(&b, 4, &o), -EINVAL);
    HK_EXPECT(b == NULL);
}
END_TEST

static void *nothing(size_t size, void *context)
{
    (void)size;
    return *(bool *)context ? NULL : malloc(size);
}

START_TEST(no_memory)
{
    bool none = true;
    hocket_allocator a = { nothing, NULL, NULL, &none };
    hocket_broadcast *b = NULL;
    hocket_reader *r = NULL;
    HK_EXPECT_EQ(hocket_set_allocator(&a), 0);
    HK_EXPECT_EQ(hocket_broadcast_new(&b, 4, NULL), -ENOMEM);
    none = false;
    b = make(2, HOCKET_LAG_BLOCK);
    none = true;
    HK_EXPECT_EQ(hocket_broadcast_subscribe(b, &r), -ENOMEM);
    HK_EXPECT(r == NULL && hocket_broadcast_readers(b) == 0);
    none = false;
    hocket_broadcast_free(b);
}
END_TEST

#define READERS 3
#define WRITERS 2
#define EACH    200

struct shared {
    hocket_broadcast *b;
    hocket_reader *readers[READERS];
    int lag, rc[4];
    _Atomic int writing, step;
};

static int flow(int index, void *arg)
{
    struct shared *s = arg;
    if (index < WRITERS) {
        for (int i = 0; i < EACH; i++) {
            int value = index * EACH + i;
            HK_EXPECT_EQ(hocket_broadcast_put(s->b, &value, HOCKET_FOREVER), 0);
        }
        if (hk_sub(&s->writing, 1) == 1)
            HK_EXPECT_EQ(hocket_broadcast_close(s->b), 0);
        return 0;
    }
    hocket_reader *r = s->readers[index - WRITERS];
    int last[WRITERS] = { -1, -1 }, value, err;
    uint64_t got = 0, missed = 0, now;
    while ((err = hocket_reader_get(r, &value, &now, HOCKET_FOREVER)) == 0) {
        int from = value / EACH;
        HK_EXPECT(value % EACH > last[from]);
        last[from] = value % EACH;
        got++;
        missed += now;
    }
    HK_EXPECT_EQ(err, -EPIPE);
    HK_EXPECT_EQ(got + missed, WRITERS * EACH);
    HK_EXPECT(s->lag == HOCKET_LAG_DROP_OLDEST || missed == 0);
    return 0;
}

START_TEST(all_come_through)
{
    static const size_t capacities[] = { 1, 3, 64 };
    for (int c = 0; c < 3; c++)
        for (int lag = 0; lag < 2; lag++) {
            struct shared s = { .b = make(capacities[c], lag), .lag = lag };
            hk_store(&s.writing, WRITERS);
            for (int i = 0; i < READERS; i++)
                s.readers[i] = subscribe(s.b);
            mode_run(_i, WRITERS + READERS, flow, &s);
            for (int i = 0; i < READERS; i++)
                hocket_reader_free(s.readers[i]);
            hocket_broadcast_free(s.b);
        }
}
END_TEST

/* Two putters wait for one slow reader, one of them is cancelled; the reader goes away. */
static int slow(int index, void *arg)
{
    struct shared *s = arg;
    if (index > 0) {
        s->rc[index] = hocket_broadcast_put(s->b, &index, HOCKET_FOREVER);
        return 0;
    }
    MODE_WAIT_UNTIL(mode_parked(1) && mode_parked(2));
    hocket_cancel(mode_task(1));
    hocket_reader_free(s->readers[0]);
    return 0;
}

START_TEST(a_reader_that_goes_away)
{
    struct shared s = { .b = make(1, HOCKET_LAG_BLOCK) };
    s.readers[0] = subscribe(s.b);
    put(s.b, 0);
    mode_run(_i, 3, slow, &s);
    HK_EXPECT(s.rc[1] == -ECANCELED && s.rc[2] == 0);
    hocket_broadcast_free(s.b);
}
END_TEST

static int waits(int index, void *arg)
{
    struct shared *s = arg;
    int value = 0;
    if (index > 0) {
        s->rc[index] = index == 1 ? hocket_reader_get(s->readers[0], &value, NULL, HOCKET_FOREVER)
                                  : hocket_broadcast_put(s->b, &value, HOCKET_FOREVER);
        return 0;
    }
    MODE_WAIT_UNTIL(mode_parked(1) && mode_parked(2));
    return hocket_broadcast_close(s->b);
}

START_TEST(close_ends_every_wait)
{
    struct shared s = { .b = make(1, HOCKET_LAG_BLOCK) };
    s.readers[1] = subscribe(s.b); /* never reads */
    put(s.b, 1);
    s.readers[0] = subscribe(s.b);
    mode_run(_i, 3, waits, &s);
    HK_EXPECT(s.rc[1] == -EPIPE && s.rc[2] == -EPIPE);
    hocket_reader_free(s.readers[0]);
    hocket_reader_free(s.readers[1]);
    hocket_broadcast_free(s.b);
}
END_TEST

static int free_under(int index, void *arg)
{
    struct shared *s = arg;
    int value;
    if (index > 0)
        return hocket_reader_get(s->readers[0], &value, NULL, HOCKET_FOREVER);
    MODE_WAIT_UNTIL(mode_parked(1));
    hocket_reader_free(s->readers[0]);
    return 0;
}

static void free_reader_in_use(void *arg)
{
    struct shared s = { .b = make(1, HOCKET_LAG_BLOCK) };
    (void)arg;
    s.readers[0] = subscribe(s.b);
    mode_run(MODE_FIBERS_1, 2, free_under, &s);
}

static void free_with_readers(void *arg)
{
    hocket_broadcast *b = make(1, HOCKET_LAG_BLOCK);
    (void)arg;
    (void)subscribe(b);
    hocket_broadcast_free(b);
}

START_TEST(free_in_use_panics)
{
    death_by_signal(free_reader_in_use, NULL, SIGABRT, "hocket_reader_free: ");
    death_by_signal(free_with_readers, NULL, SIGABRT, "has 1 readers");
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, everybody_sees_everything);
    tcase_add_test(tc, slow_readers_are_told);
    tcase_add_test(tc, nonsense);
    tcase_add_test(tc, no_memory);
    MODE_TESTS(tc, all_come_through);
    MODE_TESTS(tc, a_reader_that_goes_away);
    MODE_TESTS(tc, close_ends_every_wait);
    tcase_add_test(tc, free_in_use_panics);
}

int main(void)
{
    return mode_main("queue_broadcast", add);
}
