/* SPDX-License-Identifier: MIT */
/*
 * buffer - bytes that grow
 *
 * Capacity doubles, so that n appends of one byte copy 2n bytes in all.
 */
#include <hocket/buffer.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

#define SMALLEST 64

int hocket_buffer_reserve(hocket_buffer *b, size_t more)
{
    size_t need;
    if (more <= b->capacity - b->size)
        return 0;
    if (__builtin_add_overflow(b->size, more, &need))
        return -EOVERFLOW;
    size_t capacity = b->capacity < SMALLEST / 2 ? SMALLEST : 2 * b->capacity;
    if (capacity < need)
        capacity = need;
    unsigned char *data = hocket__realloc(b->data, capacity);
    if (data == NULL)
        return -ENOMEM;
    b->data = data;
    b->capacity = capacity;
    return 0;
}

int hocket_buffer_append(hocket_buffer *b, const void *bytes, size_t size)
{
    if (size == 0)
        return 0;
    /* As numbers: comparing pointers into different objects means nothing in C. */
    uintptr_t from = (uintptr_t)bytes, data = (uintptr_t)b->data;
    bool inside = b->data != NULL && from >= data && from - data < b->size;
    int err = hocket_buffer_reserve(b, size);
    if (err != 0)
        return err;
    memcpy(b->data + b->size, inside ? b->data + (from - data) : bytes, size);
    b->size += size;
    return 0;
}

int hocket_buffer_format(hocket_buffer *b, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    int err = length < 0 ? -EINVAL : hocket_buffer_reserve(b, (size_t)length + 1);
    if (err == 0) {
        (void)vsnprintf((char *)b->data + b->size, (size_t)length + 1, format, again);
        b->size += (size_t)length;
    }
    va_end(again);
    return err;
}

void hocket_buffer_free(hocket_buffer *b)
{
    hocket__free(b->data);
    *b = (hocket_buffer){ NULL, 0, 0 };
}
