/* SPDX-License-Identifier: MIT */
/*
 * monitor - a thread that looks after the workers, and sleeps when they sleep
 *
 * Each tick (1 ms while something runs, up to 10 ms when nothing needs it) it
 *   - fires timers that are due while all workers are busy,
 *   - wakes a sleeping worker for tasks that have not moved since the last tick, or move slowly,
 *   - lends a worker if a task has kept one for long while others wait for it, behind it or
 *     in the global list, and reports that task by name.
 * When all workers sleep, one of them keeps the time and the monitor sleeps until a worker
 * wakes (hocket__monitor_kick).  After two seconds of that it gives the pages of stacks that nobody
 * uses back to the system, and then sleeps without a timeout: an idle program uses no CPU.  Before it
 * sleeps it looks whether anybody will ever go on (sched/quiet.h).
 */
#include <errno.h>

#include "park/forks.h"
#include "sched/quiet.h"
#include "sched/worker.h"

#define TICK       HOCKET_MS
#define TICK_MAX   (10 * HOCKET_MS)
#define CALM       20 /* ticks without need before the tick grows */
#define LEND_AFTER (10 * HOCKET_MS)
#define LENT_MAX   64
#define SLOW       HOCKET_US /* a task; see worth_robbing in idle.c */
#define TRIM_STEP  256
#define TRIM_AFTER (2 * HOCKET_SEC) /* the workers have given back what they do not need by then */

enum { AWAKE, DEEP, STOP };
static _Atomic uint32_t state;
static _Atomic bool started;
static struct hocket__thread thread;
void (*hocket__sched_late)(void);

void hocket__monitor_kick(void)
{
    if (hk_unlikely(hk_load(&state) == DEEP)) {
        uint32_t deep = DEEP;
        if (hk_cas_sc(&state, &deep, AWAKE))
            (void)hocket__futex_wake(&state, 1);
    }
}

/* What the workers are at. */
struct view {
    bool up;      /* some worker is awake */
    bool waiting; /* tasks have not moved since the last tick */
    bool forks;   /* a task that runs since the last tick has branches to give */
    int stuck;    /* workers that one task has kept for long, without saying that it blocks */
};

static void look_at(struct hocket__worker *w, hocket_time now, bool left, struct view *v)
{
    struct hocket__runtime *rt = &hocket__rt;
    hocket_task *t = hk_load(&w->running);
    uint32_t activity = hk_load(&w->activity), moved = activity - w->seen_activity;
    hocket_time past = now - w->seen_at;
    w->seen_at = now;
    if (activity != w->seen_activity || !t) {
        w->seen_activity = activity;
        w->stuck_since = now;
        w->reported = false;
    }
    hocket_time ran = now - w->stuck_since;
    bool blocked = hk_load(&w->blocked) > 0;
    bool waiting = left || hocket__runq_depth(&w->q) > 0;
    v->up = v->up || hk_load(&w->sleep) == HOCKET__AWAKE;
    v->waiting = v->waiting || (waiting && (ran > 0 || hocket__worker_away(w)));
    /* It moves, but so slowly that another worker would be a help.  Nobody knows if we have slept. */
    bool slow = past <= 2 * TICK_MAX && moved * SLOW < past;
    v->waiting = v->waiting || (slow && hocket__runq_depth(&w->q) > 1);
    if (!t || blocked)
        return;
    v->forks = v->forks || (ran > 0 && hocket__forks_waiting(t));
    v->stuck += ran >= LEND_AFTER;
    if (rt->report && waiting && ran >= rt->watchdog && !w->reported) {
        w->reported = true;
        rt->report(t, ran);
    }
}

/* True if some worker is up. */
static bool look(hocket_time now)
{
    struct hocket__runtime *rt = &hocket__rt;
    struct view v = { false, false, false, 0 };
    hk_store(&hocket__tick, now);
    /* The list is taken whole: with the same head as at the last tick, nobody has come for it. */
    static const hocket_task *seen_injected;
    const hocket_task *injected = hk_load(&rt->inject);
    static bool seen_interrupt;
    bool left = injected && injected == seen_injected;
    seen_injected = injected;
    for (int i = 0, n = hk_load_acq(&rt->count); i < n; i++) {
        struct hocket__worker *w = hk_load_acq(&rt->workers[i]);
        (void)hocket__timers_fire(&w->timers, now);
        look_at(w, now, left, &v);
    }
    bool interrupt = hk_load_acq(&rt->interrupted);
    if (interrupt && seen_interrupt && hocket__sched_late)
        hocket__sched_late();
    seen_interrupt = interrupt;
    hk_store(&rt->stuck, v.stuck);
    int active = hk_load(&rt->active), target = hk_load(&rt->target);
    if (hk_load(&rt->sleeping) > 0) {
        if (v.waiting || v.forks || hk_load(&rt->inject))
            hocket__wake_one();
    } else if (v.waiting && active - v.stuck < target && active < 2 * target + LENT_MAX) {
        hocket__lend();
    }
    return v.up;
}

static bool all_asleep(void)
{
    struct hocket__runtime *rt = &hocket__rt;
    return hk_load_sc(&rt->sleeping) >= hk_load_sc(&rt->active) && !hk_load(&rt->inject) &&
           hocket__time_kept();
}

/* False if a worker woke meanwhile. */
static bool trim(void)
{
    while (all_asleep())
        if (hocket__stack_trim_idle(TRIM_STEP) < TRIM_STEP)
            return true;
    return false;
}

static void *monitor_main(void *arg)
{
    (void)arg;
    hocket_time tick = TICK;
    int calm = 0;
    bool trimmed = false, fresh = true;
    while (hk_load_acq(&state) != STOP) {
        bool up = look(hocket__clock());
        calm = up ? 0 : calm + 1;
        trimmed = trimmed && !up;
        fresh = fresh || up;
        tick = calm < CALM ? TICK : TICK_MAX;
        uint32_t expected = AWAKE;
        hocket_time until = hocket_after(tick), quiet = HOCKET_FOREVER;
        if (calm > CALM && all_asleep() && hk_cas_sc(&state, &expected, DEEP)) {
            expected = DEEP;
            /* A worker that woke before it could see DEEP would not kick. */
            if (!all_asleep()) {
                hocket__monitor_kick();
            } else {
                quiet = hocket__quiet_turn(fresh);
                fresh = false;
                until = trimmed ? HOCKET_FOREVER : hocket_after(TRIM_AFTER);
            }
        }
        int err = hocket__futex_wait(&state, expected, quiet < until ? quiet : until);
        if (err == -ETIMEDOUT && expected == DEEP && hk_cas_sc(&state, &expected, AWAKE) &&
            until <= quiet)
            trimmed = trim();
    }
    return NULL;
}

int hocket__monitor_start(void)
{
    hk_store(&state, AWAKE);
    int err = hocket__thread_start(&thread, monitor_main, NULL, 64 * 1024, "hocket-mon", 0);
    hk_store(&started, err == 0);
    return err;
}

void hocket__monitor_stop(void)
{
    if (!hk_load(&started))
        return;
    hk_store_sc(&state, STOP);
    (void)hocket__futex_wake(&state, 1);
    hocket__thread_join(thread);
    hk_store(&started, false);
}

size_t hocket__monitor_threads(void)
{
    return hk_load(&started);
}
