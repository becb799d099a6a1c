/* SPDX-License-Identifier: MIT */
/*
 * Taking a branch against the sync of it, under every schedule: by the forker itself, by a thief that
 * comes by force, while a cancel walks by.
 */
#include "support/explored.h"

#include <hocket/fork.h>

#include "park/forks.h"
#include "sched/worker.h"

static _Atomic int count;

static int add_one(void *arg)
{
    atomic_fetch_add(&count, 1);
    return (int)(intptr_t)arg;
}

/* ---- each branch runs once, whoever takes it ---- */

static int tree(void *arg)
{
    intptr_t depth = (intptr_t)arg;
    hocket_branch b[2];
    atomic_fetch_add(&count, 1);
    if (depth == 0)
        return 1;
    for (int i = 0; i < 2; i++)
        hocket_fork(&b[i], tree, (void *)(depth - 1));
    if (explore_choice(3) == 0)
        explore_pause(); /* long enough to be robbed, now and then */
    return 1 + hocket_sync(&b[1]) + hocket_sync(&b[0]);
}

static int tree_root(void *arg)
{
    HK_EXPECT_EQ(tree(arg), 15);
    return 0;
}

EXPLORED(taken_or_not, NULL)
{
    atomic_store(&count, 0);
    explored_run(2, tree_root, (void *)3);
    HK_EXPECT_EQ(atomic_load(&count), 15);
}

EXPLORED(taken_or_not_by_three, NULL)
{
    atomic_store(&count, 0);
    explored_run(3, tree_root, (void *)3);
    HK_EXPECT_EQ(atomic_load(&count), 15);
}

/* ---- by force: forks and syncs one after the other while others want them ---- */

static int flat(void *arg)
{
    hocket_branch a, b;
    (void)arg;
    for (int i = 0; i < 4; i++) {
        hocket_fork(&a, add_one, (void *)1);
        for (int k = 0; k < 3; k++)
            explore_pause();
        hocket_fork(&b, add_one, (void *)2);
        HK_EXPECT_EQ(hocket_sync(&b), 2);
        HK_EXPECT_EQ(hocket_sync(&a), 1);
    }
    return 0;
}

EXPLORED(by_force, NULL)
{
    atomic_store(&count, 0);
    explored_run(2, flat, NULL);
    HK_EXPECT_EQ(atomic_load(&count), 8);
}

/* ---- by force all the time, also at the borders of scopes and at the end of the victim ---- */

static hocket_task *_Atomic prey;

static int robber(void *arg)
{
    (void)arg;
    for (int i = 0; i < 5; i++) {
        hocket_task *t = atomic_load(&prey);
        if (t && hocket__fork_ops_get())
            (void)hocket__fork_ops_get()->rob(hocket__worker_here(), t);
        else
            explore_pause();
    }
    return 0;
}

static int tiny_forker(void *arg)
{
    hocket_branch a, b, c;
    hocket_scope s;
    (void)arg;
    atomic_store(&prey, hocket_self());
    for (int i = 0; i < 3; i++) {
        bool scope = explore_choice(3) == 0;
        hocket_fork(&a, add_one, (void *)1);
        if (scope)
            hocket_scope_open(&s, NULL);
        hocket_fork(&b, add_one, (void *)2);
        HK_EXPECT_EQ(hocket_sync(&b), 2);
        hocket_fork(&c, add_one, (void *)3);
        HK_EXPECT_EQ(hocket_sync(&c), 3);
        if (scope)
            HK_EXPECT_EQ(hocket_scope_close(&s), 0);
        HK_EXPECT_EQ(hocket_sync(&a), 1);
    }
    return 0;
}

/* Only one branch at a time: always the one that both sides want. */
static int single_forker(void *arg)
{
    hocket_branch a;
    (void)arg;
    atomic_store(&prey, hocket_self());
    for (int i = 0; i < 4; i++) {
        hocket_fork(&a, add_one, (void *)1);
        HK_EXPECT_EQ(hocket_sync(&a), 1);
    }
    return 0;
}

static int single_robbed(void *arg)
{
    hocket_scope s;
    hocket_scope_open(&s, NULL);
    HK_EXPECT_OK(hocket_spawn(&s, single_forker, arg));
    HK_EXPECT_OK(hocket_spawn(&s, robber, arg));
    return hocket_scope_close(&s);
}

