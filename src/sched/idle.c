/* SPDX-License-Identifier: MIT */
/*
 * idle - what a worker does next; how it sleeps is in sched/sleep.c
 *
 * Order of work: own queue (resumed and fresh in turn), the global list, due
 * timers, other workers' queues; every 61st dispatch the shared places come first.
 *
 * Stealing is in two forms.  A searcher first asks: it raises `hungry`, and an owner
 * that passes a queue operation with two or more tasks gives the older half to the
 * global list.  An owner that does not move for as long as a forced steal
 * costs is robbed (sched/runq.h), and so is one whose queue, at its pace, is worth more than
 * that.  So tiny tasks are not torn from an owner that is about to run them, and a stuck owner
 * strands nobody.  Of a queue that grows only a taste is taken until its tasks have shown that they
 * are worth it.  Branches of the tasks that run (task/fork.c) come last: the task is asked, and
 * robbed if it passes no fork or sync for as long.
 */
#include "park/forked.h"
#include "park/forks.h"
#include "park/world.h"
#include "sched/worker.h"
#include "sys/ticks.h"

#define US           ((int64_t)HOCKET__TICKS_PER_US)
#define RUN_QUOTA    61
#define SEARCH_TIME  (20 * US) /* about the price of a wake */
#define ASK_AFTER    (1 * US)  /* leave tasks alone that are moving */
#define ROB_AFTER    (15 * US) /* about the price of a forced steal */
#define LOOK_APART   (2 * US)  /* a look takes some lines away from who works on them */
#define TASTE        16u       /* tasks */
#define WATCH_TIME   (40 * US) /* of one victim; then it is watched anew, or another one */
#define INTERVAL_MIN (20 * US)
#define INTERVAL_MAX (1000 * US)

struct hocket__runtime hocket__rt;
void (*hocket__sched_run_fn)(hocket_task *task);
void (*hocket__sched_start_failed)(hocket_task *task, int error);
void (*hocket__sched_left_fn)(struct hocket__cancel_scope *scope, uint32_t count);
void (*hocket__sched_pending)(void);

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
        if (hk_load(&t->stack)) {
            hocket__runq_push_resumed(&w->q, t);
        } else {
            hk_store(&t->queued_on, hocket__queued_loud(w));
            hocket__runq_push_fresh(&w->q, t);
        }
    }
    hocket__runq_unlock(&w->q);
    return true;
}

/* ---- after queueing something locally ---- */

/* The older half, or as many as are wanted, go to the global list, for the one who asked. */
static void give(struct hocket__worker *w)
{
    uint32_t n;
    uint32_t most = hk_xchg(&hocket__rt.hungry, 0);
    if (most == 0)
        return; /* another owner gave */
    hocket__runq_lock(&w->q);
    hocket_task *chain = hocket__runq_take_half(&w->q, most, &n);
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
    hk_store(&hocket__tick, now);
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
    if (hocket__in_world())
        return hocket__world->next(w);
    if (hocket__runq_depth(q) == 0)
        return NULL;
    hocket__runq_lock(q);
    q->fresh_turn = !q->fresh_turn;
    hocket_task *t = q->fresh_turn ? hocket__runq_pop_fresh(q, rare) : hocket__runq_pop_resumed(q);
    if (!t)
        t = q->fresh_turn ? hocket__runq_pop_resumed(q) : hocket__runq_pop_fresh(q, rare);
    hocket__runq_unlock(q);
    if (t && !hk_load(&t->stack))
        hk_store(&t->queued_on, 0);
    return t;
}

/* Take up to `most` from `victim` by force.  True if our queue got something. */
static bool rob(struct hocket__worker *w, struct hocket__worker *victim, uint32_t most)
{
    uint32_t n = 0;
    if (!hocket__runq_revoke(&victim->q))
        return false;
    hocket_task *chain = hocket__runq_take_half(&victim->q, most, &n);
    hocket__runq_restore(&victim->q);
    if (n == 0)
        return false;
    hocket__count(w->steals);
    hocket__watch(HOCKET__EVENT_STEAL, NULL, NULL, (int64_t)victim->index << 32 | n);
    hocket__runq_lock(&w->q);
    while (chain) {
        hocket_task *t = chain;
        chain = t->run_next;
        if (hk_load(&t->stack)) {
            hocket__runq_push_resumed(&w->q, t);
        } else {
            hk_store(&t->queued_on, hocket__queued_loud(w));
            hocket__runq_push_fresh(&w->q, t);
        }
    }
    hocket__runq_unlock(&w->q);
    return true;
}

/* ---- how much to take ----
 *
 * A task that changes its worker takes some lines of cache along, which costs more than to run a tiny
 * one: two workers would be slower than one.  The pace of an owner that spawns does not show, so we
 * take a few tasks first and see how long we have with them.  Were they tiny, we leave such queues
 * alone for a moment, longer each time; were they not, we take more.
 */

static int64_t longer(int64_t interval)
{
    interval *= 2;
    return interval < INTERVAL_MIN   ? INTERVAL_MIN
           : interval > INTERVAL_MAX ? INTERVAL_MAX
                                     : interval;
}

static uint32_t portion(const struct hocket__prey *p)
{
    return p->worthwhile < 2 ? TASTE << 4 * p->worthwhile : UINT32_MAX;
}

static void note_taken(struct hocket__worker *w)
{
    w->prey.taken = hocket__runq_depth(&w->q);
    w->prey.taken_at = hocket__ticks(); /* the taking took its time */
}

