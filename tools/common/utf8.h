/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_UTF8_H
#define TOOLS_UTF8_H
#include <stddef.h>
#include <stdint.h>

/*
 * The length of the UTF-8 sequence at `p` (1 ... 4) and its code point, or 0
 * when the bytes are none: cut short, overlong, a surrogate, beyond U+10FFFF.
 */
size_t utf8_decode(const unsigned char *p, size_t n, uint32_t *ret_point);

#endif
