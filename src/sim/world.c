/* SPDX-License-Identifier: MIT */
/*
 * world - places, and who goes on
 *
 * A place is an event of park/watch.h that the running task passes.  There the strategy is asked who
 * goes on: the task itself, one that is ready, or time.  Who is sent off the CPU is kept here.  Where
 * a task waits or ends, the scheduler's loop asks (hocket__world.next), and the same choice is
 * made among those that are ready.
 *
 * READY is told under guards and STEAL does not happen: they are only written down.
 */
#include "sim/world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sched/poll.h"
#include "sim/atoms.h"
#include "sys/sanitizer.h"
#include "sys/stack.h"
#include "task/task.h"

#define W hocket__sim_world

#define EPOCH      (INT64_C(1000) * HOCKET_SEC) /* what the clock shows at first */
#define LIST_MAX   64
#define YIELD_TIME HOCKET_US /* of a yield when there is nobody to yield to */

struct sim_world hocket__sim_world;
void (*hocket__sim_failed)(void);

void hocket__sim_fail(int failure, int value)
{
    W.shared->failure = failure;
    W.shared->value = value;
    W.shared->ended = true;
    hocket__sim_trace_close();
    struct hocket__stack *left = W.killed ? hk_load(&W.killed->stack) : NULL;
    if (left) /* TSan waits a second for threads that it takes to be there still */
        hocket__tsan_destroy(left->tsan_fiber);
    if (hocket__sim_failed)
        hocket__sim_failed();
    (void)fflush(NULL);
    _exit(0);
}

void *hocket__sim_map(size_t size)
{
    void *memory;
    if (hocket__sys_linux.map(size, &memory) == 0)
        return memory;
    (void)snprintf(W.shared->message, sizeof W.shared->message, "no memory for the world");
    hocket__sim_fail(HOCKET_SIM_CRASH, -ENOMEM);
}

struct sim_task *hocket__sim_running(void)
{
    struct hocket__worker *w = hocket__worker_here();
    hocket_task *self = w ? hk_load(&w->running) : NULL;
    return self && self == hocket__self_or_null() ? hocket__sim_task(self) : NULL;
}

/* ---- who is ready ---- */

static void keep(struct sim_task *t)
{
    t->kept = true;
    if (!W.kept) {
        t->next = t->prev = t;
        W.kept = t;
        return;
    }
    t->next = W.kept;
    t->prev = W.kept->prev;
    t->prev->next = t->next->prev = t;
}

static void unkeep(struct sim_task *t)
{
    t->kept = false;
    if (W.kept == t)
        W.kept = t->next == t ? NULL : t->next;
    t->prev->next = t->next;
    t->next->prev = t->prev;
}

static bool gather(struct sim_task *t, bool delayed, uint32_t most)
{
    if (t->delayed == delayed)
        W.ready[W.ready_count++] = t;
    return W.ready_count < most;
}

/* Lists are in order of readiness: of a long one the oldest are enough to choose from. */
static void gather_list(const struct hocket__runlist *list, bool delayed)
{
    uint32_t most = W.ready_count + LIST_MAX;
    for (hocket_task *t = list->first; t && gather(hocket__sim_task(t), delayed, most);)
        t = t->run_next;
}

static void gather_all(struct hocket__worker *w, bool delayed)
{
    gather_list(&w->q.resumed, delayed);
    for (int i = 0; i < HOCKET__PRIORITIES; i++)
        gather_list(&w->q.fresh[i], delayed);
    uint32_t most = W.ready_count + LIST_MAX;
    struct sim_task *t = W.kept;
    while (t && gather(t, delayed, most))
        t = t->next == W.kept ? NULL : t->next;
    if (W.thread && !delayed)
        W.ready[W.ready_count++] = W.thread;
}

/* Fill W.ready with all that could go on but the running task. */
uint32_t hocket__sim_ready(struct hocket__worker *w)
{
    W.ready_count = 0;
    gather_all(w, false);
    if (W.ready_count == 0 && W.plan->sweep == HOCKET_SIM_DELAY)
        gather_all(w, true);
    return W.ready_count;
}

/* The same for a thread that is no worker: what it has made ready is not in the worker's queue yet. */
static uint32_t ready_for_thread(struct hocket__worker *w)
{
    uint32_t most = hocket__sim_ready(w) + LIST_MAX;
    for (hocket_task *t = hk_load(&hocket__rt.inject);
         t && gather(hocket__sim_task(t), false, most);)
        t = t->run_next;
    return W.ready_count;
}

