/* SPDX-License-Identifier: MIT */
/*
 * idle - what a worker does next, and how workers sleep and wake
 *
 * Order of work: own queue (resumed and fresh in turn), the global list, due
 * timers, other workers' queues; every 61st dispatch the shared places come first.
 *
 * Stealing is in two forms.  A searcher first asks: it raises `hungry`, and an owner
 * that passes a queue operation with two or more tasks gives the older half to the
 * global list.  An owner that does not move for as long as a forced steal
 * costs is robbed (sched/runq.h).  So tiny tasks are not torn from an owner that is
 * about to run them, and a stuck owner strands nobody.  Branches of the tasks that run
 * (task/fork.c) come last: the task is asked, and robbed if it passes no fork or sync for as long.
 *
 * Sleeping and waking.  A sleeper sets its bit in idle_mask (a full fence) and then looks at
 * everything once more.  Whoever injects does so with a locked instruction and then looks
 * at `sleeping`: one sees the other, no wake is lost.  An owner that queues locally
 * does not pay for a fence: should it miss a sleeper, the task is still in
 * its own queue and will run; the next operation, or the monitor, looks again.
 *
 * At most one worker is woken at a time (`searching`); it wakes the next if it
 * finds more than it can do.  Wakes that find nothing make the next ones rarer.
 */
#include <errno.h>

#include "park/forked.h"
#include "park/forks.h"
#include "sched/worker.h"
#include "sys/ticks.h"

#define US           ((int64_t)HOCKET__TICKS_PER_US)
#define RUN_QUOTA    61
#define SEARCH_TIME  (20 * US) /* about the price of a wake */
#define ASK_AFTER    (1 * US)  /* leave tasks alone that are moving */
#define ROB_AFTER    (15 * US) /* about the price of a forced steal */
#define WATCH_TIME   (40 * US) /* of one victim; then it is watched anew, or another one */
#define INTERVAL_MIN (20 * US)
#define INTERVAL_MAX (1000 * US)
#define SURPLUS_TIME HOCKET_SEC /* asleep for so long: stacks that are not needed go back */

struct hocket__runtime hocket__rt;
void (*hocket__sched_run_fn)(hocket_task *task);
void (*hocket__sched_start_failed)(hocket_task *task, int error);
void (*hocket__sched_pending)(void);

static _Atomic bool interrupted;

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

/* Signal-safe. */
void hocket__wake_one(void)
{
    struct hocket__runtime *rt = &hocket__rt;
    int none = 0;
    if (hk_load(&rt->sleeping) == 0 || !hk_cas_sc(&rt->searching, &none, 1))
        return;
    int words = (hk_load_acq(&rt->count) + 63) / 64;
    for (int i = 0; i < words; i++) {
        uint64_t mask;
        while ((mask = hk_load(&rt->idle_mask[i])) != 0) {
            int index = i * 64 + __builtin_ctzll(mask);
            if (idle_clear(index)) {
                hocket__wake_worker(hk_load_acq(&rt->workers[index]));
                return; /* it searches with our count */
            }
        }
    }
    (void)hk_sub(&rt->searching, 1);
}

void hocket__wake_all(void)
{
    for (int i = 0, n = hk_load_acq(&hocket__rt.count); i < n; i++)
        hocket__wake_worker(hk_load_acq(&hocket__rt.workers[i]));
}

void hocket__sched_interrupt(void)
{
    hk_store_sc(&interrupted, true);
    hocket__wake_all();
}

/* ---- the global list ---- */

void hocket__sched_inject(hocket_task *first, hocket_task *last)
{
    struct hocket__runtime *rt = &hocket__rt;
    hocket_task *old = hk_load(&rt->inject);
    do
        last->run_next = old;
    while (!hk_cas_sc(&rt->inject, &old, first));
    hocket__wake_one();
}

/* Everything in the global list moves to our queue, oldest first. */
static bool take_injected(struct hocket__worker *w)
{
    if (!hk_load(&hocket__rt.inject))
        return false;
    hocket_task *list = hk_xchg(&hocket__rt.inject, NULL), *oldest = NULL;
    while (list) {
        hocket_task *next = list->run_next;
        list->run_next = oldest;
        oldest = list;
        list = next;
    }
    if (!oldest)
        return false;
    hocket__runq_lock(&w->q);
    while (oldest) {
        hocket_task *t = oldest;
        oldest = t->run_next;
        if (t->stack) {
            hocket__runq_push_resumed(&w->q, t);
        } else {
            hk_store(&t->queued_on, hocket__worker_number(w));
            hocket__runq_push_fresh(&w->q, t);
        }
    }
    hocket__runq_unlock(&w->q);
    return true;
}

