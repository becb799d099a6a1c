/* SPDX-License-Identifier: MIT */
/* tools: a signal is noted, handed on to the handler before, and ends the process by itself. */
#include "support/expect.h"
#include "support/plain_suite.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>

#include "common/interrupt.h"

static const int watched[] = { SIGINT, SIGTERM };
static volatile sig_atomic_t handed_on;

static void before(int number)
{
    handed_on = number;
}

START_TEST(ends_by_the_signal)
{
    int status;
    pid_t child = fork();
    HK_EXPECT(child >= 0);
    if (child == 0) {
        HK_EXPECT(signal(watched[_i], before) != SIG_ERR);
        interrupt_watch();
        interrupt_raise(); /* nothing has come */
        HK_EXPECT(!interrupt_pending());
        HK_EXPECT_EQ(raise(watched[_i]), 0);
        HK_EXPECT(interrupt_pending());
        HK_EXPECT_EQ(handed_on, watched[_i]);
        interrupt_raise();
        _exit(0);
    }
    HK_EXPECT_EQ(waitpid(child, &status, 0), child);
    HK_EXPECT(WIFSIGNALED(status));
    HK_EXPECT_EQ(WTERMSIG(status), watched[_i]);
}
END_TEST

START_TEST(ignored_stays_ignored)
{
    HK_EXPECT(signal(watched[_i], SIG_IGN) != SIG_ERR);
    interrupt_watch();
    HK_EXPECT_EQ(raise(watched[_i]), 0);
    HK_EXPECT(!interrupt_pending());
    HK_EXPECT(signal(watched[_i], SIG_DFL) == SIG_IGN);
}
END_TEST

PLAIN_SUITE("tools_interrupt", 0)
{
    tcase_add_loop_test(suite__case, ends_by_the_signal, 0, 2);
    tcase_add_loop_test(suite__case, ignored_stays_ignored, 0, 2);
}
