/* SPDX-License-Identifier: MIT */
/* fork and sync: results and words from any branch, wherever it ran; depth, waits, locks, scopes,
 * cancels, locals. */
#include <errno.h>
#include <hocket/event.h>
#include <hocket/fork.h>
#include <hocket/local.h>
#include <hocket/mutex.h>

#include "park/forks.h"
#include "support/suite.h"

#define FIBERS 4 /* the first modes whose body is a fiber on workers: 0, 1 and two others */
static const int fiber_modes[FIBERS] = { 0, 1, 3, 4 };

static int give(void *arg)
{
    return (int)(intptr_t)arg;
}

/* ---- results ---- */

static int fib(void *arg)
{
    intptr_t n = (intptr_t)arg;
    if (n < 2)
        return (int)n;
    hocket_branch left;
    hocket_fork(&left, fib, (void *)(n - 1));
    int right = fib((void *)(n - 2));
    return hocket_sync(&left) + right;
}

static int fibs(void *arg)
{
    (void)arg;
    HK_EXPECT_EQ(fib((void *)(intptr_t)run_scaled(24, 14)), run_scaled(46368, 377));
    return 0;
}

START_TEST(it_adds_up)
{
    run_in(_i, fibs, NULL);
}
END_TEST

/* Many at once, out of a loop, synced in reverse. */
static int many(void *arg)
{
    enum { N = 1000 };
    static hocket_branch branches[N];
    (void)arg;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < N; i++)
            hocket_fork(&branches[i], give, (void *)(intptr_t)(i + round));
        if (round == 1)
            (void)hocket_yield();
        for (int i = N - 1; i >= 0; i--)
            HK_EXPECT_EQ(hocket_sync(&branches[i]), i + round);
    }
    return 0;
}

START_TEST(many_at_once)
{
    run_in(_i, many, NULL);
}
END_TEST

/* ---- depth ---- */

static int deeper(void *arg)
{
    intptr_t left = (intptr_t)arg;
    volatile char frame[200]; /* as a function has that does something */
    frame[0] = 1;
    if (left == 0)
        return 0;
    hocket_branch b;
    hocket_fork(&b, deeper, (void *)(left - 1));
    int below = hocket_sync(&b);
    return below + frame[0];
}

static int deep(void *arg)
{
    int depth = run_scaled(10000, 1000);
    (void)arg;
    HK_EXPECT_EQ(deeper((void *)(intptr_t)depth), depth);
    return 0;
}

/* Far more than one stack holds: branches that find too little of it left run on another. */
START_TEST(forks_inside_forks)
{
    run_in(fiber_modes[_i], deep, NULL);
}
END_TEST

/* ---- words ---- */

static int fails(void *arg)
{
    return hocket_fail(-EIO, "branch %d is broken", (int)(intptr_t)arg);
}

static int fails_below(void *arg)
{
    hocket_branch good, bad;
    hocket_fork(&good, give, (void *)5);
    hocket_fork(&bad, fails, arg);
    if ((intptr_t)arg % 2)
        (void)hocket_yield();
    int failed = hocket_sync(&bad);
    HK_EXPECT_EQ(hocket_sync(&good), 5);
    return failed;
}

static int words(void *arg)
{
    (void)arg;
    for (int i = 0; i < 4; i++) {
        hocket_branch b;
        hocket_fork(&b, fails_below, (void *)(intptr_t)i);
        if (i >= 2)
            HK_EXPECT_OK(hocket_sleep(HOCKET_US)); /* on fibers it is a task now */
        HK_EXPECT_EQ(hocket_sync(&b), -EIO);
        const hocket_error *e = hocket_fail_words();
        char wanted[40];
        HK_EXPECT(e != NULL);
        snprintf(wanted, sizeof wanted, "branch %d is broken", i);
        HK_EXPECT_EQ(e->code, -EIO);
        HK_EXPECT_STR(e->message, wanted);
        hocket_fail_clear();
    }
    /* A branch that fails cancels nobody and nothing. */
    HK_EXPECT_EQ(hocket_check(), 0);
    return 0;
}

START_TEST(words_come_with_the_result)
{
    run_in(_i, words, NULL);
}
END_TEST

/* ---- waits ---- */

struct flag {
    hocket_event set;
    _Atomic int seen;
};

static int sets(void *arg)
{
    struct flag *f = arg;
    hocket_event_set(&f->set);
    return 3;
}

static int waits_for(void *arg)
{
    struct flag *f = arg;
    HK_EXPECT_OK(hocket_event_wait(&f->set, HOCKET_FOREVER));
    (void)hk_add(&f->seen, 1);
    return 4;
}

