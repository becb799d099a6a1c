/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_PARK_RECORD_H
#define HOCKET_PARK_RECORD_H

/*
 * record - struct hocket_task, the one record of everything that can wait
 *
 * Records live in slabs and are type-stable: once memory is a task record it
 * stays one until the process ends, so a stale pointer reads an old or a newer
 * task, never something else.  `slot` numbers the record for ever and is what
 * lock words store as owner; a task that ends while holding a lock panics, so
 * a slot is never reused while it owns something.  `id` is the public serial,
 * never used twice.
 *
 * Threads that Hocket did not start get a record at their first wait
 * (kind FOREIGN, given back by a thread-exit destructor).  Fibers and threads
 * spawned through the library get theirs from src/task.
 *
 * The fields are grouped so that a task that is spawned, run and joined without ever
 * waiting touches two cache lines.
 */

#include <hocket/fork.h>
#include <hocket/task.h>

#include "base/atomic.h"
#include "base/list.h"
#include "park/guard.h"
#include "park/tls.h"
#include "park/watch.h"

struct hocket__context;
struct hocket__stack;
struct hocket__worker;

/* Where a task is in its life (task/task.h has the transitions); see also hocket__life. */
enum hocket__life {
    HOCKET__LIFE_HELD = 1,          /* not started */
    HOCKET__LIFE_JOINERS = 8,       /* somebody waits in joiners */
    HOCKET__LIFE_RELEASED = 16,     /* nobody has a handle */
    HOCKET__LIFE_UNSEEN = 32,       /* it failed, and nobody has looked yet */
    HOCKET__LIFE_DONE = 0x4000,     /* ended: result and words are final */
    HOCKET__LIFE_FINISHED = 0x8000, /* the finisher touches the record no more */
    HOCKET__LIFE_OVER = HOCKET__LIFE_DONE | HOCKET__LIFE_FINISHED
};

/* Bits of queued_on above the number of a worker. */
enum hocket__queued {
    HOCKET__QUEUED_NUMBER = 0xfff, /* 1 + its index; only while fresh and in its queue */
    HOCKET__QUEUED_LOUD = 0x1000,  /* it never ends quietly: see task/task.h */
    HOCKET__QUEUED_QUIET = 0x2000  /* it runs on top of a joiner; then also LIFE_OVER */
};

enum hocket__task_kind { HOCKET__FOREIGN, HOCKET__THREAD, HOCKET__FIBER };

/*
 * The wait word, see park/wait.h for the transitions.
 */
enum hocket__wait_state {
    HOCKET__IDLE,            /* not in a wait */
    HOCKET__WAITING,         /* in a wait, still on the CPU; cannot be cancelled */
    HOCKET__WAITING_C,       /* likewise, can be cancelled */
    HOCKET__PARKED,          /* off the CPU */
    HOCKET__PARKED_C,        /* likewise, can be cancelled */
    HOCKET__CLAIMED_WAITING, /* a waker has won; complete() follows */
    HOCKET__CLAIMED_PARKED,  /* likewise, and the waiter is off the CPU */
    HOCKET__WOKEN,           /* outcome: 0 */
    HOCKET__TIMEDOUT,        /* outcome: -ETIMEDOUT */
    HOCKET__CANCELED         /* outcome: -ECANCELED */
};

/*
 * What a wait is about: one static constant a kind of object.
 *
 * `holder` gives the slot of the i-th task that must act before the waiter can
 * go on, 0 when there is no further one, HOCKET__HOLDER_UNKNOWN when that cannot
 * be said.  It is called only while the wait lasts, so it may read the object.
 */
struct hocket__wait_class {
    const char *name;
    uint32_t (*holder)(const void *object, unsigned i);
};
#define HOCKET__HOLDER_UNKNOWN UINT32_MAX

