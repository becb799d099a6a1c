/* SPDX-License-Identifier: MIT */
#include "view/gather.h"
#include "trace/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 256 };

/* Make room for one more, or fail for good. */
#define ROOM(g, array, used, room)                                     \
    (!(g)->failed &&                                                   \
     (columns_grow(&(array), (used), &(room), sizeof(array)[0]) ? true \
                                                                : ((g)->failed = true, false)))

static uint32_t place_of(struct gather *g, uint64_t address)
{
    bool fresh;
    char name[NAME_MAX_BYTES] = "";
    uint32_t place = pairs_of(&g->places, address, 0, &fresh);
    if (place == PAIRS_NONE) {
        g->failed = true;
        return 0;
    }
    if (fresh) {
        if (!ROOM(g, g->place_words, place, g->place_room))
            return 0;
        if (address != 0)
            trace_symbol(g->trace, address, name, sizeof name);
        g->place_words[place] = words_of(&g->words, name);
    }
    return place;
}

/* NULL without memory. */
static struct task *task_of(struct gather *g, uint64_t id, uint32_t *ret_place)
{
    bool fresh;
    uint32_t place = pairs_of(&g->task_ids, id, 0, &fresh);
    if (place == PAIRS_NONE) {
        g->failed = true;
        return NULL;
    }
    if (fresh) {
        if (!ROOM(g, g->tasks, place, g->task_room))
            return NULL;
        g->tasks[place] = (struct task){ .name = words_of(&g->words, trace_task_name(g->trace, id)),
                                         .placement = HKT_FIBER,
                                         .flags = TASK_BEGUN_BEFORE };
    }
    *ret_place = place;
    return &g->tasks[place];
}

static void change(struct gather *g, const struct change *c)
{
    if (!ROOM(g, g->changes, g->change_count, g->change_room))
        return;
    g->changes[g->change_count] = *c;
    g->changes[g->change_count].sequence = (uint32_t)g->change_count;
    g->change_count++;
}

static void lane_runs(struct gather *g, const struct model_bar *b)
{
    struct lane_use *lane = b->lane < g->trace->lane_count ? &g->lanes[b->lane] : NULL;
    if (lane == NULL)
        return;
    lane->several |= lane->task != 0 && lane->task != b->task;
    lane->task = b->task;
}

static void bar_begins(struct gather *g, struct task *task, uint32_t place,
                       const struct model_bar *b)
{
    struct change c = { .time = b->start, .task = place };
    switch (b->state) {
    case MODEL_READY:
        c.state = CHANGE_READY;
        c.other = b->waker;
        break;
    case MODEL_RUN:
        c.state = CHANGE_RUNNING;
        c.a = b->lane;
        lane_runs(g, b);
        c.b = task->stolen_from;
        c.c = task->outcome;
        task->stolen_from = 0;
        task->outcome = 0;
        break;
    case MODEL_WAIT: {
        bool fresh;
        uint32_t kind = words_of(&g->words, model_kind_name(g->trace, b->kind));
        c.state = CHANGE_WAITING;
        c.a = pairs_of(&g->objects, kind, b->object, &fresh);
        c.b = place_of(g, b->site);
        c.other = b->holder;
        g->failed |= c.a == PAIRS_NONE;
        break;
    }
    }
    change(g, &c);
}

static void on_bar(void *context, const struct model_bar *b)
{
    struct gather *g = context;
    uint32_t place;
    struct task *task = task_of(g, b->task, &place);
    if (task == NULL)
        return;
    if (!task->seen && b->cut_start && b->start > 0)
        change(g, &(struct change){ .time = 0, .task = place, .state = CHANGE_UNKNOWN });
    else if (task->seen && b->start > task->until)
        change(g, &(struct change){ .time = task->until, .task = place, .state = CHANGE_UNKNOWN });
    bar_begins(g, task, place, b);
    if (b->state != MODEL_RUN && b->result < 0 && b->result > -4096)
        task->outcome = (uint16_t)-b->result;
    task->seen = true;
    task->open = b->cut_end;
    task->until = b->end;
    if (b->end > g->end)
        g->end = b->end;
}

static void add_span(struct gather *g, const struct model_piece *p, const char *name)
{
    if (!ROOM(g, g->spans, g->span_count, g->span_room))
        return;
    g->spans[g->span_count++] = (struct span){ .task = p->task,
                                               .start = p->start,
                                               .length = p->end - p->start,
                                               .name = words_of(&g->words, name),
                                               .cut = p->cut_end };
}

