/* SPDX-License-Identifier: MIT */
/* bench-include: ev.h */
/* bench-flags: -lev */
/* bench-package: libev-dev */

/* ev_timer: a 4-ary heap in the loop of one thread. */

#pragma GCC diagnostic ignored "-Wstrict-aliasing" /* ev.h */
#include <ev.h>

#include "shape.h"

static struct ev_loop *loop;
static ev_timer all[PENDING];
static int count, next, left = LATE;

static void never(EV_P_ ev_timer *w, int events)
{
    (void)loop;
    (void)w;
    (void)events;
    bench_check(0, "a timer came that was cancelled");
}

static void arm(ev_timer *w)
{
    ev_timer_init(w, never, (double)(HOUR + moment(HOUR)) / 1e9, 0);
    ev_timer_start(loop, w);
}

static void batch(void *arg)
{
    (void)arg;
    for (int i = 0; i < BATCH; i++) {
        ev_timer_stop(loop, &all[next]);
        arm(&all[next]);
        next = next + 1 < count ? next + 1 : 0;
    }
}

static void late(EV_P_ ev_timer *w, int events)
{
    (void)events;
    ran[w - all] = bench_now();
    if (--left == 0)
        ev_break(EV_A_ EVBREAK_ALL);
}

int main(int argc, char **argv)
{
    bench_start(argc, argv);
    loop = ev_default_loop(0);
    if (wants_lateness()) {
        ev_now_update(loop);
        int64_t start = bench_now();
        for (int i = 0; i < LATE; i++) {
            int64_t after = SECOND / 2 + moment(SECOND);
            due[i] = start + after;
            ev_timer_init(&all[i], late, (double)after / 1e9, 0);
            ev_timer_start(loop, &all[i]);
        }
        ev_run(loop, 0);
        print_lateness(0);
        return 0;
    }
    if ((count = pending()) == 0)
        return BENCH_SKIP;
    for (int i = 0; i < count; i++)
        arm(&all[i]);
    bench_batches(batch, NULL, BATCH);
    return 0;
}
