/* SPDX-License-Identifier: MIT */
/*
 * Executors with all their options, several futures at once, callbacks, follow-ups, promises and
 * the forms of map when the n-th allocation, mapping or thread fails: an error each time, every
 * job ends, and nothing is left behind.
 */
#include "support/suite.h"

#include <hocket/hooks.h>
#include <hocket/map.h>
#include <hocket/promise.h>

#include "support/executors.h"
#include "support/inject.h"

static const char *scheme;
static _Atomic int count;

static int one_more(void *arg)
{
    (void)arg;
    (void)hk_add(&count, 1);
    return 1;
}

static int called_back(hocket_future *f, void *arg)
{
    (void)arg;
    HK_EXPECT(hocket_future_done(f));
    return 0;
}

static int follow(hocket_future *f, void *arg)
{
    (void)arg;
    int result = hocket_future_result(f);
    return result < 0 ? result : result + 1;
}

static int start_worker(void *arg)
{
    (void)arg;
    return 0;
}

static void end_worker(void *arg)
{
    (void)arg;
}

/* The first error that is no success; a result counts as one. */
static int first_of(int error, int result)
{
    return error < 0 ? error : result < 0 ? result : 0;
}

static int end(hocket_future *f, int err)
{
    int result = 0;
    if (f == NULL)
        return err;
    HK_EXPECT_EQ(hocket_future_wait(f, HOCKET_FOREVER), 0);
    result = hocket_future_result(f);
    HK_EXPECT((hocket_future_error(f) != NULL) == (result < 0));
    hocket_future_free(f);
    return first_of(err, result);
}

/* ---- programs ---- */

static int options(void)
{
    hocket_executor *ex;
    hocket_future *f[4] = { NULL };
    hocket_executor_options o = HOCKET_EXECUTOR_OPTIONS_DEFAULT;
    o.workers = 1;
    o.queue = 2;
    o.rate = 8;
    o.period = HOCKET_US;
    o.worker_start = start_worker;
    o.worker_end = end_worker;
    if (strcmp(scheme, "inline") == 0)
        memset(&o.rate, 0, sizeof o - offsetof(hocket_executor_options, rate));
    int err = hocket_executor_new(&ex, scheme, &o);
    if (err != 0)
        return err;
    for (int i = 0; i < 4 && err == 0; i++) {
        err = hocket_submit_fn_with(ex, &f[i], one_more, NULL, -i, HOCKET_FOREVER);
        if (i == 1 && strcmp(scheme, "inline") != 0)
            HK_EXPECT_EQ(hocket_executor_resize(ex, 2), 0);
    }
    for (int i = 0; i < 4; i++)
        err = end(f[i], err);
    hocket_executor_free(ex);
    return err;
}

static int futures(void)
{
    hocket_executor *ex;
    hocket_promise *p;
    hocket_future *f[3] = { NULL };
    hocket_completed *c;
    size_t index;
    int err = hocket_executor_new(&ex, scheme, NULL);
    if (err != 0)
        return err;
    err = hocket_promise_new(&p, &f[0]);
    if (err == 0) {
        err = hocket_future_on_done(f[0], called_back, NULL);
        if (err == 0)
            err = hocket_future_then(f[0], &f[1], ex, follow, NULL);
        if (err == 0)
            err = hocket_submit_fn(ex, &f[2], one_more, NULL);
        int set = hocket_promise_set(p, 3, "abc", 3);
        HK_EXPECT(set == 0 || set == -ENOMEM);
        hocket_promise_free(p); /* broken, if it was not set */
        err = first_of(err, set);
    }
    int many = hocket_future_wait_many(f, 3, HOCKET_WAIT_ALL, &index, HOCKET_FOREVER);
    if (many == 0 && (many = hocket_completed_open(&c, f, 3)) == 0) {
        while (hocket_completed_next(c, &index, HOCKET_FOREVER) == 0)
            HK_EXPECT(hocket_future_done(f[index]));
        hocket_completed_close(c);
    }
    err = first_of(err, many);
    for (int i = 0; i < 3; i++) {
        int ended = end(f[i], 0);
        err = first_of(err, ended == -EPIPE ? -ENOMEM : ended); /* the broken promise */
    }
    hocket_executor_free(ex);
    return err;
}

struct list {
    int next, taken;
};

static int give(void *context, const void **ret_input, size_t *ret_size)
{
    struct list *l = context;
    *ret_input = "some bytes";
    *ret_size = 10;
    return l->next++ < 7;
}

static int take(void *context, const hocket_map_result *r)
{
    struct list *l = context;
    l->taken++;
    return r->result;
}

static int echo(const void *input, size_t size, hocket_buffer *output)
{
    return hocket_buffer_append(output, input, size);
}

static int star(void *const *args)
{
    return *(int *)args[0];
}

static int into_queue(hocket_executor *ex)
{
    hocket_map_options o = HOCKET_MAP_OPTIONS_DEFAULT;
    struct list l = { 0, 0 };
    hocket_map_result *r;
    int err = hocket_queue_new(&o.results, sizeof r, NULL);
    if (err != 0)
        return err;
    err = hocket_map(ex, echo, give, NULL, &l, &o, HOCKET_FOREVER);
    while (hocket_queue_get(o.results, &r, HOCKET_NOW) == 0) {
        err = first_of(err, r->result);
        hocket_map_result_free(r);
    }
    hocket_queue_free(o.results);
    return err;
}

