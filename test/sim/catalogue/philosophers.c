/* SPDX-License-Identifier: MIT */
/*
 * philosophers - each of four takes the left fork, then waits for the right one
 *
 * Right: the last one begins with the other hand.
 */
#include "catalogue.h"

#define SEATS 4

static hocket_mutex forks[SEATS];

static int eat(int left, int right)
{
    hocket_mutex_lock(&forks[left]);
    hocket_mutex_lock(&forks[right]);
    hocket_mutex_unlock(&forks[right]);
    hocket_mutex_unlock(&forks[left]);
    return 0;
}

static int seat_0(void *arg)
{
    (void)arg;
    return eat(0, 1);
}

static int seat_1(void *arg)
{
    (void)arg;
    return eat(1, 2);
}

static int seat_2(void *arg)
{
    (void)arg;
    return eat(2, 3);
}

static int seat_3(void *arg)
{
    (void)arg;
    return eat(3, 0);
}

static int seat_3_otherwise(void *arg)
{
    (void)arg;
    return eat(0, 3);
}

static int wrong(void *arg)
{
    (void)arg;
    return TOGETHER(seat_0, seat_1, seat_2, seat_3);
}

static int right(void *arg)
{
    (void)arg;
    return TOGETHER(seat_0, seat_1, seat_2, seat_3_otherwise);
}

const struct bug bug_philosophers = { "philosophers", wrong, right };
