/* SPDX-License-Identifier: MIT */
/*
 * cfi_compile - from .eh_frame to the rule for one address
 *
 * The format is that of the Linux Standard Base (.eh_frame, .eh_frame_hdr) and of DWARF 5, 6.4.
 * The program of a function is run up to the address in question; the outcome is a small rule.
 */
#include "sys/module.h"
#include "trace/cfi_rule.h"

#define REMEMBER 4

/* An address in one of the encodings DW_EH_PE_*; `only_format`: a length in that format. */
static uintptr_t get_encoded(struct hocket__reader *r, uint8_t encoding, bool only_format)
{
    uintptr_t here = (uintptr_t)r->p, v = 0;
    switch (encoding & 15) {
    case 0x0:
    case 0x4:
    case 0xc: v = hocket__get(r, 8); break;
    case 0x1: v = hocket__get_uleb(r); break;
    case 0x9: v = (uintptr_t)hocket__get_sleb(r); break;
    case 0x2: v = hocket__get(r, 2); break;
    case 0xa: v = (uintptr_t)(int16_t)hocket__get(r, 2); break;
    case 0x3: v = hocket__get(r, 4); break;
    case 0xb: v = (uintptr_t)(int64_t)(int32_t)hocket__get(r, 4); break;
    default: r->bad = true;
    }
    if (only_format)
        return v;
    if ((encoding & 0x70) == 0x10)
        v += here;
    else if ((encoding & 0x70) != 0)
        r->bad = true;
    return v;
}

struct cie {
    uint64_t code_align;
    int64_t data_align;
    uint64_t ra;
    uint8_t encoding;
    bool augmented;
    struct hocket__reader program;
};

static bool read_cie(const uint8_t *at, struct cie *c)
{
    struct hocket__reader r = { at, at + 4, false };
    uint64_t length = hocket__get(&r, 4);
    if (length == 0 || length == UINT32_MAX)
        return false;
    r.end = at + 4 + length;
    if (hocket__get(&r, 4) != 0)
        return false;
    uint64_t version = hocket__get(&r, 1);
    const char *augmentation = (const char *)r.p;
    while (hocket__get(&r, 1) != 0)
        ;
    c->code_align = hocket__get_uleb(&r);
    c->data_align = hocket__get_sleb(&r);
    c->ra = version == 1 ? hocket__get(&r, 1) : hocket__get_uleb(&r);
    c->encoding = 0;
    c->augmented = augmentation[0] == 'z';
    if (c->augmented) {
        uint64_t size = hocket__get_uleb(&r);
        const uint8_t *program = r.p + size;
        for (const char *a = augmentation + 1; *a && !r.bad; a++) {
            if (*a == 'R')
                c->encoding = (uint8_t)hocket__get(&r, 1);
            else if (*a == 'L')
                (void)hocket__get(&r, 1);
            else if (*a == 'P') {
                uint8_t encoding = (uint8_t)hocket__get(&r, 1);
                (void)get_encoded(&r, encoding, true);
            } else if (*a != 'B' && *a != 'S')
                break;
        }
        r.p = program <= r.end ? program : r.end;
    } else if (augmentation[0] != '\0') {
        return false;
    }
    c->program = r;
    return !r.bad;
}

/* The description of the function at `pc`, by the sorted table of .eh_frame_hdr. */
static const uint8_t *find_fde(const struct hocket__module *m, uintptr_t pc)
{
    const uint8_t *h = m->unwind;
    /* Version 1, pointer pcrel sdata4, count udata4, table datarel sdata4: what linkers write. */
    if (h == NULL || h[0] != 1 || h[1] != 0x1b || h[2] != 0x03 || h[3] != 0x3b)
        return NULL;
    uint32_t count;
    memcpy(&count, h + 8, 4);
    const uint8_t *table = h + 12;
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int32_t start;
        memcpy(&start, table + middle * 8, 4);
        if ((uintptr_t)h + (uintptr_t)(intptr_t)start <= pc)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    int32_t fde;
    memcpy(&fde, table + (low - 1) * 8 + 4, 4);
    return h + fde;
}

