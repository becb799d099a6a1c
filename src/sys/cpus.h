/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_SYS_CPUS_H
#define HOCKET_SYS_CPUS_H
/*
 * cpus - how many CPUs the process may use
 *
 * Two limits that know nothing of each other: the affinity mask (which also
 * holds cpuset cgroups) and the CPU quota of the cgroups around the process.
 */

/* CPUs in the affinity mask of the calling thread; at least 1. */
int hocket__cpus_by_affinity(void);

/*
 * The CPU quota in whole CPUs, rounded up: the least along the way from the
 * process's cgroup to the root, in cgroup v2 and v1.  0: no limit is set or
 * none can be read.  `root` is put before every path, for tests; "" is real.
 */
int hocket__cpus_by_quota(const char *root);

#endif
