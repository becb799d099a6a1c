/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_TEST_REFUSE_H
#define HOCKET_TEST_REFUSE_H
/*
 * refuse - a system call that the kernel refuses from now on, in this process
 *
 *     refuse(SYS_getrandom, ENOSYS);
 *     refuse_with(SYS_epoll_ctl, 1, EPOLL_CTL_ADD, ENOSPC);   // if its argument 1 is that
 *
 * For errors that no table of ours stands before, and none that a test could bring about otherwise:
 * no descriptor is left in the whole system, an older kernel, a sandbox.  There is no way
 * back, so this is for the forked child of a test.  Returns false where it is not possible
 * (an emulator, a kernel without seccomp): the test then has nothing to say.
 */
#include "support/expect.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static inline bool refuse__install(struct sock_filter *filter, size_t count)
{
    struct sock_fprog program = { (unsigned short)count, filter };
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static inline bool refuse(long number, int error)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    return refuse__install(filter, sizeof filter / sizeof filter[0]);
}

/* Compares the lower half of the argument: both architectures are little-endian. */
static inline bool refuse_with(long number, int argument, uint32_t value, int error)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offsetof(struct seccomp_data, args) +
                                                      (size_t)argument * sizeof(uint64_t))),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    return refuse__install(filter, sizeof filter / sizeof filter[0]);
}

#endif
