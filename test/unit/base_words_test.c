/* SPDX-License-Identifier: MIT */
/* base: error names, version, allocator, panic. */
#include "support/expect.h"
#include "support/plain_suite.h"

#include <errno.h>
#include <hocket/base.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/panic.h"

START_TEST(error_names)
{
    HK_EXPECT_STR(hocket_error_name(-EPIPE), "EPIPE");
    HK_EXPECT_STR(hocket_error_text(-EPIPE), "closed");
    HK_EXPECT_STR(hocket_error_name(-ETIMEDOUT), "ETIMEDOUT");
    HK_EXPECT_STR(hocket_error_name(0), "OK");
    HK_EXPECT_STR(hocket_error_text(0), "success");
    HK_EXPECT_STR(hocket_error_name(7), "?");
    HK_EXPECT_STR(hocket_error_name(-100000), "?");
    HK_EXPECT_STR(hocket_error_name(INT32_MIN), "?");
    HK_EXPECT_STR(hocket_error_text(INT32_MAX), "unknown error");
}
END_TEST

/* Nobody ever sees a NULL, and whatever has a name has a text of its own. */
START_TEST(error_table_is_whole)
{
    int named = 0;
    for (int e = 0; e > -200; e--) {
        HK_EXPECT(hocket_error_name(e) != NULL && hocket_error_text(e) != NULL);
        bool unknown = strcmp(hocket_error_name(e), "?") == 0;
        HK_EXPECT(unknown == (strcmp(hocket_error_text(e), "unknown error") == 0));
        named += !unknown;
    }
    HK_EXPECT(named > 80);
}
END_TEST

START_TEST(version)
{
    HK_EXPECT_STR(hocket_version(), HOCKET_VERSION_STRING);
    char numbers[32];
    snprintf(numbers, sizeof numbers, "%d.%d.%d", HOCKET_VERSION_MAJOR, HOCKET_VERSION_MINOR,
             HOCKET_VERSION_PATCH);
    HK_EXPECT_STR(numbers, HOCKET_VERSION_STRING);
}
END_TEST

/* Counts blocks, and fails once `left` reaches 0. */
struct counter {
    long live, calls, left;
};

static void *count_allocate(size_t size, void *context)
{
    struct counter *c = context;
    c->calls++;
    if (c->left-- == 0)
        return NULL;
    c->live++;
    return malloc(size);
}

static void *count_resize(void *memory, size_t size, void *context)
{
    struct counter *c = context;
    c->calls++;
    return c->left-- == 0 ? NULL : realloc(memory, size);
}

static void count_release(void *memory, void *context)
{
    ((struct counter *)context)->live--;
    free(memory);
}

/* A size of 0 is memory like any other: NULL says that there is none. */
static void nothing_is_something(void)
{
    volatile size_t zero = 0;
    void *p = hocket__alloc(zero), *z = hocket__calloc(zero, 8);
    HK_EXPECT(p != NULL && z != NULL && p != z);
    p = hocket__realloc(p, zero);
    HK_EXPECT(p != NULL);
    hocket__free(p);
    hocket__free(z);
}

START_TEST(no_bytes_at_all)
{
    nothing_is_something();
}
END_TEST

START_TEST(no_bytes_of_an_allocator)
{
    struct counter c = { 0, 0, -1 };
    hocket_allocator a = { count_allocate, count_resize, count_release, &c };
    HK_EXPECT_EQ(hocket_set_allocator(&a), 0);
    nothing_is_something();
    HK_EXPECT(c.calls == 3 && c.live == 0);
}
END_TEST

