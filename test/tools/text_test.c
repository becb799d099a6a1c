/* SPDX-License-Identifier: MIT */
/* tools: bytes of strangers on a terminal and in JSON; progress lines; names; the backlog. */
#include "support/expect.h"
#include "support/plain_suite.h"

#include <stdbool.h>
#include <stdint.h>

#include "common/backlog.h"
#include "common/json.h"
#include "common/options.h"
#include "common/output.h"
#include "common/progress.h"
#include "common/utf8.h"
#include "common/walk.h"

/* What `write` puts into an output, as a string. */
static const char *text_of(void (*write)(struct output *, const char *, size_t), const char *bytes,
                           size_t size)
{
    static struct output out;
    out.fd = -1;
    out.error = 0;
    out.used = 0;
    write(&out, bytes, size);
    HK_EXPECT_EQ(out.error, 0);
    out.buffer[out.used] = '\0';
    return out.buffer;
}

#define ESCAPED(literal) text_of(output_escaped, literal, sizeof literal - 1)
#define JSON(literal)    text_of(json_string, literal, sizeof literal - 1)
#define HEX(literal)     text_of(json_hex, literal, sizeof literal - 1)

START_TEST(escaped)
{
    HK_EXPECT_STR(ESCAPED(""), "");
    HK_EXPECT_STR(ESCAPED("192.0.2.1"), "192.0.2.1");
    HK_EXPECT_STR(ESCAPED("a b\\\"~"), "a b\\\"~");
    HK_EXPECT_STR(ESCAPED("\0\1\t\n\x1f\x7f"), "\\x00\\x01\\x09\\x0a\\x1f\\x7f");
    HK_EXPECT_STR(ESCAPED("\033[31m"), "\\x1b[31m");
    /* C1 in both forms, bytes that are no UTF-8, overlong and cut sequences, surrogates. */
    HK_EXPECT_STR(ESCAPED("\x9b"), "\\x9b");
    HK_EXPECT_STR(ESCAPED("\xc2\x9b"), "\\xc2\\x9b");
    HK_EXPECT_STR(ESCAPED("\xc2\xa0\xc3\xb6"), "\xc2\xa0\xc3\xb6");
    HK_EXPECT_STR(ESCAPED("\xc0\x9b\xe0\x80\x9b"), "\\xc0\\x9b\\xe0\\x80\\x9b");
    HK_EXPECT_STR(ESCAPED("\xe2\x82\xac\xf0\x9f\x98\x80"), "\xe2\x82\xac\xf0\x9f\x98\x80");
    HK_EXPECT_STR(ESCAPED("\xe2\x82"), "\\xe2\\x82");
    HK_EXPECT_STR(ESCAPED("\xed\xa0\x80\xf4\x90\x80\x80\xff"),
                  "\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80\\xff");
}
END_TEST

START_TEST(json)
{
    HK_EXPECT_STR(JSON(""), "\"\"");
    HK_EXPECT_STR(JSON("a\"b\\c/"), "\"a\\\"b\\\\c/\"");
    HK_EXPECT_STR(JSON("\0\n\x1f\x7f\xc2\x9b"), "\"\\u0000\\u000a\\u001f\\u007f\\u009b\"");
    HK_EXPECT_STR(JSON("\xc3\xb6\xe2\x82\xac"), "\"\xc3\xb6\xe2\x82\xac\"");
    HK_EXPECT_STR(JSON("x\xff\xc3y"), "\"x\\ufffd\\ufffdy\"");
    HK_EXPECT_STR(HEX("x\xff\0"), "\"78ff00\"");
    HK_EXPECT(json_is_exact("\xc3\xb6", 2));
    HK_EXPECT(json_is_exact("", 0));
    HK_EXPECT(!json_is_exact("\xc3\xb6", 1));
}
END_TEST

/* Every code point comes back; nothing else is accepted. */
START_TEST(utf8)
{
    uint32_t accepted = 0;
    for (uint32_t lead = 0; lead < 256; lead++) {
        for (uint32_t rest = 0; rest < 4096; rest++) {
            /* The two bits that matter of each of three bytes behind, and all of the first. */
            unsigned char p[4] = { (unsigned char)lead, (unsigned char)(rest & 0xff),
                                   (unsigned char)((rest >> 8 & 3) << 6 | 1),
                                   (unsigned char)((rest >> 10 & 3) << 6 | 1) };
            uint32_t point = 0;
            size_t n = utf8_decode(p, 4, &point);
            if (n == 0)
                continue;
            accepted++;
            HK_EXPECT(n == (point < 0x80 ? 1u : point < 0x800 ? 2u : point < 0x10000 ? 3u : 4u));
            HK_EXPECT(point < 0xd800 || (point > 0xdfff && point < 0x110000));
            for (size_t i = 1; i < n; i++)
                HK_EXPECT_EQ(p[i] & 0xc0, 0x80);
            HK_EXPECT_EQ(utf8_decode(p, n - 1, &point) != 0 && n > 1, 0);
        }
    }
    HK_EXPECT(accepted > 128 * 4096);
}
END_TEST

