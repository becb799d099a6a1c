/* SPDX-License-Identifier: MIT */
/* trace: files that are cut, changed, of another version or huge are refused in words, or read. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <hocket.h>

#include "support/expect.h"
#include "support/plain_suite.h"
#include "trace/model.h"

static char file[64];
static unsigned char *good;
static size_t good_size;

static int waits(void *arg)
{
    hocket_trace_begin("a span with a name that takes more than one event");
    int err = hocket_sleep(*(hocket_time *)arg);
    hocket_trace_end();
    return err;
}

static int program(void *arg)
{
    hocket_scope scope;
    hocket_time duration = HOCKET_US;
    hocket_spawn_options o = HOCKET_SPAWN_OPTIONS_DEFAULT;
    (void)arg;
    o.name = "named";
    hocket_scope_open(&scope, NULL);
    for (int i = 0; i < 6; i++) {
        hocket_task *t;
        HK_EXPECT_EQ(hocket_spawn_task(&t, &scope, waits, &duration, &o), 0);
        hocket_task_release(t);
    }
    hocket_trace_counter("c", 1);
    return hocket_scope_close(&scope);
}

static void write_file(const void *bytes, size_t size)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    HK_EXPECT(fd >= 0);
    HK_EXPECT_EQ(write(fd, bytes, size), size);
    HK_EXPECT_EQ(close(fd), 0);
}

static void setup(void)
{
    hocket_trace_options o = HOCKET_TRACE_OPTIONS_DEFAULT;
    (void)snprintf(file, sizeof file, "/tmp/hocket-trace-%d", (int)getpid());
    o.buffer = 65536;
    HK_EXPECT_EQ(hocket_trace_start(file, &o), 0);
    HK_EXPECT_EQ(hocket_run_with(program, NULL, HOCKET_RUNTIME_OPTIONS(.workers = 2)), 0);
    HK_EXPECT_EQ(hocket_trace_stop(), 0);
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    HK_EXPECT(fd >= 0);
    good_size = (size_t)lseek(fd, 0, SEEK_END);
    good = malloc(good_size);
    HK_EXPECT_EQ(pread(fd, good, good_size, 0), good_size);
    (void)close(fd);
}

static void teardown(void)
{
    (void)unlink(file);
    free(good);
}

/* ---- everything that reads a trace ---- */

static size_t things;

static void bar(void *context, const struct model_bar *b)
{
    char text[256];
    const struct trace *t = context;
    HK_EXPECT(b->start <= b->end && b->start >= 0);
    trace_symbol(t, b->site, text, sizeof text);
    trace_task_title(t, b->task, text, sizeof text);
    things += strlen(text) + strlen(model_kind_name(t, b->kind));
}

static void wake(void *context, const struct model_wake *w)
{
    (void)context;
    HK_EXPECT(w->at >= 0);
}

static void piece(void *context, const struct model_piece *p)
{
    (void)context;
    HK_EXPECT(p->start <= p->end);
    things += strlen(p->name);
}

static void point(void *context, const struct model_point *p)
{
    (void)context;
    things += strlen(p->text);
}

static void read_all(const struct trace *t)
{
    char text[128];
    const struct model_sink sink = {
        .context = (void *)(uintptr_t)t, .bar = bar, .wake = wake, .piece = piece, .point = point
    };
    for (uint32_t i = 0; i < t->lane_count; i++)
        trace_lane_name(t, i, text, sizeof text);
    HK_EXPECT(trace_duration(t) >= 0);
    HK_EXPECT(trace_model(t, &sink));
}

static bool open_it(char why[TRACE_WHY])
{
    struct trace t;
    why[0] = '\0';
    bool opened = trace_open(&t, file, why);
    HK_EXPECT(opened == (why[0] == '\0'));
    if (opened) {
        read_all(&t);
        trace_close(&t);
    }
    return opened;
}

static void expect_why(const char *words)
{
    char why[TRACE_WHY];
    HK_EXPECT(!open_it(why));
    if (strstr(why, words) == NULL)
        HK_EXPECT_STR(why, words);
}

/* ---- ---- */

START_TEST(every_length)
{
    char why[TRACE_WHY];
    write_file(good, good_size);
    HK_EXPECT(open_it(why));
    HK_EXPECT(things > 0);
    for (size_t size = 1; size < good_size; size += size < 300 ? 1 : 61) {
        write_file(good, size);
        expect_why("truncated");
    }
    write_file(good, 0);
    expect_why("empty");
}
END_TEST

static void change(size_t at, uint32_t to)
{
    unsigned char *copy = malloc(good_size);
    memcpy(copy, good, good_size);
    memcpy(copy + at, &to, sizeof to);
    write_file(copy, good_size);
    free(copy);
}