START_TEST(allocator_is_used_for_everything)
{
    struct counter c = { 0, 0, -1 };
    hocket_allocator a = { count_allocate, count_resize, count_release, &c };
    HK_EXPECT_EQ(hocket_set_allocator(&a), 0);
    char *p = hocket__alloc(0);
    HK_EXPECT(p != NULL && c.live == 1);
    p = hocket__realloc(p, 100);
    HK_EXPECT(p != NULL && c.live == 1 && c.calls == 2);
    char *z = hocket__calloc(10, 10);
    for (int i = 0; i < 100; i++)
        HK_EXPECT_EQ(z[i], 0);
    char *n = hocket__realloc(NULL, 8);
    HK_EXPECT_EQ(c.live, 3);
    volatile size_t huge = SIZE_MAX / 2; /* else the compiler warns of the very thing tested */
    HK_EXPECT(hocket__calloc(huge, 3) == NULL);
    hocket__free(p);
    hocket__free(z);
    hocket__free(n);
    hocket__free(NULL);
    HK_EXPECT_EQ(c.live, 0);
    c.left = 0;
    HK_EXPECT(hocket__alloc(1) == NULL);
    c.left = 0;
    HK_EXPECT(hocket__calloc(1, 1) == NULL);
}
END_TEST

START_TEST(allocator_is_fixed_by_first_use)
{
    HK_EXPECT_EQ(hocket_set_allocator(NULL), 0);
    hocket_allocator a = { NULL, NULL, NULL, NULL };
    HK_EXPECT_EQ(hocket_set_allocator(&a), 0); /* not used yet: may change again */
    void *p = hocket__alloc(1);
    HK_EXPECT(p != NULL);
    HK_EXPECT_EQ(hocket_set_allocator(&a), -EBUSY);
    HK_EXPECT_EQ(hocket_set_allocator(NULL), -EBUSY);
    hocket__free(p);
    HK_EXPECT_EQ(hocket_set_allocator(NULL), -EBUSY);
}
END_TEST

static bool who_is_it(char *buffer, size_t size)
{
    snprintf(buffer, size, "task robots, id %d", 7);
    return true;
}

/* What a child that panics leaves on its standard error. */
static void panic_output(char *text, size_t size, bool with_task, const char *word)
{
    int ends[2];
    HK_EXPECT_OK(pipe(ends));
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        hocket__panic_set_who(with_task ? who_is_it : NULL);
        hocket__panic("hocket_thing: %s %d", word, 3);
    }
    close(ends[1]);
    size_t length = 0;
    ssize_t n;
    while (length + 1 < size && (n = read(ends[0], text + length, size - 1 - length)) > 0)
        length += (size_t)n;
    text[length] = 0;
    close(ends[0]);
    char *emulator = strstr(text, "qemu: "); /* has its say about a death, too */
    if (emulator)
        *emulator = 0;
    int status;
    HK_EXPECT_EQ(waitpid(pid, &status, 0), pid);
    HK_EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

START_TEST(panic_is_one_line_and_abort)
{
    char text[1024];
    panic_output(text, sizeof text, false, "bad");
    HK_EXPECT_STR(text, "hocket: panic: hocket_thing: bad 3\n");
    panic_output(text, sizeof text, true, "bad");
    HK_EXPECT_STR(text, "hocket: panic: hocket_thing: bad 3 (task robots, id 7)\n");
}
END_TEST

START_TEST(panic_cuts_what_is_too_long)
{
    char word[2000], text[1024];
    memset(word, 'x', sizeof word - 1);
    word[sizeof word - 1] = 0;
    panic_output(text, sizeof text, true, word);
    HK_EXPECT(strlen(text) < 512);
    const char *end = "xxx (task robots, id 7)\n";
    HK_EXPECT_STR(text + strlen(text) - strlen(end), end);
}
END_TEST

PLAIN_SUITE("base_words", 0)
{
    suite_once(error_names);
    suite_once(error_table_is_whole);
    suite_once(version);
    suite_once(no_bytes_at_all);
    suite_once(no_bytes_of_an_allocator);
    suite_once(allocator_is_used_for_everything);
    suite_once(allocator_is_fixed_by_first_use);
    suite_once(panic_is_one_line_and_abort);
    suite_once(panic_cuts_what_is_too_long);
}
