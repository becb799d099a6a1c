/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TRACE_NAMES_H
#define HOCKET_TRACE_NAMES_H

/*
 * names - which function an address lies in
 *
 * Read from the symbol tables in the files of the program and its libraries, static functions
 * included, unless they were stripped; then from the dynamic symbols.  Files are mapped at the
 * first question and given back by hocket__names_end.  No allocation, no lock: one user at a time.
 */
#include "base/atomic.h"

struct hocket__name {
    const char *function; /* in a mapped file; NULL: not known */
    size_t function_size; /* it need not be terminated within the file */
    uintptr_t offset;     /* into the function */
    bool ours;            /* of the library, as far as its neighbours tell: see names.c */
    const char *module;   /* last part of its path; NULL: none */
    uintptr_t address;    /* as the file counts: for addr2line */
};

/* The name of what lies at `pc`, which must not be a return address but lie in the call. */
void hocket__name_of(uintptr_t pc, bool in_handler, struct hocket__name *ret);

/* The same for a static variable; `module` and `address` are not filled in.  Walks a table. */
void hocket__name_of_object(const void *object, bool in_handler, struct hocket__name *ret);

/*
 * The files that were asked for since the last hocket__names_end, one by one; false: there are no
 * more.  `path` is NULL for the program, as `name` is; without a build id it has no bytes.
 */
struct hocket__named_file {
    const char *name, *path;
    const uint8_t *build_id;
    size_t build_id_size;
};
bool hocket__names_file(unsigned i, struct hocket__named_file *ret);

void hocket__names_end(void);

#endif
