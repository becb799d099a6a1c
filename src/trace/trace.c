/* SPDX-License-Identifier: MIT */
/*
 * trace - when a trace begins and ends, and what the program says itself
 *
 *   OFF -> BUSY -> ON       start
 *   ON -> BUSY -> ON | OFF  write, stop; the runtime's stop; exit(3)
 *
 * BUSY is an exclusive right, never waited for: whoever finds it gets -EBUSY.  What belongs to the
 * trace (`path`, `began`) is written in BUSY alone.  A process that dies writes the file too, unless
 * it interrupted somebody who does.
 */
#include "trace/timeline.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/panic.h"
#include "park/forked.h"
#include "sys/sys.h"
#include "sys/ticks.h"
#include "trace/ring.h"
#include "trace/share.h"

#define BUFFER_MIN ((size_t)4 << 10)
#define BUFFER     ((size_t)4 << 20)
#define BUFFER_MAX ((size_t)1 << 30)
#define SHARE      10
#define CLASSES    (HOCKET_TRACE_DEFAULT | HOCKET_TRACE_LOCKS)

/* The public classes are those of the file. */
#define SAME(name) ((int)HOCKET_TRACE_##name == (int)HKT_CLASS_##name)
_Static_assert(SAME(TASKS) && SAME(WAITS) && SAME(LOCKS), "see hocket/trace.h");
_Static_assert(SAME(JOBS) && SAME(WORKERS) && SAME(USER), "see hocket/trace.h");

enum state { OFF, BUSY, ON };
static _Atomic uint32_t state;
static struct hocket__trace_began began;
static uint32_t classes;
static char path[PATH_MAX]; /* absolute: the program may change its folder */
static _Atomic int owner;   /* the process whose trace it is, not its forked children */

/* From `from` to BUSY. */
static bool take(enum state from)
{
    uint32_t old = from;
    return hk_cas(&state, &old, BUSY);
}

static bool is_ours(void)
{
    return hk_load(&owner) == (int)getpid();
}

/* For a new trace; that of a parent is none. */
static bool take_free(void)
{
    if (take(OFF))
        return true;
    if (is_ours() || !take(ON))
        return false;
    hocket__events_record(0);
    return true;
}

static void give(enum state to)
{
    hk_store_rel(&state, to); /* pairs with the next take */
}

/* ---- start ---- */

/* That the file can be written is known now, not at the end. */
static int path_try(void)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);
    if (fd < 0)
        return -errno;
    (void)close(fd);
    return 0;
}

/* Bytes of a ring, or 0. */
static size_t buffer_of(size_t wanted)
{
    size_t bytes = BUFFER_MIN;
    if (wanted > BUFFER_MAX)
        return 0;
    while (bytes < (wanted ? wanted : BUFFER))
        bytes *= 2;
    return bytes;
}

static void at_exit(void);
static void at_death(void);

static int prepare(void)
{
    static bool registered; /* BUSY */
    int err = hocket__fork_watch();
    if (err == 0)
        err = hocket__rings_prepare();
    if (err == 0)
        err = hocket__writer_prepare();
    if (err == 0 && !registered) {
        if (atexit(at_exit) != 0)
            return -ENOMEM;
        hocket__at_death(at_death);
        registered = true;
    }
    return err;
}

/* In BUSY. */
static int start(const char *name, const hocket_trace_options *o)
{
    size_t bytes = buffer_of(o->buffer);
    uint32_t wanted = o->events ? o->events : HOCKET_TRACE_DEFAULT;
    if (bytes == 0 || (wanted & ~(uint32_t)CLASSES) != 0 || o->share > 100)
        return -EINVAL;
    hocket__trace_ring_size(bytes);
    int err = hocket__path_whole(name, path, sizeof path);
    if (err == 0)
        err = path_try();
    if (err == 0)
        err = prepare();
    if (err != 0)
        return err;
    hocket__rings_forget();
    classes = wanted;
    hk_store(&owner, (int)getpid());
    began.ns = hocket__clock();
    began.ticks = (uint64_t)hocket__ticks();
    hocket__share_begin(o->share ? o->share : SHARE);
    hocket__events_record(classes);
    return 0;
}

int hocket_trace_start(const char *name, const hocket_trace_options *options)
{
    if (options != NULL && options->size != 0 && options->size < sizeof *options)
        return -EINVAL;
    if (!take_free())
        return -EBUSY;
    static const hocket_trace_options usual = HOCKET_TRACE_OPTIONS_DEFAULT;
    int err = start(name, options != NULL ? options : &usual);
    give(err == 0 ? ON : OFF);
    return err;
}

/* ---- writing ---- */

/* Events of all rings: has anything happened since the file was written? */
static uint64_t written_at;

static uint64_t events_now(void)
{
    uint64_t n = 0;
    const struct hocket__trace_ring *r;
    for (uint32_t i = 0; (r = hocket__trace_ring_at(i)) != NULL; i++)
        n += hk_load(&r->next);
    return n;
}

static void over(uint32_t flags)
{
    if ((flags & HKT_FLAG_EMERGENCY) == 0)
        hocket__share_end();
    hocket__events_record(0);
}

/* In BUSY.  A trace that cannot be written is over. */
static int write_out(bool stop, uint32_t flags)
{
    if (stop)
        over(flags);
    uint64_t events = events_now();
    int err = hocket__trace_write(path, &began, classes, flags | (stop ? 0 : HKT_FLAG_RUNNING));
    written_at = events;
    if (err != 0)
        over(flags);
    return err;
}

