/* SPDX-License-Identifier: MIT */
/*
 * sleep - how workers sleep and wake
 *
 * A sleeper sets its bit in idle_mask (a full fence) and then looks at
 * everything once more.  Whoever injects does so with a locked instruction and then looks
 * at `sleeping`: one sees the other, no wake is lost.  An owner that queues locally
 * does not pay for a fence: should it miss a sleeper, the task is still in
 * its own queue and will run; the next operation, or the monitor, looks again.
 *
 * At most one worker is woken at a time (`searching`); it wakes the next if it
 * finds more than it can do.  Wakes that find nothing make the next ones rarer.
 */
#include <errno.h>

#include "sched/quiet.h"
#include "sched/worker.h"

#define SURPLUS_TIME HOCKET_SEC /* asleep for so long: stacks that are not needed go back */

/* ---- waking ---- */

void hocket__wake_worker(struct hocket__worker *w)
{
    if (hk_xchg_sc(&w->sleep, HOCKET__NOTIFIED) == HOCKET__ASLEEP)
        (void)hocket__futex_wake(&w->sleep, 1);
}

static bool idle_clear(int index)
{
    uint64_t bit = UINT64_C(1) << (index % 64);
    if (!(hk_and(&hocket__rt.idle_mask[index / 64], ~bit) & bit))
        return false;
    (void)hk_sub(&hocket__rt.sleeping, 1);
    return true;
}

/* True if some sleeper was woken; it searches with the count of the caller. */
static bool wake_some(void)
{
    struct hocket__runtime *rt = &hocket__rt;
    int words = (hk_load_acq(&rt->count) + 63) / 64;
    for (int i = 0; i < words; i++) {
        uint64_t mask;
        while ((mask = hk_load(&rt->idle_mask[i])) != 0) {
            int index = i * 64 + __builtin_ctzll(mask);
            if (idle_clear(index)) {
                hocket__wake_worker(hk_load_acq(&rt->workers[index]));
                return true;
            }
        }
    }
    return false;
}

static bool any_idle(void)
{
    int words = (hk_load_acq(&hocket__rt.count) + 63) / 64;
    for (int i = 0; i < words; i++)
        if (hk_load(&hocket__rt.idle_mask[i]) != 0)
            return true;
    return false;
}

/*
 * Signal-safe.  Who injects while somebody else is in here leaves the wake to that one, who may have
 * looked for sleepers before the last of them was one: so it looks again.
 */
void hocket__wake_one(void)
{
    struct hocket__runtime *rt = &hocket__rt;
    do {
        int none = 0;
        /* seq_cst: not before the caller's injection is seen; pairs with the sleeper's fence. */
        if (hk_load_sc(&rt->sleeping) == 0 || !hk_cas_sc(&rt->searching, &none, 1))
            return;
        if (wake_some())
            return;
        (void)hk_sub(&rt->searching, 1);
        hk_fence_sc(); /* pairs with the failed CAS of who left it to us */
    } while (hk_load(&rt->inject) && any_idle());
}

void hocket__wake_all(void)
{
    for (int i = 0, n = hk_load_acq(&hocket__rt.count); i < n; i++)
        hocket__wake_worker(hk_load_acq(&hocket__rt.workers[i]));
}

void hocket__sched_interrupt(void)
{
    hk_store_sc(&hocket__rt.interrupted, true);
    hocket__wake_all();
}

/* ---- sleeping ---- */

/*
 * A reason not to sleep.  Tasks in the queue of a worker that is up are none: their owner
 * comes to them, wakes somebody when it queues more, and the monitor sees it if it is stuck; who
 * waited for them awake would spin as long as two tasks over there hand over to each other.
 */
