/* SPDX-License-Identifier: MIT */
/* task: join with results and deadlines, many joiners, errors; stop; release. */
#include <errno.h>

#include "support/suite.h"

static int give(void *arg)
{
    return (int)(intptr_t)arg;
}

static int results(void *arg)
{
    (void)arg;
    for (int i = 0; i < 50; i++) {
        hocket_task *t = run_spawn(give, (void *)(intptr_t)(i * 7));
        int result = -1;
        /* As often as one likes; the result stays until the handle is released. */
        for (int k = 0; k < 3; k++) {
            HK_EXPECT_EQ(hocket_join(t, &result, HOCKET_FOREVER), 0);
            HK_EXPECT_EQ(result, i * 7);
            HK_EXPECT_EQ(hocket_join(t, NULL, HOCKET_NOW), 0);
        }
        HK_EXPECT(hocket_task_error(t) == NULL);
        hocket_task_release(t);
    }
    hocket_task_release(NULL);
    return 0;
}

START_TEST(results_stay)
{
    run_in(_i, results, NULL);
}
END_TEST

struct gate {
    hocket_word open;
    _Atomic int through;
    hocket_task *task;
};

static void gate_open(struct gate *g)
{
    hk_store_rel(&g->open, 1);
    (void)hocket_wake(&g->open, INT32_MAX);
}

static int gate_wait(void *arg)
{
    struct gate *g = arg;
    while (hk_load_acq(&g->open) == 0) {
        int err = hocket_wait_on(&g->open, 0, HOCKET_FOREVER);
        if (err)
            return err;
    }
    (void)hk_add(&g->through, 1);
    return 0;
}

