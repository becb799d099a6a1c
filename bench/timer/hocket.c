/* SPDX-License-Identifier: MIT */
/* bench-hocket: library */

/* hocket_timer in a runtime of two workers; the clock is read once for all, as in the loops of the
 * peers. */

#include <hocket/runtime.h>
#include <hocket/timer.h>

#include "shape.h"

static hocket_timer **timers;
static int count, next;
static int64_t start;
static _Atomic int left;

static int never(hocket_timer *t, void *arg)
{
    (void)t;
    (void)arg;
    bench_check(0, "a timer came that was cancelled");
    return 0;
}

static void batch(void *arg)
{
    (void)arg;
    for (int i = 0; i < BATCH; i++) {
        hocket_timer *t = timers[next];
        next = next + 1 < count ? next + 1 : 0;
        bench_check(hocket_timer_stop(t, HOCKET_NOW) == 1 &&
                        hocket_timer_start(t, start + HOUR + moment(HOUR)) == 0,
                    "start or stop failed");
    }
}

static void arm_and_cancel(void)
{
    start = hocket_now();
    timers = malloc((size_t)count * sizeof *timers);
    for (int i = 0; i < count; i++)
        bench_check(timers && hocket_timer_new(&timers[i], never, NULL) == 0 &&
                        hocket_timer_start(timers[i], start + HOUR + moment(HOUR)) == 0,
                    "no memory");
    bench_batches(batch, NULL, BATCH);
}

static int late(hocket_timer *t, void *arg)
{
    (void)t;
    ran[(int64_t *)arg - due] = bench_now();
    __atomic_sub_fetch(&left, 1, __ATOMIC_RELEASE);
    return 0;
}

static void lateness(void)
{
    hocket_timer *t;
    start = hocket_after(SECOND / 2);
    __atomic_store_n(&left, LATE, __ATOMIC_RELAXED);
    for (int i = 0; i < LATE; i++) {
        due[i] = start + moment(SECOND);
        bench_check(hocket_timer_new(&t, late, &due[i]) == 0 && hocket_timer_start(t, due[i]) == 0,
                    "no memory");
    }
    while (__atomic_load_n(&left, __ATOMIC_ACQUIRE) > 0)
        (void)hocket_sleep(SECOND / 20);
    print_lateness(1);
}

static int root(void *arg)
{
    (void)arg;
    if (wants_lateness())
        lateness();
    else if ((count = pending()) > 0)
        arm_and_cancel();
    else
        return BENCH_SKIP;
    return 0;
}

int main(int argc, char **argv)
{
    bench_start(argc, argv);
    return hocket_run_with(root, NULL,
                           HOCKET_RUNTIME_OPTIONS(.workers = 2, .quiet_watchdog = true));
}
