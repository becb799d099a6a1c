/* SPDX-License-Identifier: MIT */
/* HOCKET_SIM_KILL: a task is ended where it stands; what others see of it, and what they do not. */
#include <errno.h>
#include <hocket.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/expect.h"
#include "support/suite.h"

__attribute__((constructor)) static void not_from_outside(void)
{
    (void)unsetenv("HOCKET_SIM_SEEDS"); /* here the number matters */
}

#define SEEDS ((uint32_t)run_scaled(5, 1))

static hocket_sim_result result;

static int kill_each(hocket_task_fn *fn, int strategy)
{
    memset(&result, 0, sizeof result);
    return hocket_sim_sweep(fn, NULL, HOCKET_SIM_KILL,
                            HOCKET_SIM_OPTIONS(.seeds = SEEDS, .strategy = strategy, .quiet = true,
                                               .no_shrink = true, .result = &result));
}

/* No order of killing breaks it; at least so many places were tried. */
static void stands(hocket_task_fn *fn, uint32_t places)
{
    for (int strategy = HOCKET_SIM_RANDOM; strategy <= HOCKET_SIM_PCT; strategy++) {
        HK_EXPECT_EQ(kill_each(fn, strategy), 0);
        HK_EXPECT(result.event >= places);
    }
}

static hocket_mutex mutex;
static int balance[2] = { 100, 0 }, dead, ended;

static hocket_time soon(void)
{
    return hocket_after(HOCKET_SEC);
}

/* ---- what a joiner and a scope see ---- */

static int three_steps(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++)
        hocket_sim_point();
    ended++;
    return 7;
}

static int body_join(void *arg)
{
    hocket_task *t[3];
    int value;
    (void)arg;
    for (int i = 0; i < 3; i++)
        HK_EXPECT_OK(hocket_spawn_task(&t[i], NULL, three_steps, NULL, NULL));
    for (int i = 0; i < 3; i++) {
        HK_EXPECT_OK(hocket_join(t[i], &value, i == 1 ? soon() : HOCKET_FOREVER));
        HK_EXPECT(value == 7 || value == -EOWNERDEAD);
        if (value < 0) {
            HK_EXPECT_EQ(hocket_task_error(t[i])->code, -EOWNERDEAD);
            dead++;
        }
        hocket_cancel(t[i]); /* it is over: nothing */
        hocket_task_release(t[i]);
    }
    HK_EXPECT_EQ(ended, 3 - dead);
    HK_EXPECT(dead <= 1);
    hocket_assert_quiet(NULL);
    return 0;
}

static int sleeps(void *arg)
{
    (void)arg;
    int err = hocket_sleep(HOCKET_SEC);
    ended++;
    return err;
}

static int body_scope(void *arg)
{
    hocket_scope scope;
    (void)arg;
    hocket_scope_open(&scope, NULL);
    HK_EXPECT_OK(hocket_spawn(&scope, three_steps, NULL));
    HK_EXPECT_OK(hocket_spawn(&scope, sleeps, NULL));
    int err = hocket_scope_close(&scope);
    HK_EXPECT(err == 0 ? ended == 2 : err == -EOWNERDEAD && ended == 1);
    return 0;
}

static int body_select(void *arg)
{
    hocket_task *t;
    int value = 0;
    (void)arg;
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, three_steps, NULL, NULL));
    hocket_case cases[] = { hocket_case_join(t, &value) };
    HK_EXPECT_EQ(hocket_select(cases, 1, HOCKET_FOREVER), 0);
    HK_EXPECT(value == 7 || value == -EOWNERDEAD);
    hocket_task_release(t);
    return 0;
}

START_TEST(others_see_a_failed_task)
{
    stands(body_join, 9);
    stands(body_scope, 3);
    stands(body_select, 3);
}
END_TEST

/* ---- a lock stays held ---- */

static int moves(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&mutex);
    balance[0] -= 10;
    hocket_sim_point();
    balance[1] += 10;
    hocket_mutex_unlock(&mutex);
    return 0;
}

static int two_movers(hocket_time (*until)(void))
{
    hocket_scope scope;
    hocket_scope_open(&scope, HOCKET_SCOPE_OPTIONS(.keep_going = true));
    HK_EXPECT_OK(hocket_spawn(&scope, moves, NULL));
    HK_EXPECT_OK(hocket_spawn(&scope, moves, NULL));
    int err = until != NULL ? hocket_mutex_lock_until(&mutex, until()) : 0;
    if (until == NULL)
        hocket_mutex_lock(&mutex);
    bool whole = err == -ETIMEDOUT || balance[0] + balance[1] == 100;
    if (err == 0)
        hocket_mutex_unlock(&mutex);
    if (err == 0)
        (void)!hocket_scope_close(&scope);
    return whole ? 0 : -EILSEQ;
}

