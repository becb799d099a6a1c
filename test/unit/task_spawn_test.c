/* SPDX-License-Identifier: MIT */
/* task: spawn, its options and errors, copies of arguments, held tasks. */
#include <errno.h>
#include <pthread.h>

#include "support/suite.h"

static int add_one(void *arg)
{
    (void)hk_add((_Atomic int *)arg, 1);
    return 0;
}

/* Without a handle: the root scope waits for it. */
static int spawn_some(void *arg)
{
    for (int i = 0; i < 100; i++)
        HK_EXPECT_OK(hocket_spawn(NULL, add_one, arg));
    return 0;
}

START_TEST(the_root_scope_waits)
{
    _Atomic int n = 0;
    run_in(_i, spawn_some, &n);
    HK_EXPECT_EQ(n, 100);
}
END_TEST

START_TEST(no_runtime)
{
    _Atomic int n = 0;
    hocket_task *t = (hocket_task *)&n;
    HK_EXPECT_EQ(hocket_spawn(NULL, add_one, &n), -ENOSYS);
    HK_EXPECT_EQ(hocket_spawn_copy(NULL, add_one, &n, sizeof n), -ENOSYS);
    HK_EXPECT_EQ(hocket_spawn_task(&t, NULL, add_one, &n, NULL), -ENOSYS);
    HK_EXPECT(t == (hocket_task *)&n); /* untouched on failure */
    run_in(0, spawn_some, &n);
    HK_EXPECT_EQ(hocket_spawn(NULL, add_one, &n), -ENOSYS);
    HK_EXPECT_EQ(n, 100);
}
END_TEST

static int options_of_a_task(void *arg)
{
    hocket_task *t = NULL;
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    _Atomic int *n = arg;

    o.size = sizeof o - 1;
    HK_EXPECT_EQ(hocket_spawn_task(&t, NULL, add_one, n, &o), -EINVAL);
    o.size = sizeof o;
    o.placement = 2;
    HK_EXPECT_EQ(hocket_spawn_task(&t, NULL, add_one, n, &o), -EINVAL);
    o.placement = -1;
    HK_EXPECT_EQ(hocket_spawn_task(&t, NULL, add_one, n, &o), -EINVAL);
    o.placement = HOCKET_ON_FIBER;
    o.stack_size = SIZE_MAX;
    HK_EXPECT_EQ(hocket_spawn_task(&t, NULL, add_one, n, &o), -EINVAL);
    o.stack_size = 0;
    HK_EXPECT(t == NULL);
    HK_EXPECT_EQ(*n, 0);

    o.size = 0; /* the fields of version 0.1 */
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, add_one, n, &o));
    run_finish(t, 0);
    o.size = sizeof o + 8; /* a newer program's */
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, add_one, n, &o));
    run_finish(t, 0);
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, add_one, n, HOCKET_SPAWN_OPTIONS(.name = "x")));
    run_finish(t, 0);
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, add_one, n, NULL));
    run_finish(t, 0);
    HK_EXPECT_EQ(*n, 4);
    return 0;
}

START_TEST(options)
{
    _Atomic int n = 0;
    run_in(_i, options_of_a_task, &n);
}
END_TEST

static int a_daemon_has_no_scope(void *arg)
{
    hocket_task *t = NULL;
    hocket_scope s;
    (void)arg;
    hocket_scope_open(&s, NULL);
    HK_EXPECT_EQ(hocket_spawn_task(&t, &s, add_one, NULL, HOCKET_SPAWN_OPTIONS(.daemon = true)),
                 -EINVAL);
    HK_EXPECT_EQ(hocket_scope_close(&s), 0);
    return 0;
}

START_TEST(daemon_in_a_scope)
{
    run_in(_i, a_daemon_has_no_scope, NULL);
}
END_TEST

static int where(void *arg)
{
    *(pthread_t *)arg = pthread_self();
    return hocket_task_placement(hocket_self());
}

static int places(void *arg)
{
    pthread_t mine = pthread_self(), its = mine;
    hocket_task *t;
    (void)arg;
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, where, &its,
                                   HOCKET_SPAWN_OPTIONS(.placement = HOCKET_ON_THREAD)));
    HK_EXPECT_EQ(hocket_task_placement(t), HOCKET_ON_THREAD);
    run_finish(t, HOCKET_ON_THREAD);
    HK_EXPECT(!pthread_equal(mine, its));
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, where, &its, NULL));
    HK_EXPECT_EQ(hocket_task_placement(t), HOCKET_ON_FIBER);
    run_finish(t, HOCKET_ON_FIBER);
    return 0;
}

START_TEST(placement)
{
    run_in(_i, places, NULL);
}
END_TEST

struct args {
    _Atomic int *sum;
    int value;
    char text[100];
};

static int take_copy(void *arg)
{
    struct args *a = arg;
    HK_EXPECT_STR(a->text, "mine alone");
    (void)hk_add(a->sum, a->value);
    a->value = 1000; /* nobody else sees it */
    return 0;
}

static int copies(void *arg)
{
    struct args a = { arg, 0, "mine alone" };
    hocket_scope s;
    hocket_scope_open(&s, NULL);
    for (int i = 0; i < 50; i++) {
        a.value = i;
        HK_EXPECT_OK(hocket_spawn_copy(&s, take_copy, &a, sizeof a));
        a.value = -1;
    }
    memset(&a, 'x', sizeof a);
    HK_EXPECT_EQ(hocket_scope_close(&s), 0);
    HK_EXPECT_EQ(*(_Atomic int *)arg, 49 * 50 / 2);
    return 0;
}

START_TEST(private_copies)
{
    _Atomic int sum = 0;
    run_in(_i, copies, &sum);
}
END_TEST

static int not_null(void *arg)
{
    HK_EXPECT(arg != NULL);
    return 0;
}

