/* SPDX-License-Identifier: MIT */
/* sys: usable CPUs by affinity and by cgroup quota, the latter on made-up trees. */
#include "support/expect.h"
#include "support/plain_suite.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "sys/cpus.h"
#include "sys/sys.h"

static char root[64];

static void setup(void)
{
    snprintf(root, sizeof root, "/tmp/hocket-cpus-XXXXXX");
    HK_EXPECT(mkdtemp(root) != NULL);
}

static void teardown(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    HK_EXPECT_EQ(system(command), 0);
}

/* Write a file of the tree, with its folders. */
static void put(const char *path, const char *text)
{
    char full[512];
    int n = snprintf(full, sizeof full, "%s%s", root, path);

    HK_EXPECT(n > 0 && n < (int)sizeof full);
    for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        HK_EXPECT(mkdir(full, 0700) == 0 || errno == EEXIST);
        *slash = '/';
    }
    FILE *f = fopen(full, "w");
    HK_EXPECT(f != NULL);
    fputs(text, f);
    fclose(f);
}

static int quota(void)
{
    return hocket__cpus_by_quota(root);
}

START_TEST(affinity_counts)
{
    cpu_set_t all, one;
    int n = 0;

    HK_EXPECT_EQ(sched_getaffinity(0, sizeof all, &all), 0);
    HK_EXPECT_EQ(hocket__cpus_by_affinity(), CPU_COUNT(&all));
    while (!CPU_ISSET(n, &all))
        n++;
    CPU_ZERO(&one);
    CPU_SET(n, &one);
    HK_EXPECT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    HK_EXPECT_EQ(hocket__cpus_by_affinity(), 1);
    HK_EXPECT_EQ(hocket__cpu_count(), 1);
    HK_EXPECT_EQ(sched_setaffinity(0, sizeof all, &all), 0);
    HK_EXPECT(hocket__cpu_count() >= 1 && hocket__cpu_count() <= CPU_COUNT(&all));
}
END_TEST

START_TEST(nothing_to_read_is_no_limit)
{
    HK_EXPECT_EQ(quota(), 0);
    put("/proc/self/cgroup", "");
    put("/proc/self/mountinfo", "");
    HK_EXPECT_EQ(quota(), 0);
    put("/proc/self/cgroup", "garbage\n\n0::\n::::\n0::/a");
    put("/proc/self/mountinfo", "garbage - x\n - \n1 2 3 / /c - cgroup2 cgroup2\n");
    HK_EXPECT_EQ(quota(), 0);
}
END_TEST

#define MOUNT2 "31 23 0:28 / /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup2 rw\n"

START_TEST(version_2_takes_the_least_on_the_way_up)
{
    put("/proc/self/cgroup", "0::/a/b/c\n");
    put("/proc/self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/root rw\n" MOUNT2);
    HK_EXPECT_EQ(quota(), 0);
    put("/sys/fs/cgroup/a/b/c/cpu.max", "max 100000\n");
    HK_EXPECT_EQ(quota(), 0);
    put("/sys/fs/cgroup/a/cpu.max", "350000 100000\n");
    HK_EXPECT_EQ(quota(), 4);
    put("/sys/fs/cgroup/a/b/c/cpu.max", "800000 100000\n");
    HK_EXPECT_EQ(quota(), 4);
    put("/sys/fs/cgroup/a/b/cpu.max", "20000 100000\n");
    HK_EXPECT_EQ(quota(), 1);
    put("/sys/fs/cgroup/a/b/cpu.max", "-5 100000\n");
    put("/sys/fs/cgroup/a/cpu.max", "100000 0\n");
    HK_EXPECT_EQ(quota(), 8);
    put("/sys/fs/cgroup/cpu.max", "200000 100000");
    HK_EXPECT_EQ(quota(), 2);
}
END_TEST

