/* SPDX-License-Identifier: MIT */
/* blocking: hocket_blocking, begin and end, and what the watchdog does for those who use neither. */
#include <errno.h>
#include <pthread.h>

#include "support/death.h"
#include "support/process.h"
#include "support/suite.h"
#include "sys/sys.h"

/* The other end of a pipe that a task reads from, blocking its thread. */
struct tube {
    int ends[2];
    _Atomic int reading, turns;
};

static void tube_open(struct tube *p)
{
    HK_EXPECT_EQ(pipe(p->ends), 0);
    hk_store(&p->reading, 0);
    hk_store(&p->turns, 0);
}

static void tube_close(struct tube *p)
{
    close(p->ends[0]);
    close(p->ends[1]);
}

static int tube_read(void *arg)
{
    struct tube *p = arg;
    char c = 0;
    (void)hk_add(&p->reading, 1);
    HK_EXPECT_EQ(read(p->ends[0], &c, 1), 1);
    return c;
}

static int tube_write(void *arg)
{
    struct tube *p = arg;
    char c = 42;
    HK_EXPECT_EQ(write(p->ends[1], &c, 1), 1);
    return 0;
}

static int give(void *arg)
{
    return (int)(intptr_t)arg;
}

static int thread_of(void *arg)
{
    *(pthread_t *)arg = pthread_self();
    return 0;
}

static int results(void *arg)
{
    (void)arg;
    for (int i = -5; i < 200; i++)
        HK_EXPECT_EQ(hocket_blocking(give, (void *)(intptr_t)i), i);
    pthread_t its, mine = pthread_self();
    HK_EXPECT_EQ(hocket_blocking(thread_of, &its), 0);
    bool fiber = hocket_task_placement(hocket_self()) == HOCKET_ON_FIBER;
    bool elsewhere = fiber && run_mode->workers != HOCKET_NO_WORKERS;
    HK_EXPECT(elsewhere == !pthread_equal(its, mine));
    return 0;
}

START_TEST(call_results)
{
    run_in(_i, results, NULL);
}
END_TEST

START_TEST(without_a_runtime)
{
    HK_EXPECT_EQ(hocket_blocking(give, (void *)7), 7);
    hocket_blocking_begin();
    hocket_blocking_end();
}
END_TEST

static int blocking_read(void *arg)
{
    return hocket_blocking(tube_read, arg);
}

/* As many at once as one likes: each has a thread, and the workers stay free. */
static int many_at_once(void *arg)
{
    struct tube p;
    hocket_task *t[30];
    (void)arg;
    for (int round = 0; round < 4; round++) {
        tube_open(&p);
        for (int i = 0; i < 30; i++)
            HK_EXPECT_OK(hocket_spawn_task(&t[i], NULL, blocking_read, &p, NULL));
        RUN_UNTIL(hk_load(&p.reading) == 30);
        for (int i = 0; i < 30; i++)
            HK_EXPECT_EQ(tube_write(&p), 0);
        for (int i = 0; i < 30; i++)
            run_finish(t[i], 42);
        tube_close(&p);
    }
    return 0;
}

START_TEST(each_call_has_a_thread)
{
    for (int mode = 0; mode < 4; mode++)
        run_in(mode, many_at_once, NULL);
    run_in(5, many_at_once, NULL);
}
END_TEST

struct limit {
    _Atomic int now, most;
};

static int within_limit(void *arg)
{
    struct limit *l = arg;
    int now = hk_add(&l->now, 1) + 1, most = hk_load(&l->most);
    while (now > most && !hk_cas(&l->most, &most, now))
        continue;
    for (int i = 0; i < 50; i++)
        sched_yield();
    (void)hk_sub(&l->now, 1);
    return 0;
}

static int blocking_within(void *arg)
{
    return hocket_blocking(within_limit, arg);
}

static int limited(void *arg)
{
    hocket_scope s;
    hocket_scope_open(&s, NULL);
    for (int i = 0; i < 100; i++)
        HK_EXPECT_OK(hocket_spawn(&s, blocking_within, arg));
    return hocket_scope_close(&s);
}

