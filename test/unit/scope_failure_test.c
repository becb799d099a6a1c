/* SPDX-License-Identifier: MIT */
/* scope: the first failure cancels the rest, all are kept; words; the error hook. */
#include <errno.h>
#include <hocket/hooks.h>

#include "support/suite.h"

static int for_ever(void *arg)
{
    (void)arg;
    return hocket_sleep_until(HOCKET_FOREVER);
}

static int fail_with(void *arg)
{
    int code = (int)(intptr_t)arg;
    return hocket_fail(code, "number %d", -code);
}

static int fail_plain(void *arg)
{
    return (int)(intptr_t)arg;
}

static int first_cancels(void *arg)
{
    hocket_scope s;
    hocket_task *t[3];
    const hocket_error *e = NULL;
    (void)arg;
    hocket_scope_open(&s, NULL);
    for (int i = 0; i < 3; i++)
        t[i] = run_spawn_in(&s, for_ever, NULL);
    for (int i = 0; i < 3; i++)
        RUN_UNTIL(run_parked(t[i]));
    hocket_task_release(run_spawn_in(&s, fail_with, (void *)(intptr_t)-EIO));
    HK_EXPECT_EQ(hocket_scope_wait(&s), -EIO);
    HK_EXPECT(hocket_scope_cancelled(&s));
    HK_EXPECT_EQ(hocket_scope_failures(&s), 1); /* ending when cancelled is none */
    HK_EXPECT_EQ(hocket_scope_error(&s, 0, &e), 0);
    HK_EXPECT_EQ(e->code, -EIO);
    HK_EXPECT_STR(e->message, "number 5");
    HK_EXPECT(strstr(e->file, "scope_failure_test") != NULL);
    e = NULL;
    HK_EXPECT_EQ(hocket_scope_error(&s, 1, &e), -ENOENT);
    HK_EXPECT(e == NULL);
    HK_EXPECT_EQ(hocket_scope_close(&s), -EIO);
    for (int i = 0; i < 3; i++)
        run_finish(t[i], -ECANCELED);
    HK_EXPECT_EQ(hocket_check(), 0); /* the owner was in the scope, not in the failure */
    return 0;
}

START_TEST(the_first_failure_cancels_the_rest)
{
    run_in(_i, first_cancels, NULL);
}
END_TEST

/* An owner that waits for something else is woken by a failing child. */
static int owner_is_woken(void *arg)
{
    hocket_scope s;
    (void)arg;
    hocket_scope_open(&s, NULL);
    HK_EXPECT_OK(hocket_spawn(&s, fail_plain, (void *)(intptr_t)-EPROTO));
    HK_EXPECT_EQ(hocket_sleep_until(HOCKET_FOREVER), -ECANCELED);
    HK_EXPECT_EQ(hocket_scope_close(&s), -EPROTO);
    return 0;
}

START_TEST(a_failure_wakes_the_owner)
{
    run_in(_i, owner_is_woken, NULL);
}
END_TEST

struct late {
    hocket_scope *scope;
    int code;
};

/* Fails after it was cancelled, in its own way: that is a failure too. */
static int fail_late(void *arg)
{
    struct late *l = arg;
    HK_EXPECT_EQ(hocket_sleep_until(HOCKET_FOREVER), -ECANCELED);
    return hocket_fail(l->code, "while ending");
}

static int all_kept(void *arg)
{
    hocket_scope s;
    struct late l[5];
    hocket_task *t[5];
    const hocket_error *e;
    unsigned seen = 0;
    (void)arg;
    hocket_scope_open(&s, NULL);
    for (int i = 0; i < 5; i++) {
        l[i] = (struct late){ &s, -(10 + i) };
        t[i] = run_spawn_in(&s, fail_late, &l[i]);
    }
    for (int i = 0; i < 5; i++)
        RUN_UNTIL(run_parked(t[i]));
    HK_EXPECT_OK(hocket_spawn(&s, fail_plain, (void *)(intptr_t)-EPIPE));
    HK_EXPECT_EQ(hocket_scope_wait(&s), -EPIPE);
    HK_EXPECT_EQ(hocket_scope_failures(&s), 6);
    HK_EXPECT_EQ(hocket_scope_error(&s, 0, &e), 0);
    HK_EXPECT_EQ(e->code, -EPIPE);
    HK_EXPECT_STR(e->message, hocket_error_text(-EPIPE)); /* no words of its own */
    for (size_t i = 1; i < 6; i++) {
        HK_EXPECT_EQ(hocket_scope_error(&s, i, &e), 0);
        HK_EXPECT_STR(e->message, "while ending");
        HK_EXPECT(e->code <= -10 && e->code >= -14);
        HK_EXPECT(e->task_id != 0 && e->task != NULL);
        seen |= 1u << -e->code;
    }
    HK_EXPECT_EQ(seen, 31u << 10);
    HK_EXPECT_EQ(hocket_scope_close(&s), -EPIPE);
    for (int i = 0; i < 5; i++)
        run_finish(t[i], l[i].code);
    return 0;
}

