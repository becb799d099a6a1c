/* SPDX-License-Identifier: MIT */
/*
 * profile_print - the wait profile as tables and as folded stacks
 *
 * Names of functions have one user at a time: while a dump is being written addresses do.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/env.h"
#include "park/forked.h"
#include "trace/dump.h"
#include "trace/names.h"
#include "trace/profile.h"
#include "trace/site.h"

#define LINES 40

/* "12.345 s", "12.3 ms", "1.2 us" in 9 columns. */
static const char *span(hocket_time t, char *text, size_t size)
{
    double ns = (double)t;
    if (t >= HOCKET_SEC)
        (void)snprintf(text, size, "%.3f s", ns / 1e9);
    else if (t >= HOCKET_MS)
        (void)snprintf(text, size, "%.1f ms", ns / 1e6);
    else
        (void)snprintf(text, size, "%.1f us", ns / 1e3);
    return text;
}

static void say_function(char *text, size_t size, uint64_t pc, bool offset)
{
    struct hocket__name n;
    hocket__name_of((uintptr_t)pc, false, &n);
    int length = (int)(n.function_size < 100 ? n.function_size : 100);
    if (pc == 0)
        (void)snprintf(text, size, "?");
    else if (n.function != NULL && offset)
        (void)snprintf(text, size, "%.*s+0x%lx", length, n.function, (unsigned long)n.offset);
    else if (n.function != NULL)
        (void)snprintf(text, size, "%.*s", length, n.function);
    else
        (void)snprintf(text, size, "%.60s+0x%lx", n.module ? n.module : "",
                       (unsigned long)n.address);
}

/* ---- tables ---- */

static void table_line(struct hocket__out *o, const struct hocket__waits *w, int by)
{
    char line[400], total[24], max[24], mean[24], where[160] = "", object[32] = "";
    if (by == HOCKET_PROFILE_PLACES && w->site != 0)
        say_function(where, sizeof where, hocket__site_address(w->site, false), true);
    if (by == HOCKET_PROFILE_OBJECTS && w->object != NULL)
        (void)snprintf(object, sizeof object, "%p", w->object);
    (void)snprintf(line, sizeof line, "%11s %9llu %10s %10s  %-9s %s%s%s%s\n",
                   span(w->total, total, sizeof total), (unsigned long long)w->count,
                   span(w->max, max, sizeof max),
                   span(w->total / (hocket_time)w->count, mean, sizeof mean), w->cls->name, where,
                   object, w->holder[0] ? "  held by " : "", "");
    hocket__out_text(o, line);
    if (w->holder[0]) {
        o->used--; /* the end of the line */
        hocket__out_words(o, w->holder);
        hocket__out_char(o, '\n');
    }
}

static int table(struct hocket__out *o, int by)
{
    struct hocket__waits *w;
    char line[200], time[24];
    ptrdiff_t n = hocket__profile_collect(by, &w);
    if (n < 0)
        return (int)n;
    hocket_time total = 0;
    uint64_t count = 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        total += w[i].total;
        count += w[i].count;
    }
    (void)snprintf(line, sizeof line, "hocket: waits by %s, %s in ",
                   by == HOCKET_PROFILE_PLACES ? "place" : "object",
                   span(total, time, sizeof time));
    hocket__out_text(o, line);
    hocket__out_number(o, count);
    (void)snprintf(line, sizeof line, " waits\n%11s %9s %10s %10s  %-9s %s\n", "total", "count",
                   "max", "mean", "kind", by == HOCKET_PROFILE_PLACES ? "where" : "object");
    hocket__out_text(o, line);
    for (ptrdiff_t i = 0; i < n && i < LINES; i++)
        table_line(o, &w[i], by);
    if (n > LINES) {
        hocket__out_text(o, "        and ");
        hocket__out_number(o, (uint64_t)(n - LINES));
        hocket__out_text(o, " more\n");
    }
    hocket__free(w);
    return 0;
}

static int with_names(int (*write_to)(struct hocket__out *), int fd)
{
    struct hocket__out *o = hocket__alloc(sizeof *o);
    if (o == NULL)
        return -ENOMEM;
    hocket__out_open(o, fd);
    (void)hocket__dump_take(false);
    int err = write_to(o);
    hocket__names_end();
    hocket__dump_give_back();
    int written = hocket__out_close(o);
    hocket__free(o);
    return err ? err : written;
}

static int write_tables(struct hocket__out *o)
{
    int err = table(o, HOCKET_PROFILE_PLACES);
    return err ? err : table(o, HOCKET_PROFILE_OBJECTS);
}

