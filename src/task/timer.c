/* SPDX-License-Identifier: MIT */
/*
 * timer - leader and followers over one heap
 *
 * Members are daemon tasks that all run the same loop.  One of them, the leader, sleeps until the first
 * timer is due.  It takes that timer, gives up the lead, and calls the callback itself; so that
 * the next timer does not wait for that, it spawns a follower before.  Whoever comes back from a
 * callback, or starts, leads if nobody does, and ends otherwise.  So there is one task more than
 * callbacks that wait, an expiry costs one spawn, and while callbacks are short the follower finds the
 * leader back in its place.  If timers are due without end, nobody leads, and a member rests after some
 * calls, for others' sake.  While one does, no member is spawned, and a second one ends instead.
 *
 * Invariant, whenever the guard is free: if a timer is pending, somebody leads, or is about to (a
 * member not in a callback, or one that was spawned and has not started), or memory for that was
 * lacking and members are in callbacks.  Who starts a timer spawns a member if he sees no leader, none
 * that rests, and none that was spawned.  One that could not get a stack never starts; STALE after its
 * spawn it does not count any more, and one too many does no harm.
 *
 * The leader sleeps until `until`, in vain if that timer is stopped.  Who puts in an earlier one
 * lowers `until` and wakes it.  Then it stays until it is past, whatever is stopped or moved meanwhile;
 * else who stops and starts few timers often wakes the leader for most of them.
 *
 * A timer is armed, or `late` or `again` while its callback runs, or not pending.  `running` says
 * who is in its callback.  After the guarded section that ends a call (finish), the member touches the
 * timer no more, so a stop that finds it not running, or was woken by that section, may free it.
 *
 * End of the runtime: members are cancelled as daemons.  A member that is cancelled leaves, and has a
 * follower spawned; one that is cancelled before it has done anything knows by that that it is the
 * end, and takes all timers out.  Nobody can cancel a member before, but its own callbacks.
 *
 * Lock order: the guard, then nothing.  Callbacks, spawns and memory come without it.  It is biased
 * (task/bias.h): a worker that starts and stops timers in a row pays for no locked instruction.
 */
#include <errno.h>

#include "base/alloc.h"
#include "base/panic.h"
#include "park/cancel.h"
#include "park/forked.h"
#include "sync/sync.h"
#include "sys/sys.h"
#include "task/bias.h"
#include "task/fail.h"
#include "task/task.h"
#include "task/timer.h"

#define STALE        (100 * HOCKET_MS)
#define CALLS_A_TURN 16

static struct {
    struct hocket__bias guard; /* all of this, the heap, and the timers */
    hocket_task *leader;
    hocket_time until;       /* the leader sleeps, or was woken to sleep */
    hocket_time starting_at; /* a member was spawned then, and has not started; 0: none */
    bool resting;            /* a member yields, and goes on then */
} clockwork;

#define guard (&clockwork.guard)

static uint32_t stop_holder(const void *object, unsigned i)
{
    const hocket_timer *t = object;
    if (i > 0)
        return 0;
    uint32_t slot = hk_load(&t->running);
    return slot != 0 ? slot : HOCKET__HOLDER_UNKNOWN;
}

static const struct hocket__wait_class leader_class = { "timers", NULL };
static const struct hocket__wait_class stop_class = { "timer", stop_holder };

static void lock(void)
{
    hocket__bias_lock(guard);
}

static void unlock(void)
{
    hocket__bias_unlock(guard);
}

/* ---- under the guard: times ---- */

static bool pending(const hocket_timer *t)
{
    return t->armed || t->late || t->again;
}

static void disarm(hocket_timer *t)
{
    hocket__timer_withdraw(t);
    t->late = t->again = false;
}

/* The leader, claimed, if it would sleep for too long. */
static hocket_task *arm(hocket_timer *t, hocket_time when)
{
    hocket__timer_enter(t, when);
    if (clockwork.leader == NULL || when >= clockwork.until)
        return NULL;
    clockwork.until = when;
    return hocket__claim(clockwork.leader) ? clockwork.leader : NULL;
}

