/* SPDX-License-Identifier: MIT */
/*
 * Who touches what:
 *
 *   the task that called robots_run   walk, backlog, pieces, counts, messages
 *   a job                             its piece, and the desk it sits at
 *   all jobs, under `lock`            the set of all hosts, the free desks
 *
 * A desk is what a job needs to read one file: buffers, decompressor, a small
 * set.  There are as many as files may be read at a time; a job that finds all
 * of them taken waits.
 */
#include "robots.h"
#include "common/backlog.h"
#include "common/interrupt.h"
#include "common/jobs.h"
#include "common/logscan.h"
#include "common/message.h"
#include "common/source.h"
#include "common/units.h"
#include "common/walk.h"

#include <hocket/mutex.h>
#include <hocket/sem.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct hosts_limits all_limits = { .arena = 20 << 20, .fan_in = 256 };
static const struct hosts_limits desk_limits = { .arena = 1 << 20, .fan_in = 2 };

struct desk {
    struct desk *next; /* while it is free */
    struct source source;
    struct hosts hosts;
    struct robots *robots;
    char host[LOGSCAN_HOST_MAX];
};

struct piece {
    struct piece *next, **link; /* among the pieces under way */
    struct backlog_file *file;
    char cause[SOURCE_CAUSE + 64]; /* what went wrong, or empty */
};

struct robots {
    struct robots_options options;
    struct walk walk;
    struct backlog backlog;
    struct progress progress;
    uint64_t found, finished; /* files */
    struct piece *pieces;     /* under way */
    int status;

    hocket_sem seats;  /* desks not taken, made or not */
    hocket_mutex lock; /* guards the three below */
    struct hosts hosts;
    int hosts_error; /* the set is not complete: errno */
    struct desk *desks;
};

int robots_new(struct robots **ret, const struct robots_options *options)
{
    struct robots *r = calloc(1, sizeof *r);
    if (r == NULL)
        return ENOMEM;
    r->options = *options;
    int err = hocket_sem_init(&r->seats, (uint32_t)options->jobs, 0);
    if (err != 0) {
        free(r);
        return -err;
    }
    hosts_init(&r->hosts, &all_limits);
    *ret = r;
    return 0;
}

static void piece_free(struct piece *piece)
{
    *piece->link = piece->next;
    if (piece->next != NULL)
        piece->next->link = piece->link;
    free(piece->file);
    free(piece);
}

static void desk_free(struct desk *d)
{
    source_destroy(&d->source);
    hosts_destroy(&d->hosts);
    free(d);
}

void robots_free(struct robots *r)
{
    for (struct desk *d = r->desks, *next; d != NULL; d = next) {
        next = d->next;
        desk_free(d);
    }
    while (r->pieces != NULL)
        piece_free(r->pieces);
    hosts_destroy(&r->hosts);
    backlog_destroy(&r->backlog);
    hocket_mutex_destroy(&r->lock);
    hocket_sem_destroy(&r->seats);
    free(r);
}

static struct desk *desk_take(struct robots *r)
{
    hocket_mutex_lock(&r->lock);
    struct desk *d = r->desks;
    if (d != NULL)
        r->desks = d->next;
    hocket_mutex_unlock(&r->lock);
    if (d != NULL)
        return d;
    d = malloc(sizeof *d);
    if (d == NULL || source_init(&d->source) != 0) {
        free(d);
        return NULL;
    }
    d->robots = r;
    hosts_init(&d->hosts, &desk_limits);
    return d;
}

static void desk_give(struct desk *d)
{
    hocket_mutex_lock(&d->robots->lock);
    d->next = d->robots->desks;
    d->robots->desks = d;
    hocket_mutex_unlock(&d->robots->lock);
}

/* Add the desk's hosts to the set of all. */
static void desk_clear(struct desk *d)
{
    struct robots *r = d->robots;
    hocket_mutex_lock(&r->lock);
    if (r->hosts_error == 0)
        r->hosts_error = hosts_add_all(&r->hosts, &d->hosts);
    hocket_mutex_unlock(&r->lock);
    hosts_clear(&d->hosts);
}

static void desk_found(void *arg, const char *host, size_t length)
{
    struct desk *d = arg;
    if (hosts_try_add(&d->hosts, host, length, 1))
        return;
    desk_clear(d);
    if (!hosts_try_add(&d->hosts, host, length, 1)) {
        hocket_mutex_lock(&d->robots->lock);
        d->robots->hosts_error = ENOMEM;
        hocket_mutex_unlock(&d->robots->lock);
    }
}

