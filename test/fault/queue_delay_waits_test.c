/* SPDX-License-Identifier: MIT */
/*
 * The delay queue and the broadcast when exactly the n-th wait of a condition is cancelled, or the
 * n-th call has a deadline that passes at once, for every n: nothing lost, nobody left behind.
 */
#include <hocket/broadcast.h>
#include <hocket/delay_queue.h>

#include "support/waits.h"

#define WRITERS 2
#define READERS 2
#define TASKS   (WRITERS + READERS)
#define EACH    5

struct swept {
    hocket_delay_queue *delayed;
    hocket_broadcast *broadcast; /* one of the two */
    hocket_reader *readers[READERS];
    _Atomic int writing;
    _Atomic int got[WRITERS * EACH];
};

static struct swept s;

static bool of_a_cond(const char *kind, const void *object)
{
    (void)object;
    return strcmp(kind, "cond") == 0;
}

static int call(int index, void *arg, hocket_time deadline)
{
    uint64_t missed = 0;
    int *value = arg, err;
    if (s.delayed != NULL)
        return index < WRITERS
                   ? hocket_delay_queue_put(s.delayed, value,
                                            hocket_after(*value % 3 * 20 * HOCKET_US), deadline)
                   : hocket_delay_queue_get(s.delayed, value, deadline);
    if (index < WRITERS)
        return hocket_broadcast_put(s.broadcast, value, deadline);
    err = hocket_reader_get(s.readers[index - WRITERS], value, &missed, deadline);
    HK_EXPECT_EQ(missed, 0);
    return err;
}

static int body(int index, void *arg)
{
    int value;
    (void)arg;
    if (index < WRITERS) {
        for (int i = 0; i < EACH; i++) {
            value = index * EACH + i;
            HK_EXPECT_EQ(waits_repeat(index, call, &value), 0);
        }
        if (hk_sub(&s.writing, 1) != 1)
            return 0;
        return s.delayed != NULL ? hocket_delay_queue_close(s.delayed, HOCKET_CLOSE_DRAIN)
                                 : hocket_broadcast_close(s.broadcast);
    }
    while (waits_repeat(index, call, &value) == 0)
        (void)hk_add(&s.got[value], 1);
    return 0;
}

static void once(int mode, int delays)
{
    memset(&s, 0, sizeof s);
    hk_store(&s.writing, WRITERS);
    if (delays) {
        hocket_delay_queue_options o = HOCKET_DELAY_QUEUE_OPTIONS_DEFAULT;
        o.capacity = 1;
        HK_EXPECT_EQ(hocket_delay_queue_new(&s.delayed, sizeof(int), &o), 0);
    } else {
        hocket_broadcast_options o = HOCKET_BROADCAST_OPTIONS_DEFAULT;
        o.capacity = 1;
        HK_EXPECT_EQ(hocket_broadcast_new(&s.broadcast, sizeof(int), &o), 0);
        for (int i = 0; i < READERS; i++)
            HK_EXPECT_EQ(hocket_broadcast_subscribe(s.broadcast, &s.readers[i]), 0);
    }
    mode_run(mode, TASKS, body, NULL);
    for (int i = 0; i < WRITERS * EACH; i++)
        HK_EXPECT_EQ(hk_load(&s.got[i]), delays ? 1 : READERS);
    for (int i = 0; i < READERS; i++)
        hocket_reader_free(s.readers[i]);
    hocket_broadcast_free(s.broadcast);
    hocket_delay_queue_free(s.delayed);
}

static void sweep(int mode, bool by_deadline)
{
    waits_counted = of_a_cond;
    for (int delays = 0; delays < 2; delays++)
        waits_sweep(mode, by_deadline, TASKS, 30, once, delays);
}

START_TEST(cancel_at_the_nth_wait)
{
    sweep(_i, false);
}
END_TEST

START_TEST(deadline_at_the_nth_wait)
{
    sweep(_i, true);
}
END_TEST

static void add(TCase *tc)
{
    tcase_set_timeout(tc, 120);
    MODE_TESTS(tc, cancel_at_the_nth_wait);
    MODE_TESTS(tc, deadline_at_the_nth_wait);
}

int main(void)
{
    return mode_main("queue_delay_waits", add);
}
