/* SPDX-License-Identifier: MIT */
/* The simulated world: what hocket_sim_run finds, and that it finds nothing where nothing is. */
#include <errno.h>
#include <hocket.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/expect.h"
#include "support/suite.h"

__attribute__((constructor)) static void not_from_outside(void)
{
    (void)unsetenv("HOCKET_SIM_SEEDS"); /* here the number matters */
}

static hocket_sim_result result;

static int sim(hocket_task_fn *fn, void *arg, int strategy, uint32_t seeds)
{
    memset(&result, 0, sizeof result);
    return hocket_sim_run(
        fn, arg,
        HOCKET_SIM_OPTIONS(.strategy = strategy, .seeds = seeds, .quiet = true, .result = &result));
}

static void both(hocket_task_fn *a, hocket_task_fn *b, int placement)
{
    hocket_task *t[2];
    hocket_task_fn *fn[2] = { a, b };
    for (int i = 0; i < 2; i++)
        HK_EXPECT_OK(hocket_spawn_task(&t[i], NULL, fn[i], NULL,
                                       HOCKET_SPAWN_OPTIONS(.placement = placement)));
    for (int i = 0; i < 2; i++) {
        HK_EXPECT_OK(hocket_join(t[i], NULL, HOCKET_FOREVER));
        hocket_task_release(t[i]);
    }
}

/* ---- lost update ---- */

static hocket_mutex mutex, other;
static int counter;

static int add_in_two_steps(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&mutex);
    int seen = counter;
    hocket_mutex_unlock(&mutex);
    hocket_mutex_lock(&mutex);
    counter = seen + 1;
    hocket_mutex_unlock(&mutex);
    return 0;
}

static int add_under_lock(void *arg)
{
    (void)arg;
    HOCKET_WITH(&mutex) {
        int seen = counter;
        hocket_sim_point();
        counter = seen + 1;
    }
    return 0;
}

static int lost_update(void *arg)
{
    (void)arg;
    both(add_in_two_steps, add_in_two_steps, HOCKET_ON_FIBER);
    return counter == 2 ? 0 : -EILSEQ;
}

static int no_lost_update(void *arg)
{
    (void)arg;
    both(add_under_lock, add_under_lock, HOCKET_ON_THREAD);
    return counter == 2 ? 0 : -EILSEQ;
}

START_TEST(a_lost_update_is_found)
{
    for (int strategy = HOCKET_SIM_RANDOM; strategy <= HOCKET_SIM_EXHAUSTIVE; strategy++) {
        HK_EXPECT_EQ(sim(lost_update, NULL, strategy, 500), -EILSEQ);
        HK_EXPECT_EQ(result.failure, HOCKET_SIM_RESULT);
        HK_EXPECT_EQ(result.value, -EILSEQ);
        HK_EXPECT(result.runs >= 1);
    }
}
END_TEST

START_TEST(its_repaired_form_survives)
{
    for (int strategy = HOCKET_SIM_RANDOM; strategy <= HOCKET_SIM_PCT; strategy++) {
        HK_EXPECT_EQ(sim(no_lost_update, NULL, strategy, 100), 0);
        HK_EXPECT_EQ(result.failure, HOCKET_SIM_PASSED);
    }
}
END_TEST

static int only_locks(void *arg)
{
    (void)arg;
    HOCKET_WITH(&mutex) {
        counter++;
    }
    return 0;
}

static int two_lock(void *arg)
{
    (void)arg;
    both(only_locks, only_locks, HOCKET_ON_FIBER);
    return counter == 2 ? 0 : -EILSEQ;
}

START_TEST(the_exhaustive_search_comes_to_its_end)
{
    HK_EXPECT_EQ(sim(two_lock, NULL, HOCKET_SIM_EXHAUSTIVE, 1000), 0);
    HK_EXPECT(result.complete); /* there is no other schedule */
    HK_EXPECT(result.runs > 4);
    HK_EXPECT_EQ(sim(two_lock, NULL, HOCKET_SIM_EXHAUSTIVE, 3), 0);
    HK_EXPECT(!result.complete);
}
END_TEST

/* ---- deadlocks ---- */

static int first_then_second(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&mutex);
    hocket_mutex_lock(&other);
    hocket_mutex_unlock(&other);
    hocket_mutex_unlock(&mutex);
    return 0;
}

static int second_then_first(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&other);
    hocket_mutex_lock(&mutex);
    hocket_mutex_unlock(&mutex);
    hocket_mutex_unlock(&other);
    return 0;
}

