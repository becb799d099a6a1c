/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "common/find.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/*
 * How common a byte is in access logs, roughly: 0 rare, 3 very common.  Only
 * speed hangs on it.
 */
static int commonness(unsigned char c)
{
    if (strchr("/0123456789 .\"-:;oeti", c) != NULL && c != '\0')
        return 3;
    if (strchr("anrslcdmph()+,GTKHMW", c) != NULL && c != '\0')
        return 2;
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ? 1 : 0;
}

void finder_start(struct finder *f, const char *needle, size_t length)
{
    *f = (struct finder){ (const unsigned char *)needle, length, 0, 0 };
    size_t a = 0, b = length - 1;
    for (size_t i = 0; i < length; i++) {
        if (commonness(f->needle[i]) < commonness(f->needle[a])) {
            b = a;
            a = i;
        } else if (i != a && commonness(f->needle[i]) < commonness(f->needle[b])) {
            b = i;
        }
    }
    f->first = a < b ? a : b;
    f->second = a < b ? b : a;
}

const unsigned char *finder_next(const struct finder *f, const unsigned char *p, size_t n)
{
#ifdef __SSE2__
    enum { STEP = 32 };
    const unsigned char *end = p + n;
    const __m128i a = _mm_set1_epi8((char)f->needle[f->first]);
    const __m128i b = _mm_set1_epi8((char)f->needle[f->second]);
    while ((size_t)(end - p) >= STEP + f->length) {
        unsigned mask = 0;
        for (int half = 0; half < STEP; half += 16) {
            __m128i x = _mm_loadu_si128((const void *)(p + half + f->first));
            __m128i y = _mm_loadu_si128((const void *)(p + half + f->second));
            __m128i both = _mm_and_si128(_mm_cmpeq_epi8(x, a), _mm_cmpeq_epi8(y, b));
            mask |= (unsigned)_mm_movemask_epi8(both) << half;
        }
        for (; mask != 0; mask &= mask - 1) {
            const unsigned char *at = p + __builtin_ctz(mask);
            if (memcmp(at, f->needle, f->length) == 0)
                return at;
        }
        p += STEP;
    }
    n = (size_t)(end - p);
#endif
    return memmem(p, n, f->needle, f->length);
}
