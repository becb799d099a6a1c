/* SPDX-License-Identifier: MIT */
/* runtime: fork while it runs: a clear panic on use in the child, no hang; what still works. */
#include <errno.h>
#include <hocket/event.h>
#include <hocket/mutex.h>
#include <hocket/sem.h>

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

/* What the child does; 0 when it came back from it. */
static hocket_task *unfinished, *finished;
static hocket_mutex mine, taken;

static void use_spawn(void)
{
    (void)!hocket_spawn(NULL, nothing, NULL);
}

static void use_spawn_task(void)
{
    hocket_task *t;
    (void)!hocket_spawn_task(&t, NULL, nothing, NULL, HOCKET_SPAWN_OPTIONS(.name = "x"));
}

static void use_sleep(void)
{
    (void)hocket_sleep(1000);
}

static void use_yield(void)
{
    (void)hocket_yield();
}

static void use_join(void)
{
    (void)!hocket_join(unfinished, NULL, HOCKET_FOREVER);
}

static void use_lock(void)
{
    hocket_mutex_lock(&taken);
}

static void use_start(void)
{
    (void)!hocket_runtime_start(NULL);
}

static void use_stop(void)
{
    (void)!hocket_runtime_stop(HOCKET_FOREVER);
}

static void use_run(void)
{
    (void)hocket_run(nothing, NULL);
}

static void use_blocking(void)
{
    (void)hocket_blocking(nothing, NULL);
}

static const struct {
    void (*use)(void);
    const char *says;
} uses[] = {
    { use_spawn, "hocket_spawn: in the child of a fork" },
    { use_spawn_task, "hocket_spawn: in the child of a fork" },
    { use_sleep, "in the child of a fork" },
    { use_yield, "hocket_yield: in the child of a fork" },
    { use_join, "hocket_join: in the child of a fork" },
    { use_lock, "in the child of a fork" },
    { use_start, "hocket_runtime_start: in the child of a fork" },
    { use_stop, "hocket_runtime_stop: in the child of a fork" },
    { use_run, "hocket_run: in the child of a fork" },
    { use_blocking, "hocket_blocking: in the child of a fork" },
};

static void child_uses(void *arg)
{
    uses[*(int *)arg].use();
}

static int hold_a_lock(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&taken);
    int err = for_ever(NULL);
    hocket_mutex_unlock(&taken);
    return err;
}

static void prepare(hocket_task **ret_holder)
{
    unfinished = run_spawn(for_ever, NULL);
    finished = run_spawn(nothing, NULL);
    *ret_holder = run_spawn(hold_a_lock, NULL);
    HK_EXPECT_EQ(hocket_join(finished, NULL, HOCKET_FOREVER), 0);
    RUN_UNTIL(run_parked(unfinished) && run_parked(*ret_holder));
}

static void clean_up(hocket_task *holder)
{
    hocket_cancel(unfinished);
    hocket_cancel(holder);
    run_finish(unfinished, -ECANCELED);
    run_finish(holder, -ECANCELED);
    run_finish(finished, 0);
}

static int panics_in_the_child(void *arg)
{
    hocket_task *holder;
    (void)arg;
    prepare(&holder);
    for (int i = 0; i < (int)(sizeof uses / sizeof *uses); i++)
        death_by_signal(child_uses, &i, SIGABRT, uses[i].says);
    clean_up(holder);
    return 0;
}

START_TEST(a_clear_panic_on_use)
{
    run_in(_i, panics_in_the_child, NULL);
}
END_TEST

static void still_works(void *arg)
{
    hocket_event event = HOCKET_EVENT_INIT;
    hocket_sem sem = HOCKET_SEM_INIT(1);
    hocket_scope s;
    hocket_task_info info;
    int result = -1;
    (void)arg;
    hocket_mutex_lock(&mine);
    hocket_mutex_unlock(&mine);
    hocket_event_set(&event);
    HK_EXPECT_EQ(hocket_event_wait(&event, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(hocket_sem_acquire(&sem, HOCKET_FOREVER), 0);
    hocket_sem_release(&sem);
    HK_EXPECT_EQ(hocket_join(finished, &result, HOCKET_NOW), 0);
    HK_EXPECT_EQ(result, 0);
    hocket_scope_open(&s, NULL);
    HK_EXPECT_EQ(hocket_check(), 0);
    HK_EXPECT_EQ(hocket_scope_close(&s), 0);
    HK_EXPECT(hocket_self() != NULL && hocket_now() > 0);
    (void)hocket_task_list(&info, 1);
    _exit(17);
}

static void execs(void *arg)
{
    (void)arg;
    execl("/bin/sh", "sh", "-c", "exit 18", (char *)NULL);
}

static void exits(void *arg)
{
    (void)arg;
    exit(19);
}

static int works_in_the_child(void *arg)
{
    hocket_task *holder;
    (void)arg;
    prepare(&holder);
    death_by_exit(still_works, NULL, 17, "");
    death_by_exit(execs, NULL, 18, "");
    death_by_exit(exits, NULL, 19, "");
    clean_up(holder);
    return 0;
}

START_TEST(what_works_in_the_child)
{
    run_in(_i, works_in_the_child, NULL);
}
END_TEST

static int fork_and_return(void *arg)
{
    pid_t pid = fork();
    HK_EXPECT(pid >= 0);
    if (pid > 0) {
        int status;
        HK_EXPECT_EQ(waitpid(pid, &status, 0), pid);
        HK_EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
        return 0;
    }
    struct rlimit none = { 0, 0 };
    (void)setrlimit(RLIMIT_CORE, &none);
    death_child_runs = 1;
    (void)arg;
    return 1; /* into a loop of which there is only one half */
}

static int returns(void *arg)
{
    hocket_task *t;
    (void)arg;
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, fork_and_return, NULL, NULL));
    RUN_UNTIL(run_ended(t)); /* not joined: not in place */
    run_finish(t, 0);
    return 0;
}

START_TEST(a_fiber_returns_in_the_child)
{
    for (int mode = 0; mode < 4; mode++)
        run_in(mode, returns, NULL);
}
END_TEST

static int run_body(void *arg)
{
    _Atomic int *n = arg;
    hocket_task *t = run_spawn(nothing, NULL);
    run_finish(t, 0);
    (void)hk_add(n, 1);
    return 0;
}

static void run_in_child(void *arg)
{
    _Atomic int n = 0;
    (void)arg;
    run_in(1, run_body, &n);
    run_in(5, run_body, &n);
    _exit(n == 2 ? 0 : 1);
}

/* With no runtime at the time of the fork, the child may have one of its own. */
START_TEST(fork_between_runtimes)
{
    _Atomic int n = 0;
    for (int i = 0; i < 3; i++) {
        run_in(1, run_body, &n);
        death_by_exit(run_in_child, NULL, 0, "");
    }
}
END_TEST

SUITE("runtime_fork", 60)
{
    suite_each(a_clear_panic_on_use);
    suite_each(what_works_in_the_child);
    suite_once(a_fiber_returns_in_the_child);
    suite_once(fork_between_runtimes);
}
