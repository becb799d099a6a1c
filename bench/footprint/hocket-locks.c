/* SPDX-License-Identifier: MIT */
/* bench-hocket: library */
/* bench-flags: -Wl,--gc-sections */

/* A program that uses a lock of ours and no runtime: it must not pay for a scheduler. */

#include <hocket/mutex.h>

#include "hello.h"

static hocket_mutex mutex;

int main(int argc, char **argv)
{
    hocket_mutex_lock(&mutex);
    int status = hello(argc > 1 ? argv[1] : "");
    hocket_mutex_unlock(&mutex);
    return status;
}
