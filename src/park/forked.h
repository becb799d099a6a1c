/* SPDX-License-Identifier: MIT */
#ifndef HOCKET_PARK_FORKED_H
#define HOCKET_PARK_FORKED_H

/*
 * forked - the child of a fork has none of the parent's threads
 *
 * hocket__fork_watch registers an atfork handler, once; from then on a forked child knows,
 * and slow paths panic instead of waiting for threads that are not there.
 */
#include "base/atomic.h"

extern _Atomic bool hocket__forked_flag;

int hocket__fork_watch(void); /* 0, -ENOMEM */
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
