/* SPDX-License-Identifier: MIT */
/*
 * events - what the timeline's onlooker writes into the rings
 *
 * An event is 32 bytes: the processor's counter, and three words.  The counter is written whole,
 * and the writer takes the beginning of the trace off, so an event that is late does no harm.
 *
 * Reading the counter is most of what an event costs.  So where a task leaves its worker (EXIT,
 * PARK, YIELD) and the worker goes on at once with another, the START or RESUME of that one has
 * the same stamp: between the two lie some hundred instructions of the library, no code of the
 * program, no system call and no search.  `passing` of the worker says so: it is set here when a
 * task leaves, and taken back by the loop where it does anything else.  The rule needs that
 * every task that runs is seen (both classes, no pause between) and that no hook is called.  Order stays
 * exact: the next task was in the queue of this very worker, where nobody else puts one, so nothing
 * on another lane lies between.  Only who left may have been woken there meanwhile; if it goes
 * on itself it takes a stamp of its own.  HOLDER and its PARK are one moment anyway.
 *
 * Who is the waker: the task that this thread is with.  A worker that is with none (its loop fires
 * timers, looks at descriptors) still has the last one's record in its thread-local, so `running`
 * is asked.
 */
#include "trace/timeline.h"

#include <errno.h>
#include <string.h>

#include "park/guard.h"
#include "park/watch.h"
#include "park/world.h"
#include "sched/worker.h"
#include "sys/ticks.h"
#include "task/fail.h"
#include "trace/ring.h"
#include "trace/share.h"
#include "trace/site.h"

_Atomic uint32_t hocket__tracing;

/* ---- kinds of waits ---- */

/* Classes are static constants, a few dozen: a table by address, in which nothing changes. */
#define KINDS 256u

static _Atomic(const struct hocket__wait_class *) kinds[KINDS];

/* Its number from 1 on, 0 if the table is full. */
static uint32_t kind_number(const struct hocket__wait_class *cls)
{
    uint32_t at = (uint32_t)((uintptr_t)cls >> 4) * 0x9e3779b1u >> 24;
    for (uint32_t i = 0; cls != NULL && i < KINDS; i++, at = (at + 1) % KINDS) {
        const struct hocket__wait_class *found = hk_load(&kinds[at]);
        if (found == NULL && hk_cas(&kinds[at], &found, cls))
            return at + 1;
        if (found == cls)
            return at + 1;
    }
    return 0;
}

uint32_t hocket__event_kinds(void)
{
    return KINDS;
}

const char *hocket__event_kind_name(uint32_t number)
{
    const struct hocket__wait_class *cls = hk_load(&kinds[number - 1]);
    return cls != NULL ? cls->name : NULL;
}

/* ---- one event ---- */

/* Bits beside the kind. */
#define LEAVES    0x100u /* a task leaves its worker */
#define ENTERS    0x200u /* a task goes on */
#define LABELS    0x400u /* the thread may have become a worker */
#define AGAIN     0x800u /* the second event of one moment */
#define KIND(how) ((how)&0xffu)

static inline uint64_t stamp(struct hocket__trace_ring *r, int64_t ticks)
{
    return r->last = (uint64_t)ticks << 8;
}

/* May the next task have the stamp of the one that left? */
static inline bool at_once(const struct hocket__trace_ring *r, struct hocket__worker *w,
                           uint64_t next, uint64_t task)
{
    if (w == NULL || !w->passing)
        return false;
    w->passing = false;
    return r->left == next && next > hk_load(&r->begin) && r->leaver != task &&
           r->left_edges == hk_load(&hocket__share_edges) && hk_load(&hocket__hooks) == NULL;
}

/* A task leaves: its event is the one before `next`. */
static inline void left(struct hocket__trace_ring *r, struct hocket__worker *w, uint64_t next,
                        uint64_t task)
{
    const uint32_t both = HKT_CLASS_TASKS | HKT_CLASS_WAITS;
    r->left = next;
    r->leaver = task;
    r->left_edges = hk_load(&hocket__share_edges);
    w->passing = (hk_peek(&hocket__tracing) & both) == both && !hocket__in_world() &&
                 hk_load(&hocket__hooks) == NULL;
}

static inline bool unlabelled(const struct hocket__trace_ring *r, const struct hocket__worker *w)
{
    return w != NULL && hk_load(&r->worker) != w->index;
}

static inline void end(struct hocket__trace_ring *r, uint64_t next)
{
    hocket__trace_ring_end(r, next);
    if (hk_unlikely(next >= r->turn)) {
        r->left = 0; /* a system call, perhaps: who goes on has a stamp of its own */
        hocket__share_turn(r, next);
    }
}

/* The first event of a thread, or as a worker; by another clock; in a handler inside an event; the
 * last one of a turn. */
