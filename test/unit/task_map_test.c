/* SPDX-License-Identifier: MIT */
/* Map: both orders, the window, and every way to end early. */
#include "support/suite.h"

#include "support/executors.h"

/* Gives 0, 1, 2 ... limit - 1, and checks what comes back. */
struct run {
    int next, limit, fail_next_at, input;
    int taken, stop_at;
    int outstanding, most;
    bool ordered;
    bool failures_expected;
    unsigned char seen[4096];
};

static int give(void *context, const void **ret_input, size_t *ret_size)
{
    struct run *r = context;
    if (r->fail_next_at > 0 && r->next == r->fail_next_at)
        return -EIO;
    if (r->next == r->limit)
        return 0;
    r->input = r->next++;
    *ret_input = &r->input;
    *ret_size = sizeof r->input;
    if (++r->outstanding > r->most)
        r->most = r->outstanding;
    return 1;
}

static int take(void *context, const hocket_map_result *result)
{
    struct run *r = context;
    int n, square;
    r->outstanding--;
    memcpy(&n, result->input, sizeof n);
    HK_EXPECT_EQ(result->input_size, sizeof n);
    HK_EXPECT_EQ(result->index, n);
    HK_EXPECT(!r->ordered || n == r->taken);
    HK_EXPECT(r->seen[n]++ == 0);
    r->taken++;
    if (result->result < 0) {
        HK_EXPECT(r->failures_expected);
        HK_EXPECT_EQ(result->result, -EDOM);
        char words[32];
        snprintf(words, sizeof words, "number %d", n);
        HK_EXPECT_STR(result->error->message, words);
    } else {
        HK_EXPECT(result->error == NULL);
        HK_EXPECT_EQ(result->output_size, sizeof square);
        memcpy(&square, result->output, sizeof square);
        HK_EXPECT_EQ(square, n * n);
    }
    return r->stop_at > 0 && r->taken == r->stop_at ? 42 : 0;
}

static int squared(const void *input, size_t size, hocket_buffer *output)
{
    int n;
    HK_EXPECT_EQ(size, sizeof n);
    memcpy(&n, input, sizeof n);
    if (n % 7 == 3)
        run_turn();
    n *= n;
    return hocket_buffer_append(output, &n, sizeof n);
}

static int fails_at_20(const void *input, size_t size, hocket_buffer *output)
{
    int n;
    memcpy(&n, input, sizeof n);
    return n % 40 == 20 ? hocket_fail(-EDOM, "number %d", n) : squared(input, size, output);
}

/* Waits until cancelled, but for the first few. */
static _Atomic int stuck;

static int stuck_after_5(const void *input, size_t size, hocket_buffer *output)
{
    int n;
    memcpy(&n, input, sizeof n);
    if (n < 5)
        return squared(input, size, output);
    (void)hk_add(&stuck, 1);
    return hocket_sleep_until(HOCKET_FOREVER);
}

static hocket_map_options options(bool as_completed, size_t window)
{
    hocket_map_options o = HOCKET_MAP_OPTIONS_DEFAULT;
    o.as_completed = as_completed;
    o.window = window;
    return o;
}

static int maps(void *arg)
{
    (void)arg;
    static const size_t windows[] = { 0, 1, 2, 7, 100 };
    for (int as_completed = 0; as_completed < 2; as_completed++)
        for (int w = 0; w < 5; w++)
            FOR_SCHEMES(ex, 3, 4)
            {
                hocket_map_options o = options(as_completed, windows[w]);
                struct run r = { .limit = 200, .ordered = !as_completed };
                HK_EXPECT_EQ(hocket_map(ex, squared, give, take, &r, &o, HOCKET_FOREVER), 0);
                HK_EXPECT_EQ(r.taken, 200);
                int window = windows[w] != 0 ? (int)windows[w] : s_ == 0 ? 1 : 6;
                HK_EXPECT(r.most <= window);
                HK_EXPECT_EQ(hocket_executor_running(ex), 0);
                hocket_executor_free(ex);
            }
    return 0;
}
START_TEST(every_input_once)
{
    run_in(_i, maps, NULL);
}
END_TEST

