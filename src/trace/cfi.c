/* SPDX-License-Identifier: MIT */
/*
 * cfi - see trace/cfi.h
 *
 * The format is that of the Linux Standard Base (.eh_frame, .eh_frame_hdr) and of DWARF 5, 6.4.
 * The program of a function is run up to the address in question; the outcome is a small rule,
 * which is kept: tasks of a program stop at few places.
 *
 * The table of rules is direct-mapped.  An entry is written under its own word (0: free to take,
 * 1: being written, otherwise the address it is for) and read like a seqlock: the address before
 * and after.  Two threads that lose a race over an entry only lose the entry.
 */
#include "trace/cfi.h"

#include <string.h>

#include "sys/module.h"
#include "sys/sanitizer.h"

#define SAVED_MAX 16
#define RULES     512
#define REMEMBER  4

enum how { SAME, UNDEFINED, AT_CFA, IS_CFA, IN_REGISTER, AT_EXPRESSION };

struct saved {
    uint8_t reg;
    uint8_t how;     /* enum how */
    uint16_t length; /* of an expression */
    int32_t offset;  /* from the CFA, or of the expression from `text`; a register */
};

/* How to come from one function to its caller. */
struct rule {
    const uint8_t *text; /* what offsets of expressions count from */
    int32_t cfa_offset;  /* or of the expression */
    uint16_t cfa_length; /* of the expression; 0: a register and an offset */
    uint8_t cfa_reg;
    uint8_t count;
    bool outermost; /* the return address is undefined */
    bool signal;    /* a signal frame: pc is exact */
    struct saved saved[SAVED_MAX];
};

/* ---- reading the tables ---- */

struct reader {
    const uint8_t *p, *end;
    bool bad;
};

static uint64_t get(struct reader *r, unsigned bytes)
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

static uint64_t get_uleb(struct reader *r)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
        uint64_t b = get(r, 1);
        v |= (b & 127) << shift;
        if (b < 128)
            return v;
    }
    r->bad = true;
    return 0;
}

static int64_t get_sleb(struct reader *r)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
        uint64_t b = get(r, 1);
        v |= (b & 127) << shift;
        if (b < 128)
            return (int64_t)(b & 64 && shift + 7 < 64 ? v | UINT64_MAX << (shift + 7) : v);
    }
    r->bad = true;
    return 0;
}