/* Out of wherever it is ready. */
static void take(struct hocket__worker *w, struct sim_task *t)
{
    struct hocket__runq *q = &w->q;
    if (t->kept) {
        unkeep(t);
        return;
    }
    hocket__runq_lock(q);
    if (hk_load(&t->task->stack)) {
        hocket__runlist_remove(&q->resumed, t->task);
        hk_store(&q->resumed_count, hk_load(&q->resumed_count) - 1);
    } else {
        hocket__runq_unlink_fresh(q, t->task);
        hk_store(&t->task->queued_on, 0);
    }
    hocket__runq_unlock(q);
}

/* ---- time ---- */

/* What tasks have written since may be what others wait for, whose time must not be over then. */
static void look(void)
{
    bool quiet = W.quiet;
    if (hocket__poll_waiting() == 0)
        return;
    W.quiet = true;
    hocket__poll_turn(0);
    W.quiet = quiet;
}

bool hocket__sim_jump(struct hocket__worker *w)
{
    look();
    hocket_time first = hk_load(&w->timers.first);
    if (first == HOCKET_FOREVER)
        return false;
    W.now = first > W.now ? first : W.now;
    (void)hocket__timers_fire(&w->timers, W.now);
    return true;
}

static bool time_may_pass(struct hocket__worker *w)
{
    hocket_time first = hk_load(&w->timers.first);
    return first != HOCKET_FOREVER && W.plan->max_delay >= 0 && first - W.now <= W.plan->max_delay;
}

/* ---- choices ---- */

/* What is asked at a place. */
struct how {
    bool yields, atom;
};

static void count_place(struct sim_task *who, bool still)
{
    who->step++;
    W.turn++;
    W.now += still ? 0 : W.tick;
    if (++W.shared->choices > W.plan->max_choices) {
        (void)snprintf(W.shared->message, sizeof W.shared->message,
                       "livelock: no end after %u choices", W.plan->max_choices);
        hocket__sim_fail(HOCKET_SIM_LIVELOCK, 0);
    }
}

/*
 * Ask who goes on: of W.ready, to which `self`, if it can go on, is added as the last.  Written
 * down is what is not obvious.
 */
static struct sim_task *choose(struct hocket__worker *w, struct sim_task *self, struct how how)
{
    for (;;) {
        if (self)
            W.ready[W.ready_count++] = self;
        struct sim_question q = { self ? (int)W.ready_count - 1 : -1, how.yields, time_may_pass(w),
                                  how.atom };
        int pick = hocket__sim_pick(&q);
        if (pick == SIM_CLOCK) {
            hocket__sim_log(SIM_TIME, 1);
            (void)hocket__sim_jump(w);
            (void)hocket__sim_ready(w);
            continue;
        }
        struct sim_task *t = W.ready[pick];
        if (pick != hocket__sim_obvious(&q))
            hocket__sim_log(SIM_GO, t->number);
        t->ran = W.turn;
        return t;
    }
}

/* It is the thread's turn: the loop leaves the seat to it. */
static void end_turn(void)
{
    hocket_task *task = W.thread->task;
    W.thread = NULL;
    W.quiet = true;
    if (hocket__claim(task))
        hocket__complete(task);
    W.quiet = false;
}

static void leave_for(struct hocket__worker *w, struct sim_task *self, struct sim_task *next)
{
    bool thread = next == W.thread;
    bool fresh = thread || hk_load(&next->task->stack) == NULL;
    keep(self);
    W.current = next;
    W.shared->switches++;
    if (thread)
        end_turn();
    else if (fresh)
        W.forced = next;
    else
        take(w, next);
    hocket__loop_leave(self->task, fresh ? NULL : next->task);
}

/* The running task has come to a place. */
static void pass(struct sim_task *self, struct how how)
{
    struct hocket__worker *w = hocket__worker_here();
    W.current = self;
    count_place(self, how.atom && !how.yields);
    if (W.plan->sweep)
        hocket__sim_sweep_place(self);
    if (how.yields)
        look();
    if (hocket__sim_ready(w) == 0) {
        if (!how.yields)
            return;
        /* It spins: for what only time can bring, or for ever. */
        W.now += YIELD_TIME;
        if (!time_may_pass(w) || !hocket__sim_jump(w) || hocket__sim_ready(w) == 0)
            return;
    }
    struct sim_task *next = choose(w, self->delayed ? NULL : self, how);
    if (next != self)
        leave_for(w, self, next);
}

