/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_HOSTS_RECORD_H
#define TOOLS_HOSTS_RECORD_H
#include "common/hosts.h"

/* A host as it lies in the arena (at a multiple of 8) and in a run. */
struct hosts_record {
    uint64_t hits;
    uint32_t hash;
    uint32_t length;
    char bytes[];
};

static inline size_t hosts_record_size(size_t length)
{
    return (sizeof(struct hosts_record) + length + 7) & ~(size_t)7;
}

/* Byte by byte, a beginning before what it begins. */
int hosts_record_compare(const struct hosts_record *a, const struct hosts_record *b);

/* The n-th record in order; only when sorted. */
const struct hosts_record *hosts_sorted_at(const struct hosts *h, size_t n);
void hosts_sort(struct hosts *h);

/* hosts_runs.c: write the sorted arena as a run; merge all runs. */
int hosts_runs_write(struct hosts *h);
int hosts_runs_merge(struct hosts *h, hosts_each_fn *fn, void *arg);
void hosts_runs_destroy(struct hosts *h);

#endif
