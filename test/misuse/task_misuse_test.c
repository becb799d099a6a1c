/* SPDX-License-Identifier: MIT */
/* What must not be done with tasks, scopes and the runtime: a panic that says what, never silence. */
#include <errno.h>
#include <hocket/mutex.h>
#include <pthread.h>
#include <setjmp.h>

#include "support/death.h"
#include "support/suite.h"

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int for_ever(void *arg)
{
    (void)arg;
    return hocket_sleep_until(HOCKET_FOREVER);
}

static int release_twice(void *arg)
{
    hocket_task *t = run_spawn(for_ever, NULL);
    (void)arg;
    hocket_task_release(t);
    hocket_task_release(t);
    return 0;
}

static int release_before_start(void *arg)
{
    hocket_task *t;
    (void)arg;
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, nothing, NULL, HOCKET_SPAWN_OPTIONS(.held = true)));
    hocket_task_release(t);
    return 0;
}

static int release_of_oneself(void *arg)
{
    hocket_task *t = run_spawn(for_ever, NULL);
    (void)arg;
    RUN_UNTIL(run_parked(t));
    hocket_task_release(t);
    hocket_task_release(t); /* as a task does that releases what hocket_self gave it */
    return 0;
}

static int leave_scope_open(void *arg)
{
    static hocket_scope s; /* outlives the task, so that only the rule is broken */
    (void)arg;
    hocket_scope_open(&s, NULL);
    return 0;
}

static int leave_lock_held(void *arg)
{
    static hocket_mutex m;
    (void)arg;
    hocket_mutex_lock(&m);
    return 0;
}

static int in_a_task(hocket_task_fn *fn)
{
    hocket_task *t;
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    int result;
    o.name = "the culprit";
    o.placement = run_placement();
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, fn, NULL, &o));
    return hocket_join(t, &result, HOCKET_FOREVER);
}

static int end_with_open_scope(void *arg)
{
    (void)arg;
    return in_a_task(leave_scope_open);
}

static int end_with_held_lock(void *arg)
{
    (void)arg;
    return in_a_task(leave_lock_held);
}

static int close_outer_first(void *arg)
{
    hocket_scope outer, inner;
    (void)arg;
    hocket_scope_open(&outer, NULL);
    hocket_scope_open(&inner, NULL);
    return hocket_scope_close(&outer);
}

static int wait_outer(void *arg)
{
    hocket_scope outer, inner;
    (void)arg;
    hocket_scope_open(&outer, NULL);
    hocket_scope_open(&inner, NULL);
    return hocket_scope_wait(&outer);
}

static int close_twice(void *arg)
{
    hocket_scope s;
    (void)arg;
    hocket_scope_open(&s, NULL);
    HK_EXPECT_EQ(hocket_scope_close(&s), 0);
    return hocket_scope_close(&s);
}

static int open_twice(void *arg)
{
    hocket_scope s;
    (void)arg;
    hocket_scope_open(&s, NULL);
    hocket_scope_open(&s, NULL);
    return 0;
}

static int close_it(void *arg)
{
    return hocket_scope_close(arg);
}

static int close_by_another(void *arg)
{
    hocket_scope s;
    (void)arg;
    hocket_scope_open(&s, NULL);
    hocket_task *t = run_spawn(close_it, &s);
    return hocket_join(t, NULL, HOCKET_FOREVER);
}

static int end_without_begin(void *arg)
{
    (void)arg;
    hocket_blocking_end();
    return 0;
}

static int wait_while_blocking(void *arg)
{
    (void)arg;
    hocket_blocking_begin();
    return hocket_sleep(HOCKET_MS);
}

static int fail_with_success(void *arg)
{
    (void)arg;
    return hocket_fail(0, "fine");
}

static int exit_pthread(void *arg)
{
    pthread_exit(arg);
}

static int pthread_exit_in_a_task(void *arg)
{
    (void)arg;
    return in_a_task(exit_pthread);
}

static int pthread_exit_alone(void *arg)
{
    hocket_task *t = run_spawn(exit_pthread, NULL);
    (void)arg;
    for (;;) /* not joined, so that it runs on a loop's own stack */
        run_turn();
    hocket_task_release(t);
    return 0;
}

static int pthread_exit_parked(void *arg)
{
    (void)arg;
    HK_EXPECT_EQ(hocket_sleep(HOCKET_MS), 0);
    pthread_exit(NULL);
}

static int pthread_exit_after_a_wait(void *arg)
{
    (void)arg;
    return in_a_task(pthread_exit_parked);
}

static jmp_buf parent;

static int jump_to_parent(void *arg)
{
    (void)arg;
    longjmp(parent, 1);
}

/*
 * Joined in place, the child runs above its parent's frames, so the jump works: too well.  Only
 * where there are no workers: a thief would run the child elsewhere, and nobody can foresee what
 * the jump does then.
 */
static int longjmp_past_the_entry(void *arg)
{
    (void)arg;
    if (setjmp(parent) == 0) {
        hocket_task *t;
        HK_EXPECT_OK(hocket_spawn_task(&t, NULL, jump_to_parent, NULL, NULL));
        (void)!hocket_join(t, NULL, HOCKET_FOREVER);
    }
    return 0;
}

static void *leave_foreign_scope(void *arg)
{
    (void)leave_scope_open(arg);
    return arg;
}

static void *leave_foreign_lock(void *arg)
{
    (void)leave_lock_held(arg);
    return arg;
}