static int finish(bool stop)
{
    if (!is_ours())
        return -EINVAL;
    if (!take(ON))
        return hk_load(&state) == OFF ? -EINVAL : -EBUSY;
    int err = write_out(stop, 0);
    give(stop || err != 0 ? OFF : ON);
    return err;
}

int hocket_trace_stop(void)
{
    return finish(true);
}

int hocket_trace_write(void)
{
    return finish(false);
}

bool hocket_trace_active(void)
{
    return hk_load(&hocket__tracing) != 0 && is_ours();
}

/* The one line about a file that could not be written, where nobody gets the error. */
static void complain(int err, bool dying)
{
    char line[PATH_MAX + 128], number[32];
    /* strerror may allocate */
    (void)snprintf(number, sizeof number, "error %d", -err);
    int n = snprintf(line, sizeof line, "hocket: the trace is over: %s: %s\n", path,
                     dying ? number : strerror(-err));
    size_t length = n < (int)sizeof line ? (size_t)n : sizeof line - 1;
    if (write(STDERR_FILENO, line, length) < 0)
        return; /* nobody to tell */
}

/* Nobody asked: the runtime stops, or the process. */
static void write_unasked(bool stop)
{
    if (!is_ours() || !take(ON))
        return;
    bool written = events_now() == written_at;
    int err = written ? 0 : write_out(stop, 0);
    if (written && stop)
        over(0);
    if (err != 0)
        complain(err, false);
    give(stop || err != 0 ? OFF : ON);
}

static void at_exit(void)
{
    write_unasked(true);
}

void hocket__trace_runtime_stopped(void)
{
    write_unasked(false);
}

/* The process is about to die, and whoever has the trace may be under us. */
static void at_death(void)
{
    if (!is_ours() || !take(ON))
        return;
    int err = write_out(true, HKT_FLAG_EMERGENCY);
    if (err != 0)
        complain(err, true);
}

/* ---- HOCKET_TRACE ---- */

static void wrong(const char *variable, const char *why)
{
    (void)fprintf(stderr, "hocket: %s: %s; there is no trace\n", variable, why);
}

/* "64K", "4M", "65536"; false: nothing of the kind. */
static bool size_of(const char *text, size_t *ret)
{
    char *end;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    unsigned shift = *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0;
    if (end == text || text[0] == '-' || errno != 0 || end[shift != 0] != '\0' || n == 0 ||
        n > BUFFER_MAX >> shift)
        return false;
    *ret = (size_t)n << shift;
    return true;
}

/* "10"; false: no share. */
static bool share_of(const char *text, unsigned *ret)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    *ret = n <= 100 ? (unsigned)n : 0;
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && *ret != 0;
}

/* "tasks,waits" */
static bool classes_of(const char *text, uint32_t *ret)
{
    static const char *const names[] = { "tasks", "waits", "locks", "jobs", "workers", "user" };
    uint32_t found = 0;
    while (*text != '\0') {
        size_t length = strcspn(text, ",");
        uint32_t bit = 0;
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            if (strlen(names[i]) == length && memcmp(names[i], text, length) == 0)
                bit = 1u << i;
        if (bit == 0)
            return false;
        found |= bit;
        text += length + (text[length] == ',');
    }
    *ret = found;
    return found != 0;
}

void hocket__trace_by_env(void)
{
    static char name[PATH_MAX];
    const char *text;
    hocket_trace_options o = HOCKET_TRACE_OPTIONS_DEFAULT;
    if (hocket__env("HOCKET_TRACE") == NULL || !take_free())
        return;
    int err = hocket__env_path("HOCKET_TRACE", name, sizeof name);
    if ((text = hocket__env("HOCKET_TRACE_BUFFER")) != NULL && !size_of(text, &o.buffer))
        wrong("HOCKET_TRACE_BUFFER", "not a size from 4K to 1G");
    else if ((text = hocket__env("HOCKET_TRACE_EVENTS")) != NULL && !classes_of(text, &o.events))
        wrong("HOCKET_TRACE_EVENTS", "not a list of tasks,waits,locks,jobs,workers,user");
    else if ((text = hocket__env("HOCKET_TRACE_SHARE")) != NULL && !share_of(text, &o.share))
        wrong("HOCKET_TRACE_SHARE", "not a number of percent from 1 to 100");
    else if (err != 0 || (err = start(name, &o)) != 0)
        wrong("HOCKET_TRACE", strerror(-err));
    give(hocket_trace_active() ? ON : OFF);
}

/* ---- what the program says ---- */

static bool wanted_by_user(void)
{
    return hk_unlikely((hk_peek(&hocket__tracing) & HKT_CLASS_USER) != 0);
}

static uint64_t self_id(void)
{
    const hocket_task *self = hocket__self_or_null();
    return self != NULL ? hk_load(&self->id) : 0;
}

void hocket_trace_begin(const char *name)
{
    if (wanted_by_user())
        hocket__event_put_text(HKT_SPAN_BEGIN, self_id(), 0, 0, name);
}

void hocket_trace_end(void)
{
    if (wanted_by_user())
        hocket__event_put(HKT_SPAN_END, self_id(), 0, 0);
}

void hocket_trace_counter(const char *name, double value)
{
    uint64_t bits;
    if (!wanted_by_user())
        return;
    memcpy(&bits, &value, sizeof bits);
    hocket__event_put_text(HKT_COUNTER, self_id(), 0, bits, name);
}

void hocket_trace_mark(const char *text)
{
    if (wanted_by_user())
        hocket__event_put_text(HKT_MARK, self_id(), 0, 0, text);
}