static hocket_time plus(hocket_time a, hocket_time b)
{
    hocket_time sum;
    return __builtin_add_overflow(a, b, &sum) ? HOCKET_FOREVER : sum;
}

bool hocket__timers_pending(void)
{
    lock();
    bool pending_any = hocket__timer_any();
    unlock();
    return pending_any;
}

/* ---- members ---- */

static int member_main(void *arg);

/* Under the guard: should a member be spawned?  Then spawn must follow. */
static bool wants_member(void)
{
    if (clockwork.leader != NULL || clockwork.resting)
        return false;
    if (clockwork.starting_at != 0 && hocket__clock() - clockwork.starting_at < STALE)
        return false;
    clockwork.starting_at = hocket__clock();
    return true;
}

/* Without the guard. */
static int spawn_member(void)
{
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    o.name = "timers";
    o.daemon = true;
    int err = hocket__runtime_check();
    if (err == 0)
        err = hocket__spawn(NULL, &hocket__daemon_scope, member_main, NULL, &o,
                            HOCKET__TASK_SERVICE);
    if (err != 0) {
        lock();
        clockwork.starting_at = 0;
        unlock();
    }
    return err;
}

/*
 * The leader's sleep: nothing is due at `now`; with more entries to settle, until others had a turn.
 * The guard is held before and after.
 */
static void lead(hocket_task *self, hocket_time now)
{
    struct hocket__waiter node;
    hocket_time until = hocket__timer_settle() ? hocket__timer_first_key() : now;
    if (clockwork.until > now && clockwork.until < until)
        until = clockwork.until;
    clockwork.leader = self;
    clockwork.until = until;
    hocket__sync_begin(&node, self, &leader_class, NULL, true);
    hk_fence_sc(); /* the guard's unlock is none: park/wait.h wants one after the begin */
    unlock();
    (void)hocket__wait_park(self, until);
    lock();
    clockwork.leader = NULL; /* before the wait ends: who claims it finds it under the guard */
    hocket__wait_end(self);
}

/* ---- one call ---- */

static void call_fn(hocket_timer *t, hocket_task *self)
{
    const struct hocket__cancel_scope *scope = self->scopes;
    uint32_t held = hocket__self_held();
    int result = t->fn(t, t->arg);
    if (self->scopes != scope)
        hocket__panic("the callback of timer %p ended with an open scope", (void *)t);
    if (hocket__self_held() != held)
        hocket__panic("the callback of timer %p ended while holding %d lock(s)", (void *)t,
                      (int)(hocket__self_held() - held));
    if (result < 0 && !(result == -ECANCELED && hocket__cancelled(self))) {
        struct hocket__words *words = hocket__words_for(self, result);
        hocket__words_report(words);
        hocket__words_unref(words);
    }
    hocket__words_unref(self->words);
    self->words = NULL;
}

/* The callback has returned.  Under the guard; `t` is not to be touched afterwards. */
static void finish(hocket_timer *t, struct hocket__wakes *wakes)
{
    hk_store(&t->running, 0u);
    t->inner = 0;
    struct hocket__waiter *stopper;
    while ((stopper = hocket__queue_claim(&t->stoppers)) != NULL)
        hocket__wakes_add(wakes, stopper->task);
    hocket_time when = t->late ? t->when : t->again ? plus(hocket__clock(), t->period) : 0;
    bool comes = t->late || t->again;
    t->late = t->again = t->overruled = false;
    hocket_task *leader = comes ? arm(t, when) : NULL;
    if (leader != NULL)
        hocket__wakes_add(wakes, leader);
}

static void destroy(hocket_timer *t);

/* The guard is held before and after. */
static void call(hocket_timer *t, hocket_task *self, bool dropped)
{
    struct hocket__wakes wakes = { NULL, NULL };
    hk_store(&t->running, self->slot);
    t->calls += !dropped;
    bool spawn = !dropped && wants_member();
    unlock();
    if (spawn)
        (void)spawn_member(); /* without memory the others wait for this one */
    if (dropped)
        t->dropped(t->arg);
    else
        call_fn(t, self);
    lock();
    bool freed = t->freed;
    finish(t, &wakes);
    if (wakes.first == NULL && !freed)
        return;
    unlock();
    hocket__wakes_run(&wakes);
    if (freed)
        destroy(t);
    lock();
}

