/* SPDX-License-Identifier: MIT */
/*
 * forgotten_unlock - the way out for errors does not unlock
 *
 * Right: HOCKET_WITH, which unlocks on every way out.
 */
#include "catalogue.h"

static hocket_mutex lock;
static bool broken;

static int step(void *arg)
{
    (void)arg;
    hocket_mutex_lock(&lock);
    if (broken)
        return 0; /* still locked: the task ends with it */
    hocket_mutex_unlock(&lock);
    return 0;
}

static int step_with(void *arg)
{
    (void)arg;
    HOCKET_WITH(&lock) {
        if (broken)
            return 0;
    }
    return 0;
}

static int fail(void *arg)
{
    (void)arg;
    broken = true;
    return 0;
}

static int wrong(void *arg)
{
    (void)arg;
    return TOGETHER(step, step, fail);
}

static int right(void *arg)
{
    (void)arg;
    return TOGETHER(step_with, step_with, fail);
}

const struct bug bug_forgotten_unlock = { "forgotten_unlock", wrong, right };
