/* SPDX-License-Identifier: MIT */
/*
 * Select when the n-th allocation fails, for every n: it says so and has changed nothing, and it
 * works again.
 */
#include "support/suite.h"

#include <errno.h>

#include <hocket/select.h>

#include "support/inject.h"
#include "support/queues.h"

#define CASES  40 /* more than there is room for on the stack */
#define MINE   3
#define ROUNDS 3000

/* Until it succeeds; returns how often it did not. */
static unsigned select_against_all(hocket_case *cases, const hocket_queue *q)
{
    for (unsigned nth = 1;; nth++) {
        size_t before = hocket_queue_length(q);
        inject_fail(INJECT_ALLOC, nth, false);
        int rc = hocket_select(cases, CASES, HOCKET_FOREVER);
        bool happened = inject_off();
        HK_EXPECT_EQ(rc, happened ? -ENOMEM : MINE);
        HK_EXPECT_EQ(hocket_queue_length(q), before + (rc == MINE));
        if (rc == MINE)
            return nth - 1;
    }
}

START_TEST(many_cases_and_a_queue_that_grows)
{
    static const int orders[] = { HOCKET_FIFO, HOCKET_LIFO, HOCKET_PRIORITY };
    inject_install();
    for (size_t o = 0; o < sizeof orders / sizeof orders[0]; o++) {
        long before = inject_counts().blocks;
        hocket_queue *q = queue_make(sizeof(int), orders[o], HOCKET_UNBOUNDED);
        hocket_case cases[CASES];
        int value = 1;
        unsigned failures = 0;
        for (int i = 0; i < CASES; i++)
            cases[i] = hocket_case_none();
        cases[MINE] = hocket_case_put(q, &value);
        for (int i = 0; i < ROUNDS; i++)
            failures += select_against_all(cases, q);
        HK_EXPECT(failures >
                  ROUNDS); /* the room for the cases each time, and at times for values */
        cases[MINE] = hocket_case_get(q, &value);
        for (int i = 0; i < ROUNDS; i++) {
            HK_EXPECT_EQ(hocket_select(cases, CASES, HOCKET_FOREVER), MINE);
            HK_EXPECT_EQ(value, 1);
        }
        hocket_queue_free(q);
        HK_EXPECT_EQ(inject_counts().blocks, before);
    }
}
END_TEST

SUITE("select_faults", 30)
{
    suite_once(many_cases_and_a_queue_that_grows);
}