/* On fibers what a branch does may be waited for before its sync, one worker or many. */
static int waits(void *arg)
{
    (void)arg;
    struct flag f = { HOCKET_EVENT_INIT, 0 };
    hocket_branch a, b, c;
    hocket_fork(&a, waits_for, &f);
    hocket_fork(&b, sets, &f);
    hocket_fork(&c, waits_for, &f);
    HK_EXPECT_OK(hocket_event_wait(&f.set, HOCKET_FOREVER));
    HK_EXPECT_EQ(hocket_sync(&c), 4);
    HK_EXPECT_EQ(hocket_sync(&b), 3);
    HK_EXPECT_EQ(hocket_sync(&a), 4);
    HK_EXPECT_EQ(f.seen, 2);
    return 0;
}

START_TEST(the_forker_waits_for_what_a_branch_does)
{
    run_in(fiber_modes[_i], waits, NULL);
}
END_TEST

/* The newest waits, inside of its sync, for what an older one does. */
static int waits_inside(void *arg)
{
    (void)arg;
    struct flag f = { HOCKET_EVENT_INIT, 0 };
    hocket_branch a, b;
    hocket_fork(&a, sets, &f);
    hocket_fork(&b, waits_for, &f);
    HK_EXPECT_EQ(hocket_sync(&b), 4);
    HK_EXPECT_EQ(hocket_sync(&a), 3);
    return 0;
}

START_TEST(a_branch_waits_for_an_older_one)
{
    run_in(fiber_modes[_i], waits_inside, NULL);
}
END_TEST

/* Neither waits nor forks: yields hand the branch out, too. */
static int turns(void *arg)
{
    (void)arg;
    struct flag f = { HOCKET_EVENT_INIT, 0 };
    hocket_branch b;
    hocket_fork(&b, sets, &f);
    RUN_UNTIL(hocket_event_is_set(&f.set));
    HK_EXPECT_EQ(hocket_sync(&b), 3);
    return 0;
}

START_TEST(yields_let_a_branch_run)
{
    run_in(fiber_modes[_i], turns, NULL);
}
END_TEST

/* A task that only computes is robbed: both branches run while it looks on. */
static int computes(void *arg)
{
    (void)arg;
    struct flag f = { HOCKET_EVENT_INIT, 0 }, g = { HOCKET_EVENT_INIT, 0 };
    hocket_branch a, b;
    hocket_fork(&a, sets, &f);
    hocket_fork(&b, sets, &g);
    HK_WAIT_UNTIL(hocket_event_is_set(&f.set) && hocket_event_is_set(&g.set));
    HK_EXPECT_EQ(hocket_sync(&b), 3);
    HK_EXPECT_EQ(hocket_sync(&a), 3);
    return 0;
}

START_TEST(who_computes_is_robbed)
{
    run_in(1, computes, NULL);
}
END_TEST

/* As one that blocks its worker. */
static int blocks(void *arg)
{
    (void)arg;
    struct flag f = { HOCKET_EVENT_INIT, 0 };
    hocket_branch b;
    hocket_fork(&b, sets, &f);
    hocket_blocking_begin();
    HK_WAIT_UNTIL(hocket_event_is_set(&f.set));
    hocket_blocking_end();
    HK_EXPECT_EQ(hocket_sync(&b), 3);
    return 0;
}

START_TEST(who_blocks_hands_out)
{
    run_in(_i, blocks, NULL);
}
END_TEST

/* A join in place hides the joiner: its branches go first. */
static int waits_as_child(void *arg)
{
    return waits_for(arg) == 4 ? 0 : -1;
}

static int joins(void *arg)
{
    (void)arg;
    struct flag f = { HOCKET_EVENT_INIT, 0 };
    hocket_branch b;
    hocket_scope s;
    hocket_task *t;
    hocket_scope_open(&s, NULL);
    HK_EXPECT_OK(hocket_spawn_task(&t, &s, waits_as_child, &f, NULL));
    hocket_fork(&b, sets, &f);
    run_finish(t, 0);
    HK_EXPECT_EQ(hocket_sync(&b), 3);
    return hocket_scope_close(&s);
}

START_TEST(a_child_waits_for_a_branch)
{
    run_in(fiber_modes[_i], joins, NULL);
}
END_TEST

/* ---- locks ---- */

struct locked {
    hocket_mutex outer, inner;
    int count;
};

