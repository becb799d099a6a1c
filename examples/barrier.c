/* SPDX-License-Identifier: MIT */
/*
 * barrier - a computation in steps: nobody begins a step before all have done the one before
 *
 * Four tasks share a row of numbers.  In each step every number becomes the sum of itself and its
 * left neighbour of the step before; the action exchanges the two rows between the steps.
 */
#include <hocket.h>
#include <stdio.h>

#define PARTS 4
#define STEPS 6

static long rows[2][PARTS] = { { 1, 0, 0, 0 } };
static long *from = rows[0], *to = rows[1];
static int steps;

static int exchange(void *arg)
{
    (void)arg;
    long *row = from; /* everybody waits: no lock is needed */
    from = to;
    to = row;
    steps++;
    return 0; /* negative would break the barrier */
}

static hocket_barrier barrier = HOCKET_BARRIER_INIT_ACTION(PARTS, exchange, NULL);

static int part(void *arg)
{
    int i = *(const int *)arg, rc = 0;
    for (int step = 0; step < STEPS && rc >= 0; step++) {
        to[i] = from[i] + (i > 0 ? from[i - 1] : 0);
        rc = hocket_barrier_wait(&barrier, hocket_after(10 * HOCKET_SEC));
    }
    return rc < 0 ? rc : 0;
}

static int program(void *arg)
{
    (void)arg;
    hocket_scope s;
    int err = 0;
    hocket_scope_open(&s, NULL);
    for (int i = 0; i < PARTS && err == 0; i++)
        err = hocket_spawn_copy(&s, part, &i, sizeof i);
    if (err)
        hocket_barrier_abort(&barrier); /* a party is missing: the others must not wait for it */
    int failed = hocket_scope_close(&s);
    printf("after %d steps: %ld %ld %ld %ld\n", steps, from[0], from[1], from[2], from[3]);
    return err ? err : failed;
}

int main(void)
{
    return hocket_run(program, NULL) != 0;
}
