/* SPDX-License-Identifier: MIT */
/*
 * Sorted runs of hosts in one temporary file without a name, and their merge.
 *
 * A run is records one after the other, as they lie in the arena, in order and
 * each host once.  Merging keeps one cursor a run: a buffer that holds at least
 * one whole record, filled by pread.  The cursors are kept in a heap by their
 * record; a host that several runs have comes out once, with the sum of its hits.
 * More runs than fan_in are first merged, fan_in at a time, into longer ones at
 * the end of the file.  The buffers take the arena's place, which is freed first.
 */
#define _GNU_SOURCE
#include "common/hosts.h"
#include "common/hosts_record.h"
#include "common/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct hosts_run {
    uint64_t at, end; /* in the file */
};

/* A run as it is written. */
struct writer {
    struct hosts *hosts;
    size_t used;
    int error;
    char buffer[256 << 10];
};

/* A run as it is read. */
struct cursor {
    uint64_t at, end;  /* what of the run is not in the buffer yet */
    char *head, *tail; /* what of the buffer is not consumed yet */
    char *buffer;      /* HOSTS_CURSOR bytes */
};

static int file_open(struct hosts *h)
{
    /* /tmp may be memory, which is just what is short. */
    const char *folders[] = { getenv("TMPDIR"), "/var/tmp", "/tmp" };
    int error = ENOENT;
    for (int i = 0; i < 3; i++) {
        if (folders[i] == NULL || folders[i][0] == '\0')
            continue;
        h->file = open(folders[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (h->file < 0 && strlen(folders[i]) < 4000) {
            char path[4096] = "";
            strcat(strcat(path, folders[i]), "/hocket-XXXXXX");
            h->file = mkostemp(path, O_CLOEXEC);
            if (h->file >= 0)
                unlink(path);
        }
        if (h->file >= 0)
            return 0;
        error = errno;
    }
    return error;
}

static void writer_flush(struct writer *w)
{
    const char *p = w->buffer;
    while (w->used > 0 && w->error == 0) {
        ssize_t n = pwrite(w->hosts->file, p, w->used, (off_t)w->hosts->file_end);
        if (n < 0 && errno != EINTR)
            w->error = errno;
        else if (interrupt_pending())
            w->error = EINTR;
        if (n > 0) {
            p += n;
            w->used -= (size_t)n;
            w->hosts->file_end += (uint64_t)n;
        }
    }
}

static void writer_put(struct writer *w, const void *bytes, size_t size)
{
    const char *p = bytes;
    while (size > 0 && w->error == 0) {
        size_t n = sizeof w->buffer - w->used;
        if (n > size)
            n = size;
        memcpy(w->buffer + w->used, p, n);
        w->used += n;
        p += n;
        size -= n;
        if (w->used == sizeof w->buffer)
            writer_flush(w);
    }
}

static void writer_record(struct writer *w, const char *host, size_t length, uint64_t hits)
{
    static const char padding[8];
    struct hosts_record r = { hits, 0, (uint32_t)length };
    writer_put(w, &r, sizeof r);
    writer_put(w, host, length);
    writer_put(w, padding, hosts_record_size(length) - sizeof r - length);
}

static int run_append(struct hosts *h, uint64_t at)
{
    if (h->run_count == h->run_room) {
        size_t room = h->run_room > 0 ? h->run_room * 2 : 64;
        struct hosts_run *runs = realloc(h->runs, room * sizeof runs[0]);
        if (runs == NULL)
            return ENOMEM;
        h->runs = runs;
        h->run_room = room;
    }
    h->runs[h->run_count++] = (struct hosts_run){ at, h->file_end };
    return 0;
}

int hosts_runs_write(struct hosts *h)
{
    int error = h->file < 0 ? file_open(h) : 0;
    struct writer *w = error == 0 ? malloc(sizeof *w) : NULL;
    if (w == NULL)
        return error != 0 ? error : ENOMEM;
    w->hosts = h;
    w->used = 0;
    w->error = 0;
    uint64_t at = h->file_end;
    for (size_t i = 0; i < h->count && w->error == 0; i++) {
        const struct hosts_record *r = hosts_sorted_at(h, i);
        writer_record(w, r->bytes, r->length, r->hits);
    }
    writer_flush(w);
    error = w->error;
    free(w);
    return error != 0 ? error : run_append(h, at);
}

static const struct hosts_record *record(const struct cursor *c)
{
    return (const void *)c->head;
}

/* Is a whole record in the buffer? */
static bool whole(const struct cursor *c)
{
    size_t n = (size_t)(c->tail - c->head);
    return n >= sizeof(struct hosts_record) && n >= hosts_record_size(record(c)->length);
}

/* Make the next record whole.  0, ENODATA at the run's end, or an error. */
static int cursor_fill(const struct hosts *h, struct cursor *c)
{
    if (whole(c))
        return 0;
    size_t left = (size_t)(c->tail - c->head);
    memmove(c->buffer, c->head, left);
    c->head = c->buffer;
    c->tail = c->buffer + left;
    while (c->at < c->end && c->tail < c->buffer + HOSTS_CURSOR) {
        size_t want = (size_t)(c->buffer + HOSTS_CURSOR - c->tail);
        if (want > c->end - c->at)
            want = (size_t)(c->end - c->at);
        ssize_t n = pread(h->file, c->tail, want, (off_t)c->at);
        if (n == 0)
            return EIO;
        if (n < 0 && errno != EINTR)
            return errno;
        if (interrupt_pending())
            return EINTR;
        if (n > 0) {
            c->tail += n;
            c->at += (uint64_t)n;
        }
    }
    return whole(c) ? 0 : c->tail == c->head ? ENODATA : EIO;
}

/* heap[at] may be larger than its children. */
static void heap_sink(struct cursor **heap, size_t n, size_t at)
{
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && hosts_record_compare(record(heap[child + 1]), record(heap[child])) < 0)
            child++;
        if (hosts_record_compare(record(heap[at]), record(heap[child])) <= 0)
            return;
        struct cursor *c = heap[at];
        heap[at] = heap[child];
        heap[child] = c;
    }
}