static int body_waits_for_ever(void *arg)
{
    (void)arg;
    return two_movers(NULL);
}

/* What a sweep writes to standard error. */
static void report_of(hocket_task_fn *fn, char *text, size_t size)
{
    FILE *to = tmpfile();
    int saved = dup(2);
    HK_EXPECT(to != NULL && saved >= 0 && dup2(fileno(to), 2) == 2);
    (void)!hocket_sim_sweep(fn, NULL, HOCKET_SIM_KILL, HOCKET_SIM_OPTIONS(.no_shrink = true));
    HK_EXPECT(dup2(saved, 2) == 2);
    rewind(to);
    text[fread(text, 1, size - 1, to)] = '\0';
    (void)close(saved);
    (void)fclose(to);
}

START_TEST(a_lock_of_the_dead_is_a_deadlock)
{
    char text[4096];
    report_of(body_waits_for_ever, text, sizeof text);
    HK_EXPECT(strstr(text, "deadlock: nobody can run") != NULL);
    HK_EXPECT(strstr(text, ", which was killed\n  with the death of a task") != NULL);
    HK_EXPECT(strstr(text, ", killed before ") != NULL);
    for (int strategy = HOCKET_SIM_RANDOM; strategy <= HOCKET_SIM_PCT; strategy++) {
        HK_EXPECT_EQ(kill_each(body_waits_for_ever, strategy), -EDEADLK);
        HK_EXPECT_EQ(result.failure, HOCKET_SIM_DEADLOCK);
        HK_EXPECT(result.event >= 2);
    }
}
END_TEST

/* What is seen by who does not ask for the lock is half done. */
static int body_looks_without(void *arg)
{
    hocket_task *t;
    (void)arg;
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, moves, NULL, NULL));
    (void)!hocket_join(t, NULL, HOCKET_FOREVER);
    hocket_task_release(t);
    return balance[0] + balance[1] == 100 ? 0 : -EILSEQ;
}

static int body_asks_for_it(void *arg)
{
    hocket_task *t;
    (void)arg;
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, moves, NULL, NULL));
    (void)!hocket_join(t, NULL, HOCKET_FOREVER);
    hocket_task_release(t);
    int err = hocket_mutex_lock_until(&mutex, soon());
    bool whole = err == -ETIMEDOUT || balance[0] + balance[1] == 100;
    if (err == 0)
        hocket_mutex_unlock(&mutex);
    return whole ? 0 : -EILSEQ;
}

START_TEST(a_lock_guards_what_is_half_done)
{
    HK_EXPECT_EQ(kill_each(body_looks_without, HOCKET_SIM_RANDOM), -EILSEQ);
    stands(body_asks_for_it, 3);
}
END_TEST

/* ---- scopes and branches of the dead ---- */

static int grandchild(void *arg)
{
    const bool *closed = arg;
    int err = 0;
    while (err == 0) {
        err = hocket_sleep(HOCKET_MS);
        HK_EXPECT(!*closed);
    }
    return err;
}

static int opens_two(void *arg)
{
    hocket_scope outer, inner;
    hocket_scope_open(&outer, NULL);
    HK_EXPECT_OK(hocket_spawn(&outer, grandchild, arg));
    hocket_scope_open(&inner, HOCKET_SCOPE_OPTIONS(.shield = true));
    HK_EXPECT_OK(hocket_spawn(&inner, grandchild, arg));
    (void)!hocket_sleep(3 * HOCKET_MS);
    hocket_scope_cancel(&inner);
    (void)!hocket_scope_close(&inner);
    hocket_scope_cancel(&outer);
    (void)!hocket_scope_close(&outer);
    return 0;
}

static int body_scopes(void *arg)
{
    hocket_scope scope;
    bool closed = false;
    (void)arg;
    hocket_scope_open(&scope, NULL);
    HK_EXPECT_OK(hocket_spawn(&scope, opens_two, &closed));
    int err = hocket_scope_close(&scope);
    HK_EXPECT(err == 0 || err == -EOWNERDEAD);
    closed = true; /* whoever looks at it now looks at what is ours no more */
    HK_EXPECT_OK(hocket_sleep(HOCKET_SEC));
    return 0;
}

