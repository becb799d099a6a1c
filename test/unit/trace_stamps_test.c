/* SPDX-License-Identifier: MIT */
/* trace: a stamp is never before code of the program that ran earlier on the worker, nor too late. */
#include <stdatomic.h>
#include <string.h>

#include <hocket.h>

#include "park/watch.h"
#include "sched/worker.h"
#include "support/run.h"
#include "support/suite.h"
#include "sys/ticks.h"
#include "trace/ring.h"
#include "trace/share.h"
#include "trace/timeline.h"

/*
 * Each task says when it leaves its worker and looks, when it goes on, at the last event of the
 * ring: if that is its own START or RESUME, its stamp lies between what the one before said
 * and now.  All of it is the ring's own thread's.
 */
#define BITS (UINT64_MAX >> 8)

static struct {
    _Atomic uint64_t left; /* ticks; its fibers share it, in no order that TSan's second way sees */
    _Atomic uint64_t seen; /* `next` of the ring */
} lanes[HOCKET__RINGS_MAX];
static _Atomic unsigned entered, shared, named_shared;

static uint64_t ticks(void)
{
    return (uint64_t)hocket__ticks() & BITS;
}

static uint64_t word(const struct hocket__trace_ring *r, uint64_t n, unsigned i)
{
    return hk_load(&r->slots[n & r->mask].words[i]);
}

static void leave(void)
{
    struct hocket__trace_ring *r = hocket__trace_ring_here();
    HK_EXPECT(r != NULL);
    hk_store(&lanes[r->number].left, ticks());
}

/* The event before the last, past its text; `next` is behind the last. */
static uint64_t before_last(const struct hocket__trace_ring *r, uint64_t next)
{
    uint64_t n = next - 2;
    while (n > hk_load(&r->begin) && (word(r, n, 0) & 0xff) == HKT_TEXT)
        n--;
    return n;
}

static void came(void)
{
    uint64_t now = ticks();
    struct hocket__trace_ring *r = hocket__trace_ring_here();
    HK_EXPECT(r != NULL);
    uint64_t next = hk_load(&r->next), last = next - 1;
    uint64_t kind = word(r, last, 0) & 0xff, stamp = word(r, last, 0) >> 8;
    if ((kind != HKT_START && kind != HKT_RESUME) || hk_load(&lanes[r->number].seen) == next ||
        word(r, last, 1) != hocket_task_id(hocket_self()))
        return;
    hk_store(&lanes[r->number].seen, next);
    HK_EXPECT(stamp >= hk_load(&lanes[r->number].left));
    HK_EXPECT(stamp <= now);
    (void)hk_add(&entered, 1);
    if (next < hk_load(&r->begin) + 2)
        return;
    uint64_t n = before_last(r, next), was = word(r, n, 0) & 0xff;
    HK_EXPECT(word(r, n, 0) >> 8 <= stamp);
    if (word(r, n, 0) >> 8 != stamp)
        return;
    /* Two readings are never the same, so this is one; its own PARK gives a task none. */
    HK_EXPECT(was == HKT_EXIT || was == HKT_PARK || was == HKT_YIELD);
    HK_EXPECT(word(r, n, 1) != word(r, last, 1));
    (void)hk_add(&shared, 1);
    if (n != next - 2)
        (void)hk_add(&named_shared, 1);
}

/* Code of the program: so long that a stamp from before it shows. */
static void work(void)
{
    for (volatile int i = 0; i < 50; i++)
        continue;
}

/* ---- what tasks do ---- */

static hocket_queue *queue;

static int nothing(void *arg)
{
    (void)arg;
    came();
    work();
    leave();
    return 0;
}

static int yields(void *arg)
{
    (void)arg;
    came();
    for (int i = 0; i < 20; i++) {
        work();
        leave();
        HK_EXPECT_EQ(hocket_yield(), 0);
        came();
    }
    leave();
    return 0;
}

static int gets(void *arg)
{
    int value;
    (void)arg;
    came();
    for (int i = 0; i < 50; i++) {
        work();
        leave();
        HK_EXPECT_EQ(hocket_queue_get(queue, &value, HOCKET_FOREVER), 0);
        came();
    }
    leave();
    return 0;
}

