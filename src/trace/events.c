/* SPDX-License-Identifier: MIT */
/*
 * events - what the timeline's onlooker writes into the rings
 *
 * An event is 32 bytes: the processor's counter, and three words.  The counter is written whole,
 * and the writer takes the beginning of the trace off, so an event that is late does no harm.
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
#include "sched/worker.h"
#include "sys/ticks.h"
#include "trace/ring.h"
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

static inline uint64_t stamp(enum hkt_event_kind kind)
{
    return (uint64_t)hocket__ticks() << 8 | kind;
}

HK_NOINLINE void hocket__event_put(enum hkt_event_kind kind, uint64_t task, uint64_t object,
                                   uint64_t value)
{
    struct hocket__ring *r = hocket__ring_here();
    if (r == NULL || !hocket__ring_begin(r))
        return;
    uint64_t next = hk_load(&r->next);
    hocket__ring_put(r, next, stamp(kind), task, object, value);
    hocket__ring_end(r, next + 1);
}

void hocket__event_put_text(enum hkt_event_kind kind, uint64_t task, uint64_t object,
                            uint64_t value, const char *text)
{
    uint64_t words[HKT_TEXT_MAX / 8] = { 0 };
    size_t length = strnlen(text, HKT_TEXT_MAX);
    uint32_t slots = (uint32_t)((length + HKT_TEXT_BYTES - 1) / HKT_TEXT_BYTES);
    memcpy(words, text, length);
    struct hocket__ring *r = hocket__ring_here();
    if (r == NULL || !hocket__ring_begin(r))
        return;
    uint64_t next = hk_load(&r->next);
    hocket__ring_put(r, next++, stamp(kind), task, object, value);
    for (uint32_t i = 0; i < slots; i++) {
        const uint64_t *w = &words[3 * i];
        hocket__ring_put(r, next++, (uint64_t)(slots - 1 - i) << 8 | HKT_TEXT, w[0], w[1], w[2]);
    }
    hocket__ring_end(r, next);
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

/* A thread that has become a worker says so once. */
static void lane_label(void)
{
    struct hocket__worker *w = hocket__worker_here();
    struct hocket__ring *r = hocket__ring_here();
    if (w == NULL || r == NULL || hk_load(&r->worker) == w->index)
        return;
    hk_store(&r->worker, w->index);
    hocket__event_put(HKT_LANE_OF, 0, hk_load(&r->tid), (uint64_t)w->index + 1);
}

static void on_start(hocket_task *task)
{
    lane_label();
    hocket__event_put(HKT_START, id_of(task), 0, (uint64_t)(uintptr_t)task->fn);
}

static void on_sleep(void)
{
    lane_label();
    hocket__event_put(HKT_SLEEP, 0, 0, 0);
}

static void on_exit_task(const hocket_task *task, int64_t result)
{
    char name[HOCKET_NAME_MAX];
    if (hk_load(&task->named))
        hocket__event_put_text(HKT_EXIT, id_of(task), 0, (uint64_t)result,
                               hocket__task_name(task, name, sizeof name));
    else
        hocket__event_put(HKT_EXIT, id_of(task), 0, (uint64_t)result);
}

static void on_park(const hocket_task *task, const void *object)
{
    const struct hocket__wait_class *cls = hk_load(&task->wait_class);
    if (cls != NULL && cls->holder != NULL) {
        uint32_t slot = cls->holder(object, 0);
        hocket_task *holder = slot != HOCKET__HOLDER_UNKNOWN ? hocket__record_at(slot) : NULL;
        if (holder != NULL)
            hocket__event_put(HKT_HOLDER, id_of(task), address(object), id_of(holder));
    }
    /* A site here, its address in the file. */
    hocket__event_put(HKT_PARK, id_of(task), address(object),
                      HKT_PARK_VALUE(kind_number(cls), hocket__site_here()));
}

static void on_error(const hocket_task *task, const hocket_error *error)
{
    uint64_t id = error->task_id != 0 ? error->task_id : id_of(task);
    hocket__event_put_text(HKT_ERROR, id, 0, (uint64_t)(int64_t)error->code, error->message);
}

static void look(enum hocket__event event, hocket_task *task, const void *object, int64_t value)
{
    uint64_t v = (uint64_t)value;
    switch (event) {
    case HOCKET__EVENT_SPAWN:
        hocket__event_put(HKT_SPAWN, id_of(task), (uint64_t)(uintptr_t)task->fn,
                          id_of(hocket__self_or_null()));
        break;
    case HOCKET__EVENT_START: on_start(task); break;
    case HOCKET__EVENT_EXIT: on_exit_task(task, value); break;
    case HOCKET__EVENT_PARK: on_park(task, object); break;
    case HOCKET__EVENT_UNPARK:
        hocket__event_put(HKT_RESUME, id_of(task), address(object), v);
        break;
    case HOCKET__EVENT_READY:
        hocket__event_put(HKT_READY, id_of(task), address(hk_load(&task->wait_object)),
                          waker(value));
        break;
    case HOCKET__EVENT_YIELD: hocket__event_put(HKT_YIELD, id_of(task), 0, 0); break;
    case HOCKET__EVENT_BACK: hocket__event_put(HKT_RESUME, id_of(task), 0, 0); break;
    case HOCKET__EVENT_SLEEP: on_sleep(); break;
    case HOCKET__EVENT_AWAKE: hocket__event_put(HKT_AWAKE, 0, 0, 0); break;
    case HOCKET__EVENT_BLOCK: hocket__event_put(HKT_BLOCKING, id_of(task), 0, 0); break;
    case HOCKET__EVENT_UNBLOCK: hocket__event_put(HKT_UNBLOCKED, id_of(task), 0, 0); break;
    case HOCKET__EVENT_STEAL: hocket__event_put(HKT_STEAL, 0, v & UINT32_MAX, v >> 32); break;
    case HOCKET__EVENT_JOB:
        hocket__event_put(HKT_JOB_BEGIN, id_of(task), address(object), 0);
        break;
    case HOCKET__EVENT_JOB_END:
        hocket__event_put(HKT_JOB_END, id_of(task), address(object), v);
        break;
    case HOCKET__EVENT_ERROR: on_error(task, object); break;
    case HOCKET__EVENT_TAKEN:
        hocket__event_put(HKT_LOCK_TAKEN, id_of(task), address(object), v & HOCKET__LOCK_SHARED);
        break;
    case HOCKET__EVENT_GIVE:
        hocket__event_put(HKT_LOCK_GIVEN, id_of(task), address(object), 0);
        break;
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