static int abba(void *arg)
{
    both(first_then_second, second_then_first, *(int *)arg);
    return 0;
}

START_TEST(two_orders_deadlock)
{
    int placement[] = { HOCKET_ON_FIBER, HOCKET_ON_THREAD };
    for (int i = 0; i < 2; i++)
        for (int strategy = HOCKET_SIM_RANDOM; strategy <= HOCKET_SIM_EXHAUSTIVE; strategy++) {
            HK_EXPECT_EQ(sim(abba, &placement[i], strategy, 500), -EDEADLK);
            HK_EXPECT_EQ(result.failure, HOCKET_SIM_DEADLOCK);
        }
}
END_TEST

/* The library's own line about the cycle comes behind much else. */
static int loud_abba(void *arg)
{
    for (int i = 0; i < 500; i++)
        HK_EXPECT_OK(hocket_print(stdout, "a program that has much to say, line %d\n", i));
    return abba(arg);
}

START_TEST(a_deadlock_of_a_program_that_writes_much)
{
    int placement = HOCKET_ON_FIBER;
    HK_EXPECT_EQ(sim(loud_abba, &placement, HOCKET_SIM_RANDOM, 500), -EDEADLK);
    HK_EXPECT(strstr(result.message, "panic: deadlock: ") != NULL);
}
END_TEST

static hocket_cond cond;
static bool ready;

static int wait_for_it(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&mutex);
    if (!ready)
        HK_EXPECT_OK(hocket_cond_wait(&cond, &mutex, HOCKET_FOREVER));
    hocket_mutex_unlock(&mutex);
    return 0;
}

static int tell_without_the_lock(void *arg)
{
    (void)arg;
    ready = true;
    hocket_cond_signal(&cond);
    return 0;
}

static int lost_wakeup(void *arg)
{
    (void)arg;
    both(wait_for_it, tell_without_the_lock, HOCKET_ON_FIBER);
    return 0;
}

START_TEST(a_lost_wakeup_is_a_deadlock)
{
    for (int strategy = HOCKET_SIM_RANDOM; strategy <= HOCKET_SIM_EXHAUSTIVE; strategy++) {
        HK_EXPECT_EQ(sim(lost_wakeup, NULL, strategy, 500), -EDEADLK);
        HK_EXPECT(strstr(result.message, "deadlock") != NULL);
    }
}
END_TEST

/* ---- other ends ---- */

static int for_ever(void *arg)
{
    (void)arg;
    while (hocket_sim_active())
        HK_EXPECT_OK(hocket_yield());
    return 0;
}

static int leak(void *arg)
{
    hocket_task *t;
    return hocket_spawn_task(&t, NULL, add_under_lock, arg, NULL);
}

static int die(void *arg)
{
    (void)raise(*(int *)arg);
    return 0;
}

static int leave(void *arg)
{
    (void)arg;
    _exit(3);
}

static int positive(void *arg)
{
    (void)arg;
    return 7;
}

/* gets: hocket_sim_run -EBUSY -EFAULT -ELOOP -EPROTO */
START_TEST(every_bad_end_has_its_name)
{
    int segv = SIGSEGV;
    HK_EXPECT_EQ(sim(for_ever, NULL, HOCKET_SIM_RANDOM, 1), -ELOOP);
    HK_EXPECT_EQ(result.failure, HOCKET_SIM_LIVELOCK);
    HK_EXPECT_EQ(sim(leak, NULL, HOCKET_SIM_RANDOM, 1), -EBUSY);
    HK_EXPECT_EQ(result.failure, HOCKET_SIM_LEAK);
    HK_EXPECT_EQ(sim(positive, NULL, HOCKET_SIM_RANDOM, 1), -EPROTO);
    HK_EXPECT_EQ(result.value, 7);
    HK_EXPECT_EQ(sim(leave, NULL, HOCKET_SIM_RANDOM, 1), -EFAULT);
    HK_EXPECT_EQ(result.value, 3);
    HK_EXPECT_EQ(result.failure, HOCKET_SIM_CRASH);
    HK_EXPECT_EQ(sim(die, &segv, HOCKET_SIM_RANDOM, 1), -EFAULT);
    HK_EXPECT_EQ(result.failure, HOCKET_SIM_CRASH);
}
END_TEST

static int hang(void *arg)
{
    (void)arg;
    while (hocket_sim_active())
        (void)pause();
    return 0;
}

