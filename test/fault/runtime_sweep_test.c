/* SPDX-License-Identifier: MIT */
/*
 * The runtime, tasks and threads when the n-th allocation, mapping, guard or thread fails.
 *
 * A task that cannot be started ends with -ENOMEM and counts as one that failed, so the
 * programs here add up what their children return and what spawn says.
 */
#include "support/suite.h"

#include <errno.h>

#include <hocket/hooks.h>
#include <hocket/local.h>
#include <hocket/runtime.h>
#include <hocket/scope.h>
#include <pthread.h>

#include "support/inject.h"

static _Atomic int reported; /* failures nobody looked at */

static void on_error(const hocket_error *error, void *context)
{
    (void)context;
    if (error->code != -ENOMEM && error->code != -EAGAIN)
        hk__expect_failed(__FILE__, __LINE__, "only failures that were asked for");
    atomic_fetch_add(&reported, 1);
}

static void setup(void)
{
    hocket_hooks hooks = HOCKET_HOOKS_DEFAULT;
    inject_install();
    hooks.error = on_error;
    HK_EXPECT_OK(hocket_hooks_set(&hooks, NULL));
}

static int worse(int a, int b)
{
    return a < 0 ? a : b < 0 ? b : 0;
}

/* ---- programs ---- */

static hocket_runtime_options options_of(int workers)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = workers;
    o.no_signals = true;
    o.quiet_watchdog = true;
    return o;
}

static int start_and_stop(void *arg)
{
    hocket_runtime_options o = options_of((int)(intptr_t)arg);
    int err = hocket_runtime_start(&o);
    HK_EXPECT_EQ(hocket_running(), err == 0);
    return err ? err : hocket_runtime_stop(HOCKET_FOREVER);
}

static int waits_a_little(void *arg)
{
    (void)arg;
    return hocket_sleep(10 * HOCKET_US);
}

static hocket_local local = HOCKET_LOCAL_INIT_INHERIT(NULL, NULL);

static int leaf(void *arg)
{
    (void)arg;
    return hocket_local_set(&local, arg);
}

/* Children with and without handle, stacks of their own, private arguments, locals. */
static int family(void *arg)
{
    hocket_scope scope;
    hocket_task *t = NULL;
    int sum = hocket_local_set(&local, arg), result = 0, args[4] = { 0 };
    hocket_scope_open(&scope, NULL);
    sum = worse(sum, hocket_spawn(&scope, waits_a_little, NULL));
    sum = worse(sum, hocket_spawn(&scope, leaf, NULL));
    sum = worse(sum, hocket_spawn_copy(&scope, leaf, args, sizeof args));
    int err = hocket_spawn_task(&t, &scope, waits_a_little, NULL,
                                HOCKET_SPAWN_OPTIONS(.name = "large", .stack_size = 256 * 1024));
    if (err == 0) {
        err = hocket_join(t, &result, HOCKET_FOREVER);
        HK_EXPECT(err == 0 || err == -ECANCELED); /* a sibling may have failed */
        hocket_task_release(t);
    }
    sum = worse(sum, err == -ECANCELED ? 0 : err);
    err = hocket_scope_close(&scope);
    return worse(worse(sum, err), result == -ECANCELED ? 0 : result);
}

static int run_family(void *arg)
{
    hocket_runtime_options o = options_of((int)(intptr_t)arg);
    return hocket_run_with(family, NULL, &o);
}

static int thread_parent(void *arg)
{
    hocket_task *t = NULL;
    int result = 0;
    int err = hocket_spawn_task(&t, NULL, waits_a_little, arg,
                                HOCKET_SPAWN_OPTIONS(.placement = HOCKET_ON_THREAD));
    if (err)
        return err;
    while ((err = hocket_join(t, &result, hocket_after(HOCKET_US))) == -ETIMEDOUT)
        ;
    hocket_task_release(t);
    return worse(err, result);
}

static int run_thread(void *arg)
{
    hocket_runtime_options o = options_of((int)(intptr_t)arg);
    return hocket_run_with(thread_parent, NULL, &o);
}

static int two(void *arg)
{
    (void)arg;
    return 2;
}

static int blocking_parent(void *arg)
{
    int rc = hocket_blocking(two, arg);
    HK_EXPECT(rc == 2 || rc < 0);
    return rc == 2 ? 0 : rc;
}

static int run_blocking(void *arg)
{
    hocket_runtime_options o = options_of((int)(intptr_t)arg);
    return hocket_run_with(blocking_parent, NULL, &o);
}

/* A worker that leaves its tasks to others: where none can be lent, they wait for it. */
static _Atomic int section_runs;

static int section_child(void *arg)
{
    (void)arg;
    atomic_fetch_add(&section_runs, 1);
    return 0;
}

