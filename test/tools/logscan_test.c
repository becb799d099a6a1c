/* SPDX-License-Identifier: MIT */
/*
 * tools: the scanner against a slow reader that does what awk does, on lines that look
 * nearly right, cut into blocks everywhere; the string search against memmem.
 */
#define _GNU_SOURCE
#include "support/expect.h"
#include "support/plain_suite.h"

#include <stdbool.h>
#include <stdint.h>

#include "common/logscan.h"

enum { TEXT_MAX = 4096, FOUND_MAX = 65536 };

static uint64_t state;

static uint32_t below(uint32_t n)
{
    state = state * 6364136223846793005 + 1442695040888963407;
    return (uint32_t)((state >> 33) % n);
}

struct found {
    char text[FOUND_MAX];
    size_t size;
};

static void add(void *arg, const char *host, size_t length)
{
    struct found *f = arg;
    HK_EXPECT(f->size + length + 1 <= sizeof f->text);
    memcpy(f->text + f->size, host, length);
    f->size += length;
    f->text[f->size++] = '\n';
}

/* awk '$7 == path { print $1 }' */
static void slow(const char *text, size_t n, const char *path, struct found *f)
{
    size_t wanted = strlen(path);
    f->size = 0;
    for (size_t at = 0; at < n;) {
        const char *newline = memchr(text + at, '\n', n - at);
        size_t end = newline != NULL ? (size_t)(newline - text) : n, field = 0, i = at;
        const char *host = NULL;
        size_t host_length = 0;
        while (i < end) {
            while (i < end && (text[i] == ' ' || text[i] == '\t'))
                i++;
            size_t from = i;
            while (i < end && text[i] != ' ' && text[i] != '\t')
                i++;
            if (i == from)
                break;
            field++;
            if (field == 1) {
                host = text + from;
                host_length = i - from;
            }
            if (field == 7 && i - from == wanted && memcmp(text + from, path, wanted) == 0)
                add(f, host, host_length);
        }
        at = end + 1;
    }
}

static size_t lines(char *text, const char *path)
{
    static const char *const words[] = { "-", "host", "\"GET", "HTTP/1.1\"",
                                         "x", "/",    "\\",    "\377\0" };
    size_t n = 0;
    while (n < TEXT_MAX - 200) {
        uint32_t fields = below(4) != 0 ? 8 : below(12);
        for (uint32_t f = 1; f <= fields; f++) {
            if (f > 1 || below(20) == 0)
                for (uint32_t b = below(9) == 0 ? below(3) + 1 : 1; b > 0; b--)
                    text[n++] = below(6) == 0 ? '\t' : ' ';
            const char *word = below(f == 7 ? 2 : 7) == 0 ? path : words[below(8)];
            size_t length = strlen(word);
            memcpy(text + n, word, length);
            n += length;
            if (below(12) == 0)
                text[n++] = path[below((uint32_t)strlen(path))];
            if (below(40) == 0)
                text[n++] = '\0';
        }
        if (below(10) == 0)
            text[n++] = ' ';
        text[n++] = '\n';
    }
    return below(2) == 0 ? n : n - 1;
}

static const char *const paths[] = { "/robots.txt", "/", "x", "aa", "/aXa", "-", "\"GET" };

/* The whole text in blocks of `block` bytes, or of random sizes when that is 0. */
static void scan(const char *text, size_t n, const char *path, size_t block, struct found *f)
{
    static char host[LOGSCAN_HOST_MAX];
    struct logscan s;
    f->size = 0;
    logscan_start(&s, path, strlen(path), host, add, f);
    for (size_t at = 0; at < n;) {
        size_t size = block != 0 ? block : below(300);
        if (size > n - at)
            size = n - at;
        logscan_block(&s, (const unsigned char *)text + at, size);
        at += size;
    }
    logscan_end(&s, false);
    HK_EXPECT_EQ(s.too_long, 0);
}

START_TEST(as_awk_does)
{
    static char text[TEXT_MAX];
    static struct found expected, actual;
    static const size_t blocks[] = { 1, 2, 3, 7, 64, 100, 1000, TEXT_MAX, 0, 0 };
    size_t matches = 0;
    state = (uint64_t)_i;
    const char *path = paths[(size_t)_i % (sizeof paths / sizeof paths[0])];
    for (int round = 0; round < 40; round++) {
        size_t n = lines(text, path);
        slow(text, n, path, &expected);
        matches += expected.size;
        for (size_t b = 0; b < sizeof blocks / sizeof blocks[0]; b++) {
            scan(text, n, path, blocks[b], &actual);
            HK_EXPECT_EQ(actual.size, expected.size);
            HK_EXPECT(memcmp(actual.text, expected.text, expected.size) == 0);
        }
    }
    HK_EXPECT(matches > 0);
}
END_TEST