START_TEST(progress_lines)
{
    char line[PROGRESS_LINE];
    struct progress p = { .terminal = true, .done = 45000000, .total = 100000000 };
    const int64_t second = 1000000000;
    progress_line(&p, second, 200, false, line);
    HK_EXPECT_STR(
        line,
        " 45% [##################----------------------] 45 MB of 100 MB, 45 MB/s, 0:01 left");
    progress_line(&p, second, 60, false, line);
    HK_EXPECT_STR(line, " 45% [#######---------] 45 MB of 100 MB, 45 MB/s, 0:01 left");
    HK_EXPECT(strlen(line) == 59);
    progress_line(&p, second, 20, false, line);
    HK_EXPECT_STR(line, " 45% 45 MB of 100 M");
    for (int columns = 1; columns < 120; columns++) {
        size_t n = progress_line(&p, second, columns, false, line);
        HK_EXPECT(n == strlen(line) && (n < (size_t)columns || n <= 5));
    }
    p.growing = true;
    progress_line(&p, second / 2, 80, false, line);
    HK_EXPECT_STR(line, "45 MB, 90 MB/s");
    p = (struct progress){ .terminal = false, .done = 100, .total = 100 };
    progress_line(&p, second, 80, true, line);
    HK_EXPECT_STR(line, "100% 100 B of 100 B, 100 B/s, 0:00 left");
    p.done = UINT64_MAX / 2;
    p.total = UINT64_MAX;
    progress_line(&p, INT64_MAX, 200, true, line);
    HK_EXPECT(strlen(line) < PROGRESS_LINE - 1);
}
END_TEST

START_TEST(nearest_names)
{
    static const char *const names[] = { "robots", "help", "count", NULL };
    HK_EXPECT_STR(options_nearest("robot", names), "robots");
    HK_EXPECT_STR(options_nearest("roobts", names), "robots");
    HK_EXPECT_STR(options_nearest("ro", names), "robots");
    HK_EXPECT_STR(options_nearest("cuont", names), "count");
    HK_EXPECT_STR(options_nearest("hlep", names), "help");
    HK_EXPECT(options_nearest("xyzzy", names) == NULL);
    HK_EXPECT(options_nearest("", names) == NULL);
    HK_EXPECT(options_nearest("an-extremely-long-word-that-nobody-would-type-here", names) == NULL);
}
END_TEST

START_TEST(names_of_logs)
{
    static const char *const yes[] = { "a.log",      ".log",         "a.log.1",        "a.log.007",
                                       "access_log", "access_log.2", "access_log_old", "a.gz",
                                       ".gz",        "b.tar.gz" };
    static const char *const no[] = { "log",     "a.logs", "a.log.", "a.log.1a",
                                      "a.log.x", "log.1",  "a.1",    "xaccess_log",
                                      "a.LOG",   "gz",     "a.gz.1", "" };
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        HK_EXPECT(walk_is_log(yes[i]));
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        HK_EXPECT(!walk_is_log(no[i]));
}
END_TEST

START_TEST(largest_first)
{
    struct backlog b = { 0 };
    uint64_t state = 5, last = UINT64_MAX;
    HK_EXPECT(backlog_take(&b) == NULL);
    size_t n = 0;
    for (; backlog_has_room(&b); n++) {
        state = state * 6364136223846793005 + 1442695040888963407;
        HK_EXPECT_EQ(backlog_put(&b, "a/path/of/some/length", state >> 54), 0);
    }
    HK_EXPECT_EQ(n, BACKLOG_FILES);
    for (; n > 100; n--) {
        struct backlog_file *f = backlog_take(&b);
        HK_EXPECT(f->size <= last);
        last = f->size;
        free(f);
    }
    HK_EXPECT(backlog_has_room(&b));
    /* What was taken takes no room any more. */
    for (n = 0; n < BACKLOG_BYTES / 10; n++) {
        HK_EXPECT_EQ(backlog_put(&b, "a/path/of/some/length", n), 0);
        free(backlog_take(&b));
    }
    HK_EXPECT(backlog_has_room(&b));
    backlog_destroy(&b);
}
END_TEST

PLAIN_SUITE("tools_text", 0)
{
    suite_once(escaped);
    suite_once(json);
    suite_once(utf8);
    suite_once(progress_lines);
    suite_once(nearest_names);
    suite_once(names_of_logs);
    suite_once(largest_first);
}
