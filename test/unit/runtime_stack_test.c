/* SPDX-License-Identifier: MIT */
/* runtime: stack sizes, the stacks of large tasks, overflows. */
#include <errno.h>

#include <hocket/event.h>

#include "support/death.h"
#include "support/run.h"
#include "support/suite.h"
#include "sys/stack.h"

START_TEST(the_default)
{
    HK_EXPECT_EQ(hocket_stack_size(0), 64 << 10);
    HK_EXPECT_EQ(hocket_stack_size(1 << 20), 64 << 10);
    HK_EXPECT_EQ(hocket_stack_size(0), 1 << 20);
    HK_EXPECT_EQ(hocket_stack_size(1), 1 << 20);
    HK_EXPECT_EQ(hocket_stack_size((64 << 10) + 1), 64 << 10); /* at least 64 KiB */
    HK_EXPECT_EQ(hocket_stack_size(0), 128 << 10);             /* a power of two */
    HK_EXPECT_EQ(hocket_stack_size(SIZE_MAX), 128 << 10);      /* makes no sense: ignored */
    HK_EXPECT_EQ(hocket_stack_size(64 << 10), 128 << 10);
    HK_EXPECT_EQ(hocket_stack_size(0), 64 << 10);
}
END_TEST

struct depth {
    size_t bytes;
    bool parks;
};

/*
 * Touches `bytes` of stack below itself, and waits at the bottom if told so.  Sanitizers make
 * frames larger.
 */
#define FRAME (HOCKET_ASAN || HOCKET_TSAN ? 512 : 2048)
#define STEP  (HOCKET_ASAN || HOCKET_TSAN ? 4096 : 2048)

__attribute__((noinline)) static int descend(size_t bytes, bool parks)
{
    volatile char frame[FRAME];
    for (size_t i = 0; i < sizeof frame; i += 64)
        frame[i] = (char)bytes;
    if (bytes <= STEP) {
        if (parks)
            HK_EXPECT_EQ(hocket_sleep(100 * HOCKET_US), 0);
        return frame[64];
    }
    int below = descend(bytes - STEP, parks);
    for (size_t i = 0; i < sizeof frame; i += 64)
        HK_EXPECT_EQ(frame[i], (char)bytes); /* nobody else stood here */
    return below;
}

static int use_stack(void *arg)
{
    struct depth *d = arg;
    (void)descend(d->bytes, d->parks);
    return 0;
}

static hocket_task *spawn_deep(struct depth *d, size_t stack_size, int placement)
{
    hocket_task *t;
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    o.stack_size = stack_size;
    o.placement = placement;
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, use_stack, d, &o));
    return t;
}

/* What was asked for can be used, in place or not, parked or not. */
static int big_tasks(void *arg)
{
    static const size_t sizes[] = { 64 << 10, 256 << 10, 1 << 20, 3 << 20, 16 << 20 };
    (void)arg;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct depth d[4];
        hocket_task *t[4];
        for (int k = 0; k < 4; k++) {
            /* Joined in place a task of the default size has half of it. */
            d[k] = (struct depth){ i == 0 ? 24 << 10 : sizes[i] * 3 / 4, k % 2 };
            t[k] = spawn_deep(&d[k], sizes[i], run_placement());
        }
        for (int k = 0; k < 4; k++)
            run_finish(t[k], 0);
        d[0] = (struct depth){ i == 0 ? 24 << 10 : sizes[i] * 3 / 4, true };
        run_finish(spawn_deep(&d[0], sizes[i], HOCKET_ON_FIBER), 0);
    }
    return 0;
}

START_TEST(as_large_as_asked_for)
{
    run_in(_i, big_tasks, NULL);
}
END_TEST

static int many_sizes(void *arg)
{
    struct depth d[64];
    hocket_task *t[64];
    (void)arg;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 64; i++) {
            d[i] = (struct depth){ (size_t)(8 << 10) << i % 6, i % 3 != 0 };
            t[i] = spawn_deep(&d[i], d[i].bytes * 2, HOCKET_ON_FIBER);
        }
        for (int i = 0; i < 64; i++)
            run_finish(t[i], 0);
    }
    return 0;
}

START_TEST(all_sizes_at_once)
{
    run_in(_i, many_sizes, NULL);
}
END_TEST

static int large_root(void *arg)
{
    (void)arg;
    (void)descend(6 << 20, true); /* the root task has 8 MiB */
    return 0;
}

