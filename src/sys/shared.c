/* SPDX-License-Identifier: MIT */
/* shared - see sys/shared.h */
#include "sys/shared.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int map(struct hocket__shared *s)
{
    if (ftruncate(s->fd, (off_t)s->size) != 0 || fchmod(s->fd, S_IRUSR | S_IWUSR) != 0)
        return -ENOMEM;
    s->memory = mmap(NULL, s->size, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
    if (s->memory == MAP_FAILED)
        return -ENOMEM;
    (void)madvise(s->memory, s->size, MADV_DONTFORK);
    return 0;
}

__attribute__((noinline)) int hocket__shared_make(struct hocket__shared *s, const char *name,
                                                  size_t size)
{
    int saved = errno;
    s->size = size;
    s->fd = memfd_create(name, MFD_CLOEXEC);
    int err = s->fd < 0 ? -errno : map(s);
    if (err && s->fd >= 0)
        (void)close(s->fd);
    errno = saved;
    return err;
}

__attribute__((noinline)) void hocket__shared_free(struct hocket__shared *s)
{
    int saved = errno;
    (void)munmap(s->memory, s->size);
    (void)close(s->fd);
    errno = saved;
}