/*
 * The thread that has started the runtime, and goes on with its own work, has come to a place.  When
 * it is sent off it waits like anybody else, so that the tasks run on its seat.
 */
void hocket__sim_thread_place(const char *what, const void *object, bool yields)
{
    static const struct hocket__wait_class turn_class = { "turn", NULL };
    hocket_task *task = hocket__self_or_null();
    struct hocket__worker *w = hk_load(&hocket__rt.workers[0]);
    if (W.quiet || W.thread || !task || hk_load(&task->kind) != HOCKET__FOREIGN || !w ||
        hocket__worker_here() || hk_load(&task->wait_state) != HOCKET__IDLE || hocket_main_task() ||
        hk_load(&hocket__runtime_state) != HOCKET__RUNTIME_ON)
        return;
    if (yields)
        look();
    if (ready_for_thread(w) == 0 && yields) {
        W.now += YIELD_TIME; /* it spins: for what only time can bring, or for ever */
        (void)hocket__sim_jump(w);
    }
    if (ready_for_thread(w) == 0)
        return;
    struct sim_task *self = hocket__sim_task(task);
    self->what = what;
    self->object = hocket__sim_object(object);
    hocket__sim_trace(self, what, self->object);
    W.current = self;
    count_place(self, false);
    struct sim_task *next = choose(w, self, (struct how){ yields, false });
    if (next == self)
        return;
    struct hocket__waiter node;
    W.thread = self;
    W.forced = next;
    W.shared->switches++;
    hocket__wait_begin(&node, task, &turn_class, NULL, 0);
    (void)hocket__wait_park(task, HOCKET_FOREVER);
    hocket__wait_end(task);
}

static void note(hocket_task *task, const char *what, const void *object)
{
    struct sim_task *t = task ? hocket__sim_task(task) : &W.nobody;
    hocket__sim_trace(t, what, hocket__sim_object(object));
}

static void come_to(struct sim_task *self, const char *what, const void *object, struct how how)
{
    self->inside++;
    self->what = what;
    self->object = hocket__sim_object(object);
    hocket__sim_trace(self, what, self->object);
    pass(self, how);
    self->inside--;
}

void hocket__sim_place(const char *what, const void *object)
{
    struct sim_task *self = W.quiet ? NULL : hocket__sim_running();
    if (!self) {
        hocket__sim_thread_place(what, object, false);
        return;
    }
    come_to(self, what, object, (struct how){ false, false });
}

void hocket__sim_point_place(struct sim_task *self, const char *what, const void *object,
                             bool spins)
{
    come_to(self, what, object, (struct how){ spins, true });
}

/*
 * Behind something that was done for another task: what comes next is the caller's own, up to its
 * next place.  The exhaustive search has enough with that one.
 */
static void touch(const char *what, const void *object)
{
    if (W.plan->sweep)
        hocket__sim_sweep_touch(what, object);
    bool behind = strcmp(what, "wake") == 0 || strcmp(what, "spawn") == 0;
    if (behind && W.plan->strategy == HOCKET_SIM_EXHAUSTIVE)
        note(hocket__self_or_null(), what, object);
    else
        hocket__sim_place(what, object);
}

static void yield(hocket_task *task)
{
    struct sim_task *self = hocket__sim_running();
    if (!self || self->task != task)
        return;
    come_to(self, "yield", NULL, (struct how){ true, false });
}

/* The loop: who ran has waited or ended. */
static hocket_task *next(struct hocket__worker *w)
{
    struct sim_task *t = W.forced;
    if (t) {
        W.forced = NULL;
    } else {
        if (hocket__sim_ready(w) == 0)
            return NULL;
        if (!W.current)
            W.current = &W.nobody;
        count_place(W.current, false);
        t = choose(w, NULL, (struct how){ false, false });
    }
    if (t == W.thread) {
        W.current = t;
        end_turn();
        return NULL;
    }
    take(w, t);
    W.current = t;
    return t->task;
}

static void within(int change)
{
    struct sim_task *self = hocket__sim_running();
    if (self)
        self->within += change;
}

static const struct hocket__world world = {
    .next = next, .look = look, .yield = yield, .within = within
};