static void add_held(struct gather *g, const struct model_piece *p)
{
    bool fresh;
    uint32_t lock = pairs_of(&g->held_locks, p->object, 0, &fresh);
    g->failed |= lock == PAIRS_NONE;
    if (!ROOM(g, g->helds, g->held_count, g->held_room))
        return;
    g->helds[g->held_count++] = (struct held){
        .task = p->task, .start = p->start, .length = p->end - p->start, .lock = lock
    };
}

static void add_pause(struct gather *g, const struct model_piece *p)
{
    if (!ROOM(g, g->pauses, g->pause_count, g->pause_room))
        return;
    g->pauses[g->pause_count++] = (struct pause){ .start = p->start, .length = p->end - p->start };
}

static void on_piece(void *context, const struct model_piece *p)
{
    switch (p->type) {
    case MODEL_SPAN: add_span(context, p, p->name); break;
    case MODEL_JOB: add_span(context, p, "job"); break;
    case MODEL_BLOCKING: add_span(context, p, "blocking call"); break;
    case MODEL_HELD: add_held(context, p); break;
    case MODEL_PAUSE: add_pause(context, p); break;
    case MODEL_SLEEP: break;
    }
}

static void on_counter(struct gather *g, const struct model_point *p)
{
    bool fresh;
    uint32_t word = words_of(&g->words, p->text);
    uint32_t counter = pairs_of(&g->counter_names, word, 0, &fresh);
    g->failed |= counter == PAIRS_NONE;
    if (!isfinite(p->value) || !ROOM(g, g->points, g->point_count, g->point_room))
        return;
    g->points[g->point_count] = (struct counter_point){
        .time = p->at, .value = p->value, .counter = counter, .sequence = (uint32_t)g->point_count
    };
    g->point_count++;
}

static void on_mark(struct gather *g, const struct model_point *p)
{
    if (!ROOM(g, g->marks, g->mark_count, g->mark_room))
        return;
    g->marks[g->mark_count++] = (struct mark){ .task = p->task,
                                               .time = p->at,
                                               .value = p->result,
                                               .text = words_of(&g->words, p->text),
                                               .error = p->type == MODEL_ERROR };
}

static uint32_t function_word(struct gather *g, uint64_t address)
{
    if (address == 0)
        return 0;
    uint32_t place = place_of(g, address);
    return g->failed ? 0 : g->place_words[place];
}

static void on_task_point(struct gather *g, const struct model_point *p)
{
    uint32_t place;
    struct task *task = p->task != 0 ? task_of(g, p->task, &place) : NULL;
    if (task == NULL)
        return;
    switch (p->type) {
    case MODEL_SPAWN:
        task->parent = p->other;
        task->flags &= (uint8_t)~TASK_BEGUN_BEFORE;
        task->function = function_word(g, p->object);
        break;
    case MODEL_START:
        if (task->function == 0)
            task->function = function_word(g, p->object);
        task->start_lane = p->lane < g->trace->lane_count ? p->lane + 1 : 0;
        break;
    case MODEL_EXIT:
        task->flags |= TASK_RESULT;
        task->result = p->result > -(int64_t)FACT_MAX / 2 && p->result < (int64_t)FACT_MAX / 2
                           ? p->result
                           : 0;
        break;
    case MODEL_STEAL:
        if (p->other < UINT32_MAX)
            task->stolen_from = (uint32_t)p->other + 1;
        break;
    default: break;
    }
}

static void on_point(void *context, const struct model_point *p)
{
    struct gather *g = context;
    switch (p->type) {
    case MODEL_COUNTER: on_counter(g, p); break;
    case MODEL_ERROR:
    case MODEL_MARK: on_mark(g, p); break;
    default: on_task_point(g, p); break;
    }
}

/* Which worker a lane was last, as its events say. */
static int64_t lane_worker(const struct trace_lane *lane)
{
    if (lane->head->worker >= 0)
        return lane->head->worker;
    for (size_t i = lane->count; i-- > 0;) {
        const struct hkt_event *e = &lane->events[i];
        if (HKT_KIND(e) == HKT_LANE_OF && e->value > 0 && e->value <= INT32_MAX)
            return (int64_t)e->value - 1;
    }
    return -1;
}

/*
 * Rows are for workers, and for other threads that ran more than one task, as those do that have
 * been workers; a thread that is one task has the row of that.
 */
static void find_workers(struct gather *g)
{
    for (uint32_t i = 0; i < g->trace->lane_count; i++) {
        struct lane_use *lane = &g->lanes[i];
        lane->worker = lane_worker(&g->trace->lanes[i]);
        if (lane->worker < 0 && !lane->several)
            continue;
        g->workers[g->worker_count++] = i;
        lane->place = g->worker_count;
    }
}

