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

/* One line like those of a quiet hour: few hosts, few pages, two sorts of browser. */
static size_t inflate_line(char *to, size_t at, uint64_t x)
{
    unsigned version = 120 + (x >> 10 & 3);
    return (size_t)snprintf(to, 256,
                            "10.0.%u.%u - - [12/Mar/2024:10:%02u:%02u +0000] "
                            "\"GET /page/%u.html HTTP/1.1\" 200 %u \"-\" \"Mozilla/5.0 (X11; Linux "
                            "x86_64; rv:%u.0) Gecko/20100101 Firefox/%u.0\"\n",
                            (unsigned)(x & 7), (unsigned)(x >> 4 & 31), (unsigned)(at >> 18) % 60,
                            (unsigned)(at >> 12) % 60, (unsigned)(x >> 34 & 63),
                            (unsigned)(x >> 44 & 8191), version, version);
}

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
        used += inflate_line((char *)inflate_plain + used, used, x);
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
