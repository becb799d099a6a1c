/* SPDX-License-Identifier: MIT */
/*
 * The file is read section by section, each looked at before the next, so a size that lies costs no
 * more memory than the file has bytes; then everything is pointers into one block.
 */
#include "trace/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trace/texts.h"

/* 128 million events; a size beyond that is a mistake, and no page could show it. */
#define SIZE_LIMIT ((size_t)4 << 30)
#define STEP       ((size_t)1 << 20)

struct file {
    int fd;
    char *bytes;
    size_t used, room;
    char *why;
};

static bool wrong(struct file *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool wrong(struct file *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(f->why, TRACE_WHY, format, args);
    va_end(args);
    return false;
}

/* Have `size` bytes in memory, if the file has so many.  False: an error, which is in `why`. */
static bool fill(struct file *f, size_t size)
{
    if (size > SIZE_LIMIT)
        return wrong(f, "larger than %zu GiB", SIZE_LIMIT >> 30);
    while (f->used < size) {
        size_t step = size - f->used < STEP ? size - f->used : STEP;
        if (f->room - f->used < step) {
            size_t room = f->room * 2 > f->used + step ? f->room * 2 : f->used + step;
            char *more = realloc(f->bytes, room);
            if (more == NULL)
                return wrong(f, "%s", strerror(ENOMEM));
            f->bytes = more;
            f->room = room;
        }
        ssize_t n = read(f->fd, f->bytes + f->used, step);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return wrong(f, "%s", strerror(errno));
        if (n == 0)
            break;
        f->used += (size_t)n;
    }
    return true;
}

static bool need(struct file *f, size_t size)
{
    if (!fill(f, size))
        return false;
    return f->used >= size ? true : wrong(f, "truncated: it ends after %zu bytes", f->used);
}

static bool header_good(struct file *f)
{
    struct hkt_header h;
    if (!fill(f, sizeof h))
        return false;
    if (f->used == 0)
        return wrong(f, "empty: a trace is written when it stops");
    size_t magic = f->used < sizeof h.magic ? f->used : sizeof h.magic;
    if (memcmp(f->bytes, HKT_MAGIC, magic) != 0)
        return wrong(f, "not a trace of Hocket");
    if (!need(f, sizeof h))
        return false;
    memcpy(&h, f->bytes, sizeof h);
    if (h.order == __builtin_bswap32(HKT_ORDER))
        return wrong(f, "written by a machine of the other byte order");
    if (h.order != HKT_ORDER)
        return wrong(f, "damaged: no byte order in its header");
    if (h.version != HKT_VERSION)
        return wrong(f, "format version %u, this program reads version %u", h.version, HKT_VERSION);
    if (h.header_size != sizeof h || h.event_size != sizeof(struct hkt_event))
        return wrong(f, "damaged: sizes in its header");
    return true;
}

/* What one of `count` takes, and what comes before them. */
static size_t item_size(uint32_t type, size_t *ret_before)
{
    *ret_before = type == HKT_LANE ? sizeof(struct hkt_lane) : 0;
    switch (type) {
    case HKT_LANE: return sizeof(struct hkt_event);
    case HKT_KINDS: return sizeof(struct hkt_kind);
    case HKT_TASKS: return sizeof(struct hkt_task);
    case HKT_MODULES: return sizeof(struct hkt_module);
    case HKT_SYMBOLS: return sizeof(struct hkt_symbol);
    case HKT_PAUSES: return sizeof(struct hkt_pause);
    default: return 0;
    }
}

static bool pauses_good(const struct hkt_pause *p, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (p[i].to < p[i].from || (i > 0 && p[i].from < p[i - 1].to))
            return false;
    return true;
}

/* One section at `at`, as far as it is in memory.  *ret_next: where the next one begins. */
static bool section_good(struct file *f, size_t at, struct hkt_section *ret, size_t *ret_next)
{
    size_t before, first = at + sizeof *ret;
    if (!need(f, first))
        return false;
    memcpy(ret, f->bytes + at, sizeof *ret);
    if (ret->size % 8 != 0 || ret->size > SIZE_LIMIT)
        return wrong(f, "damaged: the size of the section at byte %zu", at);
    size_t item = item_size(ret->type, &before);
    if (item != 0 && (uint64_t)ret->count * item + before != ret->size)
        return wrong(f, "damaged: a count in the section at byte %zu", at);
    *ret_next = first + (size_t)ret->size;
    if (!need(f, *ret_next))
        return false;
    if (ret->type == HKT_PAUSES && !pauses_good((const void *)(f->bytes + first), ret->count))
        return wrong(f, "damaged: a pause in the section at byte %zu", at);
    if (ret->type == HKT_END) {
        uint64_t size = 0;
        if (ret->size == sizeof size)
            memcpy(&size, f->bytes + first, sizeof size);
        if (size != *ret_next)
            return wrong(f, "damaged: its end is not where it says");
    }
    return true;
}

/* Read all of it; how many lanes it has. */
static bool read_all(struct file *f, uint32_t *ret_lanes)
{
    size_t at = sizeof(struct hkt_header);
    struct hkt_section s;
    *ret_lanes = 0;
    if (!header_good(f))
        return false;
    do {
        if (!section_good(f, at, &s, &at))
            return false;
        *ret_lanes += s.type == HKT_LANE;
    } while (s.type != HKT_END);
    size_t end = f->used;
    if (!fill(f, end + 1))
        return false;
    return f->used == end ? true : wrong(f, "damaged: something follows its end");
}

/* Sections that were found good; where a kind that comes once comes again, the last one counts. */
static void sections_keep(struct trace *t)
{
    size_t at = sizeof(struct hkt_header);
    for (;;) {
        struct hkt_section s;
        memcpy(&s, (char *)t->memory + at, sizeof s);
        const void *payload = (char *)t->memory + at + sizeof s;
        switch (s.type) {
        case HKT_END: return;
        case HKT_LANE: {
            struct trace_lane *lane = &t->lanes[t->lane_count++];
            lane->head = payload;
            lane->events = (const void *)(lane->head + 1);
            lane->count = s.count;
            t->event_count += s.count;
            t->lost += lane->head->lost;
            break;
        }
        case HKT_KINDS: trace_texts_kinds(t->texts, payload, s.count); break;
        case HKT_SYMBOLS: trace_texts_symbols(t->texts, payload, s.count); break;
        case HKT_TASKS:
            t->tasks = payload;
            t->task_count = s.count;
            break;
        case HKT_PAUSES:
            t->pauses = payload;
            t->pause_count = s.count;
            break;
        case HKT_MODULES:
            t->modules = payload;
            t->module_count = s.count;
            break;
        }
        at += sizeof s + (size_t)s.size;
    }
}

static bool prepare(struct trace *t, uint32_t lanes)
{
    t->header = t->memory;
    t->lanes = calloc(lanes ? lanes : 1, sizeof *t->lanes);
    t->texts = trace_texts_new();
    if (t->lanes == NULL || t->texts == NULL)
        return false;
    sections_keep(t);
    uint64_t ticks = t->header->ticks[1] - t->header->ticks[0];
    uint64_t ns = (uint64_t)t->header->ns[1] - (uint64_t)t->header->ns[0];
    /* A trace too short to measure by, or nonsense: a tick is a nanosecond then. */
    bool sane = ticks > 0 && ticks < UINT64_MAX / 2 && ns > 0 && ns < UINT64_MAX / 2;
    t->ns_per_tick = sane ? (double)ns / (double)ticks : 1.0;
    return trace_texts_finish(t->texts, t);
}

bool trace_open(struct trace *t, const char *path, char why[TRACE_WHY])
{
    struct file f = { .fd = STDIN_FILENO, .why = why };
    uint32_t lanes;
    memset(t, 0, sizeof *t);
    if (strcmp(path, "-") != 0 && (f.fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        return wrong(&f, "%s", strerror(errno));
    bool good = read_all(&f, &lanes);
    if (f.fd != STDIN_FILENO)
        (void)close(f.fd);
    if (!good) {
        free(f.bytes);
        return false;
    }
    t->memory = f.bytes;
    t->size = f.used;
    if (!prepare(t, lanes)) {
        trace_close(t);
        return wrong(&f, "%s", strerror(ENOMEM));
    }
    return true;
}

void trace_close(struct trace *t)
{
    trace_texts_free(t->texts);
    free(t->lanes);
    free(t->memory);
    memset(t, 0, sizeof *t);
}

/* ---- time ---- */

int64_t trace_ns(const struct trace *t, uint64_t ticks)
{
    double ns = (double)ticks * t->ns_per_tick;
    return ns < 9e18 ? (int64_t)ns : (int64_t)9e18;
}

int64_t trace_duration(const struct trace *t)
{
    int64_t last = trace_ns(t, t->header->ticks[1] - t->header->ticks[0]);
    for (uint32_t i = 0; i < t->lane_count; i++)
        if (t->lanes[i].count > 0) {
            int64_t end = trace_ns(t, HKT_TICKS(&t->lanes[i].events[t->lanes[i].count - 1]));
            last = end > last ? end : last;
        }
    return last;
}

/* ---- texts ---- */

size_t trace_text(const struct trace_lane *lane, size_t i, char buffer[HKT_TEXT_MAX + 1])
{
    size_t used = 0;
    while (++i < lane->count && used < HKT_TEXT_MAX) {
        const struct hkt_event *e = &lane->events[i];
        if (HKT_KIND(e) != HKT_TEXT)
            break;
        memcpy(buffer + used, (const char *)e + 8, HKT_TEXT_BYTES);
        used += HKT_TEXT_BYTES;
        if (HKT_TICKS(e) == 0)
            break;
    }
    buffer[used] = '\0';
    return strlen(buffer);
}

/* ---- all lanes in order of time ---- */

static uint64_t due(const struct trace_cursor *c, uint32_t lane)
{
    return HKT_TICKS(&c->trace->lanes[lane].events[c->next[lane]]);
}

static bool before(const struct trace_cursor *c, uint32_t a, uint32_t b)
{
    uint64_t x = due(c, a), y = due(c, b);
    return x != y ? x < y : a < b;
}

static void sift(struct trace_cursor *c, uint32_t i)
{
    for (;;) {
        uint32_t least = i, left = 2 * i + 1;
        for (uint32_t child = left; child < c->heap_size && child <= left + 1; child++)
            if (before(c, c->heap[child], c->heap[least]))
                least = child;
        if (least == i)
            return;
        uint32_t lane = c->heap[i];
        c->heap[i] = c->heap[least];
        c->heap[least] = lane;
        i = least;
    }
}

/* Past the TEXT events; false: nothing is left. */
static bool skip_text(struct trace_cursor *c, uint32_t lane)
{
    const struct trace_lane *l = &c->trace->lanes[lane];
    while (c->next[lane] < l->count && HKT_KIND(&l->events[c->next[lane]]) == HKT_TEXT)
        c->next[lane]++;
    return c->next[lane] < l->count;
}

bool trace_cursor_start(struct trace_cursor *c, const struct trace *t)
{
    size_t lanes = t->lane_count ? t->lane_count : 1;
    *c = (struct trace_cursor){ .trace = t };
    c->next = calloc(lanes, sizeof *c->next);
    c->heap = calloc(lanes, sizeof *c->heap);
    if (c->next == NULL || c->heap == NULL) {
        trace_cursor_end(c);
        return false;
    }
    for (uint32_t i = 0; i < t->lane_count; i++)
        if (skip_text(c, i))
            c->heap[c->heap_size++] = i;
    for (uint32_t i = c->heap_size / 2; i-- > 0;)
        sift(c, i);
    return true;
}

bool trace_cursor_next(struct trace_cursor *c, struct trace_item *ret)
{
    if (c->heap_size == 0)
        return false;
    uint32_t lane = c->heap[0];
    ret->lane = lane;
    ret->index = c->next[lane];
    ret->event = &c->trace->lanes[lane].events[ret->index];
    int64_t ns = trace_ns(c->trace, HKT_TICKS(ret->event));
    c->last = ret->ns = ns > c->last ? ns : c->last;
    c->next[lane]++;
    if (!skip_text(c, lane))
        c->heap[0] = c->heap[--c->heap_size];
    sift(c, 0);
    return true;
}

void trace_cursor_end(struct trace_cursor *c)
{
    free(c->next);
    free(c->heap);
    c->next = NULL;
    c->heap = NULL;
}
