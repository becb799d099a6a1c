/* SPDX-License-Identifier: MIT */
/* What must not be done with branches: a panic that names the task. */
#include <hocket/fork.h>
#include <hocket/mutex.h>
#include <pthread.h>

#include "support/death.h"
#include "support/suite.h"

static hocket_branch first, second; /* outlive the tasks, so that only the rule is broken */

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int sync_twice(void *arg)
{
    hocket_fork(&first, nothing, arg);
    HK_EXPECT_EQ(hocket_sync(&first), 0);
    return hocket_sync(&first);
}

static int sync_twice_below_another(void *arg)
{
    hocket_fork(&first, nothing, arg);
    hocket_fork(&second, nothing, arg);
    HK_EXPECT_EQ(hocket_sync(&second), 0);
    return hocket_sync(&second);
}

static int sync_out_of_order(void *arg)
{
    hocket_fork(&first, nothing, arg);
    hocket_fork(&second, nothing, arg);
    return hocket_sync(&first);
}

static int sync_never_forked(void *arg)
{
    (void)arg;
    return hocket_sync(&first);
}

static int sync_in_another_task(void *arg)
{
    (void)arg;
    hocket_fork(&first, nothing, NULL);
    hocket_task *t = NULL;
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, sync_never_forked, NULL,
                                   HOCKET_SPAWN_OPTIONS(.name = "the culprit")));
    return hocket_join(t, NULL, HOCKET_FOREVER);
}

static int never_synced(void *arg)
{
    hocket_fork(&first, nothing, arg);
    return 0;
}

static hocket_mutex mutex;

static int keeps_lock(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&mutex);
    return 0;
}

/* Taken, it is a task of its own. */
static int branch_keeps_lock(void *arg)
{
    hocket_fork(&first, keeps_lock, arg);
    for (;;)
        run_turn();
    return hocket_sync(&first);
}

static void *thread_never_synced(void *arg)
{
    (void)never_synced(NULL);
    return arg;
}

static int foreign_never_synced(void *arg)
{
    pthread_t thread;
    HK_EXPECT_EQ(pthread_create(&thread, NULL, thread_never_synced, arg), 0);
    pthread_join(thread, NULL);
    return 0;
}

static const struct misuse {
    hocket_task_fn *fn;
    const char *says;
    bool itself; /* names its culprit itself */
} misuses[] = {
    { sync_twice, "is not the newest of task 'the culprit': synced before", false },
    { sync_twice_below_another, "is not the newest of task 'the culprit'", false },
    { sync_out_of_order, "is not the newest of task 'the culprit'", false },
    { sync_never_forked, "is not the newest of task 'the culprit'", false },
    { sync_in_another_task, "is not the newest of task 'the culprit'", true },
    { never_synced, "task 'the culprit' ended with a branch that was forked and not synced",
      false },
    { foreign_never_synced, "ended with a branch that was forked and not synced", true },
    { branch_keeps_lock, "ended while holding 1 lock", true },
};

struct attempt {
    const struct misuse *misuse;
    int mode;
};

static int as_culprit(void *arg)
{
    const struct misuse *m = arg;
    hocket_task *t;
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    if (m->itself)
        return m->fn(NULL);
    o.name = "the culprit";
    o.placement = run_placement();
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, m->fn, NULL, &o));
    return hocket_join(t, NULL, HOCKET_FOREVER);
}

static void attempt(void *arg)
{
    struct attempt *a = arg;
    run_in(a->mode, as_culprit, (void *)(uintptr_t)a->misuse);
}

START_TEST(it_panics)
{
    static const int modes[] = { 0, 1, 2, 4 };
    for (size_t m = 0; m < sizeof modes / sizeof modes[0]; m++) {
        struct attempt a = { &misuses[_i], modes[m] };
        if (misuses[_i].fn == branch_keeps_lock && modes[m] == 2)
            continue; /* on a thread nobody takes it */
        death_by_signal(attempt, &a, SIGABRT, misuses[_i].says);
    }
}
END_TEST

SUITE("misuse of branches", 60)
{
    tcase_add_loop_test(suite__case, it_panics, 0, sizeof misuses / sizeof misuses[0]);
}
