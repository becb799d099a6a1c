/* SPDX-License-Identifier: MIT */
/* trace: what known small programs did is in the file, all of it and in order. */
#include <errno.h>
#include <stdbool.h>

#include <hocket.h>

#include "support/expect.h"
#include "support/plain_suite.h"
#include "trace/model.h"

static char file[64];

static void name_file(void)
{
    (void)snprintf(file, sizeof file, "/tmp/hocket-trace-%d", (int)getpid());
}

static void read_file(struct trace *t)
{
    char why[TRACE_WHY] = "";
    bool good = trace_open(t, file, why);
    HK_EXPECT_STR(why, "");
    HK_EXPECT(good);
    (void)unlink(file);
}

/* With HOCKET_NO_WORKERS the order is certain: nobody lends a worker on a busy machine. */
static void run(hocket_task_fn *fn, void *arg, int workers)
{
    hocket_runtime_options o = HOCKET_RUNTIME_OPTIONS_DEFAULT;
    o.workers = workers;
    o.no_signals = true;
    HK_EXPECT_EQ(hocket_run_with(fn, arg, &o), 0);
}

/* The same with a trace of it, which is then read. */
static void traced(struct trace *t, hocket_task_fn *fn, void *arg, int workers, unsigned events)
{
    hocket_trace_options o = HOCKET_TRACE_OPTIONS_DEFAULT;
    o.events = events;
    name_file();
    HK_EXPECT_EQ(hocket_trace_start(file, &o), 0);
    HK_EXPECT(hocket_trace_active());
    run(fn, arg, workers);
    HK_EXPECT_EQ(hocket_trace_stop(), 0);
    HK_EXPECT(!hocket_trace_active());
    read_file(t);
}

/* ---- one event after the other ---- */

static uint64_t ids[2];
static hocket_queue *queue;
static hocket_event begun;

static int getter(void *arg)
{
    int value;
    (void)arg;
    hocket_event_set(&begun);
    return hocket_queue_get(queue, &value, HOCKET_FOREVER);
}

static int one_get(void *arg)
{
    int value = 7;
    (void)arg;
    ids[0] = hocket_task_id(hocket_self());
    hocket_task *t;
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    o.name = "getter";
    HK_EXPECT_EQ(hocket_queue_new(&queue, sizeof(int), NULL), 0);
    HK_EXPECT_EQ(hocket_spawn_task(&t, NULL, getter, NULL, &o), 0);
    ids[1] = hocket_task_id(t);
    HK_EXPECT_EQ(hocket_event_wait(&begun, HOCKET_FOREVER), 0);
    HK_EXPECT_EQ(hocket_queue_put(queue, &value, HOCKET_NOW), 0);
    HK_EXPECT_EQ(hocket_join(t, NULL, HOCKET_FOREVER), 0);
    hocket_task_release(t);
    hocket_queue_free(queue);
    return 0;
}

struct expected {
    enum hkt_event_kind kind;
    uint64_t task;
    const char *wait; /* PARK */
    uint64_t value;   /* READY, SPAWN: who */
};

START_TEST(all_and_in_order)
{
    struct trace t;
    traced(&t, one_get, NULL, HOCKET_NO_WORKERS, 0);
    const struct expected expected[] = {
        { HKT_START, ids[0], NULL, 0 },       { HKT_SPAWN, ids[1], NULL, ids[0] },
        { HKT_PARK, ids[0], "event", 0 },     { HKT_START, ids[1], NULL, 0 },
        { HKT_READY, ids[0], NULL, ids[1] },  { HKT_PARK, ids[1], "queue", 0 },
        { HKT_RESUME, ids[0], NULL, 0 },      { HKT_READY, ids[1], NULL, ids[0] },
        { HKT_HOLDER, ids[0], NULL, ids[1] }, { HKT_PARK, ids[0], "join", 0 },
        { HKT_RESUME, ids[1], NULL, 0 },      { HKT_EXIT, ids[1], NULL, 0 },
        { HKT_READY, ids[0], NULL, ids[1] },  { HKT_RESUME, ids[0], NULL, 0 },
        { HKT_EXIT, ids[0], NULL, 0 },
    };
    struct trace_cursor c;
    struct trace_item i;
    size_t n = 0, all = sizeof expected / sizeof expected[0];
    HK_EXPECT(trace_cursor_start(&c, &t));
    int64_t before = 0;
    bool holder = false;
    while (trace_cursor_next(&c, &i)) {
        const struct hkt_event *e = i.event;
        HK_EXPECT(i.ns >= before);
        HK_EXPECT(!holder || i.ns == before); /* one moment with its PARK */
        holder = HKT_KIND(e) == HKT_HOLDER;
        before = i.ns;
        if ((e->task != ids[0] && e->task != ids[1]) || (n == 0 && HKT_KIND(e) != HKT_START))
            continue;
        HK_EXPECT(n < all);
        HK_EXPECT_EQ(HKT_KIND(e), expected[n].kind);
        HK_EXPECT_EQ(e->task, expected[n].task);
        if (expected[n].wait != NULL)
            HK_EXPECT_STR(trace_kind_name(&t, HKT_PARK_KIND(e->value)), expected[n].wait);
        if (HKT_KIND(e) == HKT_READY || HKT_KIND(e) == HKT_SPAWN || HKT_KIND(e) == HKT_HOLDER)
            HK_EXPECT_EQ(e->value, expected[n].value);
        n++;
    }
    HK_EXPECT_EQ(n, all);
    HK_EXPECT_STR(trace_task_name(&t, ids[1]), "getter");
    HK_EXPECT_STR(trace_task_name(&t, ids[0]), "main");
    HK_EXPECT_EQ(t.lost, 0);
    trace_cursor_end(&c);
    trace_close(&t);
}
END_TEST

