/* SPDX-License-Identifier: MIT */
/*
 * forked - see park/forked.h
 */
#include "park/forked.h"

#include <errno.h>
#include <pthread.h>

#include "base/panic.h"
#include "park/watch.h"

_Atomic bool hocket__forked_flag;
_Atomic bool hocket__is_child;
_Atomic unsigned hocket__side_threads;
static void (*_Atomic armed)(void);

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int once_error;

static void on_fork(void)
{
    hk_store(&hocket__is_child, true);
    hk_store(&hocket__side_threads, 0);
    hocket__watch_forked();
    void (*hook)(void) = hk_load(&armed);
    if (!hook)
        return;
    hk_store(&hocket__forked_flag, true);
    hook();
}

void hocket__fork_arm(void (*in_child)(void))
{
    hk_store(&armed, in_child);
}

static void watch(void)
{
    once_error = -pthread_atfork(NULL, NULL, on_fork);
}

int hocket__fork_watch(void)
{
    (void)pthread_once(&once, watch);
    return once_error;
}

void hocket__fork_panic(const char *function)
{
    hocket__panic("%s: in the child of a fork, where the runtime's threads do not exist "
                  "(exec, or start helpers before the runtime)",
                  function);
}
