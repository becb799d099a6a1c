/* SPDX-License-Identifier: MIT */
/*
 * site - see trace/site.h
 *
 * The walk.  A full step by the tables of the compilers (trace/cfi.h) takes long; but at one place
 * in the code a frame has one size, so what a step has to know is kept in one word a place.  Two
 * words an entry, written by anybody at any time: the place is stored combined with the step, so an
 * entry that two threads have mixed up fits no place.
 *
 * Most waits are where one has been lately: then no walk is needed, only a look whether the same
 * return addresses lie in the same places.
 *
 * The sites.  An entry is taken by its hash with one CAS, which says whose it is from then on, filled,
 * and then published; it never changes again.  Who finds it half filled knows its number, and keeps
 * it for himself.  Two chains with one 64-bit hash would be one site.
 */
#include "trace/site.h"

#include <string.h>

#include "park/record.h"
#include "sys/sanitizer.h"
#include "trace/by_slot.h"
#include "trace/cfi.h"
#include "trace/names.h"

#define FRAMES  HOCKET__SITE_CALLS /* the library is up to seven calls deep where it waits */
#define LIBRARY 2u /* so many are its own at least: the onlooker, hocket__wait_park */
#define SITES   4096u
#define STEPS   1024u
#define RECENT  256u
#define WAYS    4u
#define NONE    1u /* a step that is not known, which is worth knowing too */
#define FILLING UINT64_C(1)

/* ---- steps ---- */

/* bits 0-23: cfa/8 + 2^23; 24-39: -ra/8; 40-60: -fp/8; 61: by_fp; 62: fp_saved; 63: always */
static uint64_t pack(const struct hocket__step *s)
{
    int32_t cfa = s->cfa / 8, ra = -s->ra / 8, fp = -s->fp / 8;
    if (s->cfa % 8 != 0 || s->ra % 8 != 0 || s->fp % 8 != 0 || cfa <= -(1 << 23) ||
        cfa >= 1 << 23 || ra < 0 || ra >= 1 << 16 || fp < 0 || fp >= 1 << 20)
        return NONE;
    return (uint64_t)(uint32_t)(cfa + (1 << 23)) | (uint64_t)ra << 24 | (uint64_t)fp << 40 |
           (uint64_t)s->by_fp << 61 | (uint64_t)s->fp_saved << 62 | UINT64_C(1) << 63;
}

static struct {
    _Atomic uint64_t mixed; /* place ^ step */
    _Atomic uint64_t step;
} steps[STEPS];

/* The step from the call at `pc`, or NONE. */
static inline uint64_t step_of(uintptr_t pc)
{
    size_t at = (pc ^ pc >> 10) % STEPS;
    uint64_t step = hk_load(&steps[at].step);
    if (hk_likely((hk_load(&steps[at].mixed) ^ step) == pc && step != 0))
        return step;
    struct hocket__step found;
    step = hocket__frame_step(pc, &found) ? pack(&found) : NONE;
    hk_store(&steps[at].step, step);
    hk_store(&steps[at].mixed, pc ^ step);
    return step;
}

HOCKET_NO_ASAN HOCKET_NO_TSAN static inline uintptr_t word_at(uintptr_t at)
{
    return *(const volatile uintptr_t *)at;
}

/* Calls from the innermost on: an address inside each, and where its return address lies. */
struct chain {
    unsigned count;
    bool fixed; /* every frame has one size: the next time they lie there again */
    uintptr_t pcs[FRAMES];
    uint32_t at[FRAMES]; /* from the stack pointer of hocket__site_here */
};

static HK_NOINLINE void walk(struct chain *c, uintptr_t pc, uintptr_t sp, uintptr_t fp)
{
    uintptr_t from = sp;
    c->count = 0;
    c->fixed = true;
    while (c->count < FRAMES) {
        uint64_t step = step_of(pc);
        if (step == NONE)
            break;
        bool by_fp = step >> 61 & 1;
        uintptr_t cfa = (by_fp ? fp : sp) + ((step & 0xffffff) - (UINT64_C(1) << 23)) * 8;
        if (cfa <= sp || cfa - sp > (UINT64_C(1) << 20))
            break;
        uintptr_t ra = cfa - (step >> 24 & 0xffff) * 8;
        pc = word_at(ra) & HOCKET__PC_MASK;
        if (pc == 0)
            break;
        if (step >> 62 & 1)
            fp = word_at(cfa - (step >> 40 & 0xfffff) * 8);
        sp = cfa;
        c->fixed &= !by_fp;
        c->at[c->count] = (uint32_t)(ra - from);
        c->pcs[c->count++] = --pc;
    }
}

/* ---- sites ---- */

struct site {
    _Atomic uint64_t hash;    /* 0: free; with FILLING: being filled */
    _Atomic uint64_t address; /* once somebody has asked */
    struct chain chain;
};

static _Atomic(void *) site_table; /* mapped for the first of them */

/* There is a site with this number already. */
static inline struct site *site_at(uint32_t number)
{
    return (struct site *)hk_load_acq(&site_table) + (number - 1);
}

