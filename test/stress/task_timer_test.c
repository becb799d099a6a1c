/* SPDX-License-Identifier: MIT */
/*
 * 1,000,000 timers pending: in order, none early, each once; of those that are stopped none comes.  And
 * chaos: timers that anybody starts, stops and frees at any time, from callbacks too.
 */
#include "support/suite.h"

#include <errno.h>
#include <hocket/mutex.h>
#include <hocket/timer.h>

#include "support/seeded.h"

struct one {
    hocket_timer *timer;
    hocket_time when;
    _Atomic int calls;
    bool stopped;
};

static struct one *all;
static int total;
static _Atomic int came, early, late_after_stop, disorder;
static hocket_time newest;
static bool in_time; /* none was due before all were started */

static int counted(hocket_timer *t, void *arg)
{
    struct one *o = arg;
    (void)t;
    if (hocket_now() < o->when)
        (void)hk_add(&early, 1);
    if (o->stopped)
        (void)hk_add(&late_after_stop, 1);
    if (o->when < newest) /* no other thread: one callback at a time */
        (void)hk_add(&disorder, 1);
    newest = o->when;
    (void)hk_add(&o->calls, 1);
    (void)hk_add(&came, 1);
    return 0;
}

static int million(void *arg)
{
    struct seeded r = seeded_of(*(uint64_t *)arg, 0);
    int stopped = 0;
    hocket_time spread = 500 * HOCKET_MS, begin = hocket_after(2 * HOCKET_SEC);
    for (int i = 0; i < total; i++) {
        struct one *o = &all[i];
        HK_EXPECT_EQ(hocket_timer_new(&o->timer, counted, o), 0);
        o->when = begin + (hocket_time)seeded_below(&r, (uint32_t)spread);
        HK_EXPECT_EQ(hocket_timer_start(o->timer, o->when), 0);
    }
    for (int i = 0; i < total; i++) /* a third is stopped, a third is started anew */
        switch (seeded_below(&r, 3)) {
        case 0: {
            int rc = hocket_timer_stop(all[i].timer, HOCKET_FOREVER);
            HK_EXPECT(rc == 1 || (rc == 0 && hk_load_acq(&all[i].calls) == 1));
            all[i].stopped = rc == 1;
            stopped += rc == 1;
            break;
        }
        case 1:
            if (hocket_timer_stop(all[i].timer, HOCKET_FOREVER) == 1) {
                all[i].when += (hocket_time)seeded_below(&r, (uint32_t)spread);
                HK_EXPECT_EQ(hocket_timer_start(all[i].timer, all[i].when), 0);
            }
            break;
        default: break;
        }
    in_time = hocket_now() < begin;
    while (hk_load_acq(&came) < total - stopped)
        HK_EXPECT_EQ(hocket_sleep(HOCKET_MS), 0);
    HK_EXPECT_EQ(hocket_sleep(HOCKET_MS), 0);
    for (int i = 0; i < total; i++) {
        HK_EXPECT_EQ(hk_load(&all[i].calls), all[i].stopped ? 0 : 1);
        hocket_timer_free(all[i].timer);
    }
    return 0;
}

START_TEST(a_million)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    uint64_t seed = seeded_begin("timer_million");
    total = run_scaled(1000000, 50000);
    all = calloc((size_t)total, sizeof *all);
    HK_EXPECT(all != NULL);
    o.workers = HOCKET_NO_WORKERS;
    o.no_signals = true;
    o.quiet_watchdog = true;
    HK_EXPECT_EQ(hocket_run_with(million, &seed, &o), 0);
    HK_EXPECT_EQ(hk_load(&early), 0);
    HK_EXPECT_EQ(hk_load(&late_after_stop), 0);
    HK_EXPECT(!in_time || hk_load(&disorder) == 0);
    free(all);
}
END_TEST

/* ---- chaos ---- */

#define TIMERS 32
#define ACTORS 4