/* Take the first timer that is due at `now` and is to be called; see to when it comes next. */
static hocket_timer *take_due(hocket_time now)
{
    hocket_timer *t;
    while (hocket__timer_settle() && (t = hocket__timer_first()) != NULL && t->when <= now) {
        bool runs = hk_load(&t->running) != 0, rate = t->period > 0 && t->how == HOCKET_FIXED_RATE;
        disarm(t); /* its entry is settled next */
        if (rate) {
            hocket_time over = (now - t->when) / t->period; /* whole periods late */
            t->missed += (uint64_t)over + runs;
            (void)arm(t, plus(t->when, plus(over * t->period, t->period)));
        } else if (runs) {
            t->late = true;
        }
        if (!runs) {
            t->again = t->period > 0 && !rate;
            return t;
        }
    }
    return NULL;
}

/* The runtime ends.  The guard is held before and after. */
static void drop_all(hocket_task *self)
{
    hocket_timer *t;
    clockwork.until = HOCKET_NOW; /* the next runtime's leader has not slept */
    while ((t = hocket__timer_first()) != NULL) {
        bool drops = t->armed && t->dropped != NULL && hk_load(&t->running) == 0;
        disarm(t);
        hocket__timer_remove(t);
        if (drops)
            call(t, self, true);
    }
}

static int member_main(void *arg)
{
    hocket_task *self = hocket__self_or_null();
    bool fresh = true;
    unsigned calls = 0;
    (void)arg;
    lock();
    clockwork.starting_at = 0;
    while (clockwork.leader == NULL) {
        if (hocket__cancelled(self)) {
            bool spawn = !fresh && wants_member();
            unlock();
            bool last = fresh || (spawn && spawn_member() != 0);
            lock();
            if (last)
                drop_all(self);
            break;
        }
        fresh = false;
        hocket_time now = hocket__clock();
        hocket_timer *t = take_due(now);
        if (t == NULL) {
            lead(self, now);
            continue;
        }
        call(t, self, false);
        if (++calls % CALLS_A_TURN == 0) { /* timers may be due without end */
            if (clockwork.resting)
                break; /* that one goes on */
            clockwork.resting = true;
            unlock();
            (void)self->ops->yield(self); /* no cancel point */
            lock();
            clockwork.resting = false;
        }
    }
    unlock();
    return 0;
}

/* ---- the calls of users ---- */

int hocket_timer_new(hocket_timer **ret_timer, hocket_timer_fn *fn, void *arg)
{
    hocket_timer *t = hocket__calloc(1, sizeof *t);
    if (t == NULL)
        return -ENOMEM;
    int err = hocket__timer_reserve(t, guard);
    if (err != 0) {
        hocket__free(t);
        return err;
    }
    t->fn = fn;
    t->arg = arg;
    *ret_timer = t;
    return 0;
}

/* Nobody uses it any more, and it is not pending. */
static void destroy(hocket_timer *t)
{
    lock();
    void *chain = hocket__timer_unreserve(t);
    unlock();
    hocket__timer_release(chain);
    hocket__free(t->owned);
    hocket__free(t);
}

/* Under the guard: is the caller the callback, or does it run for it? */
static bool is_inside(const hocket_timer *t, const hocket_task *self)
{
    return self != NULL && (hk_load(&t->running) == self->slot || t->inner == self->slot);
}

