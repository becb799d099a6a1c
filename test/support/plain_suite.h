/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TEST_PLAIN_SUITE_H
#define HOCKET_TEST_PLAIN_SUITE_H
/*
 * plain_suite - the main function of a test file that has no tasks: suite.h without its limit
 *
 *     PLAIN_SUITE("units", 4) {
 *         suite_once(durations);
 *         tcase_add_loop_test(suite__case, rates, 0, 3);
 *     }
 *
 * The number is the limit of one test in seconds; 0: that of Check.
 */
#include <check.h>
#include <stddef.h>
#include <stdlib.h>

#define suite_once(test) tcase_add_test(suite__case, test)

/* `before`, unless NULL, runs before each test, in its process. */
static inline int suite__run(const char *name, int seconds, void (*before)(void),
                             void (*fill)(TCase *))
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    if (seconds > 0)
        tcase_set_timeout(tcase, seconds);
    if (before != NULL)
        tcase_add_checked_fixture(tcase, before, NULL);
    fill(tcase);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#define PLAIN_SUITE(name, seconds)                             \
    static void suite__fill(TCase *suite__case);               \
    int main(void)                                             \
    {                                                          \
        return suite__run(name, (seconds), NULL, suite__fill); \
    }                                                          \
    static void suite__fill(TCase *suite__case)

#endif