/*
 * The number of the site with this hash, made if need be; 0: full, or no memory.  *ret_whole: may its
 * chain be looked at?
 */
static uint32_t site_of(uint64_t hash, const struct chain *c, bool *ret_whole)
{
    struct site *sites = hocket__mapped_once(&site_table, SITES * sizeof *sites);
    for (unsigned i = 0; sites != NULL && i < 32; i++) {
        uint32_t at = (uint32_t)((hash + i) % SITES);
        struct site *s = &sites[at];
        uint64_t old = hk_load_acq(&s->hash); /* pairs with the release below */
        *ret_whole = old == hash;
        if (old == 0 && hk_cas(&s->hash, &old, hash | FILLING)) {
            s->chain = *c;
            hk_store_rel(&s->hash, hash);
            *ret_whole = true;
            return at + 1;
        }
        if ((old & ~FILLING) == hash)
            return at + 1;
    }
    return 0;
}

/* The sites that were found last for waits that begin at one place in the library. */
static _Atomic uint32_t recent[RECENT][WAYS];

static HK_NOINLINE uint32_t find(_Atomic uint32_t *set, uintptr_t pc, uintptr_t sp, uintptr_t fp)
{
    struct chain c;
    walk(&c, pc, sp, fp);
    uint64_t hash = c.count;
    for (unsigned i = 0; i < c.count; i++)
        hash = (hash ^ c.pcs[i]) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 29;
    bool whole = false;
    uint32_t number = c.count > 0 ? site_of((hash | 2) & ~FILLING, &c, &whole) : 0;
    if (!whole)
        return number;
    /* Release, pairs with hocket__site_here; acquire, for what another has put there is passed on. */
    for (unsigned i = WAYS - 1; i > 0; i--)
        hk_store_rel(&set[i], hk_load_acq(&set[i - 1]));
    hk_store_rel(&set[0], number);
    return number;
}

/*
 * Are the calls of the stack at `sp` those of the site?  Each return address that fits says that
 * the frame above is where it was, so nothing beyond the stack is read.
 */
static inline bool fits(const struct site *s, uintptr_t sp)
{
    const struct chain *c = &s->chain;
    if (!c->fixed)
        return false;
    for (unsigned i = 0; i < c->count; i++)
        if ((word_at(sp + c->at[i]) & HOCKET__PC_MASK) != c->pcs[i] + 1)
            return false;
    return true;
}

HK_NOINLINE uint32_t hocket__site_here(void)
{
    const hocket_task *self = hocket__self_or_null();
    uintptr_t caller = self != NULL ? (uintptr_t)hk_load(&self->wait_caller) : 0;
    uintptr_t pc, sp, fp;
#if defined(__x86_64__)
    __asm__ volatile("leaq 0f(%%rip), %0\n0:\tmovq %%rsp, %1\n\tmovq %%rbp, %2"
                     : "=r"(pc), "=r"(sp), "=r"(fp));
#elif defined(__aarch64__)
    __asm__ volatile("adr %0, 0f\n0:\tmov %1, sp\n\tmov %2, x29" : "=r"(pc), "=r"(sp), "=r"(fp));
#else
    return 0;
#endif
    _Atomic uint32_t *set = recent[(caller ^ caller >> 8) % RECENT];
    for (unsigned i = 0; i < WAYS; i++) {
        uint32_t number = hk_load_acq(&set[i]); /* the site is whole */
        if (number != 0 && fits(site_at(number), sp))
            return number;
    }
    return find(set, pc, sp, fp);
}

/* The first call that is none of the library's. */
static uint64_t resolve(const struct site *s, bool in_handler)
{
    unsigned i = 0;
    for (; i < s->chain.count; i++) {
        struct hocket__name name;
        hocket__name_of(s->chain.pcs[i], in_handler, &name);
        if (!name.ours && i >= LIBRARY)
            return s->chain.pcs[i];
    }
    return s->chain.pcs[i > LIBRARY ? LIBRARY : 0]; /* nobody but the library waits here */
}

uint64_t hocket__site_address(uint32_t number, bool in_handler)
{
    if (number == 0 || number > SITES || hk_load_acq(&site_table) == NULL)
        return 0;
    struct site *s = site_at(number);
    uint64_t hash = hk_load_acq(&s->hash);
    if (hash == 0 || (hash & FILLING) != 0)
        return 0;
    uint64_t address = hk_load(&s->address);
    if (address == 0) {
        address = resolve(s, in_handler);
        hk_store(&s->address, address);
    }
    return address;
}

unsigned hocket__site_calls(uint32_t number, uintptr_t calls[HOCKET__SITE_CALLS])
{
    uint64_t first = hocket__site_address(number, false);
    unsigned n = 0;
    if (first == 0)
        return 0;
    const struct site *s = site_at(number);
    for (unsigned i = 0; i < s->chain.count; i++) {
        struct hocket__name name;
        hocket__name_of(s->chain.pcs[i], false, &name);
        if (n > 0 && name.ours)
            break;
        if (n > 0 || s->chain.pcs[i] == first)
            calls[n++] = s->chain.pcs[i];
    }
    return n;
}