START_TEST(version_2_in_a_container)
{
    /* With a namespace of its own the group is "/". */
    put("/proc/self/cgroup", "0::/\n");
    put("/proc/self/mountinfo", MOUNT2);
    put("/sys/fs/cgroup/cpu.max", "300000 100000\n");
    HK_EXPECT_EQ(quota(), 3);
    /* Without one, the mount shows only the part of the container. */
    put("/proc/self/cgroup", "0::/docker/123/sub\n");
    put("/proc/self/mountinfo", "31 23 0:28 /docker/123 /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    put("/sys/fs/cgroup/sub/cpu.max", "100000 100000\n");
    HK_EXPECT_EQ(quota(), 1);
    /* A group outside of what is mounted: the mount point counts. */
    put("/proc/self/cgroup", "0::/../elsewhere\n");
    HK_EXPECT_EQ(quota(), 3);
}
END_TEST

START_TEST(version_1)
{
    put("/proc/self/cgroup", "9:name=systemd:/\n5:cpuset:/x\n4:cpu,cpuacct:/a/b\n1:memory:/m\n");
    put("/proc/self/mountinfo",
        "30 23 0:27 / /cg/cpuset rw - cgroup cgroup rw,cpuset\n"
        "31 23 0:28 / /cg/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n");
    put("/cg/cpu/a/b/cpu.cfs_quota_us", "-1\n");
    put("/cg/cpu/a/b/cpu.cfs_period_us", "100000\n");
    HK_EXPECT_EQ(quota(), 0);
    put("/cg/cpu/a/cpu.cfs_quota_us", "250000\n");
    HK_EXPECT_EQ(quota(), 0); /* a quota without a period says nothing */
    put("/cg/cpu/a/cpu.cfs_period_us", "50000\n");
    HK_EXPECT_EQ(quota(), 5);
}
END_TEST

START_TEST(version_1_with_odd_files)
{
    /* Words that only begin or end like "cpu", and a hierarchy that is not there at all. */
    put("/proc/self/cgroup", "6:cpuset,cpuacct:/no\n5:xcpu:/no\n4:cpuacct,cpu:/a\n");
    HK_EXPECT_EQ(quota(), 0);
    put("/proc/self/mountinfo", "no dash here\n"
                                "29 23 0:26 / /no rw - cgroup cgroup rw,cpuset,xcpu,cpux\n"
                                "31 23 0:28 / /cg rw - cgroup cgroup rw,cpuacct,cpu\n");
    put("/no/cpu.cfs_quota_us", "100000\n");
    put("/no/cpu.cfs_period_us", "100000\n");
    put("/cg/cpu.cfs_quota_us", "max\n");
    put("/cg/cpu.cfs_period_us", "100000\n");
    put("/cg/a/cpu.cfs_quota_us", "300000\n");
    put("/cg/a/cpu.cfs_period_us", "none\n");
    HK_EXPECT_EQ(quota(), 0);
    put("/cg/a/cpu.cfs_period_us", "100000\n");
    HK_EXPECT_EQ(quota(), 3);
}
END_TEST

/* Paths that fit by themselves and not together. */
START_TEST(long_paths)
{
    char text[8000], *at = text;
    at += sprintf(at, "0::");
    for (int i = 0; i < 390; i++)
        at += sprintf(at, "/%09d", i);
    sprintf(at, "\n");
    put("/proc/self/cgroup", text);
    at = text;
    at += sprintf(at, "31 23 0:28 / ");
    for (int i = 0; i < 100; i++)
        at += sprintf(at, "/%09d", i);
    sprintf(at, " rw - cgroup2 cgroup2 rw\n");
    put("/proc/self/mountinfo", text);
    HK_EXPECT_EQ(quota(), 0);
    put("/proc/self/mountinfo", MOUNT2);
    put("/sys/fs/cgroup/cpu.max", "200000 100000\n");
    HK_EXPECT_EQ(quota(), 2); /* no file has such a name, but the levels above count */
}
END_TEST

START_TEST(both_versions_at_once)
{
    put("/proc/self/cgroup", "4:cpu:/\n0::/\n");
    put("/proc/self/mountinfo", "31 23 0:28 / /one rw - cgroup cgroup rw,cpu\n"
                                "32 23 0:29 / /two rw - cgroup2 cgroup2 rw\n");
    put("/two/cpu.max", "700000 100000\n");
    HK_EXPECT_EQ(quota(), 7);
    put("/one/cpu.cfs_quota_us", "600000\n");
    put("/one/cpu.cfs_period_us", "100000\n");
    HK_EXPECT_EQ(quota(), 6);
    put("/two/cpu.max", "500000 100000\n");
    HK_EXPECT_EQ(quota(), 5);
}
END_TEST

START_TEST(monstrous_files_do_no_harm)
{
    size_t size = 100000;
    char *text = malloc(size + 1);

    HK_EXPECT(text != NULL);
    memset(text, 'x', size);
    text[size] = '\0';
    memcpy(text, "0::/", 4);
    put("/proc/self/cgroup", text);
    put("/proc/self/mountinfo", MOUNT2);
    put("/sys/fs/cgroup/cpu.max", "200000 100000\n");
    HK_EXPECT(quota() == 0 || quota() == 2);
    put("/sys/fs/cgroup/cpu.max", text);
    HK_EXPECT_EQ(quota(), 0);
    put("/proc/self/mountinfo", text);
    HK_EXPECT_EQ(quota(), 0);
    put("/proc/self/cgroup", "0::/\n");
    put("/proc/self/mountinfo", MOUNT2);
    put("/sys/fs/cgroup/cpu.max", "9223372036854775807 1\n");
    HK_EXPECT_EQ(quota(), INT32_MAX);
    free(text);
}
END_TEST

PLAIN_SUITE("sys_cpus", 0)
{
    tcase_add_checked_fixture(suite__case, setup, teardown);
    suite_once(affinity_counts);
    suite_once(nothing_to_read_is_no_limit);
    suite_once(version_2_takes_the_least_on_the_way_up);
    suite_once(version_2_in_a_container);
    suite_once(version_1);
    suite_once(version_1_with_odd_files);
    suite_once(long_paths);
    suite_once(both_versions_at_once);
    suite_once(monstrous_files_do_no_harm);
}
