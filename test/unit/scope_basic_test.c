/* SPDX-License-Identifier: MIT */
/* scope: close and wait, counting, nesting, deadlines. */
#include <errno.h>

#include "support/suite.h"

static int add_one(void *arg)
{
    (void)hk_add((_Atomic int *)arg, 1);
    return 0;
}

static int add_late(void *arg)
{
    for (int i = 0; i < 5; i++)
        run_turn();
    return add_one(arg);
}

static int for_ever(void *arg)
{
    (void)arg;
    return hocket_sleep_until(HOCKET_FOREVER);
}

static int closes(void *arg)
{
    (void)arg;
    for (int round = 0; round < 20; round++) {
        _Atomic int n = 0;
        hocket_scope s;
        hocket_scope_open(&s, NULL);
        for (int i = 0; i < round; i++) {
            hocket_task_release(run_spawn_in(&s, add_late, &n));
            HK_EXPECT_OK(hocket_spawn(&s, add_one, &n));
        }
        HK_EXPECT_EQ(hocket_scope_close(&s), 0);
        HK_EXPECT_EQ(n, 2 * round);
    }
    return 0;
}

START_TEST(close_waits)
{
    run_in(_i, closes, NULL);
}
END_TEST

/* wait leaves it open: more may be spawned, as often as one likes. */
static int waits(void *arg)
{
    _Atomic int n = 0;
    hocket_scope s;
    (void)arg;
    hocket_scope_open(&s, NULL);
    HK_EXPECT_EQ(hocket_scope_wait(&s), 0);
    for (int round = 1; round <= 10; round++) {
        for (int i = 0; i < 4; i++)
            hocket_task_release(run_spawn_in(&s, add_late, &n));
        HK_EXPECT_EQ(hocket_scope_wait(&s), 0);
        HK_EXPECT_EQ(n, 4 * round);
        HK_EXPECT_EQ(hocket_scope_count(&s), 0);
    }
    HK_EXPECT_OK(hocket_spawn(&s, add_one, &n));
    HK_EXPECT_EQ(hocket_scope_close(&s), 0);
    HK_EXPECT_EQ(n, 41);
    return 0;
}

START_TEST(wait_and_go_on)
{
    run_in(_i, waits, NULL);
}
END_TEST

static int counts(void *arg)
{
    hocket_scope s;
    hocket_task *t[6];
    (void)arg;
    hocket_scope_open(&s, NULL);
    HK_EXPECT_EQ(hocket_scope_count(&s), 0);
    for (int i = 0; i < 6; i++) {
        t[i] = run_spawn_in(&s, for_ever, NULL);
        HK_EXPECT_EQ(hocket_scope_count(&s), (size_t)i + 1);
    }
    for (int i = 0; i < 6; i++) {
        RUN_UNTIL(run_parked(t[i]));
        HK_EXPECT_EQ(hocket_scope_count(&s), 6u - (size_t)i);
        hocket_cancel(t[i]);
        run_finish(t[i], -ECANCELED);
        RUN_UNTIL(hocket_scope_count(&s) == 5u - (size_t)i);
    }
    HK_EXPECT_EQ(hocket_scope_failures(&s), 0);
    HK_EXPECT_EQ(hocket_scope_close(&s), 0);
    return 0;
}

START_TEST(count)
{
    run_in(_i, counts, NULL);
}
END_TEST

struct family {
    hocket_scope *scope;
    _Atomic int born;
};

/* A task inside spawns beside itself, also while the owner is closing. */
static int breed(void *arg)
{
    struct family *f = arg;
    for (int i = 0; i < 3; i++)
        run_turn();
    for (int i = 0; i < 2; i++)
        if (hk_add(&f->born, 1) < 60)
            HK_EXPECT_OK(hocket_spawn(f->scope, breed, f));
    return 0;
}

static int siblings(void *arg)
{
    hocket_scope s;
    struct family f = { &s, 1 };
    (void)arg;
    hocket_scope_open(&s, NULL);
    hocket_task_release(run_spawn_in(&s, breed, &f));
    HK_EXPECT_EQ(hocket_scope_close(&s), 0);
    HK_EXPECT(f.born >= 60);
    return 0;
}

START_TEST(tasks_spawn_beside_themselves)
{
    run_in(_i, siblings, NULL);
}
END_TEST

