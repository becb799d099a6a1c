/* SPDX-License-Identifier: MIT */
/* Failures that nobody looked at go to the error hook when their future is freed; no others do. */
#include "support/suite.h"

#include <hocket/hooks.h>
#include <hocket/promise.h>

#include "support/executors.h"

static _Atomic int reported;

static void on_error(const hocket_error *error, void *context)
{
    (void)context;
    HK_EXPECT(error->code == -EDOM && strcmp(error->message, "words of the job") == 0);
    (void)hk_add(&reported, 1);
}

static int fails(void *arg)
{
    (void)arg;
    return hocket_fail(-EDOM, "words of the job");
}

enum look { AT_NOTHING, BY_WAIT, BY_GET, BY_RESULT, BY_ERROR, LOOKS };

static void look_at(hocket_future *f, enum look how)
{
    int result = 0;
    switch (how) {
    case BY_WAIT: HK_EXPECT_OK(hocket_future_wait(f, HOCKET_FOREVER)); break;
    case BY_GET: HK_EXPECT_OK(hocket_future_get(f, &result, HOCKET_FOREVER)); break;
    case BY_RESULT: HK_EXPECT_EQ(hocket_future_result(f), -EDOM); break;
    case BY_ERROR: HK_EXPECT_EQ(hocket_future_error(f)->code, -EDOM); break;
    default: break;
    }
}

/* Freed when done and before: the report is the same. */
static int failures(void *arg)
{
    (void)arg;
    FOR_SCHEMES(ex, 1, 0)
    {
        for (int how = AT_NOTHING; how < LOOKS; how++) {
            hocket_future *f;
            int before = hk_load(&reported);
            HK_EXPECT_OK(hocket_submit_fn(ex, &f, fails, NULL));
            RUN_UNTIL(hocket_future_done(f));
            look_at(f, (enum look)how);
            hocket_future_free(f);
            HK_EXPECT_EQ(hk_load(&reported), before + (how <= BY_WAIT));
        }
        int before = hk_load(&reported);
        HK_EXPECT_OK(hocket_submit_fn(ex, NULL, fails, NULL));
        RUN_UNTIL(hk_load(&reported) == before + 1);
        hocket_executor_free(ex);
    }
    return 0;
}

/* Who ends because he was told to has not failed. */
static int told(void *arg)
{
    static struct gate gate;
    (void)arg;
    memset(&gate, 0, sizeof gate);
    FOR_POOLS(ex, 1, 0)
    {
        hocket_future *runs, *queued;
        int before = hk_load(&reported), inside = hk_load(&gate.inside);
        HK_EXPECT_OK(hocket_submit_fn(ex, &runs, pass, &gate));
        HK_EXPECT_OK(hocket_submit_fn(ex, &queued, fails, NULL));
        RUN_UNTIL(hk_load(&gate.inside) == inside + 1);
        HK_EXPECT(hocket_future_cancel(queued));
        HK_EXPECT(!hocket_future_cancel(runs));
        RUN_UNTIL(hocket_future_done(runs) && hocket_future_done(queued));
        hocket_future_free(queued);
        hocket_future_free(runs);
        hocket_executor_free(ex);
        HK_EXPECT_EQ(hk_load(&reported), before);
    }
    return 0;
}

static int promises(void *arg)
{
    (void)arg;
    for (int look = 0; look < 2; look++) {
        hocket_promise *p;
        hocket_future *f;
        int before = hk_load(&reported), result = 0;
        HK_EXPECT_OK(hocket_promise_new(&p, &f));
        HK_EXPECT_OK(hocket_promise_set(p, hocket_fail(-EDOM, "words of the job"), NULL, 0));
        hocket_promise_free(p);
        if (look)
            HK_EXPECT_OK(hocket_future_get(f, &result, HOCKET_NOW));
        hocket_future_free(f);
        HK_EXPECT_EQ(hk_load(&reported), before + !look);
    }
    return 0;
}

static void with_hook(int mode, hocket_task_fn *fn)
{
    hocket_hooks hooks = HOCKET_HOOKS_DEFAULT;
    hooks.error = on_error;
    HK_EXPECT_OK(hocket_hooks_set(&hooks, NULL));
    run_in(mode, fn, NULL);
}

START_TEST(failed_jobs)
{
    with_hook(_i, failures);
}
END_TEST

START_TEST(cancelled_jobs)
{
    with_hook(_i, told);
}
END_TEST

START_TEST(failed_promises)
{
    with_hook(_i, promises);
}
END_TEST

SUITE("future_unseen", 30)
{
    suite_each(failed_jobs);
    suite_each(cancelled_jobs);
    suite_each(failed_promises);
}