/* An address in one of the encodings DW_EH_PE_*; `only_format`: a length in that format. */
static uintptr_t get_encoded(struct reader *r, uint8_t encoding, bool only_format)
{
    uintptr_t here = (uintptr_t)r->p, v = 0;
    switch (encoding & 15) {
    case 0x0:
    case 0x4:
    case 0xc: v = get(r, 8); break;
    case 0x1: v = get_uleb(r); break;
    case 0x9: v = (uintptr_t)get_sleb(r); break;
    case 0x2: v = get(r, 2); break;
    case 0xa: v = (uintptr_t)(int16_t)get(r, 2); break;
    case 0x3: v = get(r, 4); break;
    case 0xb: v = (uintptr_t)(int64_t)(int32_t)get(r, 4); break;
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
    bool augmented, signal;
    struct reader program;
};

static bool read_cie(const uint8_t *at, struct cie *c)
{
    struct reader r = { at, at + 4, false };
    uint64_t length = get(&r, 4);
    if (length == 0 || length == UINT32_MAX)
        return false;
    r.end = at + 4 + length;
    if (get(&r, 4) != 0)
        return false;
    uint64_t version = get(&r, 1);
    const char *augmentation = (const char *)r.p;
    while (get(&r, 1) != 0)
        ;
    c->code_align = get_uleb(&r);
    c->data_align = get_sleb(&r);
    c->ra = version == 1 ? get(&r, 1) : get_uleb(&r);
    c->encoding = 0;
    c->signal = false;
    c->augmented = augmentation[0] == 'z';
    if (c->augmented) {
        uint64_t size = get_uleb(&r);
        const uint8_t *program = r.p + size;
        for (const char *a = augmentation + 1; *a && !r.bad; a++) {
            if (*a == 'R')
                c->encoding = (uint8_t)get(&r, 1);
            else if (*a == 'S')
                c->signal = true;
            else if (*a == 'L')
                (void)get(&r, 1);
            else if (*a == 'P') {
                uint8_t encoding = (uint8_t)get(&r, 1);
                (void)get_encoded(&r, encoding, true);
            } else if (*a != 'B')
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
    struct saved reg[HOCKET__REGS];
};

struct machine {
    struct state now, initial, kept[REMEMBER];
    unsigned depth;
    const struct cie *cie;
    const uint8_t *text;
    uintptr_t at, pc;
};

static void set(struct machine *m, uint64_t reg, enum how how, int64_t offset)
{
    if (reg < HOCKET__REGS)
        m->now.reg[reg] = (struct saved){ (uint8_t)reg, (uint8_t)how, 0, (int32_t)offset };
}

static void set_expression(struct machine *m, struct reader *r, uint64_t reg)
{
    uint64_t length = get_uleb(r);
    if (reg < HOCKET__REGS)
        m->now.reg[reg] = (struct saved){ (uint8_t)reg, AT_EXPRESSION, (uint16_t)length,
                                          (int32_t)(r->p - m->text) };
    r->p += length <= (size_t)(r->end - r->p) ? length : 0;
}

static void define_cfa(struct machine *m, uint64_t reg, int64_t offset)
{
    m->now.cfa_reg = (uint8_t)(reg < HOCKET__REGS ? reg : HOCKET__REG_SP);
    m->now.cfa_offset = (int32_t)offset;
    m->now.cfa_length = 0;
}

/* The instructions without an operand in their first byte.  False: one that is not understood. */
static bool run_extended(struct machine *m, struct reader *r, unsigned op)
{
    int64_t scale = m->cie->data_align;
    uint64_t reg;
    switch (op) {
    case 0x00: break;
    case 0x01: m->at = get_encoded(r, m->cie->encoding, false); break;
    case 0x02: m->at += get(r, 1) * m->cie->code_align; break;
    case 0x03: m->at += get(r, 2) * m->cie->code_align; break;
    case 0x04: m->at += get(r, 4) * m->cie->code_align; break;
    case 0x05:
        reg = get_uleb(r);
        set(m, reg, AT_CFA, (int64_t)get_uleb(r) * scale);
        break;
    case 0x06:
        reg = get_uleb(r);
        if (reg < HOCKET__REGS)
            m->now.reg[reg] = m->initial.reg[reg];
        break;
    case 0x07: set(m, get_uleb(r), UNDEFINED, 0); break;
    case 0x08: set(m, get_uleb(r), SAME, 0); break;
    case 0x09:
        reg = get_uleb(r);
        set(m, reg, IN_REGISTER, (int64_t)get_uleb(r));
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
        reg = get_uleb(r);
        define_cfa(m, reg, (int64_t)get_uleb(r));
        break;
    case 0x0d: define_cfa(m, get_uleb(r), m->now.cfa_offset); break;
    case 0x0e: m->now.cfa_offset = (int32_t)get_uleb(r); break;
    case 0x0f:
        m->now.cfa_length = (uint16_t)get_uleb(r);
        m->now.cfa_offset = (int32_t)(r->p - m->text);
        r->p += m->now.cfa_length <= (size_t)(r->end - r->p) ? m->now.cfa_length : 0;
        break;
    case 0x10: set_expression(m, r, get_uleb(r)); break;
    case 0x11:
        reg = get_uleb(r);
        set(m, reg, AT_CFA, get_sleb(r) * scale);
        break;
    case 0x12:
        reg = get_uleb(r);
        define_cfa(m, reg, get_sleb(r) * scale);
        break;
    case 0x13: m->now.cfa_offset = (int32_t)(get_sleb(r) * scale); break;
    case 0x14:
        reg = get_uleb(r);
        set(m, reg, IS_CFA, (int64_t)get_uleb(r) * scale);
        break;
    case 0x15:
        reg = get_uleb(r);
        set(m, reg, IS_CFA, get_sleb(r) * scale);
        break;
    case 0x2d: break;                    /* aarch64: the return address is signed from here on */
    case 0x2e: (void)get_uleb(r); break; /* size of the arguments */
    default: return false;
    }
    return true;
}

static bool run(struct machine *m, struct reader r)
{
    while (r.p < r.end && m->at <= m->pc && !r.bad) {
        unsigned op = (unsigned)get(&r, 1), low = op & 63;
        if (op >> 6 == 1)
            m->at += low * m->cie->code_align;
        else if (op >> 6 == 2)
            set(m, low, AT_CFA, (int64_t)get_uleb(&r) * m->cie->data_align);
        else if (op >> 6 == 3 && low < HOCKET__REGS)
            m->now.reg[low] = m->initial.reg[low];
        else if (op >> 6 == 0 && !run_extended(m, &r, op))
            return false;
    }
    return !r.bad;
}

static bool rule_of(const struct machine *m, struct rule *rule)
{
    const struct state *s = &m->now;
    *rule = (struct rule){ .text = m->text,
                           .cfa_offset = s->cfa_offset,
                           .cfa_reg = s->cfa_reg,
                           .cfa_length = s->cfa_length,
                           .signal = m->cie->signal };
    rule->outermost = s->reg[HOCKET__REG_RA].how == UNDEFINED;
    for (unsigned i = 0; i < HOCKET__REGS; i++)
        if (s->reg[i].how != SAME && s->reg[i].how != UNDEFINED) {
            if (rule->count == SAVED_MAX)
                return false;
            rule->saved[rule->count++] = s->reg[i];
        }
    return true;
}

/* How the caller of the function at `pc` is found. */
static bool compile(uintptr_t pc, bool in_handler, struct rule *rule)
{
    struct hocket__module module;
    struct cie cie;
    if (!hocket__module_find(pc, in_handler, &module))
        return false;
    const uint8_t *fde = find_fde(&module, pc);
    if (fde == NULL)
        return false;
    struct reader r = { fde, fde + 8, false };
    uint64_t length = get(&r, 4);
    const uint8_t *id = r.p;
    uint64_t back = get(&r, 4);
    r.end = fde + 4 + length;
    if (length == 0 || length == UINT32_MAX || back == 0 || !read_cie(id - back, &cie))
        return false;
    uintptr_t start = get_encoded(&r, cie.encoding, false);
    uintptr_t size = get_encoded(&r, cie.encoding, true);
    if (cie.augmented)
        r.p += get_uleb(&r);
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

/* ---- the rules that were asked for ---- */

#define WORDS (sizeof(struct rule) / sizeof(uint64_t))
_Static_assert(sizeof(struct rule) % sizeof(uint64_t) == 0, "kept as words");

static struct entry {
    _Atomic uintptr_t pc;
    _Atomic uint64_t words[WORDS];
} entries[RULES];

static bool find_rule(uintptr_t pc, bool in_handler, struct rule *ret)
{
    struct entry *e = &entries[(pc ^ pc >> 9) % RULES];
    uintptr_t old = hk_load_acq(&e->pc); /* pairs with the release below */
    if (old == pc) {
        uint64_t words[WORDS];
        for (size_t i = 0; i < WORDS; i++)
            words[i] = hk_load_acq(&e->words[i]); /* before the address is read again */
        memcpy(ret, words, sizeof words);
        if (hk_load(&e->pc) == pc)
            return true;
    }
    if (!compile(pc, in_handler, ret))
        return false;
    if (old != 1 && hk_cas_sc(&e->pc, &old, 1)) {
        uint64_t words[WORDS];
        memcpy(words, ret, sizeof words);
        for (size_t i = 0; i < WORDS; i++)
            hk_store(&e->words[i], words[i]);
        hk_store_rel(&e->pc, pc);
    }
    return true;
}

/* ---- one step ---- */

HOCKET_NO_ASAN HOCKET_NO_TSAN bool hocket__frame_peek(const struct hocket__frame *f, uintptr_t at,
                                                      uintptr_t *ret)
{
    if (at < f->low || at > f->high - sizeof *ret || at % sizeof *ret != 0)
        return false;
    *ret = *(const volatile uintptr_t *)at;
    return true;
}

/*
 * The few operations that compilers use for frames with aligned variables.  `cfa` is pushed
 * first.
 */
static bool evaluate(const struct hocket__frame *f, struct reader r, uintptr_t first,
                     uintptr_t *ret)
{
    uintptr_t stack[8] = { first };
    unsigned n = 1;
    while (r.p < r.end && !r.bad) {
        unsigned op = (unsigned)get(&r, 1);
        if (op >= 0x70 && op < 0x70 + HOCKET__REGS && n < 8) {
            if (!(f->known & 1u << (op - 0x70)))
                return false;
            stack[n++] = f->reg[op - 0x70] + (uintptr_t)get_sleb(&r);
        } else if (op >= 0x30 && op < 0x50 && n < 8) {
            stack[n++] = op - 0x30;
        } else if (op == 0x06) {
            if (!hocket__frame_peek(f, stack[n - 1], &stack[n - 1]))
                return false;
        } else if (op == 0x23) {
            stack[n - 1] += get_uleb(&r);
        } else if (op == 0x22 && n > 1) {
            n--;
            stack[n - 1] += stack[n];
        } else if (op == 0x1a && n > 1) {
            n--;
            stack[n - 1] &= stack[n];
        } else {
            return false;
        }
    }
    *ret = stack[n - 1];
    return !r.bad;
}

static bool find_cfa(const struct hocket__frame *f, const struct rule *rule, uintptr_t *ret)
{
    if (rule->cfa_length > 0) {
        const uint8_t *p = rule->text + rule->cfa_offset;
        return evaluate(f, (struct reader){ p, p + rule->cfa_length, false }, 0, ret);
    }
    if (!(f->known & 1u << rule->cfa_reg))
        return false;
    *ret = f->reg[rule->cfa_reg] + (uintptr_t)(intptr_t)rule->cfa_offset;
    return true;
}

static bool restore(const struct hocket__frame *f, const struct rule *rule, const struct saved *s,
                    uintptr_t cfa, uintptr_t *ret)
{
    uintptr_t at = cfa + (uintptr_t)(intptr_t)s->offset;
    const uint8_t *p = rule->text + s->offset;
    switch ((enum how)s->how) {
    case AT_CFA: return hocket__frame_peek(f, at, ret);
    case IS_CFA: *ret = at; return true;
    case IN_REGISTER:
        if ((unsigned)s->offset >= HOCKET__REGS || !(f->known & 1u << s->offset))
            return false;
        *ret = f->reg[s->offset];
        return true;
    case AT_EXPRESSION:
        return evaluate(f, (struct reader){ p, p + s->length, false }, cfa, &at) &&
               hocket__frame_peek(f, at, ret);
    case SAME:
    case UNDEFINED: break;
    }
    return false;
}

static bool up_by_rule(struct hocket__frame *f, const struct rule *rule)
{
    struct hocket__frame next = *f;
    uintptr_t cfa;
    if (!find_cfa(f, rule, &cfa) || cfa <= f->reg[HOCKET__REG_SP])
        return false;
    for (unsigned i = 0; i < rule->count; i++) {
        const struct saved *s = &rule->saved[i];
        if (restore(f, rule, s, cfa, &next.reg[s->reg]))
            next.known |= 1u << s->reg;
        else
            next.known &= ~(1u << s->reg);
    }
    next.reg[HOCKET__REG_SP] = cfa;
    next.known |= 1u << HOCKET__REG_SP;
    if (!(next.known & 1u << HOCKET__REG_RA))
        return false;
    next.pc = next.reg[HOCKET__REG_RA] & HOCKET__PC_MASK;
    next.known &= ~(1u << HOCKET__REG_RA); /* the caller has not called yet, as it were */
    *f = next;
    return f->pc != 0;
}

/* Code without tables (made at run time, or hand-written): rbp or x29 leads on, if it does. */
static bool up_by_frame_pointer(struct hocket__frame *f)
{
    uintptr_t fp = f->reg[HOCKET__REG_FP], next, pc;
    if (!(f->known & 1u << HOCKET__REG_FP) || fp < f->reg[HOCKET__REG_SP] ||
        !hocket__frame_peek(f, fp, &next) || !hocket__frame_peek(f, fp + sizeof fp, &pc))
        return false;
    pc &= HOCKET__PC_MASK;
    if (pc == 0 || next <= fp)
        return false;
    f->pc = pc;
    f->reg[HOCKET__REG_SP] = fp + 2 * sizeof fp;
    f->reg[HOCKET__REG_FP] = next;
    f->known = 1u << HOCKET__REG_SP | 1u << HOCKET__REG_FP;
    return true;
}

bool hocket__frame_up(struct hocket__frame *f)
{
    struct rule rule;
    if (!find_rule(f->pc - 1, f->in_handler, &rule))
        return !f->strict && up_by_frame_pointer(f);
    return !rule.outermost && up_by_rule(f, &rule);
}

bool hocket__frame_step(uintptr_t pc, struct hocket__step *ret)
{
    struct rule rule;
    struct hocket__step step = { .ra = INT32_MAX };
    if (!find_rule(pc, false, &rule) || rule.outermost || rule.cfa_length > 0)
        return false;
    if (rule.cfa_reg != HOCKET__REG_SP && rule.cfa_reg != HOCKET__REG_FP)
        return false;
    step.cfa = rule.cfa_offset;
    step.by_fp = rule.cfa_reg == HOCKET__REG_FP;
    for (unsigned i = 0; i < rule.count; i++) {
        const struct saved *s = &rule.saved[i];
        bool fp = s->reg == HOCKET__REG_FP, ra = s->reg == HOCKET__REG_RA;
        if ((fp || ra) && s->how != AT_CFA)
            return false;
        step.ra = ra ? s->offset : step.ra;
        step.fp = fp ? s->offset : step.fp;
        step.fp_saved |= fp;
    }
    *ret = step;
    return step.ra != INT32_MAX;
}