/* ---- running the program of a function ---- */

struct state {
    int32_t cfa_offset;
    uint16_t cfa_length;
    uint8_t cfa_reg;
    struct hocket__saved reg[HOCKET__REGS];
};

struct machine {
    struct state now, initial, kept[REMEMBER];
    unsigned depth;
    const struct cie *cie;
    const uint8_t *text;
    uintptr_t at, pc;
};

static void set(struct machine *m, uint64_t reg, enum hocket__how how, int64_t offset)
{
    if (reg < HOCKET__REGS)
        m->now.reg[reg] = (struct hocket__saved){ (uint8_t)reg, (uint8_t)how, 0, (int32_t)offset };
}

static void set_expression(struct machine *m, struct hocket__reader *r, uint64_t reg)
{
    uint64_t length = hocket__get_uleb(r);
    if (reg < HOCKET__REGS)
        m->now.reg[reg] = (struct hocket__saved){ (uint8_t)reg, HOCKET__AT_EXPRESSION,
                                                  (uint16_t)length, (int32_t)(r->p - m->text) };
    r->p += length <= (size_t)(r->end - r->p) ? length : 0;
}

static void define_cfa(struct machine *m, uint64_t reg, int64_t offset)
{
    m->now.cfa_reg = (uint8_t)(reg < HOCKET__REGS ? reg : HOCKET__REG_SP);
    m->now.cfa_offset = (int32_t)offset;
    m->now.cfa_length = 0;
}

/* The instructions without an operand in their first byte.  False: one that is not understood. */
static bool run_extended(struct machine *m, struct hocket__reader *r, unsigned op)
{
    int64_t scale = m->cie->data_align;
    uint64_t reg;
    switch (op) {
    case 0x00: break;
    case 0x01: m->at = get_encoded(r, m->cie->encoding, false); break;
    case 0x02: m->at += hocket__get(r, 1) * m->cie->code_align; break;
    case 0x03: m->at += hocket__get(r, 2) * m->cie->code_align; break;
    case 0x04: m->at += hocket__get(r, 4) * m->cie->code_align; break;
    case 0x05:
        reg = hocket__get_uleb(r);
        set(m, reg, HOCKET__AT_CFA, (int64_t)hocket__get_uleb(r) * scale);
        break;
    case 0x06:
        reg = hocket__get_uleb(r);
        if (reg < HOCKET__REGS)
            m->now.reg[reg] = m->initial.reg[reg];
        break;
    case 0x07: set(m, hocket__get_uleb(r), HOCKET__UNDEFINED, 0); break;
    case 0x08: set(m, hocket__get_uleb(r), HOCKET__SAME, 0); break;
    case 0x09:
        reg = hocket__get_uleb(r);
        set(m, reg, HOCKET__IN_REGISTER, (int64_t)hocket__get_uleb(r));
        break;
    case 0x0a:
        if (m->depth == REMEMBER)
            return false;
        m->kept[m->depth++] = m->now;
        break;
    case 0x0b:
        if (m->depth == 0)
            return false;
        m->now = m->kept[--m->depth];
        break;
    case 0x0c:
        reg = hocket__get_uleb(r);
        define_cfa(m, reg, (int64_t)hocket__get_uleb(r));
        break;
    case 0x0d: define_cfa(m, hocket__get_uleb(r), m->now.cfa_offset); break;
    case 0x0e: m->now.cfa_offset = (int32_t)hocket__get_uleb(r); break;
    case 0x0f:
        m->now.cfa_length = (uint16_t)hocket__get_uleb(r);
        m->now.cfa_offset = (int32_t)(r->p - m->text);
        r->p += m->now.cfa_length <= (size_t)(r->end - r->p) ? m->now.cfa_length : 0;
        break;
    case 0x10: set_expression(m, r, hocket__get_uleb(r)); break;
    case 0x11:
        reg = hocket__get_uleb(r);
        set(m, reg, HOCKET__AT_CFA, hocket__get_sleb(r) * scale);
        break;
    case 0x12:
        reg = hocket__get_uleb(r);
        define_cfa(m, reg, hocket__get_sleb(r) * scale);
        break;
    case 0x13: m->now.cfa_offset = (int32_t)(hocket__get_sleb(r) * scale); break;
    case 0x14:
        reg = hocket__get_uleb(r);
        set(m, reg, HOCKET__IS_CFA, (int64_t)hocket__get_uleb(r) * scale);
        break;
    case 0x15:
        reg = hocket__get_uleb(r);
        set(m, reg, HOCKET__IS_CFA, hocket__get_sleb(r) * scale);
        break;
    case 0x2d: break; /* aarch64: the return address is signed from here on */
    case 0x2e: (void)hocket__get_uleb(r); break; /* size of the arguments */
    default: return false;
    }
    return true;
}

