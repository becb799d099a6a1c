/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_LOGSCAN_H
#define TOOLS_LOGSCAN_H
#include "common/find.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * logscan - the hosts that asked for one path, from the text of access logs
 *
 * What  awk '$7 == path { print $1 }'  prints: lines end with '\n', fields are
 * separated by runs of blanks and tabs, bytes are compared as they are, and
 * the last line may lack its '\n'.
 *
 * The text comes in blocks of any size, cut anywhere.  A line that lies within
 * one block is looked at in place, and only if the path is in it; one that is
 * cut is followed field by field, keeping no more than its host.  So lines of
 * any length take the same memory.
 */
enum { LOGSCAN_HOST_MAX = 65535 };

/* A host was found.  The bytes are valid during the call. */
typedef void logscan_found(void *arg, const char *host, size_t length);

struct logscan {
    struct finder finder;
    logscan_found *found;
    void *arg;
    uint64_t too_long; /* matches left out: a host of more than LOGSCAN_HOST_MAX bytes */

    /* The line that the last block ended in. */
    bool within;     /* there is one */
    bool in_field;   /* its last byte was no blank */
    bool decided;    /* field 7 is over, `matches` is final */
    bool matches;    /* field 7 is, so far, the beginning of the path */
    unsigned field;  /* fields begun */
    size_t compared; /* bytes of field 7 seen, while it matches */
    size_t host_length;
    char *host; /* LOGSCAN_HOST_MAX bytes, the caller's */
};

/* `path` is not empty and has no blank, tab or newline; it and `host` outlive the scan. */
void logscan_start(struct logscan *s, const char *path, size_t length, char *host,
                   logscan_found *found, void *arg);

void logscan_block(struct logscan *s, const unsigned char *text, size_t n);

/*
 * The text is over.  `cut` means that something is missing here: the last line
 * then counts only if a blank ended its field 7, for else it may have been longer.
 */
void logscan_end(struct logscan *s, bool cut);

#endif
