/* SPDX-License-Identifier: MIT */
/* bench-include: uv.h */
/* bench-flags: -luv */
/* bench-package: libuv1-dev */

/* uv_timer: a binary heap of nodes in the loop of one thread; times are whole milliseconds, so moments
 * are rounded up. */

#include <uv.h>

#include "shape.h"

#define MS 1000000LL

static uv_loop_t *loop;
static uv_timer_t all[PENDING];
static int count, next;

static void never(uv_timer_t *t)
{
    (void)t;
    bench_check(0, "a timer came that was cancelled");
}

static void arm(uv_timer_t *t)
{
    uv_timer_start(t, never, (uint64_t)((HOUR + moment(HOUR)) / MS), 0);
}

static void batch(void *arg)
{
    (void)arg;
    for (int i = 0; i < BATCH; i++) {
        uv_timer_stop(&all[next]);
        arm(&all[next]);
        next = next + 1 < count ? next + 1 : 0;
    }
}

static void late(uv_timer_t *t)
{
    ran[t - all] = bench_now();
}

int main(int argc, char **argv)
{
    bench_start(argc, argv);
    loop = uv_default_loop();
    if (wants_lateness()) {
        uv_update_time(loop);
        int64_t start = (int64_t)uv_now(loop) * MS; /* the same clock as ours */
        for (int i = 0; i < LATE; i++) {
            int64_t after = SECOND / 2 + moment(SECOND);
            due[i] = start + after;
            uv_timer_init(loop, &all[i]);
            uv_timer_start(&all[i], late, (uint64_t)((after + MS - 1) / MS), 0);
        }
        uv_run(loop, UV_RUN_DEFAULT);
        print_lateness(0);
        return 0;
    }
    if ((count = pending()) == 0)
        return BENCH_SKIP;
    for (int i = 0; i < count; i++) {
        uv_timer_init(loop, &all[i]);
        arm(&all[i]);
    }
    bench_batches(batch, NULL, BATCH);
    return 0;
}
