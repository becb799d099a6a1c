/* SPDX-License-Identifier: MIT */
/*
 * monitor - a thread that looks after the workers, and sleeps when they sleep
 *
 * Each tick (1 ms while something runs, up to 10 ms when nothing needs it) it
 *   - fires timers that are due while all workers are busy,
 *   - wakes a sleeping worker for tasks that have not moved since the last tick,
 *   - lends a worker if a task has kept one for long while others wait for it, and
 *     reports that task by name.
 * When all workers sleep, one of them keeps the time and the monitor sleeps without a
 * timeout until a worker wakes (hocket__monitor_kick): an idle program uses no CPU.
 */
#include "sched/worker.h"

#define TICK HOCKET_MS
#define TICK_MAX (10 * HOCKET_MS)
#define CALM 20               /* ticks without need before the tick grows */
#define LEND_AFTER (10 * HOCKET_MS)
#define LENT_MAX 64

enum { AWAKE, DEEP, STOP };
static _Atomic uint32_t state;
static bool started;
static struct hocket__thread thread;

void hocket__monitor_kick(void)
{
    if (hk_unlikely(hk_load(&state) == DEEP)) {
        uint32_t deep = DEEP;
        if (hk_cas_sc(&state, &deep, AWAKE))
            (void)hocket__futex_wake(&state, 1);
    }
}

/* A task has kept this worker since the last tick while others wait behind it. */
static void stuck(struct hocket__worker *w, hocket_time now)
{
    struct hocket__runtime *rt = &hocket__rt;
    hocket_task *t = hk_load(&w->running);
    hocket_time ran = now - w->stuck_since;
    if (hk_load(&rt->sleeping) > 0) {
        hocket__wake_one();
    } else if (ran >= LEND_AFTER && hk_load(&rt->active) < 2 * rt->target + LENT_MAX && !w->replaced) {
        w->replaced = true;
        hocket__lend();
    }
    if (rt->report && t && ran >= rt->watchdog && !w->reported) {
        w->reported = true;
        rt->report(t, ran);
    }
}

/* True if some worker is up. */
static bool look(hocket_time now)
{
    struct hocket__runtime *rt = &hocket__rt;
    bool up = false;
    for (int i = 0, n = hk_load_acq(&rt->count); i < n; i++) {
        struct hocket__worker *w = hk_load_acq(&rt->workers[i]);
        (void)hocket__timers_fire(&w->timers, now);
        uint32_t activity = hk_load(&w->activity);
        if (activity != w->seen_activity || !hk_load(&w->running)) {
            w->seen_activity = activity;
            w->stuck_since = now;
            w->reported = w->replaced = false;
        }
        up = up || hk_load(&w->sleep) == HOCKET__AWAKE;
        if (hocket__runq_depth(&w->q) > 0 && now > w->stuck_since)
            stuck(w, now);
    }
    if (hk_load(&rt->inject))
        hocket__wake_one();
    return up;
}

static bool all_asleep(void)
{
    struct hocket__runtime *rt = &hocket__rt;
    return hk_load_sc(&rt->sleeping) >= hk_load_sc(&rt->active) && !hk_load(&rt->inject) &&
           hocket__time_kept();
}

static void *monitor_main(void *arg)
{
    (void)arg;
    hocket_time tick = TICK;
    int calm = 0;
    while (hk_load_acq(&state) != STOP) {
        bool up = look(hocket__clock());
        calm = up ? 0 : calm + 1;
        tick = calm < CALM ? TICK : TICK_MAX;
        uint32_t expected = AWAKE;
        hocket_time until = hocket_after(tick);
        if (calm > CALM && all_asleep() && hk_cas_sc(&state, &expected, DEEP)) {
            expected = DEEP;
            /* A worker that woke before it could see DEEP would not kick. */
            if (!all_asleep())
                hocket__monitor_kick();
            else
                until = HOCKET_FOREVER;
        }
        (void)hocket__futex_wait(&state, expected, until);
    }
    return NULL;
}

int hocket__monitor_start(void)
{
    hk_store(&state, AWAKE);
    int err = hocket__thread_start(&thread, monitor_main, NULL, 64 * 1024, "hocket-mon", 0);
    started = err == 0;
    return err;
}

void hocket__monitor_stop(void)
{
    if (!started)
        return;
    hk_store_sc(&state, STOP);
    (void)hocket__futex_wake(&state, 1);
    hocket__thread_join(thread);
    started = false;
}

size_t hocket__monitor_threads(void)
{
    return started;
}
