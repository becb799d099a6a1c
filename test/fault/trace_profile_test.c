/* SPDX-License-Identifier: MIT */
/* the wait profile: where a report finds no memory it says so, and what was counted stays. */
#include "support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <hocket/profile.h>
#include <hocket/time.h>

#include "support/inject.h"

/* gets: hocket_profile_list -ENOMEM, hocket_profile_print -ENOMEM, hocket_profile_folded -ENOMEM */
static int list(int by)
{
    hocket_profile_entry e[8];
    ptrdiff_t n = hocket_profile_list(by, e, 8);
    if (n < 0)
        return (int)n;
    HK_EXPECT_EQ(n, by == HOCKET_PROFILE_PLACES ? 1 : 0); /* a sleep is of no object */
    return 0;
}

/* Each of its allocations fails once; how many there are. */
static unsigned says(int (*report)(int arg), int arg)
{
    struct inject_counts before = inject_counts();
    for (unsigned nth = 1;; nth++) {
        inject_fail(INJECT_ALLOC, nth, false);
        int err = report(arg);
        bool failed = inject_off();
        HK_EXPECT_EQ(err, failed ? -ENOMEM : 0);
        HK_EXPECT_EQ(inject_counts().blocks, before.blocks);
        if (!failed)
            return nth - 1;
    }
}

START_TEST(no_memory)
{
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    HK_EXPECT(fd >= 0);
    inject_install();
    hocket_profile_start();
    HK_EXPECT_OK(hocket_sleep(HOCKET_MS));
    hocket_profile_stop();
    HK_EXPECT_EQ(says(list, HOCKET_PROFILE_PLACES), 1);
    HK_EXPECT_EQ(says(list, HOCKET_PROFILE_OBJECTS), 1);
    HK_EXPECT_EQ(says(hocket_profile_print, fd), 3); /* what it writes to, and two tables */
    HK_EXPECT_EQ(says(hocket_profile_folded, fd), 2);
    HK_EXPECT_EQ(close(fd), 0);
}
END_TEST

SUITE("trace_profile_memory", 20)
{
    suite_once(no_memory);
}
