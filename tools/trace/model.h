/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_TRACE_MODEL_H
#define TOOLS_TRACE_MODEL_H
#include "trace/reader.h"

/*
 * model - what the events of a trace mean: bars, arrows and things between
 *
 * trace_model goes once through the events in order of time and calls what the sink has (any
 * may be NULL).  A bar is given when it ends, so bars come in order of their ends.  Those
 * that had begun before the first event, or last beyond the last, are cut there
 * (`cut_start`, `cut_end`), and so are they by a pause.  All times are nanoseconds since the trace began, start <= end.
 */
enum model_state {
    MODEL_RUN,   /* on `lane` */
    MODEL_READY, /* could run, and nobody runs it */
    MODEL_WAIT   /* for what the bar says */
};

#define MODEL_NO_LANE UINT32_MAX

struct model_bar {
    uint64_t task; /* never 0 */
    enum model_state state;
    bool cut_start, cut_end;
    int64_t start, end;
    uint32_t lane; /* RUN: where; WAIT: where it parked, or MODEL_NO_LANE */
    /* WAIT and the READY after it */
    uint32_t kind;   /* trace_kind_name; MODEL_KIND_IN_PLACE: runs `holder` on top of itself */
    uint64_t object; /* address, 0 unknown */
    uint64_t site;   /* address of code, 0 unknown */
    uint64_t holder; /* a task, 0 unknown */
    uint64_t waker;  /* a task; 0: a time, something outside, or unknown */
    int64_t result;  /* of a WAIT whose end was seen by RESUME: 0, -errno */
};

#define MODEL_KIND_IN_PLACE 0xffffffffu
#define MODEL_KIND_UNKNOWN  0xfffffffeu

/* The words for those two too. */
const char *model_kind_name(const struct trace *t, uint32_t kind);

/* An arrow: `waker` (0: outside) on `lane` made `task` ready. */
struct model_wake {
    uint64_t task, waker, object;
    int64_t at;
    uint32_t lane;
};

/*
 * A span of a user, a job of an executor, a lock held, a blocking call, sleep of a worker; a
 * pause of the trace, on no lane, which cuts all others but spans.
 */
enum model_piece_type {
    MODEL_SPAN,
    MODEL_JOB,
    MODEL_HELD,
    MODEL_BLOCKING,
    MODEL_SLEEP,
    MODEL_PAUSE
};
struct model_piece {
    enum model_piece_type type;
    uint64_t task;  /* 0: of the lane */
    uint32_t lane;  /* where it began, or MODEL_NO_LANE */
    uint32_t depth; /* MODEL_SPAN: how many are around it */
    bool cut_start, cut_end;
    int64_t start, end;
    uint64_t object;  /* JOB, HELD */
    int64_t result;   /* JOB */
    const char *name; /* SPAN; else "" */
};

/* Something at one moment. */
enum model_point_type {
    MODEL_SPAWN,
    MODEL_START,
    MODEL_EXIT,
    MODEL_STEAL,
    MODEL_ERROR,
    MODEL_MARK,
    MODEL_COUNTER
};
struct model_point {
    enum model_point_type type;
    uint64_t task; /* SPAWN: the new one */
    uint32_t lane;
    int64_t at;
    uint64_t other;   /* SPAWN: the spawner; STEAL: the worker it was taken from */
    uint64_t object;  /* SPAWN, START: the task's function; STEAL: how many tasks */
    int64_t result;   /* EXIT, ERROR */
    double value;     /* COUNTER */
    const char *text; /* ERROR, MARK, COUNTER; else "" */
};

struct model_sink {
    void *context;
    void (*bar)(void *context, const struct model_bar *bar);
    void (*wake)(void *context, const struct model_wake *wake);
    void (*piece)(void *context, const struct model_piece *piece);
    void (*point)(void *context, const struct model_point *point);
};

/* False: no memory. */
bool trace_model(const struct trace *t, const struct model_sink *sink);

#endif