/* Read a file from its beginning to its end, or to where it is damaged. */
static void desk_read(struct desk *d, struct piece *piece)
{
    struct robots *r = d->robots;
    const char *path = r->options.path;
    const unsigned char *text;
    struct logscan scan;
    ptrdiff_t n = -1;
    logscan_start(&scan, path, strlen(path), d->host, desk_found, d);
    if (source_open(&d->source, piece->file->path)) {
        uint64_t raw = 0;
        while ((n = source_next(&d->source, &text)) > 0 && !interrupt_pending()) {
            logscan_block(&scan, text, (size_t)n);
            progress_add(&r->progress, d->source.raw - raw);
            raw = d->source.raw;
        }
        logscan_end(&scan, n != 0);
    }
    if (n < 0)
        snprintf(piece->cause, sizeof piece->cause, "%s", d->source.cause);
    else if (scan.too_long > 0)
        snprintf(piece->cause, sizeof piece->cause, "%llu hosts of more than %d bytes left out",
                 (unsigned long long)scan.too_long, LOGSCAN_HOST_MAX);
    source_close(&d->source);
    desk_clear(d);
}

static void run(void *arg, void *item)
{
    struct robots *r = arg;
    struct piece *piece = item;
    if (hocket_sem_acquire(&r->seats, HOCKET_FOREVER) != 0)
        return; /* interrupted */
    struct desk *d = desk_take(r);
    if (d != NULL) {
        desk_read(d, piece);
        desk_give(d);
    } else {
        snprintf(piece->cause, sizeof piece->cause, "%s", strerror(ENOMEM));
    }
    hocket_sem_release(&r->seats);
}

static void walk_failed(void *arg, const char *path, int error)
{
    struct robots *r = arg;
    message("robots", path, "%s",
            error == ELOOP ? "too many folders in one another" : strerror(error));
    r->status = 1;
}

/* Keep the backlog full; the largest file of it is next. */
static void *next(void *arg)
{
    struct robots *r = arg;
    hocket_mutex_lock(&r->lock);
    bool lost = r->hosts_error != 0;
    hocket_mutex_unlock(&r->lock);
    if (lost)
        return NULL; /* there will be no answer */
    struct walk_file file;
    bool more = true;
    while (backlog_has_room(&r->backlog) && !interrupt_pending() &&
           (more = walk_next(&r->walk, &file))) {
        if (backlog_put(&r->backlog, file.path, file.size) != 0) {
            walk_failed(r, file.path, ENOMEM);
            continue;
        }
        r->found++;
        progress_expect(&r->progress, file.size);
    }
    if (!more)
        progress_expected(&r->progress);
    struct backlog_file *largest = backlog_take(&r->backlog);
    struct piece *piece = largest != NULL ? malloc(sizeof *piece) : NULL;
    if (piece != NULL) {
        piece->file = largest;
        piece->cause[0] = '\0';
        piece->next = r->pieces;
        piece->link = &r->pieces;
        if (piece->next != NULL)
            piece->next->link = &piece->next;
        r->pieces = piece;
    } else if (largest != NULL) {
        walk_failed(r, largest->path, ENOMEM);
        free(largest);
    }
    return piece;
}

static void done(void *arg, void *item)
{
    struct robots *r = arg;
    struct piece *piece = item;
    if (piece->cause[0] != '\0') {
        bool standard = strcmp(piece->file->path, "-") == 0;
        message("robots", standard ? "standard input" : piece->file->path, "%s", piece->cause);
        r->status = 1;
    }
    r->finished += !interrupt_pending();
    piece_free(piece);
}

int robots_run(struct robots *r)
{
    struct jobs jobs = { .on = r->options.on,
                         .workers = r->options.jobs,
                         .next = next,
                         .run = run,
                         .done = done,
                         .arg = r };
    progress_start(&r->progress, r->options.progress);
    walk_start(&r->walk, r->options.words, walk_failed, r);
    int error = jobs_run(&jobs);
    walk_end(&r->walk);
    progress_end(&r->progress);
    if (error != 0 && !interrupt_pending()) {
        message("robots", NULL, "--on %s: %s", r->options.on, strerror(-error));
        r->status = 1;
    }
    return r->status;
}

int robots_each(struct robots *r, hosts_each_fn *fn, void *arg)
{
    return r->hosts_error != 0 ? r->hosts_error : hosts_each(&r->hosts, fn, arg);
}

void robots_tell_how_far(struct robots *r)
{
    char done_text[UNITS_TEXT], total_text[UNITS_TEXT];
    message("robots", NULL, "interrupted: %llu of %llu files and %s of %s read",
            (unsigned long long)r->finished, (unsigned long long)r->found,
            units_bytes_text(r->progress.done, done_text),
            units_bytes_text(r->progress.total, total_text));
}
