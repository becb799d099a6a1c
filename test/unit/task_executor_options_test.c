/* SPDX-License-Identifier: MIT */
/* Executors' options: priority, serial, rate, workers that start and end, idle, resize, scopes. */
#include "support/suite.h"

#include <hocket/hooks.h>
#include <hocket/promise.h>

#include "support/executors.h"

static hocket_executor *make(const char *scheme, hocket_executor_options o)
{
    hocket_executor *ex = NULL;
    int err = hocket_executor_new(&ex, scheme, &o);
    if (err == -EAGAIN && hocket_workers() == 0)
        return NULL;
    HK_EXPECT_EQ(err, 0);
    return ex;
}

#define OPTIONS(...) \
    ((hocket_executor_options){ .size = sizeof(hocket_executor_options), __VA_ARGS__ })
#define FOR_MADE(ex, ...)                \
    for (int s_ = 1; s_ < SCHEMES; s_++) \
        for (hocket_executor *ex = make(executor_schemes[s_], OPTIONS(__VA_ARGS__)); ex; ex = NULL)

static char trail[64];
static _Atomic int steps;

static int step(void *arg)
{
    trail[hk_add(&steps, 1)] = *(const char *)arg;
    return 0;
}

static void clear(void)
{
    memset(trail, 0, sizeof trail);
    hk_store(&steps, 0);
}

/* ---- priority ---- */

static int lowest_first(void *arg)
{
    (void)arg;
    static const struct {
        const char *name;
        int priority;
    } jobs[] = { { "d", 0 }, { "f", 7 },  { "a", -5 },      { "e", 0 },      { "b", -5 },
                 { "g", 7 }, { "c", -1 }, { "h", INT_MAX }, { "0", INT_MIN } };
    FOR_MADE(ex, .workers = 1)
    {
        struct gate g = { 0 };
        hocket_future *cancelled;
        clear();
        HK_EXPECT_EQ(hocket_submit_fn(ex, NULL, pass, &g), 0);
        RUN_UNTIL(hk_load(&g.inside) == 1);
        for (size_t i = 0; i < sizeof jobs / sizeof jobs[0]; i++)
            HK_EXPECT_EQ(hocket_submit_fn_with(ex, NULL, step, (void *)(uintptr_t)jobs[i].name,
                                               jobs[i].priority, HOCKET_FOREVER),
                         0);
        HK_EXPECT_EQ(hocket_submit_fn_with(ex, &cancelled, step, NULL, -9, HOCKET_FOREVER), 0);
        HK_EXPECT(hocket_future_cancel(cancelled));
        HK_EXPECT_EQ(result_of(cancelled), -ECANCELED);
        hocket_future_free(cancelled);
        gate_open(&g);
        hocket_executor_free(ex);
        HK_EXPECT_STR(trail, "0abcdefgh");
    }
    return 0;
}
START_TEST(priority)
{
    run_in(_i, lowest_first, NULL);
}
END_TEST

static int echo(const void *input, size_t size, hocket_buffer *output)
{
    return hocket_buffer_append(output, input, size);
}

