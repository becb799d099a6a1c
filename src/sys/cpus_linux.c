/* SPDX-License-Identifier: MIT */
/*
 * cpus_linux - affinity mask and cgroup CPU quota
 *
 * /proc/self/cgroup says in which group the process is, one line a hierarchy:
 *     0::/a/b                  version 2
 *     4:cpu,cpuacct:/a/b       version 1, the hierarchy of controller cpu
 * /proc/self/mountinfo says where that hierarchy is mounted (field 5), and
 * which part of it (field 4), since a container often sees only its own part:
 *     31 23 0:28 /a /sys/fs/cgroup rw - cgroup2 cgroup2 rw
 * Every level from the group up to the mount may set a limit: cpu.max holds
 * "quota period" or "max period"; cpu.cfs_quota_us holds -1 for none.
 *
 * No allocation: a path or line that does not fit its buffer is no limit.
 */
#include "sys/cpus.h"
#include "sys/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, LINE_SIZE = 8192 };

int hocket__cpus_by_affinity(void)
{
    /* 64 K CPUs: the kernel refuses a mask shorter than its own. */
    unsigned long mask[8192 / sizeof(long)];
    long bytes = hocket__syscall4(SYS_sched_getaffinity, 0, sizeof mask, (long)mask, 0);
    int n = 0;

    for (long i = 0; i < bytes / (long)sizeof mask[0]; i++)
        n += __builtin_popcountl(mask[i]);
    return n > 0 ? n : 1;
}

/* Lines of a file, without stdio: this may run while threads can't allocate. */
struct reader {
    int fd;
    size_t begin, end;
    char buf[LINE_SIZE];
};

static bool reader_open(struct reader *r, const char *root, const char *path)
{
    char full[PATH_SIZE];
    int n = snprintf(full, sizeof full, "%s%s", root, path);

    r->begin = r->end = 0;
    if (n < 0 || n >= (int)sizeof full)
        return false;
    do {
        r->fd = (int)hocket__syscall4(SYS_openat, AT_FDCWD, (long)full, O_RDONLY | O_CLOEXEC, 0);
    } while (r->fd == -EINTR);
    return r->fd >= 0;
}

static void reader_close(struct reader *r)
{
    hocket__syscall4(SYS_close, r->fd, 0, 0, 0);
}

/* The next line without its end, valid until the next call; NULL at the end.
 * A line longer than the buffer comes in pieces, which match nothing. */
static char *reader_line(struct reader *r)
{
    for (;;) {
        char *line = r->buf + r->begin;
        char *nl = memchr(line, '\n', r->end - r->begin);
        if (nl != NULL) {
            *nl = '\0';
            r->begin = (size_t)(nl - r->buf) + 1;
            return line;
        }
        memmove(r->buf, line, r->end - r->begin);
        r->end -= r->begin;
        r->begin = 0;
        if (r->end == sizeof r->buf - 1)
            r->end = 0;
        long got = hocket__syscall4(SYS_read, r->fd, (long)(r->buf + r->end),
                                    (long)(sizeof r->buf - 1 - r->end), 0);
        if (got == -EINTR)
            continue;
        if (got <= 0) {
            if (r->end == 0)
                return NULL;
            r->buf[r->end] = '\0';
            r->end = 0;
            return r->buf;
        }
        r->end += (size_t)got;
    }
}

static int quota_to_cpus(long long quota, long long period)
{
    if (quota <= 0 || period <= 0)
        return 0;
    long long n = quota / period + (quota % period != 0);
    return n < INT32_MAX ? (int)n : INT32_MAX;
}

static bool first_line(const char *root, const char *dir, const char *file, struct reader *r,
                       char **ret)
{
    char path[PATH_SIZE];
    int n = snprintf(path, sizeof path, "%s/%s", dir, file);

    if (n < 0 || n >= (int)sizeof path || !reader_open(r, root, path))
        return false;
    *ret = reader_line(r);
    reader_close(r);
    return *ret != NULL;
}

