/* SPDX-License-Identifier: MIT */
/* bench-include: zlib.h */
/* bench-flags: -lz */
/* bench-package: zlib1g-dev */

/* zlib's inflate into one large buffer: what a reader of gzip files by it cannot pass. */

#include "inflate.h"

static void batch(void *arg)
{
    z_stream z = { 0 };
    (void)arg;
    bench_check(inflateInit2(&z, 31) == Z_OK, "inflateInit2 failed");
    z.next_in = inflate_packed;
    z.avail_in = (unsigned)inflate_packed_size;
    z.next_out = inflate_out;
    z.avail_out = INFLATE_SIZE;
    bench_check(inflate(&z, Z_FINISH) == Z_STREAM_END, "inflate failed");
    inflateEnd(&z);
}

int main(int argc, char **argv)
{
    bench_start(argc, argv);
    inflate_row("inflate-zlib-kB", batch);
    return 0;
}