/* ---- the events ---- */

static const char *lock_word(enum hocket__event event, int64_t how)
{
    bool shared = (how & HOCKET__LOCK_SHARED) != 0;
    if (event == HOCKET__EVENT_GIVE)
        return shared ? "unlock shared" : "unlock";
    if (how & HOCKET__LOCK_TRY)
        return shared ? "trylock shared" : "trylock";
    return shared ? "lock shared" : "lock";
}

static void see(enum hocket__event event, hocket_task *task, const void *object, int64_t value)
{
    switch (event) {
    case HOCKET__EVENT_WANT:
    case HOCKET__EVENT_GIVE: hocket__sim_place(lock_word(event, value), object); break;
    case HOCKET__EVENT_TOUCH: touch((const char *)(intptr_t)value, object); break;
    case HOCKET__EVENT_PARK:
        if (W.plan->sweep && hocket__sim_running())
            hocket__sim_sweep_wait(hocket__sim_running());
        hocket__sim_place("wait", object);
        break;
    case HOCKET__EVENT_EXIT: hocket__sim_place("end", task); break;
    case HOCKET__EVENT_JOB:
        within(1);
        hocket__sim_place("job", object);
        break;
    case HOCKET__EVENT_JOB_END:
        hocket__sim_place("job end", object);
        within(-1);
        break;
    case HOCKET__EVENT_SPAWN: (void)hocket__sim_task(task); break; /* it gets its number */
    case HOCKET__EVENT_START: note(task, "begin", NULL); break;
    case HOCKET__EVENT_UNPARK:
        note(task, value == 0 ? "woken" : value == -ECANCELED ? "cancelled" : "timed out", object);
        break;
    case HOCKET__EVENT_READY: note(task, "ready", NULL); break;
    default: break;
    }
}

static void onlook(enum hocket__event event, hocket_task *task, const void *object, int64_t value)
{
    struct sim_task *self = W.plan->atoms && !W.quiet ? hocket__sim_running() : NULL;
    if (self)
        self->inside++;
    see(event, task, object, value);
    if (self)
        self->inside--;
}

#define EVENTS                                                                           \
    (HOCKET__EVENT_BIT(HOCKET__EVENT_WANT) | HOCKET__EVENT_BIT(HOCKET__EVENT_GIVE) |     \
     HOCKET__EVENT_BIT(HOCKET__EVENT_TOUCH) | HOCKET__EVENT_BIT(HOCKET__EVENT_PARK) |    \
     HOCKET__EVENT_BIT(HOCKET__EVENT_EXIT) | HOCKET__EVENT_BIT(HOCKET__EVENT_JOB) |      \
     HOCKET__EVENT_BIT(HOCKET__EVENT_JOB_END) | HOCKET__EVENT_BIT(HOCKET__EVENT_SPAWN) | \
     HOCKET__EVENT_BIT(HOCKET__EVENT_START) | HOCKET__EVENT_BIT(HOCKET__EVENT_UNPARK) |  \
     HOCKET__EVENT_BIT(HOCKET__EVENT_READY))

/* ---- opening ---- */

void hocket__sim_open(struct sim_shared *shared)
{
    static const int64_t ticks[] = { 0, 100, 1000, 20000 };
    W.began = hocket__sys_linux.clock();
    shared->opened = true;
    W.shared = shared;
    W.plan = &shared->plan;
    W.tasks = hocket__sim_map(SIM_TASKS_MAX * sizeof *W.tasks);
    W.ready = hocket__sim_map((LIST_MAX * (HOCKET__PRIORITIES + 3) + 2) * sizeof *W.ready);
    W.random = W.plan->seed * UINT64_C(0x2545f4914f6cdd1d) + 1;
    W.chance = ~W.plan->seed;
    W.now = EPOCH;
    W.tick = ticks[hocket__sim_random(&W.random) % 4];
    W.current = &W.nobody;
    hocket__sim_strategy_start();
    hocket__sim_trace_open();
    W.open = true;
    hocket__sim_sys_open();
    hocket__world = &world;
    hocket__onlook(HOCKET__WATCH_WORLD, EVENTS, onlook);
    hocket__sim_atoms_open();
    if (hocket__self_or_null()) /* its inline locks would tell nothing */
        hocket__self_set(hocket__self_or_null(), hocket__self_held());
}
