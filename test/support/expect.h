/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TEST_EXPECT_H
#define HOCKET_TEST_EXPECT_H
/*
 * expect - assertions that are safe on any stack and thread
 *
 * Check's own assertions longjmp or exit from the test's thread.  These print
 * one line on standard error and abort, which ends the forked child that runs
 * the test; so they work in fibers, in threads and after a fork, in C and C++.
 *
 *     HK_EXPECT(x > 0);            prints the expression
 *     HK_EXPECT_EQ(a, b);          integers or pointers; prints both values
 *     HK_EXPECT_OK(call());        an int >= 0; prints the error's name
 *     HK_EXPECT_STR(a, b);         strings
 *     HK_SKIP("why");              ends the whole program with status 77
 *     HK_WAIT_UNTIL(cond);         yields until true; aborts after a minute
 *
 * Values are formatted into a buffer and written by one write(2): no stdio
 * lock is involved, so a failing fiber never deadlocks while printing.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef __cplusplus
#define HK__EXPECT_NORETURN [[noreturn]]
#else
#define HK__EXPECT_NORETURN _Noreturn
#endif

static inline void hk__expect_print(const char *line, int size, int max)
{
    if (size >= max)
        size = max - 1;
    if (size > 0 && write(2, line, (size_t)size) < 0)
        abort();
}

HK__EXPECT_NORETURN static inline void hk__expect_failed(const char *file, int line,
                                                         const char *what)
{
    char buf[512];
    int n = snprintf(buf, sizeof buf, "%s:%d: expected: %s\n", file, line, what);
    hk__expect_print(buf, n, (int)sizeof buf);
    abort();
}

static inline void hk__expect_eq(const char *file, int line, const char *what, long long a,
                                 long long b)
{
    if (a == b)
        return;
    char buf[512];
    int n = snprintf(buf, sizeof buf, "%s:%d: expected: %s; %lld (0x%llx) and %lld (0x%llx)\n",
                     file, line, what, a, (unsigned long long)a, b, (unsigned long long)b);
    hk__expect_print(buf, n, (int)sizeof buf);
    abort();
}

static inline void hk__expect_ok(const char *file, int line, const char *what, long long rc)
{
    if (rc >= 0)
        return;
    char buf[512];
    int n = snprintf(buf, sizeof buf, "%s:%d: expected success: %s; %lld (%s)\n", file, line, what,
                     rc, strerror((int)-rc));
    hk__expect_print(buf, n, (int)sizeof buf);
    abort();
}

static inline void hk__expect_str(const char *file, int line, const char *what, const char *a,
                                  const char *b)
{
    if (a == b || (a != NULL && b != NULL && strcmp(a, b) == 0))
        return;
    char buf[1024];
    int n = snprintf(buf, sizeof buf, "%s:%d: expected: %s; \"%s\" and \"%s\"\n", file, line, what,
                     a ? a : "(null)", b ? b : "(null)");
    hk__expect_print(buf, n, (int)sizeof buf);
    abort();
}

static inline double hk__expect_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* One turn of a wait; `start` is 0 at the first. */
static inline void hk__expect_turn(const char *file, int line, const char *what, double *start)
{
    double now = hk__expect_seconds();
    if (*start == 0)
        *start = now;
    if (now - *start > 60)
        hk__expect_failed(file, line, what);
    sched_yield();
}

#define HK_EXPECT(cond) ((cond) ? (void)0 : hk__expect_failed(__FILE__, __LINE__, #cond))
#define HK_EXPECT_EQ(a, b) \
    hk__expect_eq(__FILE__, __LINE__, #a " == " #b, (long long)(a), (long long)(b))
#define HK_EXPECT_OK(expr)  hk__expect_ok(__FILE__, __LINE__, #expr, (expr))
#define HK_EXPECT_STR(a, b) hk__expect_str(__FILE__, __LINE__, #a " == " #b, (a), (b))

/* Polls with sched_yield of the thread: for conditions that other threads bring
 * about.  In a fiber of a single worker, loop over hocket_yield instead. */
#define HK_WAIT_UNTIL(cond)                                        \
    do {                                                           \
        double hk_start = 0;                                       \
        while (!(cond))                                            \
            hk__expect_turn(__FILE__, __LINE__, #cond, &hk_start); \
    } while (0)

/* Call it in main, before the runner: status 77 means skipped to ctest. */
#define HK_SKIP(why)                             \
    do {                                         \
        fprintf(stderr, "skipped: %s\n", (why)); \
        exit(77);                                \
    } while (0)

#endif