START_TEST(a_run_that_blocks_outside_is_ended)
{
    HK_EXPECT_EQ(hocket_sim_run(hang, NULL,
                                HOCKET_SIM_OPTIONS(.seeds = 2, .run_limit = 200 * HOCKET_MS,
                                                   .quiet = true, .result = &result)),
                 -ETIME);
    HK_EXPECT_EQ(result.failure, HOCKET_SIM_HANG);
    HK_EXPECT_EQ(result.runs, 1);
}
END_TEST

/* ---- time ---- */

static int sleep_long(void *arg)
{
    for (int i = 0; i < 10; i++)
        HK_EXPECT_OK(hocket_sleep((intptr_t)arg * 3600 * HOCKET_SEC));
    return 0;
}

static int sleepers(void *arg)
{
    hocket_task *t[3];
    hocket_time start = hocket_now();
    (void)arg;
    for (intptr_t i = 0; i < 3; i++)
        HK_EXPECT_OK(hocket_spawn_task(&t[i], NULL, sleep_long, (void *)(i + 1), NULL));
    for (int i = 0; i < 3; i++) {
        HK_EXPECT_OK(hocket_join(t[i], NULL, HOCKET_FOREVER));
        hocket_task_release(t[i]);
    }
    HK_EXPECT(hocket_now() - start >= 30 * 3600 * HOCKET_SEC);
    HK_EXPECT(hocket_now() - start < 31 * 3600 * HOCKET_SEC);
    return 0;
}

START_TEST(hours_of_sleep_take_no_time)
{
    HK_EXPECT_EQ(sim(sleepers, NULL, HOCKET_SIM_RANDOM, 20), 0);
    HK_EXPECT_EQ(sim(sleepers, NULL, HOCKET_SIM_PCT, 20), 0);
}
END_TEST

/* ---- what may be asked ---- */

static int asks(void *arg)
{
    bool seen[4] = { false };
    (void)arg;
    HK_EXPECT(hocket_sim_active());
    HK_EXPECT(hocket_sim_seed() >= 100 && hocket_sim_seed() < 110);
    HK_EXPECT_EQ(hocket_workers(), 0);
    for (int i = 0; i < 200; i++)
        seen[hocket_sim_choice(4)] = true;
    HK_EXPECT(seen[0] && seen[1] && seen[2] && seen[3]);
    HK_EXPECT_EQ(hocket_sim_choice(0), 0);
    HK_EXPECT_EQ(hocket_sim_run(asks, NULL, NULL), -EALREADY);
    return 0;
}

START_TEST(a_body_can_ask_about_its_world)
{
    HK_EXPECT(!hocket_sim_active());
    HK_EXPECT_EQ(hocket_sim_seed(), 0);
    HK_EXPECT(hocket_sim_choice(3) < 3);
    hocket_sim_point();
    HK_EXPECT_EQ(hocket_sim_run(asks, NULL, HOCKET_SIM_OPTIONS(.first = 100, .seeds = 10)), 0);
}
END_TEST

START_TEST(options_that_make_no_sense)
{
    HK_EXPECT_EQ(hocket_sim_run(asks, NULL, &(hocket_sim_options){ .size = 8 }), -EINVAL);
    HK_EXPECT_EQ(hocket_sim_run(asks, NULL, HOCKET_SIM_OPTIONS(.strategy = 3)), -EINVAL);
    HK_EXPECT_EQ(hocket_sim_run(asks, NULL, HOCKET_SIM_OPTIONS(.strategy = -1)), -EINVAL);
    HK_EXPECT_EQ(hocket_sim_run(asks, NULL, HOCKET_SIM_OPTIONS(.run_limit = -1)), -EINVAL);
    HK_EXPECT_EQ(hocket_sim_run(asks, NULL, HOCKET_SIM_OPTIONS(.depth = 33)), -EINVAL);
    HK_EXPECT_EQ(hocket_sim_run(asks, NULL, HOCKET_SIM_OPTIONS(.replay = "/none", .quiet = true)),
                 -ENOENT);
}
END_TEST

SUITE("sim", 60)
{
    suite_once(a_lost_update_is_found);
    suite_once(its_repaired_form_survives);
    suite_once(the_exhaustive_search_comes_to_its_end);
    suite_once(two_orders_deadlock);
    suite_once(a_deadlock_of_a_program_that_writes_much);
    suite_once(a_lost_wakeup_is_a_deadlock);
    suite_once(every_bad_end_has_its_name);
    suite_once(a_run_that_blocks_outside_is_ended);
    suite_once(hours_of_sleep_take_no_time);
    suite_once(a_body_can_ask_about_its_world);
    suite_once(options_that_make_no_sense);
}
