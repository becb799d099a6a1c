/* SPDX-License-Identifier: MIT */
/* cancel: who is reached, level-triggered, computing tasks, shields. */
#include <errno.h>

#include "support/suite.h"

static int for_ever(void *arg)
{
    (void)arg;
    return hocket_sleep_until(HOCKET_FOREVER);
}

/* Every further cancel point fails, the ones with nothing to wait for included. */
static int each_point_fails(void *arg)
{
    hocket_word word = 1;
    hocket_task *other = arg;
    HK_EXPECT_EQ(hocket_sleep_until(HOCKET_FOREVER), -ECANCELED);
    for (int i = 0; i < 3; i++) {
        HK_EXPECT(hocket_cancelled());
        HK_EXPECT_EQ(hocket_check(), -ECANCELED);
        HK_EXPECT_EQ(hocket_sleep(HOCKET_SEC), -ECANCELED);
        HK_EXPECT_EQ(hocket_yield(), -ECANCELED);
        HK_EXPECT_EQ(hocket_wait_on(&word, 1, HOCKET_FOREVER), -ECANCELED);
        HK_EXPECT_EQ(hocket_wait_on(&word, 2, HOCKET_FOREVER), -ECANCELED);
        HK_EXPECT_EQ(hocket_join(other, NULL, HOCKET_FOREVER), -ECANCELED);
        HK_EXPECT_EQ(hocket_blocking(for_ever, NULL), -ECANCELED);
    }
    return 3;
}

static int level_triggered(void *arg)
{
    hocket_task *other = run_spawn(for_ever, NULL);
    hocket_task *t = run_spawn(each_point_fails, other);
    (void)arg;
    RUN_UNTIL(run_parked(t));
    HK_EXPECT(!hocket_cancelled());
    HK_EXPECT_EQ(hocket_check(), 0);
    hocket_cancel(t);
    hocket_cancel(t); /* once more is no more */
    run_finish(t, 3);
    HK_EXPECT(!hocket_cancelled());
    hocket_cancel(other);
    run_finish(other, -ECANCELED);
    return 0;
}

START_TEST(a_cancel_lasts)
{
    run_in(_i, level_triggered, NULL);
}
END_TEST

static int wait_word(void *arg)
{
    hocket_word *word = arg;
    return hocket_wait_on(word, 0, HOCKET_FOREVER);
}

static int join_it(void *arg)
{
    return hocket_join(arg, NULL, HOCKET_FOREVER);
}

/* Whatever the task waits in: the waits of this layer (sync has its own). */
static int every_wait(void *arg)
{
    hocket_word word = 0;
    (void)arg;
    hocket_task *sleeper = run_spawn(for_ever, NULL);
    hocket_task *waits[3] = { run_spawn(wait_word, &word), run_spawn(join_it, sleeper), sleeper };
    for (int i = 0; i < 3; i++) {
        RUN_UNTIL(run_parked(waits[i]));
        hocket_cancel(waits[i]);
        run_finish(waits[i], -ECANCELED);
    }
    HK_EXPECT_EQ(hocket_wake(&word, 1), 0); /* it left nothing behind */
    return 0;
}

START_TEST(every_wait_ends)
{
    run_in(_i, every_wait, NULL);
}
END_TEST

static int compute(void *arg)
{
    _Atomic int *rounds = arg;
    while (!hocket_cancelled())
        (void)hk_add(rounds, 1);
    HK_EXPECT_EQ(hocket_check(), -ECANCELED);
    return hocket_check();
}

/* A computing task sees it without any wait. */
static int computing(void *arg)
{
    _Atomic int rounds = 0;
    (void)arg;
    hocket_task *t;
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, compute, &rounds,
                                   HOCKET_SPAWN_OPTIONS(.placement = HOCKET_ON_THREAD)));
    RUN_UNTIL(hk_load(&rounds) > 1000);
    hocket_cancel(t);
    run_finish(t, -ECANCELED);
    return 0;
}

