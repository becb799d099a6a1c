/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TEST_RUN_H
#define HOCKET_TEST_RUN_H
/*
 * run - one test body in every set-up that a program may have
 *
 *     static int body(void *arg) { ...; return 0; }
 *     START_TEST(it_works) { run_in(_i, body, NULL); } END_TEST
 *     ...
 *     tcase_add_loop_test(tc, it_works, 0, RUN_MODES);
 *
 * The body is a fiber, a thread task or the foreign thread that started the
 * runtime; it must return 0.  run_spawn places children as the mode wants them.
 * run_turn lets others go on: a loop around it is how tests here wait for what
 * has no wait of its own, never a sleep of a guessed length.
 */
#include "support/expect.h"

#include <hocket/park.h>
#include <hocket/runtime.h>
#include <hocket/scope.h>
#include <hocket/task.h>

#include "park/wait.h"
#include "sys/sanitizer.h"

enum run_place { RUN_FIBER, RUN_THREAD, RUN_FOREIGN, RUN_MIXED };

struct run_mode {
    const char *name;
    enum run_place body;
    enum run_place children;
    int workers;
};

#define RUN_MODES 7
static const struct run_mode run_modes[RUN_MODES] = {
    { "fibers, 1 worker", RUN_FIBER, RUN_FIBER, 1 },
    { "fibers, 4 workers", RUN_FIBER, RUN_FIBER, 4 },
    { "threads", RUN_THREAD, RUN_THREAD, 2 },
    { "mixed", RUN_FIBER, RUN_MIXED, 4 },
    { "no workers", RUN_FIBER, RUN_FIBER, HOCKET_NO_WORKERS },
    { "foreign", RUN_FOREIGN, RUN_MIXED, 2 },
    { "foreign, no workers", RUN_FOREIGN, RUN_FIBER, HOCKET_NO_WORKERS },
};

static const struct run_mode *run_mode = &run_modes[0];
static _Atomic int run_placed; /* the body's: alternates the places of children */

/* TSan's runtime of gcc ends at 8,128 fibers, ASan's needs a lot of memory for each. */
static inline int run_scaled(int plain, int sanitized)
{
    return HOCKET_ASAN || HOCKET_TSAN ? sanitized : plain;
}

/* Does a wait of the caller drive the tasks? */
static inline bool run_drives(void)
{
    return run_mode->body == RUN_FOREIGN && run_mode->workers == HOCKET_NO_WORKERS;
}

static inline void run_turn(void)
{
    hocket_task *self = hocket_self();
    if (run_drives() && hocket_task_placement(self) == HOCKET_ON_THREAD)
        (void)hocket_sleep(20 * HOCKET_US);
    else
        (void)self->ops->yield(self); /* hocket_yield gives no turn to a cancelled task */
}

/* Let others run until it is true; a minute is a failure. */
#define RUN_UNTIL(cond)                                             \
    do {                                                            \
        double run_start = 0;                                       \
        while (!(cond)) {                                           \
            hk__expect_turn(__FILE__, __LINE__, #cond, &run_start); \
            run_turn();                                             \
        }                                                           \
    } while (0)

/* Off the CPU in a wait of the library? */
static inline bool run_parked(hocket_task *task)
{
    uint32_t s = hk_load_acq(&task->wait_state);
    return s == HOCKET__PARKED || s == HOCKET__PARKED_C;
}

static inline bool run_ended(hocket_task *task)
{
    return (hocket__life(task) & HOCKET__LIFE_DONE) != 0;
}

/* Where the next child goes in this mode. */
static inline int run_placement(void)
{
    if (run_mode->children == RUN_MIXED)
        return hk_add(&run_placed, 1) % 2 ? HOCKET_ON_THREAD : HOCKET_ON_FIBER;
    return run_mode->children == RUN_THREAD ? HOCKET_ON_THREAD : HOCKET_ON_FIBER;
}

static inline hocket_task *run_spawn_in(hocket_scope *scope, hocket_task_fn *fn, void *arg)
{
    hocket_task *t = NULL;
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    o.placement = run_placement();
    HK_EXPECT_OK(hocket_spawn_task(&t, scope, fn, arg, &o));
    return t;
}

static inline hocket_task *run_spawn(hocket_task_fn *fn, void *arg)
{
    return run_spawn_in(NULL, fn, arg);
}

/* Join for ever, expect the result, release. */
static inline void run_finish(hocket_task *t, int expected)
{
    int result = INT32_MIN;
    HK_EXPECT_EQ(hocket_join(t, &result, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(result, expected);
    hocket_task_release(t);
}

struct run__thread {
    hocket_task_fn *fn;
    void *arg;
};

static inline int run__as_thread(void *p)
{
    struct run__thread *r = (struct run__thread *)p;
    hocket_task *t = NULL;
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    int result = -1;
    o.placement = HOCKET_ON_THREAD;
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, r->fn, r->arg, &o));
    HK_EXPECT_OK(hocket_join(t, &result, HOCKET_FOREVER));
    hocket_task_release(t);
    return result;
}

static inline void run_in(int mode, hocket_task_fn *fn, void *arg)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    struct run__thread thread = { fn, arg };
    run_mode = &run_modes[mode];
    o.workers = run_mode->workers;
    o.no_signals = true;
    o.quiet_watchdog = true;
    switch (run_mode->body) {
    case RUN_FOREIGN:
        HK_EXPECT_OK(hocket_runtime_start(&o));
        HK_EXPECT_EQ(fn(arg), 0);
        HK_EXPECT_OK(hocket_runtime_stop(HOCKET_FOREVER));
        break;
    case RUN_THREAD: HK_EXPECT_EQ(hocket_run_with(run__as_thread, &thread, &o), 0); break;
    default: HK_EXPECT_EQ(hocket_run_with(fn, arg, &o), 0); break;
    }
    HK_EXPECT(!hocket_running());
}

#endif
