/* SPDX-License-Identifier: MIT */
/*
 * select against everything that may end it at once: of its cases exactly one happens, what
 * happened for no case is still there, and nobody sleeps for ever.
 */
#include "support/explored.h"

#include <hocket/select.h>

#include "support/queues.h"

static hocket_queue *a, *b;
static hocket_event event;

static void start(size_t capacity)
{
    a = queue_make(sizeof(int), HOCKET_FIFO, capacity);
    b = queue_make(sizeof(int), HOCKET_FIFO, capacity);
    memset(&event, 0, sizeof event);
}

static void end(size_t in_a, size_t in_b)
{
    HK_EXPECT_EQ(hocket_queue_length(a), in_a);
    HK_EXPECT_EQ(hocket_queue_length(b), in_b);
    HK_EXPECT_EQ(hocket_queue_getters(a) + hocket_queue_putters(a), 0);
    HK_EXPECT_EQ(hocket_queue_getters(b) + hocket_queue_putters(b), 0);
    hocket_queue_free(a);
    hocket_queue_free(b);
    hocket_event_destroy(&event);
}

static void *putter(void *queue)
{
    int value = 1;
    HK_EXPECT_OK(hocket_queue_put(queue, &value, HOCKET_FOREVER));
    return NULL;
}

static void *setter(void *arg)
{
    (void)arg;
    hocket_event_set(&event);
    return NULL;
}

/* Two puts and an event come while it lines up: one of them happens. */
EXPLORED(one_of_three, NULL)
{
    int value = 0;
    start(1);
    hocket_case cases[] = { hocket_case_get(a, &value), hocket_case_get(b, &value),
                            hocket_case_event(&event) };
    int p = explore_start(putter, a), q = explore_start(putter, b);
    int e = explore_start(setter, NULL);
    int i = hocket_select(cases, 3, HOCKET_FOREVER);
    HK_EXPECT(i >= 0 && cases[i].error == 0);
    HK_EXPECT_EQ(value, i < 2);
    explore_join(p);
    explore_join(q);
    explore_join(e);
    end(i != 0, i != 1);
}

/* An event that is set and cleared at once wakes who waits by then, or nobody. */
static void *pulse(void *arg)
{
    (void)arg;
    hocket_event_set(&event);
    hocket_event_clear(&event);
    return NULL;
}

EXPLORED(a_pulse_or_a_put, NULL)
{
    int value = 0;
    start(1);
    hocket_case cases[] = { hocket_case_event(&event), hocket_case_get(a, &value) };
    int e = explore_start(pulse, NULL), p = explore_start(putter, a);
    int i = hocket_select(cases, 2, HOCKET_FOREVER);
    HK_EXPECT(i >= 0 && value == i);
    explore_join(e);
    explore_join(p);
    end(i == 0, 0);
}

/* An event that is found set while a put has served the queue's case: the put is what happened. */
EXPLORED(an_event_or_a_put, NULL)
{
    int value = 0;
    start(1);
    hocket_case cases[] = { hocket_case_event(&event), hocket_case_get(a, &value) };
    int e = explore_start(setter, NULL), p = explore_start(putter, a);
    int i = hocket_select(cases, 2, HOCKET_FOREVER);
    HK_EXPECT(i >= 0 && value == i);
    explore_join(e);
    explore_join(p);
    end(i == 0, 0);
}

/* Two that meet: each of them puts or gets on both. */
static void *other_side(void *arg)
{
    int out = 0, *ret = arg;
    hocket_case cases[] = { hocket_case_get(a, &out), hocket_case_get(b, &out) };
    int i = hocket_select(cases, 2, HOCKET_FOREVER);
    HK_EXPECT(i >= 0 && cases[i].error == 0 && out == 7);
    *ret = i;
    return NULL;
}

EXPLORED(two_meet, NULL)
{
    int in = 7, theirs = -1;
    start(HOCKET_RENDEZVOUS);
    int t = explore_start(other_side, &theirs);
    hocket_case cases[] = { hocket_case_put(a, &in), hocket_case_put(b, &in) };
    int mine = hocket_select(cases, 2, HOCKET_FOREVER);
    explore_join(t);
    HK_EXPECT_EQ(mine, theirs);
    end(0, 0);
}

