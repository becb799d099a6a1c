/* SPDX-License-Identifier: MIT */
/*
 * print - formatted output in whole lines
 *
 * The text is made first, without any lock.  Then it is written under a mutex of the
 * stream, so tasks that have to wait for each other park instead of blocking a worker in stdio's
 * lock.  Streams share BUCKETS mutexes by address.
 *
 * A stream with a file descriptor is flushed and then written to directly: stdio
 * drops what is in its buffer when a write is interrupted or would block, write(2)
 * says how much it took.  Streams in memory get one fwrite.
 */
#include <hocket/print.h>

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/atomic.h"
#include "sync/own.h"

#define BUCKETS 16u
#define SHORT   512

static hocket_mutex locks[BUCKETS];

static hocket_mutex *lock_of(const FILE *stream)
{
    uintptr_t address = (uintptr_t)stream;
    return &locks[(address >> 6 ^ address >> 12) % BUCKETS];
}

/*
 * errno is read here only, and there is no wait inside.  Not inlined: the caller waits for a
 * lock and may continue on another thread, and compilers keep the address of errno.
 */

static int write_all(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, text, size);
        if (n >= 0) {
            text += n;
            size -= (size_t)n;
        } else if (errno == EAGAIN) {
            struct pollfd p = { .fd = fd, .events = POLLOUT };
            if (poll(&p, 1, -1) < 0 && errno != EINTR)
                return -errno;
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

HK_NOINLINE static int put(FILE *stream, const char *text, size_t size)
{
    int fd = fileno(stream);
    if (fd >= 0)
        return fflush(stream) != 0 ? -errno : write_all(fd, text, size);
    errno = 0;
    return fwrite(text, 1, size, stream) == size ? 0 : errno != 0 ? -errno : -EIO;
}

static int put_locked(FILE *stream, const char *text, size_t size)
{
    hocket_mutex *lock = lock_of(stream);
    hocket__own_lock(lock);
    int err = put(stream, text, size);
    hocket__own_unlock(lock);
    return err != 0 ? err : (int)size;
}

int hocket_print(FILE *stream, const char *format, ...)
{
    char small[SHORT];
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(small, sizeof small, format, arguments);
    va_end(arguments);
    char *large = NULL;
    int rc = length < 0 ? -EINVAL : 0;
    if (length >= SHORT) {
        large = hocket__alloc((size_t)length + 1);
        if (large != NULL)
            (void)vsnprintf(large, (size_t)length + 1, format, again);
        else
            rc = -ENOMEM;
    }
    va_end(again);
    if (rc == 0)
        rc = put_locked(stream, large != NULL ? large : small, (size_t)length);
    hocket__free(large);
    return rc;
}
