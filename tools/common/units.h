/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_UNITS_H
#define TOOLS_UNITS_H
/*
 * units - how much, how long and how often, as people write it
 *
 *     30   1.5   500ms   2m   1h   1d      durations; a bare number is seconds
 *     15/min   100/s   2/500ms   8         rates; a bare number is a second's
 *
 * Units: ns us ms s sec m min h hour d day.  Fractions are decimal; there are no
 * signs and no blanks.  Every command reads them through these functions, so
 * that they mean the same everywhere.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Nanoseconds.  False, leaving *ret alone, for anything else and beyond INT64_MAX. */
bool units_duration(const char *text, int64_t *ret_ns);

/* `count` times in `period_ns`; both are positive, so there is no rate of zero. */
struct units_rate {
    int64_t count;
    int64_t period_ns;
};

bool units_rate(const char *text, struct units_rate *ret);

/* A decimal number from `min` to `max` and nothing else. */
bool units_number(const char *text, int64_t min, int64_t max, int64_t *ret);

enum { UNITS_TEXT = 24 };

/* "0 B", "999 B", "1.2 kB", "34 MB", "1.9 GB": three digits at most. */
const char *units_bytes_text(uint64_t bytes, char out[UNITS_TEXT]);

/* "0:07", "12:34", "1:02:03": for clocks that count down. */
const char *units_clock_text(int64_t ns, char out[UNITS_TEXT]);

#endif