/* How a kind of task leaves the CPU and comes back. */
struct hocket__task_ops {
    /* Called with the wait word WAITING*; returns once it is WOKEN, TIMEDOUT or CANCELED. */
    void (*park)(struct hocket_task *self, hocket_time deadline);
    /* The wait word of `task` has just left PARKED*: make it run.  Any thread, also signal handlers. */
    void (*ready)(struct hocket_task *task);
    int (*yield)(struct hocket_task *self);
    /* Is spinning worth it: may the task with this slot be running on another CPU? */
    bool (*spin)(struct hocket_task *self);
};

enum hocket__task_flags {
    HOCKET__TASK_DAEMON = 1u << 0,
    HOCKET__TASK_HANDLE = 1u << 1, /* spawned with a handle */
    HOCKET__TASK_COPIED = 1u << 2, /* arg is a private copy to free */
    HOCKET__TASK_ROOT = 1u << 3,
    HOCKET__TASK_FORKED = 1u << 4,  /* it has forked: `forks` is in use */
    HOCKET__TASK_BRANCH = 1u << 5,  /* made of a branch, which is its `arg` */
    HOCKET__TASK_SERVICE = 1u << 6, /* works for the library: only the library may cancel it */
    HOCKET__TASK_PRODUCER = 1u << 7 /* it was declared as one: queue/producers.c */
};

#define HOCKET__HELD_READS 4
#define HOCKET__BORN_SHIFT 20 /* about a millisecond; wraps after 52 days */

struct hocket_task {
    /* ---- line 0: queueing, switching, cancel points; a yield touches no other */
    _Atomic uint32_t wait_state; /* enum hocket__wait_state */
    uint32_t slot;               /* for ever; what lock words hold */
    const struct hocket__task_ops *ops;
    struct hocket_task *run_next, *run_prev; /* in a run queue */
    _Atomic(struct hocket__stack *) stack;   /* where it is suspended; NULL = fresh or running */
    _Atomic uint32_t life;                   /* bits of enum hocket__life: task/task.h */
    uint32_t held_saved;                     /* locks held, while not on a CPU */
    uint32_t cancel_epoch;                   /* epoch that cancel_state belongs to */
    _Atomic uint16_t flags;                  /* enum hocket__task_flags */
    _Atomic uint16_t queued_on;              /* enum hocket__queued */
    _Atomic uint8_t kind;                    /* enum hocket__task_kind */
    int8_t priority;
    uint8_t stack_class;
    _Atomic bool named;            /* `name` holds one */
    uint8_t cancel_state;          /* enum hocket__cancel_state */
    bool linked;                   /* in home's list (guarded by home->guard) */
    _Atomic bool cancel_requested; /* hocket_cancel */
    uint8_t spin_luck;             /* thread.c: how well spinning went lately */

    /* ---- line 1: starting, ending, joining */
    union {
        hocket_task_fn *fn; /* until it has returned */
        int result;         /* from then on; final once DONE */
    };
    void *arg;
    _Atomic uint64_t id;                         /* 0 = the record is free */
    _Atomic(struct hocket__cancel_scope *) home; /* it was spawned into; NULL for foreign */
    struct hocket__cancel_scope *scopes; /* innermost scope it has open; `guard` to change */
    struct hocket__words *words;         /* hocket_fail */
    struct hocket__locals *locals;
    _Atomic uint32_t in_place_of; /* slot of the joiner it runs under, or 0; graph.c reads it */
    _Atomic uint32_t born;        /* when it was spawned: hocket__tick >> HOCKET__BORN_SHIFT */

    /* ---- line 2: the live wait record, written by the task, read by anybody */
    _Atomic(const struct hocket__wait_class *) wait_class; /* NULL = not waiting */
    _Atomic(const void *) wait_object;
    _Atomic hocket_time wait_deadline;
    _Atomic hocket_time wait_since; /* hocket__tick then; 0 = not known */
    _Atomic(const void *) wait_caller;
    _Atomic uint32_t wait_seq; /* +1 at each begin and end */
    hocket__guard guard;       /* joiners, and its stack of open scopes */
    uint32_t held_reads_more;  /* read locks beyond held_reads: then "unknown" */
    struct hocket__link *joiners;