/* What is missing behind a cut may have belonged to field 7, unless a blank ended it. */
START_TEST(cut_lines)
{
    static const char line[] = "host 2 3 4 5 6 /robots.txt 8\n";
    static char host[LOGSCAN_HOST_MAX];
    static struct found f;
    for (size_t n = 0; n < sizeof line; n++) {
        for (int cut = 0; cut < 2; cut++) {
            struct logscan s;
            f.size = 0;
            logscan_start(&s, "/robots.txt", 11, host, add, &f);
            logscan_block(&s, (const unsigned char *)line, n);
            logscan_end(&s, cut);
            HK_EXPECT_EQ(f.size, n >= (cut ? 27u : 26u) ? 5 : 0);
            /* The scanner is ready for another text. */
            logscan_block(&s, (const unsigned char *)line, sizeof line - 1);
            HK_EXPECT_EQ(f.size, n >= (cut ? 27u : 26u) ? 10 : 5);
        }
    }
}
END_TEST

/* Hosts up to the limit, and one byte beyond: whole lines and cut ones. */
START_TEST(long_hosts)
{
    static char text[LOGSCAN_HOST_MAX + 64], host[LOGSCAN_HOST_MAX];
    static struct found f;
    static const char rest[] = " 2 3 4 5 6 /robots.txt 8\n";
    for (size_t more = 0; more < 2; more++) {
        for (size_t block = 1000; block <= sizeof text; block += sizeof text - 1000) {
            size_t length = LOGSCAN_HOST_MAX - 1 + more, n = length + sizeof rest - 1;
            struct logscan s;
            memset(text, 'h', length);
            memcpy(text + length, rest, sizeof rest);
            f.size = 0;
            logscan_start(&s, "/robots.txt", 11, host, add, &f);
            for (size_t at = 0; at < n; at += block)
                logscan_block(&s, (const unsigned char *)text + at,
                              n - at < block ? n - at : block);
            logscan_end(&s, false);
            HK_EXPECT_EQ(s.too_long, 0);
            HK_EXPECT_EQ(f.size, length + 1);
        }
    }
    for (size_t block = 1000; block <= sizeof text; block += sizeof text - 1000) {
        size_t length = LOGSCAN_HOST_MAX + 1, n = length + sizeof rest - 1;
        struct logscan s;
        memset(text, 'h', length);
        memcpy(text + length, rest, sizeof rest);
        f.size = 0;
        logscan_start(&s, "/robots.txt", 11, host, add, &f);
        for (size_t at = 0; at < n; at += block)
            logscan_block(&s, (const unsigned char *)text + at, n - at < block ? n - at : block);
        logscan_end(&s, false);
        HK_EXPECT_EQ(s.too_long, 1);
        HK_EXPECT_EQ(f.size, 0);
    }
}
END_TEST

START_TEST(finds_as_memmem_does)
{
    static const char letters[] = "ab/x";
    state = (uint64_t)_i + 77;
    for (int round = 0; round < 3000; round++) {
        /* Exactly as long as it is, so that a sanitizer sees each byte too many. */
        size_t n = below(200), length = 1 + below(below(3) == 0 ? 40 : 4);
        unsigned char *text = malloc(n + 1);
        char *needle = malloc(length + 1);
        for (size_t i = 0; i < n; i++)
            text[i] = (unsigned char)letters[below(4)];
        for (size_t i = 0; i < length; i++)
            needle[i] = letters[below(4)];
        if (n >= length && below(2) == 0)
            memcpy(text + below((uint32_t)(n - length + 1)), needle, length);
        text = realloc(text, n > 0 ? n : 1);
        needle = realloc(needle, length);
        struct finder f;
        finder_start(&f, needle, length);
        HK_EXPECT(finder_next(&f, text, n) == memmem(text, n, needle, length));
        free(text);
        free(needle);
    }
}
END_TEST

PLAIN_SUITE("tools_logscan", 0)
{
    tcase_add_loop_test(suite__case, as_awk_does, 0, 14);
    suite_once(cut_lines);
    suite_once(long_hosts);
    tcase_add_loop_test(suite__case, finds_as_memmem_does, 0, 4);
}