static int puts_(void *arg)
{
    int value = 1;
    (void)arg;
    came();
    for (int i = 0; i < 50; i++) {
        work();
        leave();
        HK_EXPECT_EQ(hocket_queue_put(queue, &value, HOCKET_FOREVER), 0);
        came();
    }
    leave();
    return 0;
}

static hocket_task *spawned(hocket_scope *s, hocket_task_fn *fn)
{
    hocket_task *t;
    HK_EXPECT_EQ(hocket_spawn_task(&t, s, fn, NULL, NULL), 0);
    return t;
}

static void join(hocket_task *t)
{
    work();
    leave();
    HK_EXPECT_EQ(hocket_join(t, NULL, HOCKET_FOREVER), 0);
    came();
    hocket_task_release(t);
}

static int joins(void *arg)
{
    hocket_scope s; /* a cancel that reaches us reaches them, so they may run in place */
    (void)arg;
    came();
    hocket_scope_open(&s, NULL);
    for (int i = 0; i < 20; i++) {
        /* In place: nobody else has run between the two, but we have. */
        hocket_task *one = spawned(&s, nothing), *two = spawned(&s, i % 2 ? nothing : yields);
        join(two);
        join(one);
        /* It has begun, so we wait. */
        one = spawned(&s, yields);
        leave();
        HK_EXPECT_EQ(hocket_yield(), 0);
        came();
        join(one);
    }
    leave();
    HK_EXPECT_EQ(hocket_scope_close(&s), 0);
    came();
    leave();
    return 0;
}

static int naps(void *arg)
{
    (void)arg;
    came();
    leave();
    HK_EXPECT_EQ(hocket_sleep(HOCKET_US), 0);
    came();
    leave();
    return 0;
}

static int crowd(void *arg)
{
    static hocket_task_fn *const all[] = { nothing, yields, joins, naps };
    hocket_spawn_options named = HOCKET_SPAWN_OPTIONS_DEFAULT;
    hocket_scope s;
    (void)arg;
    named.name = "with a name";
    came();
    const hocket_queue_options o = { .size = sizeof o, .capacity = HOCKET_RENDEZVOUS };
    HK_EXPECT_EQ(hocket_queue_new(&queue, sizeof(int), &o), 0);
    for (int round = 0; round < run_scaled(10, 2); round++) {
        hocket_scope_open(&s, NULL);
        for (int i = 0; i < 40; i++) {
            hocket_task *t;
            HK_EXPECT_EQ(hocket_spawn_task(&t, &s, all[i % 4], NULL, i % 3 ? NULL : &named), 0);
            hocket_task_release(t);
        }
        HK_EXPECT_EQ(hocket_spawn(&s, gets, NULL), 0);
        HK_EXPECT_EQ(hocket_spawn(&s, puts_, NULL), 0);
        leave();
        HK_EXPECT_EQ(hocket_scope_close(&s), 0);
        came();
    }
    hocket_queue_free(queue);
    leave();
    return 0;
}

static void run_traced(hocket_task_fn *fn, int workers, unsigned events)
{
    hocket_trace_options o = HOCKET_TRACE_OPTIONS_DEFAULT;
    o.events = events;
    HK_EXPECT_EQ(hocket_trace_start("/dev/null", &o), 0);
    HK_EXPECT_EQ(hocket_run_with(fn, NULL,
                                 HOCKET_RUNTIME_OPTIONS(.workers = workers, .no_signals = true,
                                                        .watchdog = HOCKET_FOREVER)),
                 0);
    HK_EXPECT_EQ(hocket_trace_stop(), 0);
}

static void traced(int workers, unsigned events)
{
    run_traced(crowd, workers, events);
    HK_EXPECT(hk_load(&entered) > 0);
}

static int late(void *arg)
{
    const uint64_t *before = arg;
    struct hocket__trace_ring *r = hocket__trace_ring_here();
    HK_EXPECT(r != NULL);
    HK_EXPECT_EQ(word(r, hk_load(&r->next) - 1, 0) & 0xff, HKT_START);
    HK_EXPECT(word(r, hk_load(&r->next) - 1, 0) >> 8 >= *before);
    return 0;
}

