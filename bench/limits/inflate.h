/* SPDX-License-Identifier: MIT */
#ifndef INFLATE_H
#define INFLATE_H

/*
 * inflate - the input of the decompressor limits: 8 MiB of log lines, compressed by gzip's usual
 * level
 *
 * Only what all three need: text as regular as an access log, made from a seed, so that each
 * measures the same bytes.
 */

#include "limits.h"

#include <zlib.h>

#define INFLATE_SIZE (8u << 20)

static unsigned char *inflate_plain, *inflate_packed, *inflate_out;
static size_t inflate_packed_size;

static void inflate_prepare(void)
{
    uint64_t x = 1;
    size_t used = 0;
    z_stream z = { 0 };

    inflate_plain = malloc(INFLATE_SIZE + 256);
    inflate_packed = malloc(INFLATE_SIZE);
    inflate_out = malloc(INFLATE_SIZE);
    bench_check(inflate_plain && inflate_packed && inflate_out, "no memory");
    while (used < INFLATE_SIZE) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        used += (size_t)snprintf(
            (char *)inflate_plain + used, 256,
            "10.%u.%u.%u - - [12/Mar/2024:%02u:%02u:%02u +0000] \"GET /page/%u.html HTTP/1.1\" 200 %u\n",
            (unsigned)(x & 15), (unsigned)(x >> 4 & 255), (unsigned)(x >> 12 & 255),
            (unsigned)(x >> 20 & 15), (unsigned)(x >> 24 & 31), (unsigned)(x >> 29 & 31),
            (unsigned)(x >> 34 & 1023), (unsigned)(x >> 44 & 65535));
    }
    bench_check(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) == Z_OK,
                "deflateInit2 failed");
    z.next_in = inflate_plain;
    z.avail_in = INFLATE_SIZE;
    z.next_out = inflate_packed;
    z.avail_out = INFLATE_SIZE;
    bench_check(deflate(&z, Z_FINISH) == Z_STREAM_END, "deflate failed");
    inflate_packed_size = z.total_out;
    deflateEnd(&z);
}

/* As nanoseconds for each kilobyte of output, so that less is better as everywhere; 1000 / x is
 * MB/s. */
static void inflate_row(const char *name, void (*batch)(void *))
{
    inflate_prepare();
    bench_named(name, batch, NULL, INFLATE_SIZE / 1000.0);
    bench_check(memcmp(inflate_plain, inflate_out, INFLATE_SIZE) == 0, "the output differs");
}

#endif