/* Go on from the smallest record. */
static int heap_advance(const struct hosts *h, struct cursor **heap, size_t *n)
{
    heap[0]->head += hosts_record_size(record(heap[0])->length);
    int error = cursor_fill(h, heap[0]);
    if (error == ENODATA) {
        heap[0] = heap[--*n];
        error = 0;
    }
    if (error == 0)
        heap_sink(heap, *n, 0);
    return error;
}

/* Give each host of the heap's runs to `fn` once; `same` holds a whole record. */
static int heap_merge(const struct hosts *h, struct cursor **heap, size_t n, char *same,
                      hosts_each_fn *fn, void *arg)
{
    int rc = 0;
    for (size_t i = n; i-- > 0;)
        heap_sink(heap, n, i);
    while (n > 0 && rc == 0) {
        struct hosts_record *now = (void *)same;
        memcpy(now, record(heap[0]), sizeof *now + record(heap[0])->length);
        rc = heap_advance(h, heap, &n);
        while (rc == 0 && n > 0 && hosts_record_compare(record(heap[0]), now) == 0) {
            now->hits += record(heap[0])->hits;
            rc = heap_advance(h, heap, &n);
        }
        if (rc == 0)
            rc = fn(arg, now->bytes, now->length, now->hits);
    }
    return rc;
}

/* Merge runs[0..n), n <= fan_in. */
static int merge(const struct hosts *h, size_t n, hosts_each_fn *fn, void *arg)
{
    struct cursor *cursors = calloc(n, sizeof cursors[0]);
    struct cursor **heap = calloc(n, sizeof heap[0]);
    char *buffers = malloc((n + 1) * HOSTS_CURSOR);
    int error = cursors != NULL && heap != NULL && buffers != NULL ? 0 : ENOMEM;
    size_t live = 0;
    for (size_t i = 0; i < n && error == 0; i++) {
        struct cursor *c = &cursors[i];
        c->at = h->runs[i].at;
        c->end = h->runs[i].end;
        c->buffer = c->head = c->tail = buffers + i * HOSTS_CURSOR;
        error = cursor_fill(h, c);
        if (error == 0)
            heap[live++] = c;
        else if (error == ENODATA)
            error = 0;
    }
    if (error == 0)
        error = heap_merge(h, heap, live, buffers + n * HOSTS_CURSOR, fn, arg);
    free(buffers);
    free(heap);
    free(cursors);
    return error;
}

static int put_record(void *arg, const char *host, size_t length, uint64_t hits)
{
    struct writer *w = arg;
    writer_record(w, host, length, hits);
    return w->error;
}

/* Merge the oldest fan_in runs into one at the end of the file. */
static int merge_oldest(struct hosts *h)
{
    size_t n = h->limits.fan_in;
    struct writer *w = malloc(sizeof *w);
    if (w == NULL)
        return ENOMEM;
    w->hosts = h;
    w->used = 0;
    w->error = 0;
    uint64_t at = h->file_end;
    int error = merge(h, n, put_record, w);
    writer_flush(w);
    if (error == 0)
        error = w->error;
    free(w);
    if (error != 0)
        return error;
    memmove(h->runs, h->runs + n, (h->run_count - n) * sizeof h->runs[0]);
    h->run_count -= n;
    return run_append(h, at);
}

int hosts_runs_merge(struct hosts *h, hosts_each_fn *fn, void *arg)
{
    free(h->arena);
    free(h->table);
    h->arena = NULL;
    h->table = NULL;
    h->used = h->room = h->slots = h->count = 0;
    int error = 0;
    while (h->run_count > h->limits.fan_in && error == 0)
        error = merge_oldest(h);
    return error != 0 ? error : merge(h, h->run_count, fn, arg);
}

void hosts_runs_destroy(struct hosts *h)
{
    if (h->file >= 0)
        close(h->file);
    free(h->runs);
}
