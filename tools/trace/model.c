/* SPDX-License-Identifier: MIT */
/*
 * model - from events to bars; see model.h
 *
 * Each task and each lane has a state, found by its id; an event closes the bar that lasted until
 * now and begins the next.  What a trace does not have (older events that were overwritten, classes
 * that were not recorded, clocks that differ between processors) leaves unknown parts, never
 * bars that overlap.  At a pause everything becomes unknown.
 *
 *   SPAWN            -> READY
 *   START    READY   -> RUN; the task that ran there waits "in place" until EXIT
 *   PARK     RUN     -> WAIT
 *   READY    WAIT    -> READY; RUN -> remembered: a waker may be quicker than the one who parks
 *   RESUME   WAIT | READY -> RUN
 *   YIELD    RUN     -> READY
 *   EXIT     RUN     -> ended
 */
#include "trace/model.h"

#include <stdlib.h>
#include <string.h>

#include "trace/owners.h"

struct model {
    const struct trace *trace;
    const struct model_sink *sink;
    struct owners owners;
    bool waits_seen; /* WAITS was recorded: a START above a running task is a join in place */
    uint32_t pause;  /* the next one, or that which lasts */
    bool paused;
    int64_t since; /* the end of the last one */
    int64_t end;
    char text[HKT_TEXT_MAX + 1];
};

const char *model_kind_name(const struct trace *t, uint32_t kind)
{
    return kind == MODEL_KIND_IN_PLACE  ? "join in place"
           : kind == MODEL_KIND_UNKNOWN ? "unknown"
                                        : trace_kind_name(t, kind);
}

/* ---- bars ---- */

/* End the bar of `o` at `now` and begin the next one. */
static void turn(struct model *m, struct owner *o, enum owner_state next, int64_t now)
{
    if (o->state != OWNER_UNKNOWN && o->state != OWNER_ENDED && m->sink->bar != NULL) {
        o->bar.task = o->id;
        o->bar.state = o->state == OWNER_RUN     ? MODEL_RUN
                       : o->state == OWNER_READY ? MODEL_READY
                                                 : MODEL_WAIT;
        o->bar.end = now;
        m->sink->bar(m->sink->context, &o->bar);
    }
    o->state = next;
    o->bar.start = now;
    o->bar.cut_start = false;
}

/* What a RUN bar does not have. */
static void no_wait(struct owner *o)
{
    o->bar.kind = MODEL_KIND_UNKNOWN;
    o->bar.object = o->bar.site = o->bar.holder = o->bar.waker = 0;
    o->bar.result = 0;
}

static void run(struct model *m, struct owner *o, struct owner *lane, const struct trace_item *i)
{
    turn(m, o, OWNER_RUN, i->ns);
    no_wait(o);
    o->bar.lane = i->lane;
    o->early_wake = false;
    lane->running = o->id;
    lane->ran = true;
}

/* A task that stops running here though nothing said that it began: it did before the trace. */
static void begun_before(struct model *m, struct owner *o, struct owner *lane,
                         const struct trace_item *i)
{
    if (o->state == OWNER_UNKNOWN && !lane->ran) {
        o->state = OWNER_RUN;
        no_wait(o);
        o->bar.lane = i->lane;
        o->bar.cut_start = true;
        o->bar.start = trace_ns(m->trace, HKT_TICKS(&m->trace->lanes[i->lane].events[0]));
        if (o->bar.start < m->since)
            o->bar.start = m->since;
        if (o->bar.start > i->ns)
            o->bar.start = i->ns;
    }
    lane->ran = true;
}

/* The task that ran on this lane runs there no more, and why was not recorded. */
static void displace(struct model *m, struct owner *lane, uint64_t by, const struct trace_item *i)
{
    struct owner *below = lane->running ? owner_find(&m->owners, lane->running) : NULL;
    if (below == NULL || below->state != OWNER_RUN || below->bar.lane != i->lane || below->id == by)
        return;
    turn(m, below, OWNER_WAIT, i->ns);
    no_wait(below);
    if (by == 0 || !m->waits_seen)
        return;
    below->bar.kind = MODEL_KIND_IN_PLACE;
    below->bar.holder = by;
}

