/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_BASE_ALLOC_H
#define HOCKET_BASE_ALLOC_H

/*
 * alloc - all memory of the library that is not mapped for stacks and records
 *
 * Everything goes through the table of hocket_set_allocator, which is also how tests
 * make the n-th allocation fail.  No function here panics or prints: NULL means
 * no memory, and the caller reports -ENOMEM.
 *
 * A size of 0 is treated as 1, so that NULL has one meaning.
 */

#include <hocket/base.h>

void *hocket__alloc(size_t size) __attribute__((malloc, alloc_size(1), warn_unused_result));

/* Zeroed; NULL also if count * size overflows. */
void *hocket__calloc(size_t count, size_t size)
    __attribute__((malloc, alloc_size(1, 2), warn_unused_result));

/* As realloc(3): on failure `memory` stays as it was; NULL allocates. */
void *hocket__realloc(void *memory, size_t size) __attribute__((alloc_size(2), warn_unused_result));

/* For the simulated world: is the next allocation to fail?  NULL, and set before the runtime starts. */
extern bool (*hocket__alloc_fails)(void);

/* NULL is ignored. */
void hocket__free(void *memory);

#endif
