/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_PARK_FORKED_H
#define HOCKET_PARK_FORKED_H

/*
 * forked - the child of a fork has none of the parent's threads
 *
 * hocket__fork_watch registers an atfork handler, once; from then on a child that was forked while
 * the library had threads (hocket__fork_arm) knows, and slow paths panic instead of waiting for
 * threads that are not there.  Guards may have been held by such threads: any forked child waits
 * for them only so long (park/guard.c).
 */
#include "base/atomic.h"

extern _Atomic bool hocket__forked_flag;
extern _Atomic bool hocket__is_child; /* forked at all, since hocket__fork_watch */
/* Threads of the library that are not the runtime's and wake nobody; a child has none. */
extern _Atomic unsigned hocket__side_threads;

int hocket__fork_watch(void); /* 0, -ENOMEM */

/* From now on (NULL: no longer) children are marked, and `in_child` is called there. */
void hocket__fork_arm(void (*in_child)(void));
HK_COLD void hocket__fork_panic(const char *function);

static inline bool hocket__forked(void)
{
    return hk_load(&hocket__forked_flag);
}

static inline void hocket__fork_check(const char *function)
{
    if (hk_unlikely(hocket__forked()))
        hocket__fork_panic(function);
}

#endif
