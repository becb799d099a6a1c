/* SPDX-License-Identifier: MIT */
/* Words of failures: kept, chained, handed to joiners, futures and the error hook. */
#include "support/suite.h"

#include <hocket/hooks.h>
#include <pthread.h>

#include "support/death.h"
#include "support/executors.h"

static int line_of_failure;

static int fails(void *arg)
{
    (void)arg;
    line_of_failure = __LINE__ + 1;
    return hocket_fail(-ENOENT, "open %s", "/no/such");
}

static int fails_twice(void *arg)
{
    (void)hocket_fail(-EIO, "read block %d", 7);
    (void)arg;
    return hocket_fail(-EINVAL, "load");
}

static int fails_without_words(void *arg)
{
    (void)arg;
    return -EPIPE;
}

static int fails_with_other_code(void *arg)
{
    (void)arg;
    (void)hocket_fail(-EIO, "read");
    return -EPIPE;
}

/* ---- in the task ---- */

START_TEST(kept_and_cleared)
{
    HK_EXPECT(hocket_fail_words() == NULL);
    HK_EXPECT_EQ(fails(NULL), -ENOENT);
    const hocket_error *e = hocket_fail_words();
    HK_EXPECT_EQ(e->code, -ENOENT);
    HK_EXPECT_STR(e->message, "open /no/such");
    HK_EXPECT_EQ(e->line, line_of_failure);
    HK_EXPECT_STR(e->file, __FILE__);
    HK_EXPECT_EQ(e->task_id, hocket_task_id(hocket_self()));
    char name[HOCKET_NAME_MAX];
    HK_EXPECT_STR(e->task, hocket_task_name(hocket_self(), name, sizeof name));
    HK_EXPECT(e->cause == NULL);
    hocket_fail_clear();
    HK_EXPECT(hocket_fail_words() == NULL);
    hocket_fail_clear();
}
END_TEST

/* Words may quote the words before them. */
START_TEST(words_may_quote_words)
{
    (void)hocket_fail(-EIO, "first");
    for (int i = 0; i < 3; i++)
        (void)hocket_fail(-EIO, "%s, then %d", hocket_fail_words()->message, i);
    HK_EXPECT_STR(hocket_fail_words()->message, "first, then 0, then 1, then 2");
    HK_EXPECT_STR(hocket_fail_words()->cause->message, "first, then 0, then 1");
    hocket_fail_clear();
}
END_TEST

static int long_chain(void *arg)
{
    (void)arg;
    for (int i = 0; i < 1000; i++)
        (void)hocket_fail(-EIO, "try %d", i);
    const hocket_error *e = hocket_fail_words();
    HK_EXPECT_STR(e->message, "try 999");
    int n = 0;
    for (e = e->cause; e != NULL; e = e->cause) {
        char words[16];
        snprintf(words, sizeof words, "try %d", 14 - n++);
        HK_EXPECT_STR(e->message, words);
    }
    HK_EXPECT_EQ(n, 15);
    hocket_fail_clear();
    return 0;
}

static int chains(void *arg)
{
    (void)arg;
    run_finish(run_spawn(long_chain, NULL), 0);
    return 0;
}
START_TEST(long_chains_keep_the_root)
{
    run_in(_i, chains, NULL);
}
END_TEST

/* ---- to joiners and futures ---- */

