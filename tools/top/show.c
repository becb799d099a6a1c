/* SPDX-License-Identifier: MIT */
/* The page as a screen of text, and as JSON. */
#include "top/top.h"

#include "common/json.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const states[] = { "sleeps", "looks for work", "runs", "is blocked in",
                                      "spare" };

struct screen {
    struct output *o;
    const struct top_view *view;
    int lines;
};

/* One line, cut to the width; false if the screen is full. */
__attribute__((format(printf, 3, 4))) static bool line(struct screen *s, bool bold,
                                                       const char *format, ...)
{
    char text[512];
    va_list arguments;
    if (s->view->height > 0 && s->lines >= s->view->height)
        return false;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    int width = s->view->width > 0 && s->view->width < (int)sizeof text ? s->view->width
                                                                        : (int)sizeof text - 1;
    text[width] = '\0';
    bold = bold && s->view->color;
    output_printf(s->o, "%s%s%s%s", bold ? "\033[1m" : "", text, bold ? "\033[0m" : "",
                  s->view->height > 0 ? "\033[K\r\n" : "\n");
    s->lines++;
    return true;
}

static const char *span(uint64_t ns, char text[24])
{
    double s = (double)ns / 1e9;
    if (s >= 3600)
        snprintf(text, 24, "%.1f h", s / 3600);
    else if (s >= 1)
        snprintf(text, 24, "%.1f s", s);
    else
        snprintf(text, 24, "%.0f ms", s * 1e3);
    return text;
}

static double rate(uint64_t now, uint64_t before, const struct top_view *v,
                   const struct live_page *p)
{
    if (v->before == NULL || p->written <= v->before->written || now < before)
        return 0;
    return (double)(now - before) * 1e9 / (double)(p->written - v->before->written);
}

static void head(struct screen *s, const struct top *t, const struct live_page *p)
{
    char age[24];
    const struct live_page *b = s->view->before;
    line(s, true,
         "%s, pid %ld: %" PRIu64 " tasks: %" PRIu64 " waiting, %" PRIu64 " running, %" PRIu64
         " ready, %" PRIu64 " held; %" PRIu64 " on threads; for %s",
         t->name, t->pid, p->tasks, p->waiting, p->running, p->ready, p->held, p->threads,
         span(p->age, age));
    if (p->queues > 0)
        line(s, false, "%" PRIu64 " queue%s with %" PRIu64 " value%s in all", p->queues,
             p->queues == 1 ? "" : "s", p->queue_values, p->queue_values == 1 ? "" : "s");
    if (b != NULL)
        line(s, false, "%.0f spawned/s, %.0f switches/s, %.0f steals/s, %.0f wakes/s",
             rate(p->spawned, b->spawned, s->view, p), rate(p->switches, b->switches, s->view, p),
             rate(p->steals, b->steals, s->view, p), rate(p->wakes, b->wakes, s->view, p));
    else
        line(s, false,
             "%" PRIu64 " spawned, %" PRIu64 " switches, %" PRIu64 " steals, %" PRIu64 " wakes",
             p->spawned, p->switches, p->steals, p->wakes);
}

static void workers(struct screen *s, const struct live_page *p)
{
    static const char bar[] = "||||||||||||||||||||";
    uint32_t most = s->view->height > 0 ? (uint32_t)(s->view->height / 3) : LIVE_WORKERS;
    uint32_t shown = p->workers_shown < most ? p->workers_shown : most;
    line(s, false, "%s", "");
    line(s, true, "%6s  %-22s %5s %6s  %s", "worker", "load", "", "queue", "");
    for (uint32_t i = 0; i < shown; i++) {
        const struct live_worker *w = &p->worker[i];
        int bars = (int)((w->load + 25) / 50);
        line(s, false, "%6u  [%-20.*s] %4u%% %6u  %s %s", w->index, bars, bar, (w->load + 5) / 10,
             w->queued, states[w->state <= LIVE_SPARE ? w->state : LIVE_SLEEPS], w->task);
    }
    if (p->workers > shown)
        line(s, false, "        and %u more", p->workers - shown);
}

static void hottest(struct screen *s, const struct live_page *p)
{
    char longest[24];
    line(s, false, "%s", "");
    line(s, true, "%8s  %-10s %-16s %9s  %s", "waiting", "for", "", "longest", "");
    uint32_t most = s->view->height > 0 ? (uint32_t)(s->view->height / 4) : LIVE_LINES;
    for (uint32_t i = 0; i < p->waits_shown && i < most; i++) {
        const struct live_wait *w = &p->wait[i];
        line(s, false, "%8" PRIu64 "  %-10s 0x%-14" PRIx64 " %9s  %s%s%s", w->tasks, w->kind,
             w->object, span(w->longest, longest), w->task, w->holder[0] ? ", held by " : "",
             w->holder);
    }
}

static void fullest(struct screen *s, const struct live_page *p)
{
    char waited[24], bound[24];
    if (p->queues_shown == 0)
        return;
    line(s, false, "%s", "");
    line(s, true, "%7s  %-8s %7s %7s %8s  %s", "values", "of", "putters", "getters", "longest",
         "queue");
    uint32_t most = s->view->height > 0 ? (uint32_t)(s->view->height / 6) : LIVE_LINES;
    for (uint32_t i = 0; i < p->queues_shown && i < most; i++) {
        const struct live_queue *q = &p->queue[i];
        char name[LIVE_TEXT + 32];
        snprintf(bound, sizeof bound, "%" PRIu64, q->capacity);
        snprintf(name, sizeof name, "%s 0x%" PRIx64 "%s", q->kind, q->object,
                 q->closed ? " closed" : "");
        line(s, false, "%7" PRIu64 "  %-8s %7" PRIu64 " %7" PRIu64 " %8s  %-25s %s", q->length,
             q->capacity == UINT64_MAX ? "no bound" : bound, q->putters, q->getters,
             q->task[0] != '\0' ? span(q->longest, waited) : "", name, q->task);
    }
}

