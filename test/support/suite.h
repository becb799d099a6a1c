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
#include <hocket/dump.h>

#include "support/plain_suite.h"
#include "support/run.h"

#define suite_each(test) tcase_add_loop_test(suite__case, test, 0, RUN_MODES)

#define SUITE(name, seconds)                                                                 \
    static void suite__fill(TCase *suite__case);                                             \
    static void suite__limit(void)                                                           \
    {                                                                                        \
        if (getenv("HOCKET_EMULATOR") == NULL) /* which has not all signals */               \
            HK_EXPECT_OK(hocket_test_timeout(run_scaled(1, 4) * (seconds)*900 * HOCKET_MS)); \
    }                                                                                        \
    int main(void)                                                                           \
    {                                                                                        \
        return suite__run(name, run_scaled(1, 4) * (seconds), suite__limit, suite__fill);    \
    }                                                                                        \
    static void suite__fill(TCase *suite__case)

#endif
