/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TEST_PROCESS_H
#define HOCKET_TEST_PROCESS_H
/*
 * process - what this process holds: threads, descriptors, mappings
 */
#include "support/expect.h"
#include "sys/sanitizer.h"

#include <dirent.h>
#include <pthread.h>
#include <stdbool.h>

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
static void *process__nothing(void *arg)
{
    return arg;
}
#endif

static inline int process_threads(void)
{
#if HOCKET_TSAN
    /* Its runtime makes a thread for itself with the first of ours. */
    static bool made;
    pthread_t first;
    if (!made && process__entries("/proc/self/task") == 1) {
        HK_EXPECT(pthread_create(&first, NULL, process__nothing, NULL) == 0);
        pthread_join(first, NULL);
        HK_WAIT_UNTIL(process__entries("/proc/self/task") <= 2);
    }
    made = true;
#endif
    return process__entries("/proc/self/task");
}

/* Without the one that counting needs. */
static inline int process_descriptors(void)
{
    return process__entries("/proc/self/fd") - 1;
}

/* A thread that was joined may be seen for a moment. */
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