/*
 * Events of locks have an address and no kind.  One that somebody waited for is that object; the
 * others are just locks.
 */
static void find_locks(struct gather *g)
{
    size_t n = g->held_locks.used;
    uint32_t *place = calloc(n + 1, sizeof place[0]);
    if (place == NULL) {
        g->failed = true;
        return;
    }
    for (size_t i = g->objects.used; i-- > 0;) {
        uint32_t lock = pairs_find(&g->held_locks, g->objects.pairs[i].b, 0);
        if (lock != PAIRS_NONE)
            place[lock] = (uint32_t)i + 1;
    }
    for (size_t i = 0; i < n && !g->failed; i++) {
        bool fresh;
        uint32_t kind = words_of(&g->words, "lock");
        if (place[i] == 0)
            place[i] = pairs_of(&g->objects, kind, g->held_locks.pairs[i].a, &fresh) + 1;
        g->failed |= place[i] == 0;
    }
    for (size_t i = 0; i < g->held_count && !g->failed; i++)
        g->helds[i].lock = place[g->helds[i].lock] - 1;
    free(place);
}

/* What the list of those that lived at the end knows besides. */
static void placements(struct gather *g)
{
    for (uint32_t i = 0; i < g->task_ids.used; i++) {
        struct task *task = &g->tasks[i];
        if (task->start_lane != 0 && g->lanes[task->start_lane - 1].place == 0)
            task->placement = HKT_THREAD;
    }
    for (uint32_t i = 0; i < g->trace->task_count; i++) {
        uint32_t place = pairs_find(&g->task_ids, g->trace->tasks[i].id, 0);
        if (place == PAIRS_NONE)
            continue;
        g->tasks[place].placement = (uint8_t)(g->trace->tasks[i].placement & 3);
        g->tasks[place].lives = true;
    }
}

/* Its last bar ends: in what nobody knows, or, as far as that can be known, with the task. */
static void last_change(struct gather *g, uint32_t place)
{
    const struct task *task = &g->tasks[place];
    if (task->seen && (!task->open || task->until < g->end))
        change(g, &(struct change){ .time = task->until,
                                    .task = place,
                                    .state = task->open && task->lives ? CHANGE_UNKNOWN
                                                                       : CHANGE_GONE });
}

/* A span whose end was not seen ends with its task, as far as that is known. */
static void cut_spans(struct gather *g)
{
    for (size_t i = 0; i < g->span_count; i++) {
        struct span *s = &g->spans[i];
        uint32_t place = s->cut && s->task != 0 ? pairs_find(&g->task_ids, s->task, 0) : PAIRS_NONE;
        const struct task *task = place != PAIRS_NONE ? &g->tasks[place] : NULL;
        if (task != NULL && task->seen && !task->lives && s->start + s->length > task->until)
            s->length = task->until > s->start ? task->until - s->start : 0;
    }
}

bool gather(struct gather *g, const struct trace *t)
{
    const struct model_sink sink = {
        .context = g, .bar = on_bar, .piece = on_piece, .point = on_point
    };
    char program[sizeof t->header->program + 1];
    memset(g, 0, sizeof *g);
    g->trace = t;
    g->end = trace_duration(t);
    memcpy(program, t->header->program, sizeof program - 1);
    program[sizeof program - 1] = '\0';
    g->program = words_of(&g->words, program);
    g->lanes = calloc(t->lane_count + 1, sizeof g->lanes[0]);
    g->workers = calloc(t->lane_count + 1, sizeof g->workers[0]);
    if (g->lanes == NULL || g->workers == NULL)
        return false;
    (void)place_of(g, 0);
    if (!trace_model(t, &sink))
        return false;
    find_workers(g);
    find_locks(g);
    placements(g);
    for (uint32_t i = 0; !g->failed && i < g->task_ids.used; i++)
        last_change(g, i);
    cut_spans(g);
    return !g->failed && !g->words.text.failed;
}

void gather_free(struct gather *g)
{
    words_free(&g->words);
    pairs_free(&g->objects);
    pairs_free(&g->places);
    pairs_free(&g->task_ids);
    pairs_free(&g->held_locks);
    pairs_free(&g->counter_names);
    free(g->workers);
    free(g->lanes);
    free(g->place_words);
    free(g->tasks);
    free(g->changes);
    free(g->spans);
    free(g->helds);
    free(g->pauses);
    free(g->points);
    free(g->marks);
}
