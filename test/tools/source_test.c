/* SPDX-License-Identifier: MIT */
/*
 * tools: reading plain and gzip files, whole, cut and damaged, by each library.
 *
 * What has to hold for any file: what is read is a beginning of the text if the file is
 * cut, and all of it if no damage is reported.
 */
#include "support/expect.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/inflate.h"
#include "common/source.h"

enum { TEXT = 1200000, PACKED_MAX = 1 << 20 };

static const char *const libraries[] = { "isal", "zlib" };
static char folder[64], path[128];
static char *text;
static unsigned char *packed;
static size_t packed_size;
static uint64_t state;

static uint32_t below(uint32_t n)
{
    state = state * 6364136223846793005 + 1442695040888963407;
    return (uint32_t)((state >> 33) % n);
}

static void put(const char *name, const void *bytes, size_t size)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    HK_EXPECT(f != NULL);
    HK_EXPECT_EQ(fwrite(bytes, 1, size, f), size);
    HK_EXPECT_EQ(fclose(f), 0);
}

/* Text that compresses like a log, and what gzip(1) makes of it. */
static void setup(void)
{
    char command[300];
    snprintf(folder, sizeof folder, "/tmp/hocket-source-XXXXXX");
    HK_EXPECT(mkdtemp(folder) != NULL);
    text = malloc(TEXT);
    packed = malloc(PACKED_MAX);
    state = 1;
    for (size_t n = 0; n < TEXT;) {
        char line[80];
        int size = snprintf(line, sizeof line, "host%u 2 3 4 5 6 /path/%u %x\n", below(500),
                            below(90), below(1u << 30));
        for (int i = 0; i < size && n < TEXT; i++)
            text[n++] = line[i];
    }
    put("text", text, TEXT);
    snprintf(command, sizeof command, "gzip -c %s >%s.gz", path, path);
    HK_EXPECT_EQ(system(command), 0);
    snprintf(path, sizeof path, "%s/text.gz", folder);
    FILE *f = fopen(path, "rb");
    HK_EXPECT(f != NULL);
    packed_size = fread(packed, 1, PACKED_MAX, f);
    HK_EXPECT(packed_size > 100000 && packed_size < PACKED_MAX);
    fclose(f);
}

static void teardown(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    HK_EXPECT_EQ(system(command), 0);
    free(text);
    free(packed);
}

/*
 * Read the file at `path` and return how much of it came; *ret_same: how much of that is the
 * text, again and again.  *ret_whole: no damage.
 */
static size_t drain(struct source *s, size_t *ret_same, bool *ret_whole)
{
    const unsigned char *block;
    size_t n = 0, same = 0;
    ptrdiff_t size = -1;
    if (source_open(s, path)) {
        while ((size = source_next(s, &block)) > 0) {
            /* Compared in pieces that end where the text begins again. */
            for (size_t at = 0, part; at < (size_t)size; at += part, n += part) {
                part = TEXT - n % TEXT < (size_t)size - at ? TEXT - n % TEXT : (size_t)size - at;
                if (same != n)
                    continue;
                size_t i = part;
                if (memcmp(block + at, text + n % TEXT, part) != 0)
                    for (i = 0; block[at + i] == (unsigned char)text[n % TEXT + i];)
                        i++;
                same += i;
            }
        }
    }
    HK_EXPECT((size < 0) == (s->cause[0] != '\0'));
    source_close(s);
    *ret_same = same;
    *ret_whole = size == 0;
    return n;
}

/* False if the library is not built in. */
static bool use(struct source *s, const char *library)
{
    struct inflate *z;
    if (inflate_new(&z, library) != 0)
        return false;
    inflate_free(z);
    HK_EXPECT_EQ(setenv("HOCKET_GZIP", library, 1), 0);
    HK_EXPECT_EQ(source_init(s), 0);
    return true;
}

