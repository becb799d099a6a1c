/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_INFLATE_H
#define TOOLS_INFLATE_H
#include <stddef.h>

/*
 * inflate - gzip members unpacked piece by piece, by a library for it
 *
 * ISA-L where it is built in, else zlib.  Both work as a stream, in memory that
 * does not depend on the file.  ISA-L is as fast as libdeflate, which only knows
 * whole members in memory; zlib takes two to three times as long (doc/adr has
 * the figures, HOCKET_GZIP=zlib the comparison).
 *
 * Header and checksum are the library's business too.  A state belongs to one
 * task at a time and is used again for member after member.
 */
struct inflate;

enum {
    INFLATE_MORE = 0,     /* all input used, or the output full */
    INFLATE_END = 1,      /* the member is complete and its checksum is right */
    INFLATE_CORRUPT = -1, /* no deflate data; what was unpacked before is good */
    INFLATE_CHECKSUM = -2 /* all unpacked, but it is not what was packed */
};

/* "isal, zlib": what is built in; the first is used. */
const char *inflate_names(void);

/*
 * A state by the library called `name` (isal, zlib), NULL: the first.  0, ENOMEM, ENOSYS (not built in).
 */
int inflate_new(struct inflate **ret, const char *name);
void inflate_free(struct inflate *z);

/* A member begins with the next step. */
void inflate_start(struct inflate *z);

/*
 * Unpack from *in to *out, moving both.  One of the above.
 */
int inflate_step(struct inflate *z, const unsigned char **in, const unsigned char *in_end,
                 unsigned char **out, unsigned char *out_end);

#endif