static int tree(void *arg)
{
    intptr_t n = (intptr_t)arg;
    hocket_branch left;
    hocket_sim_point();
    if (n == 0)
        return 1;
    hocket_fork(&left, tree, (void *)(n - 1));
    int right = tree((void *)(n - 1));
    int sum = hocket_sync(&left);
    return sum < 0 ? sum : right < 0 ? right : sum + right;
}

static int body_branches(void *arg)
{
    (void)arg;
    int sum = tree((void *)3);
    HK_EXPECT(sum == 8 || sum == -EOWNERDEAD);
    return 0;
}

static int adds(size_t from, size_t to, void *arg)
{
    int *sum = arg;
    for (; from < to; from++)
        sum[from]++;
    hocket_sim_point();
    return 0;
}

static int body_parallel(void *arg)
{
    int done[8] = { 0 };
    (void)arg;
    int err = hocket_parallel_for(0, 8, 1, adds, done);
    HK_EXPECT(err == 0 || err == -EOWNERDEAD);
    for (int i = 0; i < 8; i++)
        HK_EXPECT(done[i] == 1 || (err != 0 && done[i] == 0));
    return 0;
}

START_TEST(scopes_and_branches_of_the_dead)
{
    stands(body_scopes, 5);
    stands(body_branches, 8);
    stands(body_parallel, 8);
}
END_TEST

/* ---- the library's own things live on ---- */

static hocket_broadcast *broadcast;
static hocket_delay_queue *delays;
static hocket_queue *queue;
static hocket_executor *pool;

static int talks(void *arg)
{
    int got;
    (void)arg;
    for (int i = 0; i < 3; i++) {
        (void)!hocket_broadcast_put(broadcast, &i, soon());
        (void)!hocket_delay_queue_put(delays, &i, hocket_after(i * HOCKET_MS), soon());
        (void)!hocket_delay_queue_get(delays, &got, soon());
        (void)!hocket_queue_put(queue, &i, soon());
        (void)hocket_print(stderr, "%d\n", i);
        (void)!hocket_queue_get(queue, &got, soon());
    }
    return 0;
}

static int listens(void *arg)
{
    hocket_reader *r;
    int got;
    (void)arg;
    if (hocket_broadcast_subscribe(broadcast, &r) != 0)
        return 0;
    while (hocket_reader_get(r, &got, NULL, soon()) == 0)
        ;
    hocket_reader_free(r);
    return 0;
}

static int body_objects(void *arg)
{
    hocket_scope scope;
    int got, i = 1;
    (void)arg;
    HK_EXPECT_OK(hocket_broadcast_new(&broadcast, sizeof got, NULL));
    HK_EXPECT_OK(hocket_delay_queue_new(&delays, sizeof got, NULL));
    HK_EXPECT_OK(hocket_queue_new(&queue, sizeof got, NULL));
    hocket_scope_open(&scope, HOCKET_SCOPE_OPTIONS(.keep_going = true));
    HK_EXPECT_OK(hocket_spawn(&scope, talks, NULL));
    HK_EXPECT_OK(hocket_spawn(&scope, talks, NULL));
    HK_EXPECT_OK(hocket_spawn(&scope, listens, NULL));
    (void)!hocket_scope_close(&scope);
    HK_EXPECT_OK(hocket_broadcast_put(broadcast, &i, soon()));
    HK_EXPECT_OK(hocket_delay_queue_put(delays, &i, HOCKET_NOW, soon()));
    HK_EXPECT_OK(hocket_delay_queue_get(delays, &got, soon()));
    while (hocket_queue_get(queue, &got, HOCKET_NOW) == 0)
        ;
    HK_EXPECT_OK(hocket_queue_put(queue, &i, soon()));
    HK_EXPECT_OK(hocket_queue_get(queue, &got, soon()));
    HK_EXPECT(hocket_print(stderr, "all is well\n") > 0);
    return 0;
}

static int job(void *arg)
{
    hocket_sim_point();
    (void)arg;
    return 3;
}

static int submits(void *arg)
{
    hocket_executor *inline_one = arg;
    hocket_future *f;
    for (int i = 0; i < 4; i++) {
        int value = 0;
        HK_EXPECT_OK(hocket_submit_fn(i % 2 ? pool : inline_one, &f, job, NULL));
        HK_EXPECT_OK(hocket_future_get(f, &value, HOCKET_FOREVER));
        HK_EXPECT_EQ(value, 3); /* a job is not killed */
        hocket_future_free(f);
    }
    return 0;
}