static HK_NOINLINE void put_slowly(unsigned how, uint64_t task, uint64_t object, uint64_t value)
{
    struct hocket__worker *w = hocket__worker_here();
    struct hocket__trace_ring *r = hocket__trace_ring_here();
    if (w != NULL)
        w->passing = false;
    if (r == NULL || !hocket__trace_ring_begin(r))
        return;
    uint64_t next = hk_load(&r->next);
    if (how & LABELS && unlabelled(r, w)) {
        hk_store(&r->worker, w->index);
        hocket__trace_ring_put(r, next++, stamp(r, hocket__ticks()) | HKT_LANE_OF, 0,
                               hk_load(&r->tid), (uint64_t)w->index + 1);
    }
    hocket__trace_ring_put(r, next++, stamp(r, hocket__ticks()) | KIND(how), task, object, value);
    end(r, next);
}

/* Calls nothing on its way, so it needs no frame. */
static HK_NOINLINE void put(unsigned how, uint64_t task, uint64_t object, uint64_t value)
{
    struct hocket__worker *w = hocket__worker_here();
    struct hocket__trace_ring *r = hocket__trace_ring_there();
    if (hk_unlikely(r == NULL || (how & LABELS && unlabelled(r, w)) || hocket__ticks_by_clock ||
                    hk_peek(&r->busy) || hk_load(&r->next) >= r->turn)) {
        put_slowly(how, task, object, value);
        return;
    }
    (void)hocket__trace_ring_begin(r);
    uint64_t next = hk_load(&r->next);
    bool same = how & AGAIN || (how & ENTERS && at_once(r, w, next, task));
    uint64_t when = same ? r->last : stamp(r, hocket__ticks_counter());
    hocket__trace_ring_put(r, next++, when | KIND(how), task, object, value);
    if (how & LEAVES && w != NULL)
        left(r, w, next, task);
    hocket__trace_ring_end(r, next);
}

void hocket__event_put(enum hkt_event_kind kind, uint64_t task, uint64_t object, uint64_t value)
{
    put(kind, task, object, value);
}

static void put_text(unsigned how, uint64_t task, uint64_t object, uint64_t value, const char *text)
{
    uint64_t words[HKT_TEXT_MAX / 8] = { 0 };
    size_t length = strnlen(text, HKT_TEXT_MAX);
    uint32_t slots = (uint32_t)((length + HKT_TEXT_BYTES - 1) / HKT_TEXT_BYTES);
    memcpy(words, text, length);
    struct hocket__worker *w = hocket__worker_here();
    struct hocket__trace_ring *r = hocket__trace_ring_here();
    if (r == NULL || !hocket__trace_ring_begin(r))
        return;
    uint64_t next = hk_load(&r->next), when = stamp(r, hocket__ticks());
    hocket__trace_ring_put(r, next++, when | KIND(how), task, object, value);
    for (uint32_t i = 0; i < slots; i++) {
        const uint64_t *s = &words[3 * i];
        hocket__trace_ring_put(r, next++, (uint64_t)(slots - 1 - i) << 8 | HKT_TEXT, s[0], s[1],
                               s[2]);
    }
    if (how & LEAVES && w != NULL)
        left(r, w, next, task);
    end(r, next);
}

void hocket__event_put_text(enum hkt_event_kind kind, uint64_t task, uint64_t object,
                            uint64_t value, const char *text)
{
    put_text(kind, task, object, value, text);
}

/* ---- what the core tells ---- */

static inline uint64_t id_of(const hocket_task *task)
{
    return task != NULL ? hk_load(&task->id) : 0;
}

static uint64_t address(const void *object)
{
    return (uint64_t)(uintptr_t)object;
}

static uint64_t waker(int64_t how)
{
    struct hocket__worker *w = hocket__worker_here();
    if (how == -ETIMEDOUT || (w != NULL && hk_load(&w->running) == NULL))
        return 0;
    return id_of(hocket__self_or_null());
}

static HK_NOINLINE void on_exit_named(unsigned how, const hocket_task *task, uint64_t result)
{
    char name[HOCKET_NAME_MAX];
    put_text(how, id_of(task), 0, result, hocket__task_name(task, name, sizeof name));
}

static inline void on_exit_task(const hocket_task *task, uint64_t result)
{
    /* After a join in place code of the program goes on below. */
    unsigned how = HKT_EXIT | (hk_load(&task->in_place_of) == 0 ? LEAVES : 0);
    if (hk_unlikely(hk_load(&task->named)))
        on_exit_named(how, task, result);
    else
        put(how, id_of(task), 0, result);
}

static HK_NOINLINE void on_park(const hocket_task *task, const void *object)
{
    const struct hocket__wait_class *cls = hk_load(&task->wait_class);
    uint32_t site = hocket__site_here(); /* becomes an address in the file */
    unsigned how = HKT_PARK | LEAVES;
    if (cls != NULL && cls->holder != NULL) {
        uint32_t slot = cls->holder(object, 0);
        hocket_task *holder = slot != HOCKET__HOLDER_UNKNOWN ? hocket__record_at(slot) : NULL;
        if (holder != NULL) {
            put(HKT_HOLDER, id_of(task), address(object), id_of(holder));
            how |= AGAIN;
        }
    }
    put(how, id_of(task), address(object), HKT_PARK_VALUE(kind_number(cls), site));
}

