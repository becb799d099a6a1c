/* SPDX-License-Identifier: MIT */
/*
 * Executors and futures under every schedule: each job runs once or is cancelled, whoever waits is
 * told, a worker that waits lends its place, and nothing of an executor is used after its end.
 */
#include "support/explored.h"

#include <hocket/map.h>

#include "task/executor.h"

static _Atomic int ran;

static int count(void *arg)
{
    atomic_fetch_add(&ran, 1);
    return (int)(intptr_t)arg;
}

static int until_cancelled(void *arg)
{
    atomic_fetch_add(&ran, 1);
    return hocket_sleep_until(HOCKET_FOREVER) == -ECANCELED ? (int)(intptr_t)arg : -EPROTO;
}

static hocket_executor *make(const char *scheme, int workers, size_t queue)
{
    hocket_executor *ex;
    hocket_executor_options o = HOCKET_EXECUTOR_OPTIONS_DEFAULT;
    o.workers = workers;
    o.queue = queue;
    atomic_store(&ran, 0);
    HK_EXPECT_OK(hocket_executor_new(&ex, scheme, &o));
    return ex;
}

static int result_of(hocket_future *f)
{
    int result = INT32_MIN;
    HK_EXPECT_OK(hocket_future_get(f, &result, HOCKET_FOREVER));
    return result;
}

static const char *pool(void)
{
    return explore_choice(2) ? "fibers" : "threads";
}

/* ---- submit, get, free ---- */

static void *submit_two(void *arg)
{
    for (int i = 1; i <= 2; i++) {
        hocket_future *f;
        HK_EXPECT_OK(hocket_submit_fn(arg, &f, count, (void *)(intptr_t)i));
        if (i == 1)
            HK_EXPECT_EQ(result_of(f), i);
        hocket_future_free(f);
    }
    return NULL;
}

EXPLORED(submitters, &explored_held)
{
    explored_runtime(1);
    hocket_executor *ex = make(pool(), 1 + (int)explore_choice(2), 1);
    int a = explore_start(submit_two, ex), b = explore_start(submit_two, ex);
    explore_join(a);
    explore_join(b);
    hocket_executor_free(ex);
    HK_EXPECT_EQ(atomic_load(&ran), 4);
    explored_runtime_end();
}

/* Several wait for one future, some not for long. */
static void *get_patiently(void *arg)
{
    HK_EXPECT_EQ(result_of(arg), 7);
    return NULL;
}

static void *get_impatiently(void *arg)
{
    int result = 7, err = hocket_future_get(arg, &result, hocket_after(5 * HOCKET_US));
    HK_EXPECT((err == 0 || err == -ETIMEDOUT) && result == 7);
    return NULL;
}

EXPLORED(getters, &explored_held)
{
    hocket_future *f;
    explored_runtime(1);
    hocket_executor *ex = make(pool(), 1, 0);
    HK_EXPECT_OK(hocket_submit_fn(ex, &f, count, (void *)7));
    int a = explore_start(get_patiently, f), b = explore_start(get_impatiently, f);
    explore_join(a);
    explore_join(b);
    hocket_executor_free(ex);
    HK_EXPECT_EQ(result_of(f), 7);
    hocket_future_free(f);
    explored_runtime_end();
}

/* ---- jobs that the worker ends to whom the guard of the pool belongs ---- */

#define OWNED 12 /* one is freed, one cancelled, one waited for, and again; the last runs */
static hocket_future *owned[OWNED];
static _Atomic int begun, cancels;

static int begin(void *arg)
{
    if (atomic_load(&begun) <= (int)(intptr_t)arg)
        atomic_store(&begun, (int)(intptr_t)arg + 1);
    return count(arg);
}

static int submit_owned(void *arg)
{
    hocket_executor *ex = arg;
    for (int i = 0; i < 3; i++) {
        hocket_future *f;
        HK_EXPECT_OK(hocket_submit_fn(ex, &f, count, (void *)5));
        HK_EXPECT_EQ(result_of(f), 5);
        hocket_future_free(f);
    }
    HK_EXPECT(hk_load(&ex->memory->lock.owner) == hocket__worker_here());
    atomic_store(&ran, 0);
    for (int i = 0; i < OWNED; i++)
        HK_EXPECT_OK(hocket_submit_fn(ex, &owned[i], begin, (void *)(intptr_t)i));
    return 0;
}

/* Each third one, as it runs. */
static void *meddle(void *arg)
{
    for (int i = (int)(intptr_t)arg; i < OWNED; i += 3) {
        explore_until(atomic_load(&begun) > i);
        if (i % 3 == 0)
            hocket_future_free(owned[i]);
        else if (i % 3 == 1)
            atomic_fetch_add(&cancels, hocket_future_cancel(owned[i]));
        else
            HK_EXPECT_EQ(result_of(owned[i]), i);
    }
    return NULL;
}