START_TEST(the_root_task_has_8_mib)
{
    HK_EXPECT_EQ(hocket_run(large_root, NULL), 0);
}
END_TEST

static int set_default(void *arg)
{
    struct depth d = { 700 << 10, true };
    hocket_task *t;
    (void)arg;
    HK_EXPECT_EQ(hocket_stack_size(1 << 20), 64 << 10);
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, use_stack, &d, NULL));
    run_finish(t, 0);
    HK_EXPECT_OK(hocket_spawn(NULL, use_stack, &d));
    RUN_UNTIL(hocket_task_count() <= 2);
    HK_EXPECT_EQ(hocket_stack_size(64 << 10), 1 << 20);
    return 0;
}

START_TEST(tasks_take_the_default)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = 1;
    HK_EXPECT_EQ(hocket_run_with(set_default, NULL, &o), 0);
}
END_TEST

/* ---- overflow: a message with the task's name, then the signal ---- */

struct overflow {
    int workers;
    bool on_main; /* the task runs on the thread that called hocket_run */
    bool in_place;
};

__attribute__((noinline)) static int bottomless(int n)
{
    volatile char frame[512];
    frame[0] = (char)n;
    return n < 0 ? 0 : bottomless(n + 1) + frame[0];
}

static int overflows(void *arg)
{
    (void)arg;
    return bottomless(1);
}

static int spawn_overflow(void *arg)
{
    struct overflow *o = arg;
    hocket_task *t;
    hocket_spawn_options options = HOCKET_SPAWN_OPTIONS_DEFAULT;
    options.name = "the deep one";
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, overflows, NULL, &options));
    if (o->in_place)
        return hocket_join(t, NULL, HOCKET_FOREVER);
    return hocket_sleep_until(HOCKET_FOREVER);
}

static void overflow_child(void *arg)
{
    struct overflow *o = arg;
    hocket_runtime_options options = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    options.workers = o->workers;
    if (o->on_main)
        _exit(hocket_run_with(spawn_overflow, o, &options));
    HK_EXPECT_OK(hocket_runtime_start(&options));
    HK_EXPECT_EQ(spawn_overflow(o), 0);
    _exit(0);
}

static int park_crowd(void *arg)
{
    hocket_event *gate = arg;
    return hocket_event_wait(gate, HOCKET_FOREVER);
}

/* Once the program has been idle for a while, the pages of unused stacks go back. */
static int idle_program(void *arg)
{
    enum { CROWD = 2000 };
    static hocket_event gate;
    struct hocket__stack_stats stats;
    hocket_scope scope;
    (void)arg;
    hocket_scope_open(&scope, NULL);
    for (int i = 0; i < CROWD; i++)
        HK_EXPECT_OK(hocket_spawn(&scope, park_crowd, &gate));
    RUN_UNTIL(hocket__parked_count() >= CROWD);
    hocket__stack_get_stats(&stats);
    HK_EXPECT(stats.live >= CROWD);
    hocket_event_set(&gate);
    HK_EXPECT_OK(hocket_scope_close(&scope));
    do {
        HK_EXPECT_OK(hocket_sleep(4 * HOCKET_SEC));
        hocket__stack_get_stats(&stats);
    } while (stats.live > CROWD / 2);
    HK_EXPECT(stats.cold > 0);
    return 0;
}

START_TEST(unused_stacks_go_back)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = 2;
    HK_EXPECT_EQ(hocket_run_with(idle_program, NULL, &o), 0);
}
END_TEST

START_TEST(an_overflow_names_the_task)
{
    struct overflow o[] = {
        { 1, true, false },
        { 1, true, true },
        { HOCKET_NO_WORKERS, true, false },
        { 2, false, false },
        { HOCKET_NO_WORKERS, false, false },
    };
    if (HOCKET_ASAN || HOCKET_TSAN)
        return; /* they report it themselves */
    death_by_signal(overflow_child, &o[_i], SIGSEGV,
                    _i == 1 ? "(stack of 8192 KiB"
                            : "stack overflow in task 'the deep one' (stack of 64 KiB");
}
END_TEST

SUITE("runtime_stack", 30)
{
    suite_once(the_default);
    suite_each(as_large_as_asked_for);
    suite_each(all_sizes_at_once);
    suite_once(the_root_task_has_8_mib);
    suite_once(tasks_take_the_default);
    suite_once(unused_stacks_go_back);
    tcase_add_loop_test(suite__case, an_overflow_names_the_task, 0, 5);
}