static bool run(struct machine *m, struct hocket__reader r)
{
    while (r.p < r.end && m->at <= m->pc && !r.bad) {
        unsigned op = (unsigned)hocket__get(&r, 1), low = op & 63;
        if (op >> 6 == 1)
            m->at += low * m->cie->code_align;
        else if (op >> 6 == 2)
            set(m, low, HOCKET__AT_CFA, (int64_t)hocket__get_uleb(&r) * m->cie->data_align);
        else if (op >> 6 == 3 && low < HOCKET__REGS)
            m->now.reg[low] = m->initial.reg[low];
        else if (op >> 6 == 0 && !run_extended(m, &r, op))
            return false;
    }
    return !r.bad;
}

static bool rule_of(const struct machine *m, struct hocket__rule *rule)
{
    const struct state *s = &m->now;
    *rule = (struct hocket__rule){ .text = m->text,
                                   .cfa_offset = s->cfa_offset,
                                   .cfa_reg = s->cfa_reg,
                                   .cfa_length = s->cfa_length };
    rule->outermost = s->reg[HOCKET__REG_RA].how == HOCKET__UNDEFINED;
    for (unsigned i = 0; i < HOCKET__REGS; i++)
        if (s->reg[i].how != HOCKET__SAME && s->reg[i].how != HOCKET__UNDEFINED) {
            if (rule->count == HOCKET__SAVED_MAX)
                return false;
            rule->saved[rule->count++] = s->reg[i];
        }
    return true;
}

bool hocket__cfi_compile(uintptr_t pc, bool in_handler, struct hocket__rule *rule)
{
    struct hocket__module module;
    struct cie cie;
    if (!hocket__module_find(pc, in_handler, &module))
        return false;
    const uint8_t *fde = find_fde(&module, pc);
    if (fde == NULL)
        return false;
    struct hocket__reader r = { fde, fde + 8, false };
    uint64_t length = hocket__get(&r, 4);
    const uint8_t *id = r.p;
    uint64_t back = hocket__get(&r, 4);
    r.end = fde + 4 + length;
    if (length == 0 || length == UINT32_MAX || back == 0 || !read_cie(id - back, &cie))
        return false;
    uintptr_t start = get_encoded(&r, cie.encoding, false);
    uintptr_t size = get_encoded(&r, cie.encoding, true);
    if (cie.augmented)
        r.p += hocket__get_uleb(&r);
    if (r.bad || r.p > r.end || pc - start >= size || cie.ra != HOCKET__REG_RA)
        return false;
    struct machine m = { .cie = &cie, .text = fde, .at = start, .pc = UINTPTR_MAX };
    if (!run(&m, cie.program))
        return false;
    m.initial = m.now;
    m.at = start;
    m.pc = pc;
    return run(&m, r) && rule_of(&m, rule);
}
