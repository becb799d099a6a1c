/* SPDX-License-Identifier: MIT */
#include "sys/mark.h"

#include "sys/kernel.h"

#include <fcntl.h>
#include <linux/memfd.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096

void *hocket__mark_set(const char *name)
{
    long fd = hocket__syscall4(SYS_memfd_create, (long)name, MFD_CLOEXEC, 0, 0);
    if (fd < 0)
        return NULL;
    long at = hocket__syscall6(SYS_mmap, 0, PAGE, PROT_NONE, MAP_SHARED, fd, 0);
    (void)hocket__syscall4(SYS_close, fd, 0, 0, 0);
    return at < 0 && at > -4096 ? NULL : (void *)at;
}

void hocket__mark_clear(void *mark)
{
    if (mark != NULL)
        (void)hocket__syscall4(SYS_munmap, (long)mark, PAGE, 0, 0);
}

static char *put_number(char *at, unsigned n)
{
    char digits[12];
    unsigned count = 0;
    do
        digits[count++] = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

static char *put_text(char *at, const char *text)
{
    while (*text != '\0')
        *at++ = *text++;
    return at;
}

int hocket__open_of(int pid, int fd)
{
    char path[48], *at = put_text(path, "/proc/");
    at = put_text(put_number(at, (unsigned)pid), "/fd/");
    *put_number(at, (unsigned)fd) = '\0';
    return (int)hocket__syscall4(SYS_openat, AT_FDCWD, (long)path,
                                 O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
}

void hocket__close(int fd)
{
    (void)hocket__syscall4(SYS_close, fd, 0, 0, 0);
}

bool hocket__rights_differ(void)
{
    return getauxval(AT_SECURE) != 0 || getuid() != geteuid() || getgid() != getegid();
}