int hocket_profile_print(int fd)
{
    return with_names(write_tables, fd);
}

/* ---- folded ---- */

/* A frame of a folded stack may hold no semicolon. */
static void frame(struct hocket__out *o, const char *text)
{
    char copy[160];
    (void)snprintf(copy, sizeof copy, "%s", text);
    for (char *p = copy; *p; p++)
        *p = *p == ';' ? ':' : *p;
    hocket__out_words(o, copy);
    hocket__out_char(o, ';');
}

static void fold(struct hocket__out *o, const struct hocket__waits *w)
{
    uintptr_t calls[HOCKET__SITE_CALLS];
    unsigned n = w->site != 0 ? hocket__site_calls(w->site, calls) : 0;
    char text[160];
    while (n-- > 0) {
        say_function(text, sizeof text, calls[n], false);
        frame(o, text);
    }
    if (w->holder[0]) {
        (void)snprintf(text, sizeof text, "held by %s", w->holder);
        frame(o, w->cls->name);
        frame(o, text);
        o->used--; /* the last semicolon */
    } else {
        hocket__out_words(o, w->cls->name);
    }
    hocket__out_char(o, ' ');
    hocket__out_id(o, (uint64_t)(w->total / HOCKET_US));
    hocket__out_char(o, '\n');
}

static int write_folded(struct hocket__out *o)
{
    struct hocket__waits *w;
    ptrdiff_t n = hocket__profile_collect(HOCKET_PROFILE_PLACES, &w);
    for (ptrdiff_t i = 0; i < n; i++)
        fold(o, &w[i]);
    if (n >= 0)
        hocket__free(w);
    return n < 0 ? (int)n : 0;
}

int hocket_profile_folded(int fd)
{
    return with_names(write_folded, fd);
}

/* ---- entries ---- */

ptrdiff_t hocket_profile_list(int by, hocket_profile_entry *ret_entries, size_t max)
{
    struct hocket__waits *w;
    if (by != HOCKET_PROFILE_PLACES && by != HOCKET_PROFILE_OBJECTS)
        return -EINVAL;
    ptrdiff_t n = hocket__profile_collect(by, &w);
    if (n < 0)
        return n;
    (void)hocket__dump_take(false);
    for (size_t i = 0; i < (size_t)n && i < max; i++) {
        ret_entries[i] = (hocket_profile_entry){
            .kind = w[i].cls->name,
            .address = (const void *)(uintptr_t)hocket__site_address(w[i].site, false),
            .object = w[i].object,
            .count = w[i].count,
            .total = w[i].total,
            .max = w[i].max,
        };
        memcpy(ret_entries[i].holder, w[i].holder, sizeof w[i].holder);
    }
    hocket__names_end();
    hocket__dump_give_back();
    hocket__free(w);
    return n;
}

/* ---- the environment ---- */

static char path[4096]; /* absolute; "": standard error */

static void write_file(const char *end, int (*write_to)(int))
{
    char name[sizeof path + 8];
    (void)snprintf(name, sizeof name, "%s%s", path, end);
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int err = fd < 0 ? -errno : write_to(fd);
    if (fd >= 0 && close(fd) != 0 && err == 0)
        err = -errno;
    if (err)
        (void)fprintf(stderr, "hocket: HOCKET_PROFILE: %s: %s\n", name, strerror(-err));
}

static void at_exit(void)
{
    if (hocket__forked())
        return;
    hocket_profile_stop();
    if (path[0] == '\0') {
        (void)hocket_profile_print(STDERR_FILENO);
        return;
    }
    write_file("", hocket_profile_print);
    write_file(".folded", hocket_profile_folded);
}

static int take_path(void)
{
    char name[sizeof path];
    int err = hocket__env_path("HOCKET_PROFILE", name, sizeof name);
    return err ? err : hocket__path_whole(name, path, sizeof path);
}

void hocket__profile_by_env(void)
{
    static bool done; /* runtimes start one after the other */
    const char *text = hocket__env("HOCKET_PROFILE");
    if (done || !hocket__env_on("HOCKET_PROFILE"))
        return;
    done = true;
    int err = strcmp(text, "1") == 0 ? 0 : take_path();
    if (err || atexit(at_exit) != 0) {
        (void)fprintf(stderr, "hocket: HOCKET_PROFILE: %s\n", strerror(err ? -err : ENOMEM));
        return;
    }
    hocket_profile_start();
}
