/* SPDX-License-Identifier: MIT */
/*
 * out - see trace/out.h
 */
#include "trace/out.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

void hocket__out_open(struct hocket__out *o, int fd)
{
    o->fd = fd;
    o->error = 0;
    o->used = 0;
}

/* errno is the caller's: it may be an interrupted function's. */
static void flush(struct hocket__out *o)
{
    int saved = errno;
    for (size_t done = 0; done < o->used && o->error == 0;) {
        ssize_t n = write(o->fd, o->text + done, o->used - done);
        if (n >= 0) {
            done += (size_t)n;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            struct pollfd p = { .fd = o->fd, .events = POLLOUT };
            (void)poll(&p, 1, -1);
        } else if (errno != EINTR) {
            o->error = -errno;
        }
    }
    o->used = 0;
    errno = saved;
}

int hocket__out_close(struct hocket__out *o)
{
    flush(o);
    return o->error;
}

void hocket__out_char(struct hocket__out *o, char c)
{
    if (o->used == sizeof o->text)
        flush(o);
    o->text[o->used++] = c;
}

void hocket__out_bytes(struct hocket__out *o, const char *text, size_t size)
{
    while (size > 0) {
        if (o->used == sizeof o->text)
            flush(o);
        size_t n = sizeof o->text - o->used;
        n = n < size ? n : size;
        memcpy(o->text + o->used, text, n);
        o->used += n;
        text += n;
        size -= n;
    }
}

void hocket__out_text(struct hocket__out *o, const char *text)
{
    hocket__out_bytes(o, text, strlen(text));
}

void hocket__out_words(struct hocket__out *o, const char *text)
{
    for (; *text != '\0'; text++)
        hocket__out_char(o, (unsigned char)*text < ' ' || *text == 127 ? '?' : *text);
}

static void digits(struct hocket__out *o, uint64_t value, bool commas)
{
    char text[32];
    size_t at = sizeof text;
    unsigned n = 0;
    do {
        if (commas && n > 0 && n % 3 == 0)
            text[--at] = ',';
        text[--at] = (char)('0' + value % 10);
        value /= 10;
        n++;
    } while (value > 0);
    hocket__out_bytes(o, text + at, sizeof text - at);
}

void hocket__out_number(struct hocket__out *o, uint64_t value)
{
    digits(o, value, true);
}

void hocket__out_id(struct hocket__out *o, uint64_t value)
{
    digits(o, value, false);
}

void hocket__out_hex(struct hocket__out *o, uint64_t value)
{
    char text[18];
    size_t at = sizeof text;
    do {
        text[--at] = "0123456789abcdef"[value & 15];
        value >>= 4;
    } while (value > 0);
    hocket__out_text(o, "0x");
    hocket__out_bytes(o, text + at, sizeof text - at);
}

void hocket__out_time(struct hocket__out *o, hocket_time span)
{
    uint64_t ms = span > 0 ? (uint64_t)(span / HOCKET_MS) : 0;
    digits(o, ms / 1000, true);
    hocket__out_char(o, '.');
    hocket__out_char(o, (char)('0' + ms / 100 % 10));
    hocket__out_char(o, (char)('0' + ms / 10 % 10));
    hocket__out_char(o, (char)('0' + ms % 10));
    hocket__out_text(o, " s");
}

void hocket__out_indent(struct hocket__out *o, unsigned depth)
{
    for (unsigned i = 0; i < depth && i < 40; i++)
        hocket__out_text(o, "  ");
}