static int nest(void *arg)
{
    _Atomic int n = 0;
    hocket_scope s[8];
    (void)arg;
    for (int i = 0; i < 8; i++) {
        hocket_scope_open(&s[i], NULL);
        hocket_task_release(run_spawn_in(&s[i], add_late, &n));
    }
    /* Into an outer one while an inner one is open. */
    hocket_task_release(run_spawn_in(&s[0], add_late, &n));
    for (int i = 8; i-- > 0;)
        HK_EXPECT_EQ(hocket_scope_close(&s[i]), 0);
    HK_EXPECT_EQ(n, 9);
    return 0;
}

START_TEST(nested)
{
    run_in(_i, nest, NULL);
}
END_TEST

/* A cancel of the outer scope reaches the inner one's tasks; one of the inner only them. */
static int nest_cancel(void *arg)
{
    hocket_scope outer, inner;
    (void)arg;
    hocket_scope_open(&outer, NULL);
    hocket_task *a = run_spawn_in(&outer, for_ever, NULL);
    hocket_scope_open(&inner, NULL);
    hocket_task *b = run_spawn_in(&inner, for_ever, NULL);
    RUN_UNTIL(run_parked(a) && run_parked(b));
    hocket_scope_cancel(&inner);
    HK_EXPECT_EQ(hocket_scope_close(&inner), 0);
    HK_EXPECT(run_ended(b) && !run_ended(a));
    HK_EXPECT(!hocket_scope_cancelled(&outer) && !hocket_cancelled());
    hocket_scope_open(&inner, NULL);
    hocket_task *c = run_spawn_in(&inner, for_ever, NULL);
    RUN_UNTIL(run_parked(c));
    hocket_scope_cancel(&outer);
    HK_EXPECT(hocket_cancelled());
    HK_EXPECT_EQ(hocket_scope_close(&inner), 0);
    HK_EXPECT_EQ(hocket_scope_close(&outer), 0);
    hocket_task_release(a);
    hocket_task_release(b);
    hocket_task_release(c);
    return hocket_check();
}

START_TEST(cancels_go_inwards)
{
    run_in(_i, nest_cancel, NULL);
}
END_TEST

