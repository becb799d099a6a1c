/* SPDX-License-Identifier: MIT */
/*
 * latch_twice - a part that is tried again counts the latch down for another one, and the
 * waiter goes on too early
 *
 * Right: count down once a part, when it is done.
 */
#include <errno.h>

#include "catalogue.h"

static hocket_latch parts;
static int done;

static int part(void *arg)
{
    (void)arg;
    hocket_sim_point();
    done++;
    hocket_latch_done(&parts);
    return 0;
}

static int part_tried_again(void *arg)
{
    hocket_latch_done(&parts); /* the first try has failed, but counts */
    return part(arg);
}

static int part_uncounted(void *arg)
{
    (void)arg;
    hocket_sim_point();
    done++;
    return 0;
}

static int await(void *arg)
{
    (void)arg;
    OK(hocket_latch_wait(&parts, HOCKET_FOREVER));
    return done == 3 ? 0 : -ERANGE;
}

static int wrong(void *arg)
{
    (void)arg;
    OK(hocket_latch_add(&parts, 3));
    return TOGETHER(part, part_tried_again, part_uncounted, await);
}

static int right(void *arg)
{
    (void)arg;
    OK(hocket_latch_add(&parts, 3));
    return TOGETHER(part, part, part, await);
}

const struct bug bug_latch_twice = { "latch_twice", wrong, right };
