/* SPDX-License-Identifier: MIT */
/*
 * Finding a program's page, and reading it.  The page is somebody else's memory: it is read by pread, which can
 * neither stop its writer nor fault, and nothing in it is believed before it is checked.
 */
#include "top/top.h"

#include "common/message.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MARK  "/memfd:" LIVE_NAME
#define TRIES 200

enum { FOUND, NO_PROCESS, NO_RIGHT, NO_PAGE };

/* ---- which process ---- */

/* Its page, open, in *ret_fd. */
static int open_page(long pid, int *ret_fd)
{
    char path[300], link[64];
    snprintf(path, sizeof path, "/proc/%ld/fd", pid);
    DIR *folder = opendir(path);
    if (folder == NULL)
        return errno == ENOENT ? NO_PROCESS : NO_RIGHT;
    int found = NO_PAGE;
    for (struct dirent *e; found == NO_PAGE && (e = readdir(folder)) != NULL;) {
        snprintf(path, sizeof path, "/proc/%ld/fd/%s", pid, e->d_name);
        ssize_t n = readlink(path, link, sizeof link - 1);
        link[n > 0 ? n : 0] = '\0';
        if (strncmp(link, MARK, strlen(MARK)) != 0)
            continue;
        *ret_fd = open(path, O_RDONLY | O_CLOEXEC);
        found = *ret_fd >= 0 ? FOUND : NO_RIGHT;
    }
    (void)closedir(folder);
    return found;
}

static bool is_called(long pid, const char *name)
{
    char path[64], text[256];
    snprintf(path, sizeof path, "/proc/%ld/cmdline", pid);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return false;
    size_t n = fread(text, 1, sizeof text - 1, f);
    (void)fclose(f);
    text[n] = '\0';
    const char *slash = strrchr(text, '/');
    if (strcmp(slash != NULL ? slash + 1 : text, name) == 0)
        return true;
    snprintf(path, sizeof path, "/proc/%ld/comm", pid);
    f = fopen(path, "re");
    bool same = f != NULL && fgets(text, sizeof text, f) != NULL;
    if (f != NULL)
        (void)fclose(f);
    text[strcspn(text, "\n")] = '\0';
    return same && strcmp(text, name) == 0;
}

static int complain(const struct top *t, int why)
{
    struct stat s;
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld", t->pid);
    bool others = t->pid > 0 && stat(path, &s) == 0 && s.st_uid != geteuid();
    if (why == NO_PROCESS)
        message("top", t->name, "there is no such process");
    else if (why == NO_RIGHT && others)
        message("top", t->name, "it belongs to another user (uid %lu)", (unsigned long)s.st_uid);
    else if (why == NO_RIGHT)
        message("top", t->name, "it cannot be looked into (permissions?)");
    else
        message("top", t->name,
                "it has no live view: start it with HOCKET_LIVE=1, or call hocket_live_start");
    return 1;
}

static int open_by_name(struct top *t)
{
    int result = NO_PROCESS, found = 0;
    char others[100] = "";
    DIR *folder = opendir("/proc");
    if (folder == NULL)
        return complain(t, NO_PROCESS);
    for (struct dirent *e; (e = readdir(folder)) != NULL;) {
        int fd;
        long pid = strtol(e->d_name, NULL, 10);
        if (pid <= 0 || pid == getpid() || !is_called(pid, t->name))
            continue;
        int now = open_page(pid, &fd);
        if (now != FOUND) {
            result = result == NO_PROCESS || now == NO_RIGHT ? now : result;
            t->pid = found > 0 ? t->pid : pid;
            continue;
        }
        size_t used = strlen(others);
        snprintf(others + used, sizeof others - used, " %ld", pid);
        if (found++ > 0) {
            (void)close(fd);
            continue;
        }
        t->pid = pid;
        t->fd = fd;
    }
    (void)closedir(folder);
    if (found == 1)
        return 0;
    if (found == 0)
        return complain(t, result);
    (void)close(t->fd);
    message("top", t->name, "there are several: say which of%s", others);
    return 1;
}

