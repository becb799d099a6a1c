/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SCHED_WORKER_H
#define HOCKET_SCHED_WORKER_H

/*
 * worker - the state of one worker and of the runtime; inside src/sched only
 *
 * A worker is an OS thread that runs loops (sched/loop.c).  Its native stack only
 * starts and ends it.  The first worker of hocket_run is the calling thread; a runtime
 * without workers has one that whichever thread waits takes in turn.
 *
 * Who writes what: fields under "owner" are touched by the worker's thread alone (and
 * by a thief under the revoked bias, where said); "shared" fields are atomics.
 */

#include "park/cancel.h"
#include "park/thread.h"
#include "park/wait.h"
#include "sched/runq.h"
#include "sched/sched.h"
#include "sched/timer.h"
#include "sys/stack.h"
#include "sys/sys.h"

#define HOCKET__WORKERS_MAX 1024
#define HOCKET__IDS         64 /* of tasks: a block for a worker */

/* What is left to do for the stack we came from, once we stand on the next one. */
enum hocket__post {
    HOCKET__POST_NONE,
    HOCKET__POST_PARK,   /* the task is off the CPU: publish that */
    HOCKET__POST_YIELD,  /* the task is off the CPU and ready */
    HOCKET__POST_UNLOCK, /* the task is off the CPU and in the queue, which is still locked */
    HOCKET__POST_IDLE,   /* the stack carries an idle loop: keep it */
    HOCKET__POST_FREE    /* the stack is of a large class: give it back */
};

/* Whom a searcher has in mind. */
struct hocket__prey {
    struct hocket__worker *victim; /* had work when we looked last */
    uint32_t activity, depth;      /* its counter and the length of its queue then */
    uint32_t robbed;               /* the counter of whom we robbed last, at that moment */
    int64_t since;                 /* ticks */
    uint32_t taken;                /* how many tasks we took last */
    int64_t taken_at;              /* ticks */
    unsigned worthwhile;           /* how often in a row that was more work than taking them */
    int64_t rest, rest_until;      /* ticks; so long growing queues are left alone */
    hocket_task *forker;           /* was asked for a branch */
    int64_t asked;                 /* ticks */
};

enum hocket__sleep_state { HOCKET__AWAKE, HOCKET__ASLEEP, HOCKET__NOTIFIED };

struct hocket__worker {
    /* ---- owner, hot */
    struct hocket__runq q;       /* also thieves, under its bias */
    struct hocket__stack *stack; /* the one we stand on; NULL on the native stack */
    struct hocket__stack *idle;  /* suspended or blank loops, chained by next */
    unsigned idle_count;
    unsigned tick;
    bool look;    /* the next dispatch looks at the shared places too */
    bool woken;   /* by a waker that counted us as searching */
    bool lent;    /* made to replace one that is stuck or blocked */
    bool passing; /* a task left it, and it goes on at once with another: see trace/events.c */
    enum hocket__post post;
    hocket_task *post_task;
    struct hocket__stack *post_stack;
    hocket_task *records; /* free task records, by run_next: a chunk at most */
    unsigned record_count;
    hocket_task *spare_records; /* a chunk, or NULL */
    uint64_t id_next, id_end;   /* ids not used yet */
    struct hocket__prey prey;
    struct hocket__cancel_scope *left_scope; /* tasks of it have ended here, */
    uint32_t left_count; /* so many, that it has not been told of: hocket__left_tell */
    int64_t wake_after;  /* ticks: no depth-one wake of a sleeper before */
    _Atomic uint64_t spawned, switches, steals, wakes_sent; /* written by the owner only */

    /* ---- shared */
    struct hocket__timers timers __attribute__((aligned(64)));
    _Atomic uint32_t sleep;         /* enum hocket__sleep_state; futex */
    _Atomic hocket_time keeps;      /* asleep until then at most; FOREVER: keeps no time */
    _Atomic uint32_t activity;      /* +1 a dispatch: the watchdog and thieves watch it */
    _Atomic(hocket_task *) running; /* for the watchdog; NULL in the loop */
    _Atomic uint32_t blocked;       /* depth of hocket_blocking_begin */
    _Atomic bool retire;            /* lent, and not needed for long: ends */
    _Atomic bool gone;              /* its thread has ended (or never started) */
    _Atomic bool is_spare;          /* lend.c */
    _Atomic bool is_seat;           /* nobody is at it while `driver` is NULL */
    struct hocket__worker *spare_next;

    /* ---- set at start */
    int index;
    uint16_t number;      /* index + 1 */
    uint16_t queued;      /* what a task says that was spawned here and may end quietly */
    _Atomic bool started; /* has a thread of its own */
    struct hocket__thread thread;
    struct hocket__stack native;   /* only sp and the sanitizer fields are used */
    _Atomic(hocket_task *) driver; /* record of the native thread while it drives */
    _Atomic int tid;               /* of the thread that is or was the last to drive it */

    /* ---- monitor only */
    uint32_t seen_activity;
    hocket_time seen_at;
    hocket_time stuck_since;
    bool reported;
};

