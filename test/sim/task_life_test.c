/* SPDX-License-Identifier: MIT */
/*
 * The ends of tasks under every schedule: join, release, scopes, cancels, children run in place.
 */
#include "support/explored.h"

#include "park/wait.h"

static _Atomic int count;

static int add_one(void *arg)
{
    atomic_fetch_add(&count, 1);
    return (int)(intptr_t)arg;
}

static int yields(void *arg)
{
    for (int i = 0; i < 2; i++)
        HK_EXPECT_OK(hocket_yield());
    return add_one(arg);
}

/* ---- join, finish, release ---- */

/* Two join one task, one gives up; who comes last releases it. */
static _Atomic int left;

static void *joiner(void *arg)
{
    hocket_task *t = arg;
    int result = 0;
    HK_EXPECT_OK(hocket_join(t, &result, HOCKET_FOREVER));
    HK_EXPECT_EQ(result, 7);
    if (atomic_fetch_sub(&left, 1) == 1)
        hocket_task_release(t);
    return NULL;
}

static void *impatient(void *arg)
{
    hocket_task *t = arg;
    int result = 0;
    int err = hocket_join(t, &result, hocket_after(10 * HOCKET_US));
    HK_EXPECT(err == -ETIMEDOUT || (err == 0 && result == 7));
    if (atomic_fetch_sub(&left, 1) == 1)
        hocket_task_release(t);
    return NULL;
}

EXPLORED(join_by_threads, &explored_held)
{
    atomic_store(&left, 2);
    explored_runtime(1);
    hocket_task *t = explored_spawn(explore_choice(2) ? add_one : yields, (void *)7);
    int a = explore_start(joiner, t), b = explore_start(impatient, t);
    explore_join(a);
    explore_join(b);
    explored_runtime_end();
}

/* Released while it runs, ends or has ended. */
EXPLORED(release_early, &explored_held)
{
    atomic_store(&count, 0);
    explored_runtime(2);
    for (int i = 0; i < 3; i++)
        hocket_task_release(explored_spawn(add_one, NULL));
    explored_runtime_end();
    HK_EXPECT_EQ(atomic_load(&count), 3);
}

/* Fibers join a task that a worker of its own may have stolen. */
static int join_child(void *arg)
{
    explored_finish(arg, 7);
    return 0;
}

static int parent(void *arg)
{
    (void)arg;
    hocket_task *child = explored_spawn(yields, (void *)7);
    hocket_task *other = explored_spawn(join_child, explored_spawn(add_one, (void *)7));
    explored_finish(child, 7);
    explored_finish(other, 0);
    return 0;
}

EXPLORED(join_by_fibers, NULL)
{
    explored_run(2, parent, NULL);
}

/* ---- in place, or stolen ---- */

static int tree(void *arg)
{
    int depth = (int)(intptr_t)arg;
    atomic_fetch_add(&count, 1);
    if (depth == 0)
        return 1;
    hocket_scope scope;
    hocket_task *child[2] = { NULL, NULL };
    int sum = 1, result;
    hocket_scope_open(&scope, NULL);
    for (int i = 0; i < 2; i++)
        HK_EXPECT_OK(
            hocket_spawn_task(&child[i], &scope, tree, (void *)(intptr_t)(depth - 1), NULL));
    for (int i = 0; i < 2; i++) {
        HK_EXPECT_OK(hocket_join(child[i], &result, HOCKET_FOREVER));
        hocket_task_release(child[i]);
        sum += result;
    }
    HK_EXPECT_OK(hocket_scope_close(&scope));
    return sum;
}

static int tree_root(void *arg)
{
    HK_EXPECT_EQ(tree(arg), 15);
    return 0;
}

EXPLORED(in_place_or_stolen, NULL)
{
    atomic_store(&count, 0);
    explored_run(2, tree_root, (void *)3);
    HK_EXPECT_EQ(atomic_load(&count), 15);
}

/* A fiber runs it on top of itself, so that it ends without a locked instruction; a thread waits. */
static _Atomic(hocket_task *) shared;

static int joins_what_it_shares(void *quick)
{
    hocket_scope scope;
    hocket_task *t = NULL;
    hocket_scope_open(&scope, NULL); /* a cancel of ours reaches it too */
    HK_EXPECT_OK(
        hocket_spawn(&scope, add_one, NULL)); /* brings the worker records: the next is usual */
    HK_EXPECT_OK(hocket_spawn_task(&t, &scope, quick ? add_one : yields, (void *)7, NULL));
    atomic_store(&shared, t);
    (void)joiner(t);
    HK_EXPECT_OK(hocket_scope_close(&scope));
    return 0;
}