/* ---- what the model makes of it ---- */

enum { MOST = 4096 };

static struct {
    struct model_bar bars[MOST];
    struct model_piece pieces[MOST];
    struct model_point points[MOST];
    char names[MOST][HKT_TEXT_MAX + 1]; /* of pieces */
    char texts[MOST][HKT_TEXT_MAX + 1]; /* of points */
    size_t bar_count, piece_count, point_count, wakes;
} seen;

static void see_bar(void *context, const struct model_bar *bar)
{
    (void)context;
    HK_EXPECT(bar->task != 0 && bar->start <= bar->end && seen.bar_count < MOST);
    seen.bars[seen.bar_count++] = *bar;
}

static void see_wake(void *context, const struct model_wake *wake)
{
    (void)context;
    HK_EXPECT(wake->task != 0);
    seen.wakes++;
}

static void see_piece(void *context, const struct model_piece *piece)
{
    (void)context;
    HK_EXPECT(piece->start <= piece->end && seen.piece_count < MOST);
    (void)snprintf(seen.names[seen.piece_count], sizeof seen.names[0], "%s", piece->name);
    seen.pieces[seen.piece_count++] = *piece;
}

static void see_point(void *context, const struct model_point *point)
{
    (void)context;
    HK_EXPECT(seen.point_count < MOST);
    (void)snprintf(seen.texts[seen.point_count], sizeof seen.texts[0], "%s", point->text);
    seen.points[seen.point_count++] = *point;
}

static void model(const struct trace *t)
{
    const struct model_sink sink = {
        .bar = see_bar, .wake = see_wake, .piece = see_piece, .point = see_point
    };
    memset(&seen, 0, sizeof seen);
    HK_EXPECT(trace_model(t, &sink));
    /* The bars of a task follow one another without a gap. */
    for (size_t i = 0; i < seen.bar_count; i++)
        for (size_t j = i + 1; j < seen.bar_count; j++)
            if (seen.bars[j].task == seen.bars[i].task) {
                HK_EXPECT_EQ(seen.bars[j].start, seen.bars[i].end);
                break;
            }
}

/* The n-th piece of that type. */
static const struct model_piece *piece_of(enum model_piece_type type, size_t n, const char *name)
{
    for (size_t i = 0; i < seen.piece_count; i++)
        if (seen.pieces[i].type == type && strcmp(seen.names[i], name) == 0 && n-- == 0)
            return &seen.pieces[i];
    hk__expect_failed(__FILE__, __LINE__, name);
}

static size_t points_of(enum model_point_type type, const char *text, uint64_t task)
{
    size_t n = 0;
    for (size_t i = 0; i < seen.point_count; i++)
        n += seen.points[i].type == type && strcmp(seen.texts[i], text) == 0 &&
             (task == 0 || seen.points[i].task == task);
    return n;
}

static size_t bars_of(enum model_state state, uint64_t task)
{
    size_t n = 0;
    for (size_t i = 0; i < seen.bar_count; i++)
        n += seen.bars[i].state == state && seen.bars[i].task == task;
    return n;
}