/* The limit that one directory of a hierarchy sets; 0: none. */
static int quota_of_dir(const char *root, const char *dir, bool v2, struct reader *r)
{
    long long quota, period;
    char *line;

    if (v2) {
        if (!first_line(root, dir, "cpu.max", r, &line) ||
            sscanf(line, "%lld %lld", &quota, &period) != 2)
            return 0;
        return quota_to_cpus(quota, period);
    }
    if (!first_line(root, dir, "cpu.cfs_quota_us", r, &line) || sscanf(line, "%lld", &quota) != 1)
        return 0;
    if (!first_line(root, dir, "cpu.cfs_period_us", r, &line) || sscanf(line, "%lld", &period) != 1)
        return 0;
    return quota_to_cpus(quota, period);
}

static bool has_word(const char *list, const char *word)
{
    size_t size = strlen(word);

    for (const char *at = list; (at = strstr(at, word)) != NULL; at += size) {
        bool starts = at == list || at[-1] == ',';
        if (starts && (at[size] == '\0' || at[size] == ','))
            return true;
    }
    return false;
}

/* The path of the process in the hierarchy asked for. */
static bool find_group(const char *root, bool v2, struct reader *r, char ret[PATH_SIZE])
{
    bool found = false;
    char *line;

    if (!reader_open(r, root, "/proc/self/cgroup"))
        return false;
    while (!found && (line = reader_line(r)) != NULL) {
        char *list = strchr(line, ':');
        char *path = list != NULL ? strchr(list + 1, ':') : NULL;
        if (path == NULL)
            continue;
        *path++ = '\0';
        list++;
        if (v2 ? *list != '\0' || strncmp(line, "0:", 2) != 0 : !has_word(list, "cpu"))
            continue;
        if (strlen(path) < PATH_SIZE) {
            strcpy(ret, path);
            found = true;
        }
    }
    reader_close(r);
    return found;
}

/* Where that hierarchy is mounted, and which part of it. */
static bool find_mount(const char *root, bool v2, struct reader *r, char part[PATH_SIZE],
                       char point[PATH_SIZE])
{
    bool found = false;
    char *line;

    if (!reader_open(r, root, "/proc/self/mountinfo"))
        return false;
    while (!found && (line = reader_line(r)) != NULL) {
        char *tail = strstr(line, " - ");
        char type[32], options[512];
        if (tail == NULL || sscanf(tail, " - %31s %*s %511s", type, options) != 2)
            continue;
        if (v2 ? strcmp(type, "cgroup2") != 0
               : strcmp(type, "cgroup") != 0 || !has_word(options, "cpu"))
            continue;
        found = sscanf(line, "%*s %*s %*s %4095s %4095s", part, point) == 2;
    }
    reader_close(r);
    return found;
}

/* The least limit from the process's group up to the mount point. */
static int quota_of_hierarchy(const char *root, bool v2)
{
    char group[PATH_SIZE], part[PATH_SIZE], dir[PATH_SIZE];
    struct reader r;
    int least = 0;

    if (!find_group(root, v2, &r, group) || !find_mount(root, v2, &r, part, dir))
        return 0;

    /* Below the mount lies what follows `part` in the group's path.  A group
     * outside of the part (or "/..") can't be seen: the mount point is all. */
    size_t mount_size = strlen(dir), skip = strcmp(part, "/") == 0 ? 0 : strlen(part);
    if (strncmp(group, part, skip) == 0 && strncmp(group, "/..", 3) != 0 &&
        mount_size + strlen(group + skip) < PATH_SIZE)
        strcpy(dir + mount_size, group + skip);

    for (;;) {
        int n = quota_of_dir(root, dir, v2, &r);
        if (n > 0 && (least == 0 || n < least))
            least = n;
        char *slash = strrchr(dir, '/');
        if (slash == NULL || (size_t)(slash - dir) < mount_size)
            return least;
        *slash = '\0';
    }
}

int hocket__cpus_by_quota(const char *root)
{
    int v2 = quota_of_hierarchy(root, true);
    int v1 = quota_of_hierarchy(root, false);

    if (v1 == 0 || (v2 != 0 && v2 < v1))
        return v2;
    return v1;
}