static void *joins_shared(void *arg)
{
    hocket_task *t;
    while (!(t = atomic_load(&shared)))
        explore_pause();
    return arg ? impatient(t) : joiner(t);
}

EXPLORED(in_place_and_by_thread, NULL)
{
    atomic_store(&left, 2);
    atomic_store(&shared, NULL);
    explored_runtime(1);
    int a = explore_start(joins_shared, explore_choice(4) ? NULL : &left);
    hocket_task *t = explored_spawn(joins_what_it_shares, explore_choice(4) ? &left : NULL);
    explored_finish(t, 0);
    explore_join(a);
    explored_runtime_end();
}

/* Joined while it joins in place, and then waits for something else: who looks for a cycle
 * must not take the one wait for the other. */
static int joins_in_place(void *arg)
{
    hocket_scope around, scope;
    (void)arg;
    hocket_scope_open(&around, NULL);
    for (int i = 0; i < 2; i++) {
        hocket_task *child = NULL;
        hocket_scope_open(&scope, NULL);
        HK_EXPECT_OK(hocket_spawn_task(&child, &scope, yields, (void *)7, NULL));
        HK_EXPECT_OK(hocket_spawn(&scope, yields, NULL));
        explored_finish(child, 7);
        HK_EXPECT_OK(hocket_scope_close(&scope));
    }
    HK_EXPECT_OK(hocket_scope_close(&around));
    return 7;
}

static void *keeps_asking(void *arg)
{
    while (hocket_join(arg, NULL, hocket_after(1)) == -ETIMEDOUT)
        explore_pause();
    return NULL;
}

EXPLORED(joined_while_it_joins, NULL)
{
    explored_runtime(1);
    hocket_task *t = explored_spawn(joins_in_place, NULL);
    int a = explore_start(keeps_asking, t);
    explore_join(a);
    explored_finish(t, 7);
    explored_runtime_end();
}

/* ---- scopes ---- */

static int spawns_more(void *arg)
{
    hocket_scope *scope = arg;
    HK_EXPECT_OK(hocket_spawn(scope, add_one, NULL));
    return add_one(NULL);
}

static int scope_owner(void *arg)
{
    hocket_scope scope;
    (void)arg;
    for (int round = 1; round <= 2; round++) {
        atomic_store(&count, 0);
        hocket_scope_open(&scope, NULL);
        HK_EXPECT_OK(hocket_spawn(&scope, spawns_more, &scope));
        HK_EXPECT_OK(hocket_spawn(&scope, yields, NULL));
        if (round == 2) {
            HK_EXPECT_OK(hocket_scope_wait(&scope));
            HK_EXPECT_EQ(atomic_load(&count), 3);
            HK_EXPECT_OK(hocket_spawn(&scope, add_one, NULL));
        }
        HK_EXPECT_OK(hocket_scope_close(&scope));
        HK_EXPECT_EQ(atomic_load(&count), round == 2 ? 4 : 3);
    }
    return 0;
}

EXPLORED(scope_of_fiber, NULL)
{
    explored_run(2, scope_owner, NULL);
}

static void *scope_thread(void *arg)
{
    HK_EXPECT_EQ(scope_owner(arg), 0);
    return NULL;
}

EXPLORED(scope_of_thread, &explored_held)
{
    explored_runtime(1);
    int a = explore_start(scope_thread, NULL);
    explore_join(a);
    explored_runtime_end();
}

/* The first failure cancels the rest, wherever they are. */
static int fails(void *arg)
{
    (void)arg;
    (void)hocket_yield();
    return -EIO;
}

static int sleeps(void *arg)
{
    (void)arg;
    int err = hocket_sleep_until(HOCKET_FOREVER);
    HK_EXPECT_EQ(err, -ECANCELED);
    HK_EXPECT(hocket_cancelled());
    return err;
}

/* The cancel reaches through the scope of a task that waits for others. */
static int sleeps_deep(void *arg)
{
    hocket_scope scope;
    hocket_scope_open(&scope, NULL);
    int err = hocket_spawn(&scope, sleeps, arg);
    HK_EXPECT(err == 0 || err == -ECANCELED);
    int closed = hocket_scope_close(&scope);
    HK_EXPECT(closed == 0 || closed == -ECANCELED);
    return -ECANCELED;
}