START_TEST(plain_and_whole)
{
    struct source s;
    size_t same;
    bool whole;
    if (!use(&s, libraries[_i]))
        return;
    snprintf(path, sizeof path, "%s/text", folder);
    HK_EXPECT_EQ(drain(&s, &same, &whole), TEXT);
    HK_EXPECT(whole && same == TEXT && !s.gzip);
    HK_EXPECT_EQ(s.raw, TEXT);
    put("text.gz", packed, packed_size);
    HK_EXPECT_EQ(drain(&s, &same, &whole), TEXT);
    HK_EXPECT(whole && same == TEXT && s.gzip);
    HK_EXPECT_EQ(s.raw, packed_size);

    /* Members end anywhere in the buffers, for the texts before them shift it. */
    unsigned char *many = malloc(4 * packed_size + 3);
    for (int i = 0; i < 4; i++)
        memcpy(many + (size_t)i * packed_size, packed, packed_size);
    put("many", many, 4 * packed_size);
    HK_EXPECT_EQ(drain(&s, &same, &whole), 4 * TEXT);
    HK_EXPECT(whole && same == 4 * TEXT);
    memset(many + 4 * packed_size, 0, 3);
    put("padded", many, 4 * packed_size + 3);
    HK_EXPECT_EQ(drain(&s, &same, &whole), 4 * TEXT);
    HK_EXPECT(whole);
    free(many);
    source_destroy(&s);
}
END_TEST

START_TEST(cut)
{
    struct source s;
    if (!use(&s, libraries[_i]))
        return;
    for (size_t round = 0; round < 120; round++) {
        size_t at = round < 40 ? round : below((uint32_t)packed_size), same;
        if (round >= 100)
            at = packed_size - (round - 99);
        bool whole;
        put("cut.gz", packed, at);
        size_t n = drain(&s, &same, &whole);
        HK_EXPECT_EQ(n, same);
        HK_EXPECT_EQ(whole, at == 0);
        if (at > 0)
            HK_EXPECT_STR(s.cause, "truncated gzip data");
        /* The end mark may be missing, the text is there. */
        if (packed_size - at <= 8)
            HK_EXPECT_EQ(n, TEXT);
    }
    source_destroy(&s);
}
END_TEST

START_TEST(damaged)
{
    struct source s;
    size_t reported = 0;
    if (!use(&s, libraries[_i]))
        return;
    unsigned char *bad = malloc(packed_size);
    for (int round = 0; round < 200; round++) {
        size_t same;
        bool whole;
        memcpy(bad, packed, packed_size);
        size_t from = round % 2 == 0 ? below(40) : below((uint32_t)packed_size);
        for (uint32_t i = below(4) + 1; i > 0 && from < packed_size; i--, from++)
            bad[from] ^= (unsigned char)(1 + below(255));
        put("bad.gz", bad, packed_size);
        size_t n = drain(&s, &same, &whole);
        HK_EXPECT(!whole || (n == TEXT && same == TEXT));
        reported += !whole;
    }
    HK_EXPECT(reported > 120);
    free(bad);
    source_destroy(&s);
}
END_TEST

/* All forms of a header, made by hand: extra field, name, comment, header checksum. */
START_TEST(headers)
{
    static const unsigned char body[] = { 1,   5,    0,    0xfa, 0xff, 'h', 'e', 'l', 'l',
                                          'o', 0x86, 0xa6, 0x10, 0x36, 5,   0,   0,   0 };
    struct source s;
    const unsigned char *block;
    if (!use(&s, libraries[_i]))
        return;
    for (unsigned flags = 0; flags < 32; flags++) {
        unsigned char file[256] = { 0x1f, 0x8b, 8, (unsigned char)flags, 1, 2, 3, 4, 0, 3 };
        size_t n = 10;
        if (flags & 2)
            continue; /* its checksum is tried below */
        if (flags & 4) {
            memcpy(file + n, "\4\0abcd", 6);
            n += 6;
        }
        if (flags & 8)
            n += (size_t)sprintf((char *)file + n, "a name") + 1;
        if (flags & 16)
            n += (size_t)sprintf((char *)file + n, "a comment") + 1;
        memcpy(file + n, body, sizeof body);
        put("header", file, n + sizeof body);
        HK_EXPECT(source_open(&s, path));
        HK_EXPECT_EQ(source_next(&s, &block), 5);
        HK_EXPECT(memcmp(block, "hello", 5) == 0);
        HK_EXPECT_EQ(source_next(&s, &block), 0);
        source_close(&s);
    }
    source_destroy(&s);
}
END_TEST

