/* SPDX-License-Identifier: MIT */
/*
 * The delay queue and the broadcast when exactly the n-th wait of a condition is cancelled, or the
 * n-th call has a deadline that passes at once, for every n: nothing lost, nobody left behind.
 */
#include <errno.h>
#include <hocket/broadcast.h>
#include <hocket/delay_queue.h>
#include <hocket/hooks.h>
#include <hocket/scope.h>

#include "support/modes.h"

#include "base/atomic.h"

#define WRITERS 2
#define READERS 2
#define TASKS   (WRITERS + READERS)
#define EACH    5

struct swept {
    hocket_delay_queue *delayed;
    hocket_broadcast *broadcast; /* one of the two */
    hocket_reader *readers[READERS];
    bool by_deadline;
    int target; /* which wait; 0 = none */
    _Atomic int waits, struck, writing;
    hocket_scope *scopes[TASKS]; /* each written and read by its own task */
    _Atomic int got[WRITERS * EACH];
};

static struct swept s;

static void on_park(hocket_task *task, const char *kind, const void *object, void *context)
{
    (void)object;
    (void)context;
    for (int i = 0; i < TASKS; i++)
        if (mode_task(i) == task && strcmp(kind, "cond") == 0 &&
            hk_add(&s.waits, 1) + 1 == s.target && s.scopes[i] != NULL)
            hocket_scope_cancel(s.scopes[i]);
}

static int call(int index, int *value, hocket_time deadline)
{
    uint64_t missed = 0;
    int err;
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

/* What has been struck is repeated. */
static int operate(int index, int *value)
{
    for (;;) {
        hocket_scope scope;
        hocket_time deadline = HOCKET_FOREVER;
        hocket_scope_open(&scope, NULL);
        s.scopes[index] = &scope;
        if (s.by_deadline && hk_add(&s.waits, 1) + 1 == s.target)
            deadline = hocket_now() + 1;
        int err = call(index, value, deadline);
        s.scopes[index] = NULL;
        HK_EXPECT_EQ(hocket_scope_close(&scope), 0);
        if (err == 0 || err == -EPIPE)
            return err;
        HK_EXPECT_EQ(err, s.by_deadline ? -ETIMEDOUT : -ECANCELED);
        (void)hk_add(&s.struck, 1);
    }
}

static int body(int index, void *arg)
{
    int value;
    (void)arg;
    if (index < WRITERS) {
        for (int i = 0; i < EACH; i++) {
            value = index * EACH + i;
            HK_EXPECT_EQ(operate(index, &value), 0);
        }
        if (hk_sub(&s.writing, 1) != 1)
            return 0;
        return s.delayed != NULL ? hocket_delay_queue_close(s.delayed, HOCKET_CLOSE_DRAIN)
                                 : hocket_broadcast_close(s.broadcast);
    }
    while (operate(index, &value) == 0)
        (void)hk_add(&s.got[value], 1);
    return 0;
}

static void once(int mode, bool delays, int target, bool by_deadline)
{
    memset(&s, 0, sizeof s);
    s.target = target;
    s.by_deadline = by_deadline;
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
    hocket_hooks h = HOCKET_HOOKS_DEFAULT;
    h.park = on_park;
    if (!by_deadline)
        HK_EXPECT_EQ(hocket_hooks_set(&h, NULL), 0);
    for (int delays = 0; delays < 2; delays++) {
        int struck = 0;
        for (int target = 0; target < 30; target++) {
            once(mode, delays, target, by_deadline);
            struck += hk_load(&s.struck);
        }
        HK_EXPECT(mode != MODE_FIBERS_1 || by_deadline || struck > 3); /* others depend on timing */
    }
    HK_EXPECT_EQ(hocket_hooks_set(NULL, NULL), 0);
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