static int foreign_scope(void *arg)
{
    pthread_t thread;
    (void)arg;
    HK_EXPECT_EQ(pthread_create(&thread, NULL, leave_foreign_scope, NULL), 0);
    pthread_join(thread, NULL);
    return 0;
}

static int foreign_lock(void *arg)
{
    pthread_t thread;
    (void)arg;
    HK_EXPECT_EQ(pthread_create(&thread, NULL, leave_foreign_lock, NULL), 0);
    pthread_join(thread, NULL);
    return 0;
}

static void *foreign_handle(void *arg)
{
    *(hocket_task **)arg = hocket_self();
    return NULL;
}

static int join_foreign(void *arg)
{
    return hocket_join(arg, NULL, hocket_after(10 * HOCKET_SEC));
}

struct met {
    _Atomic(hocket_task *) thread;
    hocket_word go;
};

static void *be_joined(void *arg)
{
    struct met *m = arg;
    hk_store_rel(&m->thread, hocket_self());
    while (hk_load_acq(&m->go) == 0)
        sched_yield();
    return foreign_handle(&(hocket_task *){ NULL });
}

/* A borrowed handle is no handle: nobody will ever say that the thread has ended. */
static int foreign_joined(void *arg)
{
    struct met m = { NULL, 0 };
    pthread_t thread;
    (void)arg;
    HK_EXPECT_EQ(pthread_create(&thread, NULL, be_joined, &m), 0);
    RUN_UNTIL(hk_load_acq(&m.thread) != NULL);
    hocket_task *t = run_spawn(join_foreign, hk_load(&m.thread));
    RUN_UNTIL(run_parked(t));
    hk_store_rel(&m.go, 1);
    pthread_join(thread, NULL);
    return 0;
}

static const struct misuse {
    hocket_task_fn *fn;
    const char *says;
    const char *also;
} misuses[] = {
    { release_twice, "hocket_task_release: handle", "released before" },
    { release_before_start, "hocket_task_release: task", "never started" },
    { release_of_oneself, "hocket_task_release", "released before" },
    { end_with_open_scope, "task 'the culprit' ended with an open scope", "" },
    { end_with_held_lock, "task 'the culprit' ended while holding 1 lock", "" },
    { close_outer_first, "hocket_scope_close: scope", "not the innermost open scope" },
    { wait_outer, "hocket_scope_wait: scope", "not the innermost open scope" },
    { close_twice, "hocket_scope_close: scope", "not the innermost open scope" },
    { close_by_another, "hocket_scope_close: scope", "not the innermost open scope" },
    { open_twice, "hocket_scope_open: scope", "open already" },
    { fail_with_success, "hocket_fail: 0 is no failure", "task_misuse_test.c" },
    { pthread_exit_in_a_task, "pthread_exit", "a task ends by returning" },
    { pthread_exit_alone, "pthread_exit", "a task ends by returning" },
    { pthread_exit_after_a_wait, "pthread_exit", "a task ends by returning" },
    { foreign_scope, "thread exit", "open scope" },
    { foreign_lock, "thread exit: the thread still holds 1 lock", "" },
    { foreign_joined, "thread exit", "joins" },
};

/* Only fibers do these. */
static const struct misuse of_fibers[] = {
    { end_without_begin, "hocket_blocking_end: without hocket_blocking_begin", "" },
    { wait_while_blocking, "waits between hocket_blocking_begin and hocket_blocking_end", "" },
    { longjmp_past_the_entry, "longjmp past the entry of a task", "" },
};

struct attempt {
    const struct misuse *misuse;
    int mode;
};

static void attempt(void *arg)
{
    struct attempt *a = arg;
    run_in(a->mode, a->misuse->fn, NULL);
}

/* TSan gives up at a pthread_exit on a fiber and at a longjmp that it has seen no setjmp for. */
static bool too_much_for_tsan(const struct misuse *m)
{
    return HOCKET_TSAN && (strstr(m->says, "pthread_exit") || strstr(m->says, "longjmp"));
}

static void expect_panic(const struct misuse *m, int mode)
{
    struct attempt a = { m, mode };
    struct death d;
    if (too_much_for_tsan(m))
        return;
    death_of(&d, attempt, &a, NULL);
    if (!WIFSIGNALED(d.status) || WTERMSIG(d.status) != SIGABRT)
        death__wrong(&d, "signal", SIGABRT);
    death__says(&d, "hocket: panic: ");
    death__says(&d, m->says);
    death__says(&d, m->also);
}

START_TEST(panics)
{
    for (int mode = 0; mode < RUN_MODES; mode++)
        expect_panic(&misuses[_i], mode);
}
END_TEST

START_TEST(panics_of_fibers)
{
    for (int mode = 0; mode < RUN_MODES; mode++)
        if (run_modes[mode].body == RUN_FIBER && (of_fibers[_i].fn != longjmp_past_the_entry ||
                                                  run_modes[mode].workers == HOCKET_NO_WORKERS))
            expect_panic(&of_fibers[_i], mode);
}
END_TEST

SUITE("task_misuse", 30)
{
    tcase_add_loop_test(suite__case, panics, 0, (int)(sizeof misuses / sizeof *misuses));
    tcase_add_loop_test(suite__case, panics_of_fibers, 0,
                        (int)(sizeof of_fibers / sizeof *of_fibers));
}