struct hocket__runtime {
    /* read-mostly */
    _Atomic bool running;
    bool fenced;          /* no membarrier: owners pay for their fences */
    _Atomic bool threads; /* helper threads may be made (workers > 0) */
    _Atomic int target;   /* configured workers; 0 = calling thread alone */
    _Atomic int count;    /* workers[0 .. count-1] exist */
    _Atomic bool stopping;
    struct hocket__worker *_Atomic workers[HOCKET__WORKERS_MAX];

    /* work for anybody: a stack, taken whole */
    _Atomic(hocket_task *) inject __attribute__((aligned(64)));

    /* idle workers */
    _Atomic uint64_t idle_mask[HOCKET__WORKERS_MAX / 64] __attribute__((aligned(64)));
    _Atomic int sleeping;          /* bits set in idle_mask */
    _Atomic int searching;         /* workers that look for work */
    _Atomic uint32_t hungry;       /* some searcher waits for a gift of so many at most */
    _Atomic bool interrupted;      /* a signal: somebody is to call the pending function */
    _Atomic int64_t wake_interval; /* ticks between wakes that found nothing: adapts */
    _Atomic int active;            /* workers neither blocked nor gone */
    _Atomic int stuck;             /* of these, kept by one task for long; the monitor's count */

    _Atomic uint64_t lent;
    void (*report)(hocket_task *task, hocket_time ran); /* watchdog message */
    hocket_time watchdog;
};

extern struct hocket__runtime hocket__rt;

/* A counter of the owner's that others may read: no locked instruction. */
#define hocket__count(counter) hk_store(&(counter), hk_load(&(counter)) + 1)

/* It will not come to the tasks in its queue by itself. */
HOCKET_UNSEEN static inline bool hocket__worker_away(struct hocket__worker *w)
{
    return hk_load(&w->blocked) > 0 || hk_load(&w->gone) ||
           (hk_load(&w->is_seat) && hk_load(&w->driver) == NULL);
}

/* What a fresh task's queued_on says while it is in the queue of `w`, if it came from elsewhere. */
static inline uint16_t hocket__queued_loud(const struct hocket__worker *w)
{
    return w->number | (uint16_t)HOCKET__QUEUED_LOUD;
}

/* Never keep the result across a possible switch. */
static inline struct hocket__worker *hocket__worker_here(void)
{
    return hocket__tls_worker();
}

/* idle.c */
hocket_task *hocket__sched_next(struct hocket__worker *w);
void hocket__pushed(struct hocket__worker *w); /* queued locally, and somebody sleeps or asks */
bool hocket__worker_done(struct hocket__worker *w);

void hocket__sched_inject(hocket_task *first, hocket_task *last); /* from anywhere, signal-safe */

/* sleep.c */
void hocket__wake_one(void);
void hocket__wake_worker(struct hocket__worker *w);
void hocket__wake_all(void);
bool hocket__time_kept(void); /* some sleeper wakes up for the first deadline */
/* Until woken or the first timer; true if somebody woke us (we then count as searching). */
bool hocket__sleep(struct hocket__worker *w);

/* The functions of the config, kept. */
extern void (*hocket__sched_run_fn)(hocket_task *task);
extern void (*hocket__sched_start_failed)(hocket_task *task, int error);
extern void (*hocket__sched_pending)(void);
extern void (*hocket__sched_left_fn)(struct hocket__cancel_scope *scope, uint32_t count);
extern bool (*hocket__sched_outside)(bool for_cancel);
extern void (*hocket__sched_quiescent)(void);

/* loop.c */
void hocket__loop_enter(struct hocket__worker *w); /* from the native stack; returns when done */
bool hocket__loop_reserve(struct hocket__worker *w);
bool hocket__loop_surplus(const struct hocket__worker *w); /* it has more stacks than it may keep */
void hocket__loop_give_back(struct hocket__worker *w);     /* the surplus, to the shared list */
void hocket__loop_leave(hocket_task *self, hocket_task *next);
extern const struct hocket__task_ops hocket__fiber_ops;

/* native.c */
void hocket__native_bounds(struct hocket__worker *w);

/* lend.c */
void hocket__lend(void);                             /* one more worker, if not too many */
bool hocket__worker_spare(struct hocket__worker *w); /* too many: wait aside; false: go on */

/* runtime.c */
int hocket__worker_start(bool lent);

/*
 * Tasks of one scope that end one after the other are counted out of it together: it is told before
 * the worker turns to anything but a fresh task of the same scope, and that one is not at its
 * end yet.  So nobody waits longer for it, and a tiny task ends without a locked instruction.
 */
void hocket__left_flush(struct hocket__worker *w);

HOCKET_UNSEEN static inline void hocket__left_tell(struct hocket__worker *w)
{
    if (hk_unlikely(w->left_count > 0))
        hocket__left_flush(w);
}

/* One more; by the loop, at the end of a task that it has begun. */
HOCKET_UNSEEN static inline void hocket__left_add(struct hocket__worker *w,
                                                  struct hocket__cancel_scope *scope)
{
    if (hk_unlikely(w->left_scope != scope)) {
        hocket__left_tell(w);
        w->left_scope = scope;
    }
    w->left_count++;
}

