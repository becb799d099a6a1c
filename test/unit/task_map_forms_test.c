/* SPDX-License-Identifier: MIT */
/* Forms of map: in chunks, into a queue, one at a time, as one future, over rows of arguments. */
#include "support/suite.h"

#include <hocket/map.h>

#include "support/executors.h"

/* Numbers 0 ... limit - 1; every seventh fails. */
struct numbers {
    int next, limit, input;
    int taken, failed;
    unsigned char seen[1000];
};

static int give(void *context, const void **ret_input, size_t *ret_size)
{
    struct numbers *n = context;
    if (n->next == n->limit)
        return 0;
    n->input = n->next++;
    *ret_input = &n->input;
    *ret_size = n->input % 5 == 4 ? sizeof n->input + 1 : sizeof n->input; /* uneven */
    return 1;
}

static int square(const void *input, size_t size, hocket_buffer *output)
{
    int n;
    HK_EXPECT((uintptr_t)input % _Alignof(max_align_t) == 0);
    HK_EXPECT(size == sizeof n || size == sizeof n + 1);
    memcpy(&n, input, sizeof n);
    if (n % 7 == 6)
        return hocket_fail(-EDOM, "number %d", n);
    int squared = n * n;
    return hocket_buffer_append(output, &squared, sizeof squared);
}

static int fine(const void *input, size_t size, hocket_buffer *output)
{
    (void)size;
    (void)output;
    return *(const int *)input;
}

static void verify(struct numbers *n, const hocket_map_result *r)
{
    char words[40];
    int input, squared;
    HK_EXPECT(r->index < (size_t)n->limit && !n->seen[r->index]);
    n->seen[r->index] = 1;
    n->taken++;
    memcpy(&input, r->input, sizeof input);
    HK_EXPECT_EQ(input, r->index);
    if (input % 7 == 6) {
        n->failed++;
        (void)snprintf(words, sizeof words, "number %d", input);
        HK_EXPECT_EQ(r->result, -EDOM);
        HK_EXPECT_STR(r->error->message, words);
        HK_EXPECT(r->output == NULL && r->output_size == 0);
        return;
    }
    HK_EXPECT(r->result == 0 && r->error == NULL && r->output_size == sizeof squared);
    memcpy(&squared, r->output, sizeof squared);
    HK_EXPECT_EQ(squared, input * input);
}

static int take(void *context, const hocket_map_result *r)
{
    verify(context, r);
    return 0;
}

static hocket_map_options options(size_t chunk, bool as_completed)
{
    hocket_map_options o = HOCKET_MAP_OPTIONS_DEFAULT;
    o.chunk = chunk;
    o.as_completed = as_completed;
    return o;
}

/* ---- chunks ---- */

static int all_chunk_sizes(void *arg)
{
    (void)arg;
    static const size_t chunks[] = { 1, 2, 7, 1000, HOCKET_MAP_AUTO };
    for (int unordered = 0; unordered < 2; unordered++)
        for (size_t c = 0; c < sizeof chunks / sizeof chunks[0]; c++)
            FOR_SCHEMES(ex, 3, 4)
            {
                hocket_map_options o = options(chunks[c], unordered);
                struct numbers n = { .limit = 300 };
                HK_EXPECT_EQ(hocket_map(ex, square, give, take, &n, &o, HOCKET_FOREVER), 0);
                HK_EXPECT(n.taken == 300 && n.failed == 42);
                hocket_executor_stats s;
                hocket_executor_stats_get(ex, &s);
                if (chunks[c] != HOCKET_MAP_AUTO)
                    HK_EXPECT_EQ(s.submitted, (300 + chunks[c] - 1) / chunks[c]);
                hocket_executor_free(ex);
            }
    return 0;
}
START_TEST(chunks)
{
    run_in(_i, all_chunk_sizes, NULL);
}
END_TEST

/* A job is cancelled in the middle of its chunk: what was done counts, the rest is left out. */
static struct gate middle;

static int stop_at_3(const void *input, size_t size, hocket_buffer *output)
{
    (void)size;
    (void)output;
    return *(const int *)input == 3 ? pass(&middle) : 0;
}

static int map_stuck(void *arg)
{
    struct numbers n = { .limit = 8 };
    hocket_map_options o = options(8, false);
    HK_EXPECT_EQ(hocket_map(arg, stop_at_3, give, take, &n, &o, HOCKET_FOREVER), -ECANCELED);
    HK_EXPECT_EQ(n.taken, 0);
    return 0;
}