static void on_start(struct model *m, struct owner *o, struct owner *lane,
                     const struct trace_item *i)
{
    uint64_t below = lane->running;
    displace(m, lane, o->id, i);
    o->below = m->waits_seen && below != o->id ? below : 0;
    run(m, o, lane, i);
}

static void on_exit_(struct model *m, struct owner *o, struct owner *lane,
                     const struct trace_item *i)
{
    begun_before(m, o, lane, i);
    turn(m, o, OWNER_ENDED, i->ns);
    if (lane->running == o->id)
        lane->running = 0;
    struct owner *below = o->below ? owner_find(&m->owners, o->below) : NULL;
    if (below != NULL && below->state == OWNER_WAIT && below->bar.kind == MODEL_KIND_IN_PLACE) {
        below->bar.waker = o->id;
        run(m, below, lane, i);
    }
}

static void on_park(struct model *m, struct owner *o, struct owner *lane,
                    const struct trace_item *i)
{
    begun_before(m, o, lane, i);
    turn(m, o, OWNER_WAIT, i->ns);
    no_wait(o);
    o->bar.lane = i->lane;
    o->bar.kind = HKT_PARK_KIND(i->event->value);
    o->bar.site = HKT_PARK_SITE(i->event->value);
    o->bar.object = i->event->object;
    o->bar.holder = o->next_holder;
    o->next_holder = 0;
    if (lane->running == o->id)
        lane->running = 0;
    if (o->early_wake) {
        o->early_wake = false;
        o->bar.waker = o->early_waker;
        turn(m, o, OWNER_READY, i->ns);
    }
}

static void on_ready(struct model *m, struct owner *o, const struct trace_item *i)
{
    struct model_wake wake = { .task = o->id,
                               .waker = i->event->value,
                               .object = i->event->object,
                               .at = i->ns,
                               .lane = i->lane };
    if (m->sink->wake != NULL)
        m->sink->wake(m->sink->context, &wake);
    switch (o->state) {
    case OWNER_WAIT:
        o->bar.waker = wake.waker;
        turn(m, o, OWNER_READY, i->ns);
        break;
    case OWNER_RUN:
        o->early_wake = true;
        o->early_waker = wake.waker;
        break;
    case OWNER_UNKNOWN:
        turn(m, o, OWNER_READY, i->ns);
        no_wait(o);
        o->bar.waker = wake.waker;
        break;
    default: break;
    }
}

static void on_resume(struct model *m, struct owner *o, struct owner *lane,
                      const struct trace_item *i)
{
    if (o->state == OWNER_RUN && o->bar.lane == i->lane) {
        o->early_wake = false;
        return;
    }
    displace(m, lane, 0, i);
    o->bar.result = (int64_t)i->event->value;
    run(m, o, lane, i);
}

static void on_yield(struct model *m, struct owner *o, struct owner *lane,
                     const struct trace_item *i)
{
    begun_before(m, o, lane, i);
    turn(m, o, OWNER_READY, i->ns);
    no_wait(o);
    if (lane->running == o->id)
        lane->running = 0;
}

/* ---- pieces and points ---- */

static bool open_piece(struct model *m, struct owner *o, enum model_piece_type type,
                       const struct trace_item *i)
{
    m->text[0] = '\0';
    if (type == MODEL_SPAN)
        (void)trace_text(&m->trace->lanes[i->lane], i->index, m->text);
    if (o->open_count == OWNER_OPEN_MAX) /* no program does that, a damaged file may */
        return true;
    struct open_piece *p = owner_open(o, type, i->event->object, m->text);
    if (p == NULL)
        return false;
    p->piece.task = i->event->task;
    p->piece.lane = i->lane;
    p->piece.start = i->ns;
    return true;
}

static void give_piece(struct model *m, struct open_piece *p, int64_t end)
{
    p->piece.end = end;
    p->piece.name = p->name;
    if (m->sink->piece != NULL)
        m->sink->piece(m->sink->context, &p->piece);
    free(p);
}

static void close_piece(struct model *m, struct owner *o, enum model_piece_type type,
                        const struct trace_item *i)
{
    struct open_piece *p = owner_close(o, type, i->event->object);
    if (p == NULL) /* it began before the trace: nobody knows when, or under which name */
        return;
    p->piece.result = type == MODEL_JOB ? (int64_t)i->event->value : 0;
    give_piece(m, p, i->ns);
}

