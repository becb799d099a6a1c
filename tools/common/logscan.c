/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "common/logscan.h"

#include <string.h>

enum { HOST_FIELD = 1, PATH_FIELD = 7 };

static bool is_blank(unsigned char c)
{
    return c == ' ' || c == '\t';
}

static void line_start(struct logscan *s)
{
    s->within = s->in_field = s->decided = false;
    s->matches = true;
    s->field = 0;
    s->compared = s->host_length = 0;
}

void logscan_start(struct logscan *s, const char *path, size_t length, char *host,
                   logscan_found *found, void *arg)
{
    *s = (struct logscan){ .found = found, .arg = arg, .host = host };
    finder_start(&s->finder, path, length);
    line_start(s);
}

static void report(struct logscan *s, const char *host, size_t length)
{
    if (length > LOGSCAN_HOST_MAX)
        s->too_long++;
    else
        s->found(s->arg, host, length);
}

/* Bytes of a line that is cut, all of one field. */
static void field_bytes(struct logscan *s, const unsigned char *p, size_t n)
{
    if (s->field == HOST_FIELD) {
        if (s->host_length < LOGSCAN_HOST_MAX) {
            size_t room = LOGSCAN_HOST_MAX - s->host_length;
            memcpy(s->host + s->host_length, p, n < room ? n : room);
        }
        s->host_length += n;
    } else if (s->field == PATH_FIELD && s->matches) {
        const struct finder *f = &s->finder;
        s->matches = n <= f->length - s->compared && memcmp(f->needle + s->compared, p, n) == 0;
        s->compared += n;
    }
}

static void field_end(struct logscan *s)
{
    s->in_field = false;
    if (s->field == PATH_FIELD) {
        s->matches = s->matches && s->compared == s->finder.length;
        s->decided = true;
    }
}

/* A piece of a line without its end. */
static void line_piece(struct logscan *s, const unsigned char *p, size_t n)
{
    const unsigned char *end = p + n;
    s->within = s->within || n > 0;
    while (p < end && !s->decided) {
        const unsigned char *from = p;
        if (is_blank(*p)) {
            if (s->in_field)
                field_end(s);
            while (p < end && is_blank(*p))
                p++;
            continue;
        }
        s->field += !s->in_field;
        s->in_field = true;
        while (p < end && !is_blank(*p))
            p++;
        field_bytes(s, from, (size_t)(p - from));
    }
}

static void line_end(struct logscan *s)
{
    if (s->in_field && !s->decided)
        field_end(s);
    if (s->decided && s->matches)
        report(s, s->host, s->host_length);
    line_start(s);
}

/* Field 7 of the whole line at p[0..end) is the path: report its field 1. */
static void whole_line(struct logscan *s, const unsigned char *p, const unsigned char *end)
{
    const unsigned char *host = NULL, *from = p;
    size_t host_length = 0;
    for (unsigned field = 1; field <= PATH_FIELD; field++) {
        while (p < end && is_blank(*p))
            p++;
        from = p;
        while (p < end && !is_blank(*p))
            p++;
        if (field == HOST_FIELD) {
            host = from;
            host_length = (size_t)(p - from);
        }
    }
    const struct finder *f = &s->finder;
    if ((size_t)(p - from) == f->length && memcmp(from, f->needle, f->length) == 0)
        report(s, (const char *)host, host_length);
}

/* Text that begins and ends with a line. */
static void whole_lines(struct logscan *s, const unsigned char *p, const unsigned char *end)
{
    const struct finder *f = &s->finder;
    for (const unsigned char *floor = p; floor < end;) {
        const unsigned char *at = finder_next(f, p, (size_t)(end - p));
        if (at == NULL)
            return;
        /* Most of what is no field is seen by its neighbours.  There is one behind: a '\n'. */
        if ((at > floor && !is_blank(at[-1])) ||
            (!is_blank(at[f->length]) && at[f->length] != '\n')) {
            p = at + 1;
            continue;
        }
        const unsigned char *before = memrchr(floor, '\n', (size_t)(at - floor));
        const unsigned char *newline = memchr(at, '\n', (size_t)(end - at));
        whole_line(s, before != NULL ? before + 1 : floor, newline);
        floor = p = newline + 1;
    }
}

void logscan_block(struct logscan *s, const unsigned char *text, size_t n)
{
    const unsigned char *end = text + n;
    if (s->within) {
        const unsigned char *newline = memchr(text, '\n', n);
        const unsigned char *to = newline != NULL ? newline : end;
        line_piece(s, text, (size_t)(to - text));
        if (newline == NULL)
            return;
        line_end(s);
        text = newline + 1;
    }
    const unsigned char *last = memrchr(text, '\n', (size_t)(end - text));
    if (last != NULL) {
        whole_lines(s, text, last + 1);
        text = last + 1;
    }
    line_piece(s, text, (size_t)(end - text));
}

void logscan_end(struct logscan *s, bool cut)
{
    if (s->within && (s->decided || !cut))
        line_end(s);
    line_start(s);
}