/* Members and padding that come in pieces of any size, as a slow pipe has them. */
START_TEST(piece_by_piece)
{
    enum { MEMBERS = 50 };
    static const unsigned char member[] = { 0x1f, 0x8b, 8,    0,    0,    0,   0,   0,   0,   3,
                                            1,    5,    0,    0xfa, 0xff, 'h', 'e', 'l', 'l', 'o',
                                            0x86, 0xa6, 0x10, 0x36, 5,    0,   0,   0 };
    struct source s;
    const unsigned char *block;
    int ends[2];
    size_t n = 0;
    ptrdiff_t size;
    if (!use(&s, libraries[_i % 2]))
        return;
    /* A packet is read by itself, however large the buffer. */
    HK_EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    pid_t writer = fork();
    HK_EXPECT(writer >= 0);
    if (writer == 0) {
        close(ends[0]);
        static unsigned char all[MEMBERS * sizeof member + 20];
        for (size_t i = 0; i < MEMBERS; i++)
            memcpy(all + i * sizeof member, member, sizeof member);
        for (size_t at = 0, part; at < sizeof all; at += part) {
            part = 1 + below(_i / 2 == 0 ? 1 : 40);
            if (part > sizeof all - at)
                part = sizeof all - at;
            if (write(ends[1], all + at, part) != (ssize_t)part)
                _exit(1);
        }
        _exit(0);
    }
    close(ends[1]);
    HK_EXPECT_EQ(dup2(ends[0], 0), 0);
    close(ends[0]);
    HK_EXPECT(source_open(&s, "-"));
    while ((size = source_next(&s, &block)) > 0)
        for (ptrdiff_t i = 0; i < size; i++, n++)
            HK_EXPECT_EQ(block[i], "hello"[n % 5]);
    HK_EXPECT_STR(s.cause, "");
    HK_EXPECT_EQ(size, 0);
    HK_EXPECT_EQ(n, MEMBERS * 5);
    source_close(&s);
    source_destroy(&s);
    int status;
    HK_EXPECT_EQ(waitpid(writer, &status, 0), writer);
    HK_EXPECT_EQ(status, 0);
}
END_TEST

START_TEST(no_file)
{
    struct source s;
    const unsigned char *block;
    HK_EXPECT_EQ(source_init(&s), 0);
    HK_EXPECT(!source_open(&s, "/nowhere/at/all"));
    HK_EXPECT_STR(s.cause, strerror(ENOENT));
    source_close(&s);
    HK_EXPECT(!source_open(&s, folder));
    HK_EXPECT_STR(s.cause, strerror(EISDIR));
    source_close(&s);
    put("short", "\x1f\x8b", 2);
    HK_EXPECT(source_open(&s, path));
    HK_EXPECT_EQ(source_next(&s, &block), 2);
    HK_EXPECT_EQ(source_next(&s, &block), 0);
    source_close(&s);
    HK_EXPECT_EQ(setenv("HOCKET_GZIP", "nothing", 1), 0);
    put("text.gz", packed, packed_size);
    HK_EXPECT(source_open(&s, path));
    HK_EXPECT_EQ(source_next(&s, &block), -1);
    HK_EXPECT_STR(s.cause, "no gzip support built in");
    source_close(&s);
    source_destroy(&s);
}
END_TEST

int main(void)
{
    struct inflate *z;
    if (inflate_new(&z, NULL) != 0 || system("command -v gzip >/dev/null") != 0)
        HK_SKIP("no gzip");
    inflate_free(z);

    Suite *s = suite_create("tools_source");
    TCase *t = tcase_create("source");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, plain_and_whole, 0, 2);
    tcase_add_loop_test(t, cut, 0, 2);
    tcase_add_loop_test(t, damaged, 0, 2);
    tcase_add_loop_test(t, headers, 0, 2);
    tcase_add_loop_test(t, piece_by_piece, 0, 4);
    tcase_add_test(t, no_file);
    suite_add_tcase(s, t);

    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
