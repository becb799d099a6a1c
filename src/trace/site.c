/* SPDX-License-Identifier: MIT */
/*
 * site - see trace/site.h
 *
 * The walk.  A full step by the tables of the compilers (trace/cfi.h) takes long; but at one place
 * in the code a frame has one size, so what a step has to know is kept in one word a place.  Two
 * words an entry, written by anybody at any time: the place is stored combined with the step, so an
 * entry that two threads have mixed up fits no place.
 *
 * The sites.  An entry is taken by its hash with one CAS, filled, and then published; it never
 * changes again.  Two chains with one 64-bit hash would be one site.
 */
#include "trace/site.h"

#include <string.h>

#include "sys/sanitizer.h"
#include "trace/cfi.h"
#include "trace/names.h"

#define FRAMES  10u /* the library is up to seven calls deep where it waits */
#define LIBRARY 4u  /* so many are its own at least: from here to hocket__wait_park */
#define SITES   4096u
#define STEPS   1024u
#define NONE    1u /* a step that is not known, which is worth knowing too */

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

/* The calls above the caller, innermost first: addresses inside the calls.  How many. */
static HK_NOINLINE unsigned walk(uintptr_t pcs[FRAMES])
{
    uintptr_t pc, sp, fp;
#if defined(__x86_64__)
    __asm__ volatile("leaq 0f(%%rip), %0\n0:\tmovq %%rsp, %1\n\tmovq %%rbp, %2"
                     : "=r"(pc), "=r"(sp), "=r"(fp));
#elif defined(__aarch64__)
    __asm__ volatile("adr %0, 0f\n0:\tmov %1, sp\n\tmov %2, x29" : "=r"(pc), "=r"(sp), "=r"(fp));
#else
    return 0;
#endif
    unsigned n = 0;
    while (n < FRAMES) {
        uint64_t step = step_of(pc);
        if (step == NONE)
            break;
        uintptr_t cfa = (step >> 61 & 1 ? fp : sp) + ((step & 0xffffff) - (UINT64_C(1) << 23)) * 8;
        if (cfa <= sp || cfa - sp > (UINT64_C(1) << 20))
            break;
        pc = word_at(cfa - (step >> 24 & 0xffff) * 8) & HOCKET__PC_MASK;
        if (pc == 0)
            break;
        if (step >> 62 & 1)
            fp = word_at(cfa - (step >> 40 & 0xfffff) * 8);
        sp = cfa;
        pcs[n++] = --pc;
    }
    return n;
}

/* ---- sites ---- */

static struct site {
    _Atomic uint64_t hash;    /* 0: free; 1: being filled */
    _Atomic uint64_t address; /* once somebody has asked */
    uintptr_t pcs[FRAMES];    /* ends with 0 if there are fewer */
} sites[SITES];

/* The entry with this hash, made if need be; NULL: full, or just being filled. */
static struct site *site_of(uint64_t hash, const uintptr_t pcs[FRAMES], unsigned n)
{
    for (unsigned i = 0; i < 32; i++) {
        struct site *s = &sites[(hash + i) % SITES];
        uint64_t old = hk_load_acq(&s->hash); /* pairs with the release below */
        if (hk_likely(old == hash))
            return s;
        if (old == 0 && hk_cas(&s->hash, &old, 1)) {
            memcpy(s->pcs, pcs, n * sizeof *pcs);
            hk_store_rel(&s->hash, hash);
            return s;
        }
    }
    return NULL;
}

uint32_t hocket__site_here(void)
{
    uintptr_t pcs[FRAMES];
    unsigned n = walk(pcs);
    uint64_t hash = n;
    for (unsigned i = 0; i < n; i++)
        hash = (hash ^ pcs[i]) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 29;
    struct site *s = n > 0 ? site_of(hash | 2, pcs, n) : NULL;
    return s != NULL ? (uint32_t)(s - sites) + 1 : 0;
}

/* The first call that is none of the library's. */
static uint64_t resolve(const struct site *s, bool in_handler)
{
    unsigned i = 0;
    for (; i < FRAMES && s->pcs[i] != 0; i++) {
        struct hocket__name name;
        hocket__name_of(s->pcs[i], in_handler, &name);
        if (!name.ours && i >= LIBRARY)
            return s->pcs[i];
    }
    return s->pcs[i > LIBRARY ? LIBRARY : 0]; /* nobody but the library waits here */
}

uint64_t hocket__site_address(uint32_t number, bool in_handler)
{
    if (number == 0 || number > SITES)
        return 0;
    struct site *s = &sites[number - 1];
    if (hk_load_acq(&s->hash) < 2)
        return 0;
    uint64_t address = hk_load(&s->address);
    if (address == 0) {
        address = resolve(s, in_handler);
        hk_store(&s->address, address);
    }
    return address;
}
