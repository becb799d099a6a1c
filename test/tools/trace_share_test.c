/* SPDX-License-Identifier: MIT */
/* trace: a share of the time is kept by pauses, which are in the file; what lies between is whole. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <hocket.h>

#include "support/expect.h"
#include "support/plain_suite.h"
#include "trace/model.h"

#define FEW   3u /* pauses that a test waits for */
#define BURST 99 /* tasks at a time, a count each time */

/* src/trace/share.h: beginnings and ends of pauses. */
extern _Atomic uint32_t hocket__share_edges;
/* Events are so dear here, in ns, that also a slow program on a busy machine is overdrawn. */
extern _Atomic int64_t hocket__share_cost;
enum { DEAR = 20000, HALF = 50 };
/* src/park/forked.h: the pacer is one. */
extern _Atomic unsigned hocket__side_threads;

static char file[64];

static void read_file(struct trace *t)
{
    char why[TRACE_WHY] = "";
    bool good = trace_open(t, file, why);
    HK_EXPECT_STR(why, "");
    HK_EXPECT(good);
    (void)unlink(file);
}

static int empty(void *arg)
{
    (void)arg;
    return 0;
}

static uint64_t counted; /* of several tasks: by __atomic */

/* Three events a task, and a counter that says how many there were. */
static void burst(void)
{
    hocket_scope scope;
    hocket_scope_open(&scope, NULL);
    for (int i = 0; i < BURST; i++)
        HK_EXPECT_EQ(hocket_spawn(&scope, empty, NULL), 0);
    HK_EXPECT_EQ(hocket_scope_close(&scope), 0);
    uint64_t n = __atomic_add_fetch(&counted, 1, __ATOMIC_RELAXED);
    if (n % 16 == 0)
        hocket_trace_counter("bursts", (double)n);
}

/* Until there have been some pauses, which takes a while on a busy machine. */
static int bursts_and_pauses(void *arg)
{
    const hocket_time until = hocket_after(60 * HOCKET_SEC);
    (void)arg;
    hocket_trace_begin("all of it");
    while (atomic_load(&hocket__share_edges) < 2 * FEW && hocket_now() < until)
        burst();
    hocket_trace_end();
    return 0;
}

static void record(hocket_task_fn *fn, void *arg, int workers, unsigned share)
{
    (void)snprintf(file, sizeof file, "/tmp/hocket-trace-%d", (int)getpid());
    hocket_trace_options o = HOCKET_TRACE_OPTIONS_DEFAULT;
    o.share = share;
    o.buffer = (size_t)64 << 20;
    HK_EXPECT_EQ(hocket_trace_start(file, &o), 0);
    atomic_store(&hocket__share_cost, DEAR);
    HK_EXPECT_EQ(
        hocket_run_with(fn, arg, HOCKET_RUNTIME_OPTIONS(.workers = workers, .no_signals = true)),
        0);
    HK_EXPECT_EQ(hocket_trace_stop(), 0);
}

/* ---- what is in the file ---- */

static const struct trace *trace;
static struct {
    uint64_t bars, ended, counters, pauses, spans;
    int64_t paused, last_pause;
    double highest;
} seen;

static bool in_a_pause(int64_t ns)
{
    for (uint32_t i = 0; i < trace->pause_count; i++)
        if (trace_ns(trace, trace->pauses[i].from) < ns &&
            ns < trace_ns(trace, trace->pauses[i].to))
            return true;
    return false;
}

/* Bars end where a pause begins, and begin where it has ended. */
static void see_bar(void *context, const struct model_bar *b)
{
    (void)context;
    seen.bars++;
    HK_EXPECT(b->start <= b->end);
    HK_EXPECT(!in_a_pause(b->start) && !in_a_pause(b->end));
    HK_EXPECT(b->end == b->start || !in_a_pause(b->start + 1));
    HK_EXPECT(b->start >= seen.last_pause);
}

static void see_piece(void *context, const struct model_piece *p)
{
    (void)context;
    if (p->type == MODEL_PAUSE) {
        HK_EXPECT(p->start >= seen.last_pause && p->start <= p->end);
        seen.last_pause = p->end;
        seen.paused += p->end - p->start;
        seen.pauses++;
    } else if (p->type == MODEL_SPAN) {
        HK_EXPECT(!p->cut_start && !p->cut_end);
        seen.spans++;
    }
}

static void see_point(void *context, const struct model_point *p)
{
    (void)context;
    if (p->type == MODEL_COUNTER) {
        seen.counters++;
        seen.highest = p->value > seen.highest ? p->value : seen.highest;
    } else {
        HK_EXPECT(!in_a_pause(p->at));
        seen.ended += p->type == MODEL_EXIT;
    }
}

static void look(const struct trace *t)
{
    const struct model_sink sink = { .bar = see_bar, .piece = see_piece, .point = see_point };
    trace = t;
    memset(&seen, 0, sizeof seen);
    HK_EXPECT(trace_model(t, &sink));
    HK_EXPECT_EQ(seen.pauses, t->pause_count);
}

START_TEST(pauses)
{
    struct trace t;
    record(bursts_and_pauses, NULL, _i, HALF);
    read_file(&t);
    HK_EXPECT(t.pause_count >= FEW);
    look(&t);
    /* What the program says is all there, also in pauses; of the tasks there are some. */
    HK_EXPECT_EQ(seen.counters, counted / 16);
    HK_EXPECT_EQ((uint64_t)seen.highest, counted / 16 * 16);
    HK_EXPECT_EQ(seen.spans, 1);
    HK_EXPECT(seen.bars > 0);
    HK_EXPECT(seen.ended > 0 && seen.ended < counted * BURST);
    HK_EXPECT(seen.paused > 0 && seen.paused < trace_duration(&t));
    trace_close(&t);
}
END_TEST

