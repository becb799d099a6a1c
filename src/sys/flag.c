/* SPDX-License-Identifier: MIT */
/* flag - see sys/flag.h */
#include "sys/flag.h"

#include <errno.h>
#include <fcntl.h>

#include "base/atomic.h"
#include "sys/kernel.h"

static void close_end(int *end)
{
    if (*end >= 0)
        (void)hocket__syscall4(SYS_close, *end, 0, 0, 0);
    *end = -1;
}

HK_NOINLINE int hocket__flag_open(struct hocket__flag *ret_flag)
{
    int ends[2];
    long err = hocket__syscall4(SYS_pipe2, (long)ends, O_CLOEXEC | O_NONBLOCK, 0, 0);
    if (err < 0)
        return (int)err;
    *ret_flag = (struct hocket__flag){ ends[0], ends[1], false };
    return 0;
}

HK_NOINLINE void hocket__flag_set(struct hocket__flag *flag, bool set)
{
    char byte = 0;
    if (set == flag->set)
        return;
    flag->set = set;
    long end = set ? flag->write_end : flag->read_end;
    while (hocket__syscall4(set ? SYS_write : SYS_read, end, (long)&byte, 1, 0) == -EINTR)
        continue;
}

HK_NOINLINE void hocket__flag_hang_up(struct hocket__flag *flag)
{
    close_end(&flag->write_end);
}

HK_NOINLINE void hocket__flag_close(struct hocket__flag *flag)
{
    close_end(&flag->read_end);
    close_end(&flag->write_end);
}