static int cancelled_in_chunk(void *arg)
{
    (void)arg;
    FOR_POOLS(ex, 1, 0)
    {
        memset(&middle, 0, sizeof middle);
        hocket_task *t = run_spawn(map_stuck, ex);
        RUN_UNTIL(hk_load(&middle.inside) == 1 && run_parked(t));
        hocket_cancel(t);
        run_finish(t, 0);
        HK_EXPECT_EQ(hk_load(&middle.cancelled), 1);
        HK_EXPECT_EQ(hocket_executor_running(ex), 0);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(cancel_in_chunk)
{
    run_in(_i, cancelled_in_chunk, NULL);
}
END_TEST

/* ---- into a queue ---- */

static int get_all(void *arg)
{
    hocket_queue *q = arg;
    struct numbers n = { .limit = 100 };
    hocket_map_result *r;
    while (hocket_queue_get(q, &r, HOCKET_FOREVER) == 0) {
        verify(&n, r);
        hocket_map_result_free(r);
    }
    HK_EXPECT(n.taken == 100 && n.failed == 14);
    return 0;
}

static int results_in_queue(void *arg)
{
    (void)arg;
    FOR_SCHEMES(ex, 3, 0)
    {
        hocket_queue *q;
        hocket_map_options o = options(0, false);
        struct numbers n = { .limit = 100 };
        HK_EXPECT_EQ(hocket_queue_new(&q, sizeof(hocket_map_result *), NULL), 0);
        o.results = q;
        hocket_imap *none;
        HK_EXPECT_EQ(hocket_map(ex, square, give, take, &n, &o, HOCKET_FOREVER), -EINVAL);
        HK_EXPECT_EQ(hocket_imap_open(&none, ex, square, give, &n, &o), -EINVAL);
        hocket_task *t = run_spawn(get_all, q);
        HK_EXPECT_EQ(hocket_map(ex, square, give, NULL, &n, &o, HOCKET_FOREVER), 0);
        HK_EXPECT_EQ(hocket_queue_close(q, HOCKET_CLOSE_DRAIN), 0);
        run_finish(t, 0);
        n = (struct numbers){ .limit = 5 };
        HK_EXPECT_EQ(hocket_map(ex, square, give, NULL, &n, &o, HOCKET_FOREVER), -EPIPE);
        hocket_queue_free(q);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(queue_of_results)
{
    run_in(_i, results_in_queue, NULL);
}
END_TEST

struct three {
    hocket_executor *ex;
    hocket_queue *input, *output, *errors;
    hocket_time deadline;
};

static int relay(void *arg)
{
    struct three *t = arg;
    return hocket_map_queues(t->ex, square, t->input, sizeof(int), t->output, t->errors,
                             t->deadline);
}

static void three_open(struct three *t)
{
    t->deadline = HOCKET_FOREVER;
    HK_EXPECT_EQ(hocket_queue_new(&t->input, sizeof(int), NULL), 0);
    HK_EXPECT_EQ(hocket_queue_new(&t->output, sizeof(hocket_map_result *), NULL), 0);
    HK_EXPECT_EQ(hocket_queue_new(&t->errors, sizeof(hocket_map_result *), NULL), 0);
}

static void three_free(struct three *t)
{
    hocket_queue_free(t->input);
    hocket_queue_free(t->output);
    hocket_queue_free(t->errors);
}

static int three_queues(void *arg)
{
    (void)arg;
    FOR_SCHEMES(ex, 2, 1)
    {
        struct three t = { .ex = ex };
        struct numbers n = { .limit = 70 };
        hocket_map_result *r;
        three_open(&t);
        hocket_task *task = run_spawn(relay, &t);
        for (int i = 0; i < 70; i++) { /* each result comes without the next input */
            HK_EXPECT_EQ(hocket_queue_put(t.input, &i, HOCKET_FOREVER), 0);
            hocket_queue *q = i % 7 == 6 ? t.errors : t.output;
            HK_EXPECT_EQ(hocket_queue_get(q, &r, HOCKET_FOREVER), 0);
            HK_EXPECT_EQ(r->index, i);
            verify(&n, r);
            hocket_map_result_free(r);
        }
        HK_EXPECT_EQ(hocket_queue_close(t.input, HOCKET_CLOSE_DRAIN), 0);
        run_finish(task, 0);
        HK_EXPECT(n.taken == 70 && n.failed == 10);
        three_free(&t);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(queues)
{
    run_in(_i, three_queues, NULL);
}
END_TEST

/*
 * Nobody gets: the jobs wait in put.  A cancel, a deadline or a closed output ends it.
 *
 * gets: hocket_map_queues -ECANCELED -ETIMEDOUT
 */
static int queues_end_early(void *arg)
{
    (void)arg;
    FOR_POOLS(ex, 3, 2)
    for (int how = 0; how < 3; how++) {
        struct three t = { .ex = ex };
        three_open(&t);
        if (how == 1)
            t.deadline = hocket_after(5 * HOCKET_MS);
        hocket_task *task = run_spawn(relay, &t);
        int err = 0;
        for (int i = 0; err == 0; i += 1 + (i % 7 == 5)) /* until all is full */
            err = hocket_queue_put(t.input, &i, hocket_after(10 * HOCKET_MS));
        HK_EXPECT_EQ(err, -ETIMEDOUT);
        if (how == 0)
            hocket_cancel(task);
        else if (how == 2)
            HK_EXPECT_EQ(hocket_queue_close(t.output, HOCKET_CLOSE_DRAIN), 0);
        run_finish(task, how == 0 ? -ECANCELED : how == 1 ? -ETIMEDOUT : -EPIPE);
        HK_EXPECT_EQ(hocket_executor_running(ex), 0);
        HK_EXPECT_EQ(hocket_executor_queued(ex), 0);
        hocket_map_result *r;
        while (hocket_queue_get(t.output, &r, HOCKET_NOW) == 0)
            hocket_map_result_free(r);
        three_free(&t);
        if (how == 2)
            hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(queues_early)
{
    run_in(_i, queues_end_early, NULL);
}
END_TEST

/* ---- one at a time ---- */

static int one_at_a_time(void *arg)
{
    (void)arg;
    for (int unordered = 0; unordered < 2; unordered++)
        FOR_SCHEMES(ex, 2, 1)
        {
            hocket_map_options o = options(unordered ? 3 : 0, unordered);
            struct numbers n = { .limit = 50 };
            const hocket_map_result *r;
            hocket_imap *it;
            int err;
            HK_EXPECT_EQ(hocket_imap_open(&it, ex, square, give, &n, &o), 0);
            HK_EXPECT_EQ(n.next, 0);
            while ((err = hocket_imap_next(it, &r, HOCKET_FOREVER)) == 0) {
                HK_EXPECT(unordered || r->index == (size_t)n.taken);
                verify(&n, r);
            }
            HK_EXPECT_EQ(err, -ENOENT);
            HK_EXPECT_EQ(hocket_imap_next(it, &r, HOCKET_NOW), -ENOENT);
            HK_EXPECT(n.taken == 50 && n.failed == 7);
            hocket_imap_close(it);
            hocket_imap_close(NULL);

            n = (struct numbers){ .limit = INT_MAX }; /* endless, and left in the middle */
            HK_EXPECT_EQ(hocket_imap_open(&it, ex, fine, give, &n, &o), 0);
            for (int i = 0; i < 10; i++)
                HK_EXPECT_EQ(hocket_imap_next(it, &r, HOCKET_FOREVER), 0);
            hocket_imap_close(it);
            HK_EXPECT_EQ(hocket_executor_queued(ex) + hocket_executor_running(ex), 0);
            hocket_executor_free(ex);
        }
    return 0;
}
START_TEST(imap)
{
    run_in(_i, one_at_a_time, NULL);
}
END_TEST

static int stop_first(const void *input, size_t size, hocket_buffer *output)
{
    (void)size;
    (void)output;
    return *(const int *)input == 0 ? pass(&middle) : 0;
}

static int imap_deadlines(void *arg)
{
    (void)arg;
    FOR_POOLS(ex, 2, 1)
    {
        struct numbers n = { .limit = 6 };
        const hocket_map_result *r;
        hocket_imap *it;
        int err;
        memset(&middle, 0, sizeof middle);
        HK_EXPECT_EQ(hocket_imap_open(&it, ex, stop_first, give, &n, NULL), 0);
        HK_EXPECT_EQ(hocket_imap_next(it, &r, HOCKET_NOW), -ETIMEDOUT);
        HK_EXPECT_EQ(hocket_imap_next(it, &r, hocket_after(HOCKET_MS)), -ETIMEDOUT);
        gate_open(&middle);
        while ((err = hocket_imap_next(it, &r, HOCKET_FOREVER)) == 0)
            HK_EXPECT_EQ(r->index, n.taken++);
        HK_EXPECT(err == -ENOENT && n.taken == 6); /* nothing was lost */
        hocket_imap_close(it);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(imap_goes_on_after_a_deadline)
{
    run_in(_i, imap_deadlines, NULL);
}
END_TEST

/* ---- as one future ---- */

static int one_future(void *arg)
{
    (void)arg;
    FOR_SCHEMES(ex, 1, 1)
    {
        hocket_map_options o = options(0, false);
        struct numbers n = { .limit = 40 };
        hocket_future *f;
        HK_EXPECT_EQ(hocket_map_async(ex, &f, square, give, take, &n, NULL), 0);
        HK_EXPECT_EQ(result_of(f), 0);
        HK_EXPECT(n.taken == 40 && n.failed == 5);
        hocket_future_free(f);

        n = (struct numbers){ .limit = 40 }; /* the first failure is kept, the rest still done */
        o.keep_going = true;
        HK_EXPECT_EQ(hocket_map_async(ex, &f, square, give, NULL, &n, &o), 0);
        HK_EXPECT_EQ(result_of(f), -EDOM);
        HK_EXPECT_STR(hocket_future_error(f)->message, "number 6");
        HK_EXPECT_EQ(n.next, 40);
        hocket_future_free(f);

        n = (struct numbers){ .limit = 1000 }; /* or ends it */
        HK_EXPECT_EQ(hocket_map_async(ex, &f, square, give, NULL, &n, NULL), 0);
        HK_EXPECT_EQ(result_of(f), -EDOM);
        HK_EXPECT(n.next < 20);
        hocket_future_free(f);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(map_async)
{
    run_in(_i, one_future, NULL);
}
END_TEST

static int cancelled_future(void *arg)
{
    (void)arg;
    FOR_POOLS(ex, 2, 0)
    {
        struct numbers n = { .limit = 10 };
        hocket_future *f;
        memset(&middle, 0, sizeof middle);
        HK_EXPECT_EQ(hocket_map_async(ex, &f, stop_first, give, take, &n, NULL), 0);
        RUN_UNTIL(hk_load(&middle.inside) == 1);
        HK_EXPECT(!hocket_future_cancel(f));
        HK_EXPECT_EQ(result_of(f), -ECANCELED);
        HK_EXPECT_EQ(hk_load(&middle.cancelled), 1);
        hocket_future_free(f);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(cancel_map_async)
{
    run_in(_i, cancelled_future, NULL);
}
END_TEST

/* ---- rows ---- */

static int divide(void *const *args)
{
    int a = *(const int *)args[0], b = *(const int *)args[1];
    return b != 0 ? a / b : hocket_fail(-EDOM, "%d by zero", a);
}

static int rows_of_arguments(void *arg)
{
    (void)arg;
    static int a[] = { 10, 20, 30 }, b[] = { 5, 0, 3 };
    static void *row[3][2] = { { &a[0], &b[0] }, { &a[1], &b[1] }, { &a[2], &b[2] } };
    static void *const *const rows[3] = { row[0], row[1], row[2] };
    FOR_SCHEMES(ex, 2, 0)
    {
        int results[3] = { 0, 0, 0 };
        HK_EXPECT_EQ(hocket_starmap(ex, divide, rows, 3, results, NULL, HOCKET_FOREVER), 0);
        HK_EXPECT(results[0] == 2 && results[1] == -EDOM && results[2] == 10);
        HK_EXPECT_EQ(hocket_starmap(ex, divide, rows, 3, NULL, NULL, HOCKET_FOREVER), -EDOM);
        HK_EXPECT_STR(hocket_fail_words()->message, "20 by zero");
        hocket_fail_clear();
        HK_EXPECT_EQ(hocket_starmap(ex, divide, rows, 0, NULL, NULL, HOCKET_FOREVER), 0);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(starmap)
{
    run_in(_i, rows_of_arguments, NULL);
}
END_TEST

SUITE("map_forms", 30)
{
    suite_each(chunks);
    suite_each(cancel_in_chunk);
    suite_each(queue_of_results);
    suite_each(queues);
    suite_each(queues_early);
    suite_each(imap);
    suite_each(imap_goes_on_after_a_deadline);
    suite_each(map_async);
    suite_each(cancel_map_async);
    suite_each(starmap);
}
