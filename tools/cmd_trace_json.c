/* SPDX-License-Identifier: MIT */
/*
 * hocket trace json: a timeline in the form that ui.perfetto.dev and chrome://tracing read.
 *
 * The lanes (workers and other threads) are the threads of one process, the tasks those of
 * another, so both have a row each; spans, jobs and held locks, which may cross the bars of a row,
 * are async events.  Times are microseconds with three decimals.
 */
#include "common/json.h"
#include "common/message.h"
#include "common/output.h"
#include "trace/model.h"
#include "trace/trace.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUTPUT = 1 };

static const struct option json_options[] = {
    { OUTPUT, 'o', "output", "FILE", "write there (default: standard output)" },
    { 0, 0, NULL, NULL, NULL },
};

enum { LANES = 1, TASKS = 2 }; /* their process numbers */

struct writer {
    struct output out;
    const struct trace *trace;
    bool any;
    uint64_t arrows;
};

static void text(struct writer *w, const char *bytes)
{
    json_string(&w->out, bytes, strlen(bytes));
}

static void symbol(struct writer *w, const char *key, uint64_t address)
{
    char buffer[256];
    if (address == 0)
        return;
    trace_symbol(w->trace, address, buffer, sizeof buffer);
    output_printf(&w->out, ",\"%s\":", key);
    text(w, buffer);
}

static void task(struct writer *w, const char *key, uint64_t id)
{
    char title[HKT_TEXT_MAX + 1];
    if (id == 0)
        return;
    trace_task_title(w->trace, id, title, sizeof title);
    output_printf(&w->out, ",\"%s\":", key);
    text(w, title);
    output_printf(&w->out, ",\"%s_id\":%llu", key, (unsigned long long)id);
}

/* {"ph":"X","pid":1,"tid":2,"ts":3.456 and no further. */
static void event(struct writer *w, char phase, int process, uint64_t row, int64_t ns)
{
    output_text(&w->out, w->any ? ",\n" : "\n");
    w->any = true;
    output_printf(&w->out, "{\"ph\":\"%c\",\"pid\":%d,\"tid\":%llu,\"ts\":%lld.%03d", phase,
                  process, (unsigned long long)row, (long long)(ns / 1000), (int)(ns % 1000));
}

static void lasts(struct writer *w, int64_t ns)
{
    output_printf(&w->out, ",\"dur\":%lld.%03d", (long long)(ns / 1000), (int)(ns % 1000));
}

static void name(struct writer *w, const char *category, const char *bytes)
{
    output_printf(&w->out, ",\"cat\":\"%s\",\"name\":", category);
    text(w, bytes);
}

static uint64_t lane_row(uint32_t lane)
{
    return (uint64_t)lane + 1;
}

/* The row of pauses is below those of the lanes. */
static uint64_t piece_row(const struct writer *w, const struct model_piece *p)
{
    return lane_row(p->type == MODEL_PAUSE ? w->trace->lane_count : p->lane);
}

/* ---- what the model gives ---- */

static void bar_on_lane(struct writer *w, const struct model_bar *b)
{
    char title[HKT_TEXT_MAX + 1];
    trace_task_title(w->trace, b->task, title, sizeof title);
    event(w, 'X', LANES, lane_row(b->lane), b->start);
    lasts(w, b->end - b->start);
    name(w, "run", title);
    output_printf(&w->out, ",\"args\":{\"task_id\":%llu}}", (unsigned long long)b->task);
}

static void bar(void *context, const struct model_bar *b)
{
    struct writer *w = context;
    char words[64] = "running";
    if (b->state == MODEL_RUN)
        bar_on_lane(w, b);
    else if (b->state == MODEL_READY)
        strcpy(words, "ready");
    else
        (void)snprintf(words, sizeof words, "waiting: %.40s", model_kind_name(w->trace, b->kind));
    event(w, 'X', TASKS, b->task, b->start);
    lasts(w, b->end - b->start);
    name(w, "state", words);
    output_printf(&w->out, ",\"args\":{\"cut\":%s", b->cut_start || b->cut_end ? "true" : "false");
    if (b->state == MODEL_WAIT) {
        output_printf(&w->out, ",\"object\":\"0x%llx\",\"result\":%lld",
                      (unsigned long long)b->object, (long long)b->result);
        symbol(w, "call_site", b->site);
        task(w, "holder", b->holder);
    }
    if (b->state != MODEL_RUN)
        task(w, "waker", b->waker);
    output_text(&w->out, "}}");
}

static void arrow(struct writer *w, const char *what, uint64_t from, uint64_t to, int64_t at)
{
    if (from == 0)
        return;
    w->arrows++;
    for (int end = 0; end < 2; end++) {
        event(w, end ? 'f' : 's', TASKS, end ? to : from, at);
        name(w, "wake", what);
        output_printf(&w->out, ",\"id\":%llu%s}", (unsigned long long)w->arrows,
                      end ? ",\"bp\":\"e\"" : "");
    }
}

static void wake(void *context, const struct model_wake *k)
{
    arrow(context, "wake", k->waker, k->task, k->at);
}

static void piece(void *context, const struct model_piece *p)
{
    static const char *const categories[] = { "span", "job", "held", "blocking", "sleep", "pause" };
    struct writer *w = context;
    const char *category = categories[p->type];
    if (p->type == MODEL_SLEEP || p->type == MODEL_PAUSE) {
        event(w, 'X', LANES, piece_row(w, p), p->start);
        lasts(w, p->end - p->start);
        name(w, category, p->type == MODEL_SLEEP ? "asleep" : "not recorded");
        output_text(&w->out, "}");
        return;
    }
    for (int end = 0; end < 2; end++) {
        event(w, end ? 'e' : 'b', TASKS, p->task, end ? p->end : p->start);
        name(w, category, p->type == MODEL_SPAN ? p->name : category);
        output_printf(&w->out, ",\"id\":\"%s-%llu-%u\",\"args\":{\"object\":\"0x%llx\"}}", category,
                      (unsigned long long)p->task, p->task ? 0 : p->lane,
                      (unsigned long long)p->object);
    }
}

