/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SYS_MODULE_H
#define HOCKET_SYS_MODULE_H
/*
 * module - which program or shared library an address belongs to, and its file
 *
 * For stack traces.  glibc since 2.35 answers without a lock (_dl_find_object), also in signal
 * handlers; elsewhere the loader's list is asked, which a handler must not: there nothing
 * is found.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hocket__module {
    uintptr_t bias;        /* address in memory - address in the file */
    uintptr_t start, end;  /* where it lies */
    const uint8_t *unwind; /* PT_GNU_EH_FRAME, or NULL */
    const char *path;      /* to open it by; the loader's, while the module is loaded */
};

/* False: none, or it cannot be asked here. */
bool hocket__module_find(uintptr_t address, bool in_handler, struct hocket__module *ret);

/* The program's path, cut; 0: it cannot be had.  Signal-safe, keeps errno. */
size_t hocket__own_path(char *ret, size_t size);

/* Map a file to read it.  Signal-safe, keeps errno.  False: it cannot be had. */
bool hocket__file_map(const char *path, const void **ret, size_t *ret_size);
void hocket__file_unmap(const void *memory, size_t size);

#endif
