/* SPDX-License-Identifier: MIT */
/* bench-flags: -pthread */

/* The mutex of the C library. A program with more than one thread, as the uncontended case is
 * faster in one that has none. */

#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static inline void lock(void)
{
    pthread_mutex_lock(&mutex);
}

static inline void unlock(void)
{
    pthread_mutex_unlock(&mutex);
}

#include "threads.h"

static void *idle(void *arg)
{
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, idle, NULL) == 0)
        pthread_join(thread, NULL);
    return threads_main(argc, argv);
}