static HK_NOINLINE void on_error(const hocket_task *task, const hocket_error *error)
{
    uint64_t id = error->task_id != 0 ? error->task_id : id_of(task);
    hocket__event_put_text(HKT_ERROR, id, 0, (uint64_t)(int64_t)error->code, error->message);
}

static void look(enum hocket__event event, hocket_task *task, const void *object, int64_t value)
{
    uint64_t id = id_of(task), at = address(object), v = (uint64_t)value;
    switch (event) {
    case HOCKET__EVENT_SPAWN:
        put(HKT_SPAWN, id, (uint64_t)(uintptr_t)task->fn, id_of(hocket__self_or_null()));
        break;
    case HOCKET__EVENT_START:
        put(HKT_START | ENTERS | LABELS, id, 0, (uint64_t)(uintptr_t)task->fn);
        break;
    case HOCKET__EVENT_EXIT: on_exit_task(task, v); break;
    case HOCKET__EVENT_PARK: on_park(task, object); break;
    case HOCKET__EVENT_UNPARK: put(HKT_RESUME | ENTERS, id, at, v); break;
    case HOCKET__EVENT_READY:
        put(HKT_READY, id, address(hk_load(&task->wait_object)), waker(value));
        break;
    case HOCKET__EVENT_YIELD: put(HKT_YIELD | LEAVES, id, 0, 0); break;
    case HOCKET__EVENT_BACK: put(HKT_RESUME | ENTERS, id, 0, 0); break;
    case HOCKET__EVENT_SLEEP: put(HKT_SLEEP | LABELS, 0, 0, 0); break;
    case HOCKET__EVENT_AWAKE: put(HKT_AWAKE, 0, 0, 0); break;
    case HOCKET__EVENT_BLOCK: put(HKT_BLOCKING, id, 0, 0); break;
    case HOCKET__EVENT_UNBLOCK: put(HKT_UNBLOCKED, id, 0, 0); break;
    case HOCKET__EVENT_STEAL: put(HKT_STEAL, 0, v & UINT32_MAX, v >> 32); break;
    case HOCKET__EVENT_JOB: put(HKT_JOB_BEGIN, id, at, 0); break;
    case HOCKET__EVENT_JOB_END: put(HKT_JOB_END, id, at, v); break;
    case HOCKET__EVENT_ERROR: on_error(task, object); break;
    case HOCKET__EVENT_TAKEN: put(HKT_LOCK_TAKEN, id, at, v & HOCKET__LOCK_SHARED); break;
    case HOCKET__EVENT_GIVE: put(HKT_LOCK_GIVEN, id, at, 0); break;
    default: break;
    }
}

static uint32_t bits_of(uint32_t classes)
{
    static const struct {
        uint32_t classes, events;
    } table[] = {
        { HKT_CLASS_TASKS, HOCKET__EVENT_BIT(HOCKET__EVENT_SPAWN) |
                               HOCKET__EVENT_BIT(HOCKET__EVENT_START) |
                               HOCKET__EVENT_BIT(HOCKET__EVENT_EXIT) },
        { HKT_CLASS_WAITS,
          HOCKET__EVENT_BIT(HOCKET__EVENT_PARK) | HOCKET__EVENT_BIT(HOCKET__EVENT_READY) |
              HOCKET__EVENT_BIT(HOCKET__EVENT_UNPARK) | HOCKET__EVENT_BIT(HOCKET__EVENT_YIELD) |
              HOCKET__EVENT_BIT(HOCKET__EVENT_BACK) },
        { HKT_CLASS_LOCKS,
          HOCKET__EVENT_BIT(HOCKET__EVENT_TAKEN) | HOCKET__EVENT_BIT(HOCKET__EVENT_GIVE) },
        { HKT_CLASS_JOBS,
          HOCKET__EVENT_BIT(HOCKET__EVENT_JOB) | HOCKET__EVENT_BIT(HOCKET__EVENT_JOB_END) },
        { HKT_CLASS_WORKERS,
          HOCKET__EVENT_BIT(HOCKET__EVENT_STEAL) | HOCKET__EVENT_BIT(HOCKET__EVENT_SLEEP) |
              HOCKET__EVENT_BIT(HOCKET__EVENT_AWAKE) | HOCKET__EVENT_BIT(HOCKET__EVENT_BLOCK) |
              HOCKET__EVENT_BIT(HOCKET__EVENT_UNBLOCK) },
    };
    uint32_t events = classes != 0 ? HOCKET__EVENT_BIT(HOCKET__EVENT_ERROR) : 0;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (classes & table[i].classes)
            events |= table[i].events;
    return events;
}

void hocket__events_record(uint32_t classes)
{
    hk_store(&hocket__tracing, classes);
    hocket__onlook(HOCKET__WATCH_TRACE, bits_of(classes), look);
}

void hocket__events_pause(bool pause)
{
    uint32_t all = bits_of(hk_load(&hocket__tracing));
    hocket__onlook(HOCKET__WATCH_TRACE, pause ? all & HOCKET__EVENT_BIT(HOCKET__EVENT_ERROR) : all,
                   look);
}
