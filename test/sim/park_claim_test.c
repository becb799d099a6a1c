/* SPDX-License-Identifier: MIT */
/*
 * The wait word under every schedule: one outcome a wait, nothing lost, nothing twice.
 *
 * The object of these tests is the smallest there is: a guard, a queue and a number of
 * permits, written as park/wait.h prescribes.
 */
#include <errno.h>
#include <hocket.h>
#include <stdlib.h>

#include "park/cancel.h"
#include "park/wait.h"
#include "support/expect.h"
#include "support/plain_suite.h"
#include "support/explore.h"

static const struct hocket__wait_class permit_class = { "permit", NULL };

static struct permits {
    hocket__guard guard;
    struct hocket__link *waiters;
    int free;
} permits;

static int permit_take(hocket_time deadline, unsigned flags)
{
    hocket_task *self = hocket__self_must("permit_take");
    struct hocket__waiter node;
    hocket__guard_lock(&permits.guard);
    if (permits.free > 0) {
        permits.free--;
        hocket__guard_unlock(&permits.guard);
        return 0;
    }
    hocket__wait_begin(&node, self, &permit_class, &permits, flags);
    hocket__queue_push(&permits.waiters, &node.link);
    hocket__guard_unlock(&permits.guard);
    int err = hocket__wait_park(self, deadline);
    if (err) {
        hocket__guard_lock(&permits.guard);
        hocket__queue_remove(&permits.waiters, &node.link);
        hocket__guard_unlock(&permits.guard);
    }
    HK_EXPECT_EQ(node.done, err == 0);
    hocket__wait_end(self);
    return err;
}

static void permit_give(void)
{
    struct hocket__wakes wakes = { NULL, NULL };
    bool handed = false;
    hocket__guard_lock(&permits.guard);
    while (!handed && permits.waiters) {
        struct hocket__waiter *n = hk_container_of(permits.waiters, struct hocket__waiter, link);
        hocket_task *task = n->task;
        hocket__queue_remove(&permits.waiters, &n->link);
        handed = hocket__claim(task);
        if (handed) {
            n->done = 1;
            hocket__wakes_add(&wakes, task);
        }
    }
    if (!handed)
        permits.free++;
    hocket__guard_unlock(&permits.guard);
    hocket__wakes_run(&wakes);
}

struct waiter {
    hocket_time deadline;
    unsigned flags;
    int outcome;
    _Atomic(hocket_task *) task;
};

static void *waiter_main(void *arg)
{
    struct waiter *w = arg;
    atomic_store(&w->task, hocket_self());
    w->outcome = permit_take(w->deadline, w->flags);
    return NULL;
}

static void permits_reset(void)
{
    permits.free = 0;
    HK_EXPECT(permits.waiters == NULL);
}

/* Two waiters without deadline and two permits: both end, no permit is left. */
static void claim_body(void *arg)
{
    struct waiter w[2] = { { .deadline = HOCKET_FOREVER }, { .deadline = HOCKET_FOREVER } };
    (void)arg;
    permits_reset();
    int a = explore_start(waiter_main, &w[0]), b = explore_start(waiter_main, &w[1]);
    permit_give();
    permit_give();
    explore_join(a);
    explore_join(b);
    HK_EXPECT_EQ(w[0].outcome, 0);
    HK_EXPECT_EQ(w[1].outcome, 0);
    HK_EXPECT_EQ(permits.free, 0);
}

START_TEST(claim)
{
    explore("claim", claim_body, NULL, NULL);
}
END_TEST

/* A waiter with a deadline and a permit: either it got it, or it is there. */
static void timeout_body(void *arg)
{
    struct waiter w[2] = { { .deadline = hocket_after(5 * HOCKET_US) },
                           { .deadline = hocket_after(8 * HOCKET_US) } };
    (void)arg;
    permits_reset();
    int a = explore_start(waiter_main, &w[0]), b = explore_start(waiter_main, &w[1]);
    permit_give();
    explore_join(a);
    explore_join(b);
    HK_EXPECT(w[0].outcome == 0 || w[0].outcome == -ETIMEDOUT);
    HK_EXPECT(w[1].outcome == 0 || w[1].outcome == -ETIMEDOUT);
    HK_EXPECT_EQ(permits.free + (w[0].outcome == 0) + (w[1].outcome == 0), 1);
}

START_TEST(timeout)
{
    explore("timeout", timeout_body, NULL, NULL);
}
END_TEST

static void *canceller_main(void *arg)
{
    struct waiter *w = arg;
    hocket_task *task;
    explore_until((task = atomic_load(&w->task)) != NULL);
    hocket__cancel_task(task);
    return NULL;
}

/* Claim, cancel and time-out meet: one outcome, and the cancel is not forgotten. */
static void *cancelled_main(void *arg)
{
    struct waiter *w = arg;
    hocket_task *self = hocket_self();
    hk_store(&self->cancel_requested, false);
    atomic_store(&w->task, self);
    w->outcome = permit_take(w->deadline, w->flags);
    HK_EXPECT_EQ(hocket_sleep_until(HOCKET_FOREVER), -ECANCELED);
    return NULL;
}

static void cancel_body(void *arg)
{
    struct waiter w = { .deadline = explore_choice(2) ? HOCKET_FOREVER
                                                      : hocket_after(5 * HOCKET_US),
                        .flags = HOCKET__WAIT_CANCEL };
    (void)arg;
    permits_reset();
    int a = explore_start(cancelled_main, &w), b = explore_start(canceller_main, &w);
    permit_give();
    explore_join(a);
    explore_join(b);
    HK_EXPECT(w.outcome == 0 || w.outcome == -ECANCELED ||
              (w.outcome == -ETIMEDOUT && w.deadline != HOCKET_FOREVER));
    HK_EXPECT_EQ(permits.free + (w.outcome == 0), 1);
}

START_TEST(cancel)
{
    explore("cancel", cancel_body, NULL, NULL);
}
END_TEST

PLAIN_SUITE("park_claim", 0)
{
    suite_once(claim);
    suite_once(timeout);
    suite_once(cancel);
}