static int failing_family(void *arg)
{
    hocket_scope scope;
    (void)arg;
    hocket_scope_open(&scope, NULL);
    HK_EXPECT_OK(hocket_spawn(&scope, sleeps, NULL));
    HK_EXPECT_OK(hocket_spawn(&scope, sleeps_deep, NULL));
    HK_EXPECT_OK(hocket_spawn(&scope, fails, NULL));
    HK_EXPECT_EQ(hocket_scope_close(&scope), -EIO);
    HK_EXPECT(!hocket_cancelled());
    return 0;
}

EXPLORED(failure_cancels, NULL)
{
    explored_run(2, failing_family, NULL);
}

/* A deadline of a scope meets the end of its tasks. */
static int short_sleep(void *arg)
{
    (void)arg;
    int err = hocket_sleep(20 * HOCKET_US);
    HK_EXPECT(err == 0 || err == -ECANCELED);
    return err;
}

static int timed_family(void *arg)
{
    hocket_scope scope;
    (void)arg;
    hocket_scope_open(&scope, HOCKET_SCOPE_OPTIONS(.deadline = hocket_after(25 * HOCKET_US)));
    int err = hocket_spawn(&scope, short_sleep, NULL);
    HK_EXPECT(err == 0 || err == -ECANCELED);
    err = hocket_sleep(10 * HOCKET_US);
    HK_EXPECT(err == 0 || err == -ECANCELED);
    err = hocket_scope_close(&scope);
    HK_EXPECT(err == 0 || err == -ETIMEDOUT);
    return 0;
}

EXPLORED(scope_deadline, NULL)
{
    explored_run(2, timed_family, NULL);
}

/* ---- cancels ---- */

/* A cancel from a thread meets a sleep that ends by itself. */
EXPLORED(cancel_or_time, &explored_held)
{
    explored_runtime(1);
    hocket_task *t = explored_spawn(short_sleep, NULL);
    int result = 1;
    if (explore_choice(2))
        (void)hocket_sleep(20 * HOCKET_US);
    hocket_cancel(t);
    HK_EXPECT_OK(hocket_join(t, &result, HOCKET_FOREVER));
    HK_EXPECT(result == 0 || result == -ECANCELED);
    hocket_task_release(t);
    explored_runtime_end();
}

/* Cancelling a joiner leaves the joined alone. */
static int joins_sleeper(void *arg)
{
    int result;
    int err = hocket_join(arg, &result, HOCKET_FOREVER);
    HK_EXPECT_EQ(err, -ECANCELED);
    return 0;
}

EXPLORED(cancel_joiner, &explored_held)
{
    explored_runtime(2);
    hocket_task *sleeper = explored_spawn(sleeps, NULL);
    hocket_task *t = explored_spawn(joins_sleeper, sleeper);
    hocket_cancel(t);
    explored_finish(t, 0);
    HK_EXPECT(hocket_task_alive(sleeper));
    hocket_cancel(sleeper);
    explored_finish(sleeper, -ECANCELED);
    explored_runtime_end();
}

/* Held tasks, started by two at once. */
static void *starter(void *arg)
{
    int err = hocket_task_start(arg);
    HK_EXPECT(err == 0 || err == -EALREADY);
    if (err == 0)
        atomic_fetch_sub(&left, 1);
    return NULL;
}

EXPLORED(start_twice, &explored_held)
{
    hocket_task *t = NULL;
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    atomic_store(&left, 1);
    o.held = true;
    o.placement = explore_choice(2) ? HOCKET_ON_FIBER : HOCKET_ON_THREAD;
    explored_runtime(1);
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, add_one, (void *)3, &o));
    int a = explore_start(starter, t), b = explore_start(starter, t);
    explore_join(a);
    explore_join(b);
    HK_EXPECT_EQ(atomic_load(&left), 0);
    explored_finish(t, 3);
    explored_runtime_end();
}

SUITE("task_life", explored_limit())
{
    suite_once(join_by_threads);
    suite_once(release_early);
    suite_once(join_by_fibers);
    suite_once(in_place_or_stolen);
    suite_once(in_place_and_by_thread);
    suite_once(joined_while_it_joins);
    suite_once(scope_of_fiber);
    suite_once(scope_of_thread);
    suite_once(failure_cancels);
    suite_once(scope_deadline);
    suite_once(cancel_or_time);
    suite_once(cancel_joiner);
    suite_once(start_twice);
}
