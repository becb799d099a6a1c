/* SPDX-License-Identifier: MIT */
#include "common/backlog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool backlog_has_room(const struct backlog *b)
{
    return b->count < BACKLOG_FILES && b->bytes < BACKLOG_BYTES;
}

int backlog_put(struct backlog *b, const char *path, uint64_t size)
{
    if (b->files == NULL)
        b->files = malloc(BACKLOG_FILES * sizeof b->files[0]);
    size_t length = strlen(path) + 1;
    struct backlog_file *file = malloc(sizeof *file + length);
    if (b->files == NULL || file == NULL) {
        free(file);
        return ENOMEM;
    }
    file->size = size;
    memcpy(file->path, path, length);
    size_t at = b->count++;
    for (; at > 0 && b->files[(at - 1) / 2]->size < size; at = (at - 1) / 2)
        b->files[at] = b->files[(at - 1) / 2];
    b->files[at] = file;
    b->bytes += length;
    return 0;
}

struct backlog_file *backlog_take(struct backlog *b)
{
    if (b->count == 0)
        return NULL;
    struct backlog_file *largest = b->files[0], *last = b->files[--b->count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < b->count; at = child) {
        if (child + 1 < b->count && b->files[child + 1]->size > b->files[child]->size)
            child++;
        if (b->files[child]->size <= last->size)
            break;
        b->files[at] = b->files[child];
    }
    b->files[at] = last;
    b->bytes -= strlen(largest->path) + 1;
    return largest;
}

void backlog_destroy(struct backlog *b)
{
    for (size_t i = 0; i < b->count; i++)
        free(b->files[i]);
    free(b->files);
}
