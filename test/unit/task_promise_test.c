/* SPDX-License-Identifier: MIT */
/* Promises: set once, start and cancel, broken ones, words. */
#include "support/suite.h"

#include <hocket/hooks.h>
#include <hocket/promise.h>

#include "support/executors.h"

static void pair(hocket_promise **p, hocket_future **f)
{
    HK_EXPECT_EQ(hocket_promise_new(p, f), 0);
}

static int first_set_wins(void *arg)
{
    (void)arg;
    hocket_promise *p;
    hocket_future *f;
    size_t size = 7;
    pair(&p, &f);
    HK_EXPECT(!hocket_future_done(f) && !hocket_future_running(f));
    HK_EXPECT(hocket_future_output(f, &size) == NULL && size == 0);
    HK_EXPECT_EQ(hocket_future_get(f, NULL, HOCKET_NOW), -ETIMEDOUT);
    HK_EXPECT_EQ(hocket_promise_set(p, 5, "abc", 3), 0);
    HK_EXPECT_EQ(hocket_promise_set(p, 6, "xyz", 3), -EALREADY);
    HK_EXPECT_EQ(hocket_promise_start(p), -EALREADY);
    HK_EXPECT_EQ(result_of(f), 5);
    HK_EXPECT(memcmp(hocket_future_output(f, &size), "abc", 3) == 0 && size == 3);
    HK_EXPECT(!hocket_future_cancel(f));
    HK_EXPECT(!hocket_promise_cancelled(p));
    hocket_promise_free(p);
    HK_EXPECT_EQ(result_of(f), 5); /* either may go first */
    hocket_future_free(f);
    pair(&p, &f);
    hocket_future_free(f);
    HK_EXPECT_EQ(hocket_promise_set(p, 1, NULL, 0), 0);
    hocket_promise_free(p);
    hocket_promise_free(NULL);
    return 0;
}
START_TEST(set_once)
{
    run_in(_i, first_set_wins, NULL);
}
END_TEST

struct asker {
    hocket_future *f;
    int result;
};

static int ask(void *arg)
{
    struct asker *a = arg;
    a->result = result_of(a->f);
    return 0;
}

static int set_wakes_all(void *arg)
{
    (void)arg;
    enum { N = 5 };
    hocket_promise *p;
    struct asker a[N];
    hocket_task *t[N];
    hocket_future *f;
    pair(&p, &f);
    for (int i = 0; i < N; i++) {
        a[i] = (struct asker){ f, -1 };
        t[i] = run_spawn(ask, &a[i]);
        RUN_UNTIL(run_parked(t[i]));
    }
    HK_EXPECT_EQ(hocket_promise_set(p, 9, NULL, 0), 0);
    for (int i = 0; i < N; i++) {
        run_finish(t[i], 0);
        HK_EXPECT_EQ(a[i].result, 9);
    }
    hocket_promise_free(p);
    hocket_future_free(f);
    return 0;
}
START_TEST(wakes_all)
{
    run_in(_i, set_wakes_all, NULL);
}
END_TEST

static int cancel_and_start(void *arg)
{
    (void)arg;
    hocket_promise *p;
    hocket_future *f;
    pair(&p, &f);
    HK_EXPECT(hocket_future_cancel(f)); /* before the start: at once */
    HK_EXPECT(hocket_future_cancelled(f) && hocket_promise_cancelled(p));
    HK_EXPECT_EQ(result_of(f), -ECANCELED);
    HK_EXPECT_EQ(hocket_promise_start(p), -ECANCELED);
    HK_EXPECT_EQ(hocket_promise_set(p, 3, "abc", 3), -ECANCELED);
    hocket_promise_free(p);
    hocket_future_free(f);

    pair(&p, &f);
    HK_EXPECT_EQ(hocket_promise_start(p), 0);
    HK_EXPECT_EQ(hocket_promise_start(p), -EALREADY);
    HK_EXPECT(hocket_future_running(f) && !hocket_promise_cancelled(p));
    HK_EXPECT(!hocket_future_cancel(f)); /* after it: a wish */
    HK_EXPECT(!hocket_future_cancel(f));
    HK_EXPECT(hocket_promise_cancelled(p) && !hocket_future_done(f));
    HK_EXPECT_EQ(hocket_promise_set(p, -ECANCELED, NULL, 0), 0);
    HK_EXPECT(!hocket_future_cancelled(f) && !hocket_future_running(f));
    HK_EXPECT_EQ(result_of(f), -ECANCELED);
    hocket_promise_free(p);
    hocket_future_free(f);
    return 0;
}
START_TEST(cancel)
{
    run_in(_i, cancel_and_start, NULL);
}
END_TEST

