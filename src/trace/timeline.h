/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TRACE_TIMELINE_H
#define HOCKET_TRACE_TIMELINE_H

/*
 * timeline - its events (events.c), the file (writer.c), and when (trace.c)
 */
#include <hocket/trace.h>

#include "park/record.h"
#include "trace/format.h"

/* ---- events.c ---- */

/* Classes that are recorded now, bits of enum hkt_class; 0: no trace.  Orders nothing. */
extern _Atomic uint32_t hocket__tracing;

/* Record events of these classes from now on (0: none). */
void hocket__events_record(uint32_t classes);
/* For a while (share.h) only what the program says, and errors; or all of these classes again. */
void hocket__events_pause(bool pause);

void hocket__event_put(enum hkt_event_kind kind, uint64_t task, uint64_t object, uint64_t value);
/* The same with a text of up to HKT_TEXT_MAX bytes; longer ones are cut. */
void hocket__event_put_text(enum hkt_event_kind kind, uint64_t task, uint64_t object,
                            uint64_t value, const char *text);

/* Kinds of waits that were seen, and their numbers: [1, count]. */
uint32_t hocket__event_kinds(void);
const char *hocket__event_kind_name(uint32_t number);

/* ---- writer.c ---- */

/* When a trace began: what its ticks and the clock said. */
struct hocket__trace_began {
    uint64_t ticks;
    int64_t ns;
};

/*
 * Write what there is into the file, made or emptied.  One caller at a time.  Allocates
 * nothing; signal-safe with HKT_FLAG_EMERGENCY.  0 or -errno of the first failure.
 */
int hocket__trace_write(const char *path, const struct hocket__trace_began *began, uint32_t classes,
                        uint32_t flags);

/* Memory for writing, once.  0, -ENOMEM. */
int hocket__writer_prepare(void);

/* ---- trace.c ---- */

/* HOCKET_TRACE; called by start.c. */
void hocket__trace_by_env(void);
void hocket__trace_runtime_stopped(void);

#endif
