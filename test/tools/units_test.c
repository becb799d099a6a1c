/* SPDX-License-Identifier: MIT */
/* tools: durations, rates, numbers, and how sizes and times are shown. */
#include "support/expect.h"
#include "support/plain_suite.h"

#include <stdint.h>

#include "common/units.h"

#define SEC INT64_C(1000000000)

START_TEST(durations)
{
    static const struct {
        const char *text;
        int64_t ns;
    } good[] = {
        { "0", 0 },
        { "30", 30 * SEC },
        { "500ms", SEC / 2 },
        { "1.5", 3 * SEC / 2 },
        { "0.000000001", 1 },
        { "0.0000000001", 0 },
        { "0.00000000000000000s", 0 },
        { "7ns", 7 },
        { "2.5us", 2500 },
        { "2s", 2 * SEC },
        { "2sec", 2 * SEC },
        { "1m", 60 * SEC },
        { "1.25min", 75 * SEC },
        { "1h", 3600 * SEC },
        { "1hour", 3600 * SEC },
        { "2d", 172800 * SEC },
        { "2day", 172800 * SEC },
        { "9223372036854775807ns", INT64_MAX },
        { "9223372036", INT64_C(9223372036) * SEC },
    };
    static const char *const bad[] = {
        "",
        " ",
        "s",
        "-1",
        "+1",
        "1 s",
        "1s ",
        " 1",
        ".5",
        "5.",
        "1..2",
        "1.2.3",
        "1x",
        "1S",
        "1mss",
        "0x10",
        "1e3",
        "ms",
        "1,5",
        "1.s",
        "nan",
        "inf",
        "1/s",
        "9223372037",
        "9999999999999999999",
        "9223372036854775808ns",
        "106752d",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        int64_t ns = -1;
        HK_EXPECT(units_duration(good[i].text, &ns));
        HK_EXPECT_EQ(ns, good[i].ns);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t ns = 42;
        HK_EXPECT(!units_duration(bad[i], &ns));
        HK_EXPECT_EQ(ns, 42);
    }
}
END_TEST

START_TEST(rates)
{
    static const struct {
        const char *text;
        int64_t count, period;
    } good[] = {
        { "15/min", 15, 60 * SEC }, { "100/s", 100, SEC },       { "8", 8, SEC },
        { "2/500ms", 2, SEC / 2 },  { "1/2h", 1, 7200 * SEC },   { "1.5/s", 15, 10 * SEC },
        { "0.1", 1, 10 * SEC },     { "3/day", 3, 86400 * SEC },
    };
    static const char *const bad[] = { "",       "/s",  "0",     "0/s", "-1/s", "1/",
                                       "1//s",   "1/x", "1/s/s", "1s",  "1/0",  "1/0s",
                                       "1/ min", "a/s", "1/-1",  "0.0", "1 /s" };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct units_rate rate = { 0, 0 };
        HK_EXPECT(units_rate(good[i].text, &rate));
        HK_EXPECT_EQ(rate.count, good[i].count);
        HK_EXPECT_EQ(rate.period_ns, good[i].period);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct units_rate rate = { 42, 42 };
        HK_EXPECT(!units_rate(bad[i], &rate));
        HK_EXPECT_EQ(rate.count, 42);
    }
}
END_TEST

START_TEST(numbers)
{
    int64_t n = 0;
    HK_EXPECT(units_number("12", 1, 12, &n));
    HK_EXPECT_EQ(n, 12);
    HK_EXPECT(!units_number("13", 1, 12, &n));
    HK_EXPECT(!units_number("0", 1, 12, &n));
    HK_EXPECT(!units_number("1.0", 1, 12, &n));
    HK_EXPECT(!units_number("-1", -2, 12, &n));
    HK_EXPECT(!units_number("1k", 1, 12, &n));
    HK_EXPECT(!units_number("", 0, 12, &n));
    HK_EXPECT(!units_number("99999999999999999999", 0, INT64_MAX, &n));
    HK_EXPECT_EQ(n, 12);
}
END_TEST

START_TEST(shown)
{
    char out[UNITS_TEXT];
    HK_EXPECT_STR(units_bytes_text(0, out), "0 B");
    HK_EXPECT_STR(units_bytes_text(999, out), "999 B");
    HK_EXPECT_STR(units_bytes_text(1000, out), "1.0 kB");
    HK_EXPECT_STR(units_bytes_text(9949, out), "9.9 kB");
    HK_EXPECT_STR(units_bytes_text(9950, out), "10 kB");
    HK_EXPECT_STR(units_bytes_text(999499, out), "999 kB");
    HK_EXPECT_STR(units_bytes_text(999500, out), "1.0 MB");
    HK_EXPECT_STR(units_bytes_text(200000000, out), "200 MB");
    HK_EXPECT_STR(units_bytes_text(UINT64_MAX, out), "18 EB");
    HK_EXPECT_STR(units_clock_text(0, out), "0:00");
    HK_EXPECT_STR(units_clock_text(-5 * SEC, out), "0:00");
    HK_EXPECT_STR(units_clock_text(7 * SEC, out), "0:07");
    HK_EXPECT_STR(units_clock_text(754 * SEC, out), "12:34");
    HK_EXPECT_STR(units_clock_text(3723 * SEC, out), "1:02:03");
    HK_EXPECT_STR(units_clock_text(INT64_MAX, out), "2562047:47:16");
}
END_TEST

PLAIN_SUITE("tools_units", 0)
{
    suite_once(durations);
    suite_once(rates);
    suite_once(numbers);
    suite_once(shown);
}
