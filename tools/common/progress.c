/* SPDX-License-Identifier: MIT */
#include "common/progress.h"
#include "common/message.h"
#include "common/terminal.h"
#include "common/units.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const int64_t SECOND = 1000000000;

#define LOAD(field)         __atomic_load_n(&(field), __ATOMIC_RELAXED)
#define STORE(field, value) __atomic_store_n(&(field), value, __ATOMIC_RELAXED)

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

void progress_start(struct progress *p, enum progress_when when)
{
    bool terminal = isatty(STDERR_FILENO);
    *p = (struct progress){ .shown = when == PROGRESS_ALWAYS || (when == PROGRESS_AUTO && terminal),
                            .terminal = terminal,
                            .growing = true,
                            .start = now() };
    /* What is done at once needs no bar. */
    p->next = p->start + (terminal ? SECOND / 5 : SECOND);
}

void progress_expect(struct progress *p, uint64_t bytes)
{
    STORE(p->total, p->total + bytes);
}

void progress_expected(struct progress *p)
{
    STORE(p->growing, false);
}

/* "[#####-----] " of `cells` cells to `out`, and its length. */
static size_t bar_text(char *out, size_t size, int cells, double part, bool color)
{
    static const char full[] = "########################################";
    static const char empty[] = "----------------------------------------";
    int n = (int)(part * cells);
    return (size_t)snprintf(out, size, "[%s%.*s%s%.*s] ", color ? "\033[32m" : "", n, full,
                            color ? "\033[0m" : "", cells - n, empty);
}

size_t progress_line(const struct progress *p, int64_t at, int columns, bool color, char *out)
{
    enum { MOST = 40, LEAST = 5 };
    char a[UNITS_TEXT], b[UNITS_TEXT], c[UNITS_TEXT], d[UNITS_TEXT], facts[PROGRESS_LINE / 2];
    uint64_t done = LOAD(p->done), total = LOAD(p->total);
    double seconds = (double)(at - p->start) / (double)SECOND;
    double rate = seconds > 0 ? (double)done / seconds : 0;
    units_bytes_text(done, a);
    units_bytes_text((uint64_t)rate, c);
    if (LOAD(p->growing) || total == 0 || done > total || rate < 1)
        return (size_t)snprintf(out, PROGRESS_LINE, "%.*s, %s/s", columns, a, c);
    double part = (double)done / (double)total;
    double left = (double)(total - done) / rate * (double)SECOND;
    int size = snprintf(facts, sizeof facts, "%s of %s, %s/s, %s left", a,
                        units_bytes_text(total, b), c,
                        units_clock_text(left < 3e15 ? (int64_t)left : (int64_t)3e15, d));
    size_t n = (size_t)snprintf(out, PROGRESS_LINE, "%3d%% ", (int)(part * 100));
    /* The last column stays free: some terminals wrap there. */
    int room = columns - 1 - (int)n, cells = room - size - 3;
    if (p->terminal && cells >= LEAST)
        n += bar_text(out + n, PROGRESS_LINE - n, cells < MOST ? cells : MOST, part, color);
    return n + (size_t)snprintf(out + n, PROGRESS_LINE - n, "%.*s", room > 0 ? room : 0, facts);
}

void progress_add(struct progress *p, uint64_t bytes)
{
    __atomic_fetch_add(&p->done, bytes, __ATOMIC_RELAXED);
    if (!p->shown)
        return;
    int64_t at = now(), next = LOAD(p->next);
    if (at < next ||
        !__atomic_compare_exchange_n(&p->next, &next, at + (p->terminal ? SECOND / 10 : SECOND),
                                     false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        return;
    char line[PROGRESS_LINE];
    progress_line(p, at, p->terminal ? terminal_width(STDERR_FILENO) : PROGRESS_LINE / 2,
                  terminal_color(STDERR_FILENO), line);
    if (p->terminal)
        message_status(line);
    else
        message(NULL, NULL, "%s", line);
}

void progress_end(struct progress *p)
{
    if (p->shown && p->terminal)
        message_status("");
}