START_TEST(computing_tasks_see_it)
{
    run_in(_i, computing, NULL);
}
END_TEST

/* A fiber on a worker of its own. */
static int computing_fiber(void *arg)
{
    _Atomic int rounds = 0;
    hocket_task *t;
    (void)arg;
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, compute, &rounds, NULL));
    RUN_UNTIL(hk_load(&rounds) > 1000);
    hocket_cancel(t);
    run_finish(t, -ECANCELED);
    return 0;
}

START_TEST(computing_fibers_see_it)
{
    run_in(1, computing_fiber, NULL);
    run_in(3, computing_fiber, NULL);
    run_in(5, computing_fiber, NULL);
}
END_TEST

static int count_and_end(void *arg)
{
    (void)hk_add((_Atomic int *)arg, 1);
    return hocket_check();
}

/* Before it starts: it runs, and its first cancel point fails. */
static int before_start(void *arg)
{
    _Atomic int ran = 0;
    hocket_task *t;
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    (void)arg;
    o.held = true;
    o.placement = run_placement();
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, count_and_end, &ran, &o));
    hocket_cancel(t);
    HK_EXPECT_EQ(hocket_task_start(t), 0);
    run_finish(t, -ECANCELED);
    HK_EXPECT_EQ(ran, 1);
    return 0;
}

START_TEST(cancel_before_the_start)
{
    run_in(_i, before_start, NULL);
}
END_TEST

struct tree {
    _Atomic int waiting, ended;
    int depth;
};

static int grow(void *arg);

struct node {
    struct tree *tree;
    int depth;
};

static int wait_in_the_tree(struct tree *tree)
{
    (void)hk_add(&tree->waiting, 1);
    int err = hocket_sleep_until(HOCKET_FOREVER);
    HK_EXPECT_EQ(err, -ECANCELED);
    (void)hk_add(&tree->ended, 1);
    return err;
}

static int grow(void *arg)
{
    struct node *n = arg, below = { n->tree, n->depth - 1 };
    hocket_scope s;
    if (n->depth == 0)
        return wait_in_the_tree(n->tree);
    hocket_scope_open(&s, NULL);
    hocket_task *t[2];
    for (int i = 0; i < 2; i++)
        t[i] = run_spawn_in(&s, grow, &below);
    int err = hocket_scope_close(&s);
    for (int i = 0; i < 2; i++)
        hocket_task_release(t[i]);
    HK_EXPECT_EQ(err, 0); /* the ends of cancelled tasks are no failures */
    HK_EXPECT(hocket_cancelled());
    (void)hk_add(&n->tree->ended, 1);
    return -ECANCELED;
}

/* A cancel reaches the scopes of the task, the tasks in them, their scopes... */
static int whole_tree(void *arg)
{
    struct tree tree = { 0, 0, 4 };
    struct node root = { &tree, 4 };
    (void)arg;
    hocket_task *t = run_spawn(grow, &root);
    RUN_UNTIL(hk_load(&tree.waiting) == 16);
    hocket_cancel(t);
    run_finish(t, -ECANCELED);
    HK_EXPECT_EQ(tree.ended, 31);
    return 0;
}

START_TEST(a_cancel_reaches_the_whole_tree)
{
    run_in(_i, whole_tree, NULL);
}
END_TEST

/* The caller of hocket_self may cancel itself, and a scope of its own. */
static int own_scope(void *arg)
{
    hocket_scope s, inner;
    (void)arg;
    hocket_scope_open(&s, NULL);
    hocket_scope_open(&inner, NULL);
    hocket_scope_cancel(&s);
    HK_EXPECT(hocket_scope_cancelled(&s));
    HK_EXPECT(!hocket_scope_cancelled(&inner)); /* not itself */
    HK_EXPECT(hocket_cancelled());
    HK_EXPECT_EQ(hocket_sleep(0), -ECANCELED);
    HK_EXPECT_EQ(hocket_scope_close(&inner), 0);
    HK_EXPECT_EQ(hocket_check(), -ECANCELED);
    HK_EXPECT_EQ(hocket_scope_close(&s), 0);
    HK_EXPECT(!hocket_cancelled()); /* gone once the scope is left */
    HK_EXPECT_EQ(hocket_check(), 0);
    HK_EXPECT_EQ(hocket_sleep(1), 0);
    return 0;
}

