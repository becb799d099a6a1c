/* SPDX-License-Identifier: MIT */
/*
 * Timers that are moved and stopped while they are pending: called in the order of their last starts.
 * On a single thread, so none is called before all have been moved, and calls do not overtake each other.
 */
#include "support/suite.h"

#include <hocket/timer.h>

#define MANY   400
#define ROUNDS 4

static struct one {
    hocket_timer *timer;
    hocket_time when;
    int started; /* in this order; -1: not pending */
} all[MANY];

static const struct one *called[MANY];
static _Atomic int count; /* orders what was called */
static int starts;

static int note(hocket_timer *t, void *arg)
{
    const struct one *o = arg;
    HK_EXPECT(o->started >= 0 && o->timer == t);
    HK_EXPECT(hocket_now() >= o->when);
    HK_EXPECT(!hocket_timer_pending(t));
    called[count] = o;
    count++;
    return 0;
}

static void start(struct one *o, hocket_time when)
{
    o->when = when;
    o->started = starts++;
    HK_EXPECT_EQ(hocket_timer_start(o->timer, when), 0);
    HK_EXPECT(hocket_timer_pending(o->timer));
    HK_EXPECT_EQ(hocket_timer_next(o->timer), when);
}

static void stop(struct one *o)
{
    o->started = -1;
    HK_EXPECT_EQ(hocket_timer_stop(o->timer, HOCKET_FOREVER), 1);
    HK_EXPECT(!hocket_timer_pending(o->timer));
    HK_EXPECT_EQ(hocket_timer_next(o->timer), HOCKET_FOREVER);
}

/* All at one time; then most of them later, earlier, not at all, or at the same time once more. */
static int move_all(hocket_time when)
{
    int left = MANY;
    for (int i = 0; i < MANY; i++)
        start(&all[i], when);
    for (int i = MANY - 1; i >= 0; i--)
        switch (i % 8) {
        case 0: stop(&all[i]); break;
        case 1: start(&all[i], when + i % 3 * HOCKET_MS); break;
        case 2: start(&all[i], when - HOCKET_MS); break;
        case 3: stop(&all[i]), start(&all[i], when + HOCKET_MS); break;
        case 4: start(&all[i], when + HOCKET_SEC), start(&all[i], when); break;
        case 5: start(&all[i], when + HOCKET_SEC), stop(&all[i]); break;
        default: break;
        }
    for (int i = 0; i < MANY; i++)
        left -= all[i].started < 0;
    return left;
}

static int moved_body(void *arg)
{
    (void)arg;
    for (int i = 0; i < MANY; i++)
        HK_EXPECT_EQ(hocket_timer_new(&all[i].timer, note, &all[i]), 0);
    for (int round = 0; round < ROUNDS; round++) {
        int left = move_all(hocket_after(10 * HOCKET_MS));
        HK_EXPECT_EQ(count, 0);
        RUN_UNTIL(count == left);
        count = 0;
        for (int i = 1; i < left; i++) {
            const struct one *a = called[i - 1], *b = called[i];
            HK_EXPECT(a->when < b->when || (a->when == b->when && a->started < b->started));
        }
        for (int i = 0; i < MANY; i++)
            HK_EXPECT_EQ(hocket_timer_stop(all[i].timer, HOCKET_FOREVER), 0);
    }
    for (int i = 0; i < MANY; i++) {
        start(&all[i], hocket_after(3600 * HOCKET_SEC));
        if (i % 2 == 0)
            stop(&all[i]);
        hocket_timer_free(all[i].timer); /* with its entry, stopped or not */
    }
    return 0;
}
START_TEST(moved)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = HOCKET_NO_WORKERS;
    o.no_signals = true;
    o.quiet_watchdog = true;
    HK_EXPECT_EQ(hocket_run_with(moved_body, NULL, &o), 0);
}
END_TEST

SUITE("timer_moved", 30)
{
    tcase_add_test(suite__case, moved);
}
