/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_STANDIN_CHECK_H
#define HOCKET_STANDIN_CHECK_H

/*
 * A stand-in for Check (https://libcheck.github.io/check/) where a machine has none for the
 * target: musl and cross builds.  Only what our tests use, always in fork mode: each test runs in
 * a child, so an assertion may end it from any thread or fiber.
 */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef struct Suite Suite;
typedef struct TCase TCase;
typedef struct SRunner SRunner;
typedef void (*TFun)(int);
typedef void (*SFun)(void);

typedef struct TTest {
    const char *name;
    TFun fn;
    const char *file;
    int line;
} TTest;

enum print_output { CK_SILENT, CK_MINIMAL, CK_NORMAL, CK_VERBOSE, CK_ENV };
enum fork_status { CK_FORK_GETENV, CK_FORK, CK_NOFORK };

#define START_TEST(id)                                                    \
    static void id##_fn(int _i);                                          \
    static const TTest id##_ttest = { #id, id##_fn, __FILE__, __LINE__ }; \
    static const TTest *const id = &id##_ttest;                           \
    static void id##_fn(int _i __attribute__((unused)))
#define END_TEST

Suite *suite_create(const char *name);
TCase *tcase_create(const char *name);
void suite_add_tcase(Suite *suite, TCase *tcase);
void tcase_add_ranged(TCase *tcase, const TTest *test, int signal, int exit, int from, int to);
void tcase_add_checked_fixture(TCase *tcase, SFun setup, SFun teardown);
void tcase_add_unchecked_fixture(TCase *tcase, SFun setup, SFun teardown);
void tcase_set_timeout(TCase *tcase, double seconds);

#define tcase_add_test(tc, t)                                tcase_add_ranged(tc, t, 0, 0, 0, 1)
#define tcase_add_loop_test(tc, t, from, to)                 tcase_add_ranged(tc, t, 0, 0, from, to)
#define tcase_add_test_raise_signal(tc, t, s)                tcase_add_ranged(tc, t, s, 0, 0, 1)
#define tcase_add_exit_test(tc, t, e)                        tcase_add_ranged(tc, t, 0, e, 0, 1)
#define tcase_add_loop_exit_test(tc, t, e, from, to)         tcase_add_ranged(tc, t, 0, e, from, to)
#define tcase_add_loop_test_raise_signal(tc, t, s, from, to) tcase_add_ranged(tc, t, s, 0, from, to)

SRunner *srunner_create(Suite *suite);
void srunner_add_suite(SRunner *runner, Suite *suite);
void srunner_set_fork_status(SRunner *runner, enum fork_status status);
void srunner_run_all(SRunner *runner, enum print_output mode);
int srunner_ntests_run(SRunner *runner);
int srunner_ntests_failed(SRunner *runner);
void srunner_free(SRunner *runner);

void standin_fail(const char *file, int line, const char *format, ...)
    __attribute__((noreturn, format(printf, 3, 4)));

#define ck_abort()            standin_fail(__FILE__, __LINE__, "%s", "aborted")
#define ck_abort_msg(...)     standin_fail(__FILE__, __LINE__, __VA_ARGS__)
#define ck_assert_msg(e, ...) ((e) ? (void)0 : standin_fail(__FILE__, __LINE__, __VA_ARGS__))
#define ck_assert(e)          ck_assert_msg((e), "'%s' failed", #e)

#define STANDIN_COMPARE(type, format, a, op, b)                                                    \
    do {                                                                                           \
        type x_ = (a);                                                                             \
        type y_ = (b);                                                                             \
        ck_assert_msg(x_ op y_, "'%s' failed: %s == " format ", %s == " format, #a " " #op " " #b, \
                      #a, x_, #b, y_);                                                             \
    } while (0)
#define STANDIN_INT(a, op, b)  STANDIN_COMPARE(intmax_t, "%jd", a, op, b)
#define STANDIN_UINT(a, op, b) STANDIN_COMPARE(uintmax_t, "%ju", a, op, b)
#define STANDIN_PTR(a, op, b)  STANDIN_COMPARE(const void *, "%p", a, op, b)
#define STANDIN_DBL(a, op, b)  STANDIN_COMPARE(double, "%g", a, op, b)
#define STANDIN_STR(a, op, b)                                                       \
    do {                                                                            \
        const char *x_ = (a), *y_ = (b);                                            \
        ck_assert_msg(x_ &&y_ &&strcmp(x_, y_) op 0, "'%s' failed: \"%s\", \"%s\"", \
                      #a " " #op " " #b, x_ ? x_ : "(null)", y_ ? y_ : "(null)");   \
    } while (0)

#define ck_assert_int_eq(a, b)    STANDIN_INT(a, ==, b)
#define ck_assert_int_ne(a, b)    STANDIN_INT(a, !=, b)
#define ck_assert_int_lt(a, b)    STANDIN_INT(a, <, b)
#define ck_assert_int_le(a, b)    STANDIN_INT(a, <=, b)
#define ck_assert_int_gt(a, b)    STANDIN_INT(a, >, b)
#define ck_assert_int_ge(a, b)    STANDIN_INT(a, >=, b)
#define ck_assert_uint_eq(a, b)   STANDIN_UINT(a, ==, b)
#define ck_assert_uint_ne(a, b)   STANDIN_UINT(a, !=, b)
#define ck_assert_uint_lt(a, b)   STANDIN_UINT(a, <, b)
#define ck_assert_uint_le(a, b)   STANDIN_UINT(a, <=, b)
#define ck_assert_uint_gt(a, b)   STANDIN_UINT(a, >, b)
#define ck_assert_uint_ge(a, b)   STANDIN_UINT(a, >=, b)
#define ck_assert_ptr_eq(a, b)    STANDIN_PTR(a, ==, b)
#define ck_assert_ptr_ne(a, b)    STANDIN_PTR(a, !=, b)
#define ck_assert_ptr_null(a)     STANDIN_PTR(a, ==, NULL)
#define ck_assert_ptr_nonnull(a)  STANDIN_PTR(a, !=, NULL)
#define ck_assert_double_eq(a, b) STANDIN_DBL(a, ==, b)
#define ck_assert_double_lt(a, b) STANDIN_DBL(a, <, b)
#define ck_assert_double_le(a, b) STANDIN_DBL(a, <=, b)
#define ck_assert_double_gt(a, b) STANDIN_DBL(a, >, b)
#define ck_assert_double_ge(a, b) STANDIN_DBL(a, >=, b)
#define ck_assert_double_eq_tol(a, b, t) \
    ck_assert_msg((a) - (b) <= (t) && (b) - (a) <= (t), "'%s' failed", #a " == " #b)
#define ck_assert_str_eq(a, b)    STANDIN_STR(a, ==, b)
#define ck_assert_str_ne(a, b)    STANDIN_STR(a, !=, b)
#define ck_assert_str_lt(a, b)    STANDIN_STR(a, <, b)
#define ck_assert_str_gt(a, b)    STANDIN_STR(a, >, b)
#define ck_assert_mem_eq(a, b, n) ck_assert_msg(memcmp(a, b, n) == 0, "'%s' failed", #a " == " #b)
#define ck_assert_mem_ne(a, b, n) ck_assert_msg(memcmp(a, b, n) != 0, "'%s' failed", #a " != " #b)

#endif
