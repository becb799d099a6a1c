/* SPDX-License-Identifier: MIT */
/* Tickers: the next tick, the same for all, missed ones counted; deadlines, cancel, close. */
#include <errno.h>
#include <hocket/scope.h>
#include <hocket/ticker.h>

#include "support/modes.h"

#include "base/atomic.h"

#define PERIOD HOCKET_MS

struct shared {
    hocket_ticker *t;
    hocket_time origin;
    _Atomic int step;
};

static int waits(int index, void *arg)
{
    struct shared *s = arg;
    uint64_t last = 0, missed = 7, before;
    for (int i = 0; i < 5; i++) {
        uint64_t now = hocket_ticker_count(s->t);
        before = last;
        HK_EXPECT_EQ(hocket_ticker_wait(s->t, &last, &missed, HOCKET_FOREVER), 0);
        HK_EXPECT(last > before && last > now);
        /* Not before its tick. */
        HK_EXPECT(hocket_now() >= s->origin + (hocket_time)last * PERIOD);
        HK_EXPECT_EQ(missed, before == 0 ? 0 : last - before - 1);
        if (index == 0 && i == 2) { /* busy over three ticks */
            MODE_WAIT_UNTIL(hocket_ticker_count(s->t) >= last + 3);
            before = last;
            HK_EXPECT_EQ(hocket_ticker_wait(s->t, &last, &missed, HOCKET_FOREVER), 0);
            HK_EXPECT(missed >= 3 && last == before + missed + 1);
        }
    }
    return 0;
}

START_TEST(next_and_missed)
{
    struct shared s = { .origin = hocket_now() };
    HK_EXPECT_EQ(hocket_ticker_new(&s.t, PERIOD), 0);
    mode_run(_i, 4, waits, &s);
    HK_EXPECT(hocket_ticker_count(s.t) >= 5);
    HK_EXPECT(hocket_ticker_next(s.t) >= s.origin + 6 * PERIOD);
    hocket_ticker_free(s.t);
    hocket_ticker_free(NULL);
}
END_TEST

static int ends(int index, void *arg)
{
    struct shared *s = arg;
    uint64_t last = 3, missed = 9;
    if (index == 0) {
        MODE_WAIT_UNTIL(mode_parked(1) && mode_parked(2));
        HK_EXPECT_EQ(hocket_ticker_wait(s->t, &last, &missed, HOCKET_NOW), -ETIMEDOUT);
        HK_EXPECT_EQ(hocket_ticker_wait(s->t, &last, &missed, hocket_after(HOCKET_MS)), -ETIMEDOUT);
        hocket_cancel(mode_task(1));
        MODE_WAIT_UNTIL(hk_load_acq(&s->step) == 1);
        hocket_ticker_close(s->t);
        HK_EXPECT_EQ(hocket_ticker_wait(s->t, NULL, NULL, HOCKET_FOREVER), -EPIPE);
    } else {
        int err = hocket_ticker_wait(s->t, &last, &missed, HOCKET_FOREVER);
        HK_EXPECT_EQ(err, index == 1 ? -ECANCELED : -EPIPE);
        (void)hk_add(&s->step, 1);
    }
    HK_EXPECT(last == 3 && missed == 9);
    return 0;
}

START_TEST(other_ends)
{
    struct shared s = { .origin = 0 };
    HK_EXPECT_EQ(hocket_ticker_new(&s.t, 0), -EINVAL);
    /* Longer than there is time, and than the test takes. */
    HK_EXPECT_EQ(hocket_ticker_new(&s.t, _i % 2 ? HOCKET_FOREVER : 3600 * HOCKET_SEC), 0);
    HK_EXPECT_EQ(hocket_ticker_count(s.t), 0);
    mode_run(_i, 3, ends, &s);
    hocket_ticker_free(s.t);
}
END_TEST

/* Without any record of the last tick. */
START_TEST(without_memory_of_the_last)
{
    hocket_ticker *t;
    uint64_t missed = 5, last = 1000000;
    HK_EXPECT_EQ(hocket_ticker_new(&t, 1), 0);
    HK_EXPECT_EQ(hocket_ticker_wait(t, NULL, &missed, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(missed, 0);
    HK_EXPECT_EQ(hocket_ticker_wait(t, NULL, NULL, HOCKET_FOREVER), 0);
    last = UINT64_MAX; /* of another ticker, perhaps */
    HK_EXPECT_EQ(hocket_ticker_wait(t, &last, &missed, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(missed, 0);
    hocket_ticker_free(t);
}
END_TEST

static void add(TCase *tc)
{
    MODE_TESTS(tc, next_and_missed);
    MODE_TESTS(tc, other_ends);
    tcase_add_test(tc, without_memory_of_the_last);
}

int main(void)
{
    return mode_main("ticker", add);
}