static int body_executors(void *arg)
{
    hocket_scope scope;
    hocket_executor *inline_one;
    (void)arg;
    HK_EXPECT_OK(hocket_executor_new(&pool, "fibers", HOCKET_EXECUTOR_OPTIONS(.workers = 2)));
    HK_EXPECT_OK(hocket_executor_new(&inline_one, "inline", NULL));
    hocket_scope_open(&scope, HOCKET_SCOPE_OPTIONS(.keep_going = true));
    HK_EXPECT_OK(hocket_spawn(&scope, submits, inline_one));
    HK_EXPECT_OK(hocket_spawn(&scope, submits, inline_one));
    (void)!hocket_scope_close(&scope);
    submits(inline_one);
    hocket_executor_free(inline_one);
    hocket_executor_free(pool);
    return 0;
}

static int puts_three(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++)
        if (hocket_queue_put(queue, &i, HOCKET_FOREVER) != 0)
            return 0;
    return hocket_queue_close(queue, HOCKET_CLOSE_DRAIN);
}

/* Its end is seen: who gets without a deadline would be told. */
static int body_producer(void *arg)
{
    hocket_task *t;
    int got, err = 0;
    (void)arg;
    HK_EXPECT_OK(hocket_queue_new(&queue, sizeof got, NULL));
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, puts_three, NULL, HOCKET_SPAWN_OPTIONS(.held = true)));
    HK_EXPECT_OK(hocket_queue_declare(queue, t));
    HK_EXPECT_OK(hocket_task_start(t));
    while (err == 0)
        err = hocket_queue_get(queue, &got, soon());
    HK_EXPECT(err == -EPIPE || err == -ETIMEDOUT);
    (void)!hocket_join(t, &got, HOCKET_FOREVER);
    HK_EXPECT_EQ(err == -EPIPE, got == 0);
    hocket_task_release(t);
    hocket_queue_free(queue);
    return 0;
}

START_TEST(what_the_library_made_lives_on)
{
    stands(body_objects, 30);
    stands(body_executors, 10);
    stands(body_producer, 4);
}
END_TEST

/* ---- and what does not ---- */

static hocket_once once = HOCKET_ONCE_INIT;

static int slow_start(void *arg)
{
    (void)arg;
    hocket_sim_point();
    return 0;
}

static int starts(void *arg)
{
    (void)arg;
    return hocket_once_do(&once, slow_start, NULL, HOCKET_FOREVER);
}

static int body_once(void *arg)
{
    hocket_task *t;
    (void)arg;
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, starts, NULL, NULL));
    for (int i = 0; i < 20; i++) /* it has begun, unless it was killed before */
        HK_EXPECT_OK(hocket_yield());
    HK_EXPECT_OK(starts(NULL));
    (void)!hocket_join(t, NULL, HOCKET_FOREVER);
    hocket_task_release(t);
    return 0;
}

static int body_only_root(void *arg)
{
    (void)arg;
    for (int i = 0; i < 5; i++)
        HK_EXPECT_OK(hocket_yield());
    return 0;
}

static int body_daemon(void *arg)
{
    (void)arg;
    hocket_task *t;
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, sleeps, NULL, HOCKET_SPAWN_OPTIONS(.daemon = true)));
    HK_EXPECT_OK(hocket_sleep(HOCKET_MS));
    hocket_task_release(t);
    return 0;
}

START_TEST(who_is_killed)
{
    HK_EXPECT_EQ(kill_each(body_once, HOCKET_SIM_RANDOM), -EDEADLK);
    HK_EXPECT_EQ(kill_each(body_only_root, HOCKET_SIM_RANDOM), 0);
    HK_EXPECT_EQ(result.event, 0); /* never the root task */
    HK_EXPECT_EQ(result.runs, SEEDS);
    HK_EXPECT_EQ(kill_each(body_daemon, HOCKET_SIM_RANDOM), 0);
}
END_TEST

SUITE("sim_kill", 60)
{
    suite_once(others_see_a_failed_task);
    suite_once(a_lock_of_the_dead_is_a_deadlock);
    suite_once(a_lock_guards_what_is_half_done);
    suite_once(scopes_and_branches_of_the_dead);
    suite_once(what_the_library_made_lives_on);
    suite_once(who_is_killed);
}
