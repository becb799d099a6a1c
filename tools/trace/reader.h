/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_TRACE_READER_H
#define TOOLS_TRACE_READER_H
#include "../../src/trace/format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * reader - a trace file, checked and in memory
 *
 * trace_open looks at every size and count before anything is used, so what the functions below
 * give lies in the file and ends.  Names are any bytes: whoever prints them escapes them.  What the
 * events *mean* is model.h.
 *
 *     struct trace t;
 *     char why[TRACE_WHY];
 *     if (!trace_open(&t, path, why))
 *         return message("trace", path, "%s", why), 1;
 *     struct trace_cursor c;
 *     trace_cursor_start(&c, &t);
 *     for (struct trace_item i; trace_cursor_next(&c, &i);)
 *         ... i.ns, i.lane, i.event ...
 *     trace_cursor_end(&c);
 *     trace_close(&t);
 */
enum { TRACE_WHY = 160 };

struct trace_lane {
    const struct hkt_lane *head;
    const struct hkt_event *events;
    size_t count;
};

struct trace_texts; /* reader's own */

struct trace {
    const struct hkt_header *header;
    struct trace_lane *lanes;
    uint32_t lane_count;
    const struct hkt_task *tasks; /* that lived at the end */
    uint32_t task_count;
    const struct hkt_module *modules;
    uint32_t module_count;
    const struct hkt_pause *pauses; /* in order; none of them ends before it begins */
    uint32_t pause_count;
    size_t event_count; /* of all lanes, TEXT too */
    uint64_t lost;      /* of all lanes */
    double ns_per_tick;
    struct trace_texts *texts;
    void *memory; /* the file */
    size_t size;
};

/* False: `why` says what is wrong with the file, without its name, and nothing is to be closed. */
bool trace_open(struct trace *t, const char *path, char why[TRACE_WHY]);
void trace_close(struct trace *t);

/* Nanoseconds since the trace began; and how long it was. */
int64_t trace_ns(const struct trace *t, uint64_t ticks);
int64_t trace_duration(const struct trace *t);

/* "worker 0", "thread NAME", "thread 4711" */
void trace_lane_name(const struct trace *t, uint32_t lane, char *buffer, size_t size);

/* "mutex", "queue get", or "?": the kind of a wait. */
const char *trace_kind_name(const struct trace *t, uint32_t kind);

/* The name of a task, "" if it has none that the trace knows. */
const char *trace_task_name(const struct trace *t, uint64_t task);
/* The same or "task-17"; "" for task 0. */
void trace_task_title(const struct trace *t, uint64_t task, char *buffer, size_t size);

/* "crawl_one+0x1f", "libfoo.so+0x123", "0x55…": a call site, or a task's function. */
void trace_symbol(const struct trace *t, uint64_t address, char *buffer, size_t size);

/* The text behind event `i` of a lane; its length.  The buffer is HKT_TEXT_MAX + 1. */
size_t trace_text(const struct trace_lane *lane, size_t i, char buffer[HKT_TEXT_MAX + 1]);

/* All events but TEXT, of all lanes, in order of time (those of a lane in their own order). */
struct trace_item {
    int64_t ns; /* never smaller than that of the item before */
    uint32_t lane;
    size_t index; /* in the lane: for trace_text */
    const struct hkt_event *event;
};
struct trace_cursor {
    const struct trace *trace;
    size_t *next;   /* a lane each */
    uint32_t *heap; /* lanes that have something left, the earliest first */
    uint32_t heap_size;
    int64_t last;
};
bool trace_cursor_start(struct trace_cursor *c, const struct trace *t); /* false: no memory */
bool trace_cursor_next(struct trace_cursor *c, struct trace_item *ret);
void trace_cursor_end(struct trace_cursor *c);

#endif
