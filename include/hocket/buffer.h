/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_BUFFER_H
#define HOCKET_BUFFER_H
#include <hocket/base.h>

/*
 * buffer - bytes that grow
 *
 * What a job of an executor writes its output into; of use by itself.  All-zero is an
 * empty buffer, no call to make one is needed.  `data` and `size` are there to
 * be read; bytes below `size` may be changed in place.
 *
 *   Callers    one task at a time.
 *   Blocks     never.
 *   Lifetime   the bytes live until the next call that grows the buffer, or free.
 *
 *     hocket_buffer b = { 0 };
 *     if ((err = hocket_buffer_append(&b, "abc", 3)) == 0)
 *         fwrite(b.data, 1, b.size, stdout);
 *     hocket_buffer_free(&b);
 */
typedef struct hocket_buffer {
    unsigned char *data; /* NULL while nothing was reserved */
    size_t size;         /* bytes in use */
    size_t capacity;     /* bytes there is room for */
} hocket_buffer;

HOCKET_BEGIN_DECLS

/*
 * Make room for `more` bytes behind those in use.  0, -ENOMEM, -EOVERFLOW (more than a
 * size_t holds); on error the buffer is unchanged.
 *
 * To fill a buffer in place: reserve, write at data + size, add to size.
 */
HOCKET_API HOCKET_MUST_CHECK int hocket_buffer_reserve(hocket_buffer *buffer, size_t more);

/* Copy `size` bytes to the end.  They may lie in the buffer itself.  Errors as reserve. */
HOCKET_API HOCKET_MUST_CHECK int hocket_buffer_append(hocket_buffer *buffer, const void *bytes,
                                                      size_t size);

/* Append formatted text, without its terminator.  Errors as reserve; -EINVAL (bad format). */
HOCKET_API HOCKET_MUST_CHECK int hocket_buffer_format(hocket_buffer *buffer, const char *format,
                                                      ...) HOCKET_PRINTF(2, 3);

/* Give the memory back; the buffer is empty and usable again. */
HOCKET_API void hocket_buffer_free(hocket_buffer *buffer);

HOCKET_END_DECLS
#endif
