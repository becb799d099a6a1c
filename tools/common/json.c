/* SPDX-License-Identifier: MIT */
#include "common/json.h"
#include "common/utf8.h"

bool json_is_exact(const char *bytes, size_t size)
{
    const unsigned char *p = (const unsigned char *)bytes, *end = p + size;
    while (p < end) {
        uint32_t point;
        size_t n = utf8_decode(p, (size_t)(end - p), &point);
        if (n == 0)
            return false;
        p += n;
    }
    return true;
}

void json_string(struct output *o, const char *bytes, size_t size)
{
    const unsigned char *p = (const unsigned char *)bytes, *end = p + size;
    output_put(o, "\"", 1);
    while (p < end) {
        uint32_t point;
        size_t n = utf8_decode(p, (size_t)(end - p), &point);
        if (n == 0) {
            output_text(o, "\\ufffd");
            p++;
            continue;
        }
        if (point < 0x20 || (point >= 0x7f && point < 0xa0))
            output_printf(o, "\\u%04x", (unsigned)point);
        else if (point == '"' || point == '\\')
            output_printf(o, "\\%c", (char)point);
        else
            output_put(o, p, n);
        p += n;
    }
    output_put(o, "\"", 1);
}

void json_hex(struct output *o, const char *bytes, size_t size)
{
    output_put(o, "\"", 1);
    for (size_t i = 0; i < size; i++)
        output_printf(o, "%02x", (unsigned char)bytes[i]);
    output_put(o, "\"", 1);
}
