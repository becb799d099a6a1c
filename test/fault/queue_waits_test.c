/* SPDX-License-Identifier: MIT */
/*
 * Queues of every form when exactly the n-th wait is cancelled, or the n-th call times out, for every n:
 * no value lost or doubled, no wake-up eaten.
 */
#include "support/queues.h"
#include "support/waits.h"

#define PUTTERS 2
#define GETTERS 2
#define TASKS   (PUTTERS + GETTERS)
#define EACH    6

enum form { RING, LIFO, SORTED, RENDEZVOUS, MANY, FORMS };

struct swept {
    hocket_queue *q;
    enum form form;
    _Atomic int putting;
    _Atomic int got[PUTTERS][EACH];
};

static struct swept s;

static bool of_the_queue(const char *kind, const void *object)
{
    (void)kind;
    return object == s.q;
}

static int join(int index, void *arg, hocket_time deadline)
{
    (void)index;
    (void)arg;
    return hocket_queue_join(s.q, deadline);
}

static int put(int index, void *value, hocket_time deadline)
{
    (void)index;
    if (s.form == SORTED)
        return hocket_queue_put_with(s.q, value, *(int *)value, deadline);
    if (s.form != MANY)
        return hocket_queue_put(s.q, value, deadline);
    int n = (int)hocket_queue_put_many(s.q, value, 1, deadline);
    return n == 1 ? 0 : n;
}

static int get(int index, void *ret_value, hocket_time deadline)
{
    (void)index;
    if (s.form != MANY)
        return hocket_queue_get(s.q, ret_value, deadline);
    int n = (int)hocket_queue_get_many(s.q, ret_value, 1, deadline);
    return n == 1 ? 0 : n;
}

static int body(int index, void *arg)
{
    (void)arg;
    if (index < PUTTERS) {
        for (int i = 0; i < EACH; i++) {
            int value = index * EACH + i;
            HK_EXPECT_EQ(waits_repeat(index, put, &value), 0);
            if (i % 3 == 2)
                mode_yield();
        }
        if (hk_sub(&s.putting, 1) != 1)
            return 0;
        HK_EXPECT_EQ(waits_repeat(index, join, NULL), 0); /* nobody puts any more */
        for (int i = 0; i < PUTTERS * EACH; i++)
            HK_EXPECT_EQ(hk_load(&s.got[i / EACH][i % EACH]), 1);
        return hocket_queue_close(s.q, HOCKET_CLOSE_DRAIN);
    }
    int value, last[PUTTERS] = { -1, -1 };
    while (waits_repeat(index, get, &value) == 0) {
        int from = value / EACH, number = value % EACH;
        HK_EXPECT(from >= 0 && from < PUTTERS);
        HK_EXPECT(number > last[from] || s.form == LIFO || s.form == SORTED);
        last[from] = number;
        (void)hk_add(&s.got[from][number], 1);
        HK_EXPECT_EQ(hocket_queue_task_done(s.q), 0);
    }
    return 0;
}

static void once(int mode, int form)
{
    memset(&s, 0, sizeof s);
    s.form = (enum form)form;
    hk_store(&s.putting, PUTTERS);
    s.q = queue_make(sizeof(int),
                     form == LIFO     ? HOCKET_LIFO
                     : form == SORTED ? HOCKET_PRIORITY
                                      : HOCKET_FIFO,
                     form == RENDEZVOUS ? HOCKET_RENDEZVOUS : 1);
    mode_run(mode, TASKS, body, NULL);
    for (int p = 0; p < PUTTERS; p++)
        for (int i = 0; i < EACH; i++)
            HK_EXPECT_EQ(hk_load(&s.got[p][i]), 1);
    HK_EXPECT_EQ(hocket_queue_getters(s.q) + hocket_queue_putters(s.q), 0);
    hocket_queue_free(s.q);
}

static void sweep(int mode, bool by_deadline)
{
    waits_counted = of_the_queue;
    for (int form = RING; form < FORMS; form++)
        waits_sweep(mode, by_deadline, TASKS, 40, once, form);
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
    return mode_main("queue_waits", add);
}