/* Blocks that somebody has. */
static size_t blocks_out(hocket_executor *ex)
{
    hocket__executor_lock(ex);
    struct hocket__job_memory *m = ex->memory;
    size_t out = m->total;
    for (hocket_future *f = m->free; f != NULL; f = hocket__job_next(f))
        out--;
    for (hocket_future *f = hk_load(&m->returned); f != NULL; f = hocket__job_next(f))
        out--;
    hocket__executor_unlock(ex);
    return out;
}

/* No change of a job's state is lost, whatever others do to it while it ends. */
EXPLORED(ended_by_the_owner, &explored_held)
{
    int threads[3];
    explored_runtime(1);
    hocket_executor *ex = make("fibers", 2, 0);
    atomic_store(&begun, 0);
    atomic_store(&cancels, 0);
    for (int i = 0; i < 3; i++)
        threads[i] = explore_start(meddle, (void *)(intptr_t)i);
    explored_finish(explored_spawn(submit_owned, ex), 0);
    for (int i = 0; i < 3; i++)
        explore_join(threads[i]);
    HK_EXPECT_OK(hocket_executor_shutdown(ex, HOCKET_SHUTDOWN_DRAIN, HOCKET_FOREVER));
    HK_EXPECT_EQ(atomic_load(&ran), OWNED - atomic_load(&cancels));
    for (int i = 0; i < OWNED; i++) {
        if (i % 3 == 0)
            continue;
        HK_EXPECT_EQ(result_of(owned[i]), hocket_future_cancelled(owned[i]) ? -ECANCELED : i);
        hocket_future_free(owned[i]);
    }
    HK_EXPECT_EQ(blocks_out(ex), 0);
    hocket_executor_free(ex);
    explored_runtime_end();
}

/* ---- cancel ---- */

static void *cancel(void *arg)
{
    (void)hocket_future_cancel(arg);
    return NULL;
}

/* Two cancel at once, before, while or after it runs. */
EXPLORED(cancelled, &explored_held)
{
    hocket_future *f, *g;
    explored_runtime(1);
    hocket_executor *ex = make(pool(), 1, 0);
    HK_EXPECT_OK(hocket_submit_fn(ex, &f, until_cancelled, (void *)3));
    HK_EXPECT_OK(hocket_submit_fn(ex, &g, count, (void *)4));
    int a = explore_start(cancel, f), b = explore_start(cancel, f);
    int result = result_of(f);
    HK_EXPECT_EQ(result, hocket_future_cancelled(f) ? -ECANCELED : 3);
    HK_EXPECT_EQ(result_of(g), 4); /* the next job is not touched */
    explore_join(a);
    explore_join(b);
    HK_EXPECT_EQ(atomic_load(&ran), result == 3 ? 2 : 1);
    hocket_future_free(f);
    hocket_future_free(g);
    hocket_executor_free(ex);
    explored_runtime_end();
}

/* A job that ends while it is being cancelled. */
static int brief(void *arg)
{
    for (int i = 0; i < 3; i++)
        explore_point();
    return count(arg);
}

EXPLORED(cancel_at_the_end, NULL)
{
    hocket_future *f;
    explored_runtime(1);
    hocket_executor *ex = make("threads", 1, 0);
    HK_EXPECT_OK(hocket_submit_fn(ex, &f, brief, (void *)5));
    int a = explore_start(cancel, f);
    explore_until(hocket_future_running(f) || hocket_future_done(f));
    int result = result_of(f);
    HK_EXPECT_EQ(result, hocket_future_cancelled(f) ? -ECANCELED : 5);
    explore_join(a);
    hocket_future_free(f);
    hocket_executor_free(ex);
    explored_runtime_end();
}

/* The job after it, which waits, must not get the late cancel. */
static int naps(void *arg)
{
    (void)arg;
    return hocket_sleep(5 * HOCKET_US);
}

EXPLORED(cancel_hits_only_its_job, NULL)
{
    hocket_future *f, *g;
    explored_runtime(1);
    hocket_executor *ex = make("threads", 1, 0);
    HK_EXPECT_OK(hocket_submit_fn(ex, &f, brief, (void *)5));
    HK_EXPECT_OK(hocket_submit_fn(ex, &g, naps, NULL));
    explore_until(hocket_future_running(f) || hocket_future_done(f));
    int a = explore_start(cancel, f);
    HK_EXPECT_EQ(result_of(g), 0);
    explore_join(a);
    HK_EXPECT_EQ(result_of(f), 5);
    hocket_future_free(f);
    hocket_future_free(g);
    hocket_executor_free(ex);
    explored_runtime_end();
}

/* ---- a full queue ---- */

static _Atomic int accepted;