static void point(struct model *m, enum model_point_type type, const struct trace_item *i)
{
    if (m->sink->point == NULL)
        return;
    const struct hkt_event *e = i->event;
    struct model_point p = { .type = type, .task = e->task, .lane = i->lane, .at = i->ns };
    m->text[0] = '\0';
    p.text = m->text;
    switch (type) {
    case MODEL_SPAWN:
        p.other = e->value;
        p.object = e->object;
        break;
    case MODEL_START: p.object = e->value; break;
    case MODEL_STEAL:
        p.other = e->value;
        p.object = e->object;
        break;
    case MODEL_EXIT: p.result = (int64_t)e->value; break;
    case MODEL_COUNTER: memcpy(&p.value, &e->value, sizeof p.value); break;
    case MODEL_ERROR: p.result = (int64_t)e->value; break;
    case MODEL_MARK: break;
    }
    if (type == MODEL_ERROR || type == MODEL_MARK || type == MODEL_COUNTER)
        (void)trace_text(&m->trace->lanes[i->lane], i->index, m->text);
    m->sink->point(m->sink->context, &p);
}

/* Events that change what a task does.  `o` is the task's. */
static void task_event(struct model *m, struct owner *o, struct owner *lane,
                       const struct trace_item *i)
{
    switch (HKT_KIND(i->event)) {
    case HKT_SPAWN:
        if (o->state == OWNER_UNKNOWN) {
            turn(m, o, OWNER_READY, i->ns);
            no_wait(o);
            o->bar.waker = i->event->value;
        }
        break;
    case HKT_START: on_start(m, o, lane, i); break;
    case HKT_EXIT: on_exit_(m, o, lane, i); break;
    case HKT_PARK: on_park(m, o, lane, i); break;
    case HKT_HOLDER: o->next_holder = i->event->value; break;
    case HKT_READY: on_ready(m, o, i); break;
    case HKT_RESUME: on_resume(m, o, lane, i); break;
    case HKT_YIELD: on_yield(m, o, lane, i); break;
    default: break;
    }
}

/* Events that open or close a piece of `o`, the task or, without one, the lane. */
static bool piece_event(struct model *m, struct owner *o, const struct trace_item *i)
{
    switch (HKT_KIND(i->event)) {
    case HKT_LOCK_TAKEN: return open_piece(m, o, MODEL_HELD, i);
    case HKT_LOCK_GIVEN: close_piece(m, o, MODEL_HELD, i); break;
    case HKT_JOB_BEGIN: return open_piece(m, o, MODEL_JOB, i);
    case HKT_JOB_END: close_piece(m, o, MODEL_JOB, i); break;
    case HKT_SLEEP: return open_piece(m, o, MODEL_SLEEP, i);
    case HKT_AWAKE: close_piece(m, o, MODEL_SLEEP, i); break;
    case HKT_BLOCKING: return open_piece(m, o, MODEL_BLOCKING, i);
    case HKT_UNBLOCKED: close_piece(m, o, MODEL_BLOCKING, i); break;
    case HKT_SPAN_BEGIN: return open_piece(m, o, MODEL_SPAN, i);
    case HKT_SPAN_END: close_piece(m, o, MODEL_SPAN, i); break;
    default: break;
    }
    return true;
}

static void point_event(struct model *m, const struct trace_item *i)
{
    switch (HKT_KIND(i->event)) {
    case HKT_SPAWN: point(m, MODEL_SPAWN, i); break;
    case HKT_START: point(m, MODEL_START, i); break;
    case HKT_EXIT: point(m, MODEL_EXIT, i); break;
    case HKT_STEAL: point(m, MODEL_STEAL, i); break;
    case HKT_ERROR: point(m, MODEL_ERROR, i); break;
    case HKT_MARK: point(m, MODEL_MARK, i); break;
    case HKT_COUNTER: point(m, MODEL_COUNTER, i); break;
    default: break;
    }
}

static void cut_pieces(struct model *m, struct owner *o, bool but_spans, int64_t now)
{
    for (struct open_piece *p; (p = owner_close_any(o, but_spans)) != NULL;) {
        p->piece.cut_end = true;
        give_piece(m, p, now);
    }
}

