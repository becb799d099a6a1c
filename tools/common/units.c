/* SPDX-License-Identifier: MIT */
#include "common/units.h"

#include <stdio.h>
#include <string.h>

static const struct unit {
    const char *name;
    int64_t ns;
} units[] = {
    { "ns", 1 },
    { "us", 1000 },
    { "ms", 1000000 },
    { "s", 1000000000 },
    { "sec", 1000000000 },
    { "m", 60 * INT64_C(1000000000) },
    { "min", 60 * INT64_C(1000000000) },
    { "h", 3600 * INT64_C(1000000000) },
    { "hour", 3600 * INT64_C(1000000000) },
    { "d", 86400 * INT64_C(1000000000) },
    { "day", 86400 * INT64_C(1000000000) },
};

/* The whole of `text` as a unit, in nanoseconds; 0 if it is none. */
static int64_t unit_ns(const char *text)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(units[i].name, text) == 0)
            return units[i].ns;
    return 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A decimal of at least one digit: `mantissa` / 10^`places`. */
struct decimal {
    int64_t mantissa;
    int places;
};

/* Where the decimal ends, or NULL if there is none or it is too long to be exact. */
static const char *decimal_read(const char *text, struct decimal *d)
{
    bool point = false;
    *d = (struct decimal){ 0, 0 };
    const char *p = text;
    for (; is_digit(*p) || (*p == '.' && !point && p > text && is_digit(p[1])); p++) {
        if (*p == '.') {
            point = true;
            continue;
        }
        if (__builtin_mul_overflow(d->mantissa, 10, &d->mantissa) ||
            __builtin_add_overflow(d->mantissa, *p - '0', &d->mantissa))
            return NULL;
        d->places += point;
    }
    return p > text ? p : NULL;
}

/* mantissa * ns / 10^places, rounded down; false beyond INT64_MAX. */
static bool decimal_scale(struct decimal d, int64_t ns, int64_t *ret)
{
    while (d.places > 0 && ns % 10 == 0) {
        ns /= 10;
        d.places--;
    }
    if (__builtin_mul_overflow(d.mantissa, ns, &d.mantissa))
        return false;
    for (; d.places > 0; d.places--)
        d.mantissa /= 10;
    *ret = d.mantissa;
    return true;
}

bool units_duration(const char *text, int64_t *ret_ns)
{
    struct decimal d;
    const char *unit = decimal_read(text, &d);
    if (unit == NULL)
        return false;
    int64_t ns = *unit == '\0' ? unit_ns("s") : unit_ns(unit);
    return ns != 0 && decimal_scale(d, ns, ret_ns);
}

bool units_rate(const char *text, struct units_rate *ret)
{
    struct decimal d;
    const char *rest = decimal_read(text, &d);
    if (rest == NULL || d.mantissa == 0 || (*rest != '\0' && *rest != '/'))
        return false;
    int64_t period = unit_ns("s");
    if (*rest == '/') {
        /* "15/min" and "15/2min": a bare unit is one of it. */
        const char *per = rest + 1;
        period = unit_ns(per);
        if (period == 0 && !units_duration(per, &period))
            return false;
    }
    /* 1.5/s is 15 in 10 s. */
    for (; d.places > 0; d.places--)
        if (__builtin_mul_overflow(period, 10, &period))
            return false;
    if (period <= 0)
        return false;
    *ret = (struct units_rate){ d.mantissa, period };
    return true;
}

bool units_number(const char *text, int64_t min, int64_t max, int64_t *ret)
{
    struct decimal d;
    const char *end = decimal_read(text, &d);
    if (end == NULL || *end != '\0' || d.places != 0 || d.mantissa < min || d.mantissa > max)
        return false;
    *ret = d.mantissa;
    return true;
}

const char *units_bytes_text(uint64_t bytes, char out[UNITS_TEXT])
{
    static const char prefixes[] = "kMGTPE";
    double value = (double)bytes;
    int step = -1;
    /* 999.5 would be rounded to 1000. */
    for (; value >= 999.5 && step < (int)sizeof prefixes - 2; step++)
        value /= 1000;
    if (step < 0)
        snprintf(out, UNITS_TEXT, "%d B", (int)bytes);
    else
        snprintf(out, UNITS_TEXT, "%.*f %cB", value < 9.95 ? 1 : 0, value, prefixes[step]);
    return out;
}

const char *units_clock_text(int64_t ns, char out[UNITS_TEXT])
{
    long long s = ns < 0 ? 0 : (long long)(ns / 1000000000);
    if (s >= 3600)
        snprintf(out, UNITS_TEXT, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(out, UNITS_TEXT, "%lld:%02lld", s / 60, s % 60);
    return out;
}