START_TEST(headers)
{
    change(0, 0x12345678);
    expect_why("not a trace of Hocket");
    change(offsetof(struct hkt_header, version), HKT_VERSION + 1);
    expect_why("format version 3, this program reads version 2");
    change(offsetof(struct hkt_header, order), __builtin_bswap32(HKT_ORDER));
    expect_why("other byte order");
    change(offsetof(struct hkt_header, order), 77);
    expect_why("damaged");
    change(offsetof(struct hkt_header, event_size), 16);
    expect_why("damaged");
    /* The first section says that it is huge, and then that it has many events. */
    change(sizeof(struct hkt_header) + offsetof(struct hkt_section, size) + 4, 0x10);
    expect_why("damaged");
    change(sizeof(struct hkt_header) + offsetof(struct hkt_section, size) + 3, 0x70);
    expect_why("damaged");
    change(sizeof(struct hkt_header) + offsetof(struct hkt_section, count), 0xffffffff);
    expect_why("damaged");
}
END_TEST

/* The good file's section of pauses, which has none, becomes one of two. */
static void write_pauses(uint64_t from, uint64_t to, uint64_t from_next, uint64_t to_next)
{
    const struct hkt_pause two[] = { { from, to }, { from_next, to_next } };
    unsigned char *longer = malloc(good_size + sizeof two);
    size_t at = sizeof(struct hkt_header);
    struct hkt_section s;
    for (;; at += sizeof s + (size_t)s.size) {
        memcpy(&s, good + at, sizeof s);
        HK_EXPECT(s.type != HKT_END);
        if (s.type == HKT_PAUSES)
            break;
    }
    HK_EXPECT_EQ(s.count, 0);
    s.count = 2;
    s.size = sizeof two;
    memcpy(longer, good, at);
    memcpy(longer + at, &s, sizeof s);
    memcpy(longer + at + sizeof s, two, sizeof two);
    memcpy(longer + at + sizeof s + sizeof two, good + at + sizeof s, good_size - at - sizeof s);
    uint64_t size = good_size + sizeof two;
    memcpy(longer + size - sizeof size, &size, sizeof size);
    write_file(longer, size);
    free(longer);
}

START_TEST(pauses)
{
    char why[TRACE_WHY];
    write_pauses(100, 200, 150, 300);
    expect_why("damaged: a pause");
    write_pauses(100, 50, 150, 300);
    expect_why("damaged: a pause");
    write_pauses(100, UINT64_MAX, 0, 300);
    expect_why("damaged: a pause");
    write_pauses(0, 0, 0, UINT64_MAX);
    HK_EXPECT(open_it(why));
    write_pauses(100, 200, 200, UINT64_MAX - 1);
    HK_EXPECT(open_it(why));
    write_pauses(UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX);
    HK_EXPECT(open_it(why));
}
END_TEST

START_TEST(not_a_trace)
{
    write_file("hello", 5);
    expect_why("not a trace of Hocket");
    (void)unlink(file);
    expect_why(strerror(ENOENT));
    strcpy(file, "/tmp");
    expect_why(strerror(EISDIR));
}
END_TEST

/* A terabyte of holes, and something behind the end. */
START_TEST(huge)
{
    write_file(good, good_size);
    HK_EXPECT_EQ(truncate(file, (off_t)1 << 40), 0);
    expect_why("something follows its end");
    write_file(good, sizeof(struct hkt_header));
    HK_EXPECT_EQ(truncate(file, (off_t)1 << 40), 0);
    expect_why("damaged");
}
END_TEST

/* Bytes changed at random: whatever comes of it, it is read or refused. */
START_TEST(mutations)
{
    uint64_t state = 12345;
    char why[TRACE_WHY];
    size_t read = 0;
    unsigned char *copy = malloc(good_size);
    for (int i = 0; i < 3000; i++) {
        memcpy(copy, good, good_size);
        for (int j = 0; j <= i % 8; j++) {
            state = state * 6364136223846793005 + 1442695040888963407;
            size_t at = (size_t)(state >> 33) % good_size;
            static const unsigned char values[] = { 0, 1, 0x7f, 0x80, 0xff };
            copy[at] = state >> 20 & 1 ? (unsigned char)(state >> 24)
                                       : values[(state >> 24) % sizeof values];
        }
        write_file(copy, good_size);
        read += open_it(why);
    }
    HK_EXPECT(read > 0);
    free(copy);
}
END_TEST

PLAIN_SUITE("trace damage", 120)
{
    tcase_add_checked_fixture(suite__case, setup, teardown);
    suite_once(every_length);
    suite_once(headers);
    suite_once(pauses);
    suite_once(not_a_trace);
    suite_once(huge);
    suite_once(mutations);
}