static int count_up(void *arg)
{
    struct locked *l = arg;
    for (int i = 0; i < 20; i++) {
        hocket_mutex_lock(&l->inner);
        l->count++;
        if (i % 5 == 0)
            (void)hocket_yield();
        hocket_mutex_unlock(&l->inner);
    }
    return 0;
}

static int locks(void *arg)
{
    (void)arg;
    struct locked l = { HOCKET_MUTEX_INIT, HOCKET_MUTEX_INIT, 0 };
    hocket_branch b[8];
    hocket_mutex_lock(&l.outer);
    for (int i = 0; i < 8; i++)
        hocket_fork(&b[i], count_up, &l);
    HK_EXPECT_EQ(count_up(&l), 0);
    HK_EXPECT(hocket_mutex_held(&l.outer));
    for (int i = 8; i-- > 0;)
        HK_EXPECT_EQ(hocket_sync(&b[i]), 0);
    HK_EXPECT(hocket_mutex_held(&l.outer));
    hocket_mutex_unlock(&l.outer);
    HK_EXPECT_EQ(l.count, 180);
    return 0;
}

START_TEST(locks_are_kept_over_a_sync)
{
    run_in(_i, locks, NULL);
}
END_TEST

/* ---- cancel ---- */

struct cancel {
    _Atomic int there, cancelled;
    hocket_event never;
    bool scope;
};

static int until_cancelled(void *arg)
{
    struct cancel *c = arg;
    (void)hk_add(&c->there, 1);
    int err = hocket_event_wait(&c->never, HOCKET_FOREVER);
    HK_EXPECT_EQ(err, -ECANCELED);
    HK_EXPECT_EQ(hocket_check(), -ECANCELED);
    (void)hk_add(&c->cancelled, 1);
    return err;
}

static int forks_below(void *arg)
{
    hocket_branch b;
    hocket_fork(&b, until_cancelled, arg);
    int err = until_cancelled(arg);
    HK_EXPECT_EQ(hocket_sync(&b), -ECANCELED);
    return err;
}

static int forks_and_is_cancelled(void *arg)
{
    struct cancel *c = arg;
    hocket_scope s;
    hocket_branch a, b;
    if (c->scope)
        hocket_scope_open(&s, NULL);
    hocket_fork(&a, forks_below, c);
    hocket_fork(&b, until_cancelled, c);
    HK_EXPECT_EQ(until_cancelled(c), -ECANCELED);
    HK_EXPECT_EQ(hocket_sync(&b), -ECANCELED);
    HK_EXPECT_EQ(hocket_sync(&a), -ECANCELED);
    HK_EXPECT_EQ(c->cancelled, 4);
    return c->scope ? hocket_scope_close(&s) : 0;
}

static int cancel_reaches(void *arg)
{
    for (int scope = 0; scope < 2; scope++) {
        struct cancel c = { 0, 0, HOCKET_EVENT_INIT, scope != 0 };
        (void)arg;
        hocket_task *t;
        HK_EXPECT_OK(hocket_spawn_task(&t, NULL, forks_and_is_cancelled, &c, NULL));
        RUN_UNTIL(hk_load_acq(&c.there) == 4);
        if (scope == 0)
            RUN_UNTIL(run_parked(t));
        hocket_cancel(t);
        run_finish(t, 0);
    }
    return 0;
}

START_TEST(a_cancel_reaches_the_branches)
{
    run_in(fiber_modes[_i], cancel_reaches, NULL);
}
END_TEST

static int not_cancelled(void *arg)
{
    struct flag *f = arg;
    HK_EXPECT_OK(hocket_event_wait(&f->set, HOCKET_FOREVER));
    HK_EXPECT_EQ(hocket_check(), 0);
    return 6;
}

static int is_cancelled(void *arg)
{
    struct flag *f = arg;
    return hocket_event_wait(&f->set, HOCKET_FOREVER);
}

/* A branch belongs to the scope that was innermost at its fork, not to those opened later. */
static int scopes(void *arg)
{
    (void)arg;
    struct flag f = { HOCKET_EVENT_INIT, 0 };
    hocket_scope s;
    hocket_branch a, b;
    hocket_fork(&a, not_cancelled, &f);
    hocket_scope_open(&s, NULL);
    hocket_fork(&b, is_cancelled, &f);
    hocket_scope_cancel(&s);
    HK_EXPECT_EQ(hocket_yield(), -ECANCELED);
    HK_EXPECT_EQ(hocket_check(), -ECANCELED);
    HK_EXPECT_EQ(hocket_sync(&b), -ECANCELED);
    hocket_event_set(&f.set);
    HK_EXPECT_EQ(hocket_scope_close(&s), 0);
    HK_EXPECT_EQ(hocket_sync(&a), 6);
    return 0;
}