static void instant(struct writer *w, const struct model_point *p, const char *category)
{
    if (p->task != 0)
        event(w, 'i', TASKS, p->task, p->at);
    else
        event(w, 'i', LANES, lane_row(p->lane), p->at);
    name(w, category, p->text[0] != '\0' ? p->text : category);
    output_printf(&w->out, ",\"s\":\"t\",\"args\":{\"result\":%lld}}", (long long)p->result);
}

static void point(void *context, const struct model_point *p)
{
    struct writer *w = context;
    switch (p->type) {
    case MODEL_SPAWN: arrow(w, "spawn", p->other, p->task, p->at); break;
    case MODEL_STEAL: instant(w, p, "steal"); break;
    case MODEL_ERROR: instant(w, p, "error"); break;
    case MODEL_MARK: instant(w, p, "mark"); break;
    case MODEL_COUNTER:
        event(w, 'C', LANES, 0, p->at);
        name(w, "counter", p->text);
        if (isfinite(p->value))
            output_printf(&w->out, ",\"args\":{\"value\":%.17g}}", p->value);
        else
            output_text(&w->out, ",\"args\":{\"value\":null}}");
        break;
    case MODEL_START:
    case MODEL_EXIT: break;
    }
}

/* ---- the frame around it ---- */

static void process_name(struct writer *w, int process, const char *what)
{
    char words[64];
    (void)snprintf(words, sizeof words, "%s of %.40s", what, w->trace->header->program);
    event(w, 'M', process, 0, 0);
    output_text(&w->out, ",\"name\":\"process_name\",\"args\":{\"name\":");
    text(w, words);
    output_text(&w->out, "}}");
}

static void row_name(struct writer *w, int process, uint64_t row, const char *words)
{
    event(w, 'M', process, row, 0);
    output_text(&w->out, ",\"name\":\"thread_name\",\"args\":{\"name\":");
    text(w, words);
    output_text(&w->out, "}}");
}

static void task_row(void *context, const struct model_point *p)
{
    struct writer *w = context;
    char title[HKT_TEXT_MAX + 1];
    if (p->type != MODEL_SPAWN && p->type != MODEL_START)
        return;
    trace_task_title(w->trace, p->task, title, sizeof title);
    if (p->type == MODEL_SPAWN || trace_task_name(w->trace, p->task)[0] != '\0')
        row_name(w, TASKS, p->task, title);
}

static bool body(struct writer *w)
{
    const struct model_sink names = { .context = w, .point = task_row };
    const struct model_sink all = {
        .context = w, .bar = bar, .wake = wake, .piece = piece, .point = point
    };
    char title[64];
    output_printf(&w->out,
                  "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"pid\":%u,\"lost_events\":%llu},"
                  "\"traceEvents\":[",
                  w->trace->header->pid, (unsigned long long)w->trace->lost);
    process_name(w, LANES, "workers");
    process_name(w, TASKS, "tasks");
    for (uint32_t i = 0; i < w->trace->lane_count; i++) {
        trace_lane_name(w->trace, i, title, sizeof title);
        row_name(w, LANES, lane_row(i), title);
    }
    if (w->trace->pause_count > 0)
        row_name(w, LANES, lane_row(w->trace->lane_count), "the trace");
    bool good = trace_model(w->trace, &names) && trace_model(w->trace, &all);
    output_text(&w->out, good ? "\n]}\n" : "\n");
    return good;
}

static int convert(const struct command *self, const struct trace *t, const char *path)
{
    struct writer *w = calloc(1, sizeof *w);
    int status = 1;
    if (w == NULL) {
        message(self->name, NULL, "%s", strerror(ENOMEM));
        return 1;
    }
    w->trace = t;
    if (output_begin(&w->out, self->name, path)) {
        status = body(w) ? 0 : 1;
        if (status != 0)
            message(self->name, NULL, "%s", strerror(ENOMEM));
        status = output_end(&w->out, self->name, path, status);
    }
    free(w);
    return status;
}

static int json_run(const struct command *self, char **argv)
{
    struct options o;
    const char *file = NULL, *path = NULL;
    options_start(&o, self, argv);
    for (int id; (id = options_next(&o)) != OPTION_END;) {
        switch (id) {
        case OPTION_WORD:
            if (file != NULL)
                return message_usage(self->name, "one file at a time");
            file = o.value;
            break;
        case OUTPUT: path = o.value; break;
        default: return o.status;
        }
    }
    if (file == NULL)
        return message_usage(self->name, "which file? It is what HOCKET_TRACE named");
    struct trace t;
    char why[TRACE_WHY];
    if (!trace_open(&t, file, why)) {
        message(self->name, file, "%s", why);
        return 1;
    }
    int status = convert(self, &t, path);
    trace_close(&t);
    return status;
}

const struct command command_trace_json = {
    .name = "trace json",
    .synopsis = "FILE [-o OUT.json]",
    .summary = "a timeline for ui.perfetto.dev and chrome://tracing",
    .about =
        "FILE is what HOCKET_TRACE named, '-' is standard input. Workers and tasks have a row\n"
        "each: what ran, was ready, or waited for what; arrows lead from waker to woken.\n",
    .options = json_options,
    .run = json_run,
};
