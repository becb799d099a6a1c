/* SPDX-License-Identifier: MIT */
/* bench-flags: -pthread */

/* One OS thread does the work, main joins it. */

#include <pthread.h>

#include "hello.h"

static void *work(void *arg)
{
    hello(arg);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, work, argc > 1 ? argv[1] : "") != 0)
        return 1;
    pthread_join(thread, NULL);
    return 0;
}