/* ---- after queueing something locally ---- */

/* The older half goes to the global list, for the one who asked. */
static void give(struct hocket__worker *w)
{
    uint32_t n;
    hk_store(&hocket__rt.hungry, false);
    hocket__runq_lock(&w->q);
    hocket_task *chain = hocket__runq_take_half(&w->q, &n);
    hocket__runq_unlock(&w->q);
    /* The list is newest first. */
    hocket_task *newest = NULL, *last = chain;
    while (chain) {
        hocket_task *next = chain->run_next;
        chain->run_next = newest;
        newest = chain;
        chain = next;
    }
    if (newest)
        hocket__sched_inject(newest, last);
}

HK_COLD void hocket__pushed(struct hocket__worker *w)
{
    struct hocket__runtime *rt = &hocket__rt;
    uint32_t depth = hocket__runq_depth(&w->q);
    if (hk_load(&rt->hungry) && depth >= 2) {
        give(w);
        return;
    }
    if (hk_load(&rt->sleeping) == 0 || hk_load(&rt->searching) > 0 || depth == 0)
        return;
    int64_t now = hocket__ticks();
    if (now < w->wake_after)
        return;
    w->wake_after = now + hk_load(&rt->wake_interval);
    hocket__count(w->wakes_sent);
    hocket__wake_one();
}

/* ---- looking for work ---- */

static unsigned fire_timers(struct hocket__worker *w, bool all)
{
    hocket_time first = hk_load(&w->timers.first);
    int n = hk_load_acq(&hocket__rt.count);
    if (all)
        for (int i = 0; i < n; i++) {
            hocket_time f = hk_load(&hk_load_acq(&hocket__rt.workers[i])->timers.first);
            first = f < first ? f : first;
        }
    if (first == HOCKET_FOREVER)
        return 0;
    hocket_time now = hocket__clock();
    if (first > now)
        return 0;
    unsigned fired = hocket__timers_fire(&w->timers, now);
    for (int i = 0; all && i < n; i++)
        fired += hocket__timers_fire(&hk_load_acq(&hocket__rt.workers[i])->timers, now);
    return fired;
}

static hocket_task *pop_local(struct hocket__worker *w, bool rare)
{
    struct hocket__runq *q = &w->q;
    if (hocket__runq_depth(q) == 0)
        return NULL;
    hocket__runq_lock(q);
    q->fresh_turn = !q->fresh_turn;
    hocket_task *t = q->fresh_turn ? hocket__runq_pop_fresh(q, rare) : hocket__runq_pop_resumed(q);
    if (!t)
        t = q->fresh_turn ? hocket__runq_pop_resumed(q) : hocket__runq_pop_fresh(q, rare);
    hocket__runq_unlock(q);
    if (t && !t->stack)
        hk_store(&t->queued_on, 0);
    return t;
}

/* Take from `victim` by force.  True if our queue got something. */
static bool rob(struct hocket__worker *w, struct hocket__worker *victim)
{
    uint32_t n = 0;
    if (!hocket__runq_revoke(&victim->q))
        return false;
    hocket_task *chain = hocket__runq_take_half(&victim->q, &n);
    hocket__runq_restore(&victim->q);
    if (n == 0)
        return false;
    hocket__count(w->steals);
    hocket__runq_lock(&w->q);
    while (chain) {
        hocket_task *t = chain;
        chain = t->run_next;
        if (t->stack) {
            hocket__runq_push_resumed(&w->q, t);
        } else {
            hk_store(&t->queued_on, hocket__worker_number(w));
            hocket__runq_push_fresh(&w->q, t);
        }
    }
    hocket__runq_unlock(&w->q);
    return true;
}

/*
 * Is it worth a forced steal?  If the victim has not moved for its price, or is so slow (a
 * microsecond a task or more) that half of its queue is more work than that.
 */