static void longest(struct screen *s, const struct live_page *p)
{
    char waited[24];
    line(s, false, "%s", "");
    line(s, true, "%9s  %-32s %s", "waits", "task", "for");
    for (uint32_t i = 0; i < p->waiters_shown; i++) {
        const struct live_waiter *w = &p->waiter[i];
        char name[LIVE_TEXT + 32];
        snprintf(name, sizeof name, "%s [%" PRIu64 "]%s", w->name, w->id,
                 w->thread ? " thread" : "");
        line(s, false, "%9s  %-32s %s 0x%" PRIx64, span(w->waited, waited), name, w->kind,
             w->object);
    }
}

void top_text(struct output *o, const struct top *t, const struct live_page *p,
              const struct top_view *view)
{
    struct screen s = { o, view, 0 };
    head(&s, t, p);
    workers(&s, p);
    hottest(&s, p);
    fullest(&s, p);
    longest(&s, p);
}

/* ---- JSON ---- */

static void string(struct output *o, const char *name, const char *text)
{
    output_printf(o, "\"%s\":", name);
    json_string(o, text, strlen(text));
}

static void number(struct output *o, const char *name, uint64_t value)
{
    output_printf(o, "\"%s\":%" PRIu64, name, value);
}

static void json_worker(struct output *o, const struct live_worker *w)
{
    static const char *const words[] = { "sleeping", "searching", "running", "blocked", "spare" };
    output_printf(o, "{\"worker\":%u,\"load\":%u.%03u,\"queued\":%u,", w->index, w->load / 1000,
                  w->load % 1000, w->queued);
    string(o, "state", words[w->state <= LIVE_SPARE ? w->state : LIVE_SLEEPS]);
    output_printf(o, ",\"task_id\":%" PRIu64 ",", w->task_id);
    string(o, "task", w->task);
    output_text(o, "}");
}

static void json_wait(struct output *o, const struct live_wait *w)
{
    output_text(o, "{");
    string(o, "kind", w->kind);
    output_printf(o,
                  ",\"object\":\"0x%" PRIx64 "\",\"tasks\":%" PRIu64 ",\"longest_ns\":%" PRIu64
                  ",\"total_ns\":%" PRIu64 ",",
                  w->object, w->tasks, w->longest, w->total);
    string(o, "task", w->task);
    output_text(o, ",");
    string(o, "holder", w->holder);
    output_text(o, "}");
}

static void json_queue(struct output *o, const struct live_queue *q)
{
    output_text(o, "{");
    string(o, "kind", q->kind);
    output_printf(o,
                  ",\"object\":\"0x%" PRIx64 "\",\"length\":%" PRIu64 ",\"capacity\":", q->object,
                  q->length);
    if (q->capacity == UINT64_MAX)
        output_text(o, "null");
    else
        output_printf(o, "%" PRIu64, q->capacity);
    output_printf(o,
                  ",\"putters\":%" PRIu64 ",\"getters\":%" PRIu64
                  ",\"closed\":%s,\"longest_ns\":%" PRIu64 ",",
                  q->putters, q->getters, q->closed ? "true" : "false", q->longest);
    string(o, "task", q->task);
    output_text(o, "}");
}

static void json_waiter(struct output *o, const struct live_waiter *w)
{
    output_printf(o, "{\"id\":%" PRIu64 ",", w->id);
    string(o, "name", w->name);
    output_printf(o, ",\"placement\":\"%s\",", w->thread ? "thread" : "fiber");
    string(o, "kind", w->kind);
    output_printf(o, ",\"object\":\"0x%" PRIx64 "\",\"waited_ns\":%" PRIu64 "}", w->object,
                  w->waited);
}

void top_json(struct output *o, const struct live_page *p)
{
    const struct {
        const char *name;
        uint64_t value;
    } counts[] = { { "pid", p->pid },         { "age_ns", p->age },
                   { "tasks", p->tasks },     { "waiting", p->waiting },
                   { "running", p->running }, { "ready", p->ready },
                   { "held", p->held },       { "threads", p->threads },
                   { "spawned", p->spawned }, { "switches", p->switches },
                   { "steals", p->steals },   { "wakes", p->wakes },
                   { "workers", p->workers }, { "objects", p->waits },
                   { "queues", p->queues },   { "queue_values", p->queue_values } };
    output_text(o, "{");
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        number(o, counts[i].name, counts[i].value);
        output_text(o, ",");
    }
    output_text(o, "\"worker_list\":[");
    for (uint32_t i = 0; i < p->workers_shown; i++) {
        output_text(o, i > 0 ? "," : "");
        json_worker(o, &p->worker[i]);
    }
    output_text(o, "],\"hottest\":[");
    for (uint32_t i = 0; i < p->waits_shown; i++) {
        output_text(o, i > 0 ? "," : "");
        json_wait(o, &p->wait[i]);
    }
    output_text(o, "],\"fullest\":[");
    for (uint32_t i = 0; i < p->queues_shown; i++) {
        output_text(o, i > 0 ? "," : "");
        json_queue(o, &p->queue[i]);
    }
    output_text(o, "],\"longest\":[");
    for (uint32_t i = 0; i < p->waiters_shown; i++) {
        output_text(o, i > 0 ? "," : "");
        json_waiter(o, &p->waiter[i]);
    }
    output_text(o, "]}\n");
}
