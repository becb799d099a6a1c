/* SPDX-License-Identifier: MIT */
/*
 * cfi - see trace/cfi.h
 *
 * What the tables say of an address (trace/cfi_compile.c) is kept: tasks of a program stop at few
 * places.
 *
 * The table of rules is direct-mapped.  An entry is written under its own word (0: free to take,
 * 1: being written, otherwise the address it is for) and read like a seqlock: the address before
 * and after.  Two threads that lose a race over an entry only lose the entry.
 */
#include "trace/cfi.h"

#include "sys/context.h"
#include "sys/sanitizer.h"
#include "trace/cfi_rule.h"

#define RULES 512

/* ---- the rules that were asked for ---- */

#define WORDS (sizeof(struct hocket__rule) / sizeof(uint64_t))
_Static_assert(sizeof(struct hocket__rule) % sizeof(uint64_t) == 0, "kept as words");

static struct entry {
    _Atomic uintptr_t pc;
    _Atomic uint64_t words[WORDS];
} entries[RULES];

static bool find_rule(uintptr_t pc, bool in_handler, struct hocket__rule *ret)
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
    if (!hocket__cfi_compile(pc, in_handler, ret))
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
    if (f->copy != NULL) {
        memcpy(ret, f->copy + (at - f->low), sizeof *ret);
        return true;
    }
    if (f->of_thread)
        return hocket__read_safely(at, ret, sizeof *ret);
    *ret = *(const volatile uintptr_t *)at;
    return true;
}

/*
 * The few operations that compilers use for frames with aligned variables.  `cfa` is pushed
 * first.
 */
static bool evaluate(const struct hocket__frame *f, struct hocket__reader r, uintptr_t first,
                     uintptr_t *ret)
{
    uintptr_t stack[8] = { first };
    unsigned n = 1;
    while (r.p < r.end && !r.bad) {
        unsigned op = (unsigned)hocket__get(&r, 1);
        if (op >= 0x70 && op < 0x70 + HOCKET__REGS && n < 8) {
            if (!(f->known & 1u << (op - 0x70)))
                return false;
            stack[n++] = f->reg[op - 0x70] + (uintptr_t)hocket__get_sleb(&r);
        } else if (op >= 0x30 && op < 0x50 && n < 8) {
            stack[n++] = op - 0x30;
        } else if (op == 0x06) {
            if (!hocket__frame_peek(f, stack[n - 1], &stack[n - 1]))
                return false;
        } else if (op == 0x23) {
            stack[n - 1] += hocket__get_uleb(&r);
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

static bool find_cfa(const struct hocket__frame *f, const struct hocket__rule *rule, uintptr_t *ret)
{
    if (rule->cfa_length > 0) {
        const uint8_t *p = rule->text + rule->cfa_offset;
        return evaluate(f, (struct hocket__reader){ p, p + rule->cfa_length, false }, 0, ret);
    }
    if (!(f->known & 1u << rule->cfa_reg))
        return false;
    *ret = f->reg[rule->cfa_reg] + (uintptr_t)(intptr_t)rule->cfa_offset;
    return true;
}

static bool restore(const struct hocket__frame *f, const struct hocket__rule *rule,
                    const struct hocket__saved *s, uintptr_t cfa, uintptr_t *ret)
{
    uintptr_t at = cfa + (uintptr_t)(intptr_t)s->offset;
    const uint8_t *p = rule->text + s->offset;
    switch ((enum hocket__how)s->how) {
    case HOCKET__AT_CFA: return hocket__frame_peek(f, at, ret);
    case HOCKET__IS_CFA: *ret = at; return true;
    case HOCKET__IN_REGISTER:
        if ((unsigned)s->offset >= HOCKET__REGS || !(f->known & 1u << s->offset))
            return false;
        *ret = f->reg[s->offset];
        return true;
    case HOCKET__AT_EXPRESSION:
        return evaluate(f, (struct hocket__reader){ p, p + s->length, false }, cfa, &at) &&
               hocket__frame_peek(f, at, ret);
    case HOCKET__SAME:
    case HOCKET__UNDEFINED: break;
    }
    return false;
}

static bool up_by_rule(struct hocket__frame *f, const struct hocket__rule *rule)
{
    struct hocket__frame next = *f;
    uintptr_t cfa;
    if (!find_cfa(f, rule, &cfa) || cfa <= f->reg[HOCKET__REG_SP])
        return false;
    for (unsigned i = 0; i < rule->count; i++) {
        const struct hocket__saved *s = &rule->saved[i];
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
    struct hocket__rule rule;
    if (!find_rule(f->pc - 1, f->in_handler, &rule))
        return !f->strict && up_by_frame_pointer(f);
    return !rule.outermost && up_by_rule(f, &rule);
}

bool hocket__frame_step(uintptr_t pc, struct hocket__step *ret)
{
    struct hocket__rule rule;
    struct hocket__step step = { .ra = INT32_MAX };
    if (!find_rule(pc, false, &rule) || rule.outermost || rule.cfa_length > 0)
        return false;
    if (rule.cfa_reg != HOCKET__REG_SP && rule.cfa_reg != HOCKET__REG_FP)
        return false;
    step.cfa = rule.cfa_offset;
    step.by_fp = rule.cfa_reg == HOCKET__REG_FP;
    for (unsigned i = 0; i < rule.count; i++) {
        const struct hocket__saved *s = &rule.saved[i];
        bool fp = s->reg == HOCKET__REG_FP, ra = s->reg == HOCKET__REG_RA;
        if ((fp || ra) && s->how != HOCKET__AT_CFA)
            return false;
        step.ra = ra ? s->offset : step.ra;
        step.fp = fp ? s->offset : step.fp;
        step.fp_saved |= fp;
    }
    *ret = step;
    return step.ra != INT32_MAX;
}