/* No more threads than the option says; the others wait for one. */
START_TEST(max_blocking)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    struct limit l = { 0, 0 };
    o.workers = 4;
    o.max_blocking = 3;
    HK_EXPECT_EQ(hocket_run_with(limited, &l, &o), 0);
    HK_EXPECT(l.most >= 1 && l.most <= 3);
}
END_TEST

static int cancelled_call(void *arg)
{
    struct tube *p = arg;
    int result = hocket_blocking(tube_read, p); /* once it runs it is never interrupted */
    HK_EXPECT_EQ(result, 42);
    HK_EXPECT_EQ(hocket_blocking(give, (void *)1), -ECANCELED); /* not started */
    return 0;
}

static int cancels(void *arg)
{
    struct tube p;
    hocket_task *t;
    (void)arg;
    tube_open(&p);
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, cancelled_call, &p, NULL));
    RUN_UNTIL(hk_load(&p.reading) == 1);
    hocket_cancel(t);
    for (int i = 0; i < 50; i++)
        run_turn();
    HK_EXPECT(!run_ended(t));
    HK_EXPECT_EQ(tube_write(&p), 0);
    run_finish(t, 0);
    tube_close(&p);
    return 0;
}

START_TEST(a_cancel_comes_before_or_after)
{
    for (int mode = 0; mode < 4; mode++)
        run_in(mode, cancels, NULL);
    run_in(5, cancels, NULL);
}
END_TEST

static int failing_thread(struct hocket__thread *ret, void *(*fn)(void *), void *arg,
                          size_t stack_size, const char *name, unsigned flags)
{
    if (name != NULL && strcmp(name, "hocket-block") == 0)
        return -EAGAIN;
    return hocket__sys_linux.thread_start(ret, fn, arg, stack_size, name, flags);
}

static int no_thread(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++)
        HK_EXPECT_EQ(hocket_blocking(give, (void *)1), -EAGAIN);
    return 0;
}

START_TEST(no_thread_to_be_had)
{
    struct hocket__sys sys = *hocket__sys;
    sys.thread_start = failing_thread;
    hocket__sys = &sys;
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = 2;
    HK_EXPECT_EQ(hocket_run_with(no_thread, NULL, &o), 0);
    hocket__sys = &hocket__sys_linux;
}
END_TEST

/* ---- a block of code ---- */

static int block_between(void *arg)
{
    struct tube *p = arg;
    hocket_blocking_begin();
    hocket_blocking_begin(); /* nests */
    hocket_blocking_end();
    int c = tube_read(p);
    hocket_blocking_end();
    HK_EXPECT_EQ(hocket_yield(), 0);
    return c;
}

static int just_block(void *arg)
{
    return tube_read(arg);
}

static int sleep_then_write(void *arg)
{
    struct tube *p = arg;
    HK_EXPECT_EQ(hocket_sleep(2 * HOCKET_MS), 0);
    for (int i = 0; i < 5; i++) {
        HK_EXPECT_EQ(hocket_yield(), 0);
        (void)hk_add(&p->turns, 1);
    }
    return tube_write(p);
}

/*
 * More tasks block their threads than there are workers.  What they wait for is written by
 * tasks that are ready by then, by tasks that a timer makes ready, and by one spawned from outside.
 */
static int blocked_workers(hocket_task_fn *how, int n, hocket_task_fn *writer, bool late)
{
    struct tube p;
    hocket_task *readers[8], *writers[8];
    tube_open(&p);
    for (int i = 0; i < n && !late; i++)
        writers[i] = run_spawn(writer, &p);
    for (int i = 0; i < n; i++)
        HK_EXPECT_OK(hocket_spawn_task(&readers[i], NULL, how, &p, NULL));
    for (int i = 0; i < n && late; i++)
        writers[i] = run_spawn(writer, &p);
    for (int i = 0; i < n; i++) {
        run_finish(readers[i], 42);
        run_finish(writers[i], 0);
    }
    tube_close(&p);
    return 0;
}

static int others_go_on(void *arg)
{
    hocket_task_fn *how = *(hocket_task_fn **)arg;
    for (int late = 0; late < 2; late++)
        for (int n = 1; n < 6; n += 2) {
            HK_EXPECT_EQ(blocked_workers(how, n, tube_write, late), 0);
            HK_EXPECT_EQ(blocked_workers(how, n, sleep_then_write, late), 0);
        }
    return 0;
}