START_TEST(bars)
{
    struct trace t;
    traced(&t, one_get, NULL, HOCKET_NO_WORKERS, 0);
    model(&t);
    /* The getter: ready, ran, waited in the queue, was ready, ran. */
    HK_EXPECT_EQ(bars_of(MODEL_READY, ids[1]), 2);
    HK_EXPECT_EQ(bars_of(MODEL_RUN, ids[1]), 2);
    HK_EXPECT_EQ(bars_of(MODEL_WAIT, ids[1]), 1);
    for (size_t i = 0; i < seen.bar_count; i++) {
        const struct model_bar *b = &seen.bars[i];
        if (b->task == ids[1] && b->state == MODEL_WAIT) {
            HK_EXPECT_STR(model_kind_name(&t, b->kind), "queue");
            HK_EXPECT_EQ(b->waker, ids[0]);
            HK_EXPECT(b->object != 0);
        }
    }
    trace_close(&t);
}
END_TEST

/* ---- in place ---- */

static int inner(void *arg)
{
    (void)arg;
    return hocket_sleep(HOCKET_MS); /* also when it parks on top of its joiner */
}

static int join_at_once(void *arg)
{
    hocket_task *t;
    (void)arg;
    ids[0] = hocket_task_id(hocket_self());
    HK_EXPECT_EQ(hocket_spawn_task(&t, NULL, inner, NULL, NULL), 0);
    ids[1] = hocket_task_id(t);
    HK_EXPECT_EQ(hocket_join(t, NULL, HOCKET_FOREVER), 0);
    hocket_task_release(t);
    return 0;
}

START_TEST(a_join_in_place)
{
    struct trace t;
    traced(&t, join_at_once, NULL, HOCKET_NO_WORKERS, 0);
    model(&t);
    HK_EXPECT_EQ(bars_of(MODEL_RUN, ids[0]), 2);
    HK_EXPECT_EQ(bars_of(MODEL_WAIT, ids[0]), 1);
    for (size_t i = 0; i < seen.bar_count; i++)
        if (seen.bars[i].task == ids[0] && seen.bars[i].state == MODEL_WAIT) {
            HK_EXPECT_EQ(seen.bars[i].kind, MODEL_KIND_IN_PLACE);
            HK_EXPECT_EQ(seen.bars[i].holder, ids[1]);
        }
    HK_EXPECT_EQ(bars_of(MODEL_RUN, ids[1]), 2); /* before and after its sleep */
    trace_close(&t);
}
END_TEST

/* ---- the program's own ---- */

static int spans(void *arg)
{
    (void)arg;
    hocket_trace_begin("outer");
    hocket_trace_mark("half");
    hocket_trace_begin("inner");
    for (int i = 0; i < 50; i++)
        HK_EXPECT_EQ(hocket_yield(), 0);
    HK_EXPECT_EQ(hocket_sleep(100 * HOCKET_US), 0);
    hocket_trace_end();
    hocket_trace_counter("level", 2.5);
    hocket_trace_end();
    return 0;
}

/* Tasks that move between workers while they are inside. */
static int many_spans(void *arg)
{
    hocket_scope scope;
    (void)arg;
    hocket_scope_open(&scope, NULL);
    for (int i = 0; i < 20; i++)
        HK_EXPECT_EQ(hocket_spawn(&scope, spans, NULL), 0);
    return hocket_scope_close(&scope);
}

START_TEST(spans_migrate)
{
    struct trace t;
    traced(&t, many_spans, NULL, 4, HOCKET_TRACE_USER);
    model(&t);
    HK_EXPECT_EQ(seen.piece_count, 40);
    HK_EXPECT_EQ(seen.bar_count, 0); /* no other class */
    for (size_t i = 0; i < 20; i++) {
        const struct model_piece *in = piece_of(MODEL_SPAN, i, "inner");
        HK_EXPECT_EQ(in->depth, 1);
        HK_EXPECT(!in->cut_start && !in->cut_end);
        size_t found = 0;
        for (size_t j = 0; j < 20; j++) {
            const struct model_piece *out = piece_of(MODEL_SPAN, j, "outer");
            if (out->task == in->task) {
                HK_EXPECT(out->start <= in->start && in->end <= out->end);
                HK_EXPECT_EQ(out->depth, 0);
                HK_EXPECT_EQ(points_of(MODEL_MARK, "half", in->task), 1);
                found++;
            }
        }
        HK_EXPECT_EQ(found, 1);
    }
    HK_EXPECT_EQ(points_of(MODEL_COUNTER, "level", 0), 20);
    trace_close(&t);
}
END_TEST

static int fails(void *arg)
{
    (void)arg;
    return hocket_fail(-EIO, "read %s", "the tape");
}

static int job(void *arg)
{
    (void)arg;
    return 7;
}

static hocket_mutex mutex;

