/* SPDX-License-Identifier: MIT */
/*
 * Two passes: gather.c collects what the model gives, in the order in which bars end; here it is
 * sorted by when things begin, ids are turned into places, and all of it is written.
 */
#include "view/pack.h"
#include "view/gather.h"

#include <stdlib.h>
#include <string.h>

static int change_order(const void *pa, const void *pb)
{
    const struct change *a = pa, *b = pb;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

/* By beginning; of two that begin together the longer one is around the other. */
static int span_order(const void *pa, const void *pb)
{
    const struct span *a = pa, *b = pb;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return a->length > b->length ? -1 : a->length < b->length;
}

/* Counter by counter, the points of one as they came. */
static int point_order(const void *pa, const void *pb)
{
    const struct counter_point *a = pa, *b = pb;
    if (a->counter != b->counter)
        return a->counter < b->counter ? -1 : 1;
    return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

/* The place of a task + 1; 0 for none, or one of which the trace has nothing but its id. */
static uint64_t task_place(const struct gather *g, uint64_t id)
{
    uint32_t place = id != 0 ? pairs_find(&g->task_ids, id, 0) : PAIRS_NONE;
    return place != PAIRS_NONE ? (uint64_t)place + 1 : 0;
}

static void put_facts(const struct gather *g, struct columns *to)
{
    const struct hkt_header *h = g->trace->header;
    uint64_t missed = 0;
    for (uint32_t i = 0; i < g->trace->lane_count; i++)
        missed += g->trace->lanes[i].head->missed;
    columns_number(to, h->pid);
    columns_number(to, h->wall_ns > 0 ? (uint64_t)h->wall_ns / 1000000 : 0);
    columns_number(to, (uint64_t)g->end);
    columns_number(to, g->trace->event_count);
    columns_number(to, h->flags);
    columns_number(to, g->trace->lost & FACT_MAX);
    columns_number(to, missed & FACT_MAX);
    columns_number(to, h->lanes_denied);
    columns_number(to, h->events);
}

static void put_workers(struct gather *g, struct columns *to)
{
    const struct trace *t = g->trace;
    columns_number(to, g->worker_count);
    for (int column = 0; column < 4; column++) {
        for (uint32_t i = 0; i < g->worker_count; i++) {
            const struct trace_lane *lane = &t->lanes[g->workers[i]];
            columns_number(to, column == 0   ? (uint64_t)(g->lanes[g->workers[i]].worker + 1)
                               : column == 1 ? lane->head->tid
                               : column == 2 ? lane->head->lost & FACT_MAX
                               : lane->count > 0
                                   ? (uint64_t)trace_ns(t, HKT_TICKS(&lane->events[0]))
                                   : 0);
        }
    }
}

static void put_things(const struct gather *g, struct columns *to)
{
    const struct pairs *objects = &g->objects;
    columns_number(to, objects->used);
    for (size_t i = 0; i < objects->used; i++)
        columns_number(to, objects->pairs[i].a);
    for (size_t i = 0; i < objects->used; i++)
        columns_number(to, objects->pairs[i].b & UINT32_MAX);
    for (size_t i = 0; i < objects->used; i++)
        columns_number(to, objects->pairs[i].b >> 32);
    columns_number(to, g->places.used);
    for (size_t i = 0; i < g->places.used; i++)
        columns_number(to, g->place_words[i]);
}

static void put_tasks(const struct gather *g, struct columns *to)
{
    const struct task *tasks = g->tasks;
    size_t n = g->task_ids.used;
    columns_number(to, n);
    for (size_t i = 0, last = 0; i < n; i++) {
        uint64_t id = g->task_ids.pairs[i].a & FACT_MAX;
        columns_signed(to, (int64_t)(id - last));
        last = id;
    }
    for (size_t i = 0; i < n; i++)
        columns_number(to, tasks[i].name);
    for (size_t i = 0; i < n; i++)
        columns_number(to, tasks[i].placement);
    for (size_t i = 0; i < n; i++)
        columns_number(to, task_place(g, tasks[i].parent));
    for (size_t i = 0; i < n; i++)
        columns_number(to, tasks[i].function);
    for (size_t i = 0; i < n; i++)
        columns_signed(to, tasks[i].result);
    for (size_t i = 0; i < n; i++)
        columns_number(to, tasks[i].flags);
}

static void put_changes(struct gather *g, struct columns *to)
{
    struct change *changes = g->changes;
    size_t n = g->change_count;
    if (n > 0)
        qsort(changes, n, sizeof changes[0], change_order);
    columns_number(to, n);
    int64_t time = 0;
    for (size_t i = 0; i < n; i++) {
        columns_number(to, (uint64_t)(changes[i].time - time));
        time = changes[i].time;
    }
    for (size_t i = 0, last = 0; i < n; i++) {
        columns_signed(to, (int64_t)changes[i].task - (int64_t)last);
        last = changes[i].task;
    }
    for (size_t i = 0; i < n; i++)
        columns_number(to, changes[i].state);
    for (size_t i = 0; i < n; i++) {
        const struct change *c = &changes[i];
        if (c->state == CHANGE_READY) {
            columns_number(to, task_place(g, c->other));
        } else if (c->state == CHANGE_RUNNING) {
            columns_number(to, c->a < g->trace->lane_count ? g->lanes[c->a].place : 0);
            columns_number(to, c->b);
            columns_number(to, c->c);
        } else if (c->state == CHANGE_WAITING) {
            columns_number(to, c->a);
            columns_number(to, c->b);
            columns_number(to, task_place(g, c->other));
        }
    }
}

static void put_spans(struct gather *g, struct columns *to)
{
    struct span *spans = g->spans;
    size_t n = g->span_count;
    if (n > 0)
        qsort(spans, n, sizeof spans[0], span_order);
    columns_number(to, n);
    for (size_t i = 0; i < n; i++)
        columns_number(to, task_place(g, spans[i].task));
    int64_t time = 0;
    for (size_t i = 0; i < n; i++) {
        columns_number(to, (uint64_t)(spans[i].start - time));
        time = spans[i].start;
    }
    for (size_t i = 0; i < n; i++)
        columns_number(to, (uint64_t)spans[i].length);
    for (size_t i = 0; i < n; i++)
        columns_number(to, spans[i].name);
}

static int held_order(const void *pa, const void *pb)
{
    const struct held *a = pa, *b = pb;
    return a->start < b->start ? -1 : a->start > b->start;
}

static void put_helds(struct gather *g, struct columns *to)
{
    size_t n = g->held_count;
    if (n > 0)
        qsort(g->helds, n, sizeof g->helds[0], held_order);
    columns_number(to, n);
    for (size_t i = 0; i < n; i++)
        columns_number(to, task_place(g, g->helds[i].task));
    int64_t time = 0;
    for (size_t i = 0; i < n; i++) {
        columns_number(to, (uint64_t)(g->helds[i].start - time));
        time = g->helds[i].start;
    }
    for (size_t i = 0; i < n; i++)
        columns_number(to, (uint64_t)g->helds[i].length);
    for (size_t i = 0; i < n; i++)
        columns_number(to, g->helds[i].lock);
}

static void put_pauses(const struct gather *g, struct columns *to)
{
    int64_t time = 0;
    columns_number(to, g->pause_count);
    for (size_t i = 0; i < g->pause_count; i++) {
        columns_number(to, (uint64_t)(g->pauses[i].start - time));
        time = g->pauses[i].start;
    }
    for (size_t i = 0; i < g->pause_count; i++)
        columns_number(to, (uint64_t)g->pauses[i].length);
}

static void put_counters(struct gather *g, struct columns *to)
{
    struct counter_point *points = g->points;
    if (g->point_count > 0)
        qsort(points, g->point_count, sizeof points[0], point_order);
    columns_number(to, g->counter_names.used);
    for (size_t k = 0, from = 0; k < g->counter_names.used; k++) {
        size_t end = from;
        int64_t time = 0;
        while (end < g->point_count && points[end].counter == k)
            end++;
        columns_number(to, g->counter_names.pairs[k].a);
        columns_number(to, end - from);
        for (size_t i = from; i < end; time = points[i++].time)
            columns_number(to, (uint64_t)(points[i].time - time));
        for (size_t i = from; i < end; i++)
            columns_double(to, points[i].value);
        from = end;
    }
}

static void put_marks(const struct gather *g, struct columns *to)
{
    int64_t time = 0;
    columns_number(to, g->mark_count);
    for (size_t i = 0; i < g->mark_count; i++) {
        columns_number(to, (uint64_t)(g->marks[i].time - time));
        time = g->marks[i].time;
    }
    for (size_t i = 0; i < g->mark_count; i++)
        columns_number(to, task_place(g, g->marks[i].task));
    for (size_t i = 0; i < g->mark_count; i++)
        columns_number(to, g->marks[i].error);
    for (size_t i = 0; i < g->mark_count; i++)
        columns_number(to, g->marks[i].text);
    for (size_t i = 0; i < g->mark_count; i++)
        columns_signed(to, g->marks[i].value);
}

bool view_pack(const struct trace *t, struct columns *to)
{
    struct gather g;
    bool good = gather(&g, t);
    if (good) {
        put_facts(&g, to);
        words_put(&g.words, to);
        columns_number(to, g.program);
        put_workers(&g, to);
        put_things(&g, to);
        put_tasks(&g, to);
        put_changes(&g, to);
        put_spans(&g, to);
        put_helds(&g, to);
        put_pauses(&g, to);
        put_counters(&g, to);
        put_marks(&g, to);
    }
    gather_free(&g);
    return good && !to->failed;
}