START_TEST(begin_and_end_let_others_go_on)
{
    hocket_task_fn *how = block_between;
    for (int mode = 0; mode < 4; mode++)
        run_in(mode, others_go_on, &how);
    run_in(5, others_go_on, &how);
}
END_TEST

/* The watchdog lends a worker for each task that blocks its own without a word. */
START_TEST(the_watchdog_lends_workers)
{
    hocket_task_fn *how = just_block;
    for (int mode = 0; mode < 4; mode++)
        run_in(mode, others_go_on, &how);
    run_in(5, others_go_on, &how);
}
END_TEST

static int poke_from_outside(struct tube *p)
{
    HK_WAIT_UNTIL(hk_load(&p->reading) == 1);
    HK_EXPECT_OK(hocket_spawn(NULL, tube_write, p));
    return 0;
}

/* All workers blocked, and the only other work comes from a foreign thread. */
START_TEST(work_from_outside)
{
    static hocket_task_fn *const how[] = { block_between, just_block };
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = 1;
    o.quiet_watchdog = true;
    for (int i = 0; i < 4; i++) {
        struct tube p;
        hocket_task *t;
        tube_open(&p);
        HK_EXPECT_OK(hocket_runtime_start(&o));
        HK_EXPECT_OK(hocket_spawn_task(&t, NULL, how[i % 2], &p, NULL));
        HK_EXPECT_EQ(poke_from_outside(&p), 0);
        run_finish(t, 42);
        HK_EXPECT_OK(hocket_runtime_stop(HOCKET_FOREVER));
        tube_close(&p);
    }
}
END_TEST

static void stuck_child(void *arg)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    struct tube p;
    hocket_task *t;
    o.workers = 1;
    o.watchdog = 5 * HOCKET_MS;
    o.quiet_watchdog = arg != NULL;
    tube_open(&p);
    HK_EXPECT_OK(hocket_runtime_start(&o));
    HK_EXPECT_OK(
        hocket_spawn_task(&t, NULL, just_block, &p, HOCKET_SPAWN_OPTIONS(.name = "the stuck one")));
    HK_WAIT_UNTIL(hk_load(&p.reading) == 1);
    HK_EXPECT_OK(hocket_spawn(NULL, sleep_then_write, &p));
    HK_EXPECT_EQ(hocket_join(t, NULL, HOCKET_FOREVER), 0);
    hocket_runtime_stats stats;
    hocket_runtime_stats_get(&stats);
    HK_EXPECT(stats.lent >= 1);
    hocket_task_release(t);
    HK_EXPECT_OK(hocket_runtime_stop(HOCKET_FOREVER));
}

START_TEST(the_watchdog_names_the_task)
{
    struct death d;
    death_by_exit(stuck_child, NULL, 0,
                  "hocket: watchdog: task 'the stuck one' has kept its worker");
    death_of(&d, stuck_child, "quiet", NULL);
    HK_EXPECT_STR(d.text, "");
}
END_TEST

/* Lent workers step aside when they are no longer needed. */
static int back_to_normal(void *arg)
{
    hocket_runtime_stats stats;
    hocket_task_fn *how = just_block;
    (void)arg;
    HK_EXPECT_EQ(others_go_on(&how), 0);
    hocket_scope s;
    hocket_scope_open(&s, NULL);
    for (int i = 0; i < 2000; i++)
        HK_EXPECT_OK(hocket_spawn(&s, give, NULL));
    HK_EXPECT_EQ(hocket_scope_close(&s), 0);
    hocket_runtime_stats_get(&stats);
    HK_EXPECT(stats.threads < 80);
    return 0;
}

START_TEST(after_the_blocking)
{
    run_in(1, back_to_normal, NULL);
}
END_TEST

SUITE("blocking_call", 30)
{
    suite_each(call_results);
    suite_once(without_a_runtime);
    suite_once(each_call_has_a_thread);
    suite_once(max_blocking);
    suite_once(a_cancel_comes_before_or_after);
    suite_once(no_thread_to_be_had);
    suite_once(begin_and_end_let_others_go_on);
    suite_once(the_watchdog_lends_workers);
    suite_once(work_from_outside);
    suite_once(the_watchdog_names_the_task);
    suite_once(after_the_blocking);
}