static int all_sorts(void *arg)
{
    hocket_executor *ex;
    hocket_future *f;
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    hocket_task *t;
    (void)arg;
    hocket_mutex_lock(&mutex);
    hocket_mutex_unlock(&mutex);
    HK_EXPECT_EQ(hocket_executor_new(&ex, "fibers", NULL), 0);
    HK_EXPECT_EQ(hocket_submit_fn(ex, &f, job, NULL), 0);
    HK_EXPECT_EQ(hocket_future_wait(f, HOCKET_FOREVER), 0);
    hocket_future_free(f);
    hocket_executor_free(ex);
    o.name = "reader";
    HK_EXPECT_EQ(hocket_spawn_task(&t, NULL, fails, NULL, &o), 0);
    ids[1] = hocket_task_id(t);
    HK_EXPECT_EQ(hocket_join(t, NULL, HOCKET_FOREVER), 0);
    hocket_task_release(t); /* nobody looked: the error is told */
    hocket_blocking_begin();
    hocket_blocking_end();
    return 0;
}

START_TEST(pieces_and_errors)
{
    struct trace t;
    traced(&t, all_sorts, NULL, 2, HOCKET_TRACE_DEFAULT | HOCKET_TRACE_LOCKS);
    model(&t);
    const struct model_piece *p = piece_of(MODEL_JOB, 0, "");
    HK_EXPECT_EQ(p->result, 7);
    HK_EXPECT_EQ(points_of(MODEL_ERROR, "read the tape", ids[1]), 1);
    size_t held = 0, blocking = 0;
    for (size_t i = 0; i < seen.piece_count; i++) {
        held += seen.pieces[i].type == MODEL_HELD &&
                seen.pieces[i].object == (uint64_t)(uintptr_t)&mutex;
        blocking += seen.pieces[i].type == MODEL_BLOCKING;
    }
    HK_EXPECT_EQ(held, 1);
    HK_EXPECT_EQ(blocking, 1);
    trace_close(&t);
}
END_TEST

/* ---- where ---- */

__attribute__((noinline)) static int waits_here(void *arg)
{
    (void)arg;
    int err = hocket_sleep(HOCKET_MS);
    __asm__ volatile("" ::: "memory"); /* no tail call */
    return err;
}

START_TEST(a_call_site_has_a_name)
{
    struct trace t;
    char name[160];
    size_t found = 0;
    traced(&t, waits_here, NULL, HOCKET_NO_WORKERS, 0);
    model(&t);
    for (size_t i = 0; i < seen.bar_count; i++) {
        if (seen.bars[i].state != MODEL_WAIT || seen.bars[i].site == 0)
            continue;
        trace_symbol(&t, seen.bars[i].site, name, sizeof name);
        found += strncmp(name, "waits_here", 10) == 0;
    }
    for (size_t i = 0; i < seen.point_count; i++)
        if (seen.points[i].type == MODEL_START && seen.points[i].object != 0)
            trace_symbol(&t, seen.points[i].object, name, sizeof name);
    trace_close(&t);
#if defined(__x86_64__) || defined(__aarch64__)
    HK_EXPECT_EQ(found, 1);
#endif
}
END_TEST

/* ---- names and losses ---- */

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int named_many(void *arg)
{
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    (void)arg;
    o.name = "one of many";
    for (int i = 0; i < 3000; i++) {
        hocket_task *t;
        HK_EXPECT_EQ(hocket_spawn_task(&t, NULL, nothing, NULL, &o), 0);
        ids[1] = hocket_task_id(t);
        HK_EXPECT_EQ(hocket_join(t, NULL, HOCKET_FOREVER), 0);
        hocket_task_release(t);
    }
    return 0;
}

START_TEST(the_newest_have_names)
{
    hocket_trace_options o = HOCKET_TRACE_OPTIONS_DEFAULT;
    struct trace t;
    o.buffer = 4096;
    name_file();
    HK_EXPECT_EQ(hocket_trace_start(file, &o), 0);
    run(named_many, NULL, HOCKET_NO_WORKERS);
    HK_EXPECT_EQ(hocket_trace_stop(), 0);
    read_file(&t);
    /* SPAWN, START, EXIT and its text. */
    HK_EXPECT(t.lost + t.event_count >= 3000 * 4);
    HK_EXPECT(t.event_count <= 3 * 4096 / sizeof(struct hkt_event));
    HK_EXPECT_STR(trace_task_name(&t, ids[1]), "one of many");
    char title[64];
    trace_task_title(&t, 123456789, title, sizeof title);
    HK_EXPECT_STR(title, "task-123456789");
    model(&t);
    trace_close(&t);
}
END_TEST

PLAIN_SUITE("trace events", 60)
{
    suite_once(all_and_in_order);
    suite_once(bars);
    suite_once(a_join_in_place);
    suite_once(spans_migrate);
    suite_once(pieces_and_errors);
    suite_once(a_call_site_has_a_name);
    suite_once(the_newest_have_names);
}
