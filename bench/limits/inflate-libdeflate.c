/* SPDX-License-Identifier: MIT */
/* bench-include: libdeflate.h zlib.h */
/* bench-flags: -ldeflate -lz */
/* bench-package: libdeflate-dev */

/* libdeflate, which wants the whole file and the whole output in memory at once. */

#include "inflate.h"

#include <libdeflate.h>

static struct libdeflate_decompressor *decompressor;

static void batch(void *arg)
{
    size_t size;
    (void)arg;
    bench_check(libdeflate_gzip_decompress(decompressor, inflate_packed, inflate_packed_size,
                                           inflate_out, INFLATE_SIZE, &size) == LIBDEFLATE_SUCCESS,
                "libdeflate_gzip_decompress failed");
}

int main(int argc, char **argv)
{
    bench_start(argc, argv);
    decompressor = libdeflate_alloc_decompressor();
    bench_check(decompressor != NULL, "no memory");
    inflate_row("inflate-libdeflate-kB", batch);
    return 0;
}
