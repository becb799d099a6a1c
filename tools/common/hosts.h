/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_HOSTS_H
#define TOOLS_HOSTS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * hosts - a set of byte strings with a count each, sorted at the end
 *
 * A hash table over one arena, both of bounded size.  When it is full the set
 * is sorted and written to a temporary file that has no name, as one run; at
 * the end the runs are merged.  So any number of hosts takes the same memory,
 * and a set that fits never touches a disk.
 *
 * One task at a time.
 */
struct hosts_limits {
    size_t arena;  /* bytes of hosts in memory, at least 2 * (HOSTS_LENGTH_MAX + 32) */
    size_t fan_in; /* runs merged at a time, at least 2; each takes HOSTS_CURSOR bytes */
};

enum {
    HOSTS_LENGTH_MAX = 65535,
    HOSTS_CURSOR = 72 << 10,
};

struct hosts_run; /* one sorted run in the temporary file */

struct hosts {
    struct hosts_limits limits;
    uint64_t seed; /* of the hash: strangers choose the hosts */
    char *arena;
    size_t used, room; /* of the arena */
    uint32_t *table;   /* offset in the arena / 8 + 1; 0 is empty */
    size_t slots;      /* a power of two */
    size_t count;      /* hosts in the arena */
    bool sorted;       /* `table` holds them in order and is no table any more */

    int file; /* the runs, or -1 */
    uint64_t file_end;
    struct hosts_run *runs;
    size_t run_count, run_room;
};

void hosts_init(struct hosts *h, const struct hosts_limits *limits);
void hosts_destroy(struct hosts *h);

/* No hosts any more; the memory is kept for the next ones. */
void hosts_clear(struct hosts *h);

/* Without room in the arena nothing is done: false. */
bool hosts_try_add(struct hosts *h, const char *host, size_t length, uint64_t hits);

/* As above, but makes room by writing a run.  0 or an errno value (ENOSPC, ENOMEM...). */
int hosts_add(struct hosts *h, const char *host, size_t length, uint64_t hits);

/* Add all of `from`, which has no runs. */
int hosts_add_all(struct hosts *h, const struct hosts *from);

/* One host and its hits; not 0 ends the round. */
typedef int hosts_each_fn(void *arg, const char *host, size_t length, uint64_t hits);

/*
 * Call `fn` for each host in the order of their bytes.  The last thing done
 * with the set but for destroy.  0, what `fn` returned, or an errno value.
 */
int hosts_each(struct hosts *h, hosts_each_fn *fn, void *arg);

#endif
