/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_BASE_HASH_H
#define HOCKET_BASE_HASH_H

/* hash - numbers for tables and digests; not against whoever chooses the keys */
#include <stdint.h>

#define HOCKET__HASH_FACTOR UINT64_C(0x9e3779b97f4a7c15) /* 2^64 / the golden ratio, odd */

/* One more value into a digest. */
static inline uint64_t hocket__hash_mix(uint64_t digest, uint64_t value)
{
    digest = (digest ^ value) * HOCKET__HASH_FACTOR;
    return digest ^ digest >> 29;
}

/* Of one value, for a table: the bits that depend on all of its own. */
static inline uint32_t hocket__hash_of(uint64_t value)
{
    return (uint32_t)((value * HOCKET__HASH_FACTOR) >> 32);
}

#endif
