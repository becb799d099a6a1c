/* SPDX-License-Identifier: MIT */
/*
 * The run queue under its biased lock: one owner, thieves, and a handler on the owner's thread.
 *
 * The test build takes the fenced way, which schedules without store buffers can check: each
 * task is taken exactly once, the lists and their counts stay whole.
 */
#include "support/explored.h"

#include "sched/runq.h"

#define TASKS 5

static struct hocket__runq queue;
static hocket_task tasks[TASKS];
static _Atomic int taken[TASKS];
static _Atomic bool owner_done;

static void start(void)
{
    memset((void *)&queue, 0, sizeof queue);
    memset((void *)tasks, 0, sizeof tasks);
    memset((void *)taken, 0, sizeof taken);
    atomic_store(&owner_done, false);
    hocket__runq_init(&queue);
}

static void take(hocket_task *t)
{
    HK_EXPECT(t >= tasks && t < tasks + TASKS);
    HK_EXPECT_EQ(atomic_fetch_add(&taken[t - tasks], 1), 0);
}

static bool pop(void)
{
    hocket__runq_lock(&queue);
    hocket_task *t = hocket__runq_pop_resumed(&queue);
    if (!t)
        t = hocket__runq_pop_fresh(&queue, explore_choice(2));
    hocket__runq_unlock(&queue);
    if (!t)
        return false;
    hk_store(&t->queued_on, 0);
    take(t);
    return true;
}

static void push(hocket_task *t)
{
    hocket__runq_lock(&queue);
    if (explore_choice(2)) {
        hocket__runq_push_resumed(&queue, t);
    } else {
        hk_store(&t->queued_on, 1);
        t->priority = (int8_t)((int)explore_choice(3) - 1);
        hocket__runq_push_fresh(&queue, t);
    }
    hocket__runq_unlock(&queue);
}

/* As a joiner takes its child out of the middle. */
static void unlink_fresh(hocket_task *t)
{
    if (hk_load(&t->queued_on) != 1)
        return;
    hocket__runq_lock(&queue);
    bool mine = hk_load(&t->queued_on) == 1;
    if (mine) {
        hocket__runq_unlink_fresh(&queue, t);
        hk_store(&t->queued_on, 0);
    }
    hocket__runq_unlock(&queue);
    if (mine)
        take(t);
}

static void owner(void)
{
    for (int i = 0; i < TASKS; i++) {
        push(&tasks[i]);
        if (explore_choice(3) == 0)
            (void)pop();
        if (explore_choice(3) == 0)
            unlink_fresh(&tasks[explore_choice((uint32_t)i + 1)]);
    }
    while (explore_choice(2) && pop())
        ;
    atomic_store(&owner_done, true);
}

static void *thief(void *arg)
{
    uint32_t most = 1;
    (void)arg;
    while (!atomic_load(&owner_done) || hocket__runq_depth(&queue) > 0) {
        uint32_t n = 0, counted = 0;
        explore_pause(); /* thieves come now and then, not one right after the other */
        if (!hocket__runq_revoke(&queue))
            continue;
        hocket_task *chain = hocket__runq_take_half(&queue, most, &n);
        hocket__runq_restore(&queue);
        HK_EXPECT(n <= 2 * (uint64_t)most); /* resumed ones, and fresh ones */
        most = most == 1 ? UINT32_MAX : 1;
        for (; chain; chain = chain->run_next, counted++) {
            HK_EXPECT_EQ(hk_load(&chain->queued_on), 0);
            take(chain);
        }
        HK_EXPECT_EQ(counted, n);
    }
    return NULL;
}

static void end(void)
{
    for (int i = 0; i < TASKS; i++)
        HK_EXPECT_EQ(atomic_load(&taken[i]), 1);
    HK_EXPECT_EQ(hk_load(&queue.resumed_count), 0);
    HK_EXPECT_EQ(hk_load(&queue.fresh_count), 0);
    HK_EXPECT(!queue.resumed.first);
    for (int i = 0; i < HOCKET__PRIORITIES; i++)
        HK_EXPECT(!queue.fresh[i].first);
    HK_EXPECT_EQ(hk_load(&queue.busy), 0);
}

EXPLORED(owner_and_thief, NULL)
{
    start();
    int a = explore_start(thief, NULL);
    owner();
    explore_join(a);
    end();
}

EXPLORED(owner_and_thieves, NULL)
{
    start();
    int a = explore_start(thief, NULL), b = explore_start(thief, NULL);
    owner();
    explore_join(a);
    explore_join(b);
    end();
}

/* A handler finds the queue busy, or pushes. */
static _Atomic bool deferred;

static void handler(void *arg)
{
    if (!hocket__runq_trylock(&queue)) {
        atomic_store(&deferred, true);
        return;
    }
    hocket__runq_push_resumed(&queue, arg);
    hocket__runq_unlock(&queue);
}

EXPLORED(owner_and_handler, NULL)
{
    start();
    atomic_store(&deferred, false);
    int a = explore_start(thief, NULL);
    hocket_task *late = &tasks[TASKS - 1];
    explore_interrupt(explore_self(), handler, late);
    for (int i = 0; i < TASKS - 1; i++) {
        push(&tasks[i]);
        if (explore_choice(3) == 0)
            (void)pop();
    }
    while (pop())
        ;
    atomic_store(&owner_done, true);
    explore_join(a);
    while (!explore_delivered(explore_self()))
        explore_point();
    if (atomic_load(&deferred))
        take(late);
    while (pop())
        ;
    end();
}

SUITE("sched_runq", explored_limit())
{
    suite_once(owner_and_thief);
    suite_once(owner_and_thieves);
    suite_once(owner_and_handler);
}
