/* SPDX-License-Identifier: MIT */
/* live: without a page or a thread there is no view, nothing is left behind, and a later start works. */
#include "support/suite.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <hocket/live.h>

#include "support/inject.h"
#include "support/process.h"
#include "support/refuse.h"

/*
 * Twice, and no descriptor is left.
 * gets: hocket_live_start -EMFILE -ENFILE -ENOMEM -ENOSYS
 */
static void start_says(int error)
{
    int before = process_descriptors();
    HK_EXPECT_EQ(hocket_live_start(), error);
    HK_EXPECT_EQ(hocket_live_start(), error);
    hocket_live_stop(); /* there is nothing to stop */
    HK_EXPECT_EQ(process_descriptors(), before);
}

static void refused_says(bool possible, int error)
{
    if (possible)
        start_says(error);
    else
        fprintf(stderr, "no seccomp here: not tested\n");
}

START_TEST(no_descriptor)
{
    struct rlimit limit, none;
    HK_EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){ 0, limit.rlim_max };
    HK_EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    HK_EXPECT_EQ(hocket_live_start(), -EMFILE);
    HK_EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    HK_EXPECT_EQ(hocket_live_start(), 0);
    hocket_live_stop();
}
END_TEST

START_TEST(no_descriptor_in_all_the_system)
{
    refused_says(refuse(SYS_memfd_create, ENFILE), -ENFILE);
}
END_TEST

START_TEST(an_older_kernel)
{
    refused_says(refuse(SYS_memfd_create, ENOSYS), -ENOSYS);
}
END_TEST

START_TEST(no_room_in_the_page)
{
    refused_says(refuse(SYS_ftruncate, ENOSPC), -ENOMEM);
}
END_TEST

START_TEST(no_mapping)
{
    refused_says(refuse_with(SYS_mmap, 3, MAP_SHARED, ENOMEM), -ENOMEM);
}
END_TEST

START_TEST(no_thread)
{
    inject_install();
    int before = process_descriptors();
    for (int i = 0; i < 2; i++) {
        inject_fail(INJECT_THREAD, 1, false);
        HK_EXPECT_EQ(hocket_live_start(), -EAGAIN);
        HK_EXPECT(inject_off());
        HK_EXPECT_EQ(process_descriptors(), before);
    }
    HK_EXPECT_EQ(hocket_live_start(), 0);
    hocket_live_stop();
    HK_EXPECT_EQ(process_descriptors(), before);
    HK_EXPECT_EQ(inject_counts().threads, 0);
}
END_TEST

SUITE("trace_live", 20)
{
    suite_once(no_descriptor);
    suite_once(no_descriptor_in_all_the_system);
    suite_once(an_older_kernel);
    suite_once(no_room_in_the_page);
    suite_once(no_mapping);
    suite_once(no_thread);
}