/* Of each timer one actor is the owner, who may free it; all may start and stop it while it is there. */
static struct shared {
    hocket_timer *timer;
    hocket_mutex mutex; /* of `timer`: held while it is used */
    _Atomic int inside;
    _Atomic bool quiet; /* stopped for good: no call is allowed */
} shared[TIMERS];

static uint64_t chaos_seed;
static _Atomic uint64_t calls;

static int in_chaos(hocket_timer *t, void *arg)
{
    struct shared *s = arg;
    uint64_t n = hk_add(&calls, 1);
    HK_EXPECT(!hk_load_acq(&s->quiet));
    HK_EXPECT_EQ(hk_add(&s->inside, 1), 0);
    struct seeded r = seeded_of(chaos_seed, (int)(n % 100000) + 100);
    if (seeded_below(&r, 4) == 0)
        (void)hocket_sleep(seeded_below(&r, 50) * HOCKET_US);
    if (seeded_below(&r, 4) == 0)
        HK_EXPECT_EQ(hocket_timer_start(t, hocket_after(seeded_below(&r, 100) * HOCKET_US)), 0);
    if (seeded_below(&r, 8) == 0)
        HK_EXPECT(hocket_timer_stop(t, HOCKET_FOREVER) >= 0);
    HK_EXPECT(!hk_load_acq(&s->quiet));
    HK_EXPECT_EQ(hk_sub(&s->inside, 1), 1);
    return 0;
}

static void renew(struct shared *s)
{
    hocket_timer_free(s->timer);
    hk_store_rel(&s->quiet, true);
    HK_EXPECT_EQ(hk_load(&s->inside), 0);
    hk_store_rel(&s->quiet, false);
    HK_EXPECT_EQ(hocket_timer_new(&s->timer, in_chaos, s), 0);
}

static int actor(void *arg)
{
    struct seeded r = seeded_of(chaos_seed, (int)(intptr_t)arg);
    for (int i = 0; i < run_scaled(6000, 1000); i++) {
        struct shared *s = &shared[seeded_below(&r, TIMERS)];
        hocket_mutex_lock(&s->mutex);
        switch (seeded_below(&r, 8)) {
        case 0: renew(s); break;
        case 1: HK_EXPECT(hocket_timer_stop(s->timer, HOCKET_FOREVER) >= 0); break;
        case 2: (void)hocket_timer_stop(s->timer, hocket_after(10 * HOCKET_US)); break;
        case 3:
            HK_EXPECT_EQ(hocket_timer_start_every(s->timer, hocket_now(),
                                                  (1 + seeded_below(&r, 200)) * HOCKET_US,
                                                  (int)seeded_below(&r, 2)),
                         0);
            break;
        default:
            HK_EXPECT_EQ(
                hocket_timer_start(s->timer, hocket_after(seeded_below(&r, 300) * HOCKET_US)), 0);
        }
        hocket_mutex_unlock(&s->mutex);
        if (seeded_below(&r, 16) == 0)
            HK_EXPECT_EQ(hocket_sleep(seeded_below(&r, 50) * HOCKET_US), 0);
    }
    return 0;
}

static int chaos_body(void *arg)
{
    hocket_task *t[ACTORS];
    (void)arg;
    for (int i = 0; i < TIMERS; i++)
        HK_EXPECT_EQ(hocket_timer_new(&shared[i].timer, in_chaos, &shared[i]), 0);
    for (intptr_t i = 0; i < ACTORS; i++)
        t[i] = run_spawn(actor, (void *)i);
    for (int i = 0; i < ACTORS; i++)
        run_finish(t[i], 0);
    HK_EXPECT_EQ(hocket_timer_start(shared[0].timer, HOCKET_NOW), 0);
    RUN_UNTIL(hk_load(&calls) > 0);
    for (int i = 0; i < TIMERS; i++)
        hocket_timer_free(shared[i].timer);
    return 0;
}
START_TEST(chaos)
{
    chaos_seed = seeded_begin("timer_chaos");
    run_in(_i, chaos_body, NULL);
}
END_TEST

SUITE("timer_stress", 60)
{
    suite_once(a_million);
    suite_each(chaos);
}