static bool anything_anywhere(struct hocket__worker *w)
{
    if (hk_load_acq(&hocket__rt.inject) || hk_load_acq(&hocket__rt.interrupted) ||
        hocket__worker_done(w))
        return true;
    if (hocket__runq_depth(&w->q) > 0)
        return true; /* a signal handler on this thread made a task ready */
    for (int i = 0, n = hk_load_acq(&hocket__rt.count); i < n; i++) {
        struct hocket__worker *v = hk_load_acq(&hocket__rt.workers[i]);
        if (hocket__worker_away(v) && hocket__runq_depth(&v->q) > 0)
            return true;
    }
    return false;
}

static hocket_time first_deadline(void)
{
    hocket_time first = HOCKET_FOREVER;
    for (int i = 0, n = hk_load_acq(&hocket__rt.count); i < n; i++) {
        hocket_time f = hk_load(&hk_load_acq(&hocket__rt.workers[i])->timers.first);
        first = f < first ? f : first;
    }
    return first;
}

/* Does some sleeper wake up by then?  When it does, it looks after the later ones. */
static bool time_kept(hocket_time deadline)
{
    for (int i = 0, n = hk_load_acq(&hocket__rt.count); deadline != HOCKET_FOREVER; i++) {
        if (i == n)
            return false;
        if (hk_load(&hk_load_acq(&hocket__rt.workers[i])->keeps) <= deadline)
            return true;
    }
    return true;
}

bool hocket__time_kept(void)
{
    return time_kept(first_deadline());
}

static hocket_time earlier(hocket_time a, hocket_time b)
{
    return a < b ? a : b;
}

/*
 * Who sleeps for long gives back the stacks that it does not need; and looks, where there is no
 * monitor, whether anybody will ever go on.
 */
static void sleep_until(struct hocket__worker *w, hocket_time deadline)
{
    bool looks = !hk_load(&hocket__rt.threads) && deadline == HOCKET_FOREVER, fresh = true;
    hocket_time look = looks ? hocket_after(HOCKET__QUIET_AFTER) : HOCKET_FOREVER;
    hocket_time surplus = hocket__loop_surplus(w) ? hocket_after(SURPLUS_TIME) : HOCKET_FOREVER;
    while (hk_load_acq(&w->sleep) == HOCKET__ASLEEP) {
        hocket_time until = earlier(deadline, earlier(look, surplus));
        int err = hocket__futex_wait(&w->sleep, HOCKET__ASLEEP, until);
        if (err == -ETIMEDOUT && until < deadline && until == look) {
            look = hocket__quiet_turn(fresh);
            fresh = false;
        } else if (err == -ETIMEDOUT && until < deadline) {
            hocket__loop_give_back(w);
            surplus = HOCKET_FOREVER;
        } else if (err != -EINTR) {
            break;
        }
    }
}

bool hocket__sleep(struct hocket__worker *w)
{
    struct hocket__runtime *rt = &hocket__rt;
    uint64_t bit = UINT64_C(1) << (w->index % 64);
    hk_store(&w->sleep, HOCKET__ASLEEP);
    (void)hk_add(&rt->sleeping, 1);
    (void)hk_or(&rt->idle_mask[w->index / 64], bit); /* the fence of the head comment */
    hk_fence_sc();
    /* One sleeper keeps the time; the others are woken when there is work. */
    hocket_time deadline = first_deadline();
    if (time_kept(deadline))
        deadline = HOCKET_FOREVER;
    hk_store(&w->keeps, deadline);
    if (!anything_anywhere(w)) {
        hocket__watch(HOCKET__EVENT_SLEEP, NULL, NULL, 0);
        sleep_until(w, deadline);
        hocket__watch(HOCKET__EVENT_AWAKE, NULL, NULL, 0);
    }
    hk_store(&hocket__tick, hocket__clock_coarse());
    hk_store(&w->keeps, HOCKET_FOREVER);
    bool woken = !idle_clear(w->index); /* the waker cleared it and counted us as searching */
    hk_store(&w->sleep, HOCKET__AWAKE);
    hocket__monitor_kick();
    return woken;
}