static int some_bursts(void *arg)
{
    int n = *(int *)arg;
    while (n-- > 0)
        burst();
    return 0;
}

static void expect_all(int bursts)
{
    struct trace t;
    read_file(&t);
    HK_EXPECT_EQ(t.pause_count, 0);
    look(&t);
    HK_EXPECT_EQ(seen.ended, (uint64_t)bursts * BURST + 1);
    trace_close(&t);
}

/* 100,000 events are always whole, however small the share. */
START_TEST(a_burst_is_whole)
{
    int bursts = 300;
    record(some_bursts, &bursts, 1, 1);
    expect_all(bursts);
}
END_TEST

START_TEST(no_limit_no_pause)
{
    int bursts = 1000;
    record(some_bursts, &bursts, 1, 100);
    expect_all(bursts);
}
END_TEST

/* In a simulated world, a process of its own, time is not what events cost. */
static int marks(void *arg)
{
    struct trace t;
    hocket_trace_options o = HOCKET_TRACE_OPTIONS_DEFAULT;
    int many = *(int *)arg;
    o.share = 1;
    (void)snprintf(file, sizeof file, "/tmp/hocket-trace-%d", (int)getpid());
    HK_EXPECT_EQ(hocket_trace_start(file, &o), 0);
    char text[HKT_TEXT_MAX + 1] = "";
    memset(text, 'x', HKT_TEXT_MAX);
    for (int i = 0; i < many; i++)
        hocket_trace_mark(text);
    HK_EXPECT_EQ(hocket_trace_stop(), 0);
    read_file(&t);
    HK_EXPECT_EQ(t.pause_count, 0);
    HK_EXPECT(t.event_count + t.lost >= 6 * (uint64_t)many);
    trace_close(&t);
    return 0;
}

START_TEST(no_pause_in_a_world)
{
    int many = 18000;
    HK_EXPECT_EQ(hocket_sim_run(marks, &many, HOCKET_SIM_OPTIONS(.seeds = 1)), 0);
}
END_TEST

/* ---- written in the middle of pauses ---- */

static int writes(void *arg)
{
    struct trace t;
    unsigned with_pauses = 0;
    (void)arg;
    for (int round = 0; with_pauses < 10; round++) {
        HK_EXPECT(round < 100000);
        for (int i = 0; i < 40; i++)
            burst();
        HK_EXPECT_EQ(hocket_trace_write(), 0);
        char why[TRACE_WHY] = "";
        HK_EXPECT(trace_open(&t, file, why));
        look(&t);
        with_pauses += t.pause_count > 0;
        trace_close(&t);
    }
    return 0;
}

START_TEST(written_at_any_time)
{
    struct trace t;
    hocket_trace_options o = HOCKET_TRACE_OPTIONS_DEFAULT;
    (void)snprintf(file, sizeof file, "/tmp/hocket-trace-%d", (int)getpid());
    o.share = HALF;
    o.buffer = 65536;
    for (int i = 0; i < 3; i++) {
        HK_EXPECT_EQ(hocket_trace_start(file, &o), 0);
        atomic_store(&hocket__share_cost, DEAR);
        HK_EXPECT_EQ(hocket_run_with(writes, NULL, HOCKET_RUNTIME_OPTIONS(.workers = 2)), 0);
        HK_EXPECT_EQ(hocket_trace_stop(), 0);
        read_file(&t);
        look(&t);
        trace_close(&t);
    }
    /* The next one begins anew: nothing of those pauses, and its account is full. */
    int bursts = 300;
    record(some_bursts, &bursts, 1, 1);
    read_file(&t);
    HK_EXPECT_EQ(t.pause_count, 0);
    trace_close(&t);
}
END_TEST

/*
 * The child has no pacer: it neither waits for one nor starts one.  It allocates nothing, since
 * the pacer may just have been doing that.
 */
static int child(void)
{
    hocket_trace_options o = HOCKET_TRACE_OPTIONS_DEFAULT;
    o.share = 1;
    if (atomic_load(&hocket__side_threads) != 0)
        return 2; /* a deadlock would not be seen here, for a thread that is not */
    int err = hocket_trace_start(file, &o);
    for (int i = 0; i < 200000; i++)
        hocket_trace_mark("of its own");
    return err == 0 && hocket_trace_stop() == 0 && atomic_load(&hocket__share_edges) == 0 ? 0 : 1;
}

START_TEST(in_a_child)
{
    int status = -1;
    struct trace t;
    HK_EXPECT_EQ(hocket_trace_start("/dev/null", NULL), 0);
    HK_EXPECT_EQ(atomic_load(&hocket__side_threads), 1);
    (void)snprintf(file, sizeof file, "/tmp/hocket-trace-%d", (int)getpid());
    pid_t pid = fork();
    HK_EXPECT(pid >= 0);
    if (pid == 0)
        _exit(child());
    HK_EXPECT_EQ(waitpid(pid, &status, 0), pid);
    HK_EXPECT_EQ(status, 0);
    HK_EXPECT_EQ(hocket_trace_stop(), 0);
    HK_EXPECT_EQ(atomic_load(&hocket__side_threads), 0);
    read_file(&t);
    HK_EXPECT_EQ(t.pause_count, 0);
    HK_EXPECT(t.event_count > 0);
    trace_close(&t);
}
END_TEST

PLAIN_SUITE("trace share", 120)
{
    tcase_add_loop_test(suite__case, pauses, 1, 4);
    suite_once(a_burst_is_whole);
    suite_once(no_limit_no_pause);
    suite_once(no_pause_in_a_world);
    suite_once(written_at_any_time);
    suite_once(in_a_child);
}
