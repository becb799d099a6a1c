/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TRACE_CFI_RULE_H
#define HOCKET_TRACE_CFI_RULE_H

/*
 * cfi_rule - between trace/cfi.c and cfi_compile.c: what the tables say of one address
 */
#include <string.h>

#include "trace/cfi.h"

#define HOCKET__SAVED_MAX 16

enum hocket__how {
    HOCKET__SAME,
    HOCKET__UNDEFINED,
    HOCKET__AT_CFA,
    HOCKET__IS_CFA,
    HOCKET__IN_REGISTER,
    HOCKET__AT_EXPRESSION
};

struct hocket__saved {
    uint8_t reg;
    uint8_t how;     /* enum hocket__how */
    uint16_t length; /* of an expression */
    int32_t offset;  /* from the CFA, or of the expression from `text`; a register */
};

/* How to come from one function to its caller. */
struct hocket__rule {
    const uint8_t *text; /* what offsets of expressions count from */
    int32_t cfa_offset;  /* or of the expression */
    uint16_t cfa_length; /* of the expression; 0: a register and an offset */
    uint8_t cfa_reg;
    uint8_t count;
    bool outermost; /* the return address is undefined */
    struct hocket__saved saved[HOCKET__SAVED_MAX];
};

/* ---- numbers in the tables ---- */

struct hocket__reader {
    const uint8_t *p, *end;
    bool bad;
};

static inline uint64_t hocket__get(struct hocket__reader *r, unsigned bytes)
{
    uint64_t v = 0;
    if ((size_t)(r->end - r->p) < bytes) {
        r->bad = true;
        r->p = r->end;
        return 0;
    }
    memcpy(&v, r->p, bytes); /* both machines are little-endian */
    r->p += bytes;
    return v;
}

static inline uint64_t hocket__get_uleb(struct hocket__reader *r)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
        uint64_t b = hocket__get(r, 1);
        v |= (b & 127) << shift;
        if (b < 128)
            return v;
    }
    r->bad = true;
    return 0;
}

static inline int64_t hocket__get_sleb(struct hocket__reader *r)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
        uint64_t b = hocket__get(r, 1);
        v |= (b & 127) << shift;
        if (b < 128)
            return (int64_t)(b & 64 && shift + 7 < 64 ? v | UINT64_MAX << (shift + 7) : v);
    }
    r->bad = true;
    return 0;
}

/* How the caller of the function at `pc` is found.  False: the tables do not say. */
bool hocket__cfi_compile(uintptr_t pc, bool in_handler, struct hocket__rule *rule);

#endif
