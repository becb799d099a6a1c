/* SPDX-License-Identifier: MIT */
/*
 * Inflate by Intel's ISA-L (x86-64 and aarch64): a stream at nearly the speed that
 * libdeflate has with whole members.
 */
#include "common/inflate.h"
#include "common/inflate_library.h"

#ifdef HOCKET_HAVE_ISAL
#include <isa-l/igzip_lib.h>
#include <stdlib.h>

static void *isal_new(void)
{
    return malloc(sizeof(struct inflate_state));
}

static void isal_start(void *state)
{
    struct inflate_state *z = state;
    isal_inflate_init(z);
    z->crc_flag = ISAL_GZIP;
}

static int isal_step(void *state, const unsigned char **in, const unsigned char *in_end,
                     unsigned char **out, unsigned char *out_end)
{
    struct inflate_state *z = state;
    z->next_in = (unsigned char *)*in;
    z->avail_in = (uint32_t)(in_end - *in);
    z->next_out = *out;
    z->avail_out = (uint32_t)(out_end - *out);
    int rc = isal_inflate(z);
    *in = z->next_in;
    *out = z->next_out;
    if (rc == ISAL_INCORRECT_CHECKSUM)
        return INFLATE_CHECKSUM;
    if (rc < 0)
        return INFLATE_CORRUPT;
    return z->block_state == ISAL_BLOCK_FINISH ? INFLATE_END : INFLATE_MORE;
}

const struct inflate_library inflate_isal = { "isal", isal_new, free, isal_start, isal_step };
#endif
