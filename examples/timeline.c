/* SPDX-License-Identifier: MIT */
/*
 * timeline - where did the time go?
 *
 * Two fetchers put documents into a queue, four parsers take them out and enter their words into one index.
 * The index has one lock, and a parser holds it while it writes to the disk: so four parsers are
 * no faster than one.  The program is right, and only slow; its timeline shows why:
 *
 *     HOCKET_TRACE=timeline.trace ./timeline
 *     hocket trace view timeline.trace -o timeline.html
 *
 * Spans, counters and marks cost nothing while no trace is on.
 */
#include <hocket.h>
#include <errno.h>
#include <stdio.h>

enum { FETCHERS = 2, PARSERS = 4, DOCUMENTS = 40 };

static hocket_queue *documents;
static hocket_mutex index_lock;
static int entered;

static int fetch(void *arg)
{
    (void)arg;
    int err = 0;
    hocket_task_set_name(hocket_self(), "fetcher");
    for (int n = 0; n < DOCUMENTS / FETCHERS && err == 0; n++) {
        err = hocket_sleep((1000 + n % 5 * 200) * HOCKET_US); /* the network */
        if (err == 0)
            err = hocket_queue_put(documents, &n, HOCKET_FOREVER);
        hocket_trace_counter("documents waiting", (double)hocket_queue_length(documents));
    }
    return err;
}

static int parse(void *arg)
{
    (void)arg;
    int n, err = 0;
    hocket_task_set_name(hocket_self(), "parser");
    while (err == 0 && (err = hocket_queue_get(documents, &n, HOCKET_FOREVER)) == 0) {
        hocket_trace_begin("parse");
        err = hocket_sleep((1500 + n % 3 * 500) * HOCKET_US); /* reads what belongs to it */
        HOCKET_WITH(&index_lock) {
            hocket_trace_begin("enter words");
            if (err == 0)
                err = hocket_sleep(2 * HOCKET_MS); /* the disk */
            entered++;
            hocket_trace_end();
        }
        hocket_trace_end();
    }
    return err == -EPIPE ? 0 : err; /* closed and empty */
}

static int program(void *arg)
{
    hocket_scope fetchers, parsers;
    (void)arg;
    int err = hocket_queue_new(&documents, sizeof(int), HOCKET_QUEUE_OPTIONS(.capacity = 16));
    if (err)
        return err;
    hocket_scope_open(&parsers, NULL);
    for (int i = 0; i < PARSERS && err == 0; i++)
        err = hocket_spawn(&parsers, parse, NULL);
    hocket_scope_open(&fetchers, NULL);
    for (int i = 0; i < FETCHERS && err == 0; i++)
        err = hocket_spawn(&fetchers, fetch, NULL);
    int fetched = hocket_scope_close(&fetchers);
    hocket_trace_mark("all are fetched");
    (void)hocket_queue_close(documents, HOCKET_CLOSE_DRAIN);
    int parsed = hocket_scope_close(&parsers);
    printf("%d documents\n", entered);
    hocket_queue_free(documents);
    return err ? err : fetched ? fetched : parsed;
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
