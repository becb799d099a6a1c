/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TRACE_BY_SLOT_H
#define HOCKET_TRACE_BY_SLOT_H

/*
 * by_slot - something that an onlooker keeps for every task, found by the task's slot
 *
 * A directory and chunks of 1,024 tasks each, mapped zeroed when they are first needed, so a program
 * that nobody looks at has none of it.  They are never given back: an onlooker may be called for a
 * while after it was taken away.
 *
 * Memory order: what was mapped is stored by a CAS with release, and read with acquire.
 */
#include "park/record.h"
#include "sys/sanitizer.h"
#include "sys/sys.h"

#define HOCKET__BY_SLOT_CHUNK  1024u
#define HOCKET__BY_SLOT_CHUNKS 16384u /* as many as there can be records */

struct hocket__by_slot {
    _Atomic(void *) directory; /* of _Atomic(void *), a chunk each */
};

/* What lies at `at`, mapped at its first use; NULL: there is no memory. */
static inline void *hocket__mapped_once(_Atomic(void *) *at, size_t size)
{
    void *there = hk_load_acq(at), *fresh;
    if (hk_likely(there != NULL) || hocket__map(size, &fresh) != 0)
        return there;
    if (hk_cas(at, &there, fresh)) {
        hocket__lsan_root(fresh, size);
        return fresh;
    }
    hocket__unmap(fresh, size);
    return there;
}

/* The directory alone.  False: there is no memory. */
static inline bool hocket__by_slot_open(struct hocket__by_slot *b)
{
    return hocket__mapped_once(&b->directory, HOCKET__BY_SLOT_CHUNKS * sizeof(_Atomic(void *))) !=
           NULL;
}

/* The `size` bytes of a task, the same size at every call; NULL: there is no memory. */
static inline void *hocket__by_slot(struct hocket__by_slot *b, const hocket_task *task, size_t size)
{
    uint32_t i = task->slot - 1;
    if (hk_unlikely(hk_load_acq(&b->directory) == NULL) && !hocket__by_slot_open(b))
        return NULL;
    _Atomic(void *) *chunks = hk_load_acq(&b->directory);
    char *chunk = hocket__mapped_once(&chunks[i / HOCKET__BY_SLOT_CHUNK],
                                      HOCKET__BY_SLOT_CHUNK * size);
    return chunk != NULL ? chunk + i % HOCKET__BY_SLOT_CHUNK * size : NULL;
}

#endif
