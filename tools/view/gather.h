/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_VIEW_GATHER_H
#define TOOLS_VIEW_GATHER_H
#include "trace/reader.h"
#include "view/columns.h"

/* gather - what the page shows of a trace, as the model gives it and not in order yet */

/* The page's numbers are doubles: what is larger is cut. */
#define FACT_MAX (((uint64_t)1 << 53) - 1)

enum change_state { CHANGE_GONE, CHANGE_READY, CHANGE_RUNNING, CHANGE_WAITING, CHANGE_UNKNOWN };

struct change {
    int64_t time;
    uint64_t other;    /* id of a task: READY the waker, WAITING the holder */
    uint32_t sequence; /* those of a task come in order */
    uint32_t task;
    uint32_t a; /* RUNNING lane; WAITING object */
    uint32_t b; /* RUNNING index of the worker it was taken from + 1; WAITING place */
    uint16_t c; /* RUNNING: errno of the wait before */
    uint8_t state;
};

enum task_flags { TASK_BEGUN_BEFORE = 1, TASK_RESULT = 2 };

struct task {
    uint64_t parent;
    int64_t result, until;   /* `until`: end of its last bar */
    uint32_t name, function; /* words */
    uint32_t stolen_from;    /* index of a worker + 1, until it runs */
    uint32_t start_lane;     /* + 1, if its start was seen */
    uint16_t outcome;        /* of its last wait */
    uint8_t placement, flags;
    bool seen, open; /* it had a bar; which lasted beyond a pause or the end of the trace */
    bool lives;      /* when the file was written */
};

struct span {
    uint64_t task;
    int64_t start, length;
    uint32_t name;
    bool cut; /* its end was not seen */
};

struct held {
    uint64_t task;
    int64_t start, length;
    uint32_t lock; /* place in held_locks, then in objects */
};

struct pause {
    int64_t start, length;
};

struct counter_point {
    int64_t time;
    double value;
    uint32_t counter, sequence;
};

struct mark {
    uint64_t task;
    int64_t time, value;
    uint32_t text;
    bool error;
};

struct gather {
    const struct trace *trace;
    bool failed;
    int64_t end;
    uint32_t program;
    struct words words;
    struct lane_use {
        uint64_t task;  /* one that ran there */
        int64_t worker; /* index, or -1 */
        uint32_t place; /* in `workers` + 1, or 0: has no row */
        bool several;   /* more than that one ran there */
    } * lanes;
    uint32_t *workers, worker_count; /* lanes that have a row */
    struct pairs objects;            /* (word of the kind, address) */
    struct pairs places;             /* (address of a call site, 0); place 0 is unknown */
    uint32_t *place_words;
    size_t place_room;
    struct pairs task_ids; /* (id, 0) */
    struct task *tasks;
    size_t task_room;
    struct change *changes;
    size_t change_count, change_room;
    struct span *spans;
    size_t span_count, span_room;
    struct pause *pauses;
    size_t pause_count, pause_room;
    struct pairs held_locks; /* (address, 0) */
    struct held *helds;
    size_t held_count, held_room;
    struct pairs counter_names; /* (word, 0) */
    struct counter_point *points;
    size_t point_count, point_room;
    struct mark *marks;
    size_t mark_count, mark_room;
};

/* False: no memory.  To be freed in any case. */
bool gather(struct gather *g, const struct trace *t);
void gather_free(struct gather *g);

#endif
