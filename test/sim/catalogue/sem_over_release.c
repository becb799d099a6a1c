/* SPDX-License-Identifier: MIT */
/*
 * sem_over_release - the error path releases a permit that it never got
 *
 * Right: release only what was acquired.
 */
#include "catalogue.h"

static hocket_sem permits;
static int inside, most;

static void work(void)
{
    inside++;
    if (inside > most)
        most = inside;
    hocket_sim_point();
    inside--;
}

static int try_wrong(void *arg)
{
    (void)arg;
    if (hocket_sem_try(&permits) == 0)
        work();
    OK(hocket_sem_release(&permits));
    return 0;
}

static int try_right(void *arg)
{
    (void)arg;
    if (hocket_sem_try(&permits) != 0)
        return 0;
    work();
    OK(hocket_sem_release(&permits));
    return 0;
}

static int wrong(void *arg)
{
    (void)arg;
    OK(hocket_sem_init(&permits, 1, 0));
    OK(TOGETHER(try_wrong, try_wrong, try_wrong));
    return most <= 1 ? 0 : 1;
}

static int right(void *arg)
{
    (void)arg;
    OK(hocket_sem_init(&permits, 1, 0));
    OK(TOGETHER(try_right, try_right, try_right));
    return most <= 1 ? 0 : 1;
}

const struct bug bug_sem_over_release = { "sem_over_release", wrong, right };
