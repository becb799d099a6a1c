/* SPDX-License-Identifier: MIT */
#include "common/output.h"
#include "common/interrupt.h"
#include "common/message.h"
#include "common/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void output_open(struct output *o, int fd)
{
    struct stat st;
    o->fd = fd;
    o->error = 0;
    o->used = 0;
    o->waits = fstat(fd, &st) != 0 || !S_ISREG(st.st_mode);
}

/* Wait until PIPE_BUF bytes can be written without blocking.  False when interrupted. */
static bool output_ready(const struct output *o)
{
    struct pollfd p = { .fd = o->fd, .events = POLLOUT };
    for (;;) {
        if (interrupt_pending())
            return false;
        int n = poll(&p, 1, 100);
        if (n > 0 || (n < 0 && errno != EINTR))
            return true;
    }
}

static void output_write(struct output *o, const char *bytes, size_t size)
{
    while (size > 0 && o->error == 0) {
        size_t part = size;
        if (o->waits) {
            if (part > PIPE_BUF)
                part = PIPE_BUF;
            if (!output_ready(o)) {
                o->error = EINTR;
                return;
            }
        }
        ssize_t n = write(o->fd, bytes, part);
        if (n > 0) {
            bytes += n;
            size -= (size_t)n;
        } else if (n < 0 && errno != EINTR && errno != EAGAIN) {
            o->error = errno;
        }
    }
}

int output_flush(struct output *o)
{
    output_write(o, o->buffer, o->used);
    o->used = 0;
    return o->error;
}

void output_put(struct output *o, const void *bytes, size_t size)
{
    const char *p = bytes;
    while (size > 0 && o->error == 0) {
        size_t n = OUTPUT_BUFFER - o->used;
        if (n > size)
            n = size;
        memcpy(o->buffer + o->used, p, n);
        o->used += n;
        p += n;
        size -= n;
        if (o->used == OUTPUT_BUFFER)
            output_flush(o);
    }
}

void output_text(struct output *o, const char *text)
{
    output_put(o, text, strlen(text));
}

void output_printf(struct output *o, const char *format, ...)
{
    char text[512];
    va_list list;
    va_start(list, format);
    int n = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (n > 0)
        output_put(o, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

void output_escaped(struct output *o, const char *bytes, size_t size)
{
    const unsigned char *p = (const unsigned char *)bytes, *end = p + size;
    while (p < end) {
        uint32_t point;
        size_t n = utf8_decode(p, (size_t)(end - p), &point);
        if (n > 0 && point >= 0x20 && (point < 0x7f || point > 0x9f)) {
            output_put(o, p, n);
            p += n;
            continue;
        }
        for (size_t i = 0; i < (n > 0 ? n : 1); i++)
            output_printf(o, "\\x%02x", *p++);
    }
}

int output_finish(struct output *o, const char *command, int status)
{
    int error = output_flush(o);
    if (error == 0 || error == EPIPE || error == EINTR)
        return status;
    message(command, "standard output", "%s", strerror(error));
    return 1;
}

bool output_begin(struct output *o, const char *command, const char *path)
{
    int fd = STDOUT_FILENO;
    if (path != NULL && (fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) < 0) {
        message(command, path, "%s", strerror(errno));
        return false;
    }
    output_open(o, fd);
    return true;
}

int output_end(struct output *o, const char *command, const char *path, int status)
{
    if (path == NULL)
        return output_finish(o, command, status);
    int error = output_flush(o);
    if (close(o->fd) != 0 && error == 0)
        error = errno;
    if (error == 0)
        return status;
    message(command, path, "%s", strerror(error));
    return 1;
}