/* Now and to come: what is spawned into a cancelled scope starts cancelled. */
static int after_the_cancel(void *arg)
{
    hocket_scope s;
    int result;
    (void)arg;
    hocket_scope_open(&s, NULL);
    hocket_scope_cancel(&s);
    hocket_task *t = run_spawn_in(&s, for_ever, NULL);
    HK_EXPECT_EQ(hocket_scope_wait(&s), 0);
    HK_EXPECT_EQ(hocket_scope_close(&s), 0);
    HK_EXPECT_EQ(hocket_join(t, &result, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(result, -ECANCELED);
    hocket_task_release(t);
    return 0;
}

START_TEST(spawn_into_a_cancelled_scope)
{
    run_in(_i, after_the_cancel, NULL);
}
END_TEST

/* The deadline ends the waits of the tasks inside; close says that it was the deadline. */
static int deadline(void *arg)
{
    hocket_scope s;
    hocket_task *t[4];
    (void)arg;
    hocket_time until = hocket_after(3 * HOCKET_MS);
    hocket_scope_open(&s, HOCKET_SCOPE_OPTIONS(.deadline = until, .name = "hurry"));
    for (int i = 0; i < 4; i++)
        t[i] = run_spawn_in(&s, for_ever, NULL);
    HK_EXPECT_EQ(hocket_scope_close(&s), -ETIMEDOUT);
    HK_EXPECT(hocket_now() >= until);
    for (int i = 0; i < 4; i++)
        run_finish(t[i], -ECANCELED);
    HK_EXPECT_EQ(hocket_check(), 0);
    return 0;
}

START_TEST(a_deadline_ends_all_waits)
{
    run_in(_i, deadline, NULL);
}
END_TEST

static int deadline_not_reached(void *arg)
{
    _Atomic int n = 0;
    hocket_scope s;
    (void)arg;
    hocket_scope_open(&s, HOCKET_SCOPE_OPTIONS(.deadline = hocket_after(100 * HOCKET_SEC)));
    hocket_task_release(run_spawn_in(&s, add_late, &n));
    HK_EXPECT_EQ(hocket_scope_close(&s), 0);
    HK_EXPECT_EQ(n, 1);
    hocket_scope_open(&s, HOCKET_SCOPE_OPTIONS(.deadline = HOCKET_FOREVER));
    HK_EXPECT_EQ(hocket_check(), 0);
    HK_EXPECT_EQ(hocket_scope_close(&s), 0);
    hocket_scope_open(&s, &(hocket_scope_options){ .size = 0 });
    HK_EXPECT_EQ(hocket_scope_close(&s), 0);
    return 0;
}

START_TEST(a_deadline_in_the_future)
{
    run_in(_i, deadline_not_reached, NULL);
}
END_TEST

/* The owner's own waits end too, and a computing owner sees it. */
static int own_waits(void *arg)
{
    hocket_scope s;
    (void)arg;
    hocket_scope_open(&s, HOCKET_SCOPE_OPTIONS(.deadline = hocket_after(HOCKET_MS)));
    HK_EXPECT_EQ(hocket_sleep(100 * HOCKET_SEC), -ECANCELED);
    HK_EXPECT(hocket_scope_cancelled(&s));
    HK_EXPECT_EQ(hocket_scope_close(&s), -ETIMEDOUT);

    hocket_time until = hocket_after(HOCKET_MS);
    hocket_scope_open(&s, HOCKET_SCOPE_OPTIONS(.deadline = until));
    while (!hocket_cancelled())
        continue;
    HK_EXPECT(hocket_now() >= until);
    HK_EXPECT_EQ(hocket_scope_close(&s), -ETIMEDOUT);

    hocket_scope_open(&s, HOCKET_SCOPE_OPTIONS(.deadline = 1)); /* long past */
    HK_EXPECT(hocket_cancelled());
    HK_EXPECT_EQ(hocket_sleep(1), -ECANCELED);
    HK_EXPECT_EQ(hocket_scope_close(&s), -ETIMEDOUT);
    return 0;
}

START_TEST(a_deadline_for_the_owner)
{
    run_in(_i, own_waits, NULL);
}
END_TEST

/* The earlier of two nested deadlines holds, and only its own scope says so. */
static int nested_deadlines(void *arg)
{
    hocket_scope outer, inner;
    (void)arg;
    hocket_time soon = hocket_after(2 * HOCKET_MS), late = hocket_after(100 * HOCKET_SEC);
    hocket_scope_open(&outer, HOCKET_SCOPE_OPTIONS(.deadline = soon));
    hocket_scope_open(&inner, HOCKET_SCOPE_OPTIONS(.deadline = late));
    hocket_task *t = run_spawn_in(&inner, for_ever, NULL);
    HK_EXPECT_EQ(hocket_scope_close(&inner), 0); /* the outer one's cancel */
    HK_EXPECT(hocket_cancelled());
    HK_EXPECT_EQ(hocket_scope_close(&outer), -ETIMEDOUT);
    run_finish(t, -ECANCELED);

    soon = hocket_after(2 * HOCKET_MS);
    hocket_scope_open(&outer, HOCKET_SCOPE_OPTIONS(.deadline = late));
    hocket_scope_open(&inner, HOCKET_SCOPE_OPTIONS(.deadline = soon));
    t = run_spawn_in(&inner, for_ever, NULL);
    HK_EXPECT_EQ(hocket_scope_close(&inner), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_check(), 0);
    HK_EXPECT_EQ(hocket_scope_close(&outer), 0);
    run_finish(t, -ECANCELED);
    return 0;
}

START_TEST(the_earlier_deadline_holds)
{
    run_in(_i, nested_deadlines, NULL);
}
END_TEST

static int grandchild(void *arg)
{
    hocket_scope s;
    (void)arg;
    hocket_scope_open(&s, NULL);
    hocket_task *t = run_spawn_in(&s, for_ever, NULL);
    HK_EXPECT_EQ(hocket_scope_close(&s), 0);
    HK_EXPECT(run_ended(t));
    hocket_task_release(t);
    return hocket_check();
}

/* Through tasks that have scopes of their own. */
static int deadline_reaches_down(void *arg)
{
    hocket_scope s;
    (void)arg;
    hocket_scope_open(&s, HOCKET_SCOPE_OPTIONS(.deadline = hocket_after(2 * HOCKET_MS)));
    hocket_task *t = run_spawn_in(&s, grandchild, NULL);
    HK_EXPECT_EQ(hocket_scope_close(&s), -ETIMEDOUT);
    run_finish(t, -ECANCELED);
    return 0;
}

START_TEST(a_deadline_reaches_grandchildren)
{
    run_in(_i, deadline_reaches_down, NULL);
}
END_TEST

/* close is no cancel point: it waits for tasks that take their time to end. */
static int slow_to_end(void *arg)
{
    _Atomic int *n = arg;
    HK_EXPECT_EQ(hocket_sleep_until(HOCKET_FOREVER), -ECANCELED);
    hocket_scope s;
    hocket_scope_open(&s, HOCKET_SCOPE_OPTIONS(.shield = true));
    HK_EXPECT_EQ(hocket_sleep(HOCKET_MS), 0);
    HK_EXPECT_EQ(hocket_scope_close(&s), 0);
    return add_one(n);
}

static int cancelled_owner(void *arg)
{
    hocket_scope s;
    hocket_scope_open(&s, NULL);
    for (int i = 0; i < 5; i++)
        hocket_task_release(run_spawn_in(&s, slow_to_end, arg));
    HK_EXPECT_EQ(hocket_scope_close(&s), 0);
    HK_EXPECT_EQ(*(_Atomic int *)arg, 5);
    return hocket_check();
}

static int close_under_cancel(void *arg)
{
    _Atomic int n = 0;
    (void)arg;
    hocket_task *t = run_spawn(cancelled_owner, &n);
    RUN_UNTIL(run_parked(t));
    hocket_cancel(t);
    run_finish(t, -ECANCELED);
    return 0;
}

START_TEST(close_is_no_cancel_point)
{
    run_in(_i, close_under_cancel, NULL);
}
END_TEST

/* ---- a worker that goes on ---- */

static _Atomic bool has_closed;

static int until_closed(void *arg)
{
    while (!hk_load(&has_closed))
        hk_spin_pause();
    return add_one(arg);
}

/* On a thread: its tasks end on the only worker, which turns to a long one at once. */
static int closes_from_a_thread(void *arg)
{
    _Atomic int n = 0;
    hocket_scope s;
    hocket_scope_open(&s, NULL);
    for (int i = 0; i < 10; i++)
        HK_EXPECT_OK(hocket_spawn(&s, add_one, &n));
    HK_EXPECT_OK(hocket_spawn(NULL, until_closed, arg));
    HK_EXPECT_EQ(hocket_scope_close(&s), 0);
    HK_EXPECT_EQ(n, 10);
    hk_store(&has_closed, true);
    return 0;
}

static int spawns_a_thread(void *arg)
{
    hocket_task *t;
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, closes_from_a_thread, arg,
                                   HOCKET_SPAWN_OPTIONS(.placement = HOCKET_ON_THREAD)));
    HK_EXPECT_OK(hocket_join(t, NULL, HOCKET_FOREVER));
    hocket_task_release(t);
    return 0;
}