START_TEST(all_failures_are_kept)
{
    run_in(_i, all_kept, NULL);
}
END_TEST

static int go_on(void *arg)
{
    _Atomic int *n = arg;
    for (int i = 0; i < 10; i++) {
        int err = hocket_yield();
        if (err)
            return err;
    }
    (void)hk_add(n, 1);
    return 0;
}

static int keep_going(void *arg)
{
    _Atomic int n = 0;
    hocket_scope s;
    const hocket_error *e;
    (void)arg;
    hocket_scope_open(&s, HOCKET_SCOPE_OPTIONS(.keep_going = true));
    for (int i = 0; i < 4; i++) {
        HK_EXPECT_OK(hocket_spawn(&s, fail_plain, (void *)(intptr_t)(-20 - i)));
        hocket_task_release(run_spawn_in(&s, go_on, &n));
    }
    int first = hocket_scope_wait(&s);
    HK_EXPECT(first <= -20 && first >= -23);
    HK_EXPECT(!hocket_scope_cancelled(&s));
    HK_EXPECT_EQ(hocket_scope_failures(&s), 4);
    HK_EXPECT_EQ(n, 4);
    for (size_t i = 0; i < 4; i++)
        HK_EXPECT_EQ(hocket_scope_error(&s, i, &e), 0);
    HK_EXPECT_EQ(hocket_scope_close(&s), first);
    return 0;
}

START_TEST(keeps_going)
{
    run_in(_i, keep_going, NULL);
}
END_TEST

/* A failure that says -ECANCELED though nobody cancelled it is one. */
static int false_cancel(void *arg)
{
    hocket_scope s;
    (void)arg;
    hocket_scope_open(&s, NULL);
    HK_EXPECT_OK(hocket_spawn(&s, fail_plain, (void *)(intptr_t)-ECANCELED));
    HK_EXPECT_EQ(hocket_scope_wait(&s), -ECANCELED);
    HK_EXPECT_EQ(hocket_scope_failures(&s), 1);
    HK_EXPECT_EQ(hocket_scope_close(&s), -ECANCELED);
    return 0;
}

START_TEST(a_cancel_of_its_own_is_a_failure)
{
    run_in(_i, false_cancel, NULL);
}
END_TEST

/* A deadline and a failure: the failure is what went wrong. */
static int deadline_and_failure(void *arg)
{
    hocket_scope s;
    struct late l = { &s, -EBADMSG };
    (void)arg;
    hocket_scope_open(&s, HOCKET_SCOPE_OPTIONS(.deadline = hocket_after(HOCKET_MS)));
    hocket_task *t = run_spawn_in(&s, fail_late, &l);
    HK_EXPECT_EQ(hocket_scope_close(&s), -EBADMSG);
    run_finish(t, -EBADMSG);
    return 0;
}

START_TEST(a_failure_beats_the_deadline)
{
    run_in(_i, deadline_and_failure, NULL);
}
END_TEST

static int inner_fails(void *arg)
{
    hocket_scope s;
    (void)arg;
    hocket_scope_open(&s, NULL);
    HK_EXPECT_OK(hocket_spawn(&s, fail_with, (void *)(intptr_t)-ENXIO));
    int err = hocket_scope_close(&s);
    return err ? hocket_fail(err, "inner") : 0;
}