START_TEST(the_state_is_the_scope_s)
{
    run_in(_i, own_scope, NULL);
}
END_TEST

struct shielded {
    _Atomic int step;
    hocket_word go;
    hocket_time deadline;
};

static int in_shield(void *arg)
{
    struct shielded *sh = arg;
    hocket_scope s;
    hocket_scope_open(&s, HOCKET_SCOPE_OPTIONS(.shield = true));
    hk_store_rel(&sh->step, 1);
    while (hk_load_acq(&sh->go) == 0)
        HK_EXPECT_EQ(hocket_wait_on(&sh->go, 0, HOCKET_FOREVER), 0);
    HK_EXPECT(!hocket_cancelled());
    HK_EXPECT_EQ(hocket_sleep(1000), 0); /* cleaning up may wait */
    HK_EXPECT_EQ(hocket_yield(), 0);
    hocket_scope inner;
    hocket_scope_open(&inner, NULL); /* what is inside of a shield is shielded */
    HK_EXPECT_EQ(hocket_check(), 0);
    HK_EXPECT_EQ(hocket_scope_close(&inner), 0);
    HK_EXPECT_EQ(hocket_scope_close(&s), 0);
    HK_EXPECT(hocket_cancelled());
    return hocket_sleep(0);
}

static int shields(void *arg)
{
    struct shielded sh = { .go = 0 };
    (void)arg;
    hocket_task *t = run_spawn(in_shield, &sh);
    RUN_UNTIL(hk_load_acq(&sh.step) == 1 && run_parked(t));
    hocket_cancel(t);
    for (int i = 0; i < 50; i++)
        run_turn();
    HK_EXPECT(!run_ended(t));
    hk_store_rel(&sh.go, 1);
    HK_EXPECT_EQ(hocket_wake(&sh.go, 1), 1); /* it is still waiting there */
    run_finish(t, -ECANCELED);
    return 0;
}

START_TEST(a_shield_keeps_cancels_out)
{
    run_in(_i, shields, NULL);
}
END_TEST

static int shield_with_deadline(void *arg)
{
    hocket_scope s;
    (void)arg;
    hocket_cancel(hocket_self());
    HK_EXPECT_EQ(hocket_check(), -ECANCELED);
    hocket_time deadline = hocket_after(2 * HOCKET_MS);
    hocket_scope_open(&s, HOCKET_SCOPE_OPTIONS(.shield = true, .deadline = deadline));
    HK_EXPECT(hocket_check() == 0 || hocket_now() >= deadline); /* we may have been held up */
    HK_EXPECT_EQ(hocket_sleep_until(HOCKET_FOREVER), -ECANCELED);
    HK_EXPECT(hocket_now() >= deadline);
    HK_EXPECT(hocket_scope_cancelled(&s));
    HK_EXPECT_EQ(hocket_scope_close(&s), -ETIMEDOUT);
    return hocket_check();
}

static int shield_deadlines(void *arg)
{
    (void)arg;
    run_finish(run_spawn(shield_with_deadline, NULL), -ECANCELED);
    return 0;
}

START_TEST(a_shield_has_its_own_deadline)
{
    run_in(_i, shield_deadlines, NULL);
}
END_TEST

