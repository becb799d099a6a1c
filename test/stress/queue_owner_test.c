/* SPDX-License-Identifier: MIT */
/*
 * Two fibers send numbers to and fro through queues without a buffer, which their worker comes to own, and a
 * thread cancels them, or takes part in it, at any moment: nobody is left waiting, no number is lost.
 *
 * The fibers take no guard, so this is where the membarrier of who takes the right away, and the fence
 * between a wait and its look at the cancels, meet a real processor.
 */
#include <errno.h>
#include <hocket/queue.h>
#include <sched.h>

#include "support/seeded.h"
#include "support/suite.h"

#include "base/atomic.h"
#include "sys/sanitizer.h"

static hocket_queue *there, *back;
static _Atomic uint32_t turns;

static int ping(void *arg)
{
    (void)arg;
    for (uint64_t n = 0;; n++) {
        uint64_t answer = 0;
        int err = hocket_queue_put(there, &n, HOCKET_FOREVER);
        if (err == 0)
            err = hocket_queue_get(back, &answer, HOCKET_FOREVER);
        if (err != 0)
            return err;
        HK_EXPECT_EQ(answer, n + 1);
        hk_store(&turns, hk_load(&turns) + 1);
    }
}

static int pong(void *arg)
{
    (void)arg;
    for (;;) {
        uint64_t n = 0;
        int err = hocket_queue_get(there, &n, HOCKET_FOREVER);
        n++;
        if (err == 0)
            err = hocket_queue_put(back, &n, HOCKET_FOREVER);
        if (err != 0)
            return err;
    }
}

static void expect_cancelled(hocket_task *t)
{
    int result = 0;
    hocket_cancel(t);
    HK_EXPECT_OK(hocket_join(t, &result, HOCKET_FOREVER));
    HK_EXPECT_EQ(result, -ECANCELED);
    hocket_task_release(t);
}

/* Take a number that is under way, and send it on: the two others do not notice. */
static void take_part(hocket_queue *q)
{
    uint64_t n;
    HK_EXPECT_OK(hocket_queue_get(q, &n, HOCKET_FOREVER));
    HK_EXPECT_OK(hocket_queue_put(q, &n, HOCKET_FOREVER));
}

static void await_turns(uint32_t number)
{
    while (hk_load(&turns) < number)
        (void)sched_yield();
}

static void meet(struct seeded *r)
{
    hocket_task *a, *b;
    HK_EXPECT_OK(hocket_queue_new(&there, sizeof(uint64_t),
                                  HOCKET_QUEUE_OPTIONS(.capacity = HOCKET_RENDEZVOUS)));
    HK_EXPECT_OK(hocket_queue_new(&back, sizeof(uint64_t),
                                  HOCKET_QUEUE_OPTIONS(.capacity = HOCKET_RENDEZVOUS)));
    hk_store(&turns, 0u);
    HK_EXPECT_OK(hocket_spawn_task(&a, NULL, ping, NULL, NULL));
    HK_EXPECT_OK(hocket_spawn_task(&b, NULL, pong, NULL, NULL));
    await_turns(seeded_below(r, 100));
    for (uint32_t i = seeded_below(r, 3); i > 0; i--) {
        take_part(seeded_below(r, 2) ? there : back);
        await_turns(hk_load(&turns) + seeded_below(r, 100));
    }
    for (uint32_t i = seeded_below(r, 1000); i > 0; i--)
        hk_barrier();
    bool first = seeded_below(r, 2);
    expect_cancelled(first ? a : b);
    expect_cancelled(first ? b : a);
    HK_EXPECT_EQ(hocket_queue_getters(there) + hocket_queue_putters(there), 0);
    HK_EXPECT_EQ(hocket_queue_getters(back) + hocket_queue_putters(back), 0);
    hocket_queue_free(there);
    hocket_queue_free(back);
}

static void rounds(int workers, const char *name)
{
    struct seeded r = seeded_of(seeded_begin(name), 0);
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = workers;
    HK_EXPECT_OK(hocket_runtime_start(&o));
    for (int i = HOCKET_ASAN || HOCKET_TSAN ? 200 : 1000; i > 0; i--)
        meet(&r);
    HK_EXPECT_OK(hocket_runtime_stop(HOCKET_FOREVER));
}

START_TEST(one_worker)
{
    rounds(1, "queue_owner_one_worker");
}
END_TEST

START_TEST(two_workers)
{
    rounds(2, "queue_owner_two_workers");
}
END_TEST

SUITE("queue_owner", 60)
{
    suite_once(one_worker);
    suite_once(two_workers);
}
