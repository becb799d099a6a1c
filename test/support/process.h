/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TEST_PROCESS_H
#define HOCKET_TEST_PROCESS_H
/*
 * process - what this process holds: threads, descriptors, mappings
 */
#include "support/expect.h"
#include "sys/sanitizer.h"

#include <dirent.h>

static inline int process__entries(const char *folder)
{
    int n = 0;
    DIR *d = opendir(folder);
    HK_EXPECT(d != NULL);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

#if HOCKET_TSAN
/* TSan has one or two threads of its own, which come when they like: count those of the library. */
static inline int process_threads(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/task");
    HK_EXPECT(d != NULL);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char path[300], name[16] = "";
        snprintf(path, sizeof path, "/proc/self/task/%s/comm", e->d_name);
        FILE *f = fopen(path, "r");
        if (f == NULL)
            continue; /* it has ended meanwhile */
        if (fgets(name, sizeof name, f) != NULL)
            n += strncmp(name, "hocket-", 7) == 0 || strncmp(name, "task-", 5) == 0;
        fclose(f);
    }
    closedir(d);
    return n;
}
#else
static inline int process_threads(void)
{
    return process__entries("/proc/self/task");
}
#endif

/* Without the one that counting needs. */
static inline int process_descriptors(void)
{
    return process__entries("/proc/self/fd") - 1;
}

/* A thread that was joined may be seen for a moment, and one that was made not yet by its name. */
static inline void process_threads_become(int n)
{
    HK_WAIT_UNTIL(process_threads() == n);
}

/* Size of the address space and resident part, in KiB. */
static inline void process_memory(long *ret_virtual, long *ret_resident)
{
    FILE *f = fopen("/proc/self/statm", "r");
    long pages[2];
    HK_EXPECT(f != NULL && fscanf(f, "%ld %ld", &pages[0], &pages[1]) == 2);
    fclose(f);
    *ret_virtual = pages[0] * (sysconf(_SC_PAGESIZE) / 1024);
    *ret_resident = pages[1] * (sysconf(_SC_PAGESIZE) / 1024);
}

#endif
