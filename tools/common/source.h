/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_SOURCE_H
#define TOOLS_SOURCE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * source - the text of a file, plain or gzip, block by block
 *
 * Gzip is known by its first bytes, whatever the name; a name that ends in
 * .gz is a promise, and a file that breaks it is an error.  Files of several
 * members are one text; zeros behind the last one are padding, as gzip(1) has it.
 *
 * The buffers are made once and serve file after file; the source is used by
 * one task at a time.
 */
enum {
    SOURCE_IN = 128 << 10,  /* bytes read at a time */
    SOURCE_OUT = 256 << 10, /* bytes of text in a block, at most: stays in a core's cache */
    SOURCE_CAUSE = 128
};

struct inflate;

struct source {
    int fd;
    bool regular; /* reading never waits for somebody */
    bool gzip;
    bool started; /* `gzip` is known */
    bool named_gzip;
    bool eof;     /* the file has no more bytes */
    bool member;  /* within a gzip member */
    bool failed;  /* `cause` holds what ends the text */
    uint64_t raw; /* bytes of the file read so far */
    struct inflate *inflate;
    const unsigned char *at, *end; /* what of `in` is not used yet */
    char cause[SOURCE_CAUSE];
    unsigned char *in, *out;
};

/* Make the buffers.  0 or ENOMEM. */
int source_init(struct source *s);
void source_destroy(struct source *s);

/* Open `path`; "-" is standard input.  False: `cause` says why not. */
bool source_open(struct source *s, const char *path);

/*
 * The next block: its length, 0 at the end, -1 after damage (`cause`), when all that
 * was good has been given.  -1 with an empty cause: interrupted.
 */
ptrdiff_t source_next(struct source *s, const unsigned char **ret_text);

void source_close(struct source *s);

#endif