static int from_a_thread(void *arg)
{
    (void)arg;
    for (int i = 0; i < 5; i++) {
        hocket_task *t;
        HK_EXPECT_EQ(hocket_sleep(HOCKET_MS), 0);
        uint64_t before = ticks();
        HK_EXPECT_EQ(hocket_spawn_task(&t, NULL, late, &before, NULL), 0);
        HK_EXPECT_EQ(hocket_join(t, NULL, HOCKET_FOREVER), 0);
        hocket_task_release(t);
    }
    return 0;
}

static int waits_for_a_thread(void *arg)
{
    hocket_task *t;
    (void)arg;
    HK_EXPECT_EQ(hocket_spawn_task(&t, NULL, from_a_thread, NULL,
                                   HOCKET_SPAWN_OPTIONS(.placement = HOCKET_ON_THREAD)),
                 0);
    HK_EXPECT_EQ(hocket_join(t, NULL, HOCKET_FOREVER), 0);
    hocket_task_release(t);
    return 0;
}

START_TEST(one_reading_for_two)
{
    traced(1, 0);
    HK_EXPECT(hk_load(&shared) > 0);
    HK_EXPECT(hk_load(&named_shared) > 0);
    unsigned so_far = hk_load(&shared);
    traced(1, 0); /* another trace, another worker, the same ring */
    HK_EXPECT(hk_load(&shared) > so_far);
}
END_TEST

START_TEST(on_several_workers)
{
    traced(4, HOCKET_TRACE_DEFAULT | HOCKET_TRACE_LOCKS);
}
END_TEST

/* Tasks run unseen between two events. */
START_TEST(of_single_classes)
{
    traced(1, HOCKET_TRACE_WAITS);
    traced(1, HOCKET_TRACE_TASKS);
    traced(1, 0);
}
END_TEST

/* The worker had nothing to do between two tasks, which no event says. */
START_TEST(after_a_sleep)
{
    run_traced(waits_for_a_thread, 1, HOCKET_TRACE_TASKS | HOCKET_TRACE_WAITS);
}
END_TEST

/* One task leaves and another goes on, with a pause of the trace between them or without. */
static int leaves_and_goes_on(void *arg)
{
    const bool *paused = arg;
    hocket_scope s;
    hocket_scope_open(&s, NULL);
    hocket_task *self = hocket_self(), *other = spawned(&s, nothing);
    hocket__watch_tell(HOCKET__EVENT_YIELD, self, NULL, 0);
    if (*paused)
        (void)hk_add(&hocket__share_edges, 1);
    hocket__watch_tell(HOCKET__EVENT_START, other, NULL, 0);
    const struct hocket__trace_ring *r = hocket__trace_ring_here();
    uint64_t next = hk_load(&r->next), was = word(r, next - 2, 0), is = word(r, next - 1, 0);
    HK_EXPECT_EQ(was & 0xff, HKT_YIELD);
    HK_EXPECT_EQ(is & 0xff, HKT_START);
    HK_EXPECT((was >> 8 == is >> 8) == !*paused);
    hocket_task_release(other);
    return hocket_scope_close(&s);
}

START_TEST(across_a_pause)
{
    bool paused = _i != 0;
    HK_EXPECT_EQ(hocket_trace_start("/dev/null", NULL), 0);
    HK_EXPECT_EQ(hocket_run_with(leaves_and_goes_on, &paused, HOCKET_RUNTIME_OPTIONS(.workers = 1)),
                 0);
    HK_EXPECT_EQ(hocket_trace_stop(), 0);
}
END_TEST

static void hook(hocket_task *task, void *context)
{
    (void)task;
    (void)context;
    work();
    leave();
}

static void hook_end(hocket_task *task, int result, void *context)
{
    (void)result;
    hook(task, context);
}

/* A hook is code of the program. */
START_TEST(behind_hooks)
{
    hocket_hooks h = HOCKET_HOOKS_DEFAULT;
    h.start = hook;
    h.unpark = hook_end;
    HK_EXPECT_EQ(hocket_hooks_set(&h, NULL), 0);
    traced(1, 0);
}
END_TEST

SUITE("trace stamps", 60)
{
    suite_once(one_reading_for_two);
    suite_once(on_several_workers);
    suite_once(of_single_classes);
    suite_once(after_a_sleep);
    suite_once(behind_hooks);
    tcase_add_loop_test(suite__case, across_a_pause, 0, 2);
}
