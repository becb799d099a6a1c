/* SPDX-License-Identifier: MIT */
/*
 * A log file with gzip's default level, as logrotate leaves it, so that reading
 * it costs what reading real ones costs.  zlib is asked first, because the
 * gzip program makes the same bytes; libdeflate (a member a megabyte) is next.
 * With neither the log is plain.
 *
 * The file gets its name when it is complete: a run that is cut short leaves
 * nothing that looks like a log.
 */
#include "genlogs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(HOCKET_HAVE_ZLIB)
#include <zlib.h>
#elif defined(HOCKET_HAVE_DEFLATE)
#include <libdeflate.h>
#endif

enum { CHUNK = 1 << 20, PACKED = CHUNK + (CHUNK >> 3) + 4096 };

struct log_writer {
    FILE *file;
    int error; /* the first one; nothing is written after it */
    size_t used;
    uint64_t bytes;
#if defined(HOCKET_HAVE_ZLIB)
    z_stream z;
#elif defined(HOCKET_HAVE_DEFLATE)
    struct libdeflate_compressor *deflate;
#endif
    char *path;
    char *unfinished; /* path with ".part" */
    char text[CHUNK];
    unsigned char packed[PACKED];
};

static void put_bytes(struct log_writer *w, const void *bytes, size_t size)
{
    if (w->error == 0 && fwrite(bytes, 1, size, w->file) != size)
        w->error = errno;
    w->bytes += size;
}

#if defined(HOCKET_HAVE_ZLIB)
const bool log_writer_gzip = true;

static int packer_start(struct log_writer *w)
{
    int rc = deflateInit2(&w->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    return rc == Z_OK ? 0 : ENOMEM;
}

static void pack(struct log_writer *w, bool last)
{
    w->z.next_in = (unsigned char *)w->text;
    w->z.avail_in = (unsigned)w->used;
    do {
        w->z.next_out = w->packed;
        w->z.avail_out = PACKED;
        deflate(&w->z, last ? Z_FINISH : Z_NO_FLUSH);
        put_bytes(w, w->packed, PACKED - w->z.avail_out);
    } while (w->z.avail_out == 0);
}

static void packer_end(struct log_writer *w)
{
    deflateEnd(&w->z);
}

#elif defined(HOCKET_HAVE_DEFLATE)
const bool log_writer_gzip = true;

static int packer_start(struct log_writer *w)
{
    w->deflate = libdeflate_alloc_compressor(6);
    return w->deflate != NULL ? 0 : ENOMEM;
}

static void pack(struct log_writer *w, bool last)
{
    (void)last;
    size_t n = libdeflate_gzip_compress(w->deflate, w->text, w->used, w->packed, PACKED);
    put_bytes(w, w->packed, n);
}

static void packer_end(struct log_writer *w)
{
    libdeflate_free_compressor(w->deflate);
}

#else
const bool log_writer_gzip = false;

static int packer_start(struct log_writer *w)
{
    (void)w;
    return 0;
}

static void pack(struct log_writer *w, bool last)
{
    (void)last;
    put_bytes(w, w->text, w->used);
}

static void packer_end(struct log_writer *w)
{
    (void)w;
}
#endif

static void writer_free(struct log_writer *w)
{
    free(w->path);
    free(w->unfinished);
    free(w);
}

int log_writer_open(struct log_writer **ret, const char *path)
{
    struct log_writer *w = calloc(1, sizeof *w);
    size_t length = strlen(path);
    if (w == NULL)
        return ENOMEM;
    w->path = strdup(path);
    w->unfinished = malloc(length + sizeof ".part");
    if (w->path == NULL || w->unfinished == NULL) {
        writer_free(w);
        return ENOMEM;
    }
    memcpy(w->unfinished, path, length);
    memcpy(w->unfinished + length, ".part", sizeof ".part");
    w->file = fopen(w->unfinished, "wbe");
    int error = w->file == NULL ? errno : packer_start(w);
    if (error != 0) {
        if (w->file != NULL)
            fclose(w->file);
        writer_free(w);
        return error;
    }
    *ret = w;
    return 0;
}

int log_writer_put(struct log_writer *w, const char *text, size_t size)
{
    while (size > 0 && w->error == 0) {
        size_t n = size < CHUNK - w->used ? size : CHUNK - w->used;
        memcpy(w->text + w->used, text, n);
        w->used += n;
        text += n;
        size -= n;
        if (w->used == CHUNK) {
            pack(w, false);
            w->used = 0;
        }
    }
    return w->error;
}

int log_writer_close(struct log_writer *w, uint64_t *ret_bytes)
{
    pack(w, true);
    packer_end(w);
    if (fclose(w->file) != 0 && w->error == 0)
        w->error = errno;
    if (w->error == 0 && rename(w->unfinished, w->path) != 0)
        w->error = errno;
    if (w->error != 0)
        unlink(w->unfinished);
    int error = w->error;
    *ret_bytes = w->bytes;
    writer_free(w);
    return error;
}
