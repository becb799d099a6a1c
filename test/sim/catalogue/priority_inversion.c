/* SPDX-License-Identifier: MIT */
/*
 * priority_inversion - low holds what high wants, and does not get to run because of medium
 *
 * The processor is given to tasks by rank, as a real-time scheduler would: low goes on only
 * when medium does not want it.  Right: who holds what somebody of higher rank waits for,
 * inherits that rank.
 */
#include "catalogue.h"

static hocket_mutex lock;
static hocket_event started;
static bool medium_runs, high_waits;

/* A piece of work of low: not while medium is on the processor. */
static int low_work(bool inherits)
{
    for (int i = 0; i < 3; i++)
        while (medium_runs && !(inherits && high_waits))
            OK(hocket_sleep(HOCKET_MS));
    return 0;
}

static int low_of(bool inherits)
{
    hocket_mutex_lock(&lock);
    hocket_event_set(&started);
    OK(hocket_yield());
    (void)low_work(inherits);
    hocket_mutex_unlock(&lock);
    return 0;
}

static int low(void *arg)
{
    (void)arg;
    return low_of(false);
}

static int low_that_inherits(void *arg)
{
    (void)arg;
    return low_of(true);
}

static int medium(void *arg)
{
    (void)arg;
    OK(hocket_event_wait(&started, HOCKET_FOREVER));
    medium_runs = true;
    OK(hocket_sleep(HOCKET_SEC));
    medium_runs = false;
    return 0;
}

static int high(void *arg)
{
    (void)arg;
    OK(hocket_event_wait(&started, HOCKET_FOREVER));
    high_waits = true;
    int err = hocket_mutex_lock_until(&lock, hocket_after(500 * HOCKET_MS));
    high_waits = false;
    if (err == 0)
        hocket_mutex_unlock(&lock);
    return err;
}

static int wrong(void *arg)
{
    (void)arg;
    return TOGETHER(low, medium, high);
}

static int right(void *arg)
{
    (void)arg;
    return TOGETHER(low_that_inherits, medium, high);
}

const struct bug bug_priority_inversion = { "priority_inversion", wrong, right };