static void *submit_timed(void *arg)
{
    int err = hocket_submit_fn_until(arg, NULL, count, NULL, hocket_after(10 * HOCKET_US));
    HK_EXPECT(err == 0 || err == -ETIMEDOUT || err == -EPIPE);
    atomic_fetch_add(&accepted, err == 0);
    return NULL;
}

EXPLORED(full, &explored_held)
{
    hocket_future *first, *second;
    explored_runtime(1);
    hocket_executor *ex = make(pool(), 1, 1);
    atomic_store(&accepted, 0);
    HK_EXPECT_OK(hocket_submit_fn(ex, &first, until_cancelled, NULL));
    HK_EXPECT_OK(hocket_submit_fn(ex, &second, count, NULL));
    int a = explore_start(submit_timed, ex), b = explore_start(submit_timed, ex);
    (void)hocket_future_cancel(explore_choice(2) ? second : first);
    (void)hocket_future_cancel(first);
    explore_join(a);
    explore_join(b);
    int cancelled_first = hocket_future_wait(first, HOCKET_FOREVER) == 0;
    HK_EXPECT_EQ(cancelled_first, 1);
    hocket_executor_free(ex);
    int expected = atomic_load(&accepted) + !hocket_future_cancelled(first) +
                   !hocket_future_cancelled(second);
    HK_EXPECT_EQ(atomic_load(&ran), expected);
    hocket_future_free(first);
    hocket_future_free(second);
    explored_runtime_end();
}

/* ---- shutdown ---- */

static void *shut(void *arg)
{
    HK_EXPECT_OK(hocket_executor_shutdown(arg, HOCKET_SHUTDOWN_CANCEL, HOCKET_FOREVER));
    return NULL;
}

EXPLORED(shut_down_under_submitters, &explored_held)
{
    hocket_future *f[2] = { NULL, NULL };
    explored_runtime(1);
    hocket_executor *ex = make(pool(), 1, 1);
    int a = explore_start(shut, ex);
    for (int i = 0; i < 2; i++) {
        int err = hocket_submit_fn(ex, &f[i], until_cancelled, (void *)9);
        HK_EXPECT(err == 0 || err == -EPIPE);
    }
    HK_EXPECT_OK(hocket_executor_shutdown(ex, HOCKET_SHUTDOWN_DRAIN, HOCKET_FOREVER));
    explore_join(a);
    hocket_executor_free(ex);
    for (int i = 0; i < 2 && f[i] != NULL; i++) {
        HK_EXPECT(hocket_future_done(f[i]));
        HK_EXPECT_EQ(result_of(f[i]), hocket_future_cancelled(f[i]) ? -ECANCELED : 9);
        hocket_future_free(f[i]);
    }
    explored_runtime_end();
}

/* ---- jobs that wait for jobs ---- */

static hocket_executor *nest;

static int nested(void *arg)
{
    int depth = (int)(intptr_t)arg;
    hocket_future *f;
    if (depth == 0)
        return count(NULL) + 1;
    HK_EXPECT_OK(hocket_submit_fn(nest, &f, nested, (void *)(intptr_t)(depth - 1)));
    int result = result_of(f);
    hocket_future_free(f);
    return result + 1;
}

EXPLORED(lends_its_place, &explored_held)
{
    hocket_future *f[2];
    explored_runtime(1);
    nest = make(pool(), 1, 1);
    for (int i = 0; i < 2; i++)
        HK_EXPECT_OK(hocket_submit_fn(nest, &f[i], nested, (void *)2));
    for (int i = 0; i < 2; i++) {
        HK_EXPECT_EQ(result_of(f[i]), 3);
        hocket_future_free(f[i]);
    }
    hocket_executor_free(nest);
    HK_EXPECT_EQ(atomic_load(&ran), 2);
    explored_runtime_end();
}

/* ---- options ---- */

static hocket_executor *make_with(hocket_executor_options o)
{
    hocket_executor *ex;
    atomic_store(&ran, 0);
    o.size = sizeof o;
    HK_EXPECT_OK(hocket_executor_new(&ex, pool(), &o));
    return ex;
}

static void *resize_it(void *arg)
{
    HK_EXPECT_OK(hocket_executor_resize(arg, 2));
    HK_EXPECT_OK(hocket_executor_resize(arg, 1));
    return NULL;
}

/* Workers come and go while jobs do. */
EXPLORED(resized, &explored_held)
{
    explored_runtime(1);
    hocket_executor *ex = make_with(
        (hocket_executor_options){ .workers = 1, .idle = 3 * HOCKET_US });
    int a = explore_start(resize_it, ex), b = explore_start(submit_two, ex);
    explore_join(a);
    explore_join(b);
    hocket_executor_free(ex);
    HK_EXPECT_EQ(atomic_load(&ran), 2);
    explored_runtime_end();
}

