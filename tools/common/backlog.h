/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_BACKLOG_H
#define TOOLS_BACKLOG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * backlog - files found and not read yet, the largest first
 *
 * A heap that holds so many that a late giant is rare and so few that they
 * take little memory, however many there are to come.
 */
enum { BACKLOG_FILES = 8192, BACKLOG_BYTES = 4 << 20 };

struct backlog_file {
    uint64_t size;
    char path[];
};

struct backlog {
    struct backlog_file **files;
    size_t count;
    size_t bytes; /* of their paths */
};

/* Room for another one? */
bool backlog_has_room(const struct backlog *b);

/* 0 or ENOMEM. */
int backlog_put(struct backlog *b, const char *path, uint64_t size);

/* The largest, or NULL; the caller frees it. */
struct backlog_file *backlog_take(struct backlog *b);

void backlog_destroy(struct backlog *b);

#endif