static _Atomic int reported;
static char report[200];

static void on_error(const hocket_error *error, void *context)
{
    (void)context;
    (void)hk_add(&reported, 1);
    strncpy(report, error->message, sizeof report - 1);
}

static int words_go_along(void *arg)
{
    (void)arg;
    hocket_promise *p;
    hocket_future *f;
    hocket_hooks h = HOCKET_HOOKS_DEFAULT;
    h.error = on_error;
    HK_EXPECT_EQ(hocket_hooks_set(&h, NULL), 0);
    hk_store(&reported, 0);
    pair(&p, &f);
    HK_EXPECT_EQ(hocket_promise_set(p, hocket_fail(-EIO, "line %d", 7), NULL, 0), 0);
    HK_EXPECT(hocket_fail_words() == NULL);
    HK_EXPECT_STR(hocket_future_error(f)->message, "line 7");
    HK_EXPECT_EQ(hocket_future_error(f)->code, -EIO);
    hocket_promise_free(p);
    hocket_future_free(f);

    pair(&p, &f); /* broken, while its owner keeps words of his own */
    (void)hocket_fail(-EDOM, "mine");
    hocket_promise_free(p);
    HK_EXPECT_STR(hocket_fail_words()->message, "mine");
    hocket_fail_clear();
    HK_EXPECT_EQ(result_of(f), -EPIPE);
    HK_EXPECT_STR(hocket_future_error(f)->message, "the promise was freed before it was set");
    hocket_future_free(f);
    HK_EXPECT_EQ(hk_load(&reported), 0);

    pair(&p, &f); /* a failure nobody has looked at */
    HK_EXPECT_EQ(hocket_promise_set(p, hocket_fail(-EIO, "unseen"), NULL, 0), 0);
    hocket_future_free(f);
    HK_EXPECT_EQ(hk_load(&reported), 0);
    hocket_promise_free(p);
    HK_EXPECT_EQ(hk_load(&reported), 1);
    HK_EXPECT_STR(report, "unseen");
    return hocket_hooks_set(NULL, NULL);
}
START_TEST(words)
{
    run_in(_i, words_go_along, NULL);
}
END_TEST

/* Many set one promise: one wins, and its output is what is seen. */
struct race {
    hocket_promise *p;
    _Atomic int won, next;
};

static int race_to_set(void *arg)
{
    struct race *r = arg;
    int mine = hk_add(&r->next, 1);
    int err = hocket_promise_set(r->p, mine, &mine, sizeof mine);
    HK_EXPECT(err == 0 || err == -EALREADY);
    (void)hk_add(&r->won, err == 0);
    return 0;
}

static int many_set(void *arg)
{
    (void)arg;
    enum { N = 6, ROUNDS = 30 };
    for (int round = 0; round < ROUNDS; round++) {
        struct race r = { 0 };
        hocket_future *f;
        hocket_task *t[N];
        pair(&r.p, &f);
        for (int i = 0; i < N; i++)
            t[i] = run_spawn(race_to_set, &r);
        int result = result_of(f), output;
        memcpy(&output, hocket_future_output(f, NULL), sizeof output);
        HK_EXPECT_EQ(result, output);
        for (int i = 0; i < N; i++)
            run_finish(t[i], 0);
        HK_EXPECT_EQ(hk_load(&r.won), 1);
        hocket_promise_free(r.p);
        hocket_future_free(f);
    }
    return 0;
}
START_TEST(one_wins)
{
    run_in(_i, many_set, NULL);
}
END_TEST

START_TEST(needs_no_runtime)
{
    HK_EXPECT_EQ(first_set_wins(NULL), 0);
    HK_EXPECT_EQ(cancel_and_start(NULL), 0);
    HK_EXPECT_EQ(words_go_along(NULL), 0);
}
END_TEST

SUITE("promise", 30)
{
    suite_each(set_once);
    suite_each(wakes_all);
    suite_each(cancel);
    suite_each(words);
    suite_each(one_wins);
    suite_once(needs_no_runtime);
}