static int waits_in_shield(void *arg)
{
    hocket_scope s;
    hocket_scope_open(&s, HOCKET_SCOPE_OPTIONS(.shield = true));
    int r = waits_for(arg);
    HK_EXPECT_EQ(hocket_scope_close(&s), 0);
    return r;
}

static int scopes_inside(void *arg)
{
    (void)arg;
    struct flag f = { HOCKET_EVENT_INIT, 0 };
    hocket_branch a, b;
    hocket_fork(&a, waits_in_shield, &f);
    hocket_fork(&b, waits_in_shield, &f);
    hocket_event_set(&f.set);
    HK_EXPECT_EQ(hocket_sync(&b), 4);
    HK_EXPECT_EQ(hocket_sync(&a), 4);
    return scopes(NULL);
}

START_TEST(branches_and_scopes)
{
    run_in(fiber_modes[_i], scopes_inside, NULL);
}
END_TEST

/* ---- locals ---- */

static hocket_local inherited = HOCKET_LOCAL_INIT_INHERIT(NULL, NULL);

static int reads_local(void *arg)
{
    (void)arg;
    return (int)(intptr_t)hocket_local_get(&inherited);
}

static int locals(void *arg)
{
    hocket_branch a, b;
    (void)arg;
    HK_EXPECT_OK(hocket_local_set(&inherited, (void *)11));
    hocket_fork(&a, reads_local, NULL);
    hocket_fork(&b, reads_local, NULL);
    (void)hocket_yield();
    HK_EXPECT_OK(hocket_sleep(HOCKET_US));
    HK_EXPECT_EQ(hocket_sync(&b), 11);
    HK_EXPECT_EQ(hocket_sync(&a), 11);
    HK_EXPECT_EQ(fib((void *)10), 55);
    HK_EXPECT_OK(hocket_local_set(&inherited, NULL));
    return 0;
}

START_TEST(locals_are_inherited)
{
    run_in(_i, locals, NULL);
}
END_TEST

/* Who asks may be too late: the record belongs to another task by then, here to a thread's. */
static int asked_too_late(void *arg)
{
    hocket_branch b;
    (void)arg;
    (void)hk_or(hk_word32(&hocket_self()->forks.attention), HOCKET__FORKS_ASKED);
    HK_EXPECT_EQ(fib((void *)10), 55);
    hocket_fork(&b, fib, (void *)5);
    (void)hk_or(hk_word32(&hocket_self()->forks.attention), HOCKET__FORKS_ASKED);
    HK_EXPECT_EQ(hocket_sync(&b), 5);
    return 0;
}

START_TEST(asked_by_mistake)
{
    run_in(_i, asked_too_late, NULL);
}
END_TEST

/* ---- without a runtime ---- */

START_TEST(without_a_runtime)
{
    HK_EXPECT_EQ(fib((void *)15), 610);
    HK_EXPECT_EQ(fails_below((void *)2), -EIO);
    HK_EXPECT_STR(hocket_fail_words()->message, "branch 2 is broken");
    hocket_fail_clear();
}
END_TEST

SUITE("fork and join", 30)
{
    suite_each(it_adds_up);
    suite_each(many_at_once);
    tcase_add_loop_test(suite__case, forks_inside_forks, 0, FIBERS);
    suite_each(words_come_with_the_result);
    tcase_add_loop_test(suite__case, the_forker_waits_for_what_a_branch_does, 0, FIBERS);
    tcase_add_loop_test(suite__case, a_branch_waits_for_an_older_one, 0, FIBERS);
    tcase_add_loop_test(suite__case, yields_let_a_branch_run, 0, FIBERS);
    suite_once(who_computes_is_robbed);
    tcase_add_loop_test(suite__case, who_blocks_hands_out, 0, 2);
    tcase_add_loop_test(suite__case, a_child_waits_for_a_branch, 0, FIBERS);
    suite_each(locks_are_kept_over_a_sync);
    tcase_add_loop_test(suite__case, a_cancel_reaches_the_branches, 0, FIBERS);
    tcase_add_loop_test(suite__case, branches_and_scopes, 0, FIBERS);
    tcase_add_loop_test(suite__case, locals_are_inherited, 0,
                        5); /* a thread of its own keeps them */
    suite_each(asked_by_mistake);
    suite_once(without_a_runtime);
}
