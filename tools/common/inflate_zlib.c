/* SPDX-License-Identifier: MIT */
/* Inflate by zlib: everywhere, and a third as fast. */
#include "common/inflate.h"
#include "common/inflate_library.h"

#ifdef HOCKET_HAVE_ZLIB
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { GZIP_ONLY = 15 + 16 };

static void *zlib_new(void)
{
    z_stream *z = calloc(1, sizeof *z);
    if (z != NULL && inflateInit2(z, GZIP_ONLY) != Z_OK) {
        free(z);
        z = NULL;
    }
    return z;
}

static void zlib_free(void *state)
{
    inflateEnd(state);
    free(state);
}

static void zlib_start(void *state)
{
    inflateReset(state);
}

static int zlib_step(void *state, const unsigned char **in, const unsigned char *in_end,
                     unsigned char **out, unsigned char *out_end)
{
    z_stream *z = state;
    z->next_in = (unsigned char *)*in;
    z->avail_in = (unsigned)(in_end - *in);
    z->next_out = *out;
    z->avail_out = (unsigned)(out_end - *out);
    int rc = inflate(z, Z_NO_FLUSH);
    *in = z->next_in;
    *out = z->next_out;
    if (rc == Z_STREAM_END)
        return INFLATE_END;
    if (rc == Z_OK || rc == Z_BUF_ERROR)
        return INFLATE_MORE;
    /* What zlib says of a wrong checksum and of a wrong length; there is no number for it. */
    if (z->msg != NULL && (strstr(z->msg, "data check") || strstr(z->msg, "length check")))
        return INFLATE_CHECKSUM;
    return INFLATE_CORRUPT;
}

const struct inflate_library inflate_zlib = { "zlib", zlib_new, zlib_free, zlib_start, zlib_step };
#endif
