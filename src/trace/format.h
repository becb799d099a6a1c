/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TRACE_FORMAT_H
#define HOCKET_TRACE_FORMAT_H
/*
 * format - the file that a trace is written to
 *
 * Written by src/trace/writer.c, read by tools/trace/reader.c; this header is all that the two
 * share, so it needs nothing but fixed-width integers.
 *
 *     struct hkt_header                     128 bytes
 *     struct hkt_section, its payload       16 bytes, then `size` bytes, a multiple of 8
 *     struct hkt_section, its payload
 *     ...
 *     struct hkt_section of type END        its payload is one uint64_t: the size of the whole file
 *
 * Numbers are in the writer's byte order; a reader compares `order` and refuses the other one.
 * Everything begins at a multiple of 8.  A file that does not end with END was cut.  A reader
 * skips sections whose type it does not know, and events whose kind it does not know; whatever
 * changes the meaning of what is here raises HKT_VERSION, and a reader refuses a version that is
 * not its own.  Nothing in a file can be trusted: each size, count and number is to be checked
 * against what is there.
 *
 * Time is in ticks of the processor's counter since the trace began.  A START or RESUME may have the
 * stamp of the EXIT, PARK or YIELD right before it on its lane: nothing lay between but the switch.
 * The header has two moments in ticks and in nanoseconds; the rate is what lies between.  Counters
 * of two processors agree within some microseconds, no better, so an event on one lane may seem
 * to come before the one on another lane that caused it.
 *
 * Lanes.  What one OS thread saw is a lane: a ring of which the newest events are kept.  There
 * is one for each worker and one for each other thread that took part; after a thread has ended
 * the next one may go on in its lane (a LANE event says so).  A lane's events are in the order
 * in which they happened.  `lost` older ones were overwritten, so a lane may begin with tasks in
 * any state, and lanes begin at different times.
 *
 * Tasks are named by ids, which are never used twice.  0 is "no task": an OS thread that waits
 * for nothing in the library, a timer, the poller, a signal.
 */
#include <stdint.h>

#define HKT_MAGIC   "HKTRACE\n"
#define HKT_VERSION 2u
#define HKT_ORDER   0x01020304u

struct hkt_header {
    char magic[8];        /* HKT_MAGIC without its NUL */
    uint32_t version;     /* HKT_VERSION */
    uint32_t order;       /* HKT_ORDER */
    uint32_t header_size; /* sizeof(struct hkt_header) */
    uint32_t event_size;  /* sizeof(struct hkt_event) */
    uint32_t word_size;   /* sizeof(void *) in the traced process */
    uint32_t pid;
    uint64_t ticks[2];     /* when the trace began, and when this file was written */
    int64_t ns[2];         /* the same moments by CLOCK_MONOTONIC */
    int64_t wall_ns;       /* the second one by CLOCK_REALTIME, since 1970 */
    uint32_t lanes;        /* LANE sections that follow */
    uint32_t events;       /* bits of HKT_CLASS_*: which were recorded */
    uint32_t flags;        /* HKT_FLAG_* */
    uint32_t lanes_denied; /* threads that got no lane because there were too many */
    char program[40];      /* NUL-padded, perhaps cut */
};

enum hkt_flag {
    HKT_FLAG_EMERGENCY = 1, /* the process was about to die by a panic or a signal */
    HKT_FLAG_RUNNING = 2    /* written while the trace went on */
};

/* Classes of events (`events` of the header). */
enum hkt_class {
    HKT_CLASS_TASKS = 1,    /* SPAWN START EXIT */
    HKT_CLASS_WAITS = 2,    /* PARK HOLDER READY RESUME YIELD */
    HKT_CLASS_LOCKS = 4,    /* LOCK_TAKEN LOCK_GIVEN, also uncontended */
    HKT_CLASS_JOBS = 8,     /* JOB_BEGIN JOB_END */
    HKT_CLASS_WORKERS = 16, /* STEAL SLEEP AWAKE BLOCKING UNBLOCKED */
    HKT_CLASS_USER = 32     /* SPAN_BEGIN SPAN_END COUNTER MARK */
};                          /* ERROR, NAME, LANE come always */