/* What ended is told before the long task begins, not after. */
START_TEST(nobody_waits_for_a_strangers_task)
{
    _Atomic int n = 0;
    HK_EXPECT_EQ(hocket_run_with(spawns_a_thread, &n,
                                 HOCKET_RUNTIME_OPTIONS(.workers = 1, .quiet_watchdog = true)),
                 0);
    HK_EXPECT_EQ(n, 1);
}
END_TEST

/* Between plain threads, without any runtime, a scope is of use for its deadline. */
START_TEST(without_a_runtime)
{
    hocket_scope s;
    hocket_scope_open(&s, HOCKET_SCOPE_OPTIONS(.deadline = hocket_after(HOCKET_MS)));
    HK_EXPECT_EQ(hocket_spawn(&s, add_one, NULL), -ENOSYS);
    HK_EXPECT_EQ(hocket_sleep_until(HOCKET_FOREVER), -ECANCELED);
    HK_EXPECT_EQ(hocket_scope_count(&s), 0);
    HK_EXPECT_EQ(hocket_scope_close(&s), -ETIMEDOUT);
}
END_TEST

SUITE("scope_basic", 15)
{
    suite_each(close_waits);
    suite_each(wait_and_go_on);
    suite_each(count);
    suite_each(tasks_spawn_beside_themselves);
    suite_each(nested);
    suite_each(cancels_go_inwards);
    suite_each(spawn_into_a_cancelled_scope);
    suite_each(a_deadline_ends_all_waits);
    suite_each(a_deadline_in_the_future);
    suite_each(a_deadline_for_the_owner);
    suite_each(the_earlier_deadline_holds);
    suite_each(a_deadline_reaches_grandchildren);
    suite_each(close_is_no_cancel_point);
    suite_once(nobody_waits_for_a_strangers_task);
    suite_once(without_a_runtime);
}