static bool worth_robbing(const struct hocket__prey *p, uint32_t moved, uint32_t depth, int64_t now)
{
    int64_t watched = now - p->since;
    return watched >= ROB_AFTER && moved * US <= watched &&
           depth * watched >= 2 * (int64_t)moved * ROB_AFTER;
}

/*
 * One look at the other workers.  What we saw is kept from search to search: where nobody else
 * would produce work, a search is a single look.
 */
static bool hunt(struct hocket__worker *w, int64_t now)
{
    struct hocket__prey *p = &w->prey;
    struct hocket__worker *v = p->victim;
    uint32_t depth = v ? hocket__runq_depth(&v->q) : 0;
    if (depth > 0) {
        uint32_t moved = hk_load(&v->activity) - p->activity;
        if (worth_robbing(p, moved, depth, now) && rob(w, v))
            return true;
        if (now - p->since < WATCH_TIME)
            return false;
    }
    p->victim = NULL;
    int n = hk_load_acq(&hocket__rt.count);
    for (int k = 1; k < n; k++) {
        v = hk_load_acq(&hocket__rt.workers[(w->index + k) % n]);
        if (hocket__runq_depth(&v->q) == 0)
            continue;
        if (hocket__worker_away(v))
            return rob(w, v);
        p->victim = v;
        p->activity = hk_load(&v->activity);
        p->since = now;
        break;
    }
    return false;
}

/*
 * Ask the tasks that run for a branch.  The word that says so costs a running forker its cache
 * line, so it is set once.
 */
static bool beg(struct hocket__worker *w, int64_t now)
{
    struct hocket__prey *p = &w->prey;
    int n = hk_load_acq(&hocket__rt.count);
    for (int k = 1; k < n; k++) {
        struct hocket__worker *v = hk_load_acq(&hocket__rt.workers[(w->index + k) % n]);
        hocket_task *t = hk_load_acq(&v->running);
        if (!t || !hocket__forked_any(t))
            continue;
        _Atomic uint32_t *attention = hk_word32(&t->forks.attention);
        if (!(hk_load(attention) & HOCKET__FORKS_ASKED)) {
            (void)hk_or(attention, HOCKET__FORKS_ASKED);
            p->forker = NULL;
        }
        if (p->forker != t) {
            p->forker = t;
            p->asked = now;
        } else if (now - p->asked >= ROB_AFTER) {
            p->asked = now;
            if (hocket__fork_ops_get()->rob(w, t))
                return true;
        }
    }
    return false;
}

/*
 * A reason not to sleep.  Tasks in the queue of a worker that is up are none: their owner
 * comes to them, wakes somebody when it queues more, and the monitor sees it if it is stuck; who
 * waited for them awake would spin as long as two tasks over there hand over to each other.
 */
static bool anything_anywhere(struct hocket__worker *w)
{
    if (hk_load_acq(&hocket__rt.inject) || hk_load_acq(&interrupted) || hocket__worker_done(w))
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

/* Somebody else may produce work while we spin. */
static bool worth_spinning(void)
{
    return hk_load(&hocket__rt.active) > 1 || hocket__foreign_threads() > 1;
}

/* True if there is a reason to go round again.  We count as one of `searching`. */
static bool search(struct hocket__worker *w)
{
    struct hocket__runtime *rt = &hocket__rt;
    int64_t start = hocket__ticks(), now = start;
    bool found = false, spin = worth_spinning() && hocket__fiber_ops.spin(NULL);
    do {
        found = take_injected(w) || hunt(w, now) || beg(w, now);
        if (found || hk_load(&interrupted) || hocket__worker_done(w))
            break;
        if (now - start > ASK_AFTER && w->prey.victim && !hk_load(&rt->hungry))
            hk_store(&rt->hungry, true);
        hk_spin_pause();
        now = hocket__ticks();
    } while (spin && now - start < SEARCH_TIME);
    if (hk_load(&rt->hungry))
        hk_store(&rt->hungry, false);
    return found;
}

static void adapt(bool found)
{
    int64_t interval = hk_load(&hocket__rt.wake_interval);
    int64_t next = found ? 0 : interval * 2;
    if (!found)
        next = next < INTERVAL_MIN ? INTERVAL_MIN : next > INTERVAL_MAX ? INTERVAL_MAX : next;
    if (next != interval)
        hk_store(&hocket__rt.wake_interval, next);
}

/* ---- sleeping ---- */

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

/* Who sleeps for long gives back the stacks that it does not need. */
static void sleep_until(struct hocket__worker *w, hocket_time deadline)
{
    bool surplus = hocket__loop_surplus(w);
    hocket_time soon = surplus ? hocket_after(SURPLUS_TIME) : HOCKET_FOREVER;
    while (hk_load_acq(&w->sleep) == HOCKET__ASLEEP) {
        hocket_time until = surplus && soon < deadline ? soon : deadline;
        int err = hocket__futex_wait(&w->sleep, HOCKET__ASLEEP, until);
        if (err == -ETIMEDOUT && until < deadline) {
            hocket__loop_give_back(w);
            surplus = false;
        } else if (err != -EINTR) {
            break;
        }
    }
}

/* Sleep until woken or the first timer; true if somebody woke us (we then count as searching). */
static bool sleep_once(struct hocket__worker *w)
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
    if (!anything_anywhere(w))
        sleep_until(w, deadline);
    hk_store(&w->keeps, HOCKET_FOREVER);
    bool woken = !idle_clear(w->index); /* the waker cleared it and counted us as searching */
    hk_store(&w->sleep, HOCKET__AWAKE);
    hocket__monitor_kick();
    return woken;
}

