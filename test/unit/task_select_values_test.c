/* SPDX-License-Identifier: MIT */
/* What a select hands over, and what counts as looked at. */
#include "support/suite.h"

#include <errno.h>

#include <hocket/executor.h>
#include <hocket/hooks.h>
#include <hocket/select.h>

static _Atomic int reported;

static void on_error(const hocket_error *error, void *context)
{
    (void)context;
    HK_EXPECT_EQ(error->code, -EDOM);
    (void)hk_add(&reported, 1);
}

static int fails(void *arg)
{
    (void)arg;
    return -EDOM;
}

static int waits_for(hocket_case c)
{
    return hocket_select(&c, 1, HOCKET_FOREVER);
}

/* A failure whose result nobody took is reported when the handle goes. */
static int tasks(void *arg)
{
    (void)arg;
    for (int late = 0; late < 2; late++)
        for (int look = 0; look < 2; look++) {
            hocket_task *t = run_spawn(fails, NULL);
            int result = 1, before = hk_load(&reported);
            if (late)
                RUN_UNTIL(run_ended(t));
            HK_EXPECT_EQ(waits_for(hocket_case_join(t, look ? &result : NULL)), 0);
            HK_EXPECT_EQ(result, look ? -EDOM : 1);
            hocket_task_release(t);
            RUN_UNTIL(hk_load(&reported) == before + !look);
        }
    return 0;
}

static int jobs(void *arg)
{
    hocket_executor *ex;
    (void)arg;
    HK_EXPECT_OK(hocket_executor_new(&ex, "fibers", NULL));
    for (int look = 0; look < 2; look++) {
        hocket_future *f;
        int result = 1, before = hk_load(&reported);
        HK_EXPECT_OK(hocket_submit_fn(ex, &f, fails, NULL));
        HK_EXPECT_EQ(waits_for(hocket_case_future(f, look ? &result : NULL)), 0);
        HK_EXPECT_EQ(result, look ? -EDOM : 1);
        hocket_future_free(f);
        RUN_UNTIL(hk_load(&reported) == before + !look);
    }
    hocket_executor_free(ex);
    return 0;
}

static void run_with_hook(int mode, hocket_task_fn *fn)
{
    hocket_hooks hooks = HOCKET_HOOKS_DEFAULT;
    hooks.error = on_error;
    HK_EXPECT_OK(hocket_hooks_set(&hooks, NULL));
    run_in(mode, fn, NULL);
    HK_EXPECT_OK(hocket_hooks_set(NULL, NULL));
}

START_TEST(ends_of_tasks)
{
    run_with_hook(_i, tasks);
}
END_TEST

START_TEST(ends_of_jobs)
{
    run_with_hook(_i, jobs);
}
END_TEST

SUITE("select_values", 30)
{
    suite_each(ends_of_tasks);
    suite_each(ends_of_jobs);
}
