/* SPDX-License-Identifier: MIT */
/* bench-hocket: library */

/* The library with and without a timeline of itself, into rings of which nothing is written; and with
 * the wait profile. */

#include <hocket/profile.h>
#include <hocket/queue.h>
#include <hocket/runtime.h>
#include <hocket/scope.h>
#include <hocket/task.h>
#include <hocket/trace.h>

#include <stdbool.h>

#include "../common/bench.h"

#define ONES   100
#define PASSES 1000
#define EVENTS 1000

/* A sample takes 30 ms and more, so that it is a mean over some pauses of the trace. */
#define MANY_ONES   20000
#define MANY_PASSES 500

static int empty(void *arg)
{
    (void)arg;
    return 0;
}

static void ones(void *arg)
{
    (void)arg;
    for (int i = 0; i < MANY_ONES * ONES; i++) {
        hocket_task *task;
        bench_check(hocket_spawn_task(&task, NULL, empty, NULL, NULL) == 0, "spawn failed");
        bench_check(hocket_join(task, NULL, HOCKET_FOREVER) == 0, "join failed");
        hocket_task_release(task);
    }
}

/* The same tasks in one scope, which waits for all of them: one ends, the next begins. */
static void many(void *arg)
{
    (void)arg;
    for (int k = 0; k < MANY_ONES; k++) {
        hocket_scope scope;
        hocket_scope_open(&scope, NULL);
        for (int i = 0; i < ONES; i++)
            bench_check(hocket_spawn(&scope, empty, NULL) == 0, "spawn failed");
        bench_check(hocket_scope_close(&scope) == 0, "a task failed");
    }
}

static hocket_queue *there, *back;

static int answer(void *arg)
{
    int value;
    (void)arg;
    for (int i = 0; i < MANY_PASSES * PASSES; i++) {
        bench_check(hocket_queue_get(there, &value, HOCKET_FOREVER) == 0, "get failed");
        bench_check(hocket_queue_put(back, &value, HOCKET_FOREVER) == 0, "put failed");
    }
    return 0;
}

/* Two tasks of one worker send a number to and fro: two waits a round. */
static void passes(void *arg)
{
    hocket_scope scope;
    int value = 1;
    (void)arg;
    hocket_scope_open(&scope, NULL);
    bench_check(hocket_spawn(&scope, answer, NULL) == 0, "spawn failed");
    for (int i = 0; i < MANY_PASSES * PASSES; i++) {
        bench_check(hocket_queue_put(there, &value, HOCKET_FOREVER) == 0, "put failed");
        bench_check(hocket_queue_get(back, &value, HOCKET_FOREVER) == 0, "get failed");
    }
    bench_check(hocket_scope_close(&scope) == 0, "a task failed");
}

/* An event alone: the end of a span that was never begun. */
static void events(void *arg)
{
    (void)arg;
    for (int i = 0; i < EVENTS; i++)
        hocket_trace_end();
}

static int root(void *arg)
{
    const hocket_queue_options o = { .size = sizeof o, .capacity = HOCKET_RENDEZVOUS };
    (void)arg;
    bench_check(hocket_queue_new(&there, sizeof(int), &o) == 0 &&
                    hocket_queue_new(&back, sizeof(int), &o) == 0,
                "no queues");
    if (strncmp(bench_case, "spawn-", 6) == 0)
        bench_batches(ones, NULL, MANY_ONES * ONES);
    else if (strncmp(bench_case, "scope-", 6) == 0)
        bench_batches(many, NULL, MANY_ONES * ONES);
    else if (strncmp(bench_case, "pass-", 5) == 0)
        bench_batches(passes, NULL, MANY_PASSES * PASSES);
    else
        bench_batches(events, NULL, EVENTS);
    hocket_queue_free(there);
    hocket_queue_free(back);
    return 0;
}

/* Which events the case is about; -1: no such case, 0: no trace. */
static int events_of(const char *form)
{
    static const struct {
        const char *form;
        int events;
    } forms[] = {
        { "off", 0 },
        { "profile", 0 },
        { "user", HOCKET_TRACE_USER },
        { "waits", HOCKET_TRACE_WAITS | HOCKET_TRACE_USER },
        { "tasks", HOCKET_TRACE_TASKS | HOCKET_TRACE_USER },
        { "on", HOCKET_TRACE_DEFAULT },
        { "whole", HOCKET_TRACE_DEFAULT },
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (strcmp(form, forms[i].form) == 0)
            return forms[i].events;
    return -1;
}

int main(int argc, char **argv)
{
    hocket_trace_options o = HOCKET_TRACE_OPTIONS_DEFAULT;
    bench_start(argc, argv);
    const char *form = strrchr(bench_case, '-');
    bool profile = form != NULL && strcmp(form, "-profile") == 0;
    int wanted = form != NULL ? events_of(form + 1) : -1;
    if (wanted < 0)
        return BENCH_SKIP;
    o.events = (unsigned)wanted;
    o.share = strcmp(form + 1, "on") == 0 ? 0 : 100;
    if (wanted > 0)
        bench_check(hocket_trace_start("/dev/null", &o) == 0, "no trace");
    if (profile)
        hocket_profile_start();
    int err = hocket_run_with(root, NULL, HOCKET_RUNTIME_OPTIONS(.workers = 1));
    if (wanted > 0)
        bench_check(hocket_trace_stop() == 0, "the trace cannot be written");
    return err != 0;
}