EXPLORED(robbed_of_the_last, NULL)
{
    atomic_store(&count, 0);
    atomic_store(&prey, NULL);
    explored_run(2, single_robbed, NULL);
    HK_EXPECT_EQ(atomic_load(&count), 4);
}

static int robbed(void *arg)
{
    hocket_scope s;
    hocket_scope_open(&s, NULL);
    HK_EXPECT_OK(hocket_spawn(&s, tiny_forker, arg));
    HK_EXPECT_OK(hocket_spawn(&s, robber, arg));
    HK_EXPECT_OK(hocket_spawn(&s, tiny_forker, arg));
    HK_EXPECT_OK(hocket_spawn(&s, robber, arg));
    return hocket_scope_close(&s);
}

EXPLORED(robbers, NULL)
{
    atomic_store(&count, 0);
    atomic_store(&prey, NULL);
    explored_run(2 + (int)explore_choice(2), robbed, NULL);
    HK_EXPECT_EQ(atomic_load(&count), 18);
}

/* ---- who waits hands out, and is woken ---- */

static hocket_word word;

static int wakes(void *arg)
{
    atomic_store((_Atomic uint32_t *)&word, 1);
    (void)hocket_wake(&word, 1);
    return add_one(arg);
}

static int waits(void *arg)
{
    hocket_branch a, b;
    (void)arg;
    hocket_fork(&a, wakes, (void *)3);
    hocket_fork(&b, add_one, (void *)4);
    while (atomic_load((_Atomic uint32_t *)&word) == 0)
        HK_EXPECT_OK(hocket_wait_on(&word, 0, HOCKET_FOREVER));
    HK_EXPECT_EQ(hocket_sync(&b), 4);
    HK_EXPECT_EQ(hocket_sync(&a), 3);
    return 0;
}

EXPLORED(handed_out, &explored_held)
{
    atomic_store(&count, 0);
    atomic_store((_Atomic uint32_t *)&word, 0);
    explored_run(1 + (int)explore_choice(2), waits, NULL);
    HK_EXPECT_EQ(atomic_load(&count), 2);
}

/* ---- a cancel meets branches that are taken, end, or wait ---- */

static int sleeps(void *arg)
{
    int err = hocket_sleep_until(HOCKET_FOREVER);
    HK_EXPECT_EQ(err, -ECANCELED);
    (void)add_one(arg);
    return err;
}

static int victim(void *arg)
{
    hocket_branch a, b;
    (void)arg;
    hocket_fork(&a, sleeps, NULL);
    hocket_fork(&b, add_one, (void *)4);
    HK_EXPECT_EQ(sleeps(NULL), -ECANCELED);
    HK_EXPECT_EQ(hocket_sync(&b), 4);
    HK_EXPECT_EQ(hocket_sync(&a), -ECANCELED);
    return 0;
}

EXPLORED(cancelled, NULL)
{
    atomic_store(&count, 0);
    explored_runtime(2);
    hocket_task *t = explored_spawn(victim, NULL);
    for (uint32_t i = explore_choice(4); i > 0; i--)
        explore_pause();
    hocket_cancel(t);
    explored_finish(t, 0);
    explored_runtime_end();
    HK_EXPECT_EQ(atomic_load(&count), 3);
}

/* ---- scopes are opened and closed while a thief counts ---- */

static int in_scopes(void *arg)
{
    hocket_branch a, b;
    hocket_scope s;
    (void)arg;
    hocket_fork(&a, add_one, (void *)1);
    hocket_scope_open(&s, NULL);
    hocket_fork(&b, add_one, (void *)2);
    explore_pause();
    HK_EXPECT_EQ(hocket_sync(&b), 2);
    HK_EXPECT_EQ(hocket_scope_close(&s), 0);
    HK_EXPECT_EQ(hocket_sync(&a), 1);
    return 0;
}

EXPLORED(scopes, NULL)
{
    atomic_store(&count, 0);
    explored_run(2, in_scopes, NULL);
    HK_EXPECT_EQ(atomic_load(&count), 2);
}

SUITE("fork and join, explored", explored_limit())
{
    suite_once(taken_or_not);
    suite_once(taken_or_not_by_three);
    suite_once(by_force);
    suite_once(robbed_of_the_last);
    suite_once(robbers);
    suite_once(handed_out);
    suite_once(cancelled);
    suite_once(scopes);
}