static int maps_nothing(void *arg)
{
    (void)arg;
    FOR_SCHEMES(ex, 2, 0)
    {
        struct run r = { 0 };
        HK_EXPECT_EQ(hocket_map(ex, squared, give, take, &r, NULL, HOCKET_FOREVER), 0);
        HK_EXPECT_EQ(hocket_map(ex, squared, give, NULL, &r, NULL, HOCKET_FOREVER), 0);
        r.limit = 5; /* outputs are dropped */
        HK_EXPECT_EQ(hocket_map(ex, squared, give, NULL, &r, NULL, HOCKET_FOREVER), 0);
        HK_EXPECT_EQ(r.taken, 0);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(empty_and_without_take)
{
    run_in(_i, maps_nothing, NULL);
}
END_TEST

static int failures_go_to_take(void *arg)
{
    (void)arg;
    for (int as_completed = 0; as_completed < 2; as_completed++)
        FOR_SCHEMES(ex, 3, 0)
        {
            hocket_map_options o = options(as_completed, 0);
            struct run r = { .limit = 100, .ordered = !as_completed, .failures_expected = true };
            HK_EXPECT_EQ(hocket_map(ex, fails_at_20, give, take, &r, &o, HOCKET_FOREVER), 0);
            HK_EXPECT_EQ(r.taken, 100);
            hocket_executor_free(ex);
        }
    return 0;
}
START_TEST(failed_jobs)
{
    run_in(_i, failures_go_to_take, NULL);
}
END_TEST

static int first_failure_stops(void *arg)
{
    (void)arg;
    FOR_SCHEMES(ex, 2, 0)
    {
        hocket_map_options o = options(false, 3);
        struct run r = { .limit = INT_MAX };
        HK_EXPECT_EQ(hocket_map(ex, fails_at_20, give, NULL, &r, &o, HOCKET_FOREVER), -EDOM);
        HK_EXPECT_STR(hocket_fail_words()->message, "number 20");
        HK_EXPECT(r.next <= 25);
        HK_EXPECT_EQ(hocket_executor_running(ex), 0);
        hocket_fail_clear();
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(without_take_the_first_failure_ends_it)
{
    run_in(_i, first_failure_stops, NULL);
}
END_TEST

static int ends_early(void *arg)
{
    (void)arg;
    for (int as_completed = 0; as_completed < 2; as_completed++)
        FOR_SCHEMES(ex, 2, 0)
        {
            hocket_map_options o = options(as_completed, 5);
            struct run r = { .limit = INT_MAX, .stop_at = 30, .ordered = !as_completed };
            HK_EXPECT_EQ(hocket_map(ex, squared, give, take, &r, &o, HOCKET_FOREVER), 42);
            HK_EXPECT_EQ(r.taken, 30);
            HK_EXPECT(r.next <= 35);
            r = (struct run){ .limit = INT_MAX, .fail_next_at = 10, .ordered = !as_completed };
            HK_EXPECT_EQ(hocket_map(ex, squared, give, take, &r, &o, HOCKET_FOREVER), -EIO);
            HK_EXPECT(r.taken <= 10 && r.next == 10);
            HK_EXPECT_EQ(hocket_executor_queued(ex), 0);
            HK_EXPECT_EQ(hocket_executor_running(ex), 0);
            hocket_executor_free(ex);
        }
    return 0;
}
START_TEST(callbacks_end_it)
{
    run_in(_i, ends_early, NULL);
}
END_TEST

static int deadline_passes(void *arg)
{
    (void)arg;
    for (int as_completed = 0; as_completed < 2; as_completed++)
        FOR_POOLS(ex, 8, 0)
        {
            hocket_map_options o = options(as_completed, 8);
            struct run r = { .limit = 100, .ordered = !as_completed };
            HK_EXPECT_EQ(
                hocket_map(ex, stuck_after_5, give, take, &r, &o, hocket_after(20 * HOCKET_MS)),
                -ETIMEDOUT);
            HK_EXPECT(r.taken <= 5);
            HK_EXPECT_EQ(hocket_executor_running(ex), 0);
            r = (struct run){ .limit = 3 };
            HK_EXPECT_EQ(hocket_map(ex, squared, give, take, &r, &o, HOCKET_NOW), -ETIMEDOUT);
            hocket_executor_free(ex);
        }
    return 0;
}
START_TEST(deadline)
{
    run_in(_i, deadline_passes, NULL);
}
END_TEST

struct mapping {
    hocket_executor *ex;
    struct run run;
    int rc;
};

static int map_stuck(void *arg)
{
    struct mapping *m = arg;
    hocket_map_options o = options(false, 8);
    m->rc = hocket_map(m->ex, stuck_after_5, give, take, &m->run, &o, HOCKET_FOREVER);
    return 0;
}

static int cancelled_map(void *arg)
{
    (void)arg;
    FOR_POOLS(ex, 8, 0)
    {
        struct mapping m = { ex, { .limit = 100, .ordered = true }, 0 };
        hk_store(&stuck, 0);
        hocket_task *t = run_spawn(map_stuck, &m);
        RUN_UNTIL(hk_load(&stuck) == 8 && run_parked(t)); /* a whole window: five were taken */
        hocket_cancel(t);
        run_finish(t, 0);
        HK_EXPECT_EQ(m.rc, -ECANCELED);
        HK_EXPECT_EQ(m.run.taken, 5);
        HK_EXPECT_EQ(hocket_executor_running(ex), 0);
        HK_EXPECT_EQ(hocket_executor_queued(ex), 0);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(cancel)
{
    run_in(_i, cancelled_map, NULL);
}
END_TEST

static int closed_executor(void *arg)
{
    (void)arg;
    FOR_SCHEMES(ex, 2, 0)
    {
        struct run r = { .limit = 3 };
        hocket_map_options o = options(false, 0);
        o.size = 3;
        HK_EXPECT_EQ(hocket_map(ex, squared, give, take, &r, &o, HOCKET_FOREVER), -EINVAL);
        o.size = 0;
        o.window = SIZE_MAX;
        HK_EXPECT_EQ(hocket_map(ex, squared, give, take, &r, &o, HOCKET_FOREVER), -ENOMEM);
        HK_EXPECT_EQ(r.next, 0);
        HK_EXPECT_EQ(hocket_executor_shutdown(ex, HOCKET_SHUTDOWN_DRAIN, HOCKET_FOREVER), 0);
        HK_EXPECT_EQ(hocket_map(ex, squared, give, take, &r, NULL, HOCKET_FOREVER), -EPIPE);
        HK_EXPECT_EQ(r.taken, 0);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(refused)
{
    run_in(_i, closed_executor, NULL);
}
END_TEST

/* A job that maps over its own executor. */
static int map_in_job(void *arg)
{
    struct mapping *m = arg;
    m->rc = hocket_map(m->ex, squared, give, take, &m->run, NULL, HOCKET_FOREVER);
    return m->rc;
}

static int nested(void *arg)
{
    (void)arg;
    FOR_SCHEMES(ex, 1, 1)
    {
        struct mapping m[3];
        hocket_future *f[3];
        for (int i = 0; i < 3; i++) {
            m[i] = (struct mapping){ ex, { .limit = 20, .ordered = true }, 1 };
            HK_EXPECT_EQ(hocket_submit_fn(ex, &f[i], map_in_job, &m[i]), 0);
        }
        for (int i = 0; i < 3; i++) {
            HK_EXPECT_EQ(result_of(f[i]), 0);
            HK_EXPECT_EQ(m[i].run.taken, 20);
            hocket_future_free(f[i]);
        }
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(inside_jobs)
{
    run_in(_i, nested, NULL);
}
END_TEST

SUITE("map", 30)
{
    suite_each(every_input_once);
    suite_each(empty_and_without_take);
    suite_each(failed_jobs);
    suite_each(without_take_the_first_failure_ends_it);
    suite_each(callbacks_end_it);
    suite_each(deadline);
    suite_each(cancel);
    suite_each(refused);
    suite_each(inside_jobs);
}
