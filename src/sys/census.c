/* SPDX-License-Identifier: MIT */
/* census - see sys/census.h */
#include "sys/census.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/sanitizer.h"

/* The beginning of a file of /proc as a string.  False if there is none. */
static bool read_start(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    size_t used = 0;
    ssize_t n;
    while (used < size - 1 && (n = read(fd, text + used, size - 1 - used)) != 0) {
        if (n < 0 && errno != EINTR)
            break;
        used += n > 0 ? (size_t)n : 0;
    }
    (void)close(fd);
    text[used] = '\0';
    return used > 0;
}

#if HOCKET_TSAN

/*
 * TSan's own threads block every signal; the library's and a program's leave faults alone.
 */
static bool is_sanitizers(const char *id)
{
    char path[64], text[2048];
    (void)snprintf(path, sizeof path, "/proc/self/task/%.20s/status", id);
    if (!read_start(path, text, sizeof text))
        return false;
    const char *blocked = strstr(text, "SigBlk:");
    return blocked != NULL && (strtoull(blocked + 7, NULL, 16) >> (SIGSEGV - 1)) & 1;
}

static int count_threads(void)
{
    int n = 0;
    DIR *folder = opendir("/proc/self/task");
    if (folder == NULL)
        return -1;
    for (struct dirent *e; (e = readdir(folder)) != NULL;)
        n += e->d_name[0] != '.' && !is_sanitizers(e->d_name);
    (void)closedir(folder);
    return n;
}

#else

/* The 20th field of stat; the 2nd is a name that may hold anything, in parentheses. */
static int count_threads(void)
{
    char text[1024];
    if (!read_start("/proc/self/stat", text, sizeof text))
        return -1;
    const char *p = strrchr(text, ')');
    for (int field = 2; p != NULL && field < 20; field++)
        p = strchr(p + 1, ' ');
    long n = p != NULL ? strtol(p, NULL, 10) : 0;
    return n > 0 ? (int)n : -1;
}

#endif

/* Not inlined, and errno is as it was: callers may be on a fiber's stack. */
__attribute__((noinline)) int hocket__os_threads(void)
{
    int saved = errno;
    int n = count_threads();
    errno = saved;
    return n;
}

__attribute__((noinline)) bool hocket__foreign_handlers(void (*const *ours)(int), unsigned count)
{
    static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT };
    int saved = errno;
    bool found = false;
    for (int s = 1; s < NSIG && !found; s++) {
        struct sigaction action;
        bool fault = false;
        for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
            fault = fault || s == faults[i];
        if (fault || sigaction(s, NULL, &action) != 0)
            continue; /* the C library keeps some to itself */
        found = action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN;
        for (unsigned i = 0; i < count && found; i++)
            found = action.sa_handler != ours[i];
    }
    errno = saved;
    return found;
}
