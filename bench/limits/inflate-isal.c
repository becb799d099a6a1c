/* SPDX-License-Identifier: MIT */
/* bench-include: isa-l/igzip_lib.h zlib.h */
/* bench-flags: -lisal -lz */
/* bench-package: libisal-dev */

/* ISA-L's streaming inflate into buffers of 256 KiB, as a reader with bounded memory uses it. */

#include "inflate.h"

#include <isa-l/igzip_lib.h>

#define WINDOW (256u << 10)

static void batch(void *arg)
{
    static struct inflate_state state;
    (void)arg;
    isal_inflate_init(&state);
    state.crc_flag = ISAL_GZIP;
    state.next_in = inflate_packed;
    state.avail_in = (uint32_t)inflate_packed_size;
    state.next_out = inflate_out;
    for (size_t done = 0; done < INFLATE_SIZE; done += WINDOW) {
        state.avail_out = WINDOW;
        bench_check(isal_inflate(&state) == ISAL_DECOMP_OK, "isal_inflate failed");
    }
}

int main(int argc, char **argv)
{
    bench_start(argc, argv);
    inflate_row("inflate-isal-kB", batch);
    return 0;
}
