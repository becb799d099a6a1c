/* SPDX-License-Identifier: MIT */
/*
 * Cancels walking down a tree that changes under them: tasks park, wake, end, open and close
 * scopes, sit behind shields.
 *
 * Whoever is reached must wake (a lost cancel is a deadlock here: all sleep for ever), whoever is
 * shielded must not, and nobody stays cancelled behind a scope that was left.
 */
#include "support/explored.h"

static hocket_word release_word; /* lets the shielded go */

static int sleeps(void *arg)
{
    (void)arg;
    HK_EXPECT_EQ(hocket_sleep_until(HOCKET_FOREVER), -ECANCELED);
    return -ECANCELED;
}

static int spawn_in(hocket_scope *scope, hocket_task_fn *fn, void *arg)
{
    int err = hocket_spawn(scope, fn, arg);
    HK_EXPECT_OK(err);
    return err;
}

/* A chain of tasks with a scope each, the last one sleeps. */
static int chain(void *arg)
{
    intptr_t depth = (intptr_t)arg;
    hocket_scope scope;
    if (depth == 0)
        return sleeps(NULL);
    hocket_scope_open(&scope, NULL);
    spawn_in(&scope, chain, (void *)(depth - 1));
    int err = hocket_scope_close(&scope);
    HK_EXPECT(err == 0 || err == -ECANCELED);
    return -ECANCELED;
}

static void cancel_from_outside(hocket_task_fn *fn, void *arg, int workers)
{
    explored_runtime(workers);
    hocket_task *t = explored_spawn(fn, arg);
    hocket_cancel(t);
    int result = 0;
    HK_EXPECT_OK(hocket_join(t, &result, HOCKET_FOREVER));
    HK_EXPECT_EQ(result, -ECANCELED);
    hocket_task_release(t);
    explored_runtime_end();
}

EXPLORED(chain_of_scopes, &explored_held)
{
    cancel_from_outside(chain, (void *)3, 2);
}

/* The scopes of the cancelled task open and close meanwhile. */
static int restless(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++) {
        hocket_scope scope;
        hocket_scope_open(&scope, NULL);
        spawn_in(&scope, i % 2 ? sleeps : chain, (void *)1);
        if (i == 2)
            (void)hocket_yield();
        if (!hocket_cancelled() && i < 2)
            hocket_scope_cancel(&scope); /* of its own, to get on */
        int err = hocket_scope_close(&scope);
        HK_EXPECT(err == 0 || err == -ECANCELED);
    }
    return sleeps(NULL);
}

EXPLORED(scopes_come_and_go, &explored_held)
{
    cancel_from_outside(restless, NULL, 2);
}

/* Two cancel at once, at two heights of the tree. */
static void *canceller(void *arg)
{
    hocket_cancel(arg);
    return NULL;
}

EXPLORED(two_cancellers, &explored_held)
{
    explored_runtime(2);
    hocket_task *t = explored_spawn(chain, (void *)2), *u = explored_spawn(chain, (void *)1);
    int a = explore_start(canceller, t), b = explore_start(canceller, t);
    hocket_cancel(u);
    explore_join(a);
    explore_join(b);
    explored_finish(t, -ECANCELED);
    explored_finish(u, -ECANCELED);
    explored_runtime_end();
}

/* Behind a shield nobody is woken. */
static int shielded_child(void *arg)
{
    (void)arg;
    uint32_t now;
    while ((now = hk_load_acq(&release_word)) == 0)
        HK_EXPECT_OK(hocket_wait_on(&release_word, now, HOCKET_FOREVER));
    HK_EXPECT(!hocket_cancelled());
    return 0;
}

static int shielded(void *arg)
{
    hocket_scope scope;
    hocket_scope_open(&scope, HOCKET_SCOPE_OPTIONS(.shield = true));
    spawn_in(&scope, shielded_child, NULL);
    HK_EXPECT_EQ(shielded_child(arg), 0);
    HK_EXPECT_OK(hocket_scope_close(&scope));
    return sleeps(NULL); /* the cancel is still there */
}

EXPLORED(shield, &explored_held)
{
    hk_store(&release_word, 0);
    explored_runtime(2);
    hocket_task *t = explored_spawn(shielded, NULL);
    hocket_cancel(t);
    hk_store_rel(&release_word, 1);
    (void)hocket_wake(&release_word, INT32_MAX);
    explored_finish(t, -ECANCELED);
    explored_runtime_end();
}