int top_open(struct top *t)
{
    char *end;
    errno = 0;
    t->pid = strtol(t->name, &end, 10);
    if (*end != '\0' || end == t->name || errno != 0 || t->pid <= 0) {
        t->pid = 0;
        return open_by_name(t);
    }
    int result = open_page(t->pid, &t->fd);
    return result == FOUND ? 0 : complain(t, result);
}

void top_close(struct top *t)
{
    (void)close(t->fd);
}

bool top_alive(const struct top *t)
{
    char path[64], line[256], state = 'X';
    snprintf(path, sizeof path, "/proc/%ld/stat", t->pid);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return false;
    if (fgets(line, sizeof line, f) != NULL && strrchr(line, ')') != NULL)
        (void)sscanf(strrchr(line, ')'), ") %c", &state);
    (void)fclose(f);
    return state != 'Z' && state != 'X';
}

/* ---- reading ---- */

static bool read_at(int fd, void *to, size_t size, off_t at)
{
    ssize_t n;
    do
        n = pread(fd, to, size, at);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)size;
}

/* No control characters, and an end. */
static void clean(char text[LIVE_TEXT])
{
    text[LIVE_TEXT - 1] = '\0';
    for (char *p = text; *p != '\0'; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = '?';
}

static void check(struct live_page *p)
{
    p->workers_shown = p->workers_shown < LIVE_WORKERS ? p->workers_shown : LIVE_WORKERS;
    p->waits_shown = p->waits_shown < LIVE_LINES ? p->waits_shown : LIVE_LINES;
    p->waiters_shown = p->waiters_shown < LIVE_LINES ? p->waiters_shown : LIVE_LINES;
    p->queues_shown = p->queues_shown < LIVE_LINES ? p->queues_shown : LIVE_LINES;
    for (int i = 0; i < LIVE_WORKERS; i++) {
        clean(p->worker[i].task);
        if (p->worker[i].load > 1000)
            p->worker[i].load = 1000;
    }
    for (int i = 0; i < LIVE_LINES; i++) {
        clean(p->wait[i].kind);
        clean(p->wait[i].task);
        clean(p->wait[i].holder);
        clean(p->waiter[i].name);
        clean(p->waiter[i].kind);
        clean(p->queue[i].kind);
        clean(p->queue[i].task);
    }
}

static int wrong(const struct top *t, const char *why)
{
    if (!top_alive(t))
        return TOP_ENDED;
    message("top", t->name, "%s", why);
    return TOP_WRONG;
}

int top_read(const struct top *t, struct live_page *ret)
{
    const struct timespec moment = { 0, 1000000 };
    uint32_t seq;
    const off_t at = offsetof(struct live_page, seq);
    for (int i = 0; i < TRIES; i++) {
        if (i > 0)
            (void)nanosleep(&moment, NULL);
        if (!read_at(t->fd, ret, offsetof(struct live_page, written), 0))
            return wrong(t, "its live view is truncated");
        if (ret->seq == 0 || (ret->seq & 1) != 0)
            continue; /* not written yet, or being written */
        if (ret->magic != LIVE_MAGIC)
            return wrong(t, "its live view is damaged");
        if (ret->version != LIVE_VERSION || ret->size != sizeof *ret)
            return wrong(t, "its Hocket is of another version than this program");
        if (ret->pid != (uint32_t)t->pid)
            return wrong(t, "its live view is that of the process it was forked from");
        uint32_t before = ret->seq;
        if (!read_at(t->fd, ret, sizeof *ret, 0) || !read_at(t->fd, &seq, sizeof seq, at))
            return wrong(t, "its live view is truncated");
        if (ret->seq == before && seq == before) {
            check(ret);
            return TOP_READ;
        }
    }
    return wrong(t, "its live view is not written to the end (is it stopped?)");
}
