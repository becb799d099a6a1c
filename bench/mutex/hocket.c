/* SPDX-License-Identifier: MIT */
/* bench-hocket: library */

/* Our mutex between OS threads, with no runtime: the same as the peers that have threads alone. */

#include <hocket/mutex.h>

static hocket_mutex mutex;

static inline void lock(void)
{
    hocket_mutex_lock(&mutex);
}

static inline void unlock(void)
{
    hocket_mutex_unlock(&mutex);
}

#include "threads.h"

int main(int argc, char **argv)
{
    return threads_main(argc, argv);
}