/* A child of one scope cancels it, a grandchild the scope around. */
struct tower {
    hocket_scope outer, inner;
};

static int cancels_outer(void *arg)
{
    hocket_scope_cancel(&((struct tower *)arg)->outer);
    return sleeps(NULL);
}

static int cancels_inner(void *arg)
{
    hocket_scope_cancel(&((struct tower *)arg)->inner);
    return sleeps(NULL);
}

static int tower(void *arg)
{
    struct tower t;
    (void)arg;
    hocket_scope_open(&t.outer, NULL);
    spawn_in(&t.outer, chain, (void *)1);
    hocket_scope_open(&t.inner, NULL);
    spawn_in(&t.inner, cancels_inner, &t);
    spawn_in(&t.inner, cancels_outer, &t);
    HK_EXPECT_OK(-(hocket_scope_close(&t.inner) != 0 && !hocket_scope_cancelled(&t.inner)));
    HK_EXPECT(hocket_scope_cancelled(&t.outer));
    (void)!hocket_scope_close(&t.outer);
    HK_EXPECT(!hocket_cancelled());
    return 0;
}

EXPLORED(scopes_cancelled_inside, NULL)
{
    explored_run(2, tower, NULL);
}

/* Time-outs of scopes within each other, and of waits in them. */
static int naps(void *arg)
{
    int err = hocket_sleep((hocket_time)(intptr_t)arg);
    HK_EXPECT(err == 0 || err == -ECANCELED);
    return 0;
}

static int timed_tower(void *arg)
{
    struct tower t;
    (void)arg;
    hocket_scope_open(&t.outer, HOCKET_SCOPE_OPTIONS(.deadline = hocket_after(30 * HOCKET_US)));
    hocket_scope_open(&t.inner, HOCKET_SCOPE_OPTIONS(.deadline = hocket_after(20 * HOCKET_US)));
    int err = hocket_spawn(&t.inner, naps, (void *)(intptr_t)(15 * HOCKET_US));
    HK_EXPECT(err == 0 || err == -ECANCELED);
    err = hocket_sleep_until(HOCKET_FOREVER);
    HK_EXPECT_EQ(err, -ECANCELED);
    err = hocket_scope_close(&t.inner);
    HK_EXPECT(err == -ETIMEDOUT || (err == 0 && hocket_scope_cancelled(&t.outer)));
    err = hocket_sleep_until(HOCKET_FOREVER);
    HK_EXPECT_EQ(err, -ECANCELED);
    HK_EXPECT_EQ(hocket_scope_close(&t.outer), -ETIMEDOUT);
    HK_EXPECT(!hocket_cancelled());
    return 0;
}

EXPLORED(scope_deadlines, NULL)
{
    explored_run(explore_choice(2) ? 2 : HOCKET_NO_WORKERS, timed_tower, NULL);
}

/* Cancelled before it starts, while it is held, or just when it is started. */
EXPLORED(cancelled_at_birth, &explored_held)
{
    hocket_task *t = NULL;
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    o.held = true;
    o.placement = explore_choice(2) ? HOCKET_ON_FIBER : HOCKET_ON_THREAD;
    explored_runtime(1);
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, sleeps, NULL, &o));
    int a = explore_start(canceller, t);
    HK_EXPECT_OK(hocket_task_start(t));
    explore_join(a);
    explored_finish(t, -ECANCELED);
    explored_runtime_end();
}

/* The end of the runtime cancels daemons, wherever they are. */
EXPLORED(daemons, &explored_held)
{
    hocket_task *t = NULL;
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    o.daemon = true;
    explored_runtime(explore_choice(2) ? 2 : HOCKET_NO_WORKERS);
    for (int i = 0; i < 2; i++) {
        o.placement = i ? HOCKET_ON_THREAD : HOCKET_ON_FIBER;
        HK_EXPECT_OK(hocket_spawn_task(&t, NULL, i ? sleeps : chain, (void *)1, &o));
        hocket_task_release(t);
    }
    explored_runtime_end();
}

SUITE("park_cancel", explored_limit())
{
    suite_once(chain_of_scopes);
    suite_once(scopes_come_and_go);
    suite_once(two_cancellers);
    suite_once(shield);
    suite_once(scopes_cancelled_inside);
    suite_once(scope_deadlines);
    suite_once(cancelled_at_birth);
    suite_once(daemons);
}
