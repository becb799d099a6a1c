/* SPDX-License-Identifier: MIT */
#include "modes.h"

#include <pthread.h>
#include <stdatomic.h>

#include <hocket/runtime.h>

#include "park/record.h"

#define TASKS_MAX 512

enum kind { FIBER, FOREIGN, THREAD };

static struct {
    mode_body *body;
    void *arg;
    int n;
    hocket_task *_Atomic tasks[TASKS_MAX];
    atomic_int there; /* bodies that have written tasks[] */
    atomic_int left;  /* foreign threads whose bodies have not returned */
    enum kind kinds[TASKS_MAX];
    hocket_task *handles[TASKS_MAX];
    pthread_t threads[TASKS_MAX];
} run;

static const char *const names[MODE_COUNT] = { "threads", "fibers-1", "fibers-4", "mixed" };

const char *mode_name(int mode)
{
    return names[mode];
}

hocket_task *mode_task(int index)
{
    return run.tasks[index];
}

void mode_yield(void)
{
    /* A cancelled task gets -ECANCELED and no turn for the others: ask its kind directly. */
    hocket_task *self = hocket_self();
    (void)self->ops->yield(self);
}

bool mode_parked(int index)
{
    uint32_t state = atomic_load(&run.tasks[index]->wait_state);
    return state == HOCKET__PARKED || state == HOCKET__PARKED_C;
}

static int entry(void *arg)
{
    int index = (int)(intptr_t)arg;
    run.tasks[index] = hocket_self();
    atomic_fetch_add(&run.there, 1);
    MODE_WAIT_UNTIL(atomic_load(&run.there) == run.n);
    int rc = run.body(index, run.arg);
    HK_EXPECT_EQ(rc, 0);
    return 0;
}

static void *thread_entry(void *arg)
{
    (void)entry(arg);
    atomic_fetch_sub(&run.left, 1);
    return NULL;
}

static void start(int index)
{
    void *arg = (void *)(intptr_t)index;
    if (run.kinds[index] == FOREIGN) {
        HK_EXPECT(pthread_create(&run.threads[index], NULL, thread_entry, arg) == 0);
        return;
    }
    hocket_spawn_options options = HOCKET_SPAWN_OPTIONS_DEFAULT;
    options.placement = run.kinds[index] == THREAD ? HOCKET_ON_THREAD : HOCKET_ON_FIBER;
    HK_EXPECT_OK(hocket_spawn_task(&run.handles[index], NULL, entry, arg, &options));
}

static void join(int index)
{
    int result = -1;
    HK_EXPECT_OK(hocket_join(run.handles[index], &result, HOCKET_FOREVER));
    HK_EXPECT_EQ(result, 0);
    hocket_task_release(run.handles[index]);
}

static int run_all(void *arg)
{
    (void)arg;
    for (int i = 0; i < run.n; i++)
        start(i);
    for (int i = 0; i < run.n; i++)
        if (run.kinds[i] != FOREIGN)
            join(i);
    /*
     * Not by pthread_join: a thread that waits in the library may sit on a worker's seat
     * meanwhile, and this fiber may run on the very thread it would join.
     */
    MODE_WAIT_UNTIL(atomic_load(&run.left) == 0);
    return 0;
}

static void run_in_runtime(int mode)
{
    hocket_runtime_options options = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    options.workers = mode == MODE_FIBERS_1 ? 1 : mode == MODE_FIBERS_4 ? 4 : 2;
    options.no_signals = true;
    options.quiet_watchdog = true;
    HK_EXPECT_EQ(hocket_run_with(run_all, NULL, &options), 0);
}

void mode_run(int mode, int n, mode_body *body, void *arg)
{
    HK_EXPECT(n <= TASKS_MAX);
    run.body = body;
    run.arg = arg;
    run.n = n;
    atomic_store(&run.there, 0);
    for (int i = 0; i < n; i++)
        run.kinds[i] = mode == MODE_THREADS ? FOREIGN
                       : mode == MODE_MIXED ? (enum kind)(i % 3)
                                            : FIBER;
    atomic_store(&run.left, 0);
    for (int i = 0; i < n; i++)
        atomic_fetch_add(&run.left, run.kinds[i] == FOREIGN);
    if (mode == MODE_THREADS)
        (void)run_all(NULL);
    else
        run_in_runtime(mode);
    for (int i = 0; i < n; i++)
        if (run.kinds[i] == FOREIGN)
            HK_EXPECT_EQ(pthread_join(run.threads[i], NULL), 0);
}

int mode_main(const char *name, void (*add)(TCase *tc))
{
    Suite *suite = suite_create(name);
    TCase *tc = tcase_create(name);
    add(tc);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
