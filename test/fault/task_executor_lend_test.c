/* SPDX-License-Identifier: MIT */
/*
 * A job that waits for another of its executor lends its place to one more worker.  Here there is
 * none to be had: each wait says so, and the job can go on.
 */
#include "support/suite.h"

#include <hocket/queue.h>
#include <hocket/select.h>

#include "support/executors.h"
#include "support/inject.h"

static hocket_executor *pool;

static int ends(void *arg)
{
    (void)arg;
    return 7;
}

static int doubles(const void *input, size_t size, hocket_buffer *output)
{
    int value = 2 * *(const int *)input;
    HK_EXPECT_EQ(size, sizeof value);
    return hocket_buffer_append(output, &value, sizeof value);
}

static int counts_to_three(void *context, const void **ret_input, size_t *ret_size)
{
    int *n = context;
    *ret_input = n;
    *ret_size = sizeof *n;
    return ++*n <= 3;
}

static void maps_say(int error)
{
    hocket_imap *it;
    const hocket_map_result *r;
    hocket_queue *input, *output;
    hocket_map_result *made;
    int n = 0, value = 1;
    HK_EXPECT_EQ(hocket_map(pool, doubles, counts_to_three, NULL, &n, NULL, HOCKET_FOREVER), error);
    n = 0;
    HK_EXPECT_OK(hocket_imap_open(&it, pool, doubles, counts_to_three, &n, NULL));
    HK_EXPECT_EQ(hocket_imap_next(it, &r, HOCKET_FOREVER), error);
    hocket_imap_close(it);
    HK_EXPECT_OK(hocket_queue_new(&input, sizeof value, NULL));
    HK_EXPECT_OK(hocket_queue_new(&output, sizeof(hocket_map_result *), NULL));
    HK_EXPECT_OK(hocket_queue_put(input, &value, HOCKET_NOW));
    HK_EXPECT_OK(hocket_queue_close(input, HOCKET_CLOSE_DRAIN));
    HK_EXPECT_EQ(
        hocket_map_queues(pool, doubles, input, sizeof value, output, NULL, HOCKET_FOREVER), error);
    if (hocket_queue_get(output, &made, HOCKET_NOW) == 0)
        hocket_map_result_free(made);
    hocket_queue_free(input);
    hocket_queue_free(output);
}

/* gets: hocket_map -EAGAIN, hocket_imap_next -EAGAIN, hocket_map_queues -EAGAIN */
static int waits(void *arg)
{
    int error = *(const int *)arg;
    hocket_future *f;
    hocket_completed *all;
    size_t i;
    HK_EXPECT_OK(hocket_submit_fn(pool, &f, ends, NULL));
    HK_EXPECT_OK(hocket_completed_open(&all, &f, 1));
    inject_fail(error == -ENOMEM ? INJECT_ALLOC : INJECT_THREAD, 1, true);
    HK_EXPECT_EQ(hocket_future_get(f, NULL, HOCKET_FOREVER), error);
    HK_EXPECT_EQ(hocket_future_wait(f, HOCKET_FOREVER), error);
    HK_EXPECT_EQ(hocket_future_wait_many(&f, 1, HOCKET_WAIT_ALL, &i, HOCKET_FOREVER), error);
    HK_EXPECT_EQ(hocket_completed_next(all, &i, HOCKET_FOREVER), error);
    hocket_case c = hocket_case_future(f, NULL);
    HK_EXPECT_EQ(hocket_select(&c, 1, HOCKET_FOREVER), error);
    HK_EXPECT_EQ(hocket_select(&c, 1, HOCKET_NOW), -ETIMEDOUT);
    if (error == -EAGAIN)
        maps_say(error);
    HK_EXPECT(inject_off());
    HK_EXPECT(!hocket_future_done(f));
    HK_EXPECT_EQ(result_of(f), 7);
    HK_EXPECT_EQ(hocket_completed_next(all, &i, HOCKET_FOREVER), 0); /* told after it is done */
    hocket_completed_close(all);
    hocket_future_free(f);
    maps_say(0);
    return 1;
}

static int root(void *arg)
{
    hocket_future *f;
    pool = executor_make("threads", 1, 0);
    HK_EXPECT_OK(hocket_submit_fn(pool, &f, waits, arg));
    HK_EXPECT_EQ(result_of(f), 1);
    hocket_future_free(f);
    hocket_executor_free(pool);
    return 0;
}

static void run(int error)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = 2;
    inject_install();
    HK_EXPECT_EQ(hocket_run_with(root, &error, &o), 0);
}

START_TEST(no_thread)
{
    run(-EAGAIN);
}
END_TEST

START_TEST(no_memory)
{
    run(-ENOMEM);
}
END_TEST

SUITE("executor_lend", 30)
{
    suite_once(no_thread);
    suite_once(no_memory);
}