static int three_queues(hocket_executor *ex)
{
    hocket_queue *in, *out;
    hocket_map_result *r;
    int n = 7, err = hocket_queue_new(&in, sizeof n, NULL);
    if (err != 0)
        return err;
    err = hocket_queue_new(&out, sizeof r, NULL);
    for (int i = 0; i < 3 && err == 0; i++)
        err = hocket_queue_put(in, &n, HOCKET_NOW);
    if (err == 0) {
        (void)hocket_queue_close(in, HOCKET_CLOSE_DRAIN);
        err = hocket_map_queues(ex, echo, in, sizeof n, out, NULL, HOCKET_FOREVER);
        while (hocket_queue_get(out, &r, HOCKET_NOW) == 0) {
            err = first_of(err, r->result);
            hocket_map_result_free(r);
        }
        hocket_queue_free(out);
    }
    hocket_queue_free(in);
    return err;
}

static int one_by_one(hocket_executor *ex)
{
    struct list l = { 0, 0 };
    const hocket_map_result *r;
    hocket_imap *it;
    int result = 0, err = hocket_imap_open(&it, ex, echo, give, &l, NULL);
    if (err != 0)
        return err;
    while ((err = hocket_imap_next(it, &r, HOCKET_FOREVER)) == 0)
        result = first_of(result, r->result);
    hocket_imap_close(it);
    return first_of(result, err == -ENOENT ? 0 : err);
}

static int maps(void)
{
    static int value = 3;
    static void *const row[1] = { &value };
    static void *const *const rows[2] = { row, row };
    hocket_map_options o = HOCKET_MAP_OPTIONS_DEFAULT;
    hocket_executor *ex;
    hocket_future *f = NULL;
    struct list l = { 0, 0 };
    int err = hocket_executor_new(&ex, scheme, NULL);
    if (err != 0)
        return err;
    o.chunk = HOCKET_MAP_AUTO;
    err = hocket_map(ex, echo, give, take, &l, &o, HOCKET_FOREVER);
    HK_EXPECT(err != 0 || l.taken == 7);
    l = (struct list){ 0, 0 };
    if (err == 0)
        err = hocket_map_async(ex, &f, echo, give, take, &l, NULL);
    err = end(f, err);
    if (err == 0)
        err = hocket_starmap(ex, star, rows, 2, NULL, NULL, HOCKET_FOREVER);
    if (err == 0)
        err = into_queue(ex);
    if (err == 0)
        err = three_queues(ex);
    if (err == 0)
        err = one_by_one(ex);
    hocket_executor_free(ex);
    return err;
}

/* So many wait at once that stacks run out: the jobs fail whose worker has got none. */
static int crowd(void)
{
    enum { N = 200 };
    static hocket_future *f[N];
    struct gate g = { 0 };
    hocket_executor *ex;
    int n = 0, ready = 0, err = hocket_executor_new(&ex, scheme, NULL);
    if (err != 0)
        return err;
    bool waits = strcmp(scheme, "fibers") == 0;
    if (!waits)
        gate_open(&g);
    while (n < N && (err = hocket_submit_fn(ex, &f[n], pass, &g)) == 0)
        n++;
    for (int turn = 0; waits && turn < 2000 && ready < n; turn++) {
        run_turn();
        ready = hk_load(&g.inside);
        for (int i = 0; i < n; i++)
            ready += hocket_future_done(f[i]);
    }
    gate_open(&g);
    for (int i = 0; i < n; i++)
        err = end(f[i], err);
    hocket_executor_free(ex);
    return err;
}

static int (*const programs[])(void) = { options, futures, maps, crowd };
#define PROGRAMS 4

static int (*program)(void);

static int root(void *arg)
{
    *(int *)arg = program();
    hocket_fail_clear(); /* a map without take keeps words */
    return 0;
}

static int run(void *arg)
{
    int error = 0;
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = 2;
    o.no_signals = true;
    (void)arg;
    int err = hocket_run_with(root, &error, &o);
    return err != 0 ? err : error;
}

static void ignore(const hocket_error *error, void *context)
{
    (void)error;
    (void)context;
}

static void sweep(int i, enum inject_kind kind)
{
    hocket_hooks h = HOCKET_HOOKS_DEFAULT;
    h.error = ignore;
    inject_install();
    HK_EXPECT_EQ(hocket_hooks_set(&h, NULL), 0);
    program = programs[i % PROGRAMS];
    scheme = executor_schemes[i / PROGRAMS];
    unsigned n = inject_sweep(kind, run, NULL);
    HK_EXPECT(kind != INJECT_ALLOC || n > 3);
}

START_TEST(allocations)
{
    sweep(_i, INJECT_ALLOC);
}
END_TEST

START_TEST(mappings)
{
    sweep(_i, INJECT_MAP);
}
END_TEST

START_TEST(threads)
{
    sweep(_i, INJECT_THREAD);
}
END_TEST

SUITE("executor_forms", 60)
{
    tcase_add_loop_test(suite__case, allocations, 0, SCHEMES * PROGRAMS);
    tcase_add_loop_test(suite__case, mappings, 0, SCHEMES * PROGRAMS);
    tcase_add_loop_test(suite__case, threads, 0, SCHEMES * PROGRAMS);
}
