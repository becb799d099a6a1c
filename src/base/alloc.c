/* SPDX-License-Identifier: MIT */
/*
 * alloc - the table of allocation functions
 *
 * `state` says whether the table may still be replaced:
 *
 *   OPEN    -> SETTING   hocket_set_allocator writes the table
 *   SETTING -> OPEN      it has; may be replaced again
 *   OPEN    -> USED      the first allocation; the table is constant from here on
 *
 * A block must be released by the functions that made it, hence no way back
 * from USED.  Reading the table is safe for whoever has seen USED by an acquire load: the
 * CAS to USED acquires what the release store of OPEN published.
 */
#include "base/alloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"

enum { OPEN, SETTING, USED };

static _Atomic int state;

static void *default_allocate(size_t size, void *context)
{
    (void)context;
    return malloc(size);
}

static void *default_resize(void *memory, size_t size, void *context)
{
    (void)context;
    return realloc(memory, size);
}

static void default_release(void *memory, void *context)
{
    (void)context;
    free(memory);
}

bool (*hocket__alloc_fails)(void);

static bool fails(void)
{
    return hk_unlikely(hocket__alloc_fails != NULL) && hocket__alloc_fails();
}

static hocket_allocator table = { default_allocate, default_resize, default_release, NULL };

HK_COLD static void close_table(void)
{
    int expected = OPEN;
    while (!hk_cas(&state, &expected, USED) && expected != USED) {
        /* Somebody replaces the table at this moment, against the rules: a few stores. */
        expected = OPEN;
        hk_spin_pause();
    }
}

static inline const hocket_allocator *allocator(void)
{
    if (hk_unlikely(hk_load_acq(&state) != USED))
        close_table();
    return &table;
}

int hocket_set_allocator(const hocket_allocator *replacement)
{
    int expected = OPEN;
    if (!hk_cas(&state, &expected, SETTING))
        return -EBUSY;
    hocket_allocator next = { default_allocate, default_resize, default_release, NULL };
    if (replacement != NULL) {
        next.context = replacement->context;
        if (replacement->allocate != NULL)
            next.allocate = replacement->allocate;
        if (replacement->resize != NULL)
            next.resize = replacement->resize;
        if (replacement->release != NULL)
            next.release = replacement->release;
    }
    table = next;
    hk_store_rel(&state, OPEN); /* pairs with the CAS in close_table */
    return 0;
}

void *hocket__alloc(size_t size)
{
    const hocket_allocator *a = allocator();
    return fails() ? NULL : a->allocate(size != 0 ? size : 1, a->context);
}

void *hocket__calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || fails())
        return NULL;
    const hocket_allocator *a = allocator();
    if (a->allocate == default_allocate)
        return calloc(bytes != 0 ? bytes : 1, 1); /* knows which pages are zero already */
    void *memory = a->allocate(bytes != 0 ? bytes : 1, a->context);
    if (memory != NULL)
        memset(memory, 0, bytes);
    return memory;
}

void *hocket__realloc(void *memory, size_t size)
{
    if (memory == NULL)
        return hocket__alloc(size);
    const hocket_allocator *a = allocator();
    return fails() ? NULL : a->resize(memory, size != 0 ? size : 1, a->context);
}

void hocket__free(void *memory)
{
    if (memory == NULL)
        return;
    const hocket_allocator *a = allocator();
    a->release(memory, a->context);
}
