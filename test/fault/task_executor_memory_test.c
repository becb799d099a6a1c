/* SPDX-License-Identifier: MIT */
/*
 * Executors, futures, map, words and locals when the n-th allocation fails, for every n: an error
 * each time, nothing half-done, and in the end all memory is given back.
 */
#include "support/suite.h"

#include <hocket/hooks.h>
#include <hocket/local.h>
#include <hocket/print.h>
#include <hocket/queue.h>

#include "support/executors.h"

static _Atomic long live, left; /* left: allocations until one fails; < 0: none does */
static _Atomic int denied;

static bool may(void)
{
    long n = hk_load(&left);
    while (n >= 0)
        if (hk_cas(&left, &n, n - 1)) {
            if (n > 0)
                return true;
            hk_store(&denied, 1);
            return false;
        }
    return true;
}

static void *allocate(size_t size, void *context)
{
    (void)context;
    void *memory = may() ? malloc(size) : NULL;
    if (memory != NULL)
        (void)hk_add(&live, 1);
    return memory;
}

static void *resize(void *memory, size_t size, void *context)
{
    (void)context;
    return may() ? realloc(memory, size) : NULL;
}

static void release(void *memory, void *context)
{
    (void)context;
    (void)hk_sub(&live, 1);
    free(memory);
}

static int echo(const void *input, size_t size, hocket_buffer *output)
{
    int err = hocket_buffer_append(output, input, size);
    return err != 0 ? hocket_fail(err, "echo %zu bytes", size) : 0;
}

static int doomed(void *arg)
{
    (void)arg;
    return hocket_fail(-EDOM, "doomed");
}

struct list {
    int next, taken;
};

static int give(void *context, const void **ret_input, size_t *ret_size)
{
    struct list *l = context;
    *ret_input = "some bytes";
    *ret_size = 10;
    return l->next++ < 6;
}

static int take(void *context, const hocket_map_result *r)
{
    struct list *l = context;
    HK_EXPECT_EQ(r->index, l->taken++);
    return r->result;
}

/* A bit of everything; the first error ends it. */
static int jobs(const char *scheme)
{
    hocket_executor *ex;
    hocket_future *f[4] = { NULL };
    hocket_executor_options o = HOCKET_EXECUTOR_OPTIONS_DEFAULT;
    o.workers = 2;
    o.queue = 2;
    int err = hocket_executor_new(&ex, scheme, &o);
    if (err != 0)
        return err;
    for (int i = 0; i < 3 && err == 0; i++)
        err = hocket_submit(ex, &f[i], echo, "hocket", 6);
    if (err == 0)
        err = hocket_submit_fn(ex, &f[3], doomed, NULL);
    for (int i = 0; i < 4 && f[i] != NULL; i++) {
        int result = result_of(f[i]);
        HK_EXPECT((hocket_future_error(f[i]) != NULL) == (result < 0));
        if (i < 3) {
            HK_EXPECT(result == 0 || result == -ENOMEM);
            err = err != 0 ? err : result;
        } else {
            HK_EXPECT_EQ(result, -EDOM);
        }
        hocket_future_free(f[i]);
    }
    struct list l = { 0, 0 };
    if (err == 0)
        err = hocket_map(ex, echo, give, take, &l, NULL, HOCKET_FOREVER);
    HK_EXPECT(err != 0 || l.taken == 6);
    hocket_executor_free(ex);
    return err;
}

static hocket_local local = HOCKET_LOCAL_INIT_INHERIT(free, NULL);

static int child(void *arg)
{
    (void)arg;
    return 0;
}

static int small_things(void)
{
    hocket_queue *q;
    int err = hocket_queue_new(&q, 100, NULL);
    if (err != 0)
        return err;
    hocket_queue_free(q);
    err = hocket_local_set(&local, &denied);
    if (err != 0)
        return err;
    hocket_scope scope;
    hocket_scope_open(&scope, NULL);
    err = hocket_spawn(&scope, child, NULL); /* inherits */
    HK_EXPECT_EQ(hocket_scope_close(&scope), 0);
    HK_EXPECT_EQ(hocket_local_set(&local, NULL), 0);
    if (err != 0)
        return err;
    static FILE *null;
    if (null == NULL)
        null = fopen("/dev/null", "w");
    int n = hocket_print(null, "%1000d", 1);
    return n < 0 ? n : 0;
}

static const char *scheme_now;

static int scenario(void *arg)
{
    int *ret_error = arg;
    *ret_error = scheme_now != NULL ? jobs(scheme_now) : small_things();
    return 0;
}

static int swept_task(void *arg)
{
    int error = 1;
    hocket_task *t;
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    o.held = true;
    HK_EXPECT_EQ(hocket_spawn_task(&t, NULL, scenario, &error, &o), 0);
    hk_store(&denied, 0);
    hk_store(&left, *(long *)arg);
    HK_EXPECT_EQ(hocket_task_start(t), 0);
    run_finish(t, 0);
    hk_store(&left, -1);
    /* Lost words and lost lists are no error. */
    HK_EXPECT(error == 0 || (error == -ENOMEM && hk_load(&denied)));
    return 0;
}

static void sweep(int mode, const char *scheme)
{
    static const hocket_allocator a = { allocate, resize, release, NULL };
    HK_EXPECT_EQ(hocket_set_allocator(&a), 0);
    hk_store(&left, -1);
    scheme_now = scheme;
    long none = -1, n = 0;
    run_in(mode, swept_task, &none); /* what is kept for ever is there now */
    long before = hk_load(&live);
    do {
        run_in(mode, swept_task, &n);
        HK_EXPECT_EQ(hk_load(&live), before);
        HK_EXPECT(n++ < 1000);
    } while (hk_load(&denied));
    HK_EXPECT(n > 3);
}

START_TEST(inline_jobs)
{
    sweep(_i, "inline");
}
END_TEST

START_TEST(fiber_jobs)
{
    sweep(_i, "fibers");
}
END_TEST

START_TEST(thread_jobs)
{
    if (run_modes[_i].workers != HOCKET_NO_WORKERS)
        sweep(_i, "threads");
}
END_TEST

START_TEST(the_rest)
{
    sweep(_i, NULL);
}
END_TEST

/* Words that could not be kept: the number is not lost. */
START_TEST(words)
{
    static const hocket_allocator a = { allocate, resize, release, NULL };
    HK_EXPECT_EQ(hocket_set_allocator(&a), 0);
    (void)hocket_self();
    hk_store(&left, 0);
    HK_EXPECT_EQ(hocket_fail(-EIO, "lost"), -EIO);
    HK_EXPECT(hocket_fail_words() == NULL);
    hocket_hooks h = HOCKET_HOOKS_DEFAULT;
    hk_store(&left, 0);
    HK_EXPECT_EQ(hocket_hooks_set(&h, NULL), -ENOMEM);
    HK_EXPECT_EQ(hk_load(&live), 0);
}
END_TEST

SUITE("executor_memory", 60)
{
    suite_each(inline_jobs);
    suite_each(fiber_jobs);
    suite_each(thread_jobs);
    suite_each(the_rest);
    suite_once(words);
}