static int section(void *arg)
{
    hocket_scope scope;
    (void)arg;
    hocket_scope_open(&scope, NULL);
    int err = hocket_spawn(&scope, section_child, NULL);
    hocket_blocking_begin();
    sched_yield();
    hocket_blocking_end();
    return worse(err, hocket_scope_close(&scope));
}

static int run_section(void *arg)
{
    hocket_runtime_options o = options_of((int)(intptr_t)arg);
    return hocket_run_with(section, NULL, &o);
}

/* A thread that Hocket does not know: its first wait gives it a record, and spawns from there. */
static void *foreign_main(void *arg)
{
    hocket_task *t = NULL;
    int *ret = arg, result = 0;
    if (!hocket_self()) {
        *ret = -ENOMEM;
        return NULL;
    }
    *ret = hocket_local_set(&local, arg);
    int err = hocket_spawn_task(&t, NULL, leaf, NULL, NULL);
    if (err == 0) {
        err = hocket_join(t, &result, HOCKET_FOREVER);
        hocket_task_release(t);
    }
    *ret = worse(*ret, worse(err, result));
    return NULL;
}

static int run_foreign(void *arg)
{
    hocket_runtime_options o = options_of((int)(intptr_t)arg);
    pthread_t thread;
    int result = 0;
    int err = hocket_runtime_start(&o);
    if (err)
        return err;
    HK_EXPECT_EQ(pthread_create(&thread, NULL, foreign_main, &result), 0);
    HK_EXPECT_EQ(pthread_join(thread, NULL), 0);
    err = hocket_runtime_stop(HOCKET_FOREVER);
    return worse(err, result);
}

static void at_exit(void *arg)
{
    atomic_fetch_add((_Atomic int *)arg, 1);
}

static int run_at_exit(void *arg)
{
    _Atomic int called = 0;
    hocket_runtime_options o = options_of((int)(intptr_t)arg);
    int err = hocket_runtime_start(&o);
    if (err)
        return err;
    int added = hocket_at_exit(at_exit, (void *)&called);
    err = hocket_runtime_stop(HOCKET_FOREVER);
    HK_EXPECT_EQ(atomic_load(&called), added == 0);
    return worse(err, added);
}

/* ---- the sweeps ---- */

/* gets: hocket_at_exit -ENOMEM, hocket_blocking -ENOMEM -EAGAIN, hocket_runtime_start -ENOMEM */

static const struct program {
    int (*run)(void *arg);
    unsigned kinds; /* that the program needs at least once, a bit each */
} programs[] = {
    { start_and_stop, 1u << INJECT_MAP | 1u << INJECT_THREAD },
    { run_family, 1u << INJECT_ALLOC | 1u << INJECT_MAP },
    { run_thread, 1u << INJECT_ALLOC | 1u << INJECT_THREAD },
    { run_blocking, 1u << INJECT_ALLOC | 1u << INJECT_THREAD },
    { run_section, 1u << INJECT_MAP },
    { run_foreign, 1u << INJECT_ALLOC | 1u << INJECT_MAP },
    { run_at_exit, 1u << INJECT_ALLOC },
};

#define PROGRAMS (sizeof programs / sizeof programs[0])

static void sweep(const struct program *p, enum inject_kind kind, int workers)
{
    setup();
    unsigned n = inject_sweep(kind, p->run, (void *)(intptr_t)workers);
    if (workers > 0 && (p->kinds & 1u << kind))
        HK_EXPECT(n > 0);
}

START_TEST(allocations)
{
    sweep(&programs[_i / 2], INJECT_ALLOC, _i % 2 ? 2 : HOCKET_NO_WORKERS);
}
END_TEST

START_TEST(mappings)
{
    sweep(&programs[_i / 2], INJECT_MAP, _i % 2 ? 2 : HOCKET_NO_WORKERS);
}
END_TEST

START_TEST(guards)
{
    sweep(&programs[_i], INJECT_GUARD, 2);
}
END_TEST

START_TEST(threads)
{
    sweep(&programs[_i], INJECT_THREAD, 2);
}
END_TEST

/* Every second sleep ends for no reason: nothing changes. */
START_TEST(spurious)
{
    setup();
    inject_disturb(2);
    for (int round = 0; round < 5; round++)
        HK_EXPECT_EQ(programs[_i].run((void *)(intptr_t)2), 0);
    HK_EXPECT_EQ(atomic_load(&reported), 0);
}
END_TEST

SUITE("runtime_sweep", 60)
{
    tcase_add_loop_test(suite__case, allocations, 0, 2 * PROGRAMS);
    tcase_add_loop_test(suite__case, mappings, 0, 2 * PROGRAMS);
    tcase_add_loop_test(suite__case, guards, 0, PROGRAMS);
    tcase_add_loop_test(suite__case, threads, 0, PROGRAMS);
    tcase_add_loop_test(suite__case, spurious, 0, PROGRAMS);
}
