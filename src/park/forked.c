/* SPDX-License-Identifier: MIT */
/*
 * forked - see park/forked.h
 */
#include "park/forked.h"

#include <errno.h>
#include <pthread.h>

#include "base/panic.h"

_Atomic bool hocket__forked_flag;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int once_error;

static void in_child(void)
{
    hk_store(&hocket__forked_flag, true);
}

static void watch(void)
{
    once_error = -pthread_atfork(NULL, NULL, in_child);
}

int hocket__fork_watch(void)
{
    (void)pthread_once(&once, watch);
    return once_error;
}

void hocket__fork_panic(const char *function)
{
    hocket__panic("%s: called in the child of a fork, where the runtime's threads do not exist "
                  "(exec, or start helpers before the runtime)",
                  function);
}