struct hkt_section {
    uint32_t type;  /* enum hkt_section_type */
    uint32_t count; /* of what the type says */
    uint64_t size;  /* bytes of payload */
};

enum hkt_section_type {
    HKT_END = 0,     /* payload: uint64_t, size of the file with this section */
    HKT_LANE = 1,    /* struct hkt_lane, then `count` struct hkt_event, oldest first */
    HKT_KINDS = 2,   /* `count` struct hkt_kind: names of kinds of waits */
    HKT_TASKS = 3,   /* `count` struct hkt_task: tasks that lived when the file was written */
    HKT_MODULES = 4, /* `count` struct hkt_module: where call sites lie */
    HKT_SYMBOLS = 5, /* `count` struct hkt_symbol: what the process knew of call sites */
    HKT_PAUSES = 6   /* `count` struct hkt_pause: when only USER and errors were recorded */
};

struct hkt_lane {
    uint32_t number; /* 0, 1, 2, ... in order of their making */
    int32_t worker;  /* its index, or -1: a thread that is no worker */
    uint32_t tid;    /* the kernel's id of the thread that wrote last */
    uint32_t ended;  /* 1: that thread has ended */
    uint64_t lost;   /* older events that were overwritten */
    uint64_t missed; /* events that could not be recorded (in a signal handler inside an event) */
    char name[16];   /* of the thread, NUL-padded; may be empty */
};

/* A kind of wait: "mutex", "queue get", ...  PARK has its number. */
struct hkt_kind {
    uint32_t number;
    char name[28];
};

struct hkt_task {
    uint64_t id;        /* 0: nobody, to be passed over */
    uint32_t placement; /* enum hkt_placement */
    uint32_t state;     /* enum hkt_state */
    char name[48];      /* NUL-padded; empty: it has none */
};

enum hkt_placement { HKT_FOREIGN, HKT_THREAD, HKT_FIBER };
enum hkt_state { HKT_STATE_OTHER, HKT_STATE_WAITING };

/* A mapping of code: `start` to `end` is `path` from `offset` on. */
struct hkt_module {
    uint64_t start, end, offset;
    char path[232]; /* NUL-padded; one that is longer is left out */
};

struct hkt_symbol {
    uint64_t address; /* as it stands in an event */
    char name[120];   /* "function+0x12", NUL-padded, perhaps cut */
};

/*
 * From `from` to `to`, in ticks since the trace began, the classes but USER were not recorded: what lanes
 * have of them there came late, and nothing is known of who ran or waited.  In order of time, none
 * within another; the last one may end after the file, with `to` UINT64_MAX.  If older ones are
 * forgotten the first has `from` 0.
 */
struct hkt_pause {
    uint64_t from, to;
};