static int bytes_with_priority(void *arg)
{
    (void)arg;
    FOR_SCHEMES(ex, 1, 0)
    {
        hocket_future *f;
        size_t size;
        HK_EXPECT_EQ(hocket_submit_with(ex, &f, echo, "abc", 3, 5, HOCKET_FOREVER), 0);
        HK_EXPECT_EQ(result_of(f), 0);
        HK_EXPECT(memcmp(hocket_future_output(f, &size), "abc", 3) == 0 && size == 3);
        hocket_future_free(f);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(priority_of_bytes)
{
    run_in(_i, bytes_with_priority, NULL);
}
END_TEST

/* ---- serial ---- */

static struct serial {
    hocket_executor *ex;
    _Atomic int inside;
    int count; /* of no use to two jobs at once */
    _Atomic int next;
} serial;

static int alone(void *arg)
{
    HK_EXPECT_EQ(hk_add(&serial.inside, 1), 0);
    HK_EXPECT_EQ(hk_add(&serial.next, 1), (int)(intptr_t)arg);
    int before = serial.count;
    run_turn();
    serial.count = before + 1;
    (void)hk_sub(&serial.inside, 1);
    return 0;
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

/* What it waits for could start only after itself. */
static int wait_for_next(void *arg)
{
    hocket_future *f;
    (void)arg;
    HK_EXPECT_EQ(hocket_submit_fn(serial.ex, &f, nothing, NULL), 0);
    HK_EXPECT_EQ(hocket_future_get(f, NULL, HOCKET_FOREVER), -EDEADLK);
    hocket_future_free(f);
    return 1;
}

static int one_at_a_time(void *arg)
{
    (void)arg;
    FOR_MADE(ex, .serial = true)
    {
        hocket_future *f;
        serial = (struct serial){ .ex = ex };
        HK_EXPECT_EQ(hocket_executor_workers(ex), 1);
        HK_EXPECT_EQ(hocket_executor_resize(ex, 2), -EINVAL);
        for (int i = 0; i < 200; i++)
            HK_EXPECT_EQ(hocket_submit_fn(ex, NULL, alone, (void *)(intptr_t)i), 0);
        HK_EXPECT_EQ(hocket_submit_fn(ex, &f, wait_for_next, NULL), 0);
        HK_EXPECT_EQ(result_of(f), 1);
        HK_EXPECT_EQ(serial.count, 200);
        hocket_future_free(f);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(serial_is_a_lock)
{
    run_in(_i, one_at_a_time, NULL);
}
END_TEST

/* ---- rate ---- */

static int starts_are_spread(void *arg)
{
    (void)arg;
    enum { RATE = 3, JOBS = 2 * RATE + 1 };
    const hocket_time period = 4 * HOCKET_MS;
    FOR_MADE(ex, .workers = 2, .rate = RATE, .period = period)
    {
        hocket_future *f[JOBS];
        hocket_time start = hocket_now();
        for (int i = 0; i < JOBS; i++)
            HK_EXPECT_EQ(hocket_submit_fn(ex, &f[i], nothing, NULL), 0);
        HK_EXPECT_EQ(result_of(f[JOBS - 1]), 0);
        HK_EXPECT(hocket_now() - start >= 2 * period);
        for (int i = 0; i < JOBS; i++) {
            HK_EXPECT_EQ(result_of(f[i]), 0);
            hocket_future_free(f[i]);
        }
        hocket_executor_free(ex);
    }
    FOR_MADE(ex, .rate = 1, .period = HOCKET_FOREVER / 2)
    {
        hocket_future *f[3]; /* the second one would come in some centuries */
        for (int i = 0; i < 3; i++)
            HK_EXPECT_EQ(hocket_submit_fn(ex, &f[i], nothing, NULL), 0);
        HK_EXPECT_EQ(result_of(f[0]), 0);
        HK_EXPECT_EQ(hocket_executor_shutdown(ex, HOCKET_SHUTDOWN_DRAIN, HOCKET_NOW), -ETIMEDOUT);
        HK_EXPECT_EQ(hocket_executor_shutdown(ex, HOCKET_SHUTDOWN_CANCEL, HOCKET_FOREVER), 0);
        for (int i = 0; i < 3; i++) {
            HK_EXPECT_EQ(hocket_future_cancelled(f[i]), i > 0);
            hocket_future_free(f[i]);
        }
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(rate)
{
    run_in(_i, starts_are_spread, NULL);
}
END_TEST

static int rate_drains(void *arg)
{
    (void)arg;
    FOR_MADE(ex, .workers = 3, .rate = 2, .period = HOCKET_MS)
    {
        clear();
        for (int i = 0; i < 9; i++)
            HK_EXPECT_EQ(hocket_submit_fn(ex, NULL, step, (void *)(uintptr_t) "x"), 0);
        hocket_executor_free(ex);
        HK_EXPECT_STR(trail, "xxxxxxxxx");
    }
    return 0;
}
START_TEST(rate_and_shutdown)
{
    run_in(_i, rate_drains, NULL);
}
END_TEST

/* ---- workers that start and end ---- */

static _Atomic int begun, finished, broken_at;

static int begin_worker(void *arg)
{
    int n = hk_add(&begun, 1) + 1;
    HK_EXPECT_STR(arg, "arg");
    run_turn();
    return n == hk_load(&broken_at) ? hocket_fail(-EIO, "no database") : 0;
}

static void end_worker(void *arg)
{
    HK_EXPECT_STR(arg, "arg");
    (void)hk_add(&finished, 1);
}

static char worker_arg[] = "arg";

static void count_anew(int which_fails)
{
    hk_store(&begun, 0);
    hk_store(&finished, 0);
    hk_store(&broken_at, which_fails);
}

static int start_and_end(void *arg)
{
    (void)arg;
    count_anew(0);
    FOR_MADE(ex, .workers = 3, .worker_start = begin_worker, .worker_end = end_worker,
             .worker_arg = worker_arg)
    {
        struct gate g = { 0 };
        for (int i = 0; i < 5; i++)
            HK_EXPECT_EQ(hocket_submit_fn(ex, NULL, pass, &g), 0);
        RUN_UNTIL(hk_load(&g.inside) == 3);
        gate_open(&g);
        RUN_UNTIL(hk_load(&g.ended) == 5);
        for (int i = 0; i < 20; i++) { /* they stay */
            hocket_future *f;
            HK_EXPECT_EQ(hocket_submit_fn(ex, &f, nothing, NULL), 0);
            HK_EXPECT_EQ(result_of(f), 0);
            hocket_future_free(f);
        }
        HK_EXPECT_EQ(hk_load(&finished), 0);
        hocket_executor_free(ex);
        HK_EXPECT_EQ(hk_load(&begun), 3);
        HK_EXPECT_EQ(hk_load(&finished), 3);
        count_anew(0);
    }
    return 0;
}
START_TEST(workers_start_and_end)
{
    run_in(_i, start_and_end, NULL);
}
END_TEST

static int start_fails(void *arg)
{
    (void)arg;
    count_anew(1);
    FOR_MADE(ex, .workers = 1, .worker_start = begin_worker, .worker_end = end_worker,
             .worker_arg = worker_arg)
    {
        hocket_future *f[4];
        int n = 0;
        for (int i = 0; i < 4; i++) {
            int err = hocket_submit_fn(ex, &f[n], nothing, NULL);
            HK_EXPECT(err == 0 || err == -EPIPE);
            n += err == 0;
        }
        for (int i = 0; i < n; i++) {
            HK_EXPECT_EQ(result_of(f[i]), -EIO);
            HK_EXPECT_STR(hocket_future_error(f[i])->message, "no database");
            HK_EXPECT(!hocket_future_cancelled(f[i]));
            hocket_future_free(f[i]);
        }
        if (n > 0) /* before that it may not have begun */
            HK_EXPECT_EQ(hocket_submit_fn(ex, NULL, nothing, NULL), -EPIPE);
        hocket_executor_free(ex);
        HK_EXPECT_EQ(hk_load(&finished), 0);
        count_anew(1);
    }
    return 0;
}
START_TEST(failing_start_breaks_it)
{
    run_in(_i, start_fails, NULL);
}
END_TEST

/* ---- how many there are ---- */

static int workers_now(hocket_executor *ex)
{
    hocket_executor_stats s;
    hocket_executor_stats_get(ex, &s);
    return s.workers;
}

static int idle_ones_go(void *arg)
{
    (void)arg;
    FOR_MADE(ex, .workers = 3, .idle = HOCKET_MS)
    {
        for (int round = 0; round < 3; round++) {
            struct gate g = { 0 };
            for (int i = 0; i < 3; i++)
                HK_EXPECT_EQ(hocket_submit_fn(ex, NULL, pass, &g), 0);
            RUN_UNTIL(hk_load(&g.inside) == 3);
            HK_EXPECT_EQ(workers_now(ex), 3);
            gate_open(&g);
            RUN_UNTIL(workers_now(ex) == 0);
        }
        hocket_executor_free(ex);
    }
    FOR_MADE(ex, .workers = 2, .idle = HOCKET_FOREVER)
    {
        hocket_future *f;
        HK_EXPECT_EQ(hocket_submit_fn(ex, &f, nothing, NULL), 0);
        HK_EXPECT_EQ(result_of(f), 0);
        hocket_future_free(f);
        HK_EXPECT(workers_now(ex) >= 1);
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(idle)
{
    run_in(_i, idle_ones_go, NULL);
}
END_TEST

static int grows_and_shrinks(void *arg)
{
    (void)arg;
    FOR_MADE(ex, .workers = 1)
    {
        struct gate g = { 0 }, h = { 0 };
        for (int i = 0; i < 6; i++)
            HK_EXPECT_EQ(hocket_submit_fn(ex, NULL, pass, i < 4 ? &g : &h), 0);
        RUN_UNTIL(hk_load(&g.inside) == 1);
        HK_EXPECT_EQ(hocket_executor_resize(ex, 0), -EINVAL);
        HK_EXPECT_EQ(hocket_executor_resize(ex, 4), 0);
        HK_EXPECT_EQ(hocket_executor_workers(ex), 4);
        RUN_UNTIL(hk_load(&g.inside) == 4);
        HK_EXPECT_EQ(hocket_executor_resize(ex, 1), 0);
        gate_open(&g);
        RUN_UNTIL(hk_load(&h.inside) == 1 && workers_now(ex) == 1);
        HK_EXPECT_EQ(hocket_executor_queued(ex), 1);
        gate_open(&h);
        hocket_executor_free(ex);
        HK_EXPECT_EQ(hk_load(&h.ended), 2);
    }
    hocket_executor *ex = executor_make("inline", 0, 0);
    HK_EXPECT_EQ(hocket_executor_resize(ex, 2), -EINVAL);
    hocket_executor_free(ex);
    return 0;
}
START_TEST(resize)
{
    run_in(_i, grows_and_shrinks, NULL);
}
END_TEST

static int fails(void *arg)
{
    (void)arg;
    return -EDOM;
}

static int statistics(void *arg)
{
    (void)arg;
    FOR_MADE(ex, .workers = 1)
    {
        hocket_executor_stats s;
        struct gate g = { 0 };
        hocket_future *f[4];
        HK_EXPECT_EQ(hocket_submit_fn(ex, &f[0], pass, &g), 0);
        RUN_UNTIL(hk_load(&g.inside) == 1);
        for (int i = 1; i < 4; i++)
            HK_EXPECT_EQ(hocket_submit_fn(ex, &f[i], fails, NULL), 0);
        hocket_executor_stats_get(ex, &s);
        HK_EXPECT(s.submitted == 4 && s.started == 1 && s.failed == 0 && s.cancelled == 0);
        HK_EXPECT(s.queued == 3 && s.running == 1 && s.workers == 1);
        (void)hocket_future_cancel(f[3]);
        gate_open(&g);
        HK_EXPECT_EQ(hocket_executor_shutdown(ex, HOCKET_SHUTDOWN_DRAIN, HOCKET_FOREVER), 0);
        hocket_executor_stats_get(ex, &s);
        HK_EXPECT(s.submitted == 4 && s.started == 3 && s.failed == 2 && s.cancelled == 1);
        HK_EXPECT(s.queued == 0 && s.running == 0 && s.workers == 0);
        for (int i = 0; i < 4; i++) {
            (void)result_of(f[i]);
            hocket_future_free(f[i]);
        }
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(stats)
{
    run_in(_i, statistics, NULL);
}
END_TEST

/* ---- scopes ---- */

static int leaves_with_scope(void *arg)
{
    (void)arg;
    for (int s = 1; s < SCHEMES; s++) {
        struct gate g = { 0 };
        hocket_scope scope;
        hocket_future *f[3];
        hocket_scope_open(&scope, NULL);
        hocket_executor *ex = make(executor_schemes[s], OPTIONS(.workers = 2, .scope = &scope));
        for (int i = 0; ex != NULL && i < 3; i++)
            HK_EXPECT_EQ(hocket_submit_fn(ex, &f[i], pass, &g), 0);
        gate_open(&g);
        HK_EXPECT_EQ(hocket_scope_close(&scope), 0); /* drains */
        if (ex == NULL)
            continue;
        HK_EXPECT_EQ(hk_load(&g.ended), 3);
        HK_EXPECT_EQ(hocket_submit_fn(ex, NULL, pass, &g), -EPIPE);
        for (int i = 0; i < 3; i++) {
            HK_EXPECT_EQ(result_of(f[i]), 0);
            hocket_future_free(f[i]);
        }
        hocket_executor_free(ex);

        hocket_scope_open(&scope, NULL); /* freed before */
        ex = make(executor_schemes[s], OPTIONS(.scope = &scope));
        HK_EXPECT_EQ(hocket_submit_fn(ex, NULL, nothing, NULL), 0);
        hocket_executor_free(ex);
        HK_EXPECT_EQ(hocket_scope_close(&scope), 0);
    }
    return 0;
}
START_TEST(of_a_scope)
{
    run_in(_i, leaves_with_scope, NULL);
}
END_TEST

static int doomed(void *arg)
{
    struct gate *g = arg;
    RUN_UNTIL(hk_load(&g->inside) == 1);
    return hocket_fail(-EIO, "sibling");
}

/* A failing sibling cancels the scope, and so the jobs. */
static int cancelled_with_scope(void *arg)
{
    (void)arg;
    for (int s = 1; s < SCHEMES; s++) {
        struct gate g = { 0 };
        hocket_scope scope;
        hocket_future *f[2];
        hocket_scope_open(&scope, NULL);
        hocket_executor *ex = make(executor_schemes[s], OPTIONS(.workers = 1, .scope = &scope));
        for (int i = 0; ex != NULL && i < 2; i++)
            HK_EXPECT_EQ(hocket_submit_fn(ex, &f[i], pass, &g), 0);
        if (ex != NULL)
            HK_EXPECT_EQ(hocket_spawn(&scope, doomed, &g), 0);
        HK_EXPECT_EQ(hocket_scope_close(&scope), ex != NULL ? -EIO : 0);
        for (int i = 0; ex != NULL && i < 2; i++) {
            HK_EXPECT_EQ(result_of(f[i]), -ECANCELED);
            HK_EXPECT_EQ(hocket_future_cancelled(f[i]), i == 1);
            hocket_future_free(f[i]);
        }
        hocket_executor_free(ex);
    }
    return 0;
}
START_TEST(cancelled_scope)
{
    run_in(_i, cancelled_with_scope, NULL);
}
END_TEST

static int refuses_nonsense(void *arg)
{
    (void)arg;
    hocket_executor *ex = NULL;
    hocket_scope closed;
    hocket_scope_open(&closed, NULL);
    HK_EXPECT_EQ(hocket_scope_close(&closed), 0);
    const hocket_executor_options bad[] = {
        OPTIONS(.idle = -1),
        OPTIONS(.rate = 1),
        OPTIONS(.rate = 1, .period = -1),
        OPTIONS(.rate = SIZE_MAX, .period = 1),
        OPTIONS(.serial = true, .workers = 2),
        OPTIONS(.scope = &closed),
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        for (int s = 1; s < SCHEMES; s++)
            HK_EXPECT_EQ(hocket_executor_new(&ex, executor_schemes[s], &bad[i]), -EINVAL);
    hocket_executor_options o = OPTIONS(.serial = true);
    HK_EXPECT_EQ(hocket_executor_new(&ex, "inline", &o), -EINVAL);
    HK_EXPECT(ex == NULL);
    return 0;
}
START_TEST(nonsense)
{
    run_in(_i, refuses_nonsense, NULL);
}
END_TEST

SUITE("executor_options", 30)
{
    suite_each(priority);
    suite_each(priority_of_bytes);
    suite_each(serial_is_a_lock);
    suite_each(rate);
    suite_each(rate_and_shutdown);
    suite_each(workers_start_and_end);
    suite_each(failing_start_breaks_it);
    suite_each(idle);
    suite_each(resize);
    suite_each(stats);
    suite_each(of_a_scope);
    suite_each(cancelled_scope);
    suite_each(nonsense);
}
