/* SPDX-License-Identifier: MIT */
/*
 * pool_waits_for_itself - jobs that hold a permit of a bounded pool wait for jobs that need
 * one
 *
 * Right: hand the permit back while waiting.
 */
#include "catalogue.h"

static hocket_sem workers;

static int inner(void)
{
    OK(hocket_sem_acquire(&workers, HOCKET_FOREVER));
    return hocket_sem_release(&workers);
}

static int outer(void *arg)
{
    (void)arg;
    OK(hocket_sem_acquire(&workers, HOCKET_FOREVER));
    OK(inner());
    return hocket_sem_release(&workers);
}

static int outer_right(void *arg)
{
    (void)arg;
    OK(hocket_sem_acquire(&workers, HOCKET_FOREVER));
    OK(hocket_sem_release(&workers));
    return inner();
}

static int wrong(void *arg)
{
    (void)arg;
    OK(hocket_sem_init(&workers, 2, 0));
    return TOGETHER(outer, outer);
}

static int right(void *arg)
{
    (void)arg;
    OK(hocket_sem_init(&workers, 2, 0));
    return TOGETHER(outer_right, outer_right);
}

const struct bug bug_pool_waits_for_itself = { "pool_waits_for_itself", wrong, right };