/*
 * An event.  `when` is ticks since the trace began << 8 | kind.
 *
 * Some kinds are followed by a text: events of kind TEXT whose bytes 8..31 are the next 24
 * bytes of it, NUL-padded, with `when` >> 8 as the number of TEXT events that still follow (so
 * the last one has 0).  They lie behind their event without a gap; a lane may begin with some
 * whose event was overwritten.
 *
 * What a lane runs: START and RESUME say which task the lane's thread is with from now on; PARK,
 * YIELD and EXIT end that.  One exception: a START while another task runs is a join in place;
 * the task below waits for the one above, and runs on at the EXIT of that without a RESUME.
 *
 *   kind        task             object               value                           text
 *   SPAWN       the new one      its function         the spawner; it is ready now
 *   START       runs, first time -                    its function
 *   EXIT        runs no more     -                    its result, int64_t             its name
 *   PARK        runs no more     what it waits for    HKT_PARK_VALUE(kind, call site)
 *   HOLDER      the waiter       what it waits for    a task that has it; before its PARK
 *   READY       the woken one    what it waited for   the waker; 0: time, or outside
 *   RESUME      runs again       what it waited for   int64_t: 0, or -errno of the wait
 *   YIELD       runs no more, is ready
 *   LOCK_TAKEN  the owner        the lock             1: for reading
 *   LOCK_GIVEN  the owner        the lock             -
 *   JOB_BEGIN   that runs it     the job              -
 *   JOB_END     that ran it      the job              its result, int64_t
 *   STEAL       -                how many tasks       index of the worker that had them
 *   SLEEP       -                -                    - (the worker has nothing to do)
 *   AWAKE       -                -                    - (and looks for work)
 *   BLOCKING    that makes a call which blocks its worker
 *   UNBLOCKED   that is back from it
 *   ERROR       that failed      -                    -errno, int64_t                 its words
 *   SPAN_BEGIN  who called       -                    -                               name
 *   SPAN_END    that ends its innermost span
 *   COUNTER     who called       -                    the bits of a double            name
 *   MARK        who called       -                    -                               text
 *   NAME        got a name       its placement        -                               the name
 *   LANE_OF     -                a thread's id        worker + 1, or 0                its name
 *
 * Who called a span, counter or mark may be 0: then they belong to their lane.  LANE_OF: from
 * here on the lane is that thread's.  The texts of EXIT and LANE_OF may be missing.
 */
struct hkt_event {
    uint64_t when;
    uint64_t task;
    uint64_t object;
    uint64_t value;
};

#define HKT_TEXT_BYTES 24
#define HKT_TEXT_MAX   120 /* bytes of the longest text */

enum hkt_event_kind {
    HKT_TEXT = 0,
    HKT_SPAWN = 1,
    HKT_START = 2,
    HKT_EXIT = 3,
    HKT_PARK = 4,
    HKT_HOLDER = 5,
    HKT_READY = 6,
    HKT_RESUME = 7,
    HKT_YIELD = 8,
    HKT_LOCK_TAKEN = 9,
    HKT_LOCK_GIVEN = 10,
    HKT_JOB_BEGIN = 11,
    HKT_JOB_END = 12,
    HKT_STEAL = 13,
    HKT_SLEEP = 14,
    HKT_AWAKE = 15,
    HKT_BLOCKING = 16,
    HKT_UNBLOCKED = 17,
    HKT_ERROR = 18,
    HKT_SPAN_BEGIN = 19,
    HKT_SPAN_END = 20,
    HKT_COUNTER = 21,
    HKT_MARK = 22,
    HKT_NAME = 23,
    HKT_LANE_OF = 24,
    HKT_EVENT_KINDS /* how many there are */
};

/* Call sites are addresses of code, which have 48 bits; the rest is the number of the kind. */
#define HKT_PARK_VALUE(kind, site) ((uint64_t)(kind) << 48 | ((uint64_t)(site)&0xffffffffffffu))
#define HKT_PARK_KIND(value)       ((uint32_t)((value) >> 48))
#define HKT_PARK_SITE(value)       ((value)&0xffffffffffffu)

#define HKT_KIND(event)  ((enum hkt_event_kind)((event)->when & 0xff))
#define HKT_TICKS(event) ((event)->when >> 8)

_Static_assert(sizeof(struct hkt_header) == 128, "the layout of the file");
_Static_assert(sizeof(struct hkt_event) == 32, "the layout of the file");
_Static_assert(sizeof(struct hkt_lane) == 48 && sizeof(struct hkt_kind) == 32, "likewise");
_Static_assert(sizeof(struct hkt_task) == 64 && sizeof(struct hkt_symbol) == 128, "likewise");
_Static_assert(sizeof(struct hkt_module) == 256 && sizeof(struct hkt_section) == 16, "likewise");
_Static_assert(sizeof(struct hkt_pause) == 16, "likewise");

#endif