/* A failure goes outwards only as far as tasks return it. */
static int outwards(void *arg)
{
    hocket_scope s;
    const hocket_error *e;
    (void)arg;
    hocket_scope_open(&s, NULL);
    hocket_task_release(run_spawn_in(&s, inner_fails, NULL));
    HK_EXPECT_EQ(hocket_scope_wait(&s), -ENXIO);
    HK_EXPECT_EQ(hocket_scope_error(&s, 0, &e), 0);
    HK_EXPECT_STR(e->message, "inner");
    HK_EXPECT_EQ(hocket_scope_close(&s), -ENXIO);
    return 0;
}

START_TEST(failures_go_outwards_by_return)
{
    run_in(_i, outwards, NULL);
}
END_TEST

struct heard {
    _Atomic int errors;
    int last;
    char message[64];
    char task[HOCKET_NAME_MAX];
};

static void hear(const hocket_error *error, void *context)
{
    struct heard *h = context;
    h->last = error->code;
    snprintf(h->message, sizeof h->message, "%s", error->message);
    snprintf(h->task, sizeof h->task, "%s", error->task);
    (void)hk_add(&h->errors, 1);
}

static void listen(struct heard *h)
{
    hocket_hooks hooks = HOCKET_HOOKS_DEFAULT;
    hooks.context = h;
    hooks.error = hear;
    HK_EXPECT_OK(hocket_hooks_set(&hooks, NULL));
}

/* Failures of a scope that nobody read: all but the first, which is what close returns. */
static int unread(void *arg)
{
    struct heard *h = arg;
    hocket_scope s;
    const hocket_error *e;
    for (int read = 0; read < 4; read++) {
        hocket_scope_open(&s, HOCKET_SCOPE_OPTIONS(.keep_going = true));
        for (int i = 0; i < 3; i++)
            HK_EXPECT_OK(hocket_spawn(&s, fail_plain, (void *)(intptr_t)-EIO));
        HK_EXPECT_EQ(hocket_scope_wait(&s), -EIO);
        for (int i = 0; i < read; i++)
            HK_EXPECT_EQ(hocket_scope_error(&s, (size_t)i, &e), 0);
        HK_EXPECT_EQ(hk_load(&h->errors), 0);
        HK_EXPECT_EQ(hocket_scope_close(&s), -EIO);
        HK_EXPECT_EQ(hk_load(&h->errors), read == 0 ? 2 : 3 - read);
        hk_store(&h->errors, 0);
    }
    return 0;
}

START_TEST(unread_failures_are_reported)
{
    static struct heard h;
    listen(&h);
    run_in(_i, unread, &h);
}
END_TEST

static int words_but_well(void *arg)
{
    (void)arg;
    return hocket_fail(-EAGAIN, "tried") == -EAGAIN ? 0 : 1;
}

/* In the root scope: at the end if there is no handle, else when it is released unseen. */
static int top_level(void *arg)
{
    struct heard *h = arg;
    hocket_task *t;
    int result;
    HK_EXPECT_OK(hocket_spawn(NULL, fail_with, (void *)(intptr_t)-EBADF));
    RUN_UNTIL(hk_load_acq(&h->errors) == 1);
    HK_EXPECT_EQ(h->last, -EBADF);
    HK_EXPECT_STR(h->message, "number 9");

    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    o.placement = run_placement();
    o.name = "unseen";
    HK_EXPECT_OK(hocket_spawn_task(&t, NULL, fail_with, (void *)(intptr_t)-ENOTDIR, &o));
    HK_EXPECT_EQ(hocket_join(t, NULL, HOCKET_FOREVER), 0); /* did not take the result */
    HK_EXPECT_EQ(hk_load(&h->errors), 1);
    hocket_task_release(t);
    RUN_UNTIL(hk_load_acq(&h->errors) == 2);
    HK_EXPECT_EQ(h->last, -ENOTDIR);
    HK_EXPECT_STR(h->task, "unseen");

    t = run_spawn(fail_with, (void *)(intptr_t)-EIO);
    HK_EXPECT_EQ(hocket_join(t, &result, HOCKET_FOREVER), 0); /* looked */
    HK_EXPECT_EQ(result, -EIO);
    hocket_task_release(t);
    t = run_spawn(fail_with, (void *)(intptr_t)-EIO);
    HK_EXPECT_EQ(hocket_join(t, NULL, HOCKET_FOREVER), 0);
    const hocket_error *e = hocket_task_error(t); /* looked */
    HK_EXPECT_EQ(e->code, -EIO);
    HK_EXPECT_STR(e->message, "number 5");
    HK_EXPECT_EQ(e->task_id, hocket_task_id(t));
    hocket_task_release(t);
    HK_EXPECT_EQ(hk_load(&h->errors), 2);

    t = run_spawn(words_but_well, NULL); /* handled it, and ended well */
    HK_EXPECT_EQ(hocket_join(t, NULL, HOCKET_FOREVER), 0);
    hocket_task_release(t);
    HK_EXPECT_EQ(hk_load(&h->errors), 2);

    t = run_spawn(for_ever, NULL); /* ends as it was asked to */
    RUN_UNTIL(run_parked(t));
    hocket_cancel(t);
    HK_EXPECT_EQ(hocket_join(t, NULL, HOCKET_FOREVER), 0);
    hocket_task_release(t);
    HK_EXPECT_EQ(hk_load(&h->errors), 2);
    return 0;
}