/* Both put and get, on the same two, crosswise: whoever serves, the books balance. */
static void *crosswise(void *arg)
{
    int in = 1, out = 0, *sum = arg;
    hocket_case cases[] = { hocket_case_put(b, &in), hocket_case_get(a, &out),
                            hocket_case_put(a, &in) };
    int i = hocket_select(cases, 3, HOCKET_FOREVER);
    HK_EXPECT(i >= 0 && out == (i == 1));
    *sum = i == 1 ? -1 : 1;
    return NULL;
}

EXPLORED(crossed, NULL)
{
    int sums[3];
    start(2);
    int t = explore_start(crosswise, &sums[0]), u = explore_start(crosswise, &sums[1]);
    (void)crosswise(&sums[2]);
    explore_join(t);
    explore_join(u);
    size_t left = hocket_queue_length(a) + hocket_queue_length(b);
    HK_EXPECT_EQ(sums[0] + sums[1] + sums[2], left);
    end(hocket_queue_length(a), left - hocket_queue_length(a));
}

/* A time, a close and a cancel against a put. */
static _Atomic(hocket_task *) selecting;
static size_t got;

static void *canceller(void *arg)
{
    hocket_task *t;
    (void)arg;
    explore_until((t = atomic_load(&selecting)) != NULL);
    hocket_cancel(t);
    atomic_store(&selecting, NULL);
    return NULL;
}

static void *selector(void *arg)
{
    int value = 0;
    hocket_case cases[] = { hocket_case_get(a, &value), hocket_case_get(b, &value),
                            hocket_case_timer(hocket_after(200)) };
    atomic_store(&selecting, hocket_self());
    int i = hocket_select(cases, arg != NULL ? 3 : 2, HOCKET_FOREVER);
    HK_EXPECT(i >= 0 || i == -ECANCELED);
    if (i == 0)
        HK_EXPECT_EQ(cases[0].error, 0);
    HK_EXPECT_EQ(value, i == 0);
    explore_until(atomic_load(&selecting) == NULL); /* the handle is ours to keep */
    got = i == 0;
    return NULL;
}

static void *closer(void *arg)
{
    (void)arg;
    (void)hocket_queue_close(b, HOCKET_CLOSE_DRAIN);
    return NULL;
}

EXPLORED(ended_by_anything, NULL)
{
    start(1);
    atomic_store(&selecting, NULL);
    int s = explore_start(selector, explore_choice(2) ? &event : NULL);
    int p = explore_start(putter, a), c = explore_start(canceller, NULL);
    int e = explore_start(closer, NULL);
    explore_join(s);
    explore_join(p);
    explore_join(c);
    explore_join(e);
    end(1 - got, 0);
}

/* The end of a task on a worker. */
static int set_and_end(void *arg)
{
    (void)arg;
    hocket_event_set(&event);
    return 5;
}

EXPLORED(ends_of_tasks, NULL)
{
    int result = 0;
    start(1);
    explored_runtime(2);
    hocket_task *t = explored_spawn(set_and_end, NULL);
    hocket_case cases[] = { hocket_case_join(t, &result), hocket_case_event(&event) };
    int i = hocket_select(cases, 2, HOCKET_FOREVER);
    HK_EXPECT(i == 0 || i == 1);
    HK_EXPECT_EQ(result, i == 0 ? 5 : 0);
    cases[1] = hocket_case_none();
    HK_EXPECT_EQ(hocket_select(cases, 2, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(result, 5);
    hocket_task_release(t);
    explored_runtime_end();
    end(0, 0);
}

SUITE("task_select", explored_limit())
{
    suite_once(one_of_three);
    suite_once(a_pulse_or_a_put);
    suite_once(an_event_or_a_put);
    suite_once(two_meet);
    suite_once(crossed);
    suite_once(ended_by_anything);
    suite_once(ends_of_tasks);
}
