/* SPDX-License-Identifier: MIT */
/*
 * sem_released_twice - a semaphore used as a lock is unlocked by the helper and once more by
 * its caller
 *
 * Right: one place unlocks; a mutex would have said so at once.
 */
#include "catalogue.h"

static hocket_sem lock;
static int inside;
static bool two;

static void work(void)
{
    two = two || inside > 0;
    inside++;
    hocket_sim_point();
    inside--;
}

static int careless(void *arg)
{
    (void)arg;
    OK(hocket_sem_acquire(&lock, HOCKET_FOREVER));
    work();
    OK(hocket_sem_release(&lock));
    OK(hocket_sem_release(&lock));
    return 0;
}

static int careful(void *arg)
{
    (void)arg;
    OK(hocket_sem_acquire(&lock, HOCKET_FOREVER));
    work();
    OK(hocket_sem_release(&lock));
    return 0;
}

static int wrong(void *arg)
{
    (void)arg;
    OK(hocket_sem_init(&lock, 1, 0));
    OK(TOGETHER(careless, careful, careful));
    return two ? 1 : 0;
}

static int right(void *arg)
{
    (void)arg;
    OK(hocket_sem_init(&lock, 1, 0));
    OK(TOGETHER(careful, careful, careful));
    return two ? 1 : 0;
}

const struct bug bug_sem_released_twice = { "sem_released_twice", wrong, right };