static int copy_of_nothing(void *arg)
{
    (void)arg;
    HK_EXPECT_OK(hocket_spawn_copy(NULL, not_null, NULL, 0));
    return 0;
}

START_TEST(empty_copy)
{
    run_in(_i, copy_of_nothing, NULL);
}
END_TEST

static int hold(void *arg)
{
    _Atomic int n = 0;
    hocket_task *t;
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    (void)arg;
    o.held = true;
    o.placement = run_placement();
    size_t before = hocket_task_count();
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, add_one, &n, &o));
    HK_EXPECT_EQ(hocket_task_count(), before + 1); /* spawned and not ended */
    for (int i = 0; i < 100; i++)
        run_turn();
    HK_EXPECT_EQ(n, 0);
    HK_EXPECT(!hocket_task_alive(t));
    HK_EXPECT_EQ(hocket_join(t, NULL, HOCKET_NOW), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_join(t, NULL, hocket_after(HOCKET_MS)), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_task_start(t), 0);
    HK_EXPECT_EQ(hocket_task_start(t), -EALREADY);
    HK_EXPECT_EQ(hocket_join(t, NULL, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(n, 1);
    HK_EXPECT_EQ(hocket_task_start(t), -EALREADY);
    HK_EXPECT(!hocket_task_alive(t));
    hocket_task_release(t);

    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, add_one, &n, NULL));
    HK_EXPECT_EQ(hocket_task_start(t), -EALREADY); /* it never was held */
    run_finish(t, 0);
    return 0;
}

START_TEST(held)
{
    run_in(_i, hold, NULL);
}
END_TEST

struct flood {
    hocket_task *t;
    _Atomic int won, already;
};

static int start_it(void *arg)
{
    struct flood *f = arg;
    int err = hocket_task_start(f->t);
    (void)hk_add(err == 0 ? &f->won : &f->already, 1);
    HK_EXPECT(err == 0 || err == -EALREADY);
    return 0;
}

/* Of many who start it at once, one does. */
static int one_starter(void *arg)
{
    _Atomic int ran = 0;
    (void)arg;
    for (int round = 0; round < 20; round++) {
        struct flood f = { .t = NULL };
        hocket_scope s;
        hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
        o.held = true;
        o.placement = run_placement();
        HK_EXPECT_OK(hocket_spawn_task(&f.t, NULL, add_one, &ran, &o));
        hocket_scope_open(&s, NULL);
        for (int i = 0; i < 8; i++)
            HK_EXPECT_OK(hocket_spawn(&s, start_it, &f));
        HK_EXPECT_EQ(hocket_scope_close(&s), 0);
        HK_EXPECT_EQ(f.won, 1);
        HK_EXPECT_EQ(f.already, 7);
        run_finish(f.t, 0);
        HK_EXPECT_EQ(ran, round + 1);
    }
    return 0;
}

START_TEST(held_started_once)
{
    run_in(_i, one_starter, NULL);
}
END_TEST

/* A task may spawn beside itself, and beneath itself without end. */
static int dive(void *arg)
{
    intptr_t depth = (intptr_t)arg;
    if (depth == 0)
        return 1;
    hocket_task *t = run_spawn(dive, (void *)(depth - 1));
    int below = 0;
    HK_EXPECT_EQ(hocket_join(t, &below, HOCKET_FOREVER), 0);
    hocket_task_release(t);
    return below + 1;
}

static int deep(void *arg)
{
    (void)arg;
    run_finish(run_spawn(dive, (void *)(intptr_t)200), 201);
    return 0;
}

START_TEST(deep_joins)
{
    run_in(_i, deep, NULL);
}
END_TEST

static int priorities(void *arg)
{
    hocket_task *t[30];
    (void)arg;
    for (int i = 0; i < 30; i++)
        HK_EXPECT_OK(hocket_spawn_task(&t[i], NULL, add_one, arg,
                                       HOCKET_SPAWN_OPTIONS(.priority = i % 3 - 1)));
    for (int i = 0; i < 30; i++)
        run_finish(t[i], 0);
    HK_EXPECT_EQ(*(_Atomic int *)arg, 30);
    return 0;
}

START_TEST(any_priority_runs)
{
    _Atomic int n = 0;
    run_in(_i, priorities, &n);
}
END_TEST

struct order {
    int seen[3];
    _Atomic int n;
};

static struct order order;

static int note(void *arg)
{
    order.seen[order.n++] = (int)(intptr_t)arg;
    return 0;
}

static int in_order(void *arg)
{
    static const int priority[3] = { -1, 0, 7 };
    hocket_task *t[3];
    (void)arg;
    for (intptr_t i = 0; i < 3; i++)
        HK_EXPECT_OK(hocket_spawn_task(&t[i], NULL, note, (void *)i,
                                       HOCKET_SPAWN_OPTIONS(.priority = priority[i])));
    RUN_UNTIL(order.n == 3);
    for (int i = 0; i < 3; i++)
        run_finish(t[i], 0);
    HK_EXPECT_EQ(order.seen[0], 2);
    HK_EXPECT_EQ(order.seen[1], 1);
    HK_EXPECT_EQ(order.seen[2], 0);
    return 0;
}

START_TEST(higher_priority_first)
{
    run_in(0, in_order, NULL);
}
END_TEST

SUITE("task_spawn", 15)
{
    suite_each(the_root_scope_waits);
    suite_once(no_runtime);
    suite_each(options);
    suite_each(daemon_in_a_scope);
    suite_each(placement);
    suite_each(private_copies);
    suite_each(empty_copy);
    suite_each(held);
    suite_each(held_started_once);
    suite_each(deep_joins);
    suite_each(any_priority_runs);
    suite_once(higher_priority_first);
}
