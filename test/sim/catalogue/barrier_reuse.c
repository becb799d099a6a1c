/* SPDX-License-Identifier: MIT */
/*
 * barrier_reuse - a hand-made barrier without generations: who is fast arrives in the next
 * round before the slow one has seen the end of this one, which waits on for ever
 *
 * Right: wait for the generation to change; or hocket_barrier.
 */
#include <errno.h>

#include "catalogue.h"

#define PARTIES 2
#define ROUNDS  2

static hocket_mutex lock;
static hocket_cond all;
static hocket_barrier barrier;
static int arrived, reached[PARTIES];

static int arrive(int me)
{
    for (int round = 1; round <= ROUNDS; round++) {
        reached[me] = round;
        hocket_mutex_lock(&lock);
        if (++arrived == PARTIES) {
            arrived = 0;
            hocket_cond_broadcast(&all);
        } else {
            while (arrived != 0) /* of this round, or of the next one already? */
                OK(hocket_cond_wait(&all, &lock, HOCKET_FOREVER));
        }
        hocket_mutex_unlock(&lock);
        if (reached[1 - me] < round)
            return -ERANGE;
    }
    return 0;
}

static int arrive_right(int me)
{
    for (int round = 1; round <= ROUNDS; round++) {
        reached[me] = round;
        int rc = hocket_barrier_wait(&barrier, HOCKET_FOREVER);
        if (rc < 0 || reached[1 - me] < round)
            return -ERANGE;
    }
    return 0;
}

static int zero(void *arg)
{
    (void)arg;
    return arrive(0);
}

static int one(void *arg)
{
    (void)arg;
    return arrive(1);
}

static int zero_right(void *arg)
{
    (void)arg;
    return arrive_right(0);
}

static int one_right(void *arg)
{
    (void)arg;
    return arrive_right(1);
}

static int wrong(void *arg)
{
    (void)arg;
    return TOGETHER(zero, one);
}

static int right(void *arg)
{
    (void)arg;
    OK(hocket_barrier_init(&barrier, PARTIES, NULL, NULL));
    return TOGETHER(zero_right, one_right);
}

const struct bug bug_barrier_reuse = { "barrier_reuse", wrong, right };