/* Cancelling the shield's own scope, or a task in it, still counts. */
static int shield_cancelled(void *arg)
{
    hocket_scope s;
    (void)arg;
    hocket_scope_open(&s, HOCKET_SCOPE_OPTIONS(.shield = true));
    hocket_task *t = run_spawn_in(&s, for_ever, NULL);
    hocket_task *u = run_spawn_in(&s, for_ever, NULL);
    RUN_UNTIL(run_parked(t) && run_parked(u));
    hocket_cancel(u);
    int result;
    HK_EXPECT_EQ(hocket_join(u, &result, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(result, -ECANCELED);
    HK_EXPECT(!run_ended(t));
    hocket_scope_cancel(&s);
    HK_EXPECT(hocket_cancelled());
    HK_EXPECT_EQ(hocket_scope_close(&s), 0);
    HK_EXPECT(!hocket_cancelled());
    HK_EXPECT(run_ended(t));
    hocket_task_release(t);
    hocket_task_release(u);
    return 0;
}

START_TEST(a_shield_can_be_cancelled_itself)
{
    run_in(_i, shield_cancelled, NULL);
}
END_TEST

struct guests {
    _Atomic int waiting;
    hocket_scope *shield;
    hocket_task *guest;
};

static int guest(void *arg)
{
    struct guests *g = arg;
    (void)hk_add(&g->waiting, 1);
    return hocket_sleep_until(HOCKET_FOREVER);
}

static int host(void *arg)
{
    struct guests *g = arg;
    hocket_scope outer, shield;
    hocket_scope_open(&outer, NULL);
    hocket_task *outside = run_spawn_in(&outer, guest, g);
    hocket_scope_open(&shield, HOCKET_SCOPE_OPTIONS(.shield = true));
    g->shield = &shield;
    g->guest = run_spawn_in(&shield, guest, g);
    (void)hk_add(&g->waiting, 1);
    HK_EXPECT_EQ(hocket_scope_close(&shield), 0);
    HK_EXPECT_EQ(hocket_scope_close(&outer), 0);
    hocket_task_release(outside);
    return hocket_check();
}

/* Children inside of the shield are spared, those outside of it are not. */
static int spared(void *arg)
{
    struct guests g = { .waiting = 0 };
    (void)arg;
    hocket_task *t = run_spawn(host, &g);
    RUN_UNTIL(hk_load_acq(&g.waiting) == 3 && run_parked(g.guest) && run_parked(t));
    hocket_cancel(t);
    for (int i = 0; i < 50; i++)
        run_turn();
    HK_EXPECT(run_parked(g.guest) && run_parked(t));
    hocket_scope_cancel(g.shield);
    run_finish(t, -ECANCELED);
    HK_EXPECT(run_ended(g.guest));
    hocket_task_release(g.guest);
    return 0;
}

START_TEST(a_shield_covers_its_tasks)
{
    run_in(_i, spared, NULL);
}
END_TEST

/* A cancelled foreign thread: until it ends, as any task. */
static int cancel_own_thread(void *arg)
{
    (void)arg;
    HK_EXPECT_EQ(hocket_check(), 0);
    hocket_cancel(hocket_self());
    HK_EXPECT_EQ(hocket_sleep(HOCKET_SEC), -ECANCELED);
    return 0;
}

START_TEST(a_foreign_thread_is_cancelled)
{
    HK_EXPECT_EQ(cancel_own_thread(NULL), 0);
}
END_TEST

SUITE("cancel_tree", 15)
{
    suite_each(a_cancel_lasts);
    suite_each(every_wait_ends);
    suite_each(computing_tasks_see_it);
    suite_once(computing_fibers_see_it);
    suite_each(cancel_before_the_start);
    suite_each(a_cancel_reaches_the_whole_tree);
    suite_each(the_state_is_the_scope_s);
    suite_each(a_shield_keeps_cancels_out);
    suite_each(a_shield_has_its_own_deadline);
    suite_each(a_shield_can_be_cancelled_itself);
    suite_each(a_shield_covers_its_tasks);
    suite_once(a_foreign_thread_is_cancelled);
}
