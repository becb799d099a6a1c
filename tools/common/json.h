/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_JSON_H
#define TOOLS_JSON_H
#include "common/output.h"

/*
 * json - strings of strangers in JSON
 *
 * What is valid UTF-8 stays as it is, but for quotes, backslashes and control
 * characters (also DEL and C1, which terminals obey).  A byte that is no
 * UTF-8 becomes U+FFFD; json_is_exact says whether any did, so that a command can
 * give the bytes too.
 */
void json_string(struct output *o, const char *bytes, size_t size);
bool json_is_exact(const char *bytes, size_t size);

/* The bytes as a string of hexadecimal digits. */
void json_hex(struct output *o, const char *bytes, size_t size);

#endif
