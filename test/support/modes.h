/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TEST_MODES_H
#define HOCKET_TEST_MODES_H
/*
 * modes - run the same test body on threads, on fibers, and mixed
 *
 *     static int body(int index, void *arg) { ... HK_EXPECT(...); return 0; }
 *
 *     START_TEST(exclusion)
 *     {
 *         struct shared s = { 0 };
 *         mode_run(_i, 4, body, &s);       // four tasks at once, all ended
 *         ck_assert_int_eq(s.count, 4000);
 *     }
 *     END_TEST
 *     MODE_TESTS(tc, exclusion);           // once in each mode
 *
 *   MODE_THREADS   threads that Hocket did not start, no runtime at all
 *   MODE_FIBERS_1  fibers of one worker
 *   MODE_FIBERS_4  fibers of four workers
 *   MODE_MIXED     fibers of two workers, foreign threads and HOCKET_ON_THREAD in turn
 */
#include <check.h>
#include <hocket/task.h>
#include <hocket/time.h>

#include "expect.h"

enum mode { MODE_THREADS, MODE_FIBERS_1, MODE_FIBERS_4, MODE_MIXED, MODE_COUNT };

typedef int mode_body(int index, void *arg);

const char *mode_name(int mode);

/*
 * body(0, arg) ... body(n - 1, arg) as n tasks at once; returns when all have ended.  Each must
 * return 0.  MODE_FIBERS_*: inside one hocket_run.
 */
void mode_run(int mode, int n, mode_body *body, void *arg);

/* The n tasks of the running mode_run, valid while their bodies run; set before any body starts. */
hocket_task *mode_task(int index);

/* Let others run, also when the calling task is cancelled. */
void mode_yield(void);

/* Yields until cond is true; aborts after a minute.  For bodies in every mode. */
#define MODE_WAIT_UNTIL(cond)                                      \
    do {                                                           \
        double hk_start = 0;                                       \
        while (!(cond)) {                                          \
            mode_yield();                                          \
            hk__expect_turn(__FILE__, __LINE__, #cond, &hk_start); \
        }                                                          \
    } while (0)

/* Is the task of this index parked, in a wait? */
bool mode_parked(int index);

#define MODE_TESTS(tcase, test) tcase_add_loop_test((tcase), (test), 0, MODE_COUNT)

/* The main function of a test program with one suite. */
int mode_main(const char *name, void (*add)(TCase *tc));

#endif