static int joiner_reads(void *arg)
{
    int result;
    (void)arg;
    hocket_task *t = run_spawn(fails_twice, NULL);
    HK_EXPECT_EQ(hocket_join(t, &result, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(result, -EINVAL);
    const hocket_error *e = hocket_task_error(t);
    HK_EXPECT_STR(e->message, "load");
    HK_EXPECT_STR(e->cause->message, "read block 7");
    HK_EXPECT_EQ(e->cause->code, -EIO);
    HK_EXPECT(e->cause->cause == NULL);
    HK_EXPECT_EQ(e->task_id, hocket_task_id(t));
    hocket_task_release(t);

    t = run_spawn(fails_without_words, NULL);
    HK_EXPECT_EQ(hocket_join(t, &result, HOCKET_FOREVER), 0);
    e = hocket_task_error(t);
    HK_EXPECT_STR(e->message, hocket_error_text(-EPIPE));
    HK_EXPECT(e->file == NULL && e->line == 0 && e->cause == NULL);
    hocket_task_release(t);

    t = run_spawn(fails_with_other_code, NULL);
    HK_EXPECT_EQ(hocket_join(t, &result, HOCKET_FOREVER), 0);
    e = hocket_task_error(t);
    HK_EXPECT_EQ(e->code, -EPIPE);
    HK_EXPECT_STR(e->cause->message, "read");
    hocket_task_release(t);
    HK_EXPECT(hocket_fail_words() == NULL); /* nothing of it became the joiner's */
    return 0;
}
START_TEST(joiners_read_them)
{
    run_in(_i, joiner_reads, NULL);
}
END_TEST

static int future_reads(void *arg)
{
    (void)arg;
    FOR_SCHEMES(ex, 1, 0)
    {
        hocket_future *f;
        (void)hocket_fail(-EDOM, "the submitter's own");
        HK_EXPECT_EQ(hocket_submit_fn(ex, &f, fails_twice, NULL), 0);
        HK_EXPECT_EQ(result_of(f), -EINVAL);
        const hocket_error *e = hocket_future_error(f);
        HK_EXPECT_STR(e->message, "load");
        HK_EXPECT_STR(e->cause->message, "read block 7");
        HK_EXPECT(e->cause->cause == NULL);
        hocket_executor_free(ex);
        HK_EXPECT_STR(e->message, "load");
        hocket_future_free(f);
        HK_EXPECT_STR(hocket_fail_words()->message, "the submitter's own");
        hocket_fail_clear();
    }
    return 0;
}
START_TEST(futures_keep_them)
{
    run_in(_i, future_reads, NULL);
}
END_TEST

/* ---- nobody looked ---- */

static _Atomic int reported;
static char last_report[128];

static void on_error(const hocket_error *error, void *context)
{
    HK_EXPECT(context == &reported);
    snprintf(last_report, sizeof last_report, "%s", error->message);
    (void)hk_add(&reported, 1);
}

static void hook_in(void)
{
    hocket_hooks h = HOCKET_HOOKS_DEFAULT;
    h.context = &reported;
    h.error = on_error;
    hk_store(&reported, 0);
    HK_EXPECT_EQ(hocket_hooks_set(&h, NULL), 0);
}

static int told_to_end(void *arg)
{
    (void)arg;
    return hocket_sleep_until(HOCKET_FOREVER);
}

static int nobody_looks(void *arg)
{
    (void)arg;
    hook_in();
    FOR_SCHEMES(ex, 1, 0)
    {
        hocket_future *f;
        hk_store(&reported, 0);
        HK_EXPECT_EQ(hocket_submit_fn(ex, &f, fails, NULL), 0);
        HK_EXPECT_EQ(hocket_future_wait(f, HOCKET_FOREVER), 0); /* is not looking */
        HK_EXPECT_EQ(hk_load(&reported), 0);
        hocket_future_free(f);
        RUN_UNTIL(hk_load_acq(&reported) == 1);
        HK_EXPECT_STR(last_report, "open /no/such");
        HK_EXPECT_EQ(hocket_submit_fn(ex, NULL, fails, NULL), 0);
        RUN_UNTIL(hk_load_acq(&reported) == 2);

        HK_EXPECT_EQ(hocket_submit_fn(ex, &f, fails, NULL), 0);
        HK_EXPECT_EQ(result_of(f), -ENOENT);
        hocket_future_free(f);
        HK_EXPECT_EQ(hocket_submit_fn(ex, &f, fails, NULL), 0);
        HK_EXPECT_EQ(hocket_future_wait(f, HOCKET_FOREVER), 0);
        HK_EXPECT(hocket_future_error(f) != NULL);
        hocket_future_free(f);
        if (s_ > 0) { /* doing as told is no failure */
            hocket_future *queued;
            HK_EXPECT_EQ(hocket_submit_fn(ex, &f, told_to_end, NULL), 0);
            HK_EXPECT_EQ(hocket_submit_fn(ex, &queued, fails, NULL), 0);
            RUN_UNTIL(hocket_future_running(f));
            HK_EXPECT(hocket_future_cancel(queued));
            HK_EXPECT(!hocket_future_cancel(f));
            HK_EXPECT_EQ(hocket_future_wait(f, HOCKET_FOREVER), 0);
            hocket_future_free(f);
            hocket_future_free(queued);
        }
        hocket_executor_free(ex);
        HK_EXPECT_EQ(hk_load(&reported), 2);
    }
    HK_EXPECT_EQ(hocket_hooks_set(NULL, NULL), 0);
    return 0;
}
START_TEST(futures_nobody_looked_at)
{
    run_in(_i, nobody_looks, NULL);
}
END_TEST

static int fails_with_junk(void *arg)
{
    (void)arg;
    (void)hocket_fail(-EIO, "block 3");
    return hocket_fail(-EBADMSG, "host \033[31m\n\x7f.example");
}

static void print_the_line(void *arg)
{
    hocket_executor *ex;
    HK_EXPECT_EQ(hocket_executor_new(&ex, "inline", NULL), 0);
    HK_EXPECT_EQ(hocket_submit_fn(ex, NULL, *(hocket_task_fn **)arg, NULL), 0);
    hocket_executor_free(ex);
}

/* Without a hook: one line, whatever the words hold. */
START_TEST(the_line)
{
    struct death d;
    hocket_task_fn *fn = fails_with_junk;
    death_of(&d, print_the_line, &fn, NULL);
    HK_EXPECT_EQ(d.status, 0);
    death__says(&d, "failed: host ?[31m??.example: bad message (EBADMSG, ");
    death__says(&d, "; because of block 3: input/output error (EIO, ");
    death__says(&d, "hocket: task 'task-");
    HK_EXPECT(strchr(d.text, '\n') == d.text + d.length - 1);
    fn = fails_without_words;
    death_of(&d, print_the_line, &fn, NULL);
    death__says(&d, "failed: closed (EPIPE)\n");
}
END_TEST

static int fails_at_length(void *arg)
{
    char words[3000];
    (void)arg;
    memset(words, 'w', sizeof words - 1);
    words[sizeof words - 1] = 0;
    int rc = hocket_fail(-EIO, "%s", words);
    HK_EXPECT_EQ(strlen(hocket_fail_words()->message), sizeof words - 1);
    return rc;
}

START_TEST(the_line_is_cut)
{
    struct death d;
    hocket_task_fn *fn = fails_at_length;
    death_of(&d, print_the_line, &fn, NULL);
    HK_EXPECT(d.length > 1000 && d.length <= 1024);
    HK_EXPECT(strchr(d.text, '\n') == d.text + d.length - 1);
}
END_TEST

static void not_negative(void *arg)
{
    (void)arg;
    (void)hocket_fail(0, "fine");
}

START_TEST(success_is_no_failure)
{
    death_by_signal(not_negative, NULL, SIGABRT, "hocket_fail: 0 is no failure, at ");
}
END_TEST

static void *thread_with_words(void *arg)
{
    (void)arg;
    (void)hocket_fail(-EIO, "freed when the thread ends");
    return NULL;
}

START_TEST(threads_give_them_back)
{
    for (int i = 0; i < 10; i++) {
        pthread_t t;
        HK_EXPECT_EQ(pthread_create(&t, NULL, thread_with_words, NULL), 0);
        HK_EXPECT_EQ(pthread_join(t, NULL), 0);
    }
}
END_TEST

SUITE("fail", 10)
{
    suite_once(kept_and_cleared);
    suite_once(words_may_quote_words);
    suite_each(long_chains_keep_the_root);
    suite_each(joiners_read_them);
    suite_each(futures_keep_them);
    suite_each(futures_nobody_looked_at);
    suite_once(the_line);
    suite_once(the_line_is_cut);
    suite_once(success_is_no_failure);
    suite_once(threads_give_them_back);
}
