/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TEST_SUITE_H
#define HOCKET_TEST_SUITE_H
/*
 * suite - the main function of a test file, without the ten lines each
 *
 *     SUITE("join", 30) {
 *         suite_each(it_returns_the_result);   // once in every mode of support/run.h
 *         suite_once(there_is_no_runtime);
 *     }
 *
 * The number is the limit of one test in seconds, on a busy machine, without sanitizers.  A test
 * that comes near it writes a dump of its tasks first.
 */
#include <check.h>
#include <stdlib.h>

#include <hocket/dump.h>

#include "support/run.h"

#define suite_each(test) tcase_add_loop_test(suite__case, test, 0, RUN_MODES)
#define suite_once(test) tcase_add_test(suite__case, test)

#define SUITE(name, seconds)                                                                 \
    static void suite__fill(TCase *suite__case);                                             \
    static void suite__limit(void)                                                           \
    {                                                                                        \
        if (getenv("HOCKET_EMULATOR") == NULL) /* which has not all signals */               \
            HK_EXPECT_OK(hocket_test_timeout(run_scaled(1, 4) * (seconds)*900 * HOCKET_MS)); \
    }                                                                                        \
    int main(void)                                                                           \
    {                                                                                        \
        Suite *suite = suite_create(name);                                                   \
        TCase *suite__case = tcase_create(name);                                             \
        tcase_set_timeout(suite__case, run_scaled(1, 4) * (seconds));                        \
        tcase_add_checked_fixture(suite__case, suite__limit, NULL);                          \
        suite__fill(suite__case);                                                            \
        suite_add_tcase(suite, suite__case);                                                 \
        SRunner *runner = srunner_create(suite);                                             \
        srunner_run_all(runner, CK_NORMAL);                                                  \
        int failed = srunner_ntests_failed(runner);                                          \
        srunner_free(runner);                                                                \
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;                                    \
    }                                                                                        \
    static void suite__fill(TCase *suite__case)

#endif