    /* ---- line 3: its branches, at HOCKET__FORKS_AT; park/forks.h */
    struct hocket__forks forks;

    /* ---- seldom */
    _Atomic(const void *) held_reads[HOCKET__HELD_READS]; /* rwlocks held for reading */
    struct hocket__link home_link;                        /* in home->tasks when linked */
    _Atomic(const struct hocket__context *) context;      /* where a thread sleeps, for onlookers */
    _Atomic int tid;                                      /* of a thread; a fiber's means nothing */
    _Atomic char name[HOCKET_NAME_MAX];                   /* see named; read while it changes */
} __attribute__((aligned(64)));

_Static_assert(offsetof(hocket_task, forks) == HOCKET__FORKS_AT, "see hocket/detail/fork.h");

/* Bits of enum hocket__life, also of who has ended quietly. */
static inline uint32_t hocket__life(const hocket_task *t)
{
    uint32_t life = hk_load_acq(&t->life);                          /* pairs with publish_end */
    return life | (hk_load_acq(&t->queued_on) & HOCKET__LIFE_OVER); /* with end_quietly */
}

/* The calling task, NULL on a thread that the library has not seen. */
static inline hocket_task *hocket__self_or_null(void)
{
    return hocket__tls_self();
}

/* The calling task; attaches a foreign thread.  NULL only when out of memory. */
hocket_task *hocket__self_attach(void);

/* The same for callers that cannot fail: panics, naming the function, without memory. */
hocket_task *hocket__self_make(const char *function);

static inline hocket_task *hocket__self_must(const char *function)
{
    hocket_task *self = hocket__self_or_null();
    return hk_likely(self != NULL) ? self : hocket__self_make(function);
}

/* Set the running task of this thread and how many locks it holds (the scheduler, thread start). */
static inline void hocket__self_set(hocket_task *task, uint32_t held)
{
    hocket__tls_self_put(task);
    bool inline_locks = task && !hocket__watched(HOCKET__EVENTS_LOCK);
    hocket__tls_fast_put(inline_locks ? task->slot : 0, held);
}

static inline uint32_t hocket__self_held(void)
{
    return hocket__tls_held();
}

/* Both lines that a task touches which never waits, while the caller does something else; or NULL. */
static inline void hocket__record_prefetch(const hocket_task *task)
{
    uintptr_t at = (uintptr_t)task; /* with NULL there is no pointer behind it */
    __builtin_prefetch((const void *)at, 1);
    __builtin_prefetch((const void *)(at + 64), 1);
}

/* A free record with slot set and everything else zero, or NULL; and back (id must be 0). */
hocket_task *hocket__record_get(void);
void hocket__record_put(hocket_task *task);
/* The same for workers, chained by run_next.  A chunk in full, unless memory is short. */
#define HOCKET__RECORD_CHUNK 64u
unsigned hocket__record_get_chunk(hocket_task **ret_chain); /* returns how many */
void hocket__record_put_chunk(hocket_task *chunk);          /* a full one */
void hocket__record_put_chain(hocket_task *chain);          /* any number */

/* The record of a slot (1 .. limit-1), NULL if that slab does not exist; never faults. */
hocket_task *hocket__record_at(uint32_t slot);
uint32_t hocket__record_limit(void);

/*
 * The time as of a few milliseconds ago, for `born` and `wait_since`, which must cost no clock.  Written
 * by the monitor's tick, by workers that have slept and by whoever looks at the clock anyway.
 */
extern _Atomic hocket_time hocket__tick;

/* The next public id. */
uint64_t hocket__id_next(void);
uint64_t hocket__id_block(unsigned n); /* first of n */

/* Name of a task as users see it.  Async-signal-safe. */
char *hocket__task_name(const hocket_task *task, char *buffer, size_t size);

/* Called when a task that was declared as a producer ends. */
extern void (*_Atomic hocket__producer_ended)(hocket_task *task);

/* Called when a foreign thread ends, before its record is freed (locals register here). */
extern void (*hocket__foreign_exit)(hocket_task *task);

#endif