static int join_gate(void *arg)
{
    struct gate *g = arg;
    int result = -1;
    HK_EXPECT_EQ(hocket_join(g->task, &result, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(result, 0);
    (void)hk_add(&g->through, 1);
    return 0;
}

static int many(void *arg)
{
    struct gate g = { .task = NULL };
    hocket_task *joiners[12];
    (void)arg;
    g.task = run_spawn(gate_wait, &g);
    RUN_UNTIL(run_parked(g.task));
    for (int i = 0; i < 12; i++)
        joiners[i] = run_spawn(join_gate, &g);
    for (int i = 0; i < 12; i++)
        RUN_UNTIL(run_parked(joiners[i]));
    HK_EXPECT_EQ(g.through, 0);
    gate_open(&g);
    for (int i = 0; i < 12; i++)
        run_finish(joiners[i], 0);
    HK_EXPECT_EQ(g.through, 13);
    run_finish(g.task, 0);
    return 0;
}

START_TEST(many_joiners)
{
    run_in(_i, many, NULL);
}
END_TEST

struct timed {
    hocket_task *task;
    hocket_time deadline;
};

static int join_timed(void *arg)
{
    struct timed *j = arg;
    int result = 77;
    int err = hocket_join(j->task, &result, j->deadline);
    if (err == -ETIMEDOUT)
        HK_EXPECT(hocket_now() >= j->deadline);
    HK_EXPECT_EQ(result, err ? 77 : 0); /* untouched on failure */
    return err;
}

/* Each joiner has its own deadline. */
static int deadlines(void *arg)
{
    struct gate g = { .task = NULL };
    struct timed j[4];
    hocket_task *joiners[4];
    int result;
    (void)arg;
    g.task = run_spawn(gate_wait, &g);
    HK_EXPECT_EQ(hocket_join(g.task, NULL, HOCKET_NOW), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_join(g.task, NULL, 1), -ETIMEDOUT);
    hocket_time start = hocket_now();
    for (int i = 0; i < 4; i++) {
        j[i] = (struct timed){ g.task, i < 2 ? start + (1 + i * 9) * HOCKET_MS : HOCKET_FOREVER };
        joiners[i] = run_spawn(join_timed, &j[i]);
    }
    for (int i = 0; i < 2; i++) {
        HK_EXPECT_EQ(hocket_join(joiners[i], &result, HOCKET_FOREVER), 0);
        HK_EXPECT_EQ(result, -ETIMEDOUT);
        hocket_task_release(joiners[i]);
    }
    RUN_UNTIL(run_parked(joiners[2]) && run_parked(joiners[3]));
    HK_EXPECT(hocket_task_alive(g.task));
    gate_open(&g);
    run_finish(joiners[2], 0);
    run_finish(joiners[3], 0);
    run_finish(g.task, 0);
    return 0;
}

START_TEST(own_deadlines)
{
    run_in(_i, deadlines, NULL);
}
END_TEST

static int join_self(void *arg)
{
    (void)arg;
    HK_EXPECT_EQ(hocket_join(hocket_self(), NULL, HOCKET_FOREVER), -EDEADLK);
    HK_EXPECT_EQ(hocket_join(hocket_self(), NULL, HOCKET_NOW), -EDEADLK);
    HK_EXPECT_EQ(hocket_stop(hocket_self(), HOCKET_NOW), -EDEADLK);
    HK_EXPECT(hocket_cancelled()); /* stop is cancel, then join */
    return 0;
}

static int selves(void *arg)
{
    (void)arg;
    run_finish(run_spawn(join_self, NULL), 0);
    return 0;
}

START_TEST(join_of_oneself)
{
    run_in(_i, selves, NULL);
}
END_TEST

struct pair {
    hocket_task *_Atomic a, *_Atomic b;
};

static int wait_for_other(void *arg)
{
    struct pair *p = arg;
    RUN_UNTIL(hk_load_acq(&p->a) && hk_load_acq(&p->b));
    hocket_task *other = hocket_self() == hk_load(&p->a) ? hk_load(&p->b) : hk_load(&p->a);
    return hocket_join(other, NULL, HOCKET_FOREVER);
}

/* Two tasks that join each other: the one that closes the cycle is told. */
static int each_other(void *arg)
{
    (void)arg;
    struct pair p = { NULL, NULL };
    int a, b;
    hk_store_rel(&p.a, run_spawn(wait_for_other, &p));
    hk_store_rel(&p.b, run_spawn(wait_for_other, &p));
    HK_EXPECT_EQ(hocket_join(p.a, &a, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(hocket_join(p.b, &b, HOCKET_FOREVER), 0);
    HK_EXPECT((a == 0 && b == -EDEADLK) || (b == 0 && a == -EDEADLK));
    hocket_task_release(p.a);
    hocket_task_release(p.b);
    return 0;
}

START_TEST(join_of_each_other)
{
    run_in(_i, each_other, NULL);
}
END_TEST

static int join_parent(void *arg)
{
    return hocket_join(arg, NULL, HOCKET_FOREVER);
}

/* Also when the child runs on top of the parent's frames. */
static int child_joins_parent(void *arg)
{
    int result = 0;
    (void)arg;
    hocket_task *t;
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, join_parent, hocket_self(), NULL));
    int err = hocket_join(t, &result, HOCKET_FOREVER);
    if (err == -EDEADLK) { /* the child waited first, so we are the one to be told */
        hocket_cancel(t);
        run_finish(t, -ECANCELED);
        return 0;
    }
    HK_EXPECT_EQ(err, 0);
    HK_EXPECT_EQ(result, -EDEADLK);
    hocket_task_release(t);
    return 0;
}

START_TEST(join_of_the_parent)
{
    run_in(_i, child_joins_parent, NULL);
}
END_TEST

static int cancelled_joiner(void *arg)
{
    struct gate g = { .task = NULL };
    int result;
    (void)arg;
    g.task = run_spawn(gate_wait, &g);
    hocket_task *t = run_spawn(join_gate, &g);
    (void)t;
    struct timed j = { g.task, HOCKET_FOREVER };
    hocket_task *joiner = run_spawn(join_timed, &j);
    RUN_UNTIL(run_parked(joiner));
    hocket_cancel(joiner);
    HK_EXPECT_EQ(hocket_join(joiner, &result, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(result, -ECANCELED);
    hocket_task_release(joiner);
    HK_EXPECT(hocket_task_alive(g.task)); /* the joined task goes on */
    gate_open(&g);
    run_finish(t, 0);
    run_finish(g.task, 0);
    return 0;
}

START_TEST(cancel_of_a_joiner)
{
    run_in(_i, cancelled_joiner, NULL);
}
END_TEST

static int stubborn(void *arg)
{
    hocket_word *go = arg;
    while (hk_load_acq(go) == 0) /* asked to end, but not yet */
        run_turn();
    return 5;
}

static int stops(void *arg)
{
    struct gate g = { .task = NULL };
    hocket_word go = 0;
    int result = 0;
    (void)arg;
    g.task = run_spawn(gate_wait, &g);
    HK_EXPECT_EQ(hocket_stop(g.task, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(hocket_join(g.task, &result, HOCKET_NOW), 0);
    HK_EXPECT_EQ(result, -ECANCELED);
    HK_EXPECT_EQ(hocket_stop(g.task, HOCKET_NOW), 0); /* left alone */
    hocket_cancel(g.task);
    hocket_task_release(g.task);

    hocket_task *t = run_spawn(stubborn, &go);
    HK_EXPECT_EQ(hocket_stop(t, HOCKET_NOW), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_stop(t, hocket_after(HOCKET_MS)), -ETIMEDOUT);
    HK_EXPECT(hocket_task_alive(t));
    hk_store_rel(&go, 1);
    run_finish(t, 5);
    return 0;
}

START_TEST(stop)
{
    run_in(_i, stops, NULL);
}
END_TEST

/* Releasing says nothing about the task: it goes on, and its record is freed at its end. */
static int release_early(void *arg)
{
    struct gate g = { .task = NULL };
    (void)arg;
    size_t before = hocket_task_count();
    for (int i = 0; i < 20; i++) {
        hocket_task *t = run_spawn(gate_wait, &g);
        if (i % 2)
            RUN_UNTIL(run_parked(t));
        hocket_task_release(t);
    }
    HK_EXPECT_EQ(hocket_task_count(), before + 20);
    gate_open(&g);
    RUN_UNTIL(hk_load_acq(&g.through) == 20);
    RUN_UNTIL(hocket_task_count() == before);
    return 0;
}

START_TEST(release_before_the_end)
{
    run_in(_i, release_early, NULL);
}
END_TEST

/* What the child wrote before its end, the joiner reads without further ado. */
static int write_plain(void *arg)
{
    *(int *)arg = 42;
    return 0;
}

static int sees(void *arg)
{
    (void)arg;
    for (int i = 0; i < 200; i++) {
        int x = i;
        hocket_task *t = run_spawn(write_plain, &x);
        run_finish(t, 0);
        HK_EXPECT_EQ(x, 42);
    }
    return 0;
}

START_TEST(order_of_memory)
{
    run_in(_i, sees, NULL);
}
END_TEST

static int join_from_outside(void *arg)
{
    struct gate *g = arg;
    return join_gate(g);
}

/* A thread that Hocket did not start may join as well, with all workers busy otherwise. */
static int foreigner(void *arg)
{
    struct gate g = { .task = NULL };
    (void)arg;
    g.task = run_spawn(gate_wait, &g);
    gate_open(&g);
    HK_EXPECT_EQ(join_from_outside(&g), 0);
    hocket_task_release(g.task);
    return 0;
}

START_TEST(foreign_joiner)
{
    run_in(5, foreigner, NULL);
    run_in(6, foreigner, NULL);
}
END_TEST

SUITE("task_join", 15)
{
    suite_each(results_stay);
    suite_each(many_joiners);
    suite_each(own_deadlines);
    suite_each(join_of_oneself);
    suite_each(join_of_each_other);
    suite_each(join_of_the_parent);
    suite_each(cancel_of_a_joiner);
    suite_each(stop);
    suite_each(release_before_the_end);
    suite_each(order_of_memory);
    suite_once(foreign_joiner);
}