/* Every job starts, although the rate holds them up. */
EXPLORED(rated, &explored_held)
{
    explored_runtime(1);
    hocket_executor *ex = make_with(
        (hocket_executor_options){ .workers = 2,
                                   .rate = 1,
                                   .period = 2 * HOCKET_US,
                                   .idle = explore_choice(2) ? HOCKET_FOREVER : 0 });
    int a = explore_start(submit_two, ex), b = explore_start(submit_two, ex);
    explore_join(a);
    explore_join(b);
    hocket_executor_free(ex);
    HK_EXPECT_EQ(atomic_load(&ran), 4);
    explored_runtime_end();
}

static int start_badly(void *arg)
{
    (void)arg;
    return -EIO;
}

/* Whenever a worker fails to start, each job that was taken ends. */
EXPLORED(broken, &explored_held)
{
    hocket_future *f[2];
    explored_runtime(1);
    hocket_executor *ex = make_with(
        (hocket_executor_options){ .workers = 2, .queue = 1, .worker_start = start_badly });
    for (int i = 0; i < 2; i++) {
        int err = hocket_submit_fn(ex, &f[i], count, NULL);
        HK_EXPECT(err == 0 || err == -EPIPE);
        if (err == 0) {
            HK_EXPECT_EQ(result_of(f[i]), -EIO);
            hocket_future_free(f[i]);
        }
    }
    hocket_executor_free(ex);
    HK_EXPECT_EQ(atomic_load(&ran), 0);
    explored_runtime_end();
}

/* ---- map ---- */

struct list {
    int next, taken, limit;
    bool ordered;
};

static int give(void *context, const void **ret_input, size_t *ret_size)
{
    struct list *l = context;
    *ret_input = &l->next;
    *ret_size = sizeof l->next;
    return l->next < l->limit ? l->next++, 1 : 0;
}

static int take(void *context, const hocket_map_result *r)
{
    struct list *l = context;
    HK_EXPECT(!l->ordered || r->index == (size_t)l->taken);
    HK_EXPECT_EQ(r->result, (int)r->index + 1); /* the input was copied after next++ */
    l->taken++;
    return 0;
}

static int same(const void *input, size_t size, hocket_buffer *output)
{
    (void)size;
    (void)output;
    int n = *(const int *)input;
    if (n % 2 == 0)
        (void)hocket_sleep(2 * HOCKET_US);
    return n;
}

static int map_all(void *arg)
{
    struct list l = { 0, 0, 4, explore_choice(2) };
    hocket_map_options o = HOCKET_MAP_OPTIONS_DEFAULT;
    o.as_completed = !l.ordered;
    o.window = 1 + explore_choice(3);
    hocket_time deadline = explore_choice(2) ? HOCKET_FOREVER
                                             : hocket_after((1 + explore_choice(5)) * HOCKET_US);
    int err = hocket_map(arg, same, give, take, &l, &o, deadline);
    HK_EXPECT(err == 0 || err == -ECANCELED || (err == -ETIMEDOUT && deadline != HOCKET_FOREVER));
    HK_EXPECT(err != 0 || l.taken == 4);
    HK_EXPECT_EQ(hocket_executor_queued(arg) + hocket_executor_running(arg), 0);
    return 0;
}

EXPLORED(mapped, &explored_held)
{
    explored_runtime(1);
    hocket_executor *ex = make(pool(), 2, 1);
    hocket_task *t = explored_spawn(map_all, ex);
    if (explore_choice(2))
        hocket_cancel(t);
    explored_finish(t, 0);
    hocket_executor_free(ex);
    explored_runtime_end();
}

/* A job whose executor is left open when the runtime ends. */
EXPLORED(runtime_ends_first, &explored_held)
{
    hocket_future *f[2];
    explored_runtime(1);
    hocket_executor *ex = make(pool(), 1, 0);
    for (int i = 0; i < 2; i++)
        HK_EXPECT_OK(hocket_submit_fn(ex, &f[i], until_cancelled, (void *)9));
    explored_runtime_end();
    for (int i = 0; i < 2; i++) {
        HK_EXPECT_EQ(result_of(f[i]), hocket_future_cancelled(f[i]) ? -ECANCELED : 9);
        hocket_future_free(f[i]);
    }
    HK_EXPECT_EQ(hocket_submit_fn(ex, NULL, count, NULL), -ENOSYS);
    hocket_executor_free(ex);
}

SUITE("executor", explored_limit())
{
    suite_once(submitters);
    suite_once(getters);
    suite_once(ended_by_the_owner);
    suite_once(cancelled);
    suite_once(cancel_at_the_end);
    suite_once(cancel_hits_only_its_job);
    suite_once(full);
    suite_once(shut_down_under_submitters);
    suite_once(lends_its_place);
    suite_once(resized);
    suite_once(rated);
    suite_once(broken);
    suite_once(mapped);
    suite_once(runtime_ends_first);
}
