/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_DETAIL_FORK_H
#define HOCKET_DETAIL_FORK_H
#include <hocket/detail/fast.h>

/*
 * fork - the branches of a task, as far as the inline functions of fork.h need them
 *
 * Not for use by programs.  The protocol is told in src/task/fork.c.
 */
struct hocket_branch;

struct hocket__forks {
    uint32_t attention;           /* HOCKET__FORKS_*; the inline functions want exactly ON */
    uint32_t guard;               /* who takes branches, or looks at those that were taken */
    struct hocket_branch *newest; /* of all; `first` below stands for "none" */
    struct hocket_branch *taken;  /* the newest that was taken, likewise */
    uintptr_t limit;              /* below it there is too little stack for one more call */
    struct hocket_branch *first;  /* the oldest; in the place of its neighbour's `newer` */
};

#define HOCKET__FORKS_ON 1u

/* Where a task's record has them. */
#define HOCKET__FORKS_AT 192

HOCKET_BEGIN_DECLS

#if defined(HOCKET__INLINE_LOCKS)

/* The branches of the running task; NULL in a thread that the library has not seen.  A frame
 * belongs to one task for its whole life, so compilers may keep the address. */
HOCKET__INLINE_ONLY struct hocket__forks *hocket__forks_here(void)
{
    char *self;
    __asm__("{movq hocket__fast@gottpoff(%%rip), %0\n\tmovq %%fs:8(%0), %0|"
            "mov %0, QWORD PTR hocket__fast@gottpoff[rip]\n\t"
            "mov %0, QWORD PTR fs:[%0 + 8]}"
            : "=r"(self));
    return self ? (struct hocket__forks *)(void *)(self + HOCKET__FORKS_AT) : NULL;
}

#endif

HOCKET_END_DECLS
#endif