static int start(hocket_timer *t, hocket_time when, hocket_time period, int how)
{
    hocket__touch("start timer", t);
    hocket__fork_check("hocket_timer_start");
    lock();
    if (hk_unlikely(clockwork.leader == NULL) && wants_member()) {
        unlock();
        int err = spawn_member();
        if (err != 0)
            return err;
        lock();
    }
    if (hk_unlikely(t->overruled) && is_inside(t, hocket__self_or_null())) {
        unlock();
        return 0; /* who waits in stop or free has the last word */
    }
    t->overruled = false;
    disarm(t);
    t->period = period;
    t->how = (uint8_t)how;
    t->missed = 0;
    hocket_task *leader = arm(t, when > HOCKET_NOW ? when : HOCKET_NOW);
    unlock();
    if (leader != NULL)
        hocket__complete(leader);
    return 0;
}

int hocket_timer_start(hocket_timer *t, hocket_time when)
{
    return start(t, when, 0, 0);
}

int hocket_timer_start_every(hocket_timer *t, hocket_time first, hocket_time period, int how)
{
    if (period < 1 || (how != HOCKET_FIXED_RATE && how != HOCKET_FIXED_DELAY))
        return -EINVAL;
    /* The first point counts for the grid: "at once" is now. */
    return start(t, first > HOCKET_NOW ? first : hocket_now(), period, how);
}

void hocket__timer_inner(hocket_timer *t, const hocket_task *task)
{
    lock();
    t->inner = task != NULL ? task->slot : 0;
    unlock();
}

/* Until the call is over that runs now.  The guard is held before, and not after. */
static int await_end(hocket_timer *t, hocket_task *self, hocket_time deadline, bool cancel)
{
    struct hocket__waiter node;
    hocket__sync_begin(&node, self, &stop_class, t, cancel);
    hocket__queue_push(&t->stoppers, &node.link);
    hk_fence_sc(); /* as in lead */
    unlock();
    int err = hocket__wait_park(self, deadline);
    if (err != 0) {
        lock();
        hocket__queue_forget(&t->stoppers, &node);
        unlock();
    }
    hocket__wait_end(self);
    return err;
}

int hocket_timer_stop(hocket_timer *t, hocket_time deadline)
{
    hocket__touch("stop timer", t);
    hocket_task *self = hocket__self_or_null();
    lock();
    bool was = pending(t);
    disarm(t);
    int err = self != NULL ? hocket__cancel_point(self) : 0;
    if (hk_likely(err != 0 || hk_load(&t->running) == 0 || is_inside(t, self))) {
        t->overruled = t->overruled || (hk_load(&t->running) != 0 && !is_inside(t, self));
        unlock();
        return err != 0 ? err : was;
    }
    t->overruled = true;
    if (self == NULL) {
        unlock();
        self = hocket__self_must("hocket_timer_stop");
        lock();
    }
    if (hk_load(&t->running) == 0)
        unlock();
    else
        err = await_end(t, self, deadline, true);
    return err != 0 ? err : was;
}

bool hocket_timer_pending(hocket_timer *t)
{
    lock();
    bool is = pending(t);
    unlock();
    return is;
}

hocket_time hocket_timer_next(hocket_timer *t)
{
    lock();
    hocket_time when = t->armed || t->late ? t->when : HOCKET_FOREVER;
    unlock();
    return when;
}

uint64_t hocket_timer_calls(hocket_timer *t)
{
    lock();
    uint64_t n = t->calls;
    unlock();
    return n;
}

uint64_t hocket_timer_missed(hocket_timer *t)
{
    lock();
    uint64_t n = t->missed;
    unlock();
    return n;
}

void hocket_timer_free(hocket_timer *t)
{
    if (t == NULL)
        return;
    hocket_task *self = hocket__self_or_null();
    lock();
    disarm(t);
    hocket__timer_remove(t);
    if (t->stoppers != NULL)
        hocket__panic("hocket_timer_free: somebody waits in hocket_timer_stop for timer %p",
                      (void *)t);
    bool runs = hk_load(&t->running) != 0, inside = runs && is_inside(t, self);
    t->freed = inside;
    t->overruled = runs;
    unlock();
    if (inside)
        return;
    if (runs) {
        self = hocket__self_must("hocket_timer_free");
        lock();
        if (hk_load(&t->running) != 0)
            (void)await_end(t, self, HOCKET_FOREVER, false);
        else
            unlock();
    }
    destroy(t);
}
