/* SPDX-License-Identifier: MIT */
/*
 * What event, sem and latch promise beyond waking, at each point of the library's code:
 *
 *   interrupted   opened by a signal handler that interrupts the waiter anywhere, also while it
 *                 holds the guard: the wait ends all the same
 *   dies_early    the object dies as soon as a wait has returned, wherever the opener is
 */
#include <errno.h>
#include <pthread.h>

#include <hocket/event.h>
#include <hocket/latch.h>
#include <hocket/sem.h>

#include "base/atomic.h"
#include "support/modes.h"

union gate {
    hocket_event e;
    hocket_sem s;
    hocket_latch l;
    unsigned char bytes[64];
};

static int kind;

static void make(union gate *g)
{
    memset(g, 0, sizeof *g);
    if (kind == 2)
        g->l = (hocket_latch)HOCKET_LATCH_INIT(1);
}

static void open_gate(union gate *g)
{
    if (kind == 0)
        hocket_event_set(&g->e);
    else if (kind == 1)
        HK_EXPECT_OK(hocket_sem_release(&g->s));
    else
        hocket_latch_done(&g->l);
}

static int wait_gate(union gate *g, hocket_time deadline)
{
    return kind == 0   ? hocket_event_wait(&g->e, deadline)
           : kind == 1 ? hocket_sem_acquire(&g->s, deadline)
                       : hocket_latch_wait(&g->l, deadline);
}

static union gate gate;
static int stop_at, points;
static bool reached;
static const volatile void *last_addr;
static __thread bool counted;
static void (*at_stop)(void);

static void hook(int point, const volatile void *addr, const char *file, int line)
{
    (void)file, (void)line;
    /* Turns of a spin loop count once. */
    if (!counted || point == HOCKET_POINT_YIELD ||
        (point == HOCKET_POINT_LOAD && addr == last_addr))
        return;
    last_addr = addr;
    if (points++ != stop_at)
        return;
    counted = false;
    __atomic_store_n(&reached, true, __ATOMIC_RELEASE);
    at_stop();
    counted = true;
}

static void begin(int n)
{
    make(&gate);
    stop_at = n;
    points = 0;
    last_addr = NULL;
    reached = false;
}

/* ---- interrupted ---- */

static hocket_time interrupted_at;

static void interrupt(void)
{
    interrupted_at = hocket_now();
    open_gate(&gate);
}

START_TEST(interrupted)
{
    kind = _i;
    hocket__point_hook = hook;
    at_stop = interrupt;
    for (int n = 0;; n++) {
        begin(n);
        counted = true;
        hocket_time deadline = hocket_after(20 * HOCKET_MS);
        int err = wait_gate(&gate, deadline);
        counted = false;
        if (!reached)
            break;
        /* An error only if it came too late, and then it is there for the next. */
        ck_assert_msg(err == 0 || interrupted_at >= deadline, "at point %d: %d", n, err);
        if (err)
            ck_assert_msg(wait_gate(&gate, HOCKET_NOW) == 0, "lost at point %d", n);
    }
    ck_assert_int_gt(stop_at, 10);
}
END_TEST

/* ---- dies_early ---- */

static int round_open, round_done;

static void pause_a_moment(void)
{
    /* Long enough for the waiter to give up, come again and, if it may, return. */
    hocket_time until = hocket_after(300 * HOCKET_US);
    while (hocket_now() < until)
        sched_yield();
}

static void *opener(void *arg)
{
    (void)arg;
    for (int n = 1;; n++) {
        HK_WAIT_UNTIL(__atomic_load_n(&round_open, __ATOMIC_ACQUIRE) != n - 1);
        if (__atomic_load_n(&round_open, __ATOMIC_ACQUIRE) < 0)
            return NULL;
        counted = true;
        open_gate(&gate);
        counted = false;
        __atomic_store_n(&round_done, n, __ATOMIC_RELEASE);
    }
}

START_TEST(dies_early)
{
    pthread_t thread;
    kind = _i;
    hocket__point_hook = hook;
    at_stop = pause_a_moment;
    round_open = round_done = 0;
    HK_EXPECT(pthread_create(&thread, NULL, opener, NULL) == 0);
    bool any = true;
    int round = 0;
    for (int n = 0; any; n++) {
        any = false;
        for (int again = 0; again < 4; again++) {
            begin(n);
            __atomic_store_n(&round_open, ++round, __ATOMIC_RELEASE);
            while (wait_gate(&gate, hocket_after(20 * HOCKET_US)) == -ETIMEDOUT)
                continue;
            memset(&gate, 0xa5, sizeof gate);
            HK_WAIT_UNTIL(__atomic_load_n(&round_done, __ATOMIC_ACQUIRE) == round);
            for (size_t i = 0; i < sizeof gate; i++)
                ck_assert_msg(gate.bytes[i] == 0xa5, "byte %zu, opener stopped at point %d", i, n);
            any |= reached;
        }
    }
    __atomic_store_n(&round_open, -1, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_loop_test(tc, interrupted, 0, 3);
    tcase_add_loop_test(tc, dies_early, 0, 3);
}

int main(void)
{
    return mode_main("gates", add);
}