START_TEST(top_level_failures_are_reported)
{
    static struct heard h;
    listen(&h);
    run_in(_i, top_level, &h);
}
END_TEST

struct unlooked {
    struct heard *heard;
    hocket_word go;
};

static int fail_when_told(void *arg)
{
    struct unlooked *u = arg;
    while (hk_load_acq(&u->go) == 0)
        HK_EXPECT_EQ(hocket_wait_on(&u->go, 0, HOCKET_FOREVER), 0);
    return hocket_fail(-EILSEQ, "nobody joins me");
}

/* The handle is gone before the end: the end reports. */
static int released_first(void *arg)
{
    struct unlooked u = { arg, 0 };
    hocket_task *t = run_spawn(fail_when_told, &u);
    RUN_UNTIL(run_parked(t));
    hocket_task_release(t);
    HK_EXPECT_EQ(hk_load(&u.heard->errors), 0);
    hk_store_rel(&u.go, 1);
    (void)hocket_wake(&u.go, 1);
    RUN_UNTIL(hk_load_acq(&u.heard->errors) == 1);
    HK_EXPECT_EQ(u.heard->last, -EILSEQ);
    return 0;
}

START_TEST(failures_after_the_release_are_reported)
{
    static struct heard h;
    listen(&h);
    run_in(_i, released_first, &h);
}
END_TEST

static int words_first(void *arg)
{
    (void)arg;
    (void)hocket_fail(-ENOENT, "no file");
    return hocket_fail(-EIO, "no load");
}

static int words_cleared(void *arg)
{
    (void)arg;
    (void)hocket_fail(-ENOENT, "no file");
    HK_EXPECT(hocket_fail_words() != NULL);
    hocket_fail_clear();
    HK_EXPECT(hocket_fail_words() == NULL);
    return 0;
}

static int words(void *arg)
{
    (void)arg;
    hocket_task *t = run_spawn(words_first, NULL);
    HK_EXPECT(hocket_join(t, NULL, HOCKET_FOREVER) == 0);
    const hocket_error *e = hocket_task_error(t);
    HK_EXPECT_EQ(e->code, -EIO);
    HK_EXPECT_EQ(e->cause->code, -ENOENT);
    HK_EXPECT_STR(e->cause->message, "no file");
    HK_EXPECT(e->cause->cause == NULL);
    hocket_task_release(t);
    t = run_spawn(words_cleared, NULL);
    HK_EXPECT(hocket_join(t, NULL, HOCKET_FOREVER) == 0);
    HK_EXPECT(hocket_task_error(t) == NULL);
    hocket_task_release(t);
    return 0;
}

START_TEST(words_of_a_task)
{
    run_in(_i, words, NULL);
}
END_TEST

SUITE("scope_failure", 15)
{
    suite_each(the_first_failure_cancels_the_rest);
    suite_each(a_failure_wakes_the_owner);
    suite_each(all_failures_are_kept);
    suite_each(keeps_going);
    suite_each(a_cancel_of_its_own_is_a_failure);
    suite_each(a_failure_beats_the_deadline);
    suite_each(failures_go_outwards_by_return);
    suite_each(unread_failures_are_reported);
    suite_each(top_level_failures_are_reported);
    suite_each(failures_after_the_release_are_reported);
    suite_each(words_of_a_task);
}