/* The worker is with this task now. */
HOCKET_UNSEEN static inline void hocket__running_set(struct hocket__worker *w, hocket_task *t)
{
    hk_store(&w->running, t);
    hocket__count(w->activity);
}

/*
 * ---- records and ids of the worker's own, inline for hocket_spawn ----
 *
 * Of records a chunk that it takes from and puts to, and a full one behind it, so that neither a
 * get after a put nor a put after a get needs the list that all share.
 */

hocket_task *hocket__records_fill(struct hocket__worker *w);
void hocket__records_drain(struct hocket__worker *w, hocket_task *t);
uint64_t hocket__ids_fill(struct hocket__worker *w);

HOCKET_UNSEEN static inline hocket_task *hocket__sched_record_get(struct hocket__worker *w)
{
    if (hk_unlikely(!w || !w->records))
        return w ? hocket__records_fill(w) : hocket__record_get();
    hocket_task *t = w->records;
    hocket__nosync_acquire(t);
    w->records = t->run_next;
    hocket__record_prefetch(w->records); /* the next spawn's */
    w->record_count--;
    return t;
}

HOCKET_UNSEEN static inline void hocket__sched_record_put(struct hocket__worker *w, hocket_task *t)
{
    if (hk_unlikely(!w || w->record_count == HOCKET__RECORD_CHUNK)) {
        hocket__records_drain(w, t);
        return;
    }
    hocket__nosync_release(t);
    t->run_next = w->records;
    w->records = t;
    w->record_count++;
}

HOCKET_UNSEEN static inline uint64_t hocket__sched_id(struct hocket__worker *w)
{
    if (hk_unlikely(!w || w->id_next == w->id_end))
        return w ? hocket__ids_fill(w) : hocket__id_next();
    return w->id_next++;
}

/* One is left, the caller has looked. */
HOCKET_UNSEEN static inline uint64_t hocket__sched_id_left(struct hocket__worker *w)
{
    return w->id_next++;
}

/* The caller has opened the queue of its worker; the task goes into it, and it is closed. */
HOCKET_UNSEEN static inline void hocket__sched_spawn_into(struct hocket__worker *w, hocket_task *t,
                                                          struct hocket__runlist *list,
                                                          uint16_t queued)
{
    hk_store(&t->queued_on, queued);
    hocket__runq_push_fresh_to(&w->q, list, t);
    hocket__runq_unlock(&w->q);
    hocket__count(w->spawned);
    if (hk_unlikely(hk_load(&hocket__rt.sleeping) > 0 || hk_load(&hocket__rt.hungry)))
        hocket__pushed(w);
}

/*
 * Queue a fresh fiber task (fields filled) to run.  Others may know it already, if it was held, and look where
 * it is: so it is loud.
 */
HOCKET_UNSEEN static inline void hocket__sched_spawn(struct hocket__worker *w, hocket_task *t)
{
    hocket__nosync_release(t); /* a held one: what was done since hocket__spawn */
    if (hk_unlikely(!w || !hocket__runq_trylock(&w->q)))
        hocket__sched_inject(t, t);
    else
        hocket__sched_spawn_into(w, t, hocket__runq_fresh_list(&w->q, t), hocket__queued_loud(w));
}

/* A task of priority 0, into a queue that was opened. */
HOCKET_UNSEEN static inline void hocket__sched_spawn_opened(struct hocket__worker *w,
                                                            hocket_task *t)
{
    hocket__nosync_release(t);
    hocket__sched_spawn_into(w, t, &w->q.fresh[HOCKET__PRIORITY_USUAL], w->queued);
}

/*
 * Take a fresh task out of the calling worker's own queue to run it here.  False
 * if it is not there (any more), or there is not enough stack left below this frame.
 */
HOCKET_UNSEEN static inline bool hocket__sched_claim(struct hocket__worker *w, hocket_task *task)
{
    if (!w || (hk_load(&task->queued_on) & ~HOCKET__QUEUED_LOUD) != w->number)
        return false;
    struct hocket__stack *s = w->stack;
    char *here = (char *)__builtin_frame_address(0);
    /* In the upper half of it, and not on some stack of the user's own. */
    if (!s || task->stack_class > s->class_index ||
        (size_t)(here - s->base) - s->size / 2 >= s->size / 2)
        return false;
    hocket__runq_lock(&w->q);
    uint16_t queued = hk_load(&task->queued_on);
    bool mine = (queued & ~HOCKET__QUEUED_LOUD) == w->number;
    if (mine) {
        hocket__record_prefetch(task->run_next); /* a batch is joined as it was spawned */
        hocket__runq_unlink_fresh(&w->q, task);
        hk_store(&task->queued_on, queued == w->number ? HOCKET__QUEUED_QUIET : 0);
    }
    hocket__runq_unlock(&w->q);
    return mine;
}

/* monitor.c */
int hocket__monitor_start(void);
void hocket__monitor_stop(void);
void hocket__monitor_kick(void);
size_t hocket__monitor_threads(void);

/* blocking.c */
void hocket__blocking_init(int max);
void hocket__blocking_stop(void);
size_t hocket__blocking_threads(void);

#endif