static void search_or_sleep(struct hocket__worker *w)
{
    struct hocket__runtime *rt = &hocket__rt;
    /* Half of the workers may search at a time. */
    bool counted = hk_load(&rt->searching) * 2 < hk_load(&rt->active);
    if (counted)
        (void)hk_add(&rt->searching, 1);
    bool was_woken = w->woken;
    w->woken = false;
    if (was_woken) { /* counted by the waker */
        if (counted)
            (void)hk_sub(&rt->searching, 1);
        counted = true;
    }
    bool found = counted && search(w);
    if (counted) {
        (void)hk_sub(&rt->searching, 1);
        if (was_woken)
            adapt(found);
        if (found) {
            /* There may be more than we can do. */
            if (hocket__runq_depth(&w->q) > 1 || hk_load(&rt->inject))
                hocket__wake_one();
            return;
        }
    } else {
        hk_spin_pause(); /* with work elsewhere we go round without sleeping */
    }
    if (fire_timers(w, true) > 0)
        return;
    if (hocket__worker_done(w) || hk_load(&interrupted))
        return;
    w->woken = sleep_once(w);
}

bool hocket__worker_done(struct hocket__worker *w)
{
    hocket_task *driver = hk_load(&w->driver);
    if (driver) {
        uint32_t s = hk_load_acq(&driver->wait_state);
        return s != HOCKET__PARKED && s != HOCKET__PARKED_C && s != HOCKET__CLAIMED_PARKED;
    }
    return hk_load(&hocket__rt.stopping) || hk_load(&w->retire);
}

/* Woken as a searcher, but it is not to be: work turned up by itself, or the loop ends. */
static void not_searching(struct hocket__worker *w, bool ends)
{
    if (hk_likely(!w->woken))
        return;
    w->woken = false;
    (void)hk_sub(&hocket__rt.searching, 1);
    if (ends && hk_load(&hocket__rt.inject))
        hocket__wake_one(); /* what we were woken for is still there */
}

hocket_task *hocket__sched_next(struct hocket__worker *w)
{
    hocket__fork_check("the end of a task");
    for (;;) {
        bool rare = ++w->tick % RUN_QUOTA == 0 || w->look;
        if (hk_unlikely(rare)) {
            w->look = false;
            (void)take_injected(w);
            (void)fire_timers(w, true);
        }
        if (hk_unlikely(hk_load(&interrupted)) && hk_xchg(&interrupted, false) &&
            hocket__sched_pending)
            hocket__sched_pending();
        if (hk_unlikely(hk_load(&w->driver) != NULL) && hocket__worker_done(w)) {
            not_searching(w, true);
            return NULL;
        }
        hocket_task *t = pop_local(w, rare);
        if (t) {
            not_searching(w, false);
            return t;
        }
        if (take_injected(w) || fire_timers(w, false) > 0)
            continue;
        if (hocket__worker_done(w)) {
            not_searching(w, true);
            return NULL;
        }
        if (!hocket__worker_spare(w))
            search_or_sleep(w);
    }
}