/* We are through with what we took. */
static void judge(struct hocket__worker *w, int64_t now)
{
    struct hocket__prey *p = &w->prey;
    if (p->taken == 0)
        return;
    bool tiny = now - p->taken_at < p->taken * US;
    p->taken = 0;
    if (!tiny) {
        p->rest = 0;
        p->worthwhile += p->worthwhile < 2;
        return;
    }
    p->worthwhile = 0;
    p->rest = longer(p->rest);
    p->rest_until = now + p->rest;
    hk_store(&hocket__rt.wake_interval, p->rest);
}

/*
 * Is it worth a forced steal?  If the victim has not moved for its price, or is so slow (a
 * microsecond a task or more) that half of its queue is more work than that.  Its pace shows only
 * while it is watched: we may have slept since, and it too.
 */
static bool worth_robbing(const struct hocket__prey *p, uint32_t moved, uint32_t depth, int64_t now)
{
    int64_t watched = now - p->since;
    if (watched < ROB_AFTER || (moved > 0 && watched >= WATCH_TIME))
        return false;
    return moved * US <= watched && depth * watched >= 2 * (int64_t)moved * ROB_AFTER;
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
        uint32_t activity = hk_load(&v->activity), moved = activity - p->activity;
        /* Slow, or still at what it did when we robbed it: not one that spawns. */
        bool sure = depth <= p->depth && (moved > 0 || activity == p->robbed);
        if ((sure || now >= p->rest_until) && worth_robbing(p, moved, depth, now) &&
            rob(w, v, sure ? UINT32_MAX : portion(p))) {
            p->robbed = activity;
            p->victim = NULL; /* watched anew: it stood still while it was robbed */
            return true;
        }
        if (now - p->since < WATCH_TIME)
            return false;
    }
    p->victim = NULL;
    int n = hk_load_acq(&hocket__rt.count);
    for (int k = 1; k < n; k++) {
        v = hk_load_acq(&hocket__rt.workers[(w->index + k) % n]);
        depth = hocket__runq_depth(&v->q);
        if (depth == 0)
            continue;
        if (hocket__worker_away(v))
            return rob(w, v, UINT32_MAX);
        p->victim = v;
        p->activity = hk_load(&v->activity);
        p->depth = depth;
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

/* Somebody else may produce work while we spin. */
static bool worth_spinning(void)
{
    return hk_load(&hocket__rt.active) > 1 || hocket__foreign_threads() > 1;
}

/* True if there is a reason to go round again.  We count as one of `searching`. */
static bool search(struct hocket__worker *w)
{
    struct hocket__runtime *rt = &hocket__rt;
    int64_t start = hocket__ticks(), now = start, next_look = start;
    bool found = false, spin = worth_spinning() && hocket__fiber_ops.spin(NULL), asked = false;
    judge(w, now);
    do {
        found = take_injected(w);
        bool taken = found && asked; /* else they came from outside */
        if (!found && now >= next_look) {
            found = taken = hunt(w, now);
            next_look = now + LOOK_APART;
        }
        if (taken)
            note_taken(w);
        else if (!found)
            found = beg(w, now);
        if (found || hk_load(&rt->interrupted) || hocket__worker_done(w))
            break;
        if (now - start > ASK_AFTER && w->prey.victim && now >= w->prey.rest_until &&
            !hk_load(&rt->hungry)) {
            hk_store(&rt->hungry, portion(&w->prey));
            asked = true;
        }
        hk_spin_pause();
        now = hocket__ticks();
    } while (spin && now - start < SEARCH_TIME);
    if (hk_load(&rt->hungry))
        hk_store(&rt->hungry, 0);
    return found;
}

static void adapt(bool found)
{
    int64_t interval = hk_load(&hocket__rt.wake_interval);
    int64_t next = found ? 0 : longer(interval);
    if (next != interval)
        hk_store(&hocket__rt.wake_interval, next);
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
    if (hocket__worker_done(w) || hk_load(&rt->interrupted))
        return;
    w->woken = hocket__sleep(w);
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

/*
 * Woken as a searcher, but it is not to be: work turned up by itself, or the loop ends.  Then also
 * what others left to us while we searched is for somebody else.
 */
static void not_searching(struct hocket__worker *w, bool ends)
{
    if (hk_likely(!w->woken && !ends))
        return;
    if (w->woken)
        (void)hk_sub(&hocket__rt.searching, 1);
    w->woken = false;
    if (ends) {
        hk_fence_sc(); /* as in hocket__wake_one */
        if (hk_load(&hocket__rt.inject))
            hocket__wake_one();
    }
}

void hocket__left_flush(struct hocket__worker *w)
{
    uint32_t count = w->left_count;
    w->left_count = 0;
    hocket__sched_left_fn(w->left_scope, count);
}

hocket_task *hocket__sched_next(struct hocket__worker *w)
{
    hocket__fork_check("the end of a task");
    for (;;) {
        bool rare = ++w->tick % RUN_QUOTA == 0 || w->look || hocket__in_world();
        if (hk_unlikely(rare)) {
            w->look = w->passing = false;
            if (hocket__in_world())
                hocket__world->look();
            (void)take_injected(w);
            (void)fire_timers(w, true);
        }
        if (hk_unlikely(hk_load(&hocket__rt.interrupted)) &&
            hk_xchg(&hocket__rt.interrupted, false) && hocket__sched_pending) {
            w->passing = false;
            hocket__sched_pending();
        }
        if (hk_unlikely(hk_load(&w->driver) != NULL) && hocket__worker_done(w)) {
            not_searching(w, true);
            return NULL;
        }
        hocket_task *t = pop_local(w, rare);
        if (t) {
            not_searching(w, false);
            if (hk_load(&t->stack) || hk_load(&t->home) != w->left_scope)
                hocket__left_tell(w);
            return t;
        }
        w->passing = false;
        if (w->left_count > 0) {
            hocket__left_flush(w); /* whoever waited for them may be here now */
            continue;
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