/* What lasts beyond the last event of an owner. */
static void finish(struct model *m, struct owner *o, int64_t now)
{
    cut_pieces(m, o, false, now);
    if (o->state != OWNER_ENDED) {
        o->bar.cut_end = true;
        turn(m, o, OWNER_ENDED, now);
    }
}

/* From here on nothing is known of it. */
static void forget(void *context, struct owner *o)
{
    struct model *m = context;
    int64_t now = trace_ns(m->trace, m->trace->pauses[m->pause].from);
    cut_pieces(m, o, true, now);
    o->bar.cut_end = true;
    turn(m, o, OWNER_UNKNOWN, now);
    o->bar.cut_end = false;
    o->early_wake = o->ran = false;
    o->next_holder = o->below = o->running = 0;
}

static void pause_begins(struct model *m)
{
    m->paused = true;
    owners_forget(&m->owners, forget, m);
}

static void pause_ends(struct model *m, int64_t from, int64_t to)
{
    const struct model_piece p = {
        .type = MODEL_PAUSE, .lane = MODEL_NO_LANE, .start = from, .end = to, .name = ""
    };
    if (m->sink->piece != NULL)
        m->sink->piece(m->sink->context, &p);
    m->since = to;
    m->paused = false;
    m->pause++;
}

/* The pauses that begin or end until `now`. */
static void pauses(struct model *m, int64_t now)
{
    while (m->pause < m->trace->pause_count) {
        const struct hkt_pause *p = &m->trace->pauses[m->pause];
        int64_t from = trace_ns(m->trace, p->from), to = trace_ns(m->trace, p->to);
        if (from > now)
            return;
        if (!m->paused)
            pause_begins(m);
        if (to > now)
            return;
        pause_ends(m, from, to);
    }
}

/* Is it recorded also in a pause? */
static bool in_pauses(enum hkt_event_kind kind)
{
    return kind == HKT_SPAN_BEGIN || kind == HKT_SPAN_END || kind == HKT_COUNTER ||
           kind == HKT_MARK || kind == HKT_ERROR || kind == HKT_NAME || kind == HKT_LANE_OF;
}

static bool event(struct model *m, const struct trace_item *i)
{
    struct owner *lane = &m->owners.lanes[i->lane], *o = lane;
    uint64_t task = i->event->task;
    if (task != 0 && !owner_of(&m->owners, task, &o))
        return false;
    if (m->trace->pause_count > 0 &&
        (!owner_known(&m->owners, lane) || (o != NULL && !owner_known(&m->owners, o))))
        return false;
    point_event(m, i);
    if (o == NULL) /* it has ended: a clock that is behind, ids are not used twice */
        return true;
    if (task != 0)
        task_event(m, o, lane, i);
    if (o->state == OWNER_ENDED && task != 0) {
        finish(m, o, i->ns);
        owner_end(&m->owners, o);
        return true;
    }
    return piece_event(m, o, i);
}

bool trace_model(const struct trace *t, const struct model_sink *sink)
{
    struct model m = { .trace = t, .sink = sink, .end = trace_duration(t) };
    struct trace_cursor c;
    m.waits_seen = (t->header->events & HKT_CLASS_WAITS) != 0;
    if (!trace_cursor_start(&c, t))
        return false;
    bool good = owners_start(&m.owners, t->lane_count);
    for (struct trace_item i; good && trace_cursor_next(&c, &i);) {
        pauses(&m, i.ns);
        if (!m.paused || in_pauses(HKT_KIND(i.event)))
            good = event(&m, &i);
        m.end = i.ns > m.end ? i.ns : m.end;
    }
    trace_cursor_end(&c);
    if (good)
        pauses(&m, m.end);
    if (good && m.paused)
        pause_ends(&m, trace_ns(t, t->pauses[m.pause].from), m.end);
    for (size_t i = 0; good && i < m.owners.room; i++)
        if (m.owners.slots[i].owner != NULL)
            finish(&m, m.owners.slots[i].owner, m.end);
    for (uint32_t i = 0; good && i < t->lane_count; i++)
        finish(&m, &m.owners.lanes[i], m.end);
    owners_end(&m.owners);
    return good;
}
