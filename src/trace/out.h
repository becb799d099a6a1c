/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TRACE_OUT_H
#define HOCKET_TRACE_OUT_H

/*
 * out - text to a descriptor without stdio: no allocation, no lock, signal-safe
 */
#include <hocket/time.h>

#include "base/atomic.h"

struct hocket__out {
    int fd;
    int error; /* the first, negative; nothing more is written then */
    size_t used;
    char text[4000];
};

void hocket__out_open(struct hocket__out *o, int fd);
int hocket__out_close(struct hocket__out *o); /* writes what is left; 0 or the first error */

void hocket__out_char(struct hocket__out *o, char c);
void hocket__out_bytes(struct hocket__out *o, const char *text, size_t size);
void hocket__out_text(struct hocket__out *o, const char *text);
void hocket__out_words(struct hocket__out *o,
                       const char *text); /* from users: no control characters */
void hocket__out_number(struct hocket__out *o, uint64_t value); /* 12,345 */
void hocket__out_id(struct hocket__out *o, uint64_t value);     /* 12345 */
void hocket__out_hex(struct hocket__out *o, uint64_t value);    /* 0x3039 */
void hocket__out_time(struct hocket__out *o, hocket_time span); /* 12.345 s */
void hocket__out_indent(struct hocket__out *o, unsigned depth);

#endif
